// SPDX-License-Identifier: GPL-3.0-or-later
#include "elastic/far.h"

#include <assert.h>
#include <string.h>

#include "base/memory.h"
#include "base/target.h"
#include "elastic/far_deposit.h"
#include "elastic/film_total.h"

static size_t values(const nodes *n) { return (size_t)n->count[0] * plane_values(n) + 5 * (size_t)BEFORE; }

static size_t coarse_sites(const nodes *n) { return (size_t)n->count[0] * (size_t)n->count[1] * (size_t)n->count[2]; }

static void set_nodes(const int cells[3], int spacing, const float (*spline)[4], nodes *n) {
  *n = (nodes){.spacing = spacing, .spline = spline};
  for (int axis = 0; axis < 3; axis++) n->count[axis] = cells[axis] / spacing;
  n->row = BEFORE + n->count[2] + BEYOND;
}

// The nodes of a level: of a film those of its own layers.
static void set_level(const stz_split *split, const stz_level *level, nodes *n) {
  const int cells[3] = {split->cells[0], split->cells[1], split->layers};
  set_nodes(cells, level->spacing, level->spline, n);
  n->open = split->film;
}

// A film's operator is the split's.
static stz_err make_coarse(stz_team *team, const stz_split *split, const stz_elastic *elastic, const nodes *n,
                           coarse *k) {
  for (int r = 0; r < STZ_COARSE; r++) stz_split_spline(STZ_COARSE, r, k->spline[r]);
  if (split->film) return STZ_OK;
  return stz_total_create_of(team, n->count, stz_split_coarse, &(stz_split_source){split, elastic}, &k->total);
}

// Shares out the state: the coarse source, and the planes of the grids.
static void set_places(stz_far *f) {
  char *at = f->state;
  int32_t **plane = f->planes;
  if (f->split->coarse) {
    f->coarse.source = (int64_t *)(void *)at;
    at += 5 * coarse_sites(&f->grid[STZ_LEVELS]) * sizeof(int64_t);
  }
  for (int g = 0; g < f->grids; g++) {
    nodes *n = &f->grid[g];
    n->plane = plane;
    for (int x = 0; x < n->count[0]; x++) *plane++ = (int32_t *)(void *)at + (size_t)x * plane_values(n);
    at += values(n) * sizeof(int32_t);
  }
}

stz_err stz_far_create(stz_team *team, const stz_split *split, const stz_elastic *elastic, stz_far **far) {
  stz_far *f = NULL;
  size_t planes = 0;
  *far = NULL;
  STZ_TRY(STZ_NEW(f, 1));
  f->split = split;
  f->grids = split->levels + split->coarse;
  stz_err err = STZ_OK;
  for (int g = 0; g < split->levels; g++) set_level(split, &split->level[g], &f->grid[g]);
  if (split->coarse) {
    nodes *last = &f->grid[STZ_LEVELS];
    set_nodes(split->cells, STZ_COARSE, (const float(*)[4])f->coarse.spline, last);
    f->bytes = 5 * coarse_sites(last) * sizeof(int64_t);
    err = make_coarse(team, split, elastic, last, &f->coarse);
  }
  for (int g = 0; g < f->grids; g++) {
    f->bytes += values(&f->grid[g]) * sizeof(int32_t);
    planes += (size_t)f->grid[g].count[0];
  }
  if (err == STZ_OK) err = STZ_NEW(f->planes, planes);
  if (err == STZ_OK) err = STZ_NEW(f->state, f->bytes);
  if (err != STZ_OK) {
    stz_far_destroy(&f);
    return err;
  }
  set_places(f);
  *far = f;
  return STZ_OK;
}

void stz_far_destroy(stz_far **far) {
  stz_far *f = *far;
  if (!f) return;
  stz_total_destroy(&f->coarse.total);
  stz_free(f->planes);
  stz_free(f->state);
  stz_free(f);
  *far = NULL;
}

void stz_far_clear(stz_far *far) { memset(far->state, 0, far->bytes); }

bool stz_far_in_range(const stz_far *far) {
  int32_t magnitudes = 0;
  const char *end = far->state + far->bytes;
  for (const int32_t *at = far->grid[0].plane[0]; (const char *)at < end; at++) magnitudes |= *at < 0 ? ~*at : *at;
  return magnitudes >> 30 == 0;
}

