// SPDX-License-Identifier: GPL-3.0-or-later
#include "window_tile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rng/rng.h"

enum {
  N = STZ_TILE_CELLS,
  SITES = STZ_TILE_SITES,
  LOW = STZ_TILE_LOW,
  LAYERS = STZ_TILE_LAYERS,
  LOG = 4096,
  UNIT = 1024, // of stress: a kT
  FOOT = 7     // sites whose barriers an event changes
};
static const uint64_t SEED = STZ_TILE_SEED;
static const double ROOM = 0.5, // ln: levels hold until rates may have moved by so much
    MOST = 1.3;                 // strain of an event, at most

static void need(bool room) {
  if (!room) abort();
}

// A point that a tile has looked at.
typedef struct decision {
  stz_point point;
  double margin; // ln: how far the rate may move before the decision does; negative: it was never made
} decision;

typedef struct tile {
  const stz_tile_setting *set;
  int name, low[3], high[3];
  bool own[SITES];
  // At the last commit.
  float barrier[SITES];
  uint32_t events[SITES]; // that happened there
  double mean;            // but for the ramp
  // Now.
  int32_t stress[SITES];     // of all sites, for simplicity
  int32_t cached[SITES];     // that of the last update, with the events nearby since
  stz_window_event log[LOG]; // events since, in the order of time
  int logs;
  stz_window_event arrived[LOG]; // the same in the order of arrival, for a defect
  decision decisions[LOG];       // in the order of time
  int decided;
  stz_instant from, now; // the last commit; up to where it has run
  // Levels: up to which layer points are looked at from here on.
  int level[SITES];
  stz_point point[SITES][LAYERS]; // the next ones
  stz_instant soon[SITES];        // the earliest of these
  double spent[SITES], paid;      // ln: how far rates may have moved since, by events and by the mean
  stz_instant levelled;           // when all were set
  double late[SITES];             // ln: the same by changes before now, of what was looked at up to now
  stz_instant late_from[SITES];   // the first of these changes
} tile;

// By the difference of sites.
static int32_t kernel[SITES];
static bool touched[SITES]; // the barrier

static int site_of(int x, int y, int z) { return ((x + N) % N * N + (y + N) % N) * N + (z + N) % N; }

static int difference(int to, int from) {
  return site_of(to / N / N - from / N / N, to / N % N - from / N % N, to % N - from % N);
}

static double uniform_of(uint64_t kind, uint64_t site, uint64_t number) {
  stz_rng rng = stz_rng_stream3(SEED, STZ_RNG_REDRAW, kind, site, number);
  return stz_rng_uniform(&rng);
}

static float drawn_barrier(int site, uint32_t number) {
  return (float)(11.0 + 4.0 * uniform_of(1, (uint64_t)site, number));
}

static double strain[SITES]; // plastic, of an event at the site: no round number
static double strain_of(const stz_window_event *e) { return e->sign * strain[e->number]; }

static void footprint_of(int site, int foot[FOOT]) {
  const int x = site / N / N, y = site / N % N, z = site % N;
  const int all[FOOT] = {site,
                         site_of(x + 1, y, z),
                         site_of(x - 1, y, z),
                         site_of(x, y + 1, z),
                         site_of(x, y - 1, z),
                         site_of(x, y, z + 1),
                         site_of(x, y, z - 1)};
  memcpy(foot, all, sizeof all);
}

void stz_tile_tables(void) {
  for (int i = 0; i < SITES; i++) {
    int d[3] = {i / N / N, i / N % N, i % N};
    for (int a = 0; a < 3; a++) d[a] -= d[a] > N / 2 ? N : 0;
    const double r2 = d[0] * d[0] + d[1] * d[1] + d[2] * d[2];
    const double shape = r2 > 0.0 ? 3.0 * d[0] * d[0] * d[1] * d[1] / (r2 * r2) * 4.0 - 0.8 : 0.0;
    kernel[i] = (int32_t)lrint(UNIT * (r2 > 0.0 ? 1.2 * shape / (r2 * sqrt(r2)) : -7.0));
    strain[i] = 1.0 + 0.3 * uniform_of(2, (uint64_t)i, 0);
  }
  int foot[FOOT];
  footprint_of(0, foot);
  for (int i = 0; i < FOOT; i++) touched[foot[i]] = true;
}

