// SPDX-License-Identifier: GPL-3.0-or-later
#include "elastic/total.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "base/target.h"
#include "base/tensor.h"

// The table holds the operator over the number of sites on the octant of wave numbers, [|kx|][|ky|][pair][kz]. Fields
// become spectra and stresses in place.
struct stz_total {
  int cells[3];
  stz_convolution *convolution;
  int length; // of a row of the table, padded to a multiple of 8
  size_t table_bytes;
  float *table;
  float *twice; // per worker: a row of the table, each number for the real and the imaginary part
};

static int64_t octant_rows(const stz_total *t) { return (int64_t)(t->cells[0] / 2 + 1) * (t->cells[1] / 2 + 1); }

static float *table_row(const stz_total *t, int x, int y) {
  const size_t across = (size_t)t->cells[1] / 2 + 1;
  return t->table + ((size_t)x * across + (size_t)y) * STZ_PAIRS * (size_t)t->length;
}

typedef struct filling {
  stz_total *t;
  stz_operator *op;
  const void *context;
} filling;

static void fill_rows(void *context, int64_t first, int64_t end, int worker) {
  (void)worker;
  const filling *f = context;
  const stz_total *t = f->t;
  const int *cells = t->cells, across = cells[1] / 2 + 1;
  const double sites = (double)cells[0] * cells[1] * cells[2];
  for (int i = (int)first; i < (int)end; i++) {
    float *row = table_row(t, i / across, i % across);
    for (int z = 0; z <= cells[2] / 2; z++) {
      double green[6][6];
      f->op(f->context, (const int[3]){i / across, i % across, z}, green);
      for (int c = 0; c < 5; c++) {
        for (int d = c; d < 5; d++) row[stz_elastic_pair(c, d) * t->length + z] = (float)(green[c][d] / sites);
      }
    }
  }
}

stz_err stz_total_create_of(stz_team *team, const int cells[3], stz_operator *op, const void *context,
                            stz_total **total) {
  stz_total *t = NULL;
  *total = NULL;
  STZ_TRY(STZ_NEW(t, 1));
  memcpy(t->cells, cells, sizeof t->cells);
  t->length = (cells[2] / 2 + 8) / 8 * 8;
  t->table_bytes =
      (size_t)(cells[0] / 2 + 1) * (size_t)(cells[1] / 2 + 1) * STZ_PAIRS * (size_t)t->length * sizeof(float);
  stz_err err = STZ_NEW(t->table, t->table_bytes / sizeof(float));
  if (err == STZ_OK) err = STZ_NEW(t->twice, stz_team_workers(team) * 2 * STZ_PAIRS * t->length);
  if (err == STZ_OK) err = stz_convolution_create(team, cells, false, &t->convolution);
  if (err == STZ_OK) {
    err = stz_stage_run(team, 0.0, 1.0, octant_rows(t), 16, fill_rows, &(filling){t, op, context});
  }
  if (err != STZ_OK) {
    stz_total_destroy(&t);
    return err;
  }
  *total = t;
  return STZ_OK;
}

static void elastic_operator(const void *context, const int m[3], double green[6][6]) {
  stz_elastic_green(context, m, green);
}

stz_err stz_total_create(const stz_grid *grid, const stz_elastic *elastic, stz_total **total) {
  return stz_total_create_of(stz_grid_team(grid), stz_grid_cells(grid), elastic_operator, elastic, total);
}

void stz_total_destroy(stz_total **total) {
  stz_total *t = *total;
  if (!t) return;
  stz_convolution_destroy(&t->convolution);
  stz_free(t->table);
  stz_free(t->twice);
  stz_free(t);
  *total = NULL;
}

float *stz_total_work(stz_total *total) { return stz_convolution_field(total->convolution, 0); }

size_t stz_total_table_bytes(const stz_total *total) { return total->table_bytes; }
size_t stz_total_work_bytes(const stz_total *total) { return stz_convolution_bytes(total->convolution); }

