// SPDX-License-Identifier: GPL-3.0-or-later
#include "elastic/surface.h"

#include <math.h>
#include <string.h>

#include "base/complex.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/target.h"
#include "base/tensor.h"
#include "base/units.h"
#include "elastic/plate.h"
#include "lattice/transform.h"

enum { PROBES = 4, SLICE = 8 }; // SLICE: layers that are transformed at once

struct stz_surface {
  stz_team *team;
  stz_plate *plate;
  int cells[3], half[2];
  double spacing;
  int begin, end;        // layers before and from which on each stands for itself
  int *layers;           // these, then the probes
  int kept;              // their number
  int used;              // layers that have sources and stresses
  bool probed;           // else every layer stands for itself
  int size, line;        // of the matrix: 5 kept, and its padded line
  size_t waves, row;     // of a layer's spectrum; numbers of a row of it
  float *matrix;         // [wave of the quadrant][5 kept][line], symmetric
  float *shares;         // [wave of the quadrant][layer][probe]: what the probes tell of a layer
  float complex *column; // spectra, [wave][component][layer]
  float *field;          // a component of all sites
  float *planes;         // per worker: SLICE layers
  float *vectors;        // per worker: of the matrix, strain and stress, real and imaginary parts
  stz_transform *transform;
  size_t bytes;
};

// Chooses the layers that stand for themselves, and the probes.
static void choose_layers(stz_surface *s) {
  const int nz = s->cells[2];
  while (s->begin < nz && stz_plate_near(s->plate, s->begin)) s->begin++;
  s->end = nz - s->begin;
  s->probed = s->end - s->begin >= 2 * PROBES;
  if (!s->probed) s->begin = s->end = nz;
  for (int z = 0; z < nz; z++) {
    if (z < s->begin || z >= s->end) s->layers[s->kept++] = z;
  }
  const int probes[PROBES] = {s->begin, s->begin + 2, s->end - 3, s->end - 1};
  for (int i = 0; i < PROBES && s->probed; i++) s->layers[s->kept++] = probes[i];
}

// The four functions at the depth z, of the order of one at the outer probes.
static void functions_at(const stz_surface *s, double k, int z, double f[PROBES]) {
  const double below = k * s->spacing * (z - s->begin), above = k * s->spacing * (s->end - 1 - z);
  f[0] = exp(-below);
  f[1] = below * f[0];
  f[2] = exp(-above);
  f[3] = above * f[2];
}

// b = a^-1 by Gauss and Jordan with pivots; a is lost.
static void invert(double a[PROBES][PROBES], double b[PROBES][PROBES]) {
  memset(b, 0, PROBES * PROBES * sizeof(double));
  for (int i = 0; i < PROBES; i++) b[i][i] = 1.0;
  for (int i = 0; i < PROBES; i++) {
    int pivot = i;
    for (int j = i + 1; j < PROBES; j++) pivot = fabs(a[j][i]) > fabs(a[pivot][i]) ? j : pivot;
    const double scale = 1.0 / a[pivot][i];
    for (int c = 0; c < PROBES; c++) {
      const double va = a[pivot][c] * scale, vb = b[pivot][c] * scale;
      a[pivot][c] = a[i][c];
      b[pivot][c] = b[i][c];
      a[i][c] = va;
      b[i][c] = vb;
    }
    for (int j = 0; j < PROBES; j++) {
      const double factor = j == i ? 0.0 : a[j][i];
      for (int c = 0; c < PROBES; c++) {
        a[j][c] -= factor * a[i][c];
        b[j][c] -= factor * b[i][c];
      }
    }
  }
}

// What the probes tell of the layers at the wave number k: at k = 0 all are alike.
static void fill_shares(const stz_surface *s, double k, float *shares) {
  double at[PROBES][PROBES], inverse[PROBES][PROBES], f[PROBES];
  const int *probes = s->layers + s->kept - PROBES;
  if (k > 0.0) {
    for (int p = 0; p < PROBES; p++) functions_at(s, k, probes[p], at[p]);
    invert(at, inverse);
  }
  for (int z = s->begin; z < s->end; z++) {
    functions_at(s, k, z, f);
    for (int p = 0; p < PROBES; p++) {
      double sum = k > 0.0 ? 0.0 : p == 0;
      for (int i = 0; i < PROBES && k > 0.0; i++) sum += f[i] * inverse[i][p];
      shares[z * PROBES + p] = (float)sum;
    }
  }
}

typedef struct filling {
  stz_surface *s;
  stz_surface_source *source;
  void *context;
  stz_plate_pairs *pairs;
  double (*green)[6][5], *work; // per worker
  size_t work_size;
} filling;

