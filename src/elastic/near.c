// SPDX-License-Identifier: GPL-3.0-or-later
#include "elastic/near.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/target.h"
#include "elastic/fixed.h"

typedef stz_lanes lanes;
typedef stz_words words;
typedef uint32_t loose_words __attribute__((vector_size(32), aligned(4), may_alias));
typedef int16_t halves __attribute__((vector_size(16)));
typedef int16_t loose_halves __attribute__((vector_size(16), aligned(2), may_alias));

enum {
  SPAN = STZ_NEAR_SPAN,
  QUADS = 60,
  MOST_TARGETS = 12,
  PADDED = 32,
  PARTS = STZ_NEAR_PARTS,
  HALVES = STZ_FOLDED_PARTS
};

// The rows of the mirror images (+x,+y), (-x,-y), (+x,-y), (-x,+y): what is to be added along z, z = 0 being number 16,
// between zeros.
typedef struct quad {
  int32_t near[4][PARTS][PADDED];
  int16_t cached[4][HALVES][PADDED];
} quad;

// A row of 8 sites that an event adds to, and the place of its part in a quad: image, number in its row.
typedef struct target {
  int32_t row8;
  int16_t image, begin;
} target;

// Memory answers some hundred cycles late: prefetch AHEAD iterations in advance (of many prefetches at once a processor
// drops most).
enum { AHEAD = 10 };

struct stz_near {
  const stz_split *split;
  int rows[QUADS], quads; // of the octant, 8 |x| + |y|
  int first, planes;      // of the box along x that are kept
  quad quad[2];           // one is filled while the other is added
  target list[STZ_NEAR_PIECES + AHEAD];
  stz_exhausted exhausted[MOST_TARGETS * QUADS];
};

// sqrt(63 - x^2 - y^2), rounded down: how far a row of the sphere reaches along z; -1: not at all.
static const int REACH[SPAN][SPAN] = {
    {7, 7, 7, 7, 6, 6, 5, 3},  {7, 7, 7, 7, 6, 6, 5, 3},  {7, 7, 7, 7, 6, 5, 4, 3},   {7, 7, 7, 6, 6, 5, 4, 2},
    {6, 6, 6, 6, 5, 4, 3, -1}, {6, 6, 5, 5, 4, 3, 1, -1}, {5, 5, 4, 4, 3, 1, -1, -1}, {3, 3, 3, 2, -1, -1, -1, -1},
};

stz_err stz_near_create(const stz_split *split, stz_near **near) {
  STZ_TRY(STZ_NEW(*near, 1));
  (*near)->split = split;
  (*near)->planes = split->cells[0];
  for (int row = 0; row < STZ_NEAR_ROWS; row++) {
    if (REACH[row / SPAN][row % SPAN] >= 0) (*near)->rows[(*near)->quads++] = row;
  }
  return STZ_OK;
}

void stz_near_keep(stz_near *near, int first, int planes) {
  assert(first >= 0 && planes > 0 && first + planes <= near->split->cells[0]);
  near->first = first;
  near->planes = planes;
}

bool stz_near_covers(int x, int y, int z, int block) {
  const int reach = x < SPAN && y < SPAN ? REACH[x][y] : -1;
  return reach >= 0 && 8 * block <= z + reach && 8 * block + 7 >= z - reach;
}

void stz_near_destroy(stz_near **near) {
  stz_free(*near);
  *near = NULL;
}

// Most of a slack that one event takes, in its units: more than any has but those without end, and what is left of one
// that was below zero before stays within 16 bits.
static const float MOST = 24000.0f;

// Parts of one stress component in a row of the octant, z = 0..7, from which follow those in the four mirror images
// (+x,+y), (-x,-y), (+x,-y), (-x,+y): even + odd, even - odd, cross + skew, cross - skew, with SIGN. They gather the
// strain's components of equal parity (component 0 changes its sign with x and with y, 1 with y, 2 with x): 65
// operations for all, not 100.
typedef struct partial {
  lanes even, odd, cross, skew;
} partial;

static const int SIGN[5][3] = {{1, -1, -1}, {-1, -1, 1}, {-1, 1, -1}, {1, 1, 1}, {1, 1, 1}};

static inline __attribute__((always_inline)) partial partial_of(const float *row, const float e[5], int c) {
  static const int pair[5][5] = {
      {0, 1, 2, 3, 4}, {1, 5, 6, 7, 8}, {2, 6, 9, 10, 11}, {3, 7, 10, 12, 13}, {4, 8, 11, 13, 14}};
  const lanes *k = (const lanes *)(const void *)row;
  const lanes of0 = k[pair[c][0]] * e[0], of1 = k[pair[c][1]] * e[1], of2 = k[pair[c][2]] * e[2],
              of34 = k[pair[c][3]] * e[3] + k[pair[c][4]] * e[4];
  return (partial){of34 + of0, of1 + of2, of34 - of0, of2 - of1};
}

