// SPDX-License-Identifier: GPL-3.0-or-later
#include "elastic/far.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/target.h"
#include "elastic/film_total.h"
#include "elastic/fixed.h"
#include "elastic/total.h"

enum { WINDOW = STZ_LEVEL_WINDOW, LINE = STZ_LEVEL_LINE, BEFORE = 8, BEYOND = WINDOW, GRIDS = STZ_LEVELS + 1 };

// Nodes of one spacing: rows along z, [x][y][z][c], so that what an event changes lies together. It adds to 16 nodes
// that may run on beyond the last one: these belong to the first nodes and are added to them when they are read. Zeros
// before each row let any reading run on.
typedef struct nodes {
  int spacing, count[3], row; // row: BEFORE + count + BEYOND nodes
  bool open;                  // a film's: the nodes beyond the ends are others
  int32_t *value;             // in the split's units
  const float (*spline)[4];
} nodes;

// The part that is convolved: what events have put on the nodes.
typedef struct coarse {
  stz_total *total;
  int64_t *source; // strain [c][x][y][z], STZ_FINE a unit
  float spline[STZ_COARSE][4];
} coarse;

struct stz_far {
  const stz_split *split;
  int grids;
  nodes grid[GRIDS];
  coarse coarse;
  size_t bytes;
  char *state;
};

static size_t values(const nodes *n) {
  return 5 * ((size_t)n->count[0] * (size_t)n->count[1] * (size_t)n->row + BEFORE);
}

// Node z of a row; z may be from -BEFORE on.
static int32_t *node_of(const nodes *n, int x, int y, int z) {
  return n->value + 5 * (((size_t)x * (size_t)n->count[1] + (size_t)y) * (size_t)n->row + (size_t)(BEFORE + z));
}

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

// The node z of a row where reading or adding begins.
static int begin_at(const nodes *n, int z) { return n->open ? z : stz_wrap_once(z, n->count[2]); }

// A film's operator is the split's.
static stz_err make_coarse(stz_team *team, const stz_split *split, const stz_elastic *elastic, const nodes *n,
                           coarse *k) {
  for (int r = 0; r < STZ_COARSE; r++) stz_split_spline(STZ_COARSE, r, k->spline[r]);
  if (split->film) return STZ_OK;
  return stz_total_create_of(team, n->count, stz_split_coarse, &(stz_split_source){split, elastic}, &k->total);
}

stz_err stz_far_create(stz_team *team, const stz_split *split, const stz_elastic *elastic, stz_far **far) {
  stz_far *f = NULL;
  *far = NULL;
  STZ_TRY(STZ_NEW(f, 1));
  f->split = split;
  f->grids = split->levels + split->coarse;
  for (int g = 0; g < split->levels; g++) {
    set_level(split, &split->level[g], &f->grid[g]);
    f->bytes += values(&f->grid[g]) * sizeof(int32_t);
  }
  stz_err err = STZ_OK;
  nodes *last = &f->grid[STZ_LEVELS];
  if (split->coarse) {
    set_nodes(split->cells, STZ_COARSE, (const float(*)[4])f->coarse.spline, last);
    f->bytes += values(last) * sizeof(int32_t) + 5 * coarse_sites(last) * sizeof(int64_t);
    err = make_coarse(team, split, elastic, last, &f->coarse);
  }
  if (err == STZ_OK) err = STZ_NEW(f->state, f->bytes);
  if (err != STZ_OK) {
    stz_far_destroy(&f);
    return err;
  }
  char *at = f->state;
  if (split->coarse) {
    f->coarse.source = (int64_t *)(void *)at;
    at += 5 * coarse_sites(last) * sizeof(int64_t);
  }
  for (int g = 0; g < f->grids; g++) {
    f->grid[g].value = (int32_t *)(void *)at;
    at += values(&f->grid[g]) * sizeof(int32_t);
  }
  *far = f;
  return STZ_OK;
}

void stz_far_destroy(stz_far **far) {
  stz_far *f = *far;
  if (!f) return;
  stz_total_destroy(&f->coarse.total);
  stz_free(f->state);
  stz_free(f);
  *far = NULL;
}

void stz_far_clear(stz_far *far) { memset(far->state, 0, far->bytes); }

bool stz_far_in_range(const stz_far *far) {
  int32_t magnitudes = 0;
  const char *end = far->state + far->bytes;
  for (const int32_t *at = far->grid[0].value; (const char *)at < end; at++) magnitudes |= *at < 0 ? ~*at : *at;
  return magnitudes >> 30 == 0;
}

void *stz_far_state(stz_far *far, size_t *bytes) {
  *bytes = far->bytes;
  return far->state;
}

// --- adding events ---

// The nodes of an axis about an event that lie at one distance: the distance, and what lies before the node above and
// the one below, in numbers (-1: none).
typedef struct pair {
  int distance, above, below;
} pair;

