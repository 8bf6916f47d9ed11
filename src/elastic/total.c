// SPDX-License-Identifier: GPL-3.0-or-later
#include "elastic/total.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "base/target.h"
#include "base/tensor.h"
#include "lattice/transform.h"

// The table holds the operator over the number of sites on the octant of wave numbers, [|kx|][|ky|][pair][kz]. Fields
// become spectra and stresses in place.
struct stz_total {
  int cells[3];
  stz_transform *transform;
  int length, row; // of a row of the table, padded to a multiple of 8, and of a field
  size_t table_bytes, field_size;
  float *table, *field[5];
  float *twice;           // per worker: a row of the table, each number for the real and the imaginary part
  stz_team *team, *inner; // of a small box, components are what the team shares, and `inner` is NULL; else their rows
};

enum { SMALL = 32 * 32 * 32, PARTS = 16 }; // sites of a small box, at most; its rows are so many parts, about
enum { ROWS = 32 };                        // of a part of any other

static int64_t octant_rows(const stz_total *t) { return (int64_t)(t->cells[0] / 2 + 1) * (t->cells[1] / 2 + 1); }

static int64_t field_rows(const stz_total *t) { return (int64_t)t->cells[0] * t->cells[1]; }

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
  t->team = team;
  t->inner = (int64_t)cells[0] * cells[1] * cells[2] > SMALL ? team : NULL;
  memcpy(t->cells, cells, sizeof t->cells);
  t->length = (cells[2] / 2 + 8) / 8 * 8;
  t->row = stz_transform_row(cells);
  t->field_size = ((size_t)cells[0] * (size_t)cells[1] * (size_t)t->row + 15) / 16 * 16; // aligned one after another
  t->table_bytes =
      (size_t)(cells[0] / 2 + 1) * (size_t)(cells[1] / 2 + 1) * STZ_PAIRS * (size_t)t->length * sizeof(float);
  stz_err err = STZ_NEW(t->table, t->table_bytes / sizeof(float));
  if (err == STZ_OK) err = STZ_NEW(t->field[0], 5 * t->field_size);
  if (err == STZ_OK) err = STZ_NEW(t->twice, stz_team_workers(team) * 2 * STZ_PAIRS * t->length);
  if (err == STZ_OK) err = stz_transform_create(t->inner, cells, t->field[0], &t->transform);
  if (err == STZ_OK) {
    err = stz_stage_run(team, 0.0, 1.0, octant_rows(t), 16, fill_rows, &(filling){t, op, context});
  }
  if (err != STZ_OK) {
    stz_total_destroy(&t);
    return err;
  }
  for (int c = 1; c < 5; c++) t->field[c] = t->field[c - 1] + t->field_size;
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
  stz_transform_destroy(&t->transform);
  stz_free(t->table);
  stz_free(t->field[0]);
  stz_free(t->twice);
  stz_free(t);
  *total = NULL;
}

float *stz_total_work(stz_total *total) { return total->field[0]; }

size_t stz_total_table_bytes(const stz_total *total) { return total->table_bytes; }
size_t stz_total_work_bytes(const stz_total *total) { return 5 * total->field_size * sizeof(float); }

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
  const int *n = t->cells, length = t->row;
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
      spectra[c] = t->field[c] + at * (size_t)length;
    }
    multiply(twice, length, g, spectra);
  }
}

typedef struct pass {
  stz_total *t;
  int c;
  stz_total_give *strain;
  stz_total_take *put;
  void *context;
  stz_team_task *task; // on `rows` rows, `piece` of them a part
  int64_t rows, piece;
} pass;

static void give_rows(void *context, int64_t first, int64_t end, int worker) {
  (void)worker;
  const pass *p = context;
  p->strain(p->context, p->c, first, end, p->t->row, p->t->field[p->c]);
}

static void put_rows(void *context, int64_t first, int64_t end, int worker) {
  (void)worker;
  const pass *p = context;
  for (int c = 0; c < 5; c++) p->put(p->context, c, first, end, p->t->row, p->t->field[c]);
}

static void multiply_rows(void *context, int64_t first, int64_t end, int worker) {
  const pass *p = context;
  const int across = p->t->cells[1] / 2 + 1;
  float *twice = p->t->twice + (size_t)worker * 2 * STZ_PAIRS * (size_t)p->t->length;
  for (int i = (int)first; i < (int)end; i++) multiply_images(p->t, i / across, i % across, twice);
}

static void do_parts(void *context, int64_t first, int64_t end, int worker) {
  const pass *p = context;
  const int64_t last = p->piece * end;
  p->task(context, p->piece * first, last < p->rows ? last : p->rows, worker);
}

// A task on all rows, shared by the team.
static void share_rows(pass *p, int64_t rows, stz_team_task *task) {
  const stz_total *t = p->t;
  p->rows = rows;
  p->task = task;
  p->piece = stz_team_parts(rows, PARTS);
  if (t->inner)
    stz_team_run(t->inner, rows, ROWS, task, p);
  else
    stz_team_share(t->team, (int)stz_team_parts(rows, p->piece), do_parts, p);
}

// A task on all components.
static void share_components(pass *p, stz_team_task *task) {
  if (p->t->inner)
    task(p, 0, 5, 0);
  else
    stz_team_share(p->t->team, 5, task, p);
}

static void transform_strain(void *context, int64_t first, int64_t end, int worker) {
  (void)worker;
  pass p = *(const pass *)context;
  for (p.c = (int)first; p.c < (int)end; p.c++) {
    stz_team_run(p.t->inner, field_rows(p.t), ROWS, give_rows, &p);
    stz_transform_forward(p.t->transform, p.t->field[p.c]);
  }
}

static void transform_stress(void *context, int64_t first, int64_t end, int worker) {
  (void)worker;
  const pass *p = context;
  for (int c = (int)first; c < (int)end; c++) stz_transform_inverse(p->t->transform, p->t->field[c]);
}

void stz_total_stress(stz_total *t, stz_total_give *strain, stz_total_take *put, void *context) {
  pass p = {.t = t, .strain = strain, .put = put, .context = context};
  share_components(&p, transform_strain);
  share_rows(&p, octant_rows(t), multiply_rows);
  share_components(&p, transform_stress);
  share_rows(&p, field_rows(t), put_rows);
}