// Rounds to the nearest integers, and leaves these in the low 16 bits.
static inline __attribute__((always_inline)) halves rounded(lanes x) {
  return __builtin_convertvector(stz_biased(x), halves);
}

// Writes a row, z = 0..7 as given, and z < 0 from the row opposite, which is the same at -z.
static inline __attribute__((always_inline)) void put_words(words row, words opposite, int32_t *to) {
  // The first is z = -8, beyond the sphere.
  *(loose_words *)(to + 8) = __builtin_shufflevector(opposite, (words){0}, 8, 7, 6, 5, 4, 3, 2, 1);
  *(loose_words *)(to + 16) = row;
}

static inline __attribute__((always_inline)) void put_halves(halves row, halves opposite, int16_t *to) {
  *(loose_halves *)(to + 8) = __builtin_shufflevector(opposite, (halves){0}, 8, 7, 6, 5, 4, 3, 2, 1);
  *(loose_halves *)(to + 16) = row;
}

// The near part's component c in the rows of the images, out of rounded partial sums; e in the units of `near`.
static inline __attribute__((always_inline)) void put_near(const float *near, const float e[5], int c, quad *q) {
  const partial p = partial_of(near, e, c);
  const words even = stz_biased(p.even), odd = stz_biased(p.odd), cross = stz_biased(p.cross),
              skew = stz_biased(p.skew), none = (words){0} + 2 * (uint32_t)STZ_WHOLE_BIAS;
  const words i0 = even + odd - none, i1 = SIGN[c][0] < 0 ? odd - even : even - odd,
              i2 = SIGN[c][1] < 0 ? none - cross - skew : cross + skew - none,
              i3 = SIGN[c][2] < 0 ? skew - cross : cross - skew;
  put_words(i0, i1, q->near[0][c]);
  put_words(i1, i0, q->near[1][c]);
  put_words(i2, i3, q->near[2][c]);
  put_words(i3, i2, q->near[3][c]);
}

static inline __attribute__((always_inline)) void put_images(const halves i[4], int c, quad *q) {
  put_halves(i[0], i[1], q->cached[0][c]);
  put_halves(i[1], i[0], q->cached[1][c]);
  put_halves(i[2], i[3], q->cached[2][c]);
  put_halves(i[3], i[2], q->cached[3][c]);
}

// The whole stress's component c, in fixed point, and what it adds to the squared norms, norm[0] +- norm[1] of the
// first two images and norm[2] +- norm[3] of the others. e in the units of `cached`.
static inline __attribute__((always_inline)) void put_whole(const float *whole, const float e[5], int c, lanes norm[4],
                                                            quad *q) {
  const partial p = partial_of(whole, e, c);
  const halves even = rounded(p.even), odd = rounded(p.odd), cross = rounded(p.cross), skew = rounded(p.skew);
  norm[0] += p.even * p.even + p.odd * p.odd;
  norm[1] += 2.0f * (p.even * p.odd);
  norm[2] += p.cross * p.cross + p.skew * p.skew;
  norm[3] += 2.0f * (p.cross * p.skew);
  put_images((const halves[4]){even + odd, (int16_t)SIGN[c][0] * (even - odd), (int16_t)SIGN[c][1] * (cross + skew),
                               (int16_t)SIGN[c][2] * (cross - skew)},
             c, q);
}

// The reduction of the slacks: `scale` times the norm.
static inline __attribute__((always_inline)) halves cost_of(lanes norm2, float scale) {
  float square[8], units[8];
  memcpy(square, &norm2, sizeof square);
#pragma omp simd
  for (int l = 0; l < 8; l++) {
    const float cost = scale * __builtin_sqrtf(square[l] > 0.0f ? square[l] : 0.0f);
    units[l] = -(cost < MOST ? cost : MOST);
  }
  lanes all;
  memcpy(&all, units, sizeof all);
  return rounded(all);
}

static inline __attribute__((always_inline)) void put_costs(const lanes norm[4], float scale, quad *q) {
  put_images((const halves[4]){cost_of(norm[0] + norm[1], scale), cost_of(norm[0] - norm[1], scale),
                               cost_of(norm[2] + norm[3], scale), cost_of(norm[2] - norm[3], scale)},
             5, q);
}

