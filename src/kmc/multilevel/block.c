// SPDX-License-Identifier: GPL-3.0-or-later
//
// The sites of a block: their places, their stress and their rates.
#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/target.h"
#include "kmc/multilevel/multilevel.h"

void stz_ml_block_origin(const stz_multilevel *e, int block, int origin[3]) {
  origin[0] = block / (e->count[1] * e->count[2]) * 8;
  origin[1] = block / e->count[2] % e->count[1] * 8;
  origin[2] = block % e->count[2] * 8;
}

int32_t stz_ml_number(const stz_multilevel *e, const int xyz[3]) {
  const int block = (xyz[0] / 8 * e->count[1] + xyz[1] / 8) * e->count[2] + xyz[2] / 8;
  return STZ_ML_SITES * block + 64 * (xyz[0] % 8) + 8 * (xyz[1] % 8) + xyz[2] % 8;
}

void stz_ml_coordinates(const stz_multilevel *e, int32_t number, int xyz[3]) {
  const int within = number % STZ_ML_SITES;
  stz_ml_block_origin(e, number / STZ_ML_SITES, xyz);
  xyz[0] += within / 64;
  xyz[1] += within / 8 % 8;
  xyz[2] += within % 8;
}

void stz_ml_site_stress(const stz_multilevel *e, int32_t number, float stress[5]) {
  int xyz[3];
  assert(!e->shared.pending); // see stz_ml_settle
  stz_ml_coordinates(e, number, xyz);
  stz_far_site(e->far, xyz, stress);
  for (int c = 0; c < 5; c++) stress[c] += e->split->near_unit * (float)stz_ml_row8(e, number)->near[c][number % 8];
}

void stz_ml_copy_glass(const stz_kmc *kmc, stz_multilevel *e, int block) {
  const float *barrier = stz_glass_barrier(kmc->glass);
  for (int row = 0; row < STZ_BLOCK_PIECES; row++) {
    const int32_t number = STZ_ML_SITES * block + 8 * row;
    memcpy(stz_ml_row8(e, number)->barrier, barrier + stz_ml_local(e, number), 8 * sizeof *barrier);
  }
}

// Returns the largest square of the change of a site's cached stress (eV/nm^3).
STZ_MULTIVERSION(static float gather_block(const float far[5][STZ_ML_SITES], float unit, stz_row8 *rows8,
                                           float s[5][STZ_ML_SITES], float *restrict barrier)) {
  float most[8] = {0};
  for (int row = 0; row < STZ_BLOCK_PIECES; row++) {
    stz_row8 *p = rows8 + row;
    float square[8] = {0};
    for (int c = 0; c < 5; c++) {
      float units[8], before[8];
      stz_from_fixed(p->cached[c], before);
#pragma omp simd
      for (int l = 0; l < 8; l++) {
        const float stress = far[c][8 * row + l] + unit * (float)p->near[c][l];
        s[c][8 * row + l] = stress;
        units[l] = stress * (1.0f / STZ_CACHED);
        square[l] += (units[l] - before[l]) * (units[l] - before[l]);
      }
      stz_to_fixed(units, p->cached[c]);
    }
#pragma omp simd
    for (int l = 0; l < 8; l++) {
      barrier[8 * row + l] = p->barrier[l];
      most[l] = square[l] > most[l] ? square[l] : most[l];
    }
  }
  for (int l = 1; l < 8; l++) most[0] = most[l] > most[0] ? most[l] : most[0];
  return STZ_CACHED * STZ_CACHED * most[0];
}

double stz_ml_block_rates(const stz_kmc *kmc, const stz_multilevel *e, const stz_law *law, int block, stz_ml_room *room,
                          float *moved) {
  int origin[3];
  assert(!e->shared.pending);
  stz_ml_block_origin(e, block, origin);
  stz_far_box(e->far, origin, room->far);
  const float square = gather_block((const float(*)[STZ_ML_SITES])room->far, e->split->near_unit,
                                    e->rows8 + (size_t)block * STZ_BLOCK_PIECES, room->s, room->barrier);
  if (moved) *moved = sqrtf(square);
  if (kmc->params.contrast) stz_ml_load_block(kmc, e, block, room->s);
  const float *const s[5] = {room->s[0], room->s[1], room->s[2], room->s[3], room->s[4]};
  for (int row = 0; row < STZ_BLOCK_PIECES; row++) {
    const uint16_t *rotation = stz_glass_rotation(kmc->glass) + stz_ml_local(e, STZ_ML_SITES * block + 8 * row);
    memcpy(room->rotation + 8 * row, rotation, 8 * sizeof *rotation);
  }
  return stz_rates_sum(law, stz_glass_modes(kmc->glass), STZ_ML_SITES, s, room->barrier, room->rotation, room->rates);
}
