// SPDX-License-Identifier: GPL-3.0-or-later
#include "elastic/mirror.h"

#include <string.h>

#include "base/memory.h"
#include "base/target.h"
#include "elastic/images.h"
#include "elastic/quadrant.h"

typedef stz_lanes lanes;
typedef stz_words words;
typedef uint16_t narrow __attribute__((vector_size(16)));
typedef int16_t halves __attribute__((vector_size(16)));
typedef int32_t wholes __attribute__((vector_size(32)));

enum { ENTRIES = 25, REACH = STZ_IMAGE_NEAR, MOST_ROWS = REACH * REACH, PIECE = 2 * ENTRIES * 8 };
static const float MOST = 24000.0f; // of a slack that one event takes, as in near.c

// A row (x, y) of the quadrant and a block of layers, 8 z/8.
typedef struct piece {
  int8_t x, y;
  int16_t block;
  int32_t covered; // stz_near_add lists the row
} piece;

// The pieces of the events of one layer.
typedef struct layer {
  int first, count;
} layer;

struct stz_mirror {
  const stz_split *split;
  int layers;
  layer *layer;
  piece *pieces;
  int count;
  uint16_t *table; // [piece][near part, whole][5 c + d][8]
  stz_exhausted *exhausted;
};

static int square(int x) { return x * x; }

// Whether a site of the row and block lies near the mirror image of the layer.
static bool reaches(const stz_mirror *m, int z, int x, int y, int block) {
  for (int to = 8 * block; to < 8 * block + 8; to++) {
    const int below = z + to + 1, above = 2 * m->layers - 1 - z - to, least = below < above ? below : above;
    if (square(x) + square(y) + square(least) < square(REACH)) return true;
  }
  return false;
}

// Lists the pieces of all layers; without memory for them it only counts.
static void list_pieces(stz_mirror *m) {
  m->count = 0;
  for (int z = 0; z < m->layers; z++) {
    const int first = m->count;
    for (int row = 0; row < MOST_ROWS * (m->layers / 8); row++) {
      const int block = row % (m->layers / 8), x = row / (m->layers / 8) / REACH, y = row / (m->layers / 8) % REACH;
      if (!reaches(m, z, x, y, block)) continue;
      if (m->pieces) {
        m->pieces[m->count] = (piece){(int8_t)x, (int8_t)y, (int16_t)block, stz_near_covers(x, y, z, block)};
      }
      m->count++;
    }
    m->layer[z] = (layer){first, m->count - first};
  }
}

static void fill_layer(const stz_mirror *m, const stz_images *images, int z) {
  const int number = stz_images_number(m->layers, z), first = m->layer[z].count ? stz_images_first(images, number) : 0;
  for (int p = m->layer[z].first; p < m->layer[z].first + m->layer[z].count; p++) {
    const piece *of_row = &m->pieces[p];
    for (int i = 0; i < PIECE; i++) {
      const int to = 8 * of_row->block + i % 8 - first, entry = i / 8 % ENTRIES;
      m->table[(size_t)p * PIECE + (size_t)i] =
          stz_half_of(stz_images_near(images, i / 8 >= ENTRIES, number, entry, to, of_row->x, of_row->y));
    }
  }
}

stz_err stz_mirror_create(const stz_split *split, const struct stz_images *images, stz_mirror **mirror) {
  stz_mirror *m = NULL;
  *mirror = NULL;
  STZ_TRY(STZ_NEW(m, 1));
  m->split = split;
  m->layers = images->layers;
  stz_err err = STZ_NEW(m->layer, m->layers);
  if (err == STZ_OK) {
    list_pieces(m);
    err = STZ_NEW(m->pieces, m->count);
  }
  if (err == STZ_OK) err = STZ_NEW(m->table, (size_t)m->count * PIECE);
  int most = 0;
  for (int z = 0; z < m->layers && err == STZ_OK; z++) most = m->layer[z].count > most ? m->layer[z].count : most;
  if (err == STZ_OK) err = STZ_NEW(m->exhausted, 4 * most + 1);
  if (err != STZ_OK) {
    stz_mirror_destroy(&m);
    return err;
  }
  list_pieces(m);
  for (int z = 0; z < m->layers; z++) fill_layer(m, images, z);
  *mirror = m;
  return STZ_OK;
}