static bool lies_in(const tile *t, int site) {
  const int x[3] = {site / N / N, site / N % N, site % N};
  for (int a = 0; a < 3; a++) {
    if (x[a] < t->low[a] || x[a] >= t->high[a]) return false;
  }
  return true;
}

static bool touches(int from, int site) { return touched[difference(site, from)]; }

static double yielded(const tile *t, double mean, const stz_window_event *events, stz_instant time) {
  for (int i = 0; i < t->logs; i++) {
    if (events[i].time < time) mean -= t->set->modulus * strain_of(&events[i]);
  }
  return mean;
}

// The mean stress just before `time`, from the list of events.
static double mean_at(const tile *t, stz_instant time) {
  const stz_window_event *events = t->set->defect == STZ_TILE_FLOAT_SUM ? t->arrived : t->log;
  return yielded(t, t->mean, events, time) + t->set->ramp * stz_instant_seconds(time);
}

// What an event makes of the barrier of a site that it touches; `number`: of events at the site before it, goes on.
static float barrier_after(const tile *t, const stz_window_event *e, int site, float barrier, uint32_t *number) {
  const bool local = t->set->defect == STZ_TILE_LOCAL_ORDER;
  if (e->number == site) return drawn_barrier(site, ++*number + (local ? (uint32_t)t->logs : 0));
  return fmaxf(fminf(barrier, 9.0f), barrier - (float)t->set->softening);
}

static float barrier_at(const tile *t, int site, stz_instant time) {
  float barrier = t->barrier[site];
  uint32_t number = t->events[site];
  for (int i = 0; i < t->logs && t->log[i].time < time; i++) {
    if (touches(t->log[i].number, site)) barrier = barrier_after(t, &t->log[i], site, barrier, &number);
  }
  return barrier;
}

static bool is_near(int site, int from) {
  const int d = difference(site, from), x[3] = {d / N / N, d / N % N, d % N};
  int r2 = 0;
  for (int a = 0; a < 3; a++) r2 += x[a] > N / 2 ? (N - x[a]) * (N - x[a]) : x[a] * x[a];
  return r2 <= 5;
}

// The stress and the cached stress of a site just before `time`: what is later is taken off.
static void stress_at(const tile *t, int site, stz_instant time, int32_t stress[2]) {
  stress[0] = t->stress[site];
  stress[1] = t->cached[site];
  for (int i = t->logs; i > 0 && t->log[i - 1].time >= time; i--) {
    const int from = t->log[i - 1].number;
    const int32_t by = t->log[i - 1].sign * kernel[difference(site, from)];
    stress[0] -= by;
    if (is_near(site, from)) stress[1] -= by;
  }
}

static double rates_under(int32_t stress, double mean, double barrier, double rates[2]) {
  const double s = stress * (1.0 / UNIT) + mean;
  for (int k = 0; k < 2; k++) rates[k] = exp(fmin(0.0, (k ? -s : s) - barrier));
  return rates[0] + rates[1];
}

// The rate of a site just before `time`; *counts (may be NULL): how much of it counts.
static double rate_at(const tile *t, int site, stz_instant time, double rates[2], double *counts) {
  const double mean = mean_at(t, time), barrier = (double)barrier_at(t, site, time);
  int32_t stress[2];
  double cached[2];
  stress_at(t, site, time, stress);
  const double rate = rates_under(stress[0], mean, barrier, rates);
  if (!counts) return rate;
  const double most = exp(t->set->margin) * rates_under(stress[1], mean, barrier, cached);
  *counts = t->set->margin > 0.0 && most < rate ? most : rate;
  return rate;
}

// ln: what an event may do to the rate of a site, but for its barrier.
static double most_by(const tile *t, int from, int site) {
  return abs(kernel[difference(site, from)]) * (1.0 / UNIT) + t->set->modulus * MOST;
}

// --- levels ---

static uint64_t seed_of(const tile *t) {
  return SEED + (t->set->defect == STZ_TILE_KEYED_BY_TILE ? (uint64_t)t->name : 0);
}

