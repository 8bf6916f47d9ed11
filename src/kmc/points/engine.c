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
#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/mathfn.h"
#include "base/memory.h"
#include "kmc/points/ahead.h"
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
static const double TOLD = 1.001; // factor: margin of the test of a slack over its error
static const double FEW = 1e-3;   // events per site: setting all levels costs more than to look at points too high
static const double MOST = 0.4;   // ln: largest step of the levels
static const double ERRORS = 0.1; // ln: of rates by the sums of cached stresses and of slacks
static const double LEAST = 0.4;  // ln: margin right after an update of the block
static const double SURE = 1.05;  // factor: the slope at another temperature than the reference's, and rounding
static const double LOOSE = 0.02; // rate/bound of a site below which its bound is computed anew

// --- all bounds ---

// By how much all levels are set above what the load has added to the bounds: the farther, the fewer events happen
// until they are set again.
static double stride(stz_points *x) {
  const uint64_t events = x->kmc->stats.events;
  const double sites = (double)x->e->blocks * STZ_ML_SITES, since = (double)(events - x->set_at);
  x->stride = since < FEW * sites ? fmin(2.0 * x->stride, fmax(MOST, x->ways.step)) : x->ways.step;
  x->set_at = events;
  return x->stride;
}

// All bounds are set at a new reference.
static float plan(void *context) {
  stz_points *x = context;
  const double sites = (double)x->e->blocks * STZ_ML_SITES, mean = x->e->head->activity / sites;
  const int ground = stz_points_ground_for(x->attempt * mean), off = ground - x->at.ground;
  stz_points_set_ahead(x, stride(x));
  if (x->at.bare || off > 1 || off < -1) stz_points_set_ground(x, ground);
  x->at.bare = 0;
  x->at.dry = 0;
  return fminf(stz_points_least(x), (float)(WASTE * mean));
}

static void bounded(void *context, const int32_t *rows8, int count) {
  if (rows8)
    stz_points_set_levels(context, rows8, count);
  else
    stz_points_set_all_levels(context);
}

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

double stz_points_most_ahead(const stz_ml_stretch *s) {
  return stz_ln(s->raised) + (s->growth > 0.0 ? s->growth * s->length : 0.0);
}

// Raises levels before the load takes bounds above them.
static void look_ahead(stz_points *x, const stz_ml_stretch *s) {
  const double most = stz_points_most_ahead(s);
  if (most <= x->at.ahead) return;
  stz_points_set_ahead(x, most + stride(x));
  stz_points_set_all_levels(x);
}

// --- proposals ---

double stz_points_since(const stz_points *x, stz_instant time, double t0) {
  const stz_instant zero = x->at.origin + stz_instant_of(t0);
  return time > zero ? stz_instant_seconds(time - zero) : 0.0;
}

stz_instant stz_points_instant(const stz_points *x, double t) {
  const stz_instant instant = stz_instant_of(t);
  return instant < STZ_INSTANT_NEVER - x->at.origin ? x->at.origin + instant : STZ_INSTANT_NEVER;
}

// While the bounds are put off: whether there is nothing but points above the true rates until `end`. If not, the
// bounds are set, and *point is the first of the others, if `found`.
static stz_err pass_bare(stz_kmc *kmc, const stz_mean_stress *mean, const stz_ml_stretch *s, double limit,
                         stz_instant end, stz_point *point, bool *found) {
  stz_points *x = stz_points_of(kmc);
  const stz_ml_head *h = x->e->head;
  const double most = 1.01 * kmc->attempt * h->activity * stz_exp(h->ahead + stz_points_most_ahead(s));
  *found = false;
  if (most * fmin(s->length, limit - s->begin) < BARE) {
    lay_bare(x, most);
    do {
      float rates[STZ_MODES][2];
      if (!stz_points_take(x, end, point)) return STZ_OK;
      *found = point->height < kmc->attempt * stz_ml_exact_rates(kmc, mean, stz_points_since(x, point->time, mean->t0),
                                                                 point->number, rates);
    } while (!*found);
  }
  const double sum = stz_ml_most(x->e);
  STZ_TRY(stz_ml_rebound_all(kmc, stz_ml_recovery_at(kmc, mean, s->start), s->begin));
  return stz_ml_check_sum(h->total, sum, s->begin);
}

