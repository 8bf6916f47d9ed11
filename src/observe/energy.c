// SPDX-License-Identifier: GPL-3.0-or-later
#include "observe/energy.h"

#include <string.h>

#include "base/comm.h"
#include "base/memory.h"
#include "base/tensor.h"

struct stz_energy {
  const stz_grid *grid;
  const stz_kmc *kmc;
  double young, poisson, volume;
  double (*self)[5][5];        // stress of an event at its own site, a unit of its strain; in a film one for each layer
  int layers;                  // of `self`
  double stress[6], strain[6]; // of the means, as last given
  double work;                 // so far, eV/nm^3
  double anchor;               // energy of the internal stress when last found from the fields, eV/nm^3
  double *events;              // heat of the events on each plane of this rank, at its global place, and what those
                               // since have changed that energy by, eV; [nx][PARTS]
  double *planes;              // room for all planes
};

enum { HEAT, INTERNAL, PARTS };

static size_t plane_bytes(const stz_energy *e) {
  return (size_t)PARTS * (size_t)stz_grid_cells(e->grid)[0] * sizeof(double);
}

static void find_self(stz_energy *e) {
  for (int z = 0; z < e->layers; z++) stz_kmc_self_stress(e->kmc, z, e->self[z]);
}

stz_err stz_energy_create(const stz_grid *grid, const stz_elastic *elastic, const stz_kmc *kmc, stz_energy **energy) {
  stz_energy *e = NULL;
  *energy = NULL;
  const int layers = stz_grid_film(grid) ? stz_grid_cells(grid)[2] : 1;
  stz_err err = STZ_NEW(e, 1);
  if (err == STZ_OK) err = STZ_NEW(e->self, layers);
  if (err == STZ_OK) err = STZ_NEW(e->events, PARTS * stz_grid_cells(grid)[0]);
  if (err == STZ_OK) err = STZ_NEW(e->planes, PARTS * stz_grid_cells(grid)[0]);
  err = stz_agree(stz_grid_comm(grid), err);
  if (err != STZ_OK) {
    stz_energy_destroy(&e);
    return err;
  }
  e->grid = grid;
  e->kmc = kmc;
  e->young = stz_elastic_young(elastic);
  e->poisson = stz_elastic_poisson(elastic);
  e->volume = stz_elastic_volume(elastic);
  e->layers = layers;
  find_self(e);
  *energy = e;
  return STZ_OK;
}

void stz_energy_destroy(stz_energy **energy) {
  if (!*energy) return;
  stz_free((*energy)->self);
  stz_free((*energy)->events);
  stz_free((*energy)->planes);
  stz_free(*energy);
  *energy = NULL;
}

static double work_to(const stz_energy *e, const double stress[6], const double strain[6]) {
  double mean[6], change[6];
  for (int v = 0; v < 6; v++) {
    mean[v] = 0.5 * (e->stress[v] + stress[v]);
    change[v] = strain[v] - e->strain[v];
  }
  return stz_sym_dot(mean, change);
}

void stz_energy_move(stz_energy *energy, const double stress[6], const double strain[6]) {
  energy->work += work_to(energy, stress, strain);
  memcpy(energy->stress, stress, sizeof energy->stress);
  memcpy(energy->strain, strain, sizeof energy->strain);
}

void stz_energy_event(stz_energy *energy, int64_t site, const double event[6], const float internal[5],
                      const double stress[6], const double strain[6]) {
  if (stz_grid_local(energy->grid, site) >= 0) {
    double d[5], before[5], after[5], sum = 0.0, change = 0.0;
    int xyz[3];
    stz_grid_coords(energy->grid, site, xyz);
    const double(*at_site)[5] = (const double(*)[5])energy->self[energy->layers > 1 ? xyz[2] : 0];
    stz_dev_from_sym(event, d);
    stz_kmc_load_at(energy->kmc, site, energy->stress, before);
    stz_kmc_load_at(energy->kmc, site, stress, after);
    const stz_contrast *contrast = stz_kmc_contrast(energy->kmc);
    const double dress = contrast ? (double)stz_contrast_dress(contrast, site) : 1.0;
    for (int c = 0; c < 5; c++) {
      double self = 0.0;
      for (int k = 0; k < 5; k++) self += dress * dress * at_site[c][k] * d[k];
      sum += d[c] * (before[c] + after[c] + 2.0 * (double)internal[c] + self);
      change -= d[c] * ((double)internal[c] + 0.5 * self);
    }
    energy->events[PARTS * xyz[0] + HEAT] += 0.5 * energy->volume * sum;
    energy->events[PARTS * xyz[0] + INTERNAL] += energy->volume * change;
  }
  stz_energy_move(energy, stress, strain);
}

