// SPDX-License-Identifier: GPL-3.0-or-later
#include "elastic/film.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/comm.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/target.h"
#include "base/units.h"
#include "elastic/quadrant.h"
#include "lattice/transform.h"

enum { ENTRIES = 25 }; // of a 5 x 5 matrix

struct stz_film {
  const stz_grid *grid;
  stz_plate *plate;
  int cells[3], half[2]; // half: n/2 + 1 along x and y
};

stz_err stz_film_create(const stz_grid *grid, const stz_plate_params *params, stz_film **film) {
  stz_film *f = NULL;
  *film = NULL;
  STZ_TRY(STZ_NEW(f, 1));
  f->grid = grid;
  memcpy(f->cells, params->cells, sizeof f->cells);
  for (int axis = 0; axis < 2; axis++) f->half[axis] = f->cells[axis] / 2 + 1;
  const stz_err err = stz_plate_create(params, &f->plate);
  if (err != STZ_OK) stz_film_destroy(&f);
  *film = f;
  return err;
}

void stz_film_destroy(stz_film **film) {
  if (!*film) return;
  stz_plate_destroy(&(*film)->plate);
  stz_free(*film);
  *film = NULL;
}

// Numbers of the table at one offset.
static size_t offset_size(const stz_film *f) { return (size_t)f->cells[2] * (size_t)f->cells[2] * ENTRIES; }

// --- the table ---

typedef struct filling {
  const stz_film *film;
  float *table;
  double (*green)[6][5]; // per worker, of all pairs of layers
  double *work, *line;
  size_t work_size, line_size;
} filling;

enum { CHUNK = 512 }; // numbers that are transformed at once

// The operator at wave numbers (x, y) of the quadrant; inner waves stand for their mirror images too.
static void fill_waves(void *context, int64_t first, int64_t end, int worker) {
  const filling *t = context;
  const stz_film *f = t->film;
  const int layers = f->cells[2];
  double(*green)[6][5] = t->green + (size_t)worker * (size_t)layers * (size_t)layers;
  for (int64_t wave = first; wave < end; wave++) {
    const int m[2] = {(int)wave / f->half[1], (int)wave % f->half[1]};
    const double share = stz_quadrant_weight(f->cells, m);
    stz_plate_green(f->plate, m[0], m[1], NULL, layers, t->work + (size_t)worker * t->work_size, green);
    float *to = t->table + (size_t)wave * offset_size(f);
    for (int from = 0; from < layers; from++) {
      for (int entry = 0; entry < ENTRIES; entry++) {
        const int c = entry / 5, d = entry % 5;
        const double scale = share * stz_quadrant_sign(c, d);
        for (int z = 0; z < layers; z++) *to++ = (float)(scale * green[z * layers + from][c][d]);
      }
    }
  }
}

// Transforms `count` lines of the table along an axis, numbers `stride` apart, those of pairs of components with a sine
// where they are odd. `place` is the first number's place at its offset.
static void transform_line(const filling *t, int axis, float *line, size_t stride, size_t place, int count,
                           double *sums) {
  const stz_film *f = t->film;
  const int half = f->half[axis], n = f->cells[axis];
  memset(sums, 0, (size_t)half * CHUNK * sizeof *sums);
  for (int i = 0; i < count;) {
    const size_t row = (place + (size_t)i) / (size_t)f->cells[2];
    const int entry = (int)(row % ENTRIES), left = (int)((row + 1) * (size_t)f->cells[2] - place) - i;
    const int odd = stz_odd_pair(entry / 5, entry % 5, axis), last = i + left < count ? i + left : count;
    for (int x = 0; x < half; x++) {
      for (int m = 0; m < half; m++) {
        const double angle = 2.0 * STZ_PI * (m * x % n) / n, wave = odd ? sin(angle) : cos(angle);
        for (int j = i; j < last; j++) sums[x * CHUNK + j] += wave * (double)line[(size_t)m * stride + (size_t)j];
      }
    }
    i = last;
  }
  for (int x = 0; x < half; x++) {
    for (int j = 0; j < count; j++) line[(size_t)x * stride + (size_t)j] = (float)sums[x * CHUNK + j];
  }
}

// Lines along y of the planes x = first to end - 1, or along x of the rows y.
static void transform_along(const filling *t, int axis, int64_t first, int64_t end, int worker) {
  const size_t size = offset_size(t->film), across = (size_t)t->film->half[1];
  const size_t start = axis == 1 ? across * size : size, stride = axis == 1 ? size : across * size;
  for (int64_t line = first; line < end; line++) {
    for (size_t place = 0; place < size; place += CHUNK) {
      const int count = size - place < CHUNK ? (int)(size - place) : CHUNK;
      transform_line(t, axis, t->table + (size_t)line * start + place, stride, place, count,
                     t->line + (size_t)worker * t->line_size);
    }
  }
}
static void transform_y(void *context, int64_t first, int64_t end, int worker) {
  transform_along(context, 1, first, end, worker);
}
static void transform_x(void *context, int64_t first, int64_t end, int worker) {
  transform_along(context, 0, first, end, worker);
}

