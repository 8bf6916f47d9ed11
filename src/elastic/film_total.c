// SPDX-License-Identifier: GPL-3.0-or-later
#include "elastic/film_total.h"

#include <stdbool.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "base/target.h"
#include "elastic/body.h"
#include "elastic/probes.h"
#include "lattice/transform.h"

enum {
  THIN = 16, // layers up to which a matrix of all of them is cheaper
  GAP = 8,   // voxels between the repeated bodies
  ROWS = 32, // at once
};

// Fields become spectra and stresses in place.
struct stz_film_total {
  stz_team *team;
  int cells[3], half[2];
  stz_transform *transform;
  stz_body *body; // NULL: there is none
  stz_probes *probes;
  float *field[5];
  float *work; // per worker
  size_t work_size, field_size;
};

static stz_err start(stz_team *team, const int cells[3], stz_film_total **total) {
  stz_film_total *t = NULL;
  *total = NULL;
  STZ_TRY(STZ_NEW(t, 1));
  *total = t;
  t->team = team;
  memcpy(t->cells, cells, sizeof t->cells);
  for (int axis = 0; axis < 2; axis++) t->half[axis] = cells[axis] / 2 + 1;
  t->field_size = (size_t)cells[0] * (size_t)cells[1] * (size_t)cells[2];
  STZ_TRY(STZ_NEW(t->field[0], 5 * t->field_size));
  for (int c = 1; c < 5; c++) t->field[c] = t->field[c - 1] + t->field_size;
  return stz_transform_create_layers(team, cells, t->field[0], &t->transform);
}

// Numbers of a column of all components.
static size_t column_size(const stz_film_total *t) {
  return (size_t)(2 * 5 * t->cells[2] + STZ_PROBES_ROOM + 15) / 16 * 16;
}

// Once the operators are there.
static stz_err finish(stz_film_total *t) {
  const size_t body = t->body ? stz_body_work(t->body) : 0, probes = stz_probes_work(t->probes);
  t->work_size = (2 * column_size(t) + (body > probes ? body : probes) + 15) / 16 * 16;
  return STZ_NEW(t->work, (size_t)stz_team_workers(t->team) * t->work_size);
}

static stz_err make_operators(const stz_grid *grid, const stz_elastic *elastic, stz_film_total *t) {
  const bool thin = t->cells[2] <= THIN;
  const int period = thin ? 0 : t->cells[2] + GAP;
  stz_grid *box = NULL;
  stz_elastic *op = NULL;
  stz_plate *plate = NULL;
  stz_err err = thin ? STZ_OK : stz_elastic_box(elastic, period, &box, &op);
  if (err == STZ_OK && !thin) err = stz_body_create(t->team, t->cells, period, op, &t->body);
  if (err == STZ_OK) err = stz_elastic_plate(elastic, period, false, &plate);
  if (err == STZ_OK) err = stz_stage(stz_grid_comm(grid), "making the operator of the surfaces");
  if (err == STZ_OK) err = stz_probes_create(t->team, t->cells, plate, stz_grid_spacing(grid), thin, &t->probes);
  stz_plate_destroy(&plate);
  stz_elastic_destroy(&op);
  stz_grid_destroy(&box);
  return err;
}

stz_err stz_film_total_create(const stz_grid *grid, const stz_elastic *elastic, stz_film_total **total) {
  stz_err err = start(stz_grid_team(grid), stz_grid_cells(grid), total);
  if (err == STZ_OK) err = make_operators(grid, elastic, *total);
  if (err == STZ_OK) err = finish(*total);
  if (err != STZ_OK) stz_film_total_destroy(total);
  return err;
}

stz_err stz_film_total_create_of(stz_team *team, const int cells[3], int kept, stz_layer_operator *green, void *context,
                                 stz_film_total **total) {
  stz_err err = start(team, cells, total);
  if (err == STZ_OK) err = stz_probes_create_of(team, cells, kept, green, context, &(*total)->probes);
  if (err == STZ_OK) err = finish(*total);
  if (err != STZ_OK) stz_film_total_destroy(total);
  return err;
}

void stz_film_total_destroy(stz_film_total **total) {
  stz_film_total *t = *total;
  if (!t) return;
  stz_transform_destroy(&t->transform);
  stz_body_destroy(&t->body);
  stz_probes_destroy(&t->probes);
  stz_free(t->field[0]);
  stz_free(t->work);
  stz_free(t);
  *total = NULL;
}

float *stz_film_total_work(stz_film_total *total) { return total->field[0]; }

