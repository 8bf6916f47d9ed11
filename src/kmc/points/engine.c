// SPDX-License-Identifier: GPL-3.0-or-later
//
// The points engine: the field, the bounds and the rows of the multilevel engine, and another way to choose events. Its
// proposals are keyed random points (points.h): an event happens at a point if its height is below the rate of its site
// just before its time. The trajectory is a function of the points, of the sample at the beginning and of the moments
// below, which are functions of the events so far. What else follows only decides at which points to look, by whom and
// when. One rank.
//
// Levels. A site's points are looked at up to its level, the layer that holds its bound times exp(ahead), `ahead` being
// what the load may add before the next look (the bounds hold at the reference of the multilevel engine). A bound that
// rises opens layers: their points after now come in. No layer ever has to be open in advance. A bound that falls
// closes layers: their points are dropped when their time comes.
//
// Rates that count. Bounds hold for events nearby, and for those at a distance as long as the cached stress of a site
// (elastic/near.h) is so near to the true one that the rate is at most exp(margin) times that of the cached stress. A
// rate counts up to there. Both rates are functions of integers that no order of work changes, and all bounds are
// above: so an event that is missed as the cached stress is too old is missed however the work is done.
//
// Moments. Right after some events, as the list of events alone says: cached stresses are brought up to date where many
// events have happened at a distance, and the ground follows the activity.
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
#include "kmc/points/inside.h"
#include "stz/power2.h"

const stz_points_ways stz_points_usual_ways = {.kept = 1,
                                               .step = 0.05,
                                               .spare = 0.9f,
                                               .squeezed = true,
                                               .room = STZ_POINTS_ROOM,
                                               .margin = 1.4,
                                               .target = 1.6,
                                               .missed = 1e-3,
                                               .moments = 32};
static const double WASTE = 16.0; // of the rates: the least bounds together, at most
static const float CHEAP = 2.0f;  // bounds that are loosened still lie below the ground
static const double BARE = 0.02;  // events until the next reference, at most, as long as bounds are put off
enum { DRY = 2048 };              // points below the ground without an event, after which all bounds are set anew
static const double TOLD = 1.001; // factor: margin of the test of a slack over its error
static const double ERRORS = 0.1; // ln: of rates by the sums of cached stresses and of slacks
static const double LEAST = 0.4;  // ln: margin right after an update of the block
static const double SURE = 1.05;  // factor: the slope at another temperature than the reference's, and rounding
static const double LOOSE = 0.02; // rate/bound of a site below which its bound is computed anew

// --- all bounds ---

// All bounds are set at a new reference.
static float plan(void *context) {
  stz_points *x = context;
  const double sites = (double)x->e->blocks * STZ_ML_SITES, mean = x->e->head->activity / sites;
  const int ground = stz_points_ground_for(x->attempt * mean), off = ground - x->at.ground;
  stz_points_set_ahead(x, x->ways.step);
  if (x->at.bare || off > 1 || off < -1) stz_points_set_ground(x, ground);
  x->at.bare = 0;
  x->at.dry = 0;
  return fminf(stz_points_least(x), (float)(WASTE * mean));
}

static void bounded(void *context, const int32_t *rows8, int count) { stz_points_set_levels(context, rows8, count); }

static void share(void *context, int worker, const int32_t *rows8, int count) {
  stz_points_share_levels(context, worker, rows8, count);
}

static void gather(void *context) { stz_points_gather(context); }

// The bounds are put off, and no site has a rate above `most` (1/s).
static void lay_bare(stz_points *x, double most) {
  const int ground = stz_points_layer((float)most);
  if (x->at.bare && ground <= x->at.ground) return;
  stz_points_set_ground(x, ground);
  x->at.bare = 1;
}

// ln of what the load adds to the bounds until the end of a stretch.
static double most_ahead(const stz_ml_stretch *s) {
  return stz_ln(s->raised) + (s->growth > 0.0 ? s->growth * s->length : 0.0);
}

// Raises levels before the load takes bounds above them.
static void look_ahead(stz_points *x, const stz_ml_stretch *s) {
  const double most = most_ahead(s);
  if (most <= x->at.ahead) return;
  stz_points_set_ahead(x, most + x->ways.step);
  stz_points_set_levels(x, NULL, 0);
}

// --- proposals ---

