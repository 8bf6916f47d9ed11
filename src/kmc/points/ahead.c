// SPDX-License-Identifier: GPL-3.0-or-later
#include "kmc/points/ahead.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/memory.h"
#include "kmc/points/tile.h"

static const double AIM = 16.0;   // how many times as long as is expected a window may be
static const double RECENT = 0.2; // weight of a window in the mean time per event
enum {
  LEAST = 8, // tiles: for fewer, an event that the cores share is found as fast (kmc/multilevel/share.c)
  FEW = 3    // events per tile below which a window does not pay
};

// Events of a window over the root of the number of sites: of so many, one window in twelve has a decision that does
// not hold (theory-windows.md, section 2), and with it half of the work is lost.
static const double LONG = 0.016;

struct stz_ahead {
  stz_points *x;
  stz_kmc_load load;
  stz_tile *tile[STZ_POINTS_TILES];
  stz_instant end[STZ_POINTS_TILES]; // what each tile says of the window's end
  stz_tile_window window;
  stz_tile_race race;
  double everywhere; // drift common to all blocks at its begin
  double per_event;  // s, of late; 0: not known
  double last_s;     // time of the last event
  int wanted;        // for tests: events of a window; 0: as many as there may be
  bool alone;        // the next event is found by itself
  bool timed;
  double took_s[STZ_POINTS_TILES];
  bool stale; // the tiles' copies of nodes
  int found, passed;
  stz_ahead_event events[STZ_TILE_WINDOW];
  stz_ahead_counts counts;
};

stz_err stz_ahead_create(stz_points *x, const stz_kmc_load *load, stz_ahead **ahead) {
  const int planes = x->e->count[0];
  const char *wanted = getenv("STZKMC_WINDOW");
  stz_ahead *a = NULL;
  *ahead = NULL;
  if (x->tiles < (wanted ? 2 : LEAST) || load->copies < x->tiles + 1) return STZ_OK;
  STZ_TRY(STZ_NEW(a, 1));
  a->x = x;
  a->load = *load;
  a->wanted = wanted ? atoi(wanted) : 0;
  for (int t = 0; t < x->tiles; t++) {
    const int first = planes * t / x->tiles, end = planes * (t + 1) / x->tiles;
    const stz_err err = stz_tile_create(x, t, 8 * first, 8 * (end - first), &a->tile[t]);
    if (err == STZ_OK) continue;
    stz_ahead_destroy(&a);
    return err;
  }
  *ahead = a;
  return STZ_OK;
}

void stz_ahead_destroy(stz_ahead **ahead) {
  stz_ahead *a = *ahead;
  if (!a) return;
  if (a->counts.windows > 0) {
    stz_log(STZ_LOG_DETAIL, "%.0f events were found in %.0f windows of time", (double)a->counts.events,
            (double)a->counts.windows);
  }
  for (int t = 0; t < STZ_POINTS_TILES; t++) stz_tile_destroy(&a->tile[t]);
  stz_free(a);
  *ahead = NULL;
}

void stz_ahead_refill(stz_ahead *a) { a->stale = true; }

void stz_ahead_forget(stz_ahead *a) {
  a->found = a->passed = 0;
  a->per_event = 0.0;
  a->stale = true;
}

stz_ahead_counts stz_ahead_count(const stz_ahead *a) {
  stz_ahead_counts counts = a->counts;
  for (int t = 0; t < a->x->tiles; t++) counts.again += stz_tile_again(a->tile[t]);
  return counts;
}

void stz_ahead_time(stz_ahead *a) { a->timed = true; }

// --- the parts of the team ---

// Before any tile runs: the nodes that one copies are another's own.
static void refill_tile(stz_ahead *a, int t) { stz_tile_refill(a->tile[t]); }

static void run_tile(stz_ahead *a, int t) { a->end[t] = stz_tile_run(a->tile[t], &a->load, &a->race, a->window.until); }

static void check_tile(stz_ahead *a, int t) {
  stz_tile_rewind(a->tile[t], &a->window, a->window.until);
  a->end[t] = stz_tile_check(a->tile[t], &a->window);
}

static void take_tile(stz_ahead *a, int t) {
  stz_tile_rewind(a->tile[t], &a->window, a->window.until);
  a->end[t] = stz_tile_take(a->tile[t], &a->window);
}

static stz_instant least_end(const stz_ahead *a) {
  stz_instant least = a->window.until;
  for (int t = 0; t < a->x->tiles; t++) least = a->end[t] < least ? a->end[t] : least;
  return least;
}

static void rewind_tile(stz_ahead *a, int t) { stz_tile_rewind(a->tile[t], &a->window, least_end(a)); }