stz_ml_proposal stz_points_proposal(const stz_points *x, const stz_mean_stress *mean, const stz_ml_stretch *s,
                                    const stz_point *point) {
  const double within = stz_points_since(x, point->time, s->begin);
  const double bound = (double)stz_ml_row8(x->e, point->number)->bound[point->number % 8];
  return (stz_ml_proposal){.number = point->number,
                           .accept = point->height / (x->attempt * bound * stz_ml_raised(s, within)),
                           .height = point->height,
                           .mode = stz_points_uniform(x->seed, point),
                           .within = within,
                           .elapsed = stz_points_since(x, point->time, mean->t0),
                           .time_s = stz_instant_seconds(point->time - x->at.origin)};
}

static stz_err check_memory(const stz_points *x) {
  for (int t = 0; t < x->tiles; t++) STZ_TRY(stz_queue_check(x->queue[t]));
  return x->short_of_memory ? stz_fail(STZ_EINTERNAL, "out of memory for the layers of the sites") : STZ_OK;
}

static stz_err propose(stz_kmc *kmc, const stz_mean_stress *mean, const stz_ml_stretch *s, double limit,
                       stz_ml_proposal *p) {
  stz_points *x = stz_points_of(kmc);
  const stz_instant end = stz_points_instant(x, fmin(limit, s->begin + s->length));
  bool found = false;
  stz_point point;
  p->within = INFINITY;
  STZ_TRY(check_memory(x));
  if (x->e->head->put_off) {
    STZ_TRY(pass_bare(kmc, mean, s, limit, end, &point, &found));
    if (x->e->head->put_off) return STZ_OK;
  }
  look_ahead(x, s);
  for (; found || stz_points_take(x, end, &point); found = false) {
    *p = stz_points_proposal(x, mean, s, &point);
    if (p->accept < 1.0 || x->at.dry >= STZ_POINTS_DRY) return STZ_OK;
  }
  p->within = INFINITY;
  return STZ_OK;
}

// As the drift estimate says how far it may be off.
double stz_points_margin(const stz_points *x, int32_t number) {
  return LEAST + (x->ways.margin - LEAST) / stz_ml_margin() * stz_ml_drift_estimate(x->e, number);
}

bool stz_points_near(const stz_points *x, const float stress[5], const int16_t cached[5], double margin) {
  float square = 0.0f;
  for (int c = 0; c < 5; c++) {
    const float off = stress[c] - STZ_CACHED * (float)cached[c];
    square += off * off;
  }
  return SURE * x->e->slope * x->e->most_dress * sqrt((double)square) < margin;
}

static bool is_near(const stz_points *x, int32_t number, double margin) {
  float stress[5];
  int16_t cached[5];
  stz_ml_site_stress(x->e, number, stress);
  for (int c = 0; c < 5; c++) cached[c] = stz_ml_row8(x->e, number)->cached[c][number % 8];
  return stz_points_near(x, stress, cached, margin);
}

// Whether a point below the rate (1/s) of its site, of which not all counts, is an event; if it is one, what the rate
// has above what counts is noted as missed.
static bool counts(stz_kmc *kmc, const stz_mean_stress *mean, const stz_ml_proposal *p, double margin, double rate) {
  const double most = stz_exp(margin) * kmc->attempt * stz_ml_cached_rates(kmc, mean, p->elapsed, p->number);
  if (!(p->height < most)) return false;
  kmc->stats.violations++;
  kmc->stats.missed += rate / most - 1.0;
  return true;
}

// What a point is that is below the rate of its site.
static stz_point_kind kind_below(const stz_kmc *kmc, const stz_mean_stress *mean, const stz_ml_proposal *p,
                                 const stz_points_verdict *v) {
  if (is_near(stz_points_of(kmc), p->number, v->margin)) return STZ_POINT_HAPPENS;
  const double most = stz_exp(v->margin) * stz_ml_cached_rates(kmc, mean, p->elapsed, p->number);
  return v->sum <= most ? STZ_POINT_HAPPENS : STZ_POINT_UNSURE;
}

// Whether its slack alone says that a point is above all that counts of its site's rate.
static bool is_squeezed(const stz_points *x, const stz_ml_proposal *p, stz_points_verdict *v) {
  const stz_row8 *row8 = stz_ml_row8(x->e, p->number);
  const double slack = (double)STZ_SLACK * row8->slack[p->number % 8],
               spare = slack + stz_ml_margin() - ERRORS - v->margin,
               most = TOLD * (double)stz_power2((float)(-STZ_LOG2_E * spare));
  if (!x->ways.squeezed || slack <= 0.0 || (double)row8->bound[p->number % 8] >= stz_ml_largest()) return false;
  v->room = 1.0 - most / p->accept; // the logarithm is above
  return p->accept > most;
}

