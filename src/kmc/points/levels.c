// SPDX-License-Identifier: GPL-3.0-or-later
//
// The levels of the sites: up to which layer their points are looked at, and the ground below all layers.
//
// Of a site `open` holds the level, in layers above the ground, and for each layer up to OWN whether it has a point in
// the queue. A level above OWN reads TALL there; it and the bits of the layers from OWN + 1 on are in `tall`.
#include <string.h>

#include "base/mathfn.h"
#include "base/memory.h"
#include "base/target.h"
#include "kmc/points/inside.h"

enum { LEVEL_BITS = 5, OWN = 32 - LEVEL_BITS, TALL = OWN + 1, TALL_BITS = 7 };
static const uint32_t LEVEL = (1u << LEVEL_BITS) - 1, TALL_LEVEL = (1u << TALL_BITS) - 1;
_Static_assert(STZ_POINTS_HIGHEST - STZ_POINTS_LOWEST <= OWN + 128 - TALL_BITS, "there are layers without a bit");

static const double BELOW = 8.0;     // points below the ground per event, about
static const double ROUNDING = 1e-6; // relative, of levels in single precision
// Of the ground, the least bounds: the load may raise them by a half or more before the next reference, and they may be
// doubled before they are computed anew.
static const double BENEATH = 0.25;

// The bit of layer k above the ground in `open` and in `tall`.
static uint32_t bit_of(int k) { return (uint32_t)1 << (LEVEL_BITS + k - 1); }
static stz_uint128 tall_bit_of(int k) { return (stz_uint128)1 << (TALL_BITS + k - TALL); }

int stz_points_level(const stz_points *x, int32_t number) {
  const int level = (int)(x->open[number] & LEVEL);
  return level < TALL ? level : (int)((uint32_t)x->tall[number] & TALL_LEVEL);
}

// Levels above OWN are rare, and the system gives pages only to those.
bool stz_points_has_tall(stz_points *x) {
  if (!x->tall && STZ_NEW(x->tall, (size_t)x->e->blocks * STZ_ML_SITES) != STZ_OK) x->short_of_memory = true;
  return x->tall;
}

static void set_level(stz_points *x, int32_t number, int level) {
  x->open[number] = (x->open[number] & ~LEVEL) | (uint32_t)(level < TALL ? level : TALL);
  if (level < TALL) return;
  stz_uint128 *tall = &x->tall[number];
  *tall = (*tall & ~(stz_uint128)TALL_LEVEL) | (uint32_t)level;
}

// Notes that layer k of a site has a point in the queue; returns whether it had one.
static bool set_live(stz_points *x, int32_t number, int k) {
  if (k < TALL) {
    const uint32_t before = x->open[number];
    x->open[number] |= bit_of(k);
    return before & bit_of(k);
  }
  const stz_uint128 before = x->tall[number];
  x->tall[number] |= tall_bit_of(k);
  return (before & tall_bit_of(k)) != 0;
}

bool stz_points_is_open(stz_points *x, const stz_point *point) {
  const int k = point->layer - x->at.ground;
  if (point->ground || k <= stz_points_level(x, point->number)) return true;
  if (k < TALL)
    x->open[point->number] &= ~bit_of(k);
  else
    x->tall[point->number] &= ~tall_bit_of(k);
  return false;
}

// Opens the layers of a site up to `level` above the ground. Their first points go to the queue or, if there is one, to
// a worker, who has room for them.
static void open_site(stz_points *x, int32_t number, int level, stz_points_found *found) {
  const int before = stz_points_level(x, number);
  for (int k = before + 1; k <= level; k++) {
    if (set_live(x, number, k)) continue;
    const stz_point point = stz_points_own(x->seed, number, x->at.ground + k, x->at.now);
    if (found)
      found->point[found->points++] = point;
    else
      stz_queue_push(stz_points_queue(x, number), &point);
  }
  if (level <= before) return;
  if (x->raises) stz_tile_note(x->raises, x->at.now, number, before, level);
  set_level(x, number, level);
}

// Whether the layers of a site can be opened: by a worker only within its room and the memory that there is.
static bool may_open(stz_points *x, int level, const stz_points_found *found) {
  if (!found) return level < TALL || stz_points_has_tall(x);
  return level < TALL && found->points + level <= x->ways.room;
}

// Lowers the levels of a row of 8 sites to their bounds, and finds the layers above the ground that hold these; returns
// the lanes in which they are above the level, or may be.
static inline __attribute__((always_inline)) uint32_t lower_levels(const float *bound, float scale, int ground,
                                                                   int kept, uint32_t open[8], int32_t layer[8]) {
  int32_t above[8];
#pragma omp simd
  for (int l = 0; l < 8; l++) {
    const int32_t own = stz_points_layer(bound[l] * scale) - ground, k = own > 0 ? own : 0;
    const int32_t level = (int32_t)(open[l] & LEVEL), low = k + kept < level ? k + kept : level;
    open[l] = (open[l] & ~LEVEL) | (uint32_t)low;
    layer[l] = k;
    above[l] = (k > level) << l;
  }
  return (uint32_t)(((above[0] | above[4]) | (above[2] | above[6])) | ((above[1] | above[5]) | (above[3] | above[7])));
}