stz_err stz_film_fill(const stz_film *film, float *table) {
  stz_team *team = stz_grid_team(film->grid);
  const int workers = stz_team_workers(team), layers = film->cells[2];
  filling t = {.film = film, .table = table, .work_size = stz_plate_work(film->plate)};
  t.line_size = (size_t)CHUNK * (size_t)(film->half[0] > film->half[1] ? film->half[0] : film->half[1]);
  stz_err err = STZ_NEW(t.green, workers * layers * layers);
  if (err == STZ_OK) err = STZ_NEW(t.work, (size_t)workers * t.work_size);
  if (err == STZ_OK) err = STZ_NEW(t.line, (size_t)workers * t.line_size);
  if (err == STZ_OK) err = stz_stage_run(team, 0.0, 0.8, film->half[0] * film->half[1], 1, fill_waves, &t);
  if (err == STZ_OK) err = stz_stage_run(team, 0.8, 0.9, film->half[0], 1, transform_y, &t);
  if (err == STZ_OK) err = stz_stage_run(team, 0.9, 1.0, film->half[1], 1, transform_x, &t);
  stz_free(t.green);
  stz_free(t.work);
  stz_free(t.line);
  return err;
}

STZ_MULTIVERSION(static void add_entries(const float *restrict k, int layers, const float e[5], float sign,
                                         float *restrict to)) {
  const float e0 = sign * e[0], e1 = sign * e[1], e2 = sign * e[2], e3 = sign * e[3], e4 = sign * e[4];
  const float *restrict k1 = k + layers, *restrict k2 = k + 2 * layers, *restrict k3 = k + 3 * layers,
                        *restrict k4 = k + 4 * layers;
#pragma omp simd
  for (int z = 0; z < layers; z++) {
    const float part = __builtin_fmaf(e2, k2[z], __builtin_fmaf(e3, k3[z], e4 * k4[z]));
    to[z] += __builtin_fmaf(e0, k[z], __builtin_fmaf(e1, k1[z], part));
  }
}

void stz_film_add_row(const stz_film *film, const float *table, int dx, int dy, int layer, const float e[5],
                      float *const stress[5], int at) {
  const int layers = film->cells[2];
  const size_t offset = (size_t)abs(dx) * (size_t)film->half[1] + (size_t)abs(dy);
  const float *rows = table + offset * offset_size(film) + (size_t)layer * ENTRIES * (size_t)layers;
  float mirrored[5], sign[5];
  for (int c = 0; c < 5; c++) {
    sign[c] = ((dx < 0 && stz_odd(c, 0)) ^ (dy < 0 && stz_odd(c, 1))) ? -1.0f : 1.0f;
    mirrored[c] = sign[c] * e[c];
  }
  for (int c = 0; c < 5; c++) add_entries(rows + c * 5 * layers, layers, mirrored, sign[c], stress[c] + at);
}

// --- the stress of a field ---

// Every rank has all of it. Spectra of layers, [component][layer][x][y <= ny/2], from transforms of each in its plane.
typedef struct solving {
  const stz_film *film;
  stz_transform *transform;
  float *plane;
  float complex *spectra;
  size_t waves;          // of a layer: nx (ny/2 + 1)
  double (*green)[6][5]; // per worker
  double *work;
} solving;

static stz_err open_solving(const stz_film *f, solving *s) {
  const int workers = stz_team_workers(stz_grid_team(f->grid)), cells[3] = {f->cells[0], 1, f->cells[1]};
  *s = (solving){.film = f, .waves = (size_t)f->cells[0] * (size_t)f->half[1]};
  STZ_TRY(STZ_NEW(s->plane, 2 * s->waves));
  STZ_TRY(STZ_NEW(s->spectra, 6 * s->waves * (size_t)f->cells[2]));
  STZ_TRY(STZ_NEW(s->green, workers * f->cells[2] * f->cells[2]));
  STZ_TRY(STZ_NEW(s->work, (size_t)workers * stz_plate_work(f->plate)));
  return stz_transform_create(NULL, cells, s->plane, &s->transform);
}

static void close_solving(solving *s) {
  stz_transform_destroy(&s->transform);
  stz_free(s->plane);
  stz_free(s->spectra);
  stz_free(s->green);
  stz_free(s->work);
}

static float complex *layer_of(const solving *s, int c, int z) {
  return s->spectra + (size_t)(c * s->film->cells[2] + z) * s->waves;
}