static int level_of(double rate) {
  const int level = stz_points_layer((float)rate) - LOW;
  return level < 0 ? 0 : level >= LAYERS ? LAYERS - 1 : level;
}

static void note_soonest(tile *t, int site) {
  t->soon[site] = STZ_INSTANT_NEVER;
  for (int k = 0; k <= t->level[site]; k++) {
    if (t->point[site][k].time < t->soon[site]) t->soon[site] = t->point[site][k].time;
  }
}

static void set_level(tile *t, int site, int level, stz_instant from) {
  for (int k = 0; k <= level; k++) t->point[site][k] = stz_points_own(seed_of(t), site, LOW + k, from);
  t->level[site] = level;
  note_soonest(t, site);
}

static void look_from(tile *t, int site, stz_instant time) {
  double rates[2];
  set_level(t, site, level_of(rate_at(t, site, time + 1, rates, NULL) * exp(1.6 * ROOM)), time);
  t->spent[site] = 0.0;
}

// All levels anew.
static void look_at_all(tile *t, stz_instant time) {
  for (int i = 0; i < SITES; i++) {
    if (t->own[i]) look_from(t, i, time);
  }
  t->levelled = time;
  t->paid = 0.0;
}

// When the ramp has used up its part of the room.
static stz_instant next_look(const tile *t) {
  if (t->set->ramp == 0.0) return STZ_INSTANT_NEVER;
  return t->levelled + stz_instant_of(0.2 * ROOM / fabs(t->set->ramp));
}

// The first decision at or after a time.
static int decision_at(const tile *t, stz_instant time) {
  int at = t->decided;
  while (at > 0 && t->decisions[at - 1].point.time >= time) at--;
  return at;
}

static void add_decision(tile *t, const stz_point *p, double margin) {
  const int at = decision_at(t, p->time);
  if (at < t->decided && t->decisions[at].point.time == p->time) return; // known
  need(t->decided < LOG);
  memmove(&t->decisions[at + 1], &t->decisions[at], (size_t)(t->decided++ - at) * sizeof *t->decisions);
  t->decisions[at] = (decision){*p, margin};
}

// The largest rate of a site after `time` and up to now.
static double largest_rate(const tile *t, int site, stz_instant time) {
  double rates[2], most = fmax(rate_at(t, site, time + 1, rates, NULL), rate_at(t, site, t->now, rates, NULL));
  for (int i = 0; i < t->logs; i++) {
    if (t->log[i].time <= time) continue;
    most = fmax(most, rate_at(t, site, t->log[i].time, rates, NULL));
    most = fmax(most, rate_at(t, site, t->log[i].time + 1, rates, NULL));
  }
  return most;
}

// Changes in the past have used up the room of a site: points that may now count come in.
static void look_again(tile *t, int site) {
  const int level = level_of(largest_rate(t, site, t->late_from[site]) * exp(ROOM));
  for (int k = 0; k <= level; k++) {
    stz_point p = stz_points_own(seed_of(t), site, LOW + k, t->late_from[site]);
    for (; p.time <= t->now; p = stz_points_next(seed_of(t), &p)) add_decision(t, &p, -1.0);
  }
  if (level > t->level[site]) set_level(t, site, level, t->now);
  t->late[site] = 0.0;
  t->late_from[site] = STZ_INSTANT_NEVER;
}

// --- the calls ---

// The site of the first point.
static int first_site(const tile *t) {
  int first = -1;
  for (int i = 0; i < SITES; i++) {
    if (t->own[i] && (first < 0 || t->soon[i] < t->soon[first])) first = i;
  }
  return first;
}

// Whether a point is an event; how far the rate may move until it is not. The share of a mode moves by less than half.
static bool judge(const tile *t, const stz_point *p, double *margin, stz_window_event *event) {
  double rates[2], counts;
  const double rate = rate_at(t, p->number, p->time, rates, &counts), mode = stz_points_uniform(SEED, p);
  const bool happens = p->height < counts;
  *margin = fabs(log(p->height / counts));
  if (happens) *margin = fmin(*margin, 1.9 * fabs(mode - rates[0] / rate));
  *event = (stz_window_event){p->time, p->number, 0, mode * rate < rates[0] ? 1 : -1};
  return happens;
}