static int pairs_of(const stz_level *level, const nodes *n, int axis, int origin, int stride, pair pairs[WINDOW]) {
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

typedef stz_lanes lanes;
typedef stz_words words;
typedef uint32_t loose_words __attribute__((vector_size(32), aligned(4), may_alias));
typedef int32_t loose_wholes __attribute__((vector_size(32), aligned(4), may_alias));

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

static void fill_deposit(const pair *x, const pair *y, int32_t *grid, deposit *d) {
  const bool both_x = x->above >= 0 && x->below >= 0, both_y = y->above >= 0 && y->below >= 0;
  const int at_x = x->above >= 0 ? x->above : x->below, at_y = y->above >= 0 ? y->above : y->below;
  d->base = 2 * (x->above < 0) + (y->above < 0);
  d->sharing = both_x ? both_y ? ALL : ALONG_X : both_y ? ALONG_Y : ALONE;
  d->to[0] = grid + at_x + at_y;
  d->to[1] = d->sharing == ALONG_X ? grid + x->below + at_y : both_y ? grid + at_x + y->below : d->to[0];
  d->to[2] = d->sharing == ALL ? grid + x->below + at_y : d->to[0];
  d->to[3] = d->sharing == ALL ? grid + x->below + y->below : d->to[0];
}

// Those of one share of `shares`: every so many distances along x, so that all have about as much to do.
static int deposits_of(const stz_level *level, const nodes *n, const int origin[3], int share, int shares,
                       deposit deposits[WINDOW * WINDOW]) {
  pair px[WINDOW], py[WINDOW];
  const int h = level->spacing, line = 5 * n->row, class = stz_level_class(level, origin[2]);
  const int nx = pairs_of(level, n, 0, origin[0], line * n->count[1], px),
            ny = pairs_of(level, n, 1, origin[1], line, py);
  int32_t *grid = node_of(n, 0, 0, begin_at(n, origin[2] / h - 7));
  int count = 0;
  for (int i = share; i < nx; i += shares) {
    for (int j = 0; j < ny; j++) {
      const int dx = px[i].distance, dy = py[j].distance;
      if (dx * dx + dy * dy > level->range2) continue;
      const size_t row = stz_level_row(level, dx, dy, class);
      deposit *d = &deposits[count++];
      d->row = level->rows + row * STZ_LEVEL_ROW;
      d->begin = 5 * level->span[row][0] / 16;
      d->end = (5 * level->span[row][1] + 4) / 16 + 1;
      fill_deposit(&px[i], &py[j], grid, d);
    }
  }
  return count;
}

static inline __attribute__((always_inline)) void prefetch(const deposit *d) {
  const int images = d->sharing == ALL ? 4 : d->sharing == ALONE ? 1 : 2;
  for (int q = d->begin; q < d->end; q++) {
    for (int c = 0; c < 5; c++) __builtin_prefetch(d->row + c * LINE / 2 + 8 * q);
    for (int image = 0; image < images; image++) __builtin_prefetch(d->to[image] + 16 * q, 1);
  }
}

STZ_MULTIVERSION(static void add_to_level(const stz_level *level, const nodes *n, const int origin[3], const float e[5],
                                          int share, int shares)) {
  enum { AHEAD = 2 };
  const float seen[4][5] = {{e[0], e[1], e[2], e[3], e[4]},
                            {-e[0], -e[1], e[2], e[3], e[4]},
                            {-e[0], e[1], -e[2], e[3], e[4]},
                            {e[0], -e[1], -e[2], e[3], e[4]}};
  deposit deposits[WINDOW * WINDOW];
  const int count = deposits_of(level, n, origin, share, shares, deposits);
  for (int i = 0; i < AHEAD && i < count; i++) prefetch(&deposits[i]);
  for (int i = 0; i < count; i++) {
    const deposit *d = &deposits[i];
    if (i + AHEAD < count) prefetch(d + AHEAD);
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

// Which parts of a row make up the nodes from z on: what events have carried beyond the last node belongs to the first.
typedef struct images {
  int z[3], count;
} images;

static images images_of(const nodes *n, int z, int length) {
  images i = {{z}, 1};
  if (n->open) return i;
  if (z < WINDOW) i.z[i.count++] = z + n->count[2];
  if (z + length > n->count[2]) i.z[i.count++] = z - n->count[2];
  return i;
}

static inline __attribute__((always_inline)) lanes at_nodes(const int32_t *value) {
  return __builtin_convertvector(*(const loose_wholes *)value, lanes);
}

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
  float sum[24];
  memcpy(sum, &s0, sizeof s0);
  memcpy(sum + 8, &s1, sizeof s1);
  memcpy(sum + 16, &s2, sizeof s2);
  for (int c = 0; c < 5; c++) {
    stress[c] += unit * ((wz[0] * sum[c] + wz[1] * sum[5 + c]) + (wz[2] * sum[10 + c] + wz[3] * sum[15 + c]));
  }
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
