// SPDX-License-Identifier: GPL-3.0-or-later
#include "kmc/points/ahead.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/memory.h"
#include "kmc/points/tile.h"
#include "kmc/points/trial.h"

static const double AIM = 16.0;    // how many times as long as is expected a window may be
static const double RECENT = 0.2;  // weight of a window in the mean time per event
static const double LEAST = 1.0e6; // sites: in smaller boxes moments leave too few events for a window
static const double FIRST = 0.016; // events of the first windows, over the root of the number of sites
static const double FEWEST = 12.0; // events of a window, at least
static const double MOST = 0.6;    // of the room for the events of all tiles
static const double LONGER = 1.01; // factor of the length after a window that holds
static const double SHORTER = 0.9; // and after one that does not: one in twelve, where they balance

struct stz_ahead { // NOLINT(clang-analyzer-optin.performance.Padding): there is one
  stz_points *x;
  stz_kmc_load load;
  stz_tile *tile[STZ_POINTS_TILES];
  stz_instant end[STZ_POINTS_TILES]; // what each tile says of the window's end
  stz_instant due[STZ_POINTS_TILES]; // when it has a moment, or never
  stz_tile_window window;
  stz_tile_race race;
  double everywhere;    // drift common to all blocks at its begin
  double per_event;     // s, of late; 0: not known
  double last_s;        // time of the last event
  double length;        // events of a window
  int wanted;           // the same for tests, always and in any box; 0: not
  stz_trial trial;      // way 1: windows; 0: events that the cores share, one after the other
  double in_s, spent_s; // the clock at stz_ahead_enter; since the last search
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
  const double sites = (double)stz_grid_sites(x->e->grid);
  if (x->tiles < 2 || (!wanted && sites < LEAST) || load->copies < x->tiles + 1) return STZ_OK;
  STZ_TRY(STZ_NEW(a, 1));
  a->x = x;
  a->load = *load;
  a->wanted = wanted ? atoi(wanted) : 0;
  a->length = a->wanted > 0 ? a->wanted : fmax(FEWEST, FIRST * sqrt(sites));
  stz_trial_begin(&a->trial);
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

static double clock_s(clockid_t clock) {
  struct timespec t = {0};
  clock_gettime(clock, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void stz_ahead_enter(stz_ahead *a) {
  if (a) a->in_s = clock_s(CLOCK_MONOTONIC);
}

void stz_ahead_leave(stz_ahead *a) {
  if (a) a->spent_s += clock_s(CLOCK_MONOTONIC) - a->in_s;
}

// --- the parts of the team ---

// Before any tile runs: the nodes that one copies are another's own.
static void refill_tile(stz_ahead *a, int t) { stz_tile_refill(a->tile[t]); }

static void run_tile(stz_ahead *a, int t) { a->end[t] = stz_tile_run(a->tile[t], &a->load, &a->race, a->window.until); }

static void check_tile(stz_ahead *a, int t) {
  stz_tile_rewind(a->tile[t], &a->window, a->window.until);
  a->due[t] = stz_tile_drift(a->tile[t], &a->window, a->everywhere);
  a->end[t] = stz_tile_check(a->tile[t], &a->window);
}

static void take_tile(stz_ahead *a, int t) {
  stz_tile_drift_off(a->tile[t], &a->window, a->window.until);
  stz_tile_rewind(a->tile[t], &a->window, a->window.until);
  a->end[t] = stz_tile_take(a->tile[t], &a->window);
}

static stz_instant least_of(const stz_ahead *a, const stz_instant *of) {
  stz_instant least = a->window.until;
  for (int t = 0; t < a->x->tiles; t++) least = of[t] < least ? of[t] : least;
  return least;
}

static void rewind_tile(stz_ahead *a, int t) {
  const stz_instant end = least_of(a, a->end);
  stz_tile_drift_off(a->tile[t], &a->window, end);
  stz_tile_rewind(a->tile[t], &a->window, end);
}

static double now(const stz_ahead *a) { return a->timed ? clock_s(CLOCK_THREAD_CPUTIME_ID) : 0.0; }

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
    stz_ml_add_uniform(all, e->origin, e->d);
    all->head->everywhere += stz_ml_drift_beyond(all);
    memcpy(w->uniform[n + 1], all->head->uniform, sizeof all->head->uniform);
    on = a->load.yield(a->load.context, a->x->tiles, &e->event, e->strain, &w->mean[n + 1], &limit);
    on &= goes_on(a, &w->mean[n + 1], limit);
    const uint64_t events = a->x->kmc->stats.events + (uint64_t)n + 1;
    if (!on || events >= last) w->until = e->time;
  }
  w->count = n;
}

// The window ends earlier than was thought.
static void cut(stz_ahead *a, stz_instant until) {
  stz_tile_window *w = &a->window;
  stz_ml_head *h = a->x->e->head;
  if (until >= w->until) return;
  w->until = until;
  while (w->count > 0 && w->events[w->count - 1]->time > until) w->count--;
  memcpy(h->uniform, w->uniform[w->count], sizeof h->uniform);
  h->everywhere = a->everywhere;
  for (int n = 0; n < w->count; n++) h->everywhere += stz_ml_drift_beyond(a->x->e);
}

// It ends before a decision that does not hold, if there is one.
static void cut_wrong(stz_ahead *a) {
  const stz_instant end = least_of(a, a->end);
  if (end >= a->window.until) return;
  cut(a, end);
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
  for (int t = 0; t < x->tiles; t++) x->e->due |= w->count > 0 && w->events[w->count - 1]->time == a->due[t];
  if (!whole) stz_points_lay_ground(x);
  if (!whole) stz_points_set_all_levels(x);
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

// What the last events took: their time, from when they happen, and that of the search.
static void learn(stz_ahead *a, const stz_mean_stress *mean) {
  const double took = mean->t0 - a->last_s;
  if (took > 0.0) a->per_event += (a->per_event > 0.0 ? RECENT : 1.0) * (took / fmax(1.0, a->found) - a->per_event);
  a->last_s = mean->t0;
  stz_trial_add(&a->trial, a->found, a->spent_s);
  a->spent_s = 0.0;
}

// How many events are to be expected until `limit`, or the next moment.
static double expect(const stz_ahead *a, const stz_mean_stress *mean, double limit) {
  const uint64_t last = stz_points_next_moment(a->x), events = a->x->kmc->stats.events;
  const double most = last > events ? (double)(last - events) : 0.0,
               coming = a->per_event > 0.0 ? (limit - mean->t0) / a->per_event : 0.0;
  return fmin(ceil(most / fmax(1.0, round(most / a->length))), coming); // windows between two moments are of one length
}

// Begins a window of so many events; false if it is not to be.
static bool begin(stz_ahead *a, const stz_mean_stress *mean, double expected) {
  stz_points *x = a->x;
  stz_tile_window *w = &a->window;
  double limit;
  if (expected < (a->wanted > 0 ? 1.0 : fmin(FEWEST, x->tiles)) || !may_run(x, mean)) return false;
  if (!stz_team_brisk(stz_grid_team(x->e->grid)) || !stz_points_has_tall(x)) return false;
  stz_ml_settle(x->kmc);
  stz_points_take_back(x);
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

// As long as pays. Longer windows have their events more evenly on the tiles, and more decisions that do not hold.
static void adapt_length(stz_ahead *a, bool held) {
  const double most = fmin(MOST * STZ_TILE_EVENTS * a->x->tiles, (double)a->x->e->converge_every);
  if (a->wanted == 0) a->length = fmax(FEWEST, fmin(most, a->length * (held ? LONGER : SHORTER)));
}

// Runs a window that has begun.
static void run(stz_ahead *a) {
  const uint64_t cuts = a->counts.cut;
  if (a->stale) share(a, refill_tile);
  a->stale = false;
  share(a, run_tile);
  double common = -now(a);
  a->window.until = least_of(a, a->end);
  merge(a);
  replay(a, stz_points_next_moment(a->x));
  common += now(a);
  share(a, check_tile);
  cut(a, least_of(a, a->due));
  cut_wrong(a);
  share(a, take_tile);
  if (least_of(a, a->end) < a->window.until) {
    share(a, rewind_tile);
    cut_wrong(a);
  }
  common -= now(a);
  commit(a);
  a->counts.common_s += common + now(a);
  adapt_length(a, a->counts.cut == cuts);
}

bool stz_ahead_find(stz_ahead *a, const stz_mean_stress *mean, double limit) {
  learn(a, mean);
  a->found = 0;
  if ((a->wanted > 0 || a->trial.way == 1) && begin(a, mean, expect(a, mean, limit))) run(a);
  if (a->found > 0) return true;
  a->found = a->passed = 1; // the one that is found by itself
  a->counts.alone++;
  return false;
}

const stz_ahead_event *stz_ahead_next(const stz_ahead *a) {
  return a->passed < a->found ? &a->events[a->passed] : NULL;
}

void stz_ahead_pass(stz_ahead *a) { a->passed++; }