void *stz_far_state(stz_far *far, size_t *bytes) {
  *bytes = far->bytes;
  return far->state;
}

// --- adding events ---

static int deposits_of(const stz_level *level, const nodes *n, const int origin[3], int share, int shares,
                       deposit deposits[WINDOW * WINDOW]) {
  pair x[WINDOW], y[WINDOW];
  const int nx = pairs_of(level, n, 0, origin[0], 1, x), ny = pairs_of(level, n, 1, origin[1], 5 * n->row, y);
  const int along = 5 * (BEFORE + begin_at(n, origin[2] / level->spacing - 7));
  return list_deposits(level, stz_level_class(level, origin[2]), n, x, nx, y, ny, along, share, shares, deposits);
}

static inline __attribute__((always_inline)) void prefetch(const deposit *d) {
  const int rows = d->sharing == ALL ? 4 : d->sharing == ALONE ? 1 : 2;
  for (int q = d->begin; q < d->end; q++) {
    for (int c = 0; c < 5; c++) __builtin_prefetch(d->row + c * LINE / 2 + 8 * q);
    for (int image = 0; image < rows; image++) __builtin_prefetch(d->to[image] + 16 * q, 1);
  }
}

STZ_MULTIVERSION(static void add_to_level(const stz_level *level, const nodes *n, const int origin[3], const float e[5],
                                          int share, int shares)) {
  enum { AHEAD = 2 };
  float seen[4][5];
  see_strain(e, seen);
  deposit deposits[WINDOW * WINDOW];
  const int count = deposits_of(level, n, origin, share, shares, deposits);
  for (int i = 0; i < AHEAD && i < count; i++) prefetch(&deposits[i]);
  for (int i = 0; i < count; i++) {
    const deposit *d = &deposits[i];
    if (i + AHEAD < count) prefetch(d + AHEAD);
    add_deposit(d, (const float(*)[5])seen);
  }
}

// Spreads the event over the 64 coarse nodes about it.
static void add_to_coarse(const coarse *k, const nodes *n, const int origin[3], const float e[5]) {
  const int h = STZ_COARSE;
  const float *wx = k->spline[origin[0] % h], *wy = k->spline[origin[1] % h], *wz = k->spline[origin[2] % h];
  for (int i = 0; i < 64; i++) {
    const int a = i / 16, b = i / 4 % 4, c = i % 4;
    const int x = stz_wrap_once(origin[0] / h - 1 + a, n->count[0]),
              y = stz_wrap_once(origin[1] / h - 1 + b, n->count[1]),
              z = stz_wrap_once(origin[2] / h - 1 + c, n->count[2]);
    const double weight = (double)wx[a] * (double)wy[b] * (double)wz[c];
    int64_t *to = k->source + ((size_t)x * (size_t)n->count[1] + (size_t)y) * (size_t)n->count[2] + (size_t)z;
    for (size_t d = 0; d < 5; d++) to[d * coarse_sites(n)] += stz_to_fine(weight * (double)e[d]);
  }
}

static void add_to_levels(stz_far *far, int l, int share, int shares, const int origin[3], const float e[5]) {
  float units[5];
  assert(stz_split_takes(far->split, e));
  for (int c = 0; c < 5; c++) units[c] = e[c] * (1.0f / far->split->level_unit);
  add_to_level(&far->split->level[l], &far->grid[l], origin, units, share, shares);
}

void stz_far_add(stz_far *far, const int origin[3], const float e[5]) {
  for (int l = 0; l < far->split->levels; l++) add_to_levels(far, l, 0, 1, origin, e);
  if (!far->whole) stz_far_add_source(far, origin, e);
}

void stz_far_add_source(stz_far *far, const int origin[3], const float e[5]) {
  assert(!far->whole);
  if (far->split->coarse) add_to_coarse(&far->coarse, &far->grid[STZ_LEVELS], origin, e);
}

int stz_far_shares(const stz_far *far, int each) { return each * far->split->levels + far->split->coarse; }

void stz_far_add_share(stz_far *far, int share, int each, const int origin[3], const float e[5]) {
  if (share < each * far->split->levels)
    add_to_levels(far, share / each, share % each, each, origin, e);
  else
    add_to_coarse(&far->coarse, &far->grid[STZ_LEVELS], origin, e);
}

