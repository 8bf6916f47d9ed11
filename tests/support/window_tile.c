// SPDX-License-Identifier: GPL-3.0-or-later
#include "window_tile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rng/rng.h"

enum {
  N = STZ_TILE_CELLS,
  SITES = STZ_TILE_SITES,
  LOW = -14, // the first layer
  LAYERS = 16,
  LOG = 4096,
  UNIT = 1024, // of stress: a kT
  FOOT = 7     // sites whose barriers an event changes
};
static const uint64_t SEED = 7;
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
  stz_window_event log[LOG]; // events since, in the order of time
  int logs;
  stz_window_event arrived[LOG]; // the same in the order of arrival, for a defect
  decision decisions[LOG];       // in the order of time
  int decided;
  stz_instant now; // up to where it has run
  // Levels: up to which layer points are looked at from here on.
  int level[SITES];
  stz_point point[SITES][LAYERS]; // the next ones
  stz_instant soon[SITES];        // the earliest of these
  double spent[SITES], paid;      // ln: how far rates may have moved since, by events and by the mean
  stz_instant levelled;           // when all were set
  double late[SITES];             // ln: the same by changes before now, of what was looked at up to now
  stz_instant late_from[SITES];   // the first of these changes
} tile;

static int32_t kernel[SITES]; // by the difference of sites

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

// The plastic strain of an event: no round number.
static double strain[SITES];
static double strain_of(const stz_window_event *e) { return e->sign * strain[e->number]; }

void stz_tile_tables(void) {
  for (int i = 0; i < SITES; i++) {
    int d[3] = {i / N / N, i / N % N, i % N};
    for (int a = 0; a < 3; a++) d[a] -= d[a] > N / 2 ? N : 0;
    const double r2 = d[0] * d[0] + d[1] * d[1] + d[2] * d[2];
    const double shape = r2 > 0.0 ? 3.0 * d[0] * d[0] * d[1] * d[1] / (r2 * r2) * 4.0 - 0.8 : 0.0;
    kernel[i] = (int32_t)lrint(UNIT * (r2 > 0.0 ? 1.2 * shape / (r2 * sqrt(r2)) : -7.0));
    strain[i] = 1.0 + 0.3 * uniform_of(2, (uint64_t)i, 0);
  }
}

static bool lies_in(const tile *t, int site) {
  const int x[3] = {site / N / N, site / N % N, site % N};
  for (int a = 0; a < 3; a++) {
    if (x[a] < t->low[a] || x[a] >= t->high[a]) return false;
  }
  return true;
}

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

static bool touches(int from, int site) {
  int foot[FOOT];
  footprint_of(from, foot);
  for (int i = 0; i < FOOT; i++) {
    if (foot[i] == site) return true;
  }
  return false;
}

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
  if (e->number == site) return drawn_barrier(site, ++*number);
  return fmaxf(fminf(barrier, 9.0f), barrier - (float)t->set->softening);
}

static float barrier_at(const tile *t, int site, stz_instant time) {
  float barrier = t->barrier[site];
  uint32_t number = t->events[site];
  if (t->set->defect == STZ_TILE_LOCAL_ORDER) number += (uint32_t)t->logs;
  for (int i = 0; i < t->logs && t->log[i].time < time; i++) {
    if (touches(t->log[i].number, site)) barrier = barrier_after(t, &t->log[i], site, barrier, &number);
  }
  return barrier;
}

// The stress just before `time`: what is later is taken off.
static int32_t stress_at(const tile *t, int site, stz_instant time) {
  int32_t stress = t->stress[site];
  for (int i = t->logs; i > 0 && t->log[i - 1].time >= time; i--)
    stress -= t->log[i - 1].sign * kernel[difference(site, t->log[i - 1].number)];
  return stress;
}

