// SPDX-License-Identifier: GPL-3.0-or-later
#include "elastic/body.h"

#include <string.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "base/target.h"
#include "base/tensor.h"
#include "elastic/total.h"
#include "lattice/transform.h"

// The table holds the operator on the octant of wave numbers, [|kx|][|ky|][pair][kz].
struct stz_body {
  int cells[3], across, height; // height: of the box
  int length;                   // of a row of the table, padded to a multiple of 8
  float *table;
  size_t bytes;
  float sign[5], mirror[5], plain[5]; // of the components under reflection of z, of x, and of nothing
  stz_lines *lines;                   // all components along z
};

typedef struct filling {
  stz_body *body;
  const stz_elastic *op;
} filling;

static float *row_of(const stz_body *b, int x, int y) {
  return b->table + ((size_t)x * (size_t)b->across + (size_t)y) * STZ_PAIRS * (size_t)b->length;
}

static void fill_rows(void *context, int64_t first, int64_t end, int worker) {
  (void)worker;
  const filling *f = context;
  const stz_body *b = f->body;
  const double scale = 0.5 / ((double)b->cells[0] * b->cells[1] * b->height);
  for (int i = (int)first; i < (int)end; i++) {
    float *row = row_of(b, i / b->across, i % b->across);
    for (int z = 0; z <= b->height / 2; z++) {
      double green[6][6];
      stz_elastic_green(f->op, (const int[3]){i / b->across, i % b->across, z}, green);
      for (int pair = 0; pair < 25; pair++) {
        const int c = pair / 5, d = pair % 5;
        if (c <= d) row[stz_elastic_pair(c, d) * b->length + z] = (float)(scale * green[c][d]);
      }
    }
  }
}

static stz_err plan(stz_body *b) {
  float *spectra = NULL;
  STZ_TRY(STZ_NEW(spectra, 5 * 2 * b->height));
  const stz_err err = stz_lines_create(b->height, 5, spectra, &b->lines);
  stz_free(spectra);
  return err;
}

stz_err stz_body_create(stz_team *team, const int cells[3], int period, const stz_elastic *op, stz_body **body) {
  stz_body *b = NULL;
  *body = NULL;
  STZ_TRY(STZ_NEW(b, 1));
  memcpy(b->cells, cells, sizeof b->cells);
  b->across = cells[1] / 2 + 1;
  b->height = period;
  b->length = (b->height / 2 + 8) / 8 * 8;
  for (int c = 0; c < 5; c++) {
    b->plain[c] = 1.0f;
    b->mirror[c] = (float)stz_dev_parity(c, 0);
    b->sign[c] = (float)stz_dev_parity(c, 2);
  }
  const int rows = (cells[0] / 2 + 1) * b->across;
  const size_t size = (size_t)rows * STZ_PAIRS * (size_t)b->length;
  b->bytes = size * sizeof(float);
  stz_err err = STZ_NEW(b->table, size);
  if (err == STZ_OK) err = plan(b);
  if (err == STZ_OK) err = stz_stage_run(team, 0.0, 1.0, rows, 16, fill_rows, &(filling){b, op});
  if (err != STZ_OK) stz_body_destroy(&b);
  *body = b;
  return err;
}

void stz_body_destroy(stz_body **body) {
  stz_body *b = *body;
  if (!b) return;
  stz_lines_destroy(&b->lines);
  stz_free(b->table);
  stz_free(b);
  *body = NULL;
}

size_t stz_body_bytes(const stz_body *body) { return body->bytes; }

// Spectra of all components, and the operator at all wave numbers along z, for real and imaginary parts.
size_t stz_body_work(const stz_body *body) { return (size_t)(5 + STZ_PAIRS) * 2 * (size_t)body->height; }

// The operator at all kz of a wave: what is odd in z changes sign with kz.
STZ_MULTIVERSION(static void spread_row(const stz_body *b, const float *restrict row, float *restrict all)) {
  const int n = b->height, half = n / 2;
  for (int c = 0; c < 5; c++) {
    for (int d = c; d < 5; d++) {
      const int pair = stz_elastic_pair(c, d);
      const float *k = row + pair * b->length, sign = b->sign[c] * b->sign[d];
      float *to = all + pair * 2 * n, *back = to + 2 * n;
#pragma omp simd
      for (int z = 0; z <= half; z++) to[2 * z] = to[2 * z + 1] = k[z];
#pragma omp simd
      for (int z = 1; z < half; z++) back[-2 * z] = back[1 - 2 * z] = sign * k[z];
    }
  }
}

void stz_body_set(const stz_body *b, int x, int y, bool mirrored, const float *in, float *work, float *out) {
  const int nz = b->cells[2], n = b->height;
  float *spectra[5], *all = work + 5 * 2 * n;
  for (int c = 0; c < 5; c++) {
    const float *re = in + c * nz, *im = in + (5 + c) * nz;
    spectra[c] = work + c * 2 * n;
    for (int z = 0; z < nz; z++) {
      spectra[c][2 * z] = re[z];
      spectra[c][2 * z + 1] = im[z];
    }
    memset(spectra[c] + 2 * nz, 0, (size_t)(2 * (n - nz)) * sizeof(float));
  }
  stz_lines_forward(b->lines, work);
  spread_row(b, row_of(b, x, y), all);
  stz_total_multiply(all, 2 * n, mirrored ? b->mirror : b->plain, spectra);
  stz_lines_inverse(b->lines, work);
  for (int c = 0; c < 5; c++) {
    float *re = out + c * nz, *im = out + (5 + c) * nz;
    for (int z = 0; z < nz; z++) {
      re[z] = spectra[c][2 * z];
      im[z] = spectra[c][2 * z + 1];
    }
  }
}