void stz_points_judge(stz_kmc *kmc, const stz_mean_stress *mean, double raised, const stz_ml_proposal *p,
                      stz_points_verdict *v) {
  const stz_points *x = stz_points_of(kmc);
  v->kind = STZ_POINT_ABOVE;
  v->room = 1.0 - 1.0 / p->accept;
  if (!(p->accept < 1.0)) return;
  kmc->stats.candidates++;
  v->margin = stz_points_margin(x, p->number);
  v->kind = STZ_POINT_SQUEEZED;
  if (is_squeezed(x, p, v)) {
    kmc->stats.squeezed++;
    return;
  }
  v->sum = stz_ml_exact_rates(kmc, mean, p->elapsed, p->number, v->rates);
  const double rate = kmc->attempt * v->sum;
  v->kind = p->height < rate ? kind_below(kmc, mean, p, v) : STZ_POINT_REJECTED;
  if (v->kind != STZ_POINT_REJECTED) return;
  v->room = 1.0 - rate / p->height;
  const double bound = raised * (double)stz_ml_row8(x->e, p->number)->bound[p->number % 8];
  if (v->sum < LOOSE * bound) stz_ml_bound_cached(kmc, p->number, stz_ml_recovery_at(kmc, mean, p->elapsed));
}

// Whether a point is an event.
static bool consider(stz_kmc *kmc, const stz_mean_stress *mean, double raised, const stz_ml_proposal *p,
                     stz_shear *shear) {
  const stz_points *x = stz_points_of(kmc);
  stz_points_verdict v;
  if (x->at.dry == STZ_POINTS_DRY) stz_ml_tire(x->e);
  stz_points_judge(kmc, mean, raised, p, &v);
  if (v.kind < STZ_POINT_HAPPENS) return false;
  if (v.kind == STZ_POINT_UNSURE && !counts(kmc, mean, p, v.margin, kmc->attempt * v.sum)) return false;
  stz_ml_choose(kmc, p->number, (const float(*)[2])v.rates, p->mode * v.sum, shear);
  return true;
}

static stz_err find_next(stz_kmc *kmc, const stz_mean_stress *mean, double limit, stz_event *event, bool *found) {
  stz_ahead *ahead = stz_points_of(kmc)->ahead;
  if (ahead && (stz_ahead_next(ahead) || stz_ahead_find(ahead, mean, limit))) {
    *event = stz_ahead_next(ahead)->event;
    *found = true;
    return STZ_OK;
  }
  if (ahead) stz_ahead_refill(ahead);
  return stz_ml_search(kmc, mean, limit, propose, consider, event, found);
}

static stz_err points_next(stz_kmc *kmc, const stz_mean_stress *mean, double limit, stz_event *event, bool *found) {
  stz_ahead *ahead = stz_points_of(kmc)->ahead;
  stz_ahead_enter(ahead);
  const stz_err err = find_next(kmc, mean, limit, event, found);
  stz_ahead_leave(ahead);
  return err;
}

// --- the engine ---

void stz_points_set_ways(stz_kmc *kmc, const stz_points_ways *ways) {
  stz_points *x = stz_points_of(kmc);
  x->ways = *ways;
  x->stride = ways->step;
  x->e->spare = ways->spare;
  x->e->missed = ways->missed;
}

// One queue per worker of the team, of a slab of blocks along x, where each slab is thick enough.
static stz_err make_queues(stz_points *x) {
  const int planes = x->e->count[0], workers = stz_team_workers(stz_grid_team(x->e->grid));
  const int most = planes / 2 < STZ_POINTS_TILES ? planes / 2 : STZ_POINTS_TILES;
  x->tile = -1;
  x->tiles = x->e->film || workers > most ? 1 : workers;
  for (int t = 0; t <= x->tiles; t++) x->tile_blocks[t] = planes * t / x->tiles * (x->e->blocks / planes);
  for (int t = 0; t < x->tiles; t++) STZ_TRY(stz_queue_create(&x->queue[t]));
  return STZ_OK;
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
  return make_queues(x);
}

static void points_destroy(stz_kmc *kmc) {
  stz_points *x = kmc->state ? stz_points_of(kmc) : NULL;
  if (x) {
    stz_points_take_back(x);
    stz_ahead_destroy(&x->ahead);
    for (int t = 0; t < x->tiles; t++) stz_queue_destroy(&x->queue[t]);
    stz_free(x->open);
    stz_free(x->tall);
    stz_free(x->found);
    stz_free(x);
  }
  stz_ml_destroy(kmc);
}

