// SPDX-License-Identifier: GPL-3.0-or-later
#include "elastic/far.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/target.h"
#include "base/tensor.h"
#include "base/units.h"

enum { WINDOW = STZ_LEVEL_WINDOW, BEFORE = 8, BEYOND = 24, GRIDS = STZ_LEVELS + 1 };

// Nodes of one spacing: rows along z, [x][y][c][z]. An event adds 16 numbers that may run on beyond the last node:
// these belong to the first nodes and are added to them when they are read. Zeros before and behind let any reading run
// on.
typedef struct nodes {
  int spacing, count[3], row; // row: BEFORE + count + BEYOND numbers
  float *value;
  const float (*spline)[4];
} nodes;

// The part that is convolved: what events have put on the nodes, and the kernel between nodes.
typedef struct coarse {
  stz_grid *grid;
  stz_spectral *spectral;
  double *source; // [c][x][y][z]
  double *kernel; // [pair][mode]
  double *real;
  double complex *spectrum;
  float spline[STZ_COARSE][4];
} coarse;

struct stz_far {
  const stz_split *split;
  int grids;
  nodes grid[GRIDS];
  coarse coarse;
  size_t bytes;
  char *state;
  float *nowhere; // takes rows that are not there
};

static size_t values(const nodes *n) { return (size_t)n->count[0] * (size_t)n->count[1] * 5 * (size_t)n->row; }

static float *row_of(const nodes *n, int x, int y) {
  return n->value + ((size_t)x * (size_t)n->count[1] + (size_t)y) * 5 * (size_t)n->row + BEFORE;
}

static size_t coarse_sites(const nodes *n) { return (size_t)n->count[0] * (size_t)n->count[1] * (size_t)n->count[2]; }

static void set_nodes(const int cells[3], int spacing, const float (*spline)[4], nodes *n) {
  *n = (nodes){.spacing = spacing, .spline = spline};
  for (int axis = 0; axis < 3; axis++) n->count[axis] = cells[axis] / spacing;
  n->row = (BEFORE + n->count[2] + BEYOND + 7) / 8 * 8;
}

// The kernel between coarse nodes: the bare operator times the last window, with the splines' filter at both ends.
static void fill_coarse_kernel(const stz_split *split, const stz_elastic *elastic, coarse *k) {
  const double a = stz_grid_spacing(split->grid);
  const double variance = cbrt(stz_elastic_volume(elastic) * stz_elastic_volume(elastic)) / (2.0 * STZ_PI * a * a);
  const size_t modes = stz_spectral_modes(k->spectral);
  const int *count = stz_grid_cells(k->grid);
  for (size_t i = 0; i < modes; i++) {
    int m[3];
    double green[6][6], k2 = 0.0, weight = 1.0 / ((double)STZ_COARSE * STZ_COARSE * STZ_COARSE);
    stz_spectral_wave(k->spectral, i, m);
    for (int axis = 0; axis < 3; axis++) {
      const double wave = 2.0 * STZ_PI * m[axis] / split->cells[axis], filter = stz_split_prefilter(STZ_COARSE, wave);
      k2 += wave * wave;
      weight *= filter * filter;
    }
    weight *= stz_split_window(STZ_LEVELS + 1, variance, sqrt(k2));
    stz_elastic_bare(elastic, m, green);
    for (int c = 0; c < 5; c++) {
      for (int d = c; d < 5; d++) {
        bool odd = false; // at a Nyquist wave number of the nodes
        for (int axis = 0; axis < 3; axis++) {
          odd |= 2 * abs(m[axis]) == count[axis] && stz_dev_parity(c, axis) * stz_dev_parity(d, axis) < 0;
        }
        k->kernel[(size_t)stz_elastic_pair(c, d) * modes + i] = odd ? 0.0 : weight * green[c][d];
      }
    }
  }
}

static stz_err make_coarse(const stz_split *split, const stz_elastic *elastic, const nodes *n, coarse *k) {
  const stz_lattice_params params = {.cells = {n->count[0], n->count[1], n->count[2]},
                                     .spacing_nm = STZ_COARSE * stz_grid_spacing(split->grid)};
  STZ_TRY(stz_grid_create(MPI_COMM_SELF, &params, &k->grid));
  STZ_TRY(stz_spectral_create(k->grid, &k->spectral));
  const size_t modes = stz_spectral_modes(k->spectral);
  STZ_TRY(STZ_NEW(k->kernel, STZ_PAIRS * modes));
  STZ_TRY(STZ_NEW(k->real, coarse_sites(n)));
  STZ_TRY(STZ_NEW(k->spectrum, 5 * modes));
  for (int r = 0; r < STZ_COARSE; r++) stz_split_spline(STZ_COARSE, r, k->spline[r]);
  fill_coarse_kernel(split, elastic, k);
  return STZ_OK;
}