// One component of all ranks, to spectra.
static stz_err take_strain(const solving *s, int c, const double *mine, double *all) {
  const stz_film *f = s->film;
  const int nx = f->cells[0], ny = f->cells[1], nz = f->cells[2], row = 2 * f->half[1];
  const size_t plane = (size_t)ny * (size_t)nz;
  memcpy(all + (size_t)stz_grid_first_plane(f->grid) * plane, mine,
         (size_t)stz_grid_local_sites(f->grid) * sizeof *mine);
  stz_grid_gather_planes(f->grid, all, (int)plane);
  for (int z = 0; z < nz; z++) {
    for (int i = 0; i < nx * ny; i++) {
      s->plane[(size_t)(i / ny) * (size_t)row + (size_t)(i % ny)] = (float)all[(size_t)i * (size_t)nz + (size_t)z];
    }
    stz_transform_forward(s->transform, s->plane);
    memcpy(layer_of(s, c, z), s->plane, s->waves * sizeof(float complex));
  }
  return STZ_OK;
}

// The layers at wave numbers (+-x, y) of the spectra, in place; `column` is room for 5 components of all layers.
static void multiply_wave(const solving *s, double (*green)[6][5], int x, int y, bool mirrored,
                          double complex *column) {
  const stz_film *f = s->film;
  const int nz = f->cells[2], at = (mirrored ? f->cells[0] - x : x) * f->half[1] + y;
  const bool nyquist[2] = {2 * x == f->cells[0], 2 * y == f->cells[1]};
  for (int i = 0; i < 5 * nz; i++) column[i] = (double complex)layer_of(s, i / nz, i % nz)[at];
  for (int i = 0; i < 6 * nz; i++) {
    const int c = i / nz, z = i % nz;
    double complex sum = 0.0;
    for (int d = 0; d < 5; d++) {
      static const double complex factors[3] = {-I, 1.0, I};
      const double complex factor = factors[1 + stz_odd(c, 2) - stz_odd(d, 2)];
      if ((nyquist[0] && stz_odd_pair(c, d, 0)) || (nyquist[1] && stz_odd_pair(c, d, 1))) continue;
      double complex part = 0.0;
      for (int from = 0; from < nz; from++) part += green[z * nz + from][c][d] * column[d * nz + from];
      sum += (mirrored && stz_odd_pair(c, d, 0) ? -factor : factor) * part;
    }
    layer_of(s, c, z)[at] = (float complex)sum;
  }
}

static void multiply_waves(void *context, int64_t first, int64_t end, int worker) {
  const solving *s = context;
  const stz_film *f = s->film;
  const size_t layers = (size_t)f->cells[2];
  double(*green)[6][5] = s->green + (size_t)worker * layers * layers;
  double *work = s->work + (size_t)worker * stz_plate_work(f->plate);
  for (int64_t wave = first; wave < end; wave++) {
    const int x = (int)wave / f->half[1], y = (int)wave % f->half[1];
    stz_plate_green(f->plate, x, y, NULL, f->cells[2], work, green);
    double complex *column = (double complex *)work; // which has room for more, and is free now
    multiply_wave(s, green, x, y, false, column);
    if (x > 0 && 2 * x < f->cells[0]) multiply_wave(s, green, x, y, true, column);
  }
}

static void put_stress(const solving *s, int c, double *mine) {
  const stz_film *f = s->film;
  const int ny = f->cells[1], nz = f->cells[2], row = 2 * f->half[1], first = stz_grid_first_plane(f->grid);
  const double waves = (double)f->cells[0] * ny;
  for (int z = 0; z < nz; z++) {
    memcpy(s->plane, layer_of(s, c, z), s->waves * sizeof(float complex));
    stz_transform_inverse(s->transform, s->plane);
    for (int i = 0; i < stz_grid_planes(f->grid) * ny; i++) {
      const float *from = s->plane + (size_t)(first + i / ny) * (size_t)row;
      mine[(size_t)i * (size_t)nz + (size_t)z] = (double)from[i % ny] / waves;
    }
  }
}

stz_err stz_film_stress(const stz_film *film, const double *const strain[5], double *const stress[6]) {
  solving s;
  double *all = NULL;
  stz_err err = open_solving(film, &s);
  if (err == STZ_OK) err = STZ_NEW(all, stz_grid_sites(film->grid));
  err = stz_agree(stz_grid_comm(film->grid), err);
  for (int c = 0; c < 5 && err == STZ_OK; c++) err = take_strain(&s, c, strain[c], all);
  if (err == STZ_OK) {
    const int waves = film->half[0] * film->half[1];
    err = stz_agree(stz_grid_comm(film->grid),
                    stz_stage_run(stz_grid_team(film->grid), 0.0, 1.0, waves, 1, multiply_waves, &s));
  }
  for (int c = 0; c < 6 && err == STZ_OK; c++) put_stress(&s, c, stress[c]);
  close_solving(&s);
  stz_free(all);
  return err;
}
