// SPDX-License-Identifier: GPL-3.0-or-later
//
// The stress of the quenched-in strain, with which an engine begins, and that of all strain so far.
#include <math.h>

#include "base/comm.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "kmc/engine.h"

static float dress_of(const stz_kmc *kmc, size_t local) {
  return stz_kmc_dress(kmc, stz_grid_first_site(stz_glass_grid(kmc->glass)) + (int64_t)local);
}

void stz_kmc_give_exact(const stz_kmc *kmc, bool events) {
  const stz_grid *grid = stz_glass_grid(kmc->glass);
  const double density = stz_grid_voxels(grid, stz_glass_stz(kmc->glass)->volume_nm3);
  for (int c = 0; c < 5; c++) {
    const float *plastic = stz_glass_plastic(kmc->glass, c), *quenched = stz_glass_quenched(kmc->glass, c);
    double *to = stz_contrast_events(kmc->params.contrast, c);
    for (int64_t i = 0; i < stz_grid_sites(grid); i++) {
      to[i] = (events ? (double)plastic[i] : 0.0) + (quenched ? density * (double)quenched[i] : 0.0);
    }
  }
}

// The exact stress over D, which comes in where it is read.
static stz_err exact_stress_of(const stz_kmc *kmc, double *const found[6], float *stress) {
  const stz_contrast *contrast = kmc->params.contrast;
  const stz_grid *grid = stz_glass_grid(kmc->glass);
  const int64_t sites = stz_grid_local_sites(grid);
  stz_kmc_give_exact(kmc, false);
  STZ_TRY(stz_contrast_whole(contrast, found));
  for (int c = 0; c < 5; c++) {
    float *to = stress + (size_t)c * stz_field_stride(grid);
    for (int64_t i = 0; i < sites; i++) to[i] = (float)found[c][i] / stz_contrast_dress(contrast, i);
  }
  return STZ_OK;
}

// The strain of one component in the unit of an event's, of the quench and, if they count, of events.
static void strain_of(const stz_kmc *kmc, int c, bool events, double *strain) {
  const stz_grid *grid = stz_glass_grid(kmc->glass);
  const double density = stz_grid_voxels(grid, stz_glass_stz(kmc->glass)->volume_nm3);
  const float *quenched = stz_glass_quenched(kmc->glass, c), *plastic = stz_glass_plastic(kmc->glass, c);
  const size_t sites = (size_t)stz_grid_local_sites(grid);
  for (size_t i = 0; i < sites && quenched; i++) strain[i] = (double)quenched[i] * (double)dress_of(kmc, i);
  for (size_t i = 0; i < sites && events; i++) strain[i] += (double)plastic[i] / density;
}

// `work` holds 5 strain and 6 stress components, one after the other; zeros.
static stz_err stress_of(const stz_kmc *kmc, bool events, stz_spectral *spectral, double *work, float *stress) {
  const stz_grid *grid = stz_glass_grid(kmc->glass);
  const size_t sites = (size_t)stz_grid_local_sites(grid), stride = stz_field_stride(grid);
  const double *strain[5];
  double *found[6];
  for (size_t c = 0; c < 5; c++) {
    strain_of(kmc, (int)c, events, work + c * sites);
    strain[c] = work + c * sites;
  }
  for (size_t c = 0; c < 6; c++) found[c] = work + (5 + c) * sites;
  const stz_contrast *contrast = kmc->params.contrast;
  if (stz_contrast_exact(contrast)) return exact_stress_of(kmc, found, stress);
  STZ_TRY(stz_elastic_stress(kmc->elastic, spectral, strain, found));
  for (size_t c = 0; c < 5; c++) {
    for (size_t i = 0; i < sites; i++) stress[c * stride + i] = (float)found[c][i];
  }
  return STZ_OK;
}

static void fill_squares(const void *context, int64_t first, int64_t count, double *squares) {
  const float *const *stress = context;
  for (int64_t i = 0; i < count; i++) {
    squares[i] = 0.0;
    for (int c = 0; c < 5; c++) squares[i] += (double)stress[c][first + i] * (double)stress[c][first + i];
  }
}

stz_err stz_kmc_stress_rms(const stz_kmc *kmc, double *rms) {
  const stz_grid *grid = stz_glass_grid(kmc->glass);
  const float *stress[5];
  double sum;
  for (int c = 0; c < 5; c++) stress[c] = stz_kmc_stress(kmc, c);
  STZ_TRY(stz_grid_sum_of(grid, fill_squares, stress, &sum));
  *rms = sqrt(sum / (double)stz_grid_sites(grid));
  return STZ_OK;
}

static stz_err find_stress(const stz_kmc *kmc, bool events, float *stress) {
  const stz_grid *grid = stz_glass_grid(kmc->glass);
  stz_spectral *spectral = NULL;
  double *work = NULL;
  STZ_TRY(stz_spectral_create(grid, &spectral));
  stz_err err = stz_agree(stz_grid_comm(grid), STZ_NEW(work, 11 * stz_grid_local_sites(grid)));
  if (err == STZ_OK) err = stress_of(kmc, events, spectral, work, stress);
  stz_free(work);
  stz_spectral_destroy(&spectral);
  return err;
}

stz_err stz_kmc_initial_stress(const stz_kmc *kmc, float *stress) {
  if (!stz_glass_quenched(kmc->glass, 0)) return STZ_OK;
  STZ_TRY(stz_stage(stz_grid_comm(stz_glass_grid(kmc->glass)), "computing the initial stress"));
  return find_stress(kmc, false, stress);
}

stz_err stz_kmc_present_stress(const stz_kmc *kmc, float *stress) { return find_stress(kmc, true, stress); }
