// SPDX-License-Identifier: GPL-3.0-or-later
//
// Looks at the multilevel engine's state, for the rows of the history and for snapshots: nothing here changes it.
#include <string.h>

#include "base/target.h"
#include "kmc/multilevel/multilevel.h"

// The stress of a block's sites, with the uniform part; component c of each row of 8 sites goes to `to` + c stride, at
// the row's place in the grid or, `packed`, in the block.
STZ_MULTIVERSION(static void put_block(const stz_multilevel *e, int block, bool packed, float *to, size_t stride)) {
  for (int row = 0; row < STZ_BLOCK_PIECES; row++) {
    float *at = to + (packed ? 8 * row : stz_ml_local(e, STZ_ML_SITES * block + 8 * row));
    for (size_t c = 0; c < 5; c++) {
      const float *restrict far = e->far_box[c] + 8 * row;
      const int32_t *restrict near = e->pieces[64 * block + row].near[c];
      const float uniform = (float)stz_ml_uniform(e, (int)c), unit = e->split->near_unit;
#pragma omp simd
      for (int l = 0; l < 8; l++) at[c * stride + (size_t)l] = far[l] + unit * (float)near[l] + uniform;
    }
  }
}

static void find_far_box(stz_multilevel *e, int block) {
  int origin[3];
  stz_ml_block_origin(e, block, origin);
  stz_far_box(e->far, origin, e->far_box);
}

const float *stz_ml_stress(const stz_kmc *kmc, int c) {
  stz_multilevel *e = kmc->state;
  for (int b = 0; b < e->blocks && e->stress_at != kmc->stats.events; b++) {
    find_far_box(e, b);
    put_block(e, b, false, e->stress, stz_field_stride(e->grid));
  }
  e->stress_at = kmc->stats.events;
  return e->stress + (size_t)c * stz_field_stride(e->grid);
}

// The same into e->s: from where stz_ml_stress has put it if no event has happened since, with the same bits.
static void pack_block(const stz_kmc *kmc, stz_multilevel *e, int block) {
  if (e->stress_at != kmc->stats.events) {
    find_far_box(e, block);
    put_block(e, block, true, e->s[0], sizeof e->s[0] / sizeof e->s[0][0]);
    return;
  }
  for (int row = 0; row < STZ_BLOCK_PIECES; row++) {
    const float *from = e->stress + stz_ml_local(e, STZ_ML_SITES * block + 8 * row);
    for (size_t c = 0; c < 5; c++) memcpy(e->s[c] + 8 * row, from + c * stz_field_stride(e->grid), 8 * sizeof *from);
  }
}

// Sum of the rates of a block; *axial receives the part of stz_rates_net. Barriers are those of the glass. The engine's
// state is not touched.
static double block_rates(const stz_kmc *kmc, stz_multilevel *e, const stz_law *law, int block, double *axial) {
  pack_block(kmc, e, block);
  for (int row = 0; row < STZ_BLOCK_PIECES; row++) {
    const int64_t at = stz_ml_local(e, STZ_ML_SITES * block + 8 * row);
    memcpy(e->barrier + 8 * row, stz_glass_barrier(kmc->glass) + at, 8 * sizeof *e->barrier);
    memcpy(e->rotation + 8 * row, stz_glass_rotation(kmc->glass) + at, 8 * sizeof *e->rotation);
  }
  const float *const s[5] = {e->s[0], e->s[1], e->s[2], e->s[3], e->s[4]};
  return stz_rates_net(law, stz_glass_modes(kmc->glass), STZ_ML_SITES, s, e->barrier, e->rotation, e->rates, axial);
}

void stz_ml_rates(stz_kmc *kmc, const stz_mean_stress *mean, double *total, double *plastic_rate) {
  stz_multilevel *e = kmc->state;
  const stz_stz_params *stz = stz_glass_stz(kmc->glass);
  double sum = 0.0, axial = 0.0, one;
  stz_law law;
  stz_law_set(&law, stz, stz_glass_modes(kmc->glass), mean->temperature_K, mean->stress);
  if (e->rated_at == kmc->stats.events) (void)stz_ml_stress(kmc, 0); // as long as nothing happens, rows share it
  e->rated_at = kmc->stats.events;
  for (int b = 0; b < e->blocks; b++) {
    sum += block_rates(kmc, e, &law, b, &one);
    axial += one;
  }
  *total = kmc->attempt * sum;
  *plastic_rate = axial * stz->gamma0 * kmc->attempt * stz->volume_nm3 / stz_grid_volume(e->grid);
}

void stz_ml_self_stress(const stz_kmc *kmc, double self[5][5]) {
  const stz_multilevel *e = kmc->state;
  for (int c = 0; c < 5; c++) {
    for (int d = 0; d < 5; d++) self[c][d] = (double)e->split->whole[8 * stz_elastic_pair(c, d)];
  }
}

void stz_ml_stress_of(const stz_kmc *kmc, int64_t local, float stress[5]) {
  const stz_multilevel *e = kmc->state;
  int xyz[3];
  stz_grid_coords(e->grid, local, xyz); // one rank: local is global
  stz_ml_site_stress(e, stz_ml_number(e, xyz), stress);
  for (int c = 0; c < 5; c++) stress[c] += (float)stz_ml_uniform(e, c);
}
