// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/sample.h"

#include <string.h>

#include "base/comm.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/memory.h"
#include "io/field.h"
#include "sim/sim.h"

// The values of a field from a file, one per local site; NULL without a file. Collective.
static stz_err read_given(const stz_config *config, stz_given_field which, const stz_grid *grid, double **values) {
  const stz_given *g = &config->given[which];
  const bool micro = which == STZ_GIVEN_MICRO;
  const stz_field field = {g->path, g->dataset, micro ? stz_micro_axes(&config->micro) : ""};
  if (!stz_config_reads(config, which)) return STZ_OK;
  STZ_TRY(stz_agree(stz_grid_comm(grid), STZ_NEW(*values, stz_grid_local_sites(grid))));
  return stz_blame(g->place, stz_field_read(grid, &field, *values));
}

static stz_err make_micro(const stz_config *config, const stz_grid *grid, stz_spectral *spectral, stz_micro **micro) {
  if (config->micro.type != STZ_MICRO_FILE) {
    return stz_micro_create(grid, spectral, &config->micro, NULL, config->seed, micro);
  }
  double *nickel = NULL;
  stz_err err = read_given(config, STZ_GIVEN_MICRO, grid, &nickel);
  if (err == STZ_OK) {
    err = stz_micro_create(grid, spectral, &config->micro, nickel, config->seed, micro);
    err = stz_blame(config->given[STZ_GIVEN_MICRO].place, err);
  }
  if (err == STZ_OK && stz_micro_of_phases(*micro)) {
    stz_log(STZ_LOG_INFO, "microstructure.file: a map of two phases, 0 and 1: g = -1 and 1");
  }
  stz_free(nickel);
  return err;
}

// Random structures of a film are cut out of a taller periodic box.
static stz_err make_taller(const stz_config *config, const stz_grid *grid, stz_micro **micro) {
  const stz_lattice_params lattice = stz_config_structure_box(config);
  stz_grid *taller = NULL;
  stz_spectral *spectral = NULL;
  STZ_TRY(stz_grid_create(stz_grid_comm(grid), &lattice, &taller));
  stz_grid_employ(taller, stz_grid_team(grid));
  stz_err err = stz_spectral_create(taller, &spectral);
  if (err == STZ_OK) err = make_micro(config, taller, spectral, micro);
  if (err == STZ_OK) stz_micro_cut(*micro, grid);
  stz_spectral_destroy(&spectral);
  stz_grid_destroy(&taller);
  return err;
}

// Damage and rise of the barriers from files, with what their values may be. Collective.
static stz_err read_barriers(const stz_config *config, const stz_grid *grid, double **damage, double **rise) {
  const int *cells = stz_grid_cells(grid);
  const int64_t first = stz_grid_first_site(grid), count = stz_grid_local_sites(grid);
  STZ_TRY(read_given(config, STZ_GIVEN_DAMAGE, grid, damage));
  STZ_TRY(read_given(config, STZ_GIVEN_RISE, grid, rise));
  stz_err err = STZ_OK;
  if (*damage) {
    err = stz_glass_check_damage(&config->barriers, cells, first, count, *damage);
    err = stz_blame(config->given[STZ_GIVEN_DAMAGE].place, err);
  }
  if (err == STZ_OK && *rise) {
    err = stz_blame(config->given[STZ_GIVEN_RISE].place, stz_glass_check_rise(cells, first, count, *rise));
  }
  return stz_agree(stz_grid_comm(grid), err);
}

// With transforms that nobody needs afterwards.
static stz_err make_glass(const stz_config *config, stz_sample *s) {
  stz_micro *micro = NULL;
  stz_spectral *spectral = NULL;
  double *damage = NULL, *rise = NULL;
  STZ_TRY(stz_stage(stz_grid_comm(s->grid), "making the microstructure"));
  STZ_TRY(stz_spectral_create(s->grid, &spectral));
  const stz_micro_type type = config->micro.type;
  const bool cut = stz_grid_film(s->grid) && (type == STZ_MICRO_RANDOM_WAVES || type == STZ_MICRO_CAHN_HILLIARD);
  stz_err err = cut ? make_taller(config, s->grid, &micro) : make_micro(config, s->grid, spectral, &micro);
  if (err == STZ_OK) err = stz_stage(stz_grid_comm(s->grid), "measuring the microstructure");
  if (err == STZ_OK) err = stz_micro_measure(micro, spectral, &s->micro);
  if (err == STZ_OK) err = read_barriers(config, s->grid, &damage, &rise);
  if (err == STZ_OK) {
    const stz_glass_given given = {damage, rise};
    err = stz_glass_create(s->grid, spectral, micro, &config->stz, &config->barriers, &config->order,
                           config->nbed.foil_nm, config->nbed.probe_nm, config->seed, &given, &s->glass);
  }
  stz_free(damage);
  stz_free(rise);
  stz_micro_destroy(&micro);
  stz_spectral_destroy(&spectral);
  return err;
}

static stz_err build(MPI_Comm comm, const stz_config *config, stz_cache *cache, stz_team *team, stz_sample *s) {
  if (!cache) {
    STZ_TRY(stz_cache_create(comm, team, &s->own));
    cache = s->own;
  }
  STZ_TRY(stz_cache_fill(cache, config));
  s->grid = stz_cache_grid(cache);
  s->elastic = stz_cache_elastic(cache);
  STZ_TRY(make_glass(config, s));
  STZ_TRY(stz_agree(comm, stz_load_create(config->protocol, config->segments, stz_elastic_young(s->elastic),
                                          stz_elastic_poisson(s->elastic), &s->load)));
  if (stz_sim_varies(config)) {
    STZ_TRY(stz_contrast_create(s->grid, s->elastic, &config->elastic, stz_glass_structure(s->glass), &s->contrast));
  }
  stz_kmc_params kmc = config->kmc;
  kmc.contrast = s->contrast;
  return stz_kmc_create(&kmc, s->glass, s->elastic, config->seed, &s->kmc);
}

stz_err stz_sample_create(MPI_Comm comm, const stz_config *config, stz_cache *cache, stz_team *team,
                          stz_sample *sample) {
  memset(sample, 0, sizeof *sample);
  const stz_err err = build(comm, config, cache, team, sample);
  if (err != STZ_OK) stz_sample_destroy(sample);
  return err;
}

void stz_sample_destroy(stz_sample *sample) {
  stz_kmc_destroy(&sample->kmc);
  stz_load_destroy(&sample->load);
  stz_contrast_destroy(&sample->contrast);
  stz_glass_destroy(&sample->glass);
  stz_cache_destroy(&sample->own);
  sample->grid = NULL;
  sample->elastic = NULL;
}

uint64_t stz_sample_hash(const stz_sample *sample) {
  stz_macro macro;
  stz_load_state(sample->load, &macro);
  uint64_t hash = stz_glass_hash(sample->glass) + stz_kmc_hash(sample->kmc) + stz_hash_double(3000, 0, macro.time_s);
  if (macro.segment > 0) hash += stz_hash_double(3003, (uint64_t)macro.segment, macro.begin_s);
  for (int v = 0; v < 6; v++) {
    hash += stz_hash_double(3001, (uint64_t)v, macro.stress[v]) + stz_hash_double(3002, (uint64_t)v, macro.plastic[v]);
  }
  return hash;
}
