// SPDX-License-Identifier: GPL-3.0-or-later
//
// The points engine: the field, the bounds and the rows of the multilevel engine, and another way to choose events. Its
// proposals are keyed random points (points.h): an event happens at a point if its height is below the rate of its site
// just before its time. The trajectory is a function of the points and of the sample at the beginning alone. What
// follows only decides at which points to look. One rank.
//
// Levels. A site's points are looked at up to its level, the layer that holds its bound times exp(ahead), `ahead` being
// what the load may add before the next look (the bounds hold at the reference of the multilevel engine). A bound that
// rises opens layers: their points after now come in. No layer ever has to be open in advance. A bound that falls
// closes layers: their points are dropped when their time comes.
//
// Ground. Sites with low bounds are many. Their points lie below a ground at one height, one process per block. When
// the activity has moved by a factor of four and more, the ground moves: after that time the points are others, of
// which nobody has seen any, so that the law is the same.
//
// Bare. As long as setting the bounds is put off (multilevel/engine.c), all points lie below a ground that is above
// the sum of all rates. There are few, and each is held against the true rate.
//
// Queue. It holds the next point of each block's ground and of each open layer: no more is ever made than needed.
#include <math.h>
#include <string.h>

#include "base/mathfn.h"
#include "base/memory.h"
#include "base/target.h"
#include "kmc/multilevel/multilevel.h"
#include "kmc/points/points.h"
#include "kmc/points/queue.h"

static const double STEP = 0.15;       // ln: the load may add so much to the bounds before levels are raised
static const double BELOW = 16.0;      // points below the ground per event, about
static const double WASTE = 4.0;       // the least bounds lie below the ground, where points are looked at in any case,
static const float CHEAP = 2.0f;       // and bounds that are loosened do so as well, so that they open no layer
static const double BARE = 0.02;       // events until the next reference, at most, as long as bounds are put off
static const double ROUNDING = 1e-6;   // relative, of levels in single precision
enum { SEEN = 1024, MOST_BELOW = 32 }; // points below the ground between looks at it; most per event
enum { LEVEL_BITS = 5, OWN = 32 - LEVEL_BITS }; // layers of a site above the ground, at most
enum { KEPT = 1 };                              // layers that stay open above those that a bound needs
static const uint32_t LEVEL = (1u << LEVEL_BITS) - 1;

// What a restart needs. The rest follows from it and from the bounds.
typedef struct standing {
  stz_instant origin, now; // of the time 0 of the caller's clock; up to when points have been looked at
  double ahead;            // ln: levels hold until bounds have grown by this
  uint64_t laid, below;    // events when the ground was laid; points below it since
  int ground;
  int bare, shallow; // shallow: a level is too high above the ground
} standing;
_Static_assert(sizeof(standing) <= STZ_ENGINE_SAVED_BYTES, "the engine's saved state does not fit");

typedef struct points {
  standing at;
  uint64_t seed;
  double attempt;
  const stz_multilevel *e;
  float scale;               // of bounds, 1/s: up to where points are looked at
  int32_t told[STZ_ML_TOLD]; // rows whose bounds have changed
  uint32_t *open; // of a site: its level above the ground (low bits), and which layers have a point in the queue
  stz_queue *queue;
} points;

static points *points_of(const stz_kmc *kmc) { return ((const stz_multilevel *)kmc->state)->selection.context; }

// --- levels ---

// The bit of a layer in `open`.
static uint32_t live_bit(const points *x, int layer) { return (uint32_t)1 << (LEVEL_BITS + layer - x->at.ground - 1); }

// Opens the layers of a site up to `level` above the ground.
static void open_site(points *x, int32_t number, int level) {
  uint32_t open = x->open[number];
  if (level > OWN) x->at.shallow = 1;
  const int highest = level > OWN ? OWN : level;
  for (int k = (int)(open & LEVEL) + 1; k <= highest; k++) {
    const int layer = x->at.ground + k;
    if (open & live_bit(x, layer)) continue;
    const stz_point point = stz_points_own(x->seed, number, layer, x->at.now);
    stz_queue_push(x->queue, &point);
    open |= live_bit(x, layer);
  }
  x->open[number] = (open & ~LEVEL) | (uint32_t)highest;
}