stz_err stz_far_create(const stz_split *split, const stz_elastic *elastic, stz_far **far) {
  stz_far *f = NULL;
  *far = NULL;
  STZ_TRY(STZ_NEW(f, 1));
  f->split = split;
  f->grids = split->levels + split->coarse;
  for (int g = 0; g < split->levels; g++) {
    set_nodes(split->cells, split->level[g].spacing, split->level[g].spline, &f->grid[g]);
    f->bytes += values(&f->grid[g]) * sizeof(float);
  }
  stz_err err = STZ_OK;
  nodes *last = &f->grid[STZ_LEVELS];
  if (split->coarse) {
    set_nodes(split->cells, STZ_COARSE, (const float(*)[4])f->coarse.spline, last);
    f->bytes += values(last) * sizeof(float) + 5 * coarse_sites(last) * sizeof(double);
    err = make_coarse(split, elastic, last, &f->coarse);
  }
  if (err == STZ_OK) err = STZ_NEW(f->state, f->bytes);
  if (err == STZ_OK) err = STZ_NEW(f->nowhere, 5 * f->grid[0].row);
  if (err != STZ_OK) {
    stz_far_destroy(&f);
    return err;
  }
  char *at = f->state;
  if (split->coarse) {
    f->coarse.source = (double *)(void *)at;
    at += 5 * coarse_sites(last) * sizeof(double);
  }
  for (int g = 0; g < f->grids; g++) {
    f->grid[g].value = (float *)(void *)at;
    at += values(&f->grid[g]) * sizeof(float);
  }
  *far = f;
  return STZ_OK;
}

void stz_far_destroy(stz_far **far) {
  stz_far *f = *far;
  if (!f) return;
  stz_spectral_destroy(&f->coarse.spectral);
  stz_grid_destroy(&f->coarse.grid);
  stz_free(f->coarse.kernel);
  stz_free(f->coarse.real);
  stz_free(f->coarse.spectrum);
  stz_free(f->state);
  stz_free(f->nowhere);
  stz_free(f);
  *far = NULL;
}

void stz_far_clear(stz_far *far) { memset(far->state, 0, far->bytes); }

void *stz_far_state(stz_far *far, size_t *bytes) {
  *bytes = far->bytes;
  return far->state;
}

static int wrap(int x, int n) { return x < 0 ? x + n : x >= n ? x - n : x; }

// --- adding events ---

// The nodes of an axis about an event that lie at one distance: their distance and their numbers, above and below (-1:
// none).
typedef struct pair {
  int distance, above, below;
} pair;

static int pairs_of(const stz_level *level, const nodes *n, int axis, int origin, pair pairs[WINDOW]) {
  int count = 0;
  const int first = origin / level->spacing - 7;
  for (int i = 0; i < WINDOW; i++) {
    int d, p = 0;
    if (!stz_level_offset(level, axis, origin % level->spacing, i, &d)) break;
    while (p < count && pairs[p].distance != abs(d)) p++;
    if (p == count) pairs[count++] = (pair){abs(d), -1, -1};
    *(d < 0 ? &pairs[p].below : &pairs[p].above) = wrap(first + i, n->count[axis]);
  }
  return count;
}

// A number of a table (split.h).
static inline __attribute__((always_inline)) float of_half(uint16_t half) {
  const uint32_t bits = (uint32_t)half << 16;
  float f;
  memcpy(&f, &bits, sizeof f);
  return f;
}

#define K(p) of_half(k[(p)*WINDOW + z])
#define F(x, y, sum) __builtin_fmaf(x, y, sum)
#define LOAD_PAIRS                                                                                                     \
  const float k00 = K(0), k01 = K(1), k02 = K(2), k03 = K(3), k04 = K(4), k11 = K(5), k12 = K(6), k13 = K(7),          \
              k14 = K(8), k22 = K(9), k23 = K(10), k24 = K(11), k33 = K(12), k34 = K(13), k44 = K(14)

