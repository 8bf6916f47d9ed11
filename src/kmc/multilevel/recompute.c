// SPDX-License-Identifier: GPL-3.0-or-later
//
// The full recompute: the stress of all sites from the strain of all events, by Fourier transform.
#include <string.h>

#include "base/target.h"
#include "kmc/multilevel/multilevel.h"

typedef struct recomputed {
  const stz_kmc *kmc;
  stz_multilevel *e;
  bool dressed; // strains are multiplied by D
} recomputed;

// The strain of events and of the quench, one component.
static void give_strain(void *context, int c, int64_t first, int64_t end, int row, float *field) {
  const recomputed *r = context;
  const double a = stz_grid_spacing(r->e->grid);
  const float share = (float)(a * a * a / stz_glass_stz(r->kmc->glass)->volume_nm3);
  const float *plastic = stz_glass_plastic(r->kmc->glass, c), *quenched = stz_glass_quenched(r->kmc->glass, c);
  const int *n = r->e->cells;
  for (int64_t i = first; i < end; i++) {
    const float *from = plastic + (size_t)i * (size_t)n[2],
                *more = quenched ? quenched + (size_t)i * (size_t)n[2] : NULL;
    float *to = field + (size_t)i * (size_t)row;
    for (int z = 0; z < n[2]; z++) to[z] = share * from[z];
    for (int z = 0; more && z < n[2]; z++) to[z] += more[z];
    if (r->dressed) stz_contrast_dress_rows(r->kmc->params.contrast, i * n[2], n[2], to);
  }
}

// Into the near stress.
STZ_MULTIVERSION(static void take_rows(const recomputed *r, int c, int64_t first, int64_t end, int row,
                                       const float *field)) {
  const int *n = r->e->cells;
  for (int i = (int)first; i < (int)end; i++) {
    const float *from = field + (size_t)i * (size_t)row;
    for (int z = 0; z < n[2]; z += 8) {
      const int at[3] = {i / n[1], i % n[1], z};
      int32_t *near = stz_ml_row8(r->e, stz_ml_number(r->e, at))->near[c];
#pragma omp simd
      for (int l = 0; l < 8; l++) near[l] = stz_whole(from[z + l] * (1.0f / r->e->split->near_unit));
    }
  }
}

// clang takes no pointer to a function of several versions.
static void take_stress(void *context, int c, int64_t first, int64_t end, int row, const float *field) {
  take_rows(context, c, first, end, row, field);
}

// The exact stress in place of that of the uniform body: over D, which comes in where it is read.
static void make_exact(const recomputed *r) {
  const stz_contrast *contrast = r->kmc->params.contrast;
  const stz_grid *grid = r->e->grid;
  const double scale = stz_contrast_scale(contrast), unit = (double)r->e->split->near_unit;
  stz_kmc_give_exact(r->kmc, true);
  stz_contrast_correct(contrast, stz_contrast_terms(contrast));
  for (int64_t i = 0; i < stz_grid_sites(grid); i++) {
    int at[3];
    stz_grid_coords(grid, i, at);
    const int32_t number = stz_ml_number(r->e, at);
    const double dress = (double)stz_contrast_dress(contrast, i);
    for (int c = 0; c < 5; c++) {
      int32_t *near = &stz_ml_row8(r->e, number)->near[c][number % 8];
      const double whole = scale * unit * (double)*near + stz_contrast_events(contrast, c)[i];
      *near = stz_whole((float)(whole / dress / unit));
    }
  }
}

void stz_ml_recompute(stz_kmc *kmc) {
  stz_multilevel *e = kmc->state;
  const stz_contrast *contrast = kmc->params.contrast;
  const bool exact = stz_contrast_exact(contrast);
  recomputed r = {kmc, e, contrast && !exact};
  stz_ml_settle(kmc);
  if (e->film)
    stz_film_total_stress(e->film, give_strain, take_stress, &r);
  else
    stz_total_stress(e->total, give_strain, take_stress, &r);
  if (exact) make_exact(&r);
  e->stress_at = UINT64_MAX; // it lies in the work space
  stz_far_clear(e->far);
  memset(e->head->uniform, 0, sizeof e->head->uniform);
  e->head->recomputed = e->head->converged = kmc->stats.events;
  kmc->stats.refreshes++;
}