// Lowers the levels of a row of 8 sites to their bounds, and finds the layers above the ground that hold these; returns
// the lanes in which they are above the level.
static inline __attribute__((always_inline)) uint32_t lower_levels(const float *bound, float scale, int ground,
                                                                   uint32_t open[8], int32_t layer[8]) {
  int32_t above[8];
#pragma omp simd
  for (int l = 0; l < 8; l++) {
    const int32_t own = stz_points_layer(bound[l] * scale) - ground, k = own > 0 ? own : 0;
    const int32_t level = (int32_t)(open[l] & LEVEL), low = k + KEPT < level ? k : level;
    open[l] = (open[l] & ~LEVEL) | (uint32_t)low;
    layer[l] = k;
    above[l] = (k > level) << l;
  }
  return (uint32_t)(((above[0] | above[4]) | (above[2] | above[6])) | ((above[1] | above[5]) | (above[3] | above[7])));
}

static inline __attribute__((always_inline)) void set_row(points *x, int32_t row, float scale) {
  int32_t layer[8];
  uint32_t above = lower_levels(x->e->rows8[row].bound, scale, x->at.ground, x->open + 8 * (size_t)row, layer);
  for (; above; above &= above - 1) {
    const int l = __builtin_ctz(above);
    open_site(x, 8 * row + l, layer[l]);
  }
}

static int32_t all_rows(const points *x) { return x->e->blocks * STZ_BLOCK_PIECES; }

// Sets the levels of rows of 8 sites by their bounds; NULL: of all.
STZ_MULTIVERSION(static void set_levels(points *x, const int32_t *rows8, int count)) {
  const float scale = x->scale;
  const int32_t all = rows8 ? 0 : all_rows(x);
  for (int32_t row = 0; row < all; row++) set_row(x, row, scale);
  for (int i = 0; i < count; i++) set_row(x, rows8[i], scale);
}

// Fills the queue with the points below the ground, and with no others.
static void lay_ground(points *x) {
  stz_queue_clear(x->queue, x->at.now);
  memset(x->open, 0, (size_t)all_rows(x) * 8 * sizeof *x->open);
  for (int b = 0; b < x->e->blocks; b++) {
    const stz_point point = stz_points_ground(x->seed, b, x->at.ground, x->at.now);
    stz_queue_push(x->queue, &point);
  }
}

// Moves the ground.
static void set_ground(points *x, int ground) {
  const int lowest = STZ_POINTS_LOWEST, highest = STZ_POINTS_HIGHEST - OWN;
  x->at.ground = ground < lowest ? lowest : ground > highest ? highest : ground;
  x->at.shallow = 0;
  lay_ground(x);
}

static void set_ahead(points *x, double ahead) {
  x->at.ahead = ahead;
  x->scale = (float)(x->attempt * stz_exp(ahead) * (1.0 + ROUNDING));
}

// The ground that fits an activity (attempt rates).
static int ground_for(const points *x, double activity) {
  return stz_points_layer((float)(BELOW * x->attempt * activity / (8.0 * all_rows(x))));
}

// All bounds are new, at a new reference.
static void plan(points *x) {
  const int ground = ground_for(x, x->e->head->activity), off = ground - x->at.ground;
  set_ahead(x, STEP);
  if (x->at.bare || x->at.shallow || off > 1 || off < -1) set_ground(x, ground);
  x->at.bare = 0;
  set_levels(x, NULL, 0);
}

// Lowers the ground when the events have become much fewer than the points below it.
static void follow_activity(points *x, uint64_t events) {
  const stz_ml_head *h = x->e->head;
  if (x->at.below < SEEN) return;
  const bool many = x->at.below > MOST_BELOW * (events - x->at.laid);
  const int ground = many ? ground_for(x, h->total * h->accepted) : x->at.ground;
  if (ground < x->at.ground) {
    set_ground(x, ground);
    set_levels(x, NULL, 0);
  }
  x->at.laid = events;
  x->at.below = 0;
}

