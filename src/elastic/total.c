// SPDX-License-Identifier: GPL-3.0-or-later
#include "elastic/total.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/target.h"
#include "base/tensor.h"

// The table holds the operator on the octant of wave numbers, [|ky|][kz][pair][|kx|], in single precision; spectra are
// kept as real and imaginary parts, in single precision too, and multiplied in place.
struct stz_total {
  const stz_grid *grid;
  stz_spectral *spectral;
  int length; // of a row of the table, padded to a multiple of 8
  size_t table_bytes, modes;
  float *table, *real[5], *imaginary[5];
  double *field;
  double complex *spectrum;
};

static float *table_row(const stz_total *t, int y, int z) {
  const size_t half = (size_t)stz_grid_cells(t->grid)[2] / 2 + 1;
  return t->table + ((size_t)y * half + (size_t)z) * STZ_PAIRS * (size_t)t->length;
}

static void fill_table(const stz_elastic *elastic, stz_total *t) {
  const int *cells = stz_grid_cells(t->grid);
  for (int y = 0; y <= cells[1] / 2; y++) {
    for (int z = 0; z <= cells[2] / 2; z++) {
      float *row = table_row(t, y, z);
      for (int x = 0; x <= cells[0] / 2; x++) {
        double green[6][6];
        stz_elastic_green(elastic, (const int[3]){x, y, z}, green);
        for (int c = 0; c < 5; c++) {
          for (int d = c; d < 5; d++) row[stz_elastic_pair(c, d) * t->length + x] = (float)green[c][d];
        }
      }
    }
  }
}

stz_err stz_total_create(const stz_grid *grid, const stz_elastic *elastic, stz_total **total) {
  stz_total *t = NULL;
  const int *cells = stz_grid_cells(grid);
  *total = NULL;
  STZ_TRY(STZ_NEW(t, 1));
  t->grid = grid;
  t->length = (cells[0] / 2 + 8) / 8 * 8;
  t->table_bytes =
      (size_t)(cells[1] / 2 + 1) * (size_t)(cells[2] / 2 + 1) * STZ_PAIRS * (size_t)t->length * sizeof(float);
  stz_err err = stz_spectral_create(grid, &t->spectral);
  if (err == STZ_OK) {
    t->modes = stz_spectral_modes(t->spectral);
    err = STZ_NEW(t->table, t->table_bytes / sizeof(float));
  }
  for (int c = 0; c < 5 && err == STZ_OK; c++) err = STZ_NEW(t->real[c], t->modes);
  for (int c = 0; c < 5 && err == STZ_OK; c++) err = STZ_NEW(t->imaginary[c], t->modes);
  if (err == STZ_OK) err = STZ_NEW(t->field, stz_grid_sites(grid));
  if (err == STZ_OK) err = STZ_NEW(t->spectrum, t->modes);
  if (err != STZ_OK) {
    stz_total_destroy(&t);
    return err;
  }
  fill_table(elastic, t);
  *total = t;
  return STZ_OK;
}

void stz_total_destroy(stz_total **total) {
  stz_total *t = *total;
  if (!t) return;
  stz_spectral_destroy(&t->spectral);
  stz_free(t->table);
  for (int c = 0; c < 5; c++) stz_free(t->real[c]);
  for (int c = 0; c < 5; c++) stz_free(t->imaginary[c]);
  stz_free(t->field);
  stz_free(t->spectrum);
  stz_free(t);
  *total = NULL;
}

size_t stz_total_table_bytes(const stz_total *total) { return total->table_bytes; }

size_t stz_total_work_bytes(const stz_total *total) {
  return total->modes * (sizeof *total->spectrum + 10 * sizeof(float)) +
         (size_t)stz_grid_sites(total->grid) * sizeof *total->field;
}

// Multiplies the part of a line of spectra that begins at `s` by the table's row read forwards (step 1) or backwards.
// g: signs of the components under the reflections that bring the wave numbers into the octant.
static inline __attribute__((always_inline)) void multiply(const float *restrict k, int length, int step,
                                                           const float g[5], int n, float *const s[5]) {
  const float g0 = g[0], g1 = g[1], g2 = g[2];
  float *restrict s0 = s[0], *restrict s1 = s[1], *restrict s2 = s[2], *restrict s3 = s[3], *restrict s4 = s[4];
#define K(pair) k[(pair)*length + step * x]
#define F(a, b, sum) __builtin_fmaf(a, b, sum)
#pragma omp simd
  for (int x = 0; x < n; x++) {
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

STZ_MULTIVERSION
static void multiply_line(const float *row, int length, int nx, bool y_mirrored, float *const part[5], size_t at) {
  float g[2][5], *begin[5], *rest[5];
  for (int c = 0; c < 5; c++) {
    g[0][c] = y_mirrored ? (float)stz_dev_parity(c, 1) : 1.0f;
    g[1][c] = g[0][c] * (float)stz_dev_parity(c, 0);
    begin[c] = part[c] + at;
    rest[c] = begin[c] + nx / 2 + 1;
  }
  multiply(row, length, 1, g[0], nx / 2 + 1, begin);
  multiply(row + nx - (nx / 2 + 1), length, -1, g[1], nx - (nx / 2 + 1), rest);
}

void stz_total_stress(stz_total *t, void (*strain)(void *context, int c, double *field),
                      void (*put)(void *context, int c, const double *field), void *context) {
  const int nx = stz_grid_cells(t->grid)[0];
  for (int c = 0; c < 5; c++) {
    strain(context, c, t->field);
    stz_spectral_forward(t->spectral, t->field, t->spectrum);
    for (size_t i = 0; i < t->modes; i++) {
      t->real[c][i] = (float)creal(t->spectrum[i]);
      t->imaginary[c][i] = (float)cimag(t->spectrum[i]);
    }
  }
  for (size_t at = 0; at < t->modes; at += (size_t)nx) {
    int m[3];
    stz_spectral_wave(t->spectral, at, m);
    const float *row = table_row(t, abs(m[1]), m[2]);
    multiply_line(row, t->length, nx, m[1] < 0, t->real, at);
    multiply_line(row, t->length, nx, m[1] < 0, t->imaginary, at);
  }
  for (int c = 0; c < 5; c++) {
    for (size_t i = 0; i < t->modes; i++) t->spectrum[i] = (double)t->real[c][i] + (double)t->imaginary[c][i] * I;
    stz_spectral_inverse(t->spectral, t->spectrum, t->field);
    put(context, c, t->field);
  }
}