// Of a tile, which closes nothing in a window: notes a row in which a level is far above its bound.
static void note_high(const stz_points *x, int32_t row, const int32_t layer[8]) {
  enum { FAR = 4 };
  for (int l = 0; l < 8; l++) {
    if (stz_points_level(x, 8 * row + l) <= layer[l] + FAR) continue;
    stz_tile_note_high(x->raises, row);
    return;
  }
}

// False if a site is left.
static inline __attribute__((always_inline)) bool set_row(stz_points *x, int32_t row, float scale,
                                                          stz_points_found *found) {
  int32_t layer[8];
  uint32_t above =
      lower_levels(x->e->rows8[row].bound, scale, x->at.ground, x->ways.kept, x->open + 8 * (size_t)row, layer);
  if (x->raises) note_high(x, row, layer);
  for (; above; above &= above - 1) {
    const int l = __builtin_ctz(above);
    if (!may_open(x, layer[l], found)) return false;
    open_site(x, 8 * row + l, layer[l], found);
  }
  return true;
}

static int32_t all_rows(const stz_points *x) { return x->e->blocks * STZ_BLOCK_PIECES; }

STZ_MULTIVERSION(void stz_points_set_levels(stz_points *x, const int32_t *rows8, int count)) {
  for (int i = 0; i < count; i++) (void)set_row(x, rows8[i], x->scale, NULL);
}

// A part of the team's work is a tile, whose points go to a queue of its own.
STZ_MULTIVERSION(static void set_tiles(void *context, int64_t first, int64_t end, int worker)) {
  stz_points *x = context;
  const int32_t begin = x->tile_blocks[first] * STZ_BLOCK_PIECES, last = x->tile_blocks[end] * STZ_BLOCK_PIECES;
  const float scale = x->scale;
  (void)worker;
  for (int32_t row = begin; row < last; row++) (void)set_row(x, row, scale, NULL);
}

void stz_points_set_all_levels(stz_points *x) {
  stz_points_take_back(x);
  stz_team *team = x->tiles > 1 && stz_points_has_tall(x) ? stz_grid_team(x->e->grid) : NULL; // a part may not make it
  stz_team_run(team, x->tiles, 1, set_tiles, x);
}

STZ_MULTIVERSION(void stz_points_share_levels(stz_points *x, int worker, const int32_t *rows8, int count)) {
  stz_points_found *found = &x->found[worker];
  for (int i = 0; i < count; i++) {
    if (!set_row(x, rows8[i], x->scale, found)) found->row8[found->rows++] = rows8[i];
  }
}

void stz_points_gather(stz_points *x) {
  for (int worker = 0; worker < stz_team_workers(stz_grid_team(x->e->grid)); worker++) {
    stz_points_found *found = &x->found[worker];
    for (int i = 0; i < found->points; i++) {
      stz_queue_push(stz_points_queue(x, found->point[i].number), &found->point[i]);
    }
    if (found->rows) stz_points_set_levels(x, found->row8, found->rows);
    found->points = found->rows = 0;
  }
}

void stz_points_lay_ground(stz_points *x) {
  stz_points_take_back(x);
  for (int t = 0; t < x->tiles; t++) stz_queue_clear(x->queue[t], x->at.now);
  memset(x->open, 0, (size_t)all_rows(x) * 8 * sizeof *x->open);
  stz_free(x->tall);
  x->tall = NULL;
  for (int b = 0; b < x->e->blocks; b++) {
    const stz_point point = stz_points_ground(x->seed, b, x->at.ground, x->at.now);
    stz_queue_push(stz_points_queue(x, point.number), &point);
  }
}

void stz_points_set_ground(stz_points *x, int ground) {
  const int lowest = STZ_POINTS_LOWEST, highest = STZ_POINTS_HIGHEST;
  x->at.ground = ground < lowest ? lowest : ground > highest ? highest : ground;
  x->at.laid = x->kmc->stats.events;
  x->at.below = 0;
  stz_points_lay_ground(x);
}

int stz_points_ground_for(double rate) { return stz_points_layer((float)(BELOW * rate)); }

void stz_points_set_ahead(stz_points *x, double ahead) {
  x->at.ahead = ahead;
  x->scale = (float)(x->attempt * stz_exp(ahead) * (1.0 + ROUNDING));
}

float stz_points_least(const stz_points *x) { return (float)(BENEATH * stz_points_power(x->at.ground) / x->attempt); }