// Adds one row of a table times the strain to the nodes at `to`, rows of the components `row` apart. g: signs of the
// components under the reflections that bring the row into the octant.
static inline __attribute__((always_inline)) void add_row(const uint16_t *restrict k, const float e[5],
                                                          const float g[3], int row, float *restrict to) {
  const float e0 = g[0] * e[0], e1 = g[1] * e[1], e2 = g[2] * e[2], e3 = e[3], e4 = e[4];
  const float g0 = g[0], g1 = g[1], g2 = g[2];
  float *restrict o0 = to, *restrict o1 = to + row, *restrict o2 = to + 2 * row, *restrict o3 = to + 3 * row,
                  *restrict o4 = to + 4 * row;
#pragma omp simd
  for (int z = 0; z < WINDOW; z++) {
    LOAD_PAIRS;
    o0[z] += g0 * F(k00, e0, F(k01, e1, F(k02, e2, F(k03, e3, k04 * e4))));
    o1[z] += g1 * F(k01, e0, F(k11, e1, F(k12, e2, F(k13, e3, k14 * e4))));
    o2[z] += g2 * F(k02, e0, F(k12, e1, F(k22, e2, F(k23, e3, k24 * e4))));
    o3[z] += F(k03, e0, F(k13, e1, F(k23, e2, F(k33, e3, k34 * e4))));
    o4[z] += F(k04, e0, F(k14, e1, F(k24, e2, F(k34, e3, k44 * e4))));
  }
}

// The same for the four images of a row at once, (+x,+y), (-x,-y), (+x,-y), (-x,+y): see near.c.
static inline __attribute__((always_inline)) void add_images(const uint16_t *restrict k, const float e[5], int row,
                                                             float *const to[4]) {
  const float e0 = e[0], e1 = e[1], e2 = e[2], e3 = e[3], e4 = e[4];
#define COMPONENT(c, of0, of1, of2, of34, mm, pm, mp)                                                                  \
  do {                                                                                                                 \
    float *restrict pp_row = to[0] + (c)*row, *restrict mm_row = to[1] + (c)*row, *restrict pm_row = to[2] + (c)*row,  \
                    *restrict mp_row = to[3] + (c)*row;                                                                \
    _Pragma("omp simd") for (int z = 0; z < WINDOW; z++) {                                                             \
      const float t0 = (of0), t1 = (of1), t2 = (of2), t3 = (of34);                                                     \
      const float even = t3 + t0, odd = t1 + t2, cross = t3 - t0, skew = t2 - t1;                                      \
      pp_row[z] += even + odd;                                                                                         \
      mm_row[z] += (mm) * (even - odd);                                                                                \
      pm_row[z] += (pm) * (cross + skew);                                                                              \
      mp_row[z] += (mp) * (cross - skew);                                                                              \
    }                                                                                                                  \
  } while (0)
  COMPONENT(0, K(0) * e0, K(1) * e1, K(2) * e2, F(K(3), e3, K(4) * e4), 1.0f, -1.0f, -1.0f);
  COMPONENT(1, K(1) * e0, K(5) * e1, K(6) * e2, F(K(7), e3, K(8) * e4), -1.0f, -1.0f, 1.0f);
  COMPONENT(2, K(2) * e0, K(6) * e1, K(9) * e2, F(K(10), e3, K(11) * e4), -1.0f, 1.0f, -1.0f);
  COMPONENT(3, K(3) * e0, K(7) * e1, K(10) * e2, F(K(12), e3, K(13) * e4), 1.0f, 1.0f, 1.0f);
  COMPONENT(4, K(4) * e0, K(8) * e1, K(11) * e2, F(K(13), e3, K(14) * e4), 1.0f, 1.0f, 1.0f);
#undef COMPONENT
}
#undef K
#undef F
#undef LOAD_PAIRS

// A row of a table and the rows of nodes that its images go to.
typedef struct deposit {
  const uint16_t *row;
  float *to[2][2]; // [x < 0][y < 0]
  int there;       // how many of them there are
} deposit;

