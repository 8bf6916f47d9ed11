// SPDX-License-Identifier: GPL-3.0-or-later
//
// Moments: right after some events the cached stresses of blocks are brought up to date and the ground follows the
// activity. Which events and which blocks, is a function of the list of events: the points below the ground are looked
// at whatever the levels are, and the drift is the sum of what the events bring.
#include "base/target.h"
#include "kmc/points/inside.h"

static const float LOOSEST = 10.0f;  // largest limit
static const float SOFT = 0.75f;     // of its limit: drift of a block from which on a moment updates it
enum { SEEN = 32, MOST_BELOW = 32 }; // events between looks at the ground; points below it per event, at most
enum { SCANNED = 64 };               // blocks that a scan passes over together

static float drift_of(const stz_multilevel *e, int block) { return e->drift[block] + (float)e->head->everywhere; }

// Updates blocks, and learns how far rates have moved until now.
static void update(stz_points *x, const int32_t *blocks, int count, uint64_t events) {
  stz_multilevel *e = x->e;
  float drift[STZ_TEAM_POSTED];
  for (int i = 0; i < count; i++) drift[i] = drift_of(e, blocks[i]);
  const stz_ml_update *found = stz_ml_fold(x->kmc, blocks, count);
  for (int i = 0; i < count; i++) {
    const float moved = (float)(e->slope * e->most_dress) * found[i].moved,
                share = drift[i] / stz_ml_drift_limit(e, blocks[i]);
    e->cached[blocks[i]] = events;
    stz_ml_adapt_limit(x->kmc, blocks[i], (float)x->ways.target / (moved > 0.1f ? moved : 0.1f) * share, LOOSEST);
  }
}

static bool is_soft(const stz_multilevel *e, int block) {
  return drift_of(e, block) > SOFT * stz_ml_drift_limit(e, block);
}

// Whether one of the blocks from `first` on is soft. A large box has so many that a scan one by one would cost more
// than the updates.
STZ_MULTIVERSION(static bool any_soft(const stz_multilevel *e, int first, int count)) {
  const float everywhere = (float)e->head->everywhere, typical = (float)e->head->typical;
  const float *restrict drift = e->drift + first, *restrict limit = e->drift_limit + first;
  int any = 0;
#pragma omp simd reduction(| : any)
  for (int i = 0; i < count; i++) any |= drift[i] + everywhere > SOFT * (limit[i] > 0.0f ? limit[i] : typical);
  return any;
}

// The same of those that this moment has updated.
STZ_MULTIVERSION(static bool any_updated(const uint64_t *restrict cached, int count, uint64_t events)) {
  int any = 0;
#pragma omp simd reduction(| : any)
  for (int i = 0; i < count; i++) any |= cached[i] == events;
  return any;
}

static int blocks_from(const stz_multilevel *e, int first) {
  return e->blocks - first < SCANNED ? e->blocks - first : SCANNED;
}

// Updates the blocks whose drift is near their limit, as many at a time as the team takes.
static void update_all(stz_points *x, uint64_t events) {
  const stz_multilevel *e = x->e;
  const bool backwards = x->ways.backwards;
  int32_t blocks[STZ_TEAM_POSTED];
  int count = 0;
  for (int at = 0; at < e->blocks; at += SCANNED) {
    const int first = backwards ? (e->blocks - 1 - at) / SCANNED * SCANNED : at, n = blocks_from(e, first);
    if (!any_soft(e, first, n)) continue;
    for (int i = 0; i < n; i++) {
      const int block = first + (backwards ? n - 1 - i : i);
      if (is_soft(e, block)) blocks[count++] = block;
      if (count < STZ_TEAM_POSTED) continue;
      update(x, blocks, count, events);
      count = 0;
    }
  }
  update(x, blocks, count, events);
}

// What the updates of this moment have learnt, always in this order.
static void learn(stz_multilevel *e, uint64_t events) {
  for (int first = 0; first < e->blocks; first += SCANNED) {
    const int n = blocks_from(e, first);
    if (!any_updated(e->cached + first, n, events)) continue;
    for (int b = first; b < first + n; b++) {
      if (e->cached[b] == events) stz_ml_learn_typical(e, b);
    }
  }
}

// Lowers the ground when the events have become much fewer than the points below it.
static void follow_activity(stz_points *x, uint64_t events) {
  const uint64_t since = events - x->at.laid, below = x->at.below;
  if (since < SEEN) return;
  x->at.laid = events;
  x->at.below = 0;
  if (below <= MOST_BELOW * since) return;
  const double rate = (double)since / (double)below * stz_points_power(x->at.ground); // of a site
  const int ground = stz_points_ground_for(rate);
  if (ground >= x->at.ground) return;
  stz_points_set_ground(x, ground);
  x->e->selection.least = stz_points_least(x);
  stz_points_set_all_levels(x);
}

void stz_points_moment(stz_points *x, uint64_t events) {
  stz_multilevel *e = x->e;
  e->due = false;
  e->head->scanned = events;
  if (events >= e->head->converged + e->converge_every) {
    stz_ml_settle(x->kmc);
    stz_far_converge(e->far);
    e->head->converged = events;
  }
  update_all(x, events);
  learn(e, events);
  stz_ml_sum_changed(e);
  follow_activity(x, events);
}

// As seldom as the coarse part needs, for windows end at moments (ahead.h); in small boxes that is too often.
static uint64_t next_scan(const stz_points *x) {
  const stz_multilevel *e = x->e;
  const uint64_t every = e->converge_every > x->ways.moments ? e->converge_every : x->ways.moments,
                 scan = e->head->scanned + every, lags = e->head->converged + e->converge_every;
  return e->split->coarse && lags < scan ? lags : scan;
}

uint64_t stz_points_next_moment(const stz_points *x) {
  const uint64_t scan = next_scan(x), recompute = x->e->head->recomputed + x->e->recompute_every;
  return recompute < scan ? recompute : scan;
}

void stz_points_add_stress(stz_kmc *kmc, const stz_event *event, const double strain[6]) {
  stz_points *x = stz_points_of(kmc);
  const stz_multilevel *e = x->e;
  const uint64_t events = kmc->stats.events + 1;
  x->at.dry = 0;
  stz_ml_add_stress(kmc, event, strain);
  if (e->shared.pending) stz_points_lend(x); // the workers have an event in hand, and will be idle after it
  if (e->due || events >= next_scan(x)) stz_points_moment(x, events);
}

void stz_points_finish(stz_points *x, uint64_t events) {
  stz_multilevel *e = x->e;
  e->head->stale = events >= e->head->recomputed + e->recompute_every;
  if (e->due || events >= next_scan(x)) stz_points_moment(x, events);
}