static bool next(void *context, stz_instant *until, stz_window_event *event) {
  tile *t = context;
  for (;;) {
    const int site = first_site(t);
    const stz_instant look = next_look(t), soon = t->soon[site];
    if (look < *until && look < soon) {
      t->now = look;
      look_at_all(t, look);
      continue;
    }
    t->now = soon < *until ? soon : *until;
    if (soon > *until) return false;
    stz_point *first = t->point[site];
    while (first->time != soon) first++;
    const stz_point p = *first;
    *first = stz_points_next(seed_of(t), &p);
    note_soonest(t, site);
    double margin;
    const bool happens = judge(t, &p, &margin, event);
    add_decision(t, &p, margin);
    if (happens) return true;
  }
}

static void put_in(stz_window_event *events, int count, int at, const stz_window_event *event) {
  memmove(events + at + 1, events + at, (size_t)(count - at) * sizeof *events);
  events[at] = *event;
}

static void take_out(stz_window_event *events, int count, const stz_window_event *event) {
  int at = 0;
  while (events[at].time != event->time) at++;
  memmove(events + at, events + at + 1, (size_t)(count - 1 - at) * sizeof *events);
}

static void log_change(tile *t, const stz_window_change *change) {
  int at = t->logs;
  need(t->logs < LOG);
  if (change->sign > 0) {
    while (at > 0 && t->log[at - 1].time > change->event.time) at--;
    put_in(t->log, t->logs, at, &change->event);
    put_in(t->arrived, t->logs, t->logs, &change->event);
  } else {
    take_out(t->log, t->logs, &change->event);
    take_out(t->arrived, t->logs, &change->event);
  }
  t->logs += change->sign;
  for (int i = 0; i < SITES; i++) {
    const int32_t by = change->sign * change->event.sign * kernel[difference(i, change->event.number)];
    t->stress[i] += by;
    if (is_near(i, change->event.number)) t->cached[i] += by;
  }
}

// Levels from now on.
static void spend(tile *t, const stz_window_event *event) {
  t->paid += t->set->modulus * MOST;
  if (t->paid > 0.3 * ROOM) {
    look_at_all(t, event->time);
    return;
  }
  for (int i = 0; i < SITES; i++) {
    t->spent[i] += touches(event->number, i) ? 9.0 * ROOM : abs(kernel[difference(i, event->number)]) * (1.0 / UNIT);
    if (t->own[i] && t->spent[i] > 0.5 * ROOM) look_from(t, i, event->time);
  }
}

// What was looked at up to now, and levels from now on, after a change in the past.
static void spend_late(tile *t, const stz_window_event *event) {
  for (int i = 0; i < SITES; i++) {
    if (!t->own[i]) continue;
    const double by = touches(event->number, i) ? 9.0 * ROOM : most_by(t, event->number, i);
    t->late[i] += by;
    t->spent[i] += by;
    if (event->time < t->late_from[i]) t->late_from[i] = event->time;
    if (t->late[i] > 0.5 * ROOM) look_again(t, i);
    if (t->spent[i] > 0.5 * ROOM) look_from(t, i, t->now);
  }
}

static void change(void *context, const stz_window_change *wanted) {
  tile *t = context;
  stz_window_change c = *wanted;
  const bool here = c.sign > 0 && c.event.time == t->now;
  if (t->set->defect == STZ_TILE_LATE && !t->own[c.event.number]) c.event.time += stz_instant_of(0.3);
  log_change(t, &c);
  if (here)
    spend(t, &c.event);
  else
    spend_late(t, &c.event);
}

static bool doubtful(void *context, const stz_window_change *changes, int count, stz_instant until, stz_instant *time) {
  tile *t = context;
  for (int i = decision_at(t, *time + 1); i < t->decided && t->decisions[i].point.time <= until; i++) {
    decision *d = &t->decisions[i];
    double moved = 0.0;
    for (int j = 0; j < count; j++) {
      const stz_window_event *e = &changes[j].event;
      if (e->time >= d->point.time) continue;
      moved += touches(e->number, d->point.number) ? INFINITY : 1.0001 * most_by(t, e->number, d->point.number);
    }
    d->margin -= t->set->defect == STZ_TILE_DOUBTLESS && d->margin >= 0.0 ? 0.0 : moved;
    if (d->margin > 0.0) continue;
    *time = d->point.time;
    return true;
  }
  return false;
}