static int deposits_of(const stz_level *level, const nodes *n, const int origin[3], float *nowhere,
                       deposit deposits[WINDOW * WINDOW]) {
  pair px[WINDOW], py[WINDOW];
  const int h = level->spacing, z = wrap(origin[2] / h - 7, n->count[2]);
  const int nx = pairs_of(level, n, 0, origin[0], px), ny = pairs_of(level, n, 1, origin[1], py);
  int count = 0;
  for (int i = 0; i < nx; i++) {
    for (int j = 0; j < ny; j++) {
      const int dx = px[i].distance, dy = py[j].distance, x[2] = {px[i].above, px[i].below},
                y[2] = {py[j].above, py[j].below};
      if (dx * dx + dy * dy > level->range2) continue;
      const size_t at = ((size_t)dx * (size_t)(level->reach[1] + 1) + (size_t)dy) * (size_t)h + (size_t)(origin[2] % h);
      deposit *d = &deposits[count++];
      d->row = level->rows + at * STZ_PAIRS * WINDOW;
      d->there = 0;
      for (int image = 0; image < 4; image++) {
        const int sx = image / 2, sy = image % 2;
        d->to[sx][sy] = x[sx] >= 0 && y[sy] >= 0 ? row_of(n, x[sx], y[sy]) + z : nowhere;
        d->there += d->to[sx][sy] != nowhere;
      }
    }
  }
  return count;
}

static inline __attribute__((always_inline)) void prefetch(const deposit *d, int row, const float *nowhere) {
  for (int line = 0; line < STZ_PAIRS * WINDOW; line += 32) __builtin_prefetch(d->row + line);
  for (int image = 0; image < 4; image++) {
    float *to = d->to[image / 2][image % 2];
    if (to == nowhere) continue;
    for (int c = 0; c < 5; c++) {
      __builtin_prefetch(to + c * row, 1);
      __builtin_prefetch(to + c * row + WINDOW - 1, 1);
    }
  }
}

STZ_MULTIVERSION
static void add_to_level(const stz_level *level, const nodes *n, const int origin[3], const float e[5],
                         float *nowhere) {
  enum { AHEAD = 3 };
  static const float sign[2][2][3] = {{{1, 1, 1}, {-1, -1, 1}}, {{-1, 1, -1}, {1, -1, -1}}}; // [x < 0][y < 0]
  deposit deposits[WINDOW * WINDOW];
  const int count = deposits_of(level, n, origin, nowhere, deposits);
  for (int i = 0; i < AHEAD; i++) prefetch(&deposits[i], n->row, nowhere);
  for (int i = 0; i < count; i++) {
    const deposit *d = &deposits[i];
    if (i + AHEAD < count) prefetch(d + AHEAD, n->row, nowhere);
    if (d->there > 2) {
      add_images(d->row, e, n->row, (float *const[4]){d->to[0][0], d->to[1][1], d->to[0][1], d->to[1][0]});
      continue;
    }
    for (int image = 0; image < 4; image++) {
      const int sx = image / 2, sy = image % 2;
      if (d->to[sx][sy] != nowhere) add_row(d->row, e, sign[sx][sy], n->row, d->to[sx][sy]);
    }
  }
}

// Spreads the event over the 64 coarse nodes about it.
static void add_to_coarse(const coarse *k, const nodes *n, const int origin[3], const float e[5]) {
  const int h = STZ_COARSE;
  const float *wx = k->spline[origin[0] % h], *wy = k->spline[origin[1] % h], *wz = k->spline[origin[2] % h];
  for (int i = 0; i < 64; i++) {
    const int a = i / 16, b = i / 4 % 4, c = i % 4;
    const int x = wrap(origin[0] / h - 1 + a, n->count[0]), y = wrap(origin[1] / h - 1 + b, n->count[1]),
              z = wrap(origin[2] / h - 1 + c, n->count[2]);
    const double weight = (double)wx[a] * (double)wy[b] * (double)wz[c];
    double *to = k->source + ((size_t)x * (size_t)n->count[1] + (size_t)y) * (size_t)n->count[2] + (size_t)z;
    for (size_t d = 0; d < 5; d++) to[d * coarse_sites(n)] += weight * (double)e[d];
  }
}

void stz_far_add(stz_far *far, const int origin[3], const float e[5]) {
  for (int l = 0; l < far->split->levels; l++) {
    add_to_level(&far->split->level[l], &far->grid[l], origin, e, far->nowhere);
  }
  if (far->split->coarse) add_to_coarse(&far->coarse, &far->grid[STZ_LEVELS], origin, e);
}