static inline __attribute__((always_inline)) void multiply(const float *restrict k, int length, const float g[5],
                                                           float *const s[5]) {
  const float g0 = g[0], g1 = g[1], g2 = g[2];
  float *restrict s0 = s[0], *restrict s1 = s[1], *restrict s2 = s[2], *restrict s3 = s[3], *restrict s4 = s[4];
#define K(pair) k[(pair)*length + x]
#define F(a, b, sum) __builtin_fmaf(a, b, sum)
#pragma omp simd
  for (int x = 0; x < length; x++) {
    const float k00 = K(0), k01 = K(1), k02 = K(2), k03 = K(3), k04 = K(4), k11 = K(5), k12 = K(6), k13 = K(7),
                k14 = K(8), k22 = K(9), k23 = K(10), k24 = K(11), k33 = K(12), k34 = K(13), k44 = K(14);
    const float e0 = g0 * s0[x], e1 = g1 * s1[x], e2 = g2 * s2[x], e3 = s3[x], e4 = s4[x];
    s0[x] = g0 * F(k00, e0, F(k01, e1, F(k02, e2, F(k03, e3, k04 * e4))));
    s1[x] = g1 * F(k01, e0, F(k11, e1, F(k12, e2, F(k13, e3, k14 * e4))));
    s2[x] = g2 * F(k02, e0, F(k12, e1, F(k22, e2, F(k23, e3, k24 * e4))));
    s3[x] = F(k03, e0, F(k13, e1, F(k23, e2, F(k33, e3, k34 * e4))));
    s4[x] = F(k04, e0, F(k14, e1, F(k24, e2, F(k34, e3, k44 * e4))));
  }
#undef K
#undef F
}

STZ_MULTIVERSION(void stz_total_multiply(const float *k, int length, const float g[5], float *const s[5])) {
  multiply(k, length, g, s);
}

// The rows of spectra at (+-x, +-y): those that differ.
STZ_MULTIVERSION(static void multiply_images(const stz_total *t, int x, int y, float *twice)) {
  const int *n = t->cells, length = stz_convolution_row(t->convolution);
  const float *row = table_row(t, x, y);
  for (int pair = 0; pair < STZ_PAIRS; pair++) {
    for (int i = 0; i < length; i++) twice[pair * length + i] = row[pair * t->length + i / 2];
  }
  for (int image = 0; image < 4; image++) {
    const bool mirrored[2] = {image / 2 != 0, image % 2 != 0};
    if ((mirrored[0] && (x == 0 || 2 * x == n[0])) || (mirrored[1] && (y == 0 || 2 * y == n[1]))) continue;
    const size_t at = (size_t)(mirrored[0] ? n[0] - x : x) * (size_t)n[1] + (size_t)(mirrored[1] ? n[1] - y : y);
    float g[5], *spectra[5];
    for (int c = 0; c < 5; c++) {
      g[c] = (mirrored[0] ? (float)stz_dev_parity(c, 0) : 1.0f) * (mirrored[1] ? (float)stz_dev_parity(c, 1) : 1.0f);
      spectra[c] = stz_convolution_field(t->convolution, c) + at * (size_t)length;
    }
    multiply(twice, length, g, spectra);
  }
}

static void multiply_rows(void *context, int64_t first, int64_t end, int worker) {
  const stz_total *t = context;
  const int across = t->cells[1] / 2 + 1;
  float *twice = t->twice + (size_t)worker * 2 * STZ_PAIRS * (size_t)t->length;
  for (int i = (int)first; i < (int)end; i++) multiply_images(t, i / across, i % across, twice);
}

void stz_total_stress(stz_total *t, stz_give_rows *strain, stz_take_rows *put, void *context) {
  stz_convolution_run(t->convolution, &(stz_convolution_step){.give = strain,
                                                              .take = put,
                                                              .context = context,
                                                              .change = multiply_rows,
                                                              .changing = t,
                                                              .items = octant_rows(t)});
}