static double rate_at(const tile *t, int site, stz_instant time, double rates[2]) {
  const double s = stress_at(t, site, time) * (1.0 / UNIT) + mean_at(t, time), q = (double)barrier_at(t, site, time);
  for (int k = 0; k < 2; k++) rates[k] = exp(fmin(0.0, (k ? -s : s) - q));
  return rates[0] + rates[1];
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
  set_level(t, site, level_of(rate_at(t, site, time + 1, rates) * exp(1.6 * ROOM)), time);
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
  double rates[2], most = fmax(rate_at(t, site, time + 1, rates), rate_at(t, site, t->now, rates));
  for (int i = 0; i < t->logs; i++) {
    if (t->log[i].time <= time) continue;
    most = fmax(most, rate_at(t, site, t->log[i].time, rates));
    most = fmax(most, rate_at(t, site, t->log[i].time + 1, rates));
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
  if (level > t->level[site]) set_level(t, site, level, t->set->defect == STZ_TILE_TWICE ? t->late_from[site] : t->now);
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
  double rates[2];
  const double rate = rate_at(t, p->number, p->time, rates), mode = stz_points_uniform(SEED, p);
  const bool happens = p->height < rate;
  *margin = fabs(log(p->height / rate));
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
  for (int i = 0; i < SITES; i++)
    t->stress[i] += change->sign * change->event.sign * kernel[difference(i, change->event.number)];
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
  look_at_all(t, t->now);
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
  t->now = time;
  for (int i = 0; i < SITES; i++) {
    t->late[i] = 0.0;
    t->late_from[i] = STZ_INSTANT_NEVER;
  }
}

const stz_tile_calls stz_tile_calls_small = {next, change, doubtful, decide, back, commit};

void *stz_tile_create(const stz_tile_setting *set, int number) {
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
  t->mean = set->mean;
  for (int i = 0; i < SITES; i++) {
    t->own[i] = lies_in(t, i);
    t->barrier[i] = drawn_barrier(i, 0);
    t->stress[i] = (int32_t)lrint(UNIT * 4.0 * (uniform_of(3, (uint64_t)i, 0) - 0.5));
  }
  for (int i = 0; i < SITES; i++) t->late_from[i] = STZ_INSTANT_NEVER;
  look_at_all(t, 0);
  return t;
}

void stz_tile_get(const void *context, stz_tile_fields *fields) {
  const tile *t = context;
  memcpy(fields->own, t->own, sizeof fields->own);
  memcpy(fields->stress, t->stress, sizeof fields->stress);
  memcpy(fields->barrier, t->barrier, sizeof fields->barrier);
  fields->mean = t->mean;
}

// --- the definition ---

static int earlier(const void *a, const void *b) {
  const stz_instant x = ((const stz_point *)a)->time, y = ((const stz_point *)b)->time;
  return (x > y) - (x < y);
}

// All points of all sites after `from` and up to `until`, in the order of time; returns their number.
static int all_points(stz_instant from, stz_instant until, stz_point *points, int most) {
  int count = 0;
  for (int process = 0; process < SITES * LAYERS; process++) {
    stz_point p = stz_points_own(SEED, process / LAYERS, LOW + process % LAYERS, from);
    for (; p.time <= until; p = stz_points_next(SEED, &p)) {
      need(count < most);
      points[count++] = p;
    }
  }
  qsort(points, (size_t)count, sizeof *points, earlier);
  return count;
}

double stz_tile_define(const stz_tile_setting *setting, int most, stz_window_event *events) {
  enum { POINTS = 64 * SITES };
  static stz_point points[POINTS];
  const stz_instant step = stz_instant_of(16.0); // several points per site
  const stz_tile_setting alone = {setting->mean,      setting->ramp, setting->modulus,
                                  setting->softening, {1, 1, 1},     STZ_TILE_RIGHT};
  tile *t = stz_tile_create(&alone, 0);
  int found = 0;
  for (stz_instant from = 0; found < most; from += step) {
    const int count = all_points(from, from + step, points, POINTS);
    for (int i = 0; i < count && found < most; i++) {
      double margin;
      if (!judge(t, &points[i], &margin, &events[found])) continue;
      log_change(t, &(stz_window_change){events[found++], 1});
      commit(t, points[i].time);
    }
  }
  const double mean = t->mean;
  free(t);
  return mean;
}