size_t stz_film_total_table_bytes(const stz_film_total *total) {
  return stz_probes_bytes(total->probes) + (total->body ? stz_body_bytes(total->body) : 0);
}
size_t stz_film_total_work_bytes(const stz_film_total *total) { return 5 * total->field_size * sizeof(float); }

// Two rows of a field's transform, at the wave numbers m and -m, to twice the layers' spectra at m, real and imaginary
// parts: two layers were one complex number.
STZ_MULTIVERSION(static void take_wave(const float *restrict at, const float *restrict back, int nz, float *restrict re,
                                       float *restrict im)) {
#pragma omp simd
  for (int z = 0; z < nz; z += 2) {
    re[z] = at[z] + back[z];
    re[z + 1] = at[z + 1] + back[z + 1];
    im[z] = at[z + 1] - back[z + 1];
    im[z + 1] = back[z] - at[z];
  }
}

// And from spectra to such rows, which may be one.
STZ_MULTIVERSION(static void put_wave(const float *restrict re, const float *restrict im, int nz, float *at,
                                      float *back)) {
#pragma omp simd
  for (int z = 0; z < nz; z += 2) {
    back[z] = re[z] + im[z + 1];
    back[z + 1] = re[z + 1] - im[z];
  }
#pragma omp simd
  for (int z = 0; z < nz; z += 2) {
    at[z] = re[z] - im[z + 1];
    at[z + 1] = re[z + 1] + im[z];
  }
}

// At the wave numbers (+-x, y), and with it at the opposite ones.
static void solve(const stz_film_total *t, int x, int y, bool mirrored, float *work) {
  const int *n = t->cells, nz = n[2], m = mirrored ? n[0] - x : x;
  const size_t at = ((size_t)m * (size_t)n[1] + (size_t)y) * (size_t)nz;
  const size_t back = ((size_t)((n[0] - m) % n[0]) * (size_t)n[1] + (size_t)((n[1] - y) % n[1])) * (size_t)nz;
  float *in = work, *out = work + column_size(t), *rest = out + column_size(t);
  for (int c = 0; c < 5; c++) take_wave(t->field[c] + at, t->field[c] + back, nz, in + c * nz, in + (5 + c) * nz);
  if (t->body)
    stz_body_set(t->body, x, y, mirrored, in, rest, out);
  else
    memset(out, 0, column_size(t) * sizeof *out);
  stz_probes_add(t->probes, x, y, mirrored, in, rest, out);
  for (int c = 0; c < 5; c++) put_wave(out + c * nz, out + (5 + c) * nz, nz, t->field[c] + at, t->field[c] + back);
}

static void solve_waves(void *context, int64_t first, int64_t end, int worker) {
  const stz_film_total *t = context;
  float *work = t->work + (size_t)worker * t->work_size;
  for (int wave = (int)first; wave < (int)end; wave++) {
    const int x = wave / t->half[1], y = wave % t->half[1];
    const bool inner = x > 0 && 2 * x < t->cells[0] && y > 0 && 2 * y < t->cells[1];
    solve(t, x, y, false, work);
    if (inner) solve(t, x, y, true, work); // else it is the opposite one
  }
}

typedef struct pass {
  stz_film_total *t;
  int c;
  stz_total_give *strain;
  stz_total_take *put;
  void *context;
} pass;

static void give_rows(void *context, int64_t first, int64_t end, int worker) {
  (void)worker;
  const pass *p = context;
  p->strain(p->context, p->c, first, end, p->t->cells[2], p->t->field[p->c]);
}

static void put_rows(void *context, int64_t first, int64_t end, int worker) {
  (void)worker;
  const pass *p = context;
  p->put(p->context, p->c, first, end, p->t->cells[2], p->t->field[p->c]);
}

void stz_film_total_stress(stz_film_total *t, stz_total_give *strain, stz_total_take *put, void *context) {
  const int64_t rows = (int64_t)t->cells[0] * t->cells[1];
  pass p = {.t = t, .strain = strain, .put = put, .context = context};
  for (p.c = 0; p.c < 5; p.c++) {
    stz_team_run(t->team, rows, ROWS, give_rows, &p);
    stz_transform_forward(t->transform, t->field[p.c]);
  }
  stz_team_run(t->team, t->half[0] * t->half[1], ROWS, solve_waves, t);
  for (p.c = 0; p.c < 5; p.c++) {
    stz_transform_inverse(t->transform, t->field[p.c]);
    stz_team_run(t->team, rows, ROWS, put_rows, &p);
  }
}