// The matrix of one wave of the quadrant; components that are odd there at a Nyquist wave number have none.
static void fill_matrix(const stz_surface *s, const int m[2], double (*green)[6][5], float *matrix) {
  const double scale = 1.0 / ((double)s->cells[0] * s->cells[1]);
  for (int i = 0; i < s->size; i++) {
    for (int j = 0; j < s->size; j++) {
      const int c = i % 5, d = j % 5;
      bool none = false;
      for (int axis = 0; axis < 2; axis++) {
        none |= 2 * m[axis] == s->cells[axis] && stz_dev_parity(c, axis) != stz_dev_parity(d, axis);
      }
      matrix[i * s->line + j] = none ? 0.0f : (float)(scale * green[i / 5 * s->kept + j / 5][c][d]);
    }
  }
}

// Of the plate, in the layers that count.
static void plate_source(void *context, const int m[2], int worker, double (*green)[6][5]) {
  const filling *f = context;
  stz_plate_pairs_green(f->pairs, m[0], m[1], f->work + (size_t)worker * f->work_size, green);
}

static void fill_waves(void *context, int64_t first, int64_t end, int worker) {
  const filling *f = context;
  const stz_surface *s = f->s;
  double(*green)[6][5] = f->green + (size_t)worker * (size_t)(s->kept * s->kept);
  for (int64_t wave = first; wave < end; wave++) {
    const int m[2] = {(int)wave / s->half[1], (int)wave % s->half[1]};
    f->source(f->context, m, worker, green);
    fill_matrix(s, m, green, s->matrix + (size_t)wave * (size_t)(s->size * s->line));
    if (!s->probed) continue;
    const double unit = 2.0 * STZ_PI / s->spacing, k = hypot((double)m[0] / s->cells[0], (double)m[1] / s->cells[1]);
    fill_shares(s, unit * k, s->shares + (size_t)wave * PROBES * (size_t)s->cells[2]);
  }
}

static stz_err fill(stz_surface *s, stz_surface_source *source, void *context) {
  const int workers = stz_team_workers(s->team);
  filling f = {.s = s, .source = source, .context = context, .work_size = s->plate ? stz_plate_work(s->plate) : 1};
  stz_err err = STZ_OK;
  if (!source) {
    f.source = plate_source;
    f.context = &f;
    err = stz_plate_pairs_create(s->plate, s->team, s->layers, s->kept, -1, &f.pairs);
  }
  if (err == STZ_OK) err = STZ_NEW(f.green, workers * s->kept * s->kept);
  if (err == STZ_OK) err = STZ_NEW(f.work, (size_t)workers * f.work_size);
  if (err == STZ_OK) err = stz_stage_run(s->team, 0.0, 1.0, s->half[0] * s->half[1], 1, fill_waves, &f);
  stz_plate_pairs_destroy(&f.pairs);
  stz_free(f.green);
  stz_free(f.work);
  return err;
}

static stz_err take_memory(stz_surface *s) {
  const int workers = stz_team_workers(s->team), *n = s->cells;
  const size_t quadrant = (size_t)s->half[0] * (size_t)s->half[1], layers = (size_t)n[2];
  const size_t sizes[] = {quadrant * (size_t)(s->size * s->line),
                          s->probed ? quadrant * PROBES * layers : 1,
                          10 * s->waves * layers,
                          (size_t)n[0] * (size_t)n[1] * layers,
                          (size_t)workers * SLICE * (size_t)n[0] * s->row,
                          (size_t)workers * 4 * (size_t)s->line};
  float *spectra = NULL, **parts[] = {&s->matrix, &s->shares, &spectra, &s->field, &s->planes, &s->vectors};
  stz_err err = STZ_OK;
  for (int i = 0; i < 6 && err == STZ_OK; i++) {
    err = STZ_NEW(*parts[i], sizes[i]);
    s->bytes += sizes[i] * sizeof(float);
  }
  s->column = (float complex *)spectra;
  return err;
}

static stz_err start(stz_team *team, const int cells[3], stz_surface **surface) {
  stz_surface *s = NULL;
  STZ_TRY(STZ_NEW(s, 1));
  *surface = s;
  s->team = team;
  memcpy(s->cells, cells, sizeof s->cells);
  for (int axis = 0; axis < 2; axis++) s->half[axis] = s->cells[axis] / 2 + 1;
  s->row = 2 * (size_t)s->half[1];
  s->waves = (size_t)s->cells[0] * (size_t)s->half[1];
  return STZ_NEW(s->layers, s->cells[2] + PROBES);
}

// Once the layers are chosen.
static stz_err finish(stz_surface *s, stz_surface_source *source, void *context) {
  const int plane[3] = {s->cells[0], 1, s->cells[1]};
  s->size = 5 * s->kept;
  s->line = (s->size + 15) / 16 * 16;
  STZ_TRY(take_memory(s));
  STZ_TRY(stz_transform_create(NULL, plane, s->planes, &s->transform));
  return fill(s, source, context);
}