static void give_source(void *context, int c, int64_t first, int64_t end, int row, float *field) {
  const stz_far *far = context;
  const int *count = far->grid[STZ_LEVELS].count;
  const int64_t *from = far->coarse.source + (size_t)c * coarse_sites(&far->grid[STZ_LEVELS]);
  for (int64_t i = first; i < end; i++) {
    for (int z = 0; z < count[2]; z++) field[i * row + z] = (float)stz_from_fine(from[i * count[2] + z]);
  }
}

static void take_nodes(void *context, int c, int64_t first, int64_t end, int row, const float *field) {
  const stz_far *far = context;
  const nodes *n = &far->grid[STZ_LEVELS];
  for (int i = (int)first; i < (int)end; i++) {
    int32_t *to = node_of(n, i / n->count[1], i % n->count[1], 0) + c;
    for (int z = 0; z < n->count[2]; z++) to[5 * z] = stz_whole(field[i * row + z] * (1.0f / far->split->level_unit));
  }
}

// Of a film the same, from node -1 on.
static int image_node(const nodes *n, int i) { return stz_wrap_once(i - 1, n->count[2]); }

static void give_images(void *context, int c, int64_t first, int64_t end, int row, float *field) {
  const stz_far *far = context;
  const nodes *n = &far->grid[STZ_LEVELS];
  const int *count = n->count;
  const int64_t *from = far->coarse.source + (size_t)c * coarse_sites(n);
  for (int64_t i = first; i < end; i++) {
    for (int z = 0; z < count[2]; z++) {
      field[i * row + z] = (float)stz_from_fine(from[i * count[2] + image_node(n, z)]);
    }
  }
}

static void take_images(void *context, int c, int64_t first, int64_t end, int row, const float *field) {
  const stz_far *far = context;
  const nodes *n = &far->grid[STZ_LEVELS];
  for (int i = (int)first; i < (int)end; i++) {
    int32_t *to = node_of(n, i / n->count[1], i % n->count[1], 0) + c;
    for (int z = 0; z < n->count[2]; z++) {
      to[5 * image_node(n, z)] = stz_whole(field[i * row + z] * (1.0f / far->split->level_unit));
    }
  }
}

void stz_far_converge(stz_far *far) {
  if (!far->split->coarse) return;
  if (far->split->film)
    stz_film_total_stress(far->split->images, give_images, take_images, far);
  else
    stz_total_stress(far->coarse.total, give_source, take_nodes, far);
}

// --- evaluation ---

STZ_MULTIVERSION(static void add_site(const nodes *n, const int site[3], float unit, float stress[5])) {
  const int h = n->spacing;
  const float *wx = n->spline[site[0] % h], *wy = n->spline[site[1] % h], *wz = n->spline[site[2] % h];
  const images part = images_of(n, begin_at(n, site[2] / h - 1), 4);
  lanes s0 = {0}, s1 = {0}, s2 = {0}; // of 4 nodes the 20 numbers, and 4 more
  for (int i = 0; i < 4; i++) {
    const int x = stz_wrap_once(site[0] / h - 1 + i, n->count[0]);
    for (int j = 0; j < 4; j++) {
      const int y = stz_wrap_once(site[1] / h - 1 + j, n->count[1]);
      const float w = wx[i] * wy[j];
      for (int image = 0; image < part.count; image++) {
        const int32_t *at = node_of(n, x, y, part.z[image]);
        s0 += w * at_nodes(at);
        s1 += w * at_nodes(at + 8);
        s2 += w * at_nodes(at + 16);
      }
    }
  }
  add_stress(s0, s1, s2, wz, unit, stress);
}

void stz_far_site(const stz_far *far, const int site[3], float stress[5]) {
  for (int c = 0; c < 5; c++) stress[c] = 0.0f;
  for (int l = 0; l < far->split->levels; l++) add_site(&far->grid[l], site, far->split->level_unit, stress);
  if (far->split->coarse) add_site(&far->grid[STZ_LEVELS], site, far->split->level_unit, stress);
}

// The nodes about the 8 sites of a box along one axis: the first, and for each site where its 4 begin and their
// weights.
typedef struct axis {
  int first, begin[8];
  const float *weight[8];
} axis;

static axis axis_of(const nodes *n, int which, int origin) {
  const int h = n->spacing;
  axis a = {.first = which == 2 ? begin_at(n, origin / h - 1) : stz_wrap_once(origin / h - 1, n->count[which])};
  for (int i = 0; i < 8; i++) {
    a.begin[i] = (origin + i) / h - origin / h;
    a.weight[i] = n->spline[(origin + i) % h];
  }
  return a;
}