void stz_far_converge(stz_far *far) {
  if (!far->split->coarse) return;
  const nodes *n = &far->grid[STZ_LEVELS];
  coarse *k = &far->coarse;
  const size_t modes = stz_spectral_modes(k->spectral), sites = coarse_sites(n);
  for (size_t c = 0; c < 5; c++) stz_spectral_forward(k->spectral, k->source + c * sites, k->spectrum + c * modes);
  for (size_t i = 0; i < modes; i++) {
    double complex in[5];
    for (size_t d = 0; d < 5; d++) in[d] = k->spectrum[d * modes + i];
    for (int c = 0; c < 5; c++) {
      double complex sum = 0.0;
      for (int d = 0; d < 5; d++) sum += k->kernel[(size_t)stz_elastic_pair(c, d) * modes + i] * in[d];
      k->spectrum[(size_t)c * modes + i] = sum;
    }
  }
  for (int c = 0; c < 5; c++) {
    stz_spectral_inverse(k->spectral, k->spectrum + (size_t)c * modes, k->real);
    for (int x = 0; x < n->count[0]; x++) {
      for (int y = 0; y < n->count[1]; y++) {
        const double *from = k->real + ((size_t)x * (size_t)n->count[1] + (size_t)y) * (size_t)n->count[2];
        float *to = row_of(n, x, y) + c * n->row;
        for (int z = 0; z < n->count[2]; z++) to[z] = (float)from[z];
      }
    }
  }
}

// --- evaluation ---

typedef float four __attribute__((vector_size(16), aligned(4), may_alias));

// Which parts of a row make up the nodes from z on: what events have carried beyond the last node belongs to the first.
typedef struct images {
  int shift[2], count;
} images;

static images images_of(const nodes *n, int z, int length) {
  images i = {.count = 0};
  if (z < WINDOW) i.shift[i.count++] = n->count[2];
  if (z + length > n->count[2]) i.shift[i.count++] = -n->count[2];
  return i;
}

STZ_MULTIVERSION
static void add_site(const nodes *n, const int site[3], float stress[5]) {
  const int h = n->spacing, z = wrap(site[2] / h - 1, n->count[2]), row = n->row;
  const float *wx = n->spline[site[0] % h], *wy = n->spline[site[1] % h], *wz = n->spline[site[2] % h];
  const images more = images_of(n, z, 4);
  four s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0}, s4 = {0};
  for (int i = 0; i < 4; i++) {
    const int x = wrap(site[0] / h - 1 + i, n->count[0]);
    for (int j = 0; j < 4; j++) {
      const float w = wx[i] * wy[j], *at = row_of(n, x, wrap(site[1] / h - 1 + j, n->count[1])) + z;
      s0 += w * *(const four *)at;
      s1 += w * *(const four *)(at + row);
      s2 += w * *(const four *)(at + 2 * row);
      s3 += w * *(const four *)(at + 3 * row);
      s4 += w * *(const four *)(at + 4 * row);
      for (int image = 0; image < more.count; image++) {
        const float *from = at + more.shift[image];
        s0 += w * *(const four *)from;
        s1 += w * *(const four *)(from + row);
        s2 += w * *(const four *)(from + 2 * row);
        s3 += w * *(const four *)(from + 3 * row);
        s4 += w * *(const four *)(from + 4 * row);
      }
    }
  }
  const four weight = *(const four *)wz;
#define SUM(s) ((s)[0] * weight[0] + (s)[1] * weight[1]) + ((s)[2] * weight[2] + (s)[3] * weight[3])
  stress[0] += SUM(s0);
  stress[1] += SUM(s1);
  stress[2] += SUM(s2);
  stress[3] += SUM(s3);
  stress[4] += SUM(s4);
#undef SUM
}

void stz_far_site(const stz_far *far, const int site[3], float stress[5]) {
  for (int c = 0; c < 5; c++) stress[c] = 0.0f;
  for (int l = 0; l < far->split->levels; l++) add_site(&far->grid[l], site, stress);
  if (far->split->coarse) add_site(&far->grid[STZ_LEVELS], site, stress);
}

// The nodes about the 8 sites of a box along one axis: the first, and for each site where its 4 begin and their
// weights.
typedef struct axis {
  int first, begin[8];
  const float *weight[8];
} axis;

static axis axis_of(const nodes *n, int which, int origin) {
  const int h = n->spacing;
  axis a = {.first = wrap(origin / h - 1, n->count[which])};
  for (int i = 0; i < 8; i++) {
    a.begin[i] = (origin + i) / h - origin / h;
    a.weight[i] = n->spline[(origin + i) % h];
  }
  return a;
}