static void bounded(void *context, const int32_t *rows8, int count) {
  points *x = context;
  if (rows8)
    set_levels(x, rows8, count);
  else
    plan(x);
}

// The bounds are put off, and no site has a rate above `most` (1/s).
static void lay_bare(points *x, double most) {
  const int ground = stz_points_layer((float)most);
  if (x->at.bare && ground <= x->at.ground) return;
  set_ground(x, ground);
  x->at.bare = 1;
}

// ln of what the load adds to the bounds until the end of a stretch.
static double most_ahead(const stz_ml_stretch *s) {
  return stz_ln(s->raised) + (s->growth > 0.0 ? s->growth * s->length : 0.0);
}

// Raises levels before the load takes bounds above them.
static void look_ahead(points *x, const stz_ml_stretch *s) {
  const double most = most_ahead(s);
  if (x->at.shallow) {
    set_ground(x, x->at.ground + OWN / 2);
  } else if (most <= x->at.ahead) {
    return;
  }
  set_ahead(x, fmax(x->at.ahead, most + STEP));
  set_levels(x, NULL, 0);
}

// --- proposals ---

// The first point until `end` in a layer that is open; the one that follows it in its process takes its place.
static bool next_point(points *x, stz_instant end, stz_point *point) {
  while (stz_queue_pop(x->queue, end, point)) {
    uint32_t *open = &x->open[point->number];
    __builtin_prefetch(stz_ml_row8(x->e, point->number)->bound);
    if (!point->ground && point->layer > x->at.ground + (int)(*open & LEVEL)) {
      *open &= ~live_bit(x, point->layer);
      continue;
    }
    const stz_point next = stz_points_next(x->seed, point);
    stz_queue_push(x->queue, &next);
    x->at.now = point->time;
    x->at.below += point->ground;
    return true;
  }
  if (end < STZ_INSTANT_NEVER && end > x->at.now) x->at.now = end;
  return false;
}

static double since(const points *x, stz_instant time, double t0) {
  const stz_instant zero = x->at.origin + stz_instant_of(t0);
  return time > zero ? stz_instant_seconds(time - zero) : 0.0;
}

// The instant of a time of the caller's clock.
static stz_instant instant_at(const points *x, double t) {
  const stz_instant instant = stz_instant_of(t);
  return instant < STZ_INSTANT_NEVER - x->at.origin ? x->at.origin + instant : STZ_INSTANT_NEVER;
}

// While the bounds are put off: whether there is nothing but points above the true rates until `end`. If not, the
// bounds are set, and *point is the first of the others, if `found`.
static stz_err pass_bare(stz_kmc *kmc, const stz_mean_stress *mean, const stz_ml_stretch *s, double limit,
                         stz_instant end, stz_point *point, bool *found) {
  points *x = points_of(kmc);
  const stz_ml_head *h = x->e->head;
  const double most = 1.01 * kmc->attempt * h->activity * stz_exp(h->ahead + most_ahead(s));
  *found = false;
  if (most * fmin(s->length, limit - s->begin) < BARE) {
    lay_bare(x, most);
    do {
      float rates[STZ_MODES][2];
      if (!next_point(x, end, point)) return STZ_OK;
      *found = point->height <
               kmc->attempt * stz_ml_exact_rates(kmc, mean, since(x, point->time, mean->t0), point->number, rates);
    } while (!*found);
  }
  const double sum = stz_ml_most(x->e);
  STZ_TRY(stz_ml_rebound_all(kmc, stz_ml_recovery_at(kmc, mean, s->start), s->begin));
  return stz_ml_check_sum(h->total, sum, s->begin);
}