// Along z: weights of up to 8 nodes for the 8 sites, which turn units into stress.
static void spread_weights(const axis *a, float unit, float weight[8][8]) {
  memset(weight, 0, 64 * sizeof(float));
  for (int i = 0; i < 8; i++) {
    for (int k = 0; k < 4; k++) weight[a->begin[i] + k][i] = unit * a->weight[i][k];
  }
}

enum { BOX = 8 * 5 }; // numbers of 8 nodes

// Interpolates axis by axis; `most` nodes per axis take part, a constant in each use.
static inline __attribute__((always_inline)) void add_box(const nodes *n, const int origin[3], int most, float unit,
                                                          float stress[5][512]) {
  const axis ax = axis_of(n, 0, origin[0]), ay = axis_of(n, 1, origin[1]), az = axis_of(n, 2, origin[2]);
  _Alignas(64) float along_x[8][8][BOX], weight[8][8], line[BOX], rows[8][BOX];
  const images part = images_of(n, az.first, 8);
  spread_weights(&az, unit, weight);
  for (int j = 0; j < most; j++) {
    for (int i = 0; i < most; i++) {
      const int x = (ax.first + i) % n->count[0], y = (ay.first + j) % n->count[1];
      static const int32_t none[BOX];
      const int32_t *first = node_of(n, x, y, part.z[0]), *second = part.count > 1 ? node_of(n, x, y, part.z[1]) : none,
                    *third = part.count > 2 ? node_of(n, x, y, part.z[2]) : none;
#pragma omp simd
      for (int l = 0; l < BOX; l++) rows[i][l] = (float)(first[l] + second[l] + third[l]);
    }
    for (int i = 0; i < 8; i++) {
      const float(*restrict r)[BOX] = (const float(*)[BOX])rows[ax.begin[i]];
      const float *w = ax.weight[i];
#pragma omp simd
      for (int l = 0; l < BOX; l++) {
        along_x[i][j][l] =
            __builtin_fmaf(w[0], r[0][l], __builtin_fmaf(w[1], r[1][l], __builtin_fmaf(w[2], r[2][l], w[3] * r[3][l])));
      }
    }
  }
  for (int i = 0; i < 8; i++) {
    for (int j = 0; j < 8; j++) {
      const float(*restrict t)[BOX] = (const float(*)[BOX])along_x[i][ay.begin[j]];
      const float *w = ay.weight[j];
#pragma omp simd
      for (int l = 0; l < BOX; l++) {
        line[l] =
            __builtin_fmaf(w[0], t[0][l], __builtin_fmaf(w[1], t[1][l], __builtin_fmaf(w[2], t[2][l], w[3] * t[3][l])));
      }
      for (int c = 0; c < 5; c++) {
        float *restrict to = stress[c] + 64 * i + 8 * j;
        float sum[8];
        memcpy(sum, to, sizeof sum);
#pragma GCC unroll 8
        for (int k = 0; k < most; k++) {
#pragma omp simd
          for (int l = 0; l < 8; l++) sum[l] = __builtin_fmaf(weight[k][l], line[5 * k + c], sum[l]);
        }
        memcpy(to, sum, sizeof sum);
      }
    }
  }
}

STZ_MULTIVERSION(static void add_box_2(const nodes *n, const int origin[3], float unit, float stress[5][512])) {
  add_box(n, origin, 8, unit, stress);
}

STZ_MULTIVERSION(static void add_box_4(const nodes *n, const int origin[3], float unit, float stress[5][512])) {
  add_box(n, origin, 6, unit, stress);
}

STZ_MULTIVERSION(static void add_box_8(const nodes *n, const int origin[3], float unit, float stress[5][512])) {
  add_box(n, origin, 5, unit, stress);
}

void stz_far_box(const stz_far *far, const int origin[3], float stress[5][512]) {
  const float unit = far->split->level_unit;
  memset(stress, 0, 5 * 512 * sizeof(float));
  add_box_2(&far->grid[0], origin, unit, stress);
  if (far->split->levels > 1) add_box_4(&far->grid[1], origin, unit, stress);
  if (far->split->coarse) add_box_8(&far->grid[STZ_LEVELS], origin, unit, stress);
}