// The first point until `end` in a layer that is open; the one that follows it in its process takes its place.
static bool next_point(stz_points *x, stz_instant end, stz_point *point) {
  while (stz_queue_pop(x->queue, end, point)) {
    __builtin_prefetch(stz_ml_row8(x->e, point->number)->bound);
    if (!stz_points_is_open(x, point)) continue;
    const stz_point next = stz_points_next(x->seed, point);
    stz_queue_push(x->queue, &next);
    x->at.now = point->time;
    x->at.below += point->ground;
    x->at.dry += point->ground;
    return true;
  }
  if (end < STZ_INSTANT_NEVER && end > x->at.now) x->at.now = end;
  return false;
}

static double since(const stz_points *x, stz_instant time, double t0) {
  const stz_instant zero = x->at.origin + stz_instant_of(t0);
  return time > zero ? stz_instant_seconds(time - zero) : 0.0;
}

// The instant of a time of the caller's clock.
static stz_instant instant_at(const stz_points *x, double t) {
  const stz_instant instant = stz_instant_of(t);
  return instant < STZ_INSTANT_NEVER - x->at.origin ? x->at.origin + instant : STZ_INSTANT_NEVER;
}

// While the bounds are put off: whether there is nothing but points above the true rates until `end`. If not, the
// bounds are set, and *point is the first of the others, if `found`.
static stz_err pass_bare(stz_kmc *kmc, const stz_mean_stress *mean, const stz_ml_stretch *s, double limit,
                         stz_instant end, stz_point *point, bool *found) {
  stz_points *x = stz_points_of(kmc);
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
  stz_points *x = stz_points_of(kmc);
  const stz_instant end = instant_at(x, fmin(limit, s->begin + s->length));
  bool found = false;
  stz_point point;
  p->within = INFINITY;
  STZ_TRY(stz_queue_check(x->queue));
  if (x->short_of_memory) return stz_fail(STZ_EINTERNAL, "out of memory for the layers of the sites");
  if (x->e->head->put_off) {
    STZ_TRY(pass_bare(kmc, mean, s, limit, end, &point, &found));
    if (x->e->head->put_off) return STZ_OK;
  }
  look_ahead(x, s);
  for (; found || next_point(x, end, &point); found = false) {
    const double within = since(x, point.time, s->begin);
    const double bound = (double)stz_ml_row8(x->e, point.number)->bound[point.number % 8];
    const double accept = point.height / (kmc->attempt * bound * stz_ml_raised(s, within));
    if (!(accept < 1.0) && x->at.dry < DRY) continue;
    *p = (stz_ml_proposal){.number = point.number,
                           .accept = accept,
                           .height = point.height,
                           .mode = stz_points_uniform(x->seed, &point),
                           .within = within,
                           .elapsed = since(x, point.time, mean->t0),
                           .time_s = stz_instant_seconds(point.time - x->at.origin)};
    return STZ_OK;
  }
  return STZ_OK;
}

// ln: a rate counts up to so far above that of the cached stress. As the drift estimate says how far it may be off.
static double margin_of(const stz_points *x, int32_t number) {
  return LEAST + (x->ways.margin - LEAST) / stz_ml_margin() * stz_ml_drift_estimate(x->e, number);
}

// Whether no stress so near to the cached one can bring a rate above the margin.
static bool is_near(const stz_points *x, int32_t number, double margin) {
  float stress[5], square = 0.0f;
  stz_ml_site_stress(x->e, number, stress);
  for (int c = 0; c < 5; c++) {
    const float off = stress[c] - STZ_CACHED * (float)stz_ml_row8(x->e, number)->cached[c][number % 8];
    square += off * off;
  }
  return SURE * x->e->slope * x->e->most_dress * sqrt((double)square) < margin;
}

// Whether a point below the rate (1/s) of its site is an event; if it is one, what the rate has above what counts is
// noted as missed.
static bool counts(stz_kmc *kmc, const stz_mean_stress *mean, const stz_ml_proposal *p, double margin, double rate) {
  if (is_near(stz_points_of(kmc), p->number, margin)) return true;
  const double most = stz_exp(margin) * kmc->attempt * stz_ml_cached_rates(kmc, mean, p->elapsed, p->number);
  if (rate <= most) return true;
  if (!(p->height < most)) return false;
  kmc->stats.violations++;
  kmc->stats.missed += rate / most - 1.0;
  return true;
}

// Whether its slack alone says that a point is above all that counts of its site's rate.
static bool is_squeezed(const stz_points *x, const stz_ml_proposal *p, double margin) {
  const stz_row8 *row8 = stz_ml_row8(x->e, p->number);
  const double slack = (double)STZ_SLACK * row8->slack[p->number % 8],
               spare = slack + stz_ml_margin() - ERRORS - margin;
  return x->ways.squeezed && slack > 0.0 && (double)row8->bound[p->number % 8] < stz_ml_largest() &&
         p->accept > TOLD * (double)stz_power2((float)(-STZ_LOG2_E * spare));
}