// The images of one row of the octant; fine, coarse: the strain in the units of `near` and of `cached`.
static inline __attribute__((always_inline)) void fill_quad(const float *near, const float *whole, const float fine[5],
                                                            const float coarse[5], float scale, quad *q) {
  lanes norm[4] = {{0}, {0}, {0}, {0}};
#pragma GCC unroll 5
  for (int c = 0; c < 5; c++) put_near(near, fine, c, q);
#pragma GCC unroll 5
  for (int c = 0; c < 5; c++) put_whole(whole, coarse, c, norm, q);
  put_costs(norm, scale * (STZ_CACHED / STZ_SLACK), q);
}

// Numbers of the rows of 8 about an event: those at x - 7 .. x + 7 (-1: not kept), at y, and in the block before, of
// and after its own along z (-1: outside a film), summed axis by axis.
typedef struct places {
  int x[2 * SPAN - 1], y[2 * SPAN - 1], z[3];
} places;

static places places_of(const stz_near *n, const int origin[3]) {
  const stz_split *split = n->split;
  const int *cells = split->cells, by = cells[1] / 8, bz = split->layers / 8;
  places p;
  for (int i = 0; i < 2 * SPAN - 1; i++) {
    const int x = stz_wrap_once(origin[0] + i + 1 - SPAN, cells[0]),
              y = stz_wrap_once(origin[1] + i + 1 - SPAN, cells[1]);
    const bool kept = x >= n->first && x < n->first + n->planes;
    p.x[i] = kept ? x / 8 * by * bz * STZ_BLOCK_PIECES + 8 * (x % 8) : -1;
    p.y[i] = y / 8 * bz * STZ_BLOCK_PIECES + y % 8;
  }
  for (int part = 0; part < 3; part++) {
    const int block = origin[2] / 8 + part - 1;
    const bool outside = split->film && (block < 0 || block >= bz);
    p.z[part] = outside ? -1 : stz_wrap_once(block, bz) * STZ_BLOCK_PIECES;
  }
  return p;
}

// Which planes along x, y the four images are at.
static const int IMAGE[4][2] = {{1, 1}, {-1, -1}, {1, -1}, {-1, 1}};

// The rows8 of the images of the row (x, y) of the octant, of those that differ and are kept; returns their count. Each
// has its own along z always, and those before and after if the row reaches so far; `shift`: the event's place along
// its own.
static inline __attribute__((always_inline)) int list_targets(const places *p, int shift, int x, int y, bool all,
                                                              target *list) {
  const int z = REACH[x][y];
  int count = 0;
  for (int image = 0; image < 4; image++) {
    if ((x == 0 && IMAGE[image][0] < 0) || (y == 0 && IMAGE[image][1] < 0)) continue;
    const int plane = p->x[SPAN - 1 + IMAGE[image][0] * x], first = plane + p->y[SPAN - 1 + IMAGE[image][1] * y];
    if (!all && plane < 0) continue;
    list[count] = (target){first + p->z[0], (int16_t)image, (int16_t)(8 - shift)};
    count += shift < z && p->z[0] >= 0;
    list[count++] = (target){first + p->z[1], (int16_t)image, (int16_t)(16 - shift)};
    list[count] = (target){first + p->z[2], (int16_t)image, (int16_t)(24 - shift)};
    count += shift + z > 7 && p->z[2] >= 0;
  }
  return count;
}

// Adds a row's part within one row of 8 sites; returns the lanes whose slack is below zero.
static inline __attribute__((always_inline)) uint32_t add_row8(const quad *q, const target *t, stz_row8 *row8) {
  const int32_t *restrict near = q->near[t->image][0] + t->begin;
  const int16_t *restrict cached = q->cached[t->image][0] + t->begin;
  for (int c = 0; c < PARTS; c++) {
#pragma omp simd
    for (int l = 0; l < 8; l++) row8->near[c][l] += near[c * PADDED + l];
  }
  int16_t *restrict whole = row8->cached[0]; // the slacks follow
  for (int c = 0; c < HALVES; c++) {
    halves *to = (halves *)(void *)(whole + 8 * c);
    *to += *(const loose_halves *)(cached + c * PADDED);
  }
  const uint32_t below = stz_below_zero(row8->slack);
  if (below) __builtin_prefetch(row8->bound, 1);
  return below;
}

// Adds a quad to its rows of 8; returns the number of rows with an exhausted slack.
static inline __attribute__((always_inline)) int add_quad(const quad *q, const target *list, int targets,
                                                          stz_row8 *rows8, stz_exhausted *exhausted) {
  int count = 0;
  for (int i = 0; i < targets; i++) {
    stz_prefetch_row8(&rows8[list[i + AHEAD].row8]);
    exhausted[count].row8 = list[i].row8;
    exhausted[count].lanes = (uint8_t)add_row8(q, &list[i], &rows8[list[i].row8]);
    count += exhausted[count].lanes != 0;
  }
  return count;
}

