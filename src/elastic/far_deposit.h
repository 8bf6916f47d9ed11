// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/elastic: not installed.
//
// What an event adds to the nodes of a level (far.h).
#ifndef STZ_ELASTIC_FAR_DEPOSIT_H
#define STZ_ELASTIC_FAR_DEPOSIT_H

#include <stdlib.h>
#include <string.h>

#include "elastic/far_nodes.h"

// The nodes of an axis about an event that lie at one distance: the distance, and what lies before the node above and
// the one below, in numbers (-1: none).
typedef struct pair {
  int distance, above, below;
} pair;

static inline int pairs_of(const stz_level *level, const nodes *n, int axis, int origin, int stride,
                           pair pairs[WINDOW]) {
  int count = 0;
  const int first = origin / level->spacing - 7;
  for (int i = 0; i < WINDOW; i++) {
    int d, p = 0;
    if (!stz_level_offset(level, axis, origin % level->spacing, i, &d)) break;
    while (p < count && pairs[p].distance != abs(d)) p++;
    if (p == count) pairs[count++] = (pair){abs(d), -1, -1};
    *(d < 0 ? &pairs[p].below : &pairs[p].above) = stride * stz_wrap_once(first + i, n->count[axis]);
  }
  return count;
}

typedef stz_words words;
typedef uint32_t loose_words __attribute__((vector_size(32), aligned(4), may_alias));

// Whether the components 0..4 of node after node change their sign in the images (x,y), (x,-y), (-x,y), (-x,-y): see
// near.c. All bits or none.
#define FIVE(c0, c1, c2)                                                                                               \
  {c0, c1, c2, 0, 0, c0, c1, c2}, {0, 0, c0, c1, c2, 0, 0, c0}, {c1, c2, 0, 0, c0, c1, c2, 0},                         \
      {0, c0, c1, c2, 0, 0, c0, c1}, {                                                                                 \
    c2, 0, 0, c0, c1, c2, 0, 0                                                                                         \
  }
static const words TURNED[4][10] = {{FIVE(0, 0, 0), FIVE(0, 0, 0)},
                                    {FIVE(~0u, ~0u, 0), FIVE(~0u, ~0u, 0)},
                                    {FIVE(~0u, 0, ~0u), FIVE(~0u, 0, ~0u)},
                                    {FIVE(0, ~0u, ~0u), FIVE(0, ~0u, ~0u)}};
#undef FIVE

// How many of the four images of a row there are: all, two opposite along x or along y, or one.
typedef enum image_set { ALL, ALONG_X, ALONG_Y, ALONE } image_set;

// A row of a table and the nodes that its images go to, the first at the signs `base`; begin, end: of its sixteens.
typedef struct deposit {
  const uint32_t *row;
  int32_t *to[4];
  image_set sharing;
  int base, begin, end;
} deposit;

static inline __attribute__((always_inline)) void add_turned(words sum, words turned, int32_t *to) {
  *(loose_words *)to += (sum ^ turned) - turned;
}

// Adds eight numbers k of a row of a table, by strain component, times the strain to the images: out of rounded partial
// sums over the strain's components of equal parity (near.c). e: the strain as the first image sees it, in units; v:
// which eight.
static inline __attribute__((always_inline)) void add_eight(const words k[5], const float e[5], int v,
                                                            image_set sharing, int base, int32_t *const to[4]) {
  const words none = (words){0} + 2 * (uint32_t)STZ_WHOLE_BIAS;
  lanes f[5];
  memcpy(f, k, sizeof f);
  const lanes t0 = e[0] * f[0], t1 = e[1] * f[1], t2 = e[2] * f[2], t3 = e[3] * f[3] + e[4] * f[4];
  if (sharing == ALL) {
    const words even = stz_biased(t3 + t0), odd = stz_biased(t1 + t2), cross = stz_biased(t3 - t0),
                skew = stz_biased(t2 - t1);
    *(loose_words *)(to[0] + 8 * v) += even + odd - none;
    add_turned(cross + skew - none, TURNED[1][v], to[1] + 8 * v);
    add_turned(cross - skew, TURNED[2][v], to[2] + 8 * v);
    add_turned(even - odd, TURNED[3][v], to[3] + 8 * v);
    return;
  }
  const words odd = stz_biased(t0 + (sharing == ALONG_X ? t2 : t1)),
              even = stz_biased(t3 + (sharing == ALONG_X ? t1 : t2));
  add_turned(even + odd - none, TURNED[base][v], to[0] + 8 * v);
  if (sharing == ALONE) return;
  add_turned(even - odd, TURNED[sharing == ALONG_X ? base ^ 2 : base ^ 1][v], to[1] + 8 * v);
}