void stz_mirror_destroy(stz_mirror **mirror) {
  stz_mirror *m = *mirror;
  if (!m) return;
  stz_free(m->layer);
  stz_free(m->pieces);
  stz_free(m->table);
  stz_free(m->exhausted);
  stz_free(m);
  *mirror = NULL;
}

size_t stz_mirror_bytes(const stz_mirror *mirror) { return (size_t)mirror->count * (PIECE * 2 + sizeof(piece)); }

void stz_mirror_sums(const stz_mirror *m, int z, double sums[ENTRIES]) {
  for (int p = m->layer[z].first; p < m->layer[z].first + m->layer[z].count; p++) {
    const double images = (m->pieces[p].x ? 2.0 : 1.0) * (m->pieces[p].y ? 2.0 : 1.0);
    for (int i = 0; i < PIECE / 2; i++) {
      const int c = i / 8 / 5, d = i / 8 % 5;
      if (stz_odd_pair(c, d, 0) || stz_odd_pair(c, d, 1)) continue; // mirror images cancel
      sums[i / 8] += images * (double)stz_float_of_half(m->table[(size_t)p * PIECE + (size_t)i]);
    }
  }
}

// Signs of the components in the images (+x,+y), (-x,-y), (+x,-y), (-x,+y), as in near.c.
static const int SIGN[4][5] = {{1, 1, 1, 1, 1}, {1, -1, -1, 1, 1}, {-1, -1, 1, 1, 1}, {-1, 1, -1, 1, 1}};

// The images of a piece, by component and image: the near part and, in the units of `cached`, the whole, rounded.
typedef struct quad {
  words near[4][5];
  halves cached[4][5], cost[4];
} quad;

static inline __attribute__((always_inline)) lanes widened(const uint16_t *table) {
  narrow x;
  memcpy(&x, table, sizeof x);
  const words bits = __builtin_convertvector(x, words) << 16;
  lanes f;
  memcpy(&f, &bits, sizeof f);
  return f;
}

static inline __attribute__((always_inline)) halves rounded(lanes x) {
  return __builtin_convertvector(stz_biased(x), halves);
}

static inline __attribute__((always_inline)) halves cost_of(lanes norm2, float scale) {
  float units[8];
  memcpy(units, &norm2, sizeof units);
#pragma omp simd
  for (int l = 0; l < 8; l++) {
    const float cost = scale * __builtin_sqrtf(units[l]);
    units[l] = -(cost < MOST ? cost : MOST);
  }
  lanes all;
  memcpy(&all, units, sizeof all);
  return rounded(all);
}

// A component in the four images.
static inline __attribute__((always_inline)) void images_of(const uint16_t *k, const float e[5], int c,
                                                            lanes image[4]) {
  const lanes of0 = widened(k) * e[0], of1 = widened(k + 8) * e[1], of2 = widened(k + 16) * e[2],
              of34 = widened(k + 24) * e[3] + widened(k + 32) * e[4];
  const lanes even = of34 + of0, odd = of1 + of2, cross = of34 - of0, skew = of2 - of1;
  image[0] = even + odd;
  image[1] = (float)SIGN[1][c] * (even - odd);
  image[2] = (float)SIGN[2][c] * (cross + skew);
  image[3] = (float)SIGN[3][c] * (cross - skew);
}