void stz_energy_reshaped(stz_energy *energy, double internal) {
  const double heat = (energy->anchor - internal) * stz_grid_volume(energy->grid);
  if (stz_grid_first_plane(energy->grid) == 0) energy->events[HEAT] += heat;
  find_self(energy);
}

void stz_energy_anchor(stz_energy *energy, double internal) {
  energy->anchor = internal;
  for (int x = 0; x < stz_grid_cells(energy->grid)[0]; x++) energy->events[PARTS * x + INTERNAL] = 0.0;
}

void stz_energy_so_far(const stz_energy *energy, const double stress[6], const double strain[6], double *work,
                       double *heat, double *internal) {
  double sums[PARTS] = {0};
  memcpy(energy->planes, energy->events, plane_bytes(energy));
  stz_grid_gather_planes(energy->grid, energy->planes, PARTS);
  for (int i = 0; i < PARTS * stz_grid_cells(energy->grid)[0]; i++) sums[i % PARTS] += energy->planes[i];
  *work = energy->work + work_to(energy, stress, strain);
  *heat = sums[HEAT] / stz_grid_volume(energy->grid);
  *internal = energy->anchor + sums[INTERNAL] / stz_grid_volume(energy->grid);
}

double stz_energy_of_mean(const stz_energy *energy, const double stress[6]) {
  const double trace = stress[STZ_XX] + stress[STZ_YY] + stress[STZ_ZZ];
  return 0.5 * ((1.0 + energy->poisson) * stz_sym_dot(stress, stress) - energy->poisson * trace * trace) /
         energy->young;
}

typedef struct fields {
  const stz_glass *glass;
  const float *stress[5];
} fields;

// Strain : stress of the sites from `first` on; strains times Omega/a^3.
static void fill_products(const void *context, int64_t first, int64_t count, double *products) {
  const fields *f = context;
  const double density = stz_grid_voxels(stz_glass_grid(f->glass), stz_glass_stz(f->glass)->volume_nm3);
  memset(products, 0, (size_t)count * sizeof *products);
  for (int c = 0; c < 5; c++) {
    const float *plastic = stz_glass_plastic(f->glass, c), *quenched = stz_glass_quenched(f->glass, c);
    for (int64_t i = first; i < first + count; i++) {
      const double strain = (double)plastic[i] + (quenched ? density * (double)quenched[i] : 0.0);
      products[i - first] += strain * (double)f->stress[c][i];
    }
  }
}

stz_err stz_energy_internal(const stz_glass *glass, const stz_kmc *kmc, double *energy) {
  const stz_grid *grid = stz_glass_grid(glass);
  fields f = {.glass = glass};
  double sum;
  for (int c = 0; c < 5; c++) f.stress[c] = stz_kmc_stress(kmc, c);
  STZ_TRY(stz_grid_sum_of(grid, fill_products, &f, &sum));
  *energy = -0.5 * sum / (double)stz_grid_sites(grid);
  return STZ_OK;
}

enum { SAVED = 14 }; // numbers before the planes

size_t stz_energy_saved_bytes(const stz_energy *energy) { return SAVED * sizeof(double) + plane_bytes(energy); }

void stz_energy_save(const stz_energy *energy, void *saved) {
  double *to = saved;
  memcpy(to, energy->stress, sizeof energy->stress);
  memcpy(to + 6, energy->strain, sizeof energy->strain);
  to[12] = energy->work;
  to[13] = energy->anchor;
  memcpy(to + SAVED, energy->events, plane_bytes(energy));
  stz_grid_gather_planes(energy->grid, to + SAVED, PARTS);
}

void stz_energy_restore(stz_energy *energy, const void *saved) {
  const double *from = saved;
  memcpy(energy->stress, from, sizeof energy->stress);
  memcpy(energy->strain, from + 6, sizeof energy->strain);
  energy->work = from[12];
  energy->anchor = from[13];
  memcpy(energy->events, from + SAVED, plane_bytes(energy));
  find_self(energy); // by the engine's tables as they are now
}