// Adds a row of a table, sixteen numbers at a time.
static inline __attribute__((always_inline)) void add_row(const deposit *d, const float e[4][5], image_set sharing) {
  for (int q = d->begin; q < d->end; q++) {
    words low[5], high[5];
    for (int c = 0; c < 5; c++) {
      const words both = *(const words *)(const void *)(d->row + c * LINE / 2 + 8 * q);
      low[c] = both << 16;
      high[c] = both & 0xffff0000u;
    }
    add_eight(low, e[d->base], 2 * q, sharing, d->base, d->to);
    add_eight(high, e[d->base], 2 * q + 1, sharing, d->base, d->to);
  }
}

// Where the rows of a plane begin, and which bits count of the numbers before one of them: none if there is the sink
// alone.
typedef struct strip {
  int32_t *begin;
  int bits;
} strip;

static inline strip strip_of(const nodes *n, int x, int along) {
  int32_t *plane = x < 0 ? NULL : n->plane[x];
  return plane ? (strip){plane + along, ~0} : (strip){n->sink, 0};
}

// The images share partial sums, whether a part has their nodes or not: so the bits are the same. near, far: the strips
// of the x of the first and the other.
static inline void fill_deposit(const pair *x, const pair *y, strip near, strip far, deposit *d) {
  const bool both_x = x->above >= 0 && x->below >= 0, both_y = y->above >= 0 && y->below >= 0;
  const int at_y = y->above >= 0 ? y->above : y->below;
  d->base = 2 * (x->above < 0) + (y->above < 0);
  d->sharing = both_x ? both_y ? ALL : ALONG_X : both_y ? ALONG_Y : ALONE;
  d->to[0] = near.begin + (at_y & near.bits);
  d->to[1] = d->sharing == ALONG_X ? far.begin + (at_y & far.bits)
             : both_y              ? near.begin + (y->below & near.bits)
                                   : d->to[0];
  d->to[2] = d->sharing == ALL ? far.begin + (at_y & far.bits) : d->to[0];
  d->to[3] = d->sharing == ALL ? far.begin + (y->below & far.bits) : d->to[0];
}

// The deposits at pairs x and y, of which x are planes of n; `along`: the numbers before the first node of a row. Those
// of one share of `shares`: every so many distances along x, so that all have about as much to do.
static inline int list_deposits(const stz_level *level, int class, const nodes *n, const pair *x, int nx, const pair *y,
                                int ny, int along, int share, int shares, deposit deposits[WINDOW * WINDOW]) {
  int count = 0;
  for (int i = share; i < nx; i += shares) {
    const strip near = strip_of(n, x[i].above >= 0 ? x[i].above : x[i].below, along),
                far = strip_of(n, x[i].above >= 0 ? x[i].below : -1, along);
    if (!near.bits && !far.bits) continue;
    for (int j = 0; j < ny; j++) {
      const int dx = x[i].distance, dy = y[j].distance;
      if (dx * dx + dy * dy > level->range2) continue;
      const size_t row = stz_level_row(level, dx, dy, class);
      deposit *d = &deposits[count++];
      d->row = level->rows + row * STZ_LEVEL_ROW;
      d->begin = 5 * level->span[row][0] / 16;
      d->end = (5 * level->span[row][1] + 4) / 16 + 1;
      fill_deposit(&x[i], &y[j], near, far, d);
    }
  }
  return count;
}

// The strain as the images see it.
static inline void see_strain(const float e[5], float seen[4][5]) {
  const float all[4][5] = {{e[0], e[1], e[2], e[3], e[4]},
                           {-e[0], -e[1], e[2], e[3], e[4]},
                           {-e[0], e[1], -e[2], e[3], e[4]},
                           {e[0], -e[1], -e[2], e[3], e[4]}};
  memcpy(seen, all, sizeof all);
}

static inline __attribute__((always_inline)) void add_deposit(const deposit *d, const float seen[4][5]) {
  switch (d->sharing) {
  case ALL:
    add_row(d, seen, ALL);
    break;
  case ALONG_X:
    add_row(d, seen, ALONG_X);
    break;
  case ALONG_Y:
    add_row(d, seen, ALONG_Y);
    break;
  case ALONE:
    add_row(d, seen, ALONE);
    break;
  }
}

#endif