// The strain in the units of `near` and of `cached`.
static inline void to_units(const stz_split *split, const float e[5], float fine[5], float coarse[5]) {
  for (int c = 0; c < 5; c++) {
    fine[c] = e[c] * (1.0f / split->near_unit);
    coarse[c] = e[c] * (1.0f / STZ_CACHED);
  }
}

// Fills the quads and adds them, each while the next is filled: what has just been stored is slow to load. The targets
// of the i-th are from begin[i] to begin[i + 1].
STZ_MULTIVERSION(static int add_quads(stz_near *n, const float *near, const float e[5], float scale,
                                      const int begin[QUADS + 1], stz_row8 *rows8)) {
  float fine[5], coarse[5];
  int count = 0;
  to_units(n->split, e, fine, coarse);
  for (int i = 0; i <= n->quads; i++) {
    if (i < n->quads && begin[i] < begin[i + 1]) {
      const size_t row = (size_t)n->rows[i] * STZ_PAIRS * 8;
      fill_quad(near + row, n->split->whole + row, fine, coarse, scale, &n->quad[i % 2]);
    }
    if (i == 0) continue;
    const int first = begin[i - 1];
    count += add_quad(&n->quad[(i - 1) % 2], n->list + first, begin[i] - first, rows8, n->exhausted + count);
  }
  return count;
}

// The targets of all quads; `all`: a constant in each use.
static inline __attribute__((always_inline)) void list_all(stz_near *n, const int origin[3], const places *p, bool all,
                                                           int begin[QUADS + 1]) {
  for (int i = 0; i < n->quads; i++) {
    const int x = n->rows[i] / SPAN, y = n->rows[i] % SPAN;
    begin[i + 1] = begin[i] + list_targets(p, origin[2] % 8, x, y, all, n->list + begin[i]);
  }
}

static int parity_of(const int origin[3]) { return (origin[0] & 1) * 4 + (origin[1] & 1) * 2 + (origin[2] & 1); }

int stz_near_add(stz_near *n, const int origin[3], const float e[5], float scale, stz_row8 *rows8,
                 stz_exhausted **exhausted) {
  assert(stz_split_takes(n->split, e));
  const int before = stz_wrap_once(origin[0] - n->first + SPAN - 1, n->split->cells[0]);
  *exhausted = n->exhausted;
  if (before >= n->planes + 2 * (SPAN - 1)) return 0; // out of reach of all that are kept
  const places p = places_of(n, origin);
  int begin[QUADS + 1] = {0};
  if (n->planes == n->split->cells[0])
    list_all(n, origin, &p, true, begin);
  else
    list_all(n, origin, &p, false, begin);
  for (int i = 0; i < AHEAD; i++) {
    n->list[begin[n->quads] + i] = n->list[begin[n->quads] - 1];
    stz_prefetch_row8(&rows8[n->list[i].row8]);
  }
  return add_quads(n, n->split->near[parity_of(origin)], e, scale, begin, rows8);
}

STZ_MULTIVERSION(static void fill_one(const stz_split *split, const int origin[3], const float e[5], float scale,
                                      int row, quad *q)) {
  float fine[5], coarse[5];
  const size_t at = (size_t)row * STZ_PAIRS * 8;
  to_units(split, e, fine, coarse);
  fill_quad(split->near[parity_of(origin)] + at, split->whole + at, fine, coarse, scale, q);
}

bool stz_near_at(stz_near *n, const int origin[3], const float e[5], float scale, const int site[3],
                 stz_near_change *change) {
  int d[3], image = 0;
  assert(!n->split->film && stz_split_takes(n->split, e));
  *change = (stz_near_change){.slack = 0};
  for (int axis = 0; axis < 3; axis++) { // the box has 32 cells or more: one image is in reach at most
    d[axis] = stz_wrap_once(site[axis] - origin[axis] + SPAN - 1, n->split->cells[axis]) - (SPAN - 1);
    if (d[axis] >= SPAN) return false;
  }
  const int x = abs(d[0]), y = abs(d[1]);
  if (abs(d[2]) > REACH[x][y]) return false;
  while ((IMAGE[image][0] < 0) != (d[0] < 0) || (IMAGE[image][1] < 0) != (d[1] < 0)) image++;
  quad *q = &n->quad[0];
  fill_one(n->split, origin, e, scale, SPAN * x + y, q);
  for (int c = 0; c < 5; c++) {
    change->near[c] = q->near[image][c][PADDED / 2 + d[2]];
    change->cached[c] = q->cached[image][c][PADDED / 2 + d[2]];
  }
  change->slack = q->cached[image][5][PADDED / 2 + d[2]];
  return true;
}