// e: in units of the near part; `coarser`: these over those of `cached`; `scale`: of the cost per unit.
static inline __attribute__((always_inline)) void fill_quad(const uint16_t *table, const float e[5], float coarser,
                                                            float scale, quad *q) {
  const words none = (words){0} + (uint32_t)STZ_WHOLE_BIAS;
  lanes norm[4] = {{0}, {0}, {0}, {0}};
#pragma GCC unroll 5
  for (int c = 0; c < 5; c++) {
    lanes near[4], whole[4];
    images_of(table + c * 40, e, c, near);
    images_of(table + PIECE / 2 + c * 40, e, c, whole);
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
      q->near[i][c] = stz_biased(near[i]) - none;
      q->cached[i][c] = rounded(whole[i] * coarser);
      norm[i] += whole[i] * whole[i];
    }
  }
  for (int i = 0; i < 4; i++) q->cost[i] = cost_of(norm[i], scale);
}

// Adds an image to a row; returns the lanes whose slack is below zero.
static inline __attribute__((always_inline)) uint8_t add_image(const quad *q, int image, stz_row8 *row8) {
  for (int c = 0; c < 5; c++) {
    wholes near;
    memcpy(&near, row8->near[c], sizeof near);
    near += (wholes)q->near[image][c];
    memcpy(row8->near[c], &near, sizeof near);
    halves cached;
    memcpy(&cached, row8->cached[c], sizeof cached);
    cached += q->cached[image][c];
    memcpy(row8->cached[c], &cached, sizeof cached);
  }
  halves slack;
  memcpy(&slack, row8->slack, sizeof slack);
  slack += q->cost[image];
  memcpy(row8->slack, &slack, sizeof slack);
  return (uint8_t)stz_below_zero(row8->slack);
}

// Numbers of the rows of 8 of the images of a piece, of those that differ, and which images these are.
typedef struct targets {
  int32_t row[4];
  int count, image[4];
} targets;

static inline targets targets_of(const stz_mirror *m, const piece *p, const int origin[3]) {
  static const int sign[4][2] = {{1, 1}, {-1, -1}, {1, -1}, {-1, 1}};
  const int *n = m->split->cells, by = n[1] / 8, bz = m->layers / 8;
  targets t = {.count = 0};
  for (int image = 0; image < 4; image++) {
    if ((p->x == 0 && sign[image][0] < 0) || (p->y == 0 && sign[image][1] < 0)) continue;
    const int x = stz_wrap_once(origin[0] + sign[image][0] * p->x, n[0]),
              y = stz_wrap_once(origin[1] + sign[image][1] * p->y, n[1]);
    t.image[t.count] = image;
    t.row[t.count++] = ((x / 8 * by + y / 8) * bz + p->block) * STZ_BLOCK_PIECES + 8 * (x % 8) + y % 8;
  }
  return t;
}

// The rows of the next piece are fetched while one is computed.
STZ_MULTIVERSION(static int add_pieces(stz_mirror *m, const layer *source, const int origin[3], const float e[5],
                                       float coarser, float scale, stz_row8 *rows8)) {
  int count = 0;
  quad q;
  targets now, next = {.count = 0};
  for (int p = source->first; p <= source->first + source->count; p++) {
    now = next;
    if (p < source->first + source->count) {
      next = targets_of(m, &m->pieces[p], origin);
      for (int i = 0; i < next.count; i++) stz_prefetch_row8(rows8 + next.row[i]);
    }
    if (p == source->first) continue;
    fill_quad(m->table + (size_t)(p - 1) * PIECE, e, coarser, scale, &q);
    for (int i = 0; i < now.count; i++) {
      const uint8_t below = add_image(&q, now.image[i], rows8 + now.row[i]);
      m->exhausted[count] = (stz_exhausted){now.row[i], below};
      count += below != 0 && !m->pieces[p - 1].covered;
    }
  }
  return count;
}

int stz_mirror_add(stz_mirror *m, const int origin[3], const float e[5], float scale, stz_row8 *rows8,
                   stz_exhausted **exhausted) {
  const float unit = m->split->near_unit;
  float units[5];
  for (int c = 0; c < 5; c++) units[c] = e[c] * (1.0f / unit);
  *exhausted = m->exhausted;
  return add_pieces(m, &m->layer[origin[2]], origin, units, unit * (1.0f / STZ_CACHED),
                    scale * unit * (1.0f / STZ_SLACK), rows8);
}