// Whether a point is an event.
static bool consider(stz_kmc *kmc, const stz_mean_stress *mean, double raised, const stz_ml_proposal *p,
                     stz_shear *shear) {
  const stz_points *x = stz_points_of(kmc);
  if (x->at.dry == DRY) stz_ml_tire(x->e);
  if (!(p->accept < 1.0)) return false;
  kmc->stats.candidates++;
  const double margin = margin_of(x, p->number);
  if (is_squeezed(x, p, margin)) {
    kmc->stats.squeezed++;
    return false;
  }
  float rates[STZ_MODES][2];
  const double sum = stz_ml_exact_rates(kmc, mean, p->elapsed, p->number, rates);
  if (!(p->height < kmc->attempt * sum)) {
    const double bound = raised * (double)stz_ml_row8(x->e, p->number)->bound[p->number % 8];
    if (sum < LOOSE * bound) stz_ml_bound_cached(kmc, p->number, stz_ml_recovery_at(kmc, mean, p->elapsed));
    return false;
  }
  if (!counts(kmc, mean, p, margin, kmc->attempt * sum)) return false;
  stz_ml_choose(kmc, p->number, (const float(*)[2])rates, p->mode * sum, shear);
  return true;
}

static stz_err points_next(stz_kmc *kmc, const stz_mean_stress *mean, double limit, stz_event *event, bool *found) {
  return stz_ml_search(kmc, mean, limit, propose, consider, event, found);
}

// --- the engine ---

void stz_points_set_ways(stz_kmc *kmc, const stz_points_ways *ways) {
  stz_points *x = stz_points_of(kmc);
  x->ways = *ways;
  x->e->spare = ways->spare;
  x->e->missed = ways->missed;
}

static stz_err points_create(stz_kmc *kmc) {
  stz_points *x = NULL;
  STZ_TRY(stz_ml_create(kmc));
  stz_multilevel *e = kmc->state;
  const size_t sites = (size_t)e->blocks * STZ_ML_SITES;
  STZ_TRY(STZ_NEW(x, 1));
  e->waste = WASTE;
  e->cheap = CHEAP;
  e->selection = (stz_ml_selection){
      .bounded = bounded, .plan = plan, .share = share, .gather = gather, .context = x, .rows8 = x->told};
  *x = (stz_points){.seed = kmc->seed, .attempt = kmc->attempt, .kmc = kmc, .e = e};
  stz_points_set_ways(kmc, &stz_points_usual_ways);
  x->at.bare = 1; // the first plan lays a ground
  STZ_TRY(STZ_NEW(x->open, sites));
  STZ_TRY(STZ_NEW(x->found, stz_team_workers(stz_grid_team(e->grid))));
  return stz_queue_create(&x->queue);
}

static void points_destroy(stz_kmc *kmc) {
  stz_points *x = kmc->state ? stz_points_of(kmc) : NULL;
  if (x) {
    stz_queue_destroy(&x->queue);
    stz_free(x->open);
    stz_free(x->tall);
    stz_free(x->found);
    stz_free(x);
  }
  stz_ml_destroy(kmc);
}

static double points_bytes(const stz_kmc *kmc) {
  const stz_points *x = stz_points_of(kmc);
  const double sites = (double)x->e->blocks * STZ_ML_SITES;
  return stz_ml_bytes(kmc) + sizeof *x->open + (double)stz_queue_bytes(x->queue) / sites;
}

static void points_new_clock(stz_kmc *kmc) {
  stz_points *x = stz_points_of(kmc);
  x->at.origin = instant_at(x, kmc->drive.t0);
}

static void points_save(const stz_kmc *kmc, void *own) {
  memcpy(own, &stz_points_of(kmc)->at, sizeof(stz_points_standing));
}

static void points_restore(stz_kmc *kmc, const void *own) {
  stz_points *x = stz_points_of(kmc);
  stz_ml_restore(kmc, own);
  memcpy(&x->at, own, sizeof x->at);
  stz_points_set_ahead(x, x->at.ahead);
  x->e->selection.least = stz_points_least(x);
  stz_points_lay_ground(x);
  if (!x->at.bare) stz_points_set_levels(x, NULL, 0);
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
    .remake = stz_ml_remake,
    .next = points_next,
    .begin = stz_ml_begin,
    .add_stress = stz_points_add_stress,
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
