// SPDX-License-Identifier: GPL-3.0-or-later
#include "elastic/film_total.h"

#include <stdbool.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "base/target.h"
#include "elastic/body.h"
#include "elastic/probes.h"

enum {
  THIN = 16, // layers up to which a matrix of all of them is cheaper
  GAP = 8,   // voxels between the repeated bodies
};

// Fields become spectra and stresses in place.
struct stz_film_total {
  stz_team *team;
  int cells[3], half[2];
  stz_convolution *convolution;
  stz_body *body; // NULL: there is none
  stz_probes *probes;
  float *work; // per worker
  size_t work_size;
};

static stz_err start(stz_team *team, const int cells[3], stz_film_total **total) {
  stz_film_total *t = NULL;
  *total = NULL;
  STZ_TRY(STZ_NEW(t, 1));
  *total = t;
  t->team = team;
  memcpy(t->cells, cells, sizeof t->cells);
  for (int axis = 0; axis < 2; axis++) t->half[axis] = cells[axis] / 2 + 1;
  return stz_convolution_create(team, cells, true, &t->convolution);
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
  stz_convolution_destroy(&t->convolution);
  stz_body_destroy(&t->body);
  stz_probes_destroy(&t->probes);
  stz_free(t->work);
  stz_free(t);
  *total = NULL;
}

float *stz_film_total_work(stz_film_total *total) { return stz_convolution_field(total->convolution, 0); }

size_t stz_film_total_table_bytes(const stz_film_total *total) {
  return stz_probes_bytes(total->probes) + (total->body ? stz_body_bytes(total->body) : 0);
}
size_t stz_film_total_work_bytes(const stz_film_total *total) { return stz_convolution_bytes(total->convolution); }

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
  float *field[5];
  for (int c = 0; c < 5; c++) field[c] = stz_convolution_field(t->convolution, c);
  for (int c = 0; c < 5; c++) take_wave(field[c] + at, field[c] + back, nz, in + c * nz, in + (5 + c) * nz);
  if (t->body)
    stz_body_set(t->body, x, y, mirrored, in, rest, out);
  else
    memset(out, 0, column_size(t) * sizeof *out);
  stz_probes_add(t->probes, x, y, mirrored, in, rest, out);
  for (int c = 0; c < 5; c++) put_wave(out + c * nz, out + (5 + c) * nz, nz, field[c] + at, field[c] + back);
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

void stz_film_total_stress(stz_film_total *t, stz_give_rows *strain, stz_take_rows *put, void *context) {
  stz_convolution_run(t->convolution, &(stz_convolution_step){.give = strain,
                                                              .take = put,
                                                              .context = context,
                                                              .change = solve_waves,
                                                              .changing = t,
                                                              .items = (int64_t)t->half[0] * t->half[1]});
}