static double now(const stz_ahead *a) {
  struct timespec t = {0};
  if (a->timed) clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// A step of all tiles, the work of each for itself.
typedef struct step {
  stz_ahead *ahead;
  void (*take)(stz_ahead *ahead, int tile);
} step;

static void take_tiles(void *context, int64_t first, int64_t end, int worker) {
  const step *s = context;
  (void)worker;
  for (int t = (int)first; t < (int)end; t++) {
    const double begin = now(s->ahead);
    s->take(s->ahead, t);
    s->ahead->took_s[t] = now(s->ahead) - begin;
  }
}

static void share(stz_ahead *a, void (*take)(stz_ahead *ahead, int tile)) {
  step s = {a, take};
  double longest = 0.0;
  stz_team_share(stz_grid_team(a->x->e->grid), a->x->tiles, take_tiles, &s);
  for (int t = 0; t < a->x->tiles; t++) longest = fmax(longest, a->took_s[t]);
  a->counts.longest_s += longest;
}

// --- the list of all ---

// The tiles' events in the order of time.
static void merge(stz_ahead *a) {
  stz_tile_window *w = &a->window;
  int at[STZ_POINTS_TILES] = {0};
  w->count = 0;
  for (int t = 0; t < a->x->tiles; t++) {
    int count;
    (void)stz_tile_events(a->tile[t], &count);
    a->counts.found += (uint64_t)count;
  }
  for (;;) {
    const stz_tile_event *first = NULL;
    int from = 0;
    for (int t = 0; t < a->x->tiles; t++) {
      int count;
      const stz_tile_event *its = stz_tile_events(a->tile[t], &count);
      if (at[t] == count || (first && its[at[t]].time > first->time)) continue;
      first = &its[at[t]];
      from = t;
    }
    if (!first || first->time > w->until) return;
    w->events[w->count] = first;
    w->tile[w->count++] = from;
    at[from]++;
  }
}

// The engine's share of an event: what is not of the sites and nodes.
static void put_common(const stz_ahead *a, const stz_tile_event *e, int sign) {
  stz_multilevel *all = a->x->e;
  int32_t near[STZ_ML_SPREAD * STZ_ML_SPREAD * STZ_ML_SPREAD];
  float d[5];
  for (int c = 0; c < 5; c++) d[c] = (float)sign * e->d[c];
  stz_ml_add_uniform(all, e->origin, d);
  (void)stz_ml_add_drift(all, e->origin, sign, 0, all->count[0], near);
}

// Whether the search begins in the same way after an event as it would without one: else the window ends with it.
static bool goes_on(stz_ahead *a, const stz_mean_stress *mean, double limit) {
  const stz_points *x = a->x;
  stz_tile_window *w = &a->window;
  const double excess = stz_ml_excess(x->kmc, mean, 0.0);
  const stz_ml_stretch s = stz_ml_stretch_from(x->kmc, mean, 0.0);
  const stz_instant end = stz_points_instant(x, fmin(limit, s.begin + s.length));
  if (end < w->until) w->until = end;
  return !stz_ml_sweep_due(x->kmc, mean, 0.0, excess) && stz_points_most_ahead(&s) <= x->at.ahead;
}

// Goes through the list as the load answers, and ends the window where something is due.
static void replay(stz_ahead *a, uint64_t last) {
  stz_tile_window *w = &a->window;
  stz_multilevel *all = a->x->e;
  double limit;
  a->everywhere = all->head->everywhere;
  memcpy(w->uniform[0], all->head->uniform, sizeof all->head->uniform);
  bool on = a->load.begin(a->load.context, a->x->tiles, &w->mean[0], &limit) && goes_on(a, &w->mean[0], limit);
  if (!on) w->until = w->from;
  int n = 0;
  for (; n < w->count && w->events[n]->time <= w->until; n++) {
    const stz_tile_event *e = w->events[n];
    put_common(a, e, 1);
    memcpy(w->uniform[n + 1], all->head->uniform, sizeof all->head->uniform);
    on = a->load.yield(a->load.context, a->x->tiles, &e->event, e->strain, &w->mean[n + 1], &limit);
    on &= goes_on(a, &w->mean[n + 1], limit);
    const uint64_t events = a->x->kmc->stats.events + (uint64_t)n + 1;
    if (!on || all->due || events >= last) w->until = e->time;
  }
  w->count = n;
}

// The window ends earlier than was thought.
static void cut(stz_ahead *a, stz_instant until) {
  stz_tile_window *w = &a->window;
  stz_ml_head *h = a->x->e->head;
  if (until >= w->until) return;
  w->until = until;
  while (w->count > 0 && w->events[w->count - 1]->time > until) put_common(a, w->events[--w->count], -1);
  a->x->e->due = false;
  h->everywhere = a->everywhere;
  for (int n = 0; n < w->count; n++) h->everywhere += stz_ml_drift_beyond(a->x->e);
  a->alone = true;
  a->counts.cut++;
}

static void commit(stz_ahead *a) {
  const stz_tile_window *w = &a->window;
  stz_points *x = a->x;
  if (w->count > 0) x->at.dry = 0;
  bool whole = true;
  x->at.now = w->until;
  for (int t = 0; t < x->tiles; t++) whole &= stz_tile_commit(a->tile[t], w);
  for (int n = 0; n < w->count; n++) {
    const stz_tile_event *e = w->events[n];
    stz_ahead_event *to = &a->events[n];
    stz_far_add_source(x->e->far, e->origin, e->d);
    to->event = e->event;
    memcpy(to->strain, e->strain, sizeof to->strain);
    memcpy(to->internal, e->internal, sizeof to->internal);
  }
  if (!whole) stz_points_lay_ground(x);
  if (!whole) stz_points_set_levels(x, NULL, 0);
  x->e->stress_at = UINT64_MAX; // what there is of the stress of all sites is old
  a->found = w->count;
  a->passed = 0;
  a->counts.windows++;
  a->counts.events += (uint64_t)w->count;
}

// --- windows ---

static bool may_run(const stz_points *x, const stz_mean_stress *mean) {
  const stz_ml_head *h = x->e->head;
  const stz_recovery recovery = stz_glass_recovery_state(x->kmc->glass);
  return !x->at.bare && !h->stale && !h->put_off && x->at.dry < STZ_AHEAD_DRIEST && x->kmc->searched == 0.0 &&
         recovery.sum == 0.0 && stz_glass_recovery_rate(x->kmc->glass, mean->temperature_K) == 0.0;
}

// The time per event of late, from when they happen.
static void learn(stz_ahead *a, const stz_mean_stress *mean) {
  const double took = mean->t0 - a->last_s;
  if (took > 0.0) a->per_event += (a->per_event > 0.0 ? RECENT : 1.0) * (took / fmax(1.0, a->found) - a->per_event);
  a->last_s = mean->t0;
}

// How many events are to be expected until `limit`, or the next moment.
static double expect(const stz_ahead *a, const stz_mean_stress *mean, double limit) {
  const uint64_t last = stz_points_next_moment(a->x), events = a->x->kmc->stats.events;
  const double most = last > events ? (double)(last - events) : 0.0,
               coming = a->per_event > 0.0 ? (limit - mean->t0) / a->per_event : 0.0;
  const double cap = a->wanted > 0 ? a->wanted : LONG * sqrt((double)stz_grid_sites(a->x->e->grid));
  return fmin(ceil(most / fmax(1.0, round(most / cap))), coming); // windows between two moments are of one length
}

// Begins a window of so many events; false if it is not to be.
static bool begin(stz_ahead *a, const stz_mean_stress *mean, double expected) {
  stz_points *x = a->x;
  stz_tile_window *w = &a->window;
  double limit;
  if (expected < (a->wanted > 0 ? 1 : FEW * x->tiles) || !may_run(x, mean)) return false;
  if (!stz_team_brisk(stz_grid_team(x->e->grid)) || !stz_points_has_tall(x)) return false;
  stz_ml_settle(x->kmc);
  if (!a->load.begin(a->load.context, x->tiles, &w->mean[0], &limit)) return false;
  w->from = x->at.now;
  w->until = stz_points_instant(x, fmin(mean->t0 + AIM * expected * a->per_event, limit));
  a->race.tiles = x->tiles;
  a->race.wanted = (int)expected;
  a->race.from = w->from;
  for (a->race.shift = 0; w->until > w->from && (w->until - w->from) >> a->race.shift > UINT64_MAX;) a->race.shift++;
  a->race.end = UINT64_MAX;
  a->race.per_time = ldexp(1.0, a->race.shift - 64) / (a->per_event * x->tiles);
  for (int t = 0; t < x->tiles; t++) a->race.runner[t].count = 0;
  for (int t = 0; t < x->tiles; t++) a->race.runner[t].now = 0;
  return w->until > w->from;
}

bool stz_ahead_find(stz_ahead *a, const stz_mean_stress *mean, double limit) {
  const bool alone = a->alone;
  learn(a, mean);
  a->found = a->passed = 1; // the one that is found by itself
  a->alone = false;
  if (alone || !begin(a, mean, expect(a, mean, limit))) {
    a->counts.alone++;
    return false;
  }
  if (a->stale) share(a, refill_tile);
  a->stale = false;
  share(a, run_tile);
  double common = -now(a);
  a->window.until = least_end(a);
  merge(a);
  replay(a, stz_points_next_moment(a->x));
  common += now(a);
  share(a, check_tile);
  cut(a, least_end(a));
  share(a, take_tile);
  if (least_end(a) < a->window.until) {
    share(a, rewind_tile);
    cut(a, least_end(a));
  }
  common -= now(a);
  commit(a);
  a->counts.common_s += common + now(a);
  return a->found > 0;
}

const stz_ahead_event *stz_ahead_next(const stz_ahead *a) {
  return a->passed < a->found ? &a->events[a->passed] : NULL;
}

void stz_ahead_pass(stz_ahead *a) { a->passed++; }