// Along z: weights of up to 8 nodes for the 8 sites.
static void spread_weights(const axis *a, float weight[8][8]) {
  memset(weight, 0, 64 * sizeof(float));
  for (int i = 0; i < 8; i++) {
    for (int k = 0; k < 4; k++) weight[a->begin[i] + k][i] = a->weight[i][k];
  }
}

// Interpolates axis by axis; `most` nodes an axis take part, a constant in each use.
static inline __attribute__((always_inline)) void add_box(const nodes *n, const int origin[3], int most,
                                                          float stress[5][512]) {
  const axis ax = axis_of(n, 0, origin[0]), ay = axis_of(n, 1, origin[1]), az = axis_of(n, 2, origin[2]);
  _Alignas(64) float along_x[8][5][8][8], weight[8][8], line[8], rows[8][5][8];
  const images more = images_of(n, az.first, 8);
  spread_weights(&az, weight);
  for (int j = 0; j < most; j++) {
    for (int i = 0; i < most; i++) {
      const float *from = row_of(n, (ax.first + i) % n->count[0], (ay.first + j) % n->count[1]) + az.first;
      for (int c = 0; c < 5; c++) memcpy(rows[i][c], from + c * n->row, 8 * sizeof(float));
      for (int image = 0; image < more.count; image++) {
        for (int c = 0; c < 5; c++) {
          const float *restrict other = from + c * n->row + more.shift[image];
#pragma omp simd
          for (int l = 0; l < 8; l++) rows[i][c][l] += other[l];
        }
      }
    }
    for (int i = 0; i < 8; i++) {
      const float *restrict r0 = rows[ax.begin[i]][0], *restrict r1 = rows[ax.begin[i] + 1][0],
                            *restrict r2 = rows[ax.begin[i] + 2][0], *restrict r3 = rows[ax.begin[i] + 3][0];
      const float w0 = ax.weight[i][0], w1 = ax.weight[i][1], w2 = ax.weight[i][2], w3 = ax.weight[i][3];
      for (int c = 0; c < 5; c++) {
        const int at = 8 * c;
#pragma omp simd
        for (int l = 0; l < 8; l++) {
          along_x[i][c][j][l] = __builtin_fmaf(
              w0, r0[at + l], __builtin_fmaf(w1, r1[at + l], __builtin_fmaf(w2, r2[at + l], w3 * r3[at + l])));
        }
      }
    }
  }
  for (int i = 0; i < 8; i++) {
    for (int c = 0; c < 5; c++) {
      for (int j = 0; j < 8; j++) {
        const float(*restrict t)[8] = (const float(*)[8])along_x[i][c][ay.begin[j]];
        const float *w = ay.weight[j];
#pragma omp simd
        for (int l = 0; l < 8; l++) {
          line[l] = __builtin_fmaf(w[0], t[0][l],
                                   __builtin_fmaf(w[1], t[1][l], __builtin_fmaf(w[2], t[2][l], w[3] * t[3][l])));
        }
        float *restrict to = stress[c] + 64 * i + 8 * j;
#pragma omp simd
        for (int l = 0; l < 8; l++) {
          float sum = to[l];
#pragma GCC unroll 8
          for (int k = 0; k < most; k++) sum = __builtin_fmaf(weight[k][l], line[k], sum);
          to[l] = sum;
        }
      }
    }
  }
}

STZ_MULTIVERSION
static void add_box_2(const nodes *n, const int origin[3], float stress[5][512]) { add_box(n, origin, 8, stress); }

STZ_MULTIVERSION
static void add_box_4(const nodes *n, const int origin[3], float stress[5][512]) { add_box(n, origin, 6, stress); }

STZ_MULTIVERSION
static void add_box_8(const nodes *n, const int origin[3], float stress[5][512]) { add_box(n, origin, 5, stress); }

void stz_far_box(const stz_far *far, const int origin[3], float stress[5][512]) {
  memset(stress, 0, 5 * 512 * sizeof(float));
  add_box_2(&far->grid[0], origin, stress);
  if (far->split->levels > 1) add_box_4(&far->grid[1], origin, stress);
  if (far->split->coarse) add_box_8(&far->grid[STZ_LEVELS], origin, stress);
}