static stz_err propose(stz_kmc *kmc, const stz_mean_stress *mean, const stz_ml_stretch *s, double limit,
                       stz_ml_proposal *p) {
  points *x = points_of(kmc);
  const stz_instant end = instant_at(x, fmin(limit, s->begin + s->length));
  bool found = false;
  stz_point point;
  p->within = INFINITY;
  STZ_TRY(stz_queue_check(x->queue));
  if (x->e->head->put_off) {
    STZ_TRY(pass_bare(kmc, mean, s, limit, end, &point, &found));
    if (x->e->head->put_off) return STZ_OK;
  }
  look_ahead(x, s);
  follow_activity(x, kmc->stats.events);
  for (; found || next_point(x, end, &point); found = false) {
    const double within = since(x, point.time, s->begin);
    const double bound = (double)stz_ml_row8(x->e, point.number)->bound[point.number % 8];
    const double accept = point.height / (kmc->attempt * bound * stz_ml_raised(s, within));
    if (!(accept < 1.0)) continue;
    *p = (stz_ml_proposal){.number = point.number,
                           .accept = accept,
                           .mode = stz_points_uniform(x->seed, &point),
                           .within = within,
                           .elapsed = since(x, point.time, mean->t0),
                           .time_s = stz_instant_seconds(point.time - x->at.origin)};
    return STZ_OK;
  }
  return STZ_OK;
}

static stz_err points_next(stz_kmc *kmc, const stz_mean_stress *mean, double limit, stz_event *event, bool *found) {
  return stz_ml_search(kmc, mean, limit, propose, event, found);
}

// --- the engine ---

static stz_err points_create(stz_kmc *kmc) {
  points *x = NULL;
  STZ_TRY(stz_ml_create(kmc));
  stz_multilevel *e = kmc->state;
  const size_t sites = (size_t)e->blocks * STZ_ML_SITES;
  STZ_TRY(STZ_NEW(x, 1));
  e->waste = WASTE;
  e->cheap = CHEAP;
  e->selection = (stz_ml_selection){.bounded = bounded, .context = x, .rows8 = x->told};
  *x = (points){.seed = kmc->seed, .attempt = kmc->attempt, .e = e};
  x->at.bare = 1; // the first plan lays a ground
  STZ_TRY(STZ_NEW(x->open, sites));
  return stz_queue_create(&x->queue);
}

static void points_destroy(stz_kmc *kmc) {
  points *x = kmc->state ? points_of(kmc) : NULL;
  if (x) {
    stz_queue_destroy(&x->queue);
    stz_free(x->open);
    stz_free(x);
  }
  stz_ml_destroy(kmc);
}

static double points_bytes(const stz_kmc *kmc) {
  const points *x = points_of(kmc);
  const double sites = 8.0 * all_rows(x);
  return stz_ml_bytes(kmc) + sizeof *x->open + (double)stz_queue_bytes(x->queue) / sites;
}

static void points_new_clock(stz_kmc *kmc) {
  points *x = points_of(kmc);
  x->at.origin = instant_at(x, kmc->drive.t0);
}

static void points_save(const stz_kmc *kmc, void *own) { memcpy(own, &points_of(kmc)->at, sizeof(standing)); }

static void points_restore(stz_kmc *kmc, const void *own) {
  points *x = points_of(kmc);
  stz_ml_restore(kmc, own);
  memcpy(&x->at, own, sizeof x->at);
  set_ahead(x, x->at.ahead);
  lay_ground(x);
  if (!x->at.bare) set_levels(x, NULL, 0);
}

// Beside the multilevel engine: levels, layers, and some points per site.
static void points_cost(double sites, int ranks, bool random, stz_engine_cost *cost) {
  stz_ml_cost(sites, ranks, random, cost);
  cost->bytes += (double)stz_alloc_bytes((size_t)(25.0 * sites));
}

const stz_engine stz_engine_points = {
    .cost = points_cost,
    .create = points_create,
    .destroy = points_destroy,
    .next = points_next,
    .add_stress = stz_ml_add_stress,
    .rates = stz_ml_rates,
    .stress = stz_ml_stress,
    .site_stress = stz_ml_stress_of,
    .self_stress = stz_ml_self_stress,
    .bytes_per_site = points_bytes,
    .fields = stz_ml_fields,
    .save = points_save,
    .restore = points_restore,
    .block = stz_ml_block,
    .new_clock = points_new_clock,
};