static double points_bytes(const stz_kmc *kmc) {
  stz_points *x = stz_points_of(kmc);
  const double sites = (double)x->e->blocks * STZ_ML_SITES;
  double queues = 0.0;
  stz_points_take_back(x);
  for (int t = 0; t < x->tiles; t++) queues += (double)stz_queue_bytes(x->queue[t]);
  return stz_ml_bytes(kmc) + sizeof *x->open + queues / sites;
}

static stz_err points_go_ahead(stz_kmc *kmc, const stz_kmc_load *load) {
  stz_points *x = stz_points_of(kmc);
  stz_ahead_destroy(&x->ahead);
  return kmc->params.contrast ? STZ_OK : stz_ahead_create(x, load, &x->ahead);
}

static const stz_ahead_event *found_ahead(const stz_kmc *kmc) {
  const stz_points *x = stz_points_of(kmc);
  return x->ahead ? stz_ahead_next(x->ahead) : NULL;
}

static bool points_is_ahead(const stz_kmc *kmc) { return found_ahead(kmc) != NULL; }

static bool points_begin(stz_kmc *kmc, const stz_event *event, double strain[6]) {
  const stz_ahead_event *found = found_ahead(kmc);
  if (found) {
    memcpy(strain, found->strain, sizeof found->strain);
    return true;
  }
  stz_ahead *ahead = stz_points_of(kmc)->ahead;
  stz_ahead_enter(ahead);
  const bool begun = stz_ml_begin(kmc, event, strain);
  stz_ahead_leave(ahead);
  return begun;
}

static void add_stress(stz_kmc *kmc, const stz_event *event, const double strain[6]) {
  stz_points *x = stz_points_of(kmc);
  if (!found_ahead(kmc)) {
    if (x->ahead) stz_ahead_refill(x->ahead);
    stz_points_add_stress(kmc, event, strain);
    return;
  }
  stz_glass_count(kmc->glass, &event->shear);
  stz_ahead_pass(x->ahead);
  if (!found_ahead(kmc)) stz_points_finish(x, kmc->stats.events + 1);
}

static void points_add_stress(stz_kmc *kmc, const stz_event *event, const double strain[6]) {
  stz_ahead *ahead = stz_points_of(kmc)->ahead;
  stz_ahead_enter(ahead);
  add_stress(kmc, event, strain);
  stz_ahead_leave(ahead);
}

static void points_site_stress(const stz_kmc *kmc, int64_t local, float stress[5]) {
  const stz_ahead_event *found = found_ahead(kmc);
  if (!found) {
    stz_ml_stress_of(kmc, local, stress);
    return;
  }
  assert(found->event.shear.site == local);
  memcpy(stress, found->internal, sizeof found->internal);
}

static stz_err points_remake(stz_kmc *kmc) {
  stz_points *x = stz_points_of(kmc);
  stz_ahead_destroy(&x->ahead); // its tables are others
  return stz_ml_remake(kmc);
}

static void points_new_clock(stz_kmc *kmc) {
  stz_points *x = stz_points_of(kmc);
  x->at.origin = stz_points_instant(x, kmc->drive.t0);
}

static void points_save(const stz_kmc *kmc, void *own) {
  memcpy(own, &stz_points_of(kmc)->at, sizeof(stz_points_standing));
}

static void points_restore(stz_kmc *kmc, const void *own) {
  stz_points *x = stz_points_of(kmc);
  if (x->ahead) stz_ahead_forget(x->ahead);
  stz_ml_restore(kmc, own);
  memcpy(&x->at, own, sizeof x->at);
  stz_points_set_ahead(x, x->at.ahead);
  x->e->selection.least = stz_points_least(x);
  stz_points_lay_ground(x);
  if (!x->at.bare) stz_points_set_all_levels(x);
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
    .remake = points_remake,
    .next = points_next,
    .begin = points_begin,
    .add_stress = points_add_stress,
    .rates = stz_ml_rates,
    .stress = stz_ml_stress,
    .site_stress = points_site_stress,
    .self_stress = stz_ml_self_stress,
    .bytes_per_site = points_bytes,
    .fields = stz_ml_fields,
    .save = points_save,
    .restore = points_restore,
    .block = stz_ml_block,
    .new_clock = points_new_clock,
    .go_ahead = points_go_ahead,
    .is_ahead = points_is_ahead,
};