stz_err stz_surface_create(const stz_grid *grid, const stz_elastic *elastic, int period, stz_surface **surface) {
  *surface = NULL;
  stz_err err = start(stz_grid_team(grid), stz_grid_cells(grid), surface);
  stz_surface *s = *surface;
  if (err == STZ_OK) err = stz_elastic_plate(elastic, period, false, &s->plate);
  if (err == STZ_OK) {
    s->spacing = stz_grid_spacing(grid);
    s->used = s->cells[2];
    choose_layers(s);
    err = finish(s, NULL, NULL);
  }
  if (err != STZ_OK) stz_surface_destroy(surface);
  return err;
}

stz_err stz_surface_create_of(stz_team *team, const int cells[3], int kept, stz_surface_source *green, void *context,
                              stz_surface **surface) {
  *surface = NULL;
  stz_err err = start(team, cells, surface);
  stz_surface *s = *surface;
  if (err == STZ_OK) {
    s->begin = s->end = cells[2];
    s->kept = s->used = kept;
    for (int z = 0; z < kept; z++) s->layers[z] = z;
    err = finish(s, green, context);
  }
  if (err != STZ_OK) stz_surface_destroy(surface);
  return err;
}

void stz_surface_destroy(stz_surface **surface) {
  stz_surface *s = *surface;
  if (!s) return;
  stz_transform_destroy(&s->transform);
  stz_plate_destroy(&s->plate);
  stz_free(s->layers);
  stz_free(s->matrix);
  stz_free(s->shares);
  stz_free(s->column);
  stz_free(s->field);
  stz_free(s->planes);
  stz_free(s->vectors);
  stz_free(s);
  *surface = NULL;
}

size_t stz_surface_bytes(const stz_surface *surface) { return surface->bytes; }

typedef struct pass {
  stz_surface *s;
  int c;
} pass;

// In use, of those of a slice.
static size_t layers_of(const stz_surface *s, int64_t slice) {
  const int left = s->used - (int)slice * SLICE;
  return (size_t)(left < SLICE ? left : SLICE);
}

// One component of SLICE layers after the other, to spectra.
static void transform_layers(void *context, int64_t first, int64_t end, int worker) {
  const pass *p = context;
  const stz_surface *s = p->s;
  const size_t plane = (size_t)s->cells[0] * s->row, nz = (size_t)s->cells[2], ny = (size_t)s->cells[1];
  float *planes = s->planes + (size_t)worker * SLICE * plane;
  for (int64_t slice = first; slice < end; slice++) {
    const size_t layers = layers_of(s, slice);
    const float *from = s->field + (size_t)slice * SLICE;
    for (size_t i = 0; i < (size_t)s->cells[0] * ny; i++) {
      for (size_t l = 0; l < layers; l++) planes[l * plane + i / ny * s->row + i % ny] = from[i * nz + l];
    }
    for (size_t l = 0; l < layers; l++) stz_transform_forward(s->transform, planes + l * plane);
    float complex *to = s->column + (size_t)p->c * nz + (size_t)slice * SLICE;
    for (size_t wave = 0; wave < s->waves; wave++) {
      for (size_t l = 0; l < layers; l++) {
        const float *spectrum = planes + l * plane + 2 * wave;
        to[wave * 5 * nz + l] = stz_complexf(spectrum[0], spectrum[1]);
      }
    }
  }
}

static void restore_layers(void *context, int64_t first, int64_t end, int worker) {
  const pass *p = context;
  const stz_surface *s = p->s;
  const size_t plane = (size_t)s->cells[0] * s->row, nz = (size_t)s->cells[2], ny = (size_t)s->cells[1];
  float *planes = s->planes + (size_t)worker * SLICE * plane;
  for (int64_t slice = first; slice < end; slice++) {
    const size_t layers = layers_of(s, slice);
    const float complex *from = s->column + (size_t)p->c * nz + (size_t)slice * SLICE;
    for (size_t wave = 0; wave < s->waves; wave++) {
      for (size_t l = 0; l < layers; l++) {
        planes[l * plane + 2 * wave] = crealf(from[wave * 5 * nz + l]);
        planes[l * plane + 2 * wave + 1] = cimagf(from[wave * 5 * nz + l]);
      }
    }
    for (size_t l = 0; l < layers; l++) stz_transform_inverse(s->transform, planes + l * plane);
    float *to = s->field + (size_t)slice * SLICE;
    for (size_t i = 0; i < (size_t)s->cells[0] * ny; i++) {
      for (size_t l = 0; l < layers; l++) to[i * nz + l] = planes[l * plane + i / ny * s->row + i % ny];
    }
  }
}