static bool decide(void *context, stz_instant time, stz_window_event *event) {
  tile *t = context;
  decision *d = &t->decisions[decision_at(t, time)];
  return judge(t, &d->point, &d->margin, event);
}

static void back(void *context, stz_instant time) {
  tile *t = context;
  while (t->logs > 0 && t->log[t->logs - 1].time >= time) log_change(t, &(stz_window_change){t->log[t->logs - 1], -1});
  t->decided = decision_at(t, time);
  t->now = time - 1;
  look_at_all(t, t->set->defect == STZ_TILE_TWICE ? t->from : t->now);
}

static void commit(void *context, stz_instant time) {
  tile *t = context;
  t->mean = yielded(t, t->mean, t->set->defect == STZ_TILE_FLOAT_SUM ? t->arrived : t->log, time + 1);
  for (int i = 0; i < t->logs; i++) {
    int foot[FOOT];
    footprint_of(t->log[i].number, foot);
    for (int j = 0; j < FOOT; j++)
      t->barrier[foot[j]] = barrier_after(t, &t->log[i], foot[j], t->barrier[foot[j]], &t->events[foot[j]]);
  }
  t->logs = t->decided = 0;
  t->from = t->now = time;
  for (int i = 0; i < SITES; i++) {
    t->late[i] = 0.0;
    t->late_from[i] = STZ_INSTANT_NEVER;
  }
}

const stz_tile_calls stz_tile_calls_small = {next, change, doubtful, decide, back, commit};

void *stz_tile_create(const stz_tile_setting *set, int number, const stz_tile_fields *fields) {
  tile *t = calloc(1, sizeof *t);
  int at = number;
  if (!t) return NULL;
  t->set = set;
  t->name = number;
  for (int a = 0; a < 3; a++) {
    const int n = set->parts[a], part = at % n;
    at /= n;
    t->low[a] = N * part / n;
    t->high[a] = N * (part + 1) / n;
  }
  t->mean = fields ? fields->mean : set->mean;
  t->from = t->now = fields ? fields->now : 0;
  for (int i = 0; i < SITES; i++) {
    t->own[i] = lies_in(t, i);
    t->barrier[i] = fields ? fields->barrier[i] : drawn_barrier(i, 0);
    t->stress[i] = fields ? fields->stress[i] : (int32_t)lrint(UNIT * 4.0 * (uniform_of(3, (uint64_t)i, 0) - 0.5));
    t->cached[i] = fields ? fields->cached[i] : t->stress[i];
    t->events[i] = fields ? fields->events[i] : 0;
    t->late_from[i] = STZ_INSTANT_NEVER;
  }
  look_at_all(t, t->now);
  return t;
}

void stz_tile_get(const void *context, stz_tile_fields *fields) {
  const tile *t = context;
  for (int i = 0; i < SITES; i++) {
    fields->own[i] = t->own[i];
    if (!t->own[i]) continue;
    fields->stress[i] = t->stress[i];
    fields->cached[i] = t->cached[i];
    fields->barrier[i] = t->barrier[i];
    fields->events[i] = t->events[i];
  }
  fields->mean = t->mean;
  fields->now = t->now;
}

// --- one event after the other ---

void stz_tile_update(void *context, int blocks) {
  tile *t = context;
  for (int i = 0; i < SITES; i++) {
    if (blocks >> stz_tile_block(i) & 1) t->cached[i] = t->stress[i];
  }
}

bool stz_tile_happens(const void *context, const stz_point *point, stz_window_event *event, bool *lost) {
  const tile *t = context;
  double rates[2], margin;
  const bool happens = judge(t, point, &margin, event);
  *lost = !happens && point->height < rate_at(t, point->number, point->time, rates, NULL);
  return happens;
}

void stz_tile_put(void *context, const stz_window_event *event) {
  log_change(context, &(stz_window_change){*event, 1});
  commit(context, event->time);
}