// i to the power 0 or 1, or -i, times x.
static float complex turned(float complex x, int turns) {
  return turns == 0 ? x : turns > 0 ? stz_complexf(-cimagf(x), crealf(x)) : stz_complexf(cimagf(x), -crealf(x));
}

// What the layers and the probes receive, [real or imaginary][5 kept]. Components that are odd in z have a factor -i,
// those odd in x the sign of the wave number.
static void collect(const stz_surface *s, const float *shares, bool mirrored, const float complex *column, float *to) {
  const int nz = s->cells[2], own = s->probed ? s->kept - PROBES : s->kept;
  for (int c = 0; c < 5; c++) {
    const int turns = stz_dev_parity(c, 2) < 0 ? -1 : 0;
    const float sign = mirrored ? (float)stz_dev_parity(c, 0) : 1.0f;
    float complex sums[PROBES] = {0};
    for (int z = s->begin; z < s->end; z++) {
      for (int p = 0; p < PROBES; p++) sums[p] += shares[z * PROBES + p] * column[c * nz + z];
    }
    for (int i = 0; i < s->kept; i++) {
      const float complex x = sign * turned(i < own ? column[c * nz + s->layers[i]] : sums[i - own], turns);
      to[5 * i + c] = crealf(x);
      to[s->line + 5 * i + c] = cimagf(x);
    }
  }
}

static void spread(const stz_surface *s, const float *shares, bool mirrored, const float *from, float complex *column) {
  const int nz = s->cells[2], own = s->probed ? s->kept - PROBES : s->kept;
  for (int c = 0; c < 5; c++) {
    const int turns = stz_dev_parity(c, 2) < 0 ? 1 : 0;
    const float sign = mirrored ? (float)stz_dev_parity(c, 0) : 1.0f;
    float complex told[PROBES] = {0};
    for (int i = 0; i < s->kept; i++) {
      const float complex x = sign * turned(stz_complexf(from[5 * i + c], from[s->line + 5 * i + c]), turns);
      *(i < own ? &column[c * nz + s->layers[i]] : &told[i - own]) = x;
    }
    for (int z = s->begin; z < s->end; z++) {
      float complex sum = 0.0f;
      for (int p = 0; p < PROBES; p++) sum += shares[z * PROBES + p] * told[p];
      column[c * nz + z] = sum;
    }
  }
}

STZ_MULTIVERSION(static void multiply(const float *restrict matrix, int size, int line, const float *restrict in,
                                      float *restrict out)) {
  memset(out, 0, 2 * (size_t)line * sizeof *out);
  for (int j = 0; j < size; j++) {
    const float re = in[j], im = in[line + j];
#pragma omp simd
    for (int i = 0; i < line; i++) {
      out[i] = __builtin_fmaf(matrix[j * line + i], re, out[i]);
      out[line + i] = __builtin_fmaf(matrix[j * line + i], im, out[line + i]);
    }
  }
}

static void multiply_waves(void *context, int64_t first, int64_t end, int worker) {
  const stz_surface *s = context;
  float *in = s->vectors + (size_t)worker * 4 * (size_t)s->line, *out = in + 2 * s->line;
  for (int64_t wave = first; wave < end; wave++) {
    const int x = (int)wave / s->half[1], y = (int)wave % s->half[1];
    const float *shares = s->shares + (s->probed ? (size_t)wave * PROBES * (size_t)s->cells[2] : 0);
    for (int image = 0; image < (x > 0 && 2 * x < s->cells[0] ? 2 : 1); image++) {
      const size_t at = (size_t)(image ? s->cells[0] - x : x) * (size_t)s->half[1] + (size_t)y;
      float complex *column = s->column + at * 5 * (size_t)s->cells[2];
      collect(s, shares, image != 0, column, in);
      multiply(s->matrix + (size_t)wave * (size_t)(s->size * s->line), s->size, s->line, in, out);
      spread(s, shares, image != 0, out, column);
    }
  }
}

void stz_surface_stress(stz_surface *s, stz_total_give *strain, stz_total_take *add, void *context) {
  const int64_t rows = (int64_t)s->cells[0] * s->cells[1];
  pass p = {.s = s};
  for (p.c = 0; p.c < 5; p.c++) {
    strain(context, p.c, 0, rows, s->cells[2], s->field);
    stz_team_run(s->team, s->cells[2] / SLICE, 1, transform_layers, &p);
  }
  stz_team_run(s->team, s->half[0] * s->half[1], 16, multiply_waves, s);
  for (p.c = 0; p.c < 5; p.c++) {
    stz_team_run(s->team, s->cells[2] / SLICE, 1, restore_layers, &p);
    add(context, p.c, 0, rows, s->cells[2], s->field);
  }
}
