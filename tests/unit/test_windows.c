// SPDX-License-Identifier: GPL-3.0-or-later
//
// Exact windows (support/windows.h) with a small engine (support/window_tile.h): whatever the tiles, the windows and
// their caps, all events, fields and sums have the bits of the definition, which takes one point after the other; also
// where events are lost as cached stresses are too old, and where another number of tiles goes on from the middle.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "window_tile.h"

enum { EVENTS = 120, MOST_TILES = 8 };

typedef struct history {
  const char *name;
  stz_tile_setting set;
  float limit; // of the drift of a block
} history;

static const history SCENARIOS[] = {
    {"creep", {.mean = 5.0}, 2.0f},
    {"relaxation", {.mean = 5.0, .modulus = 0.004}, 2.0f},
    {"strain rate", {.mean = 4.5, .modulus = 0.004, .ramp = 0.02}, 2.0f},
    {"softening", {.mean = 5.0, .modulus = 0.004, .softening = 1.0}, 2.0f},
    {"some lost", {.mean = 5.0, .modulus = 0.004, .margin = 0.1}, 4.0f},
    {"many lost", {.mean = 5.0, .modulus = 0.004, .margin = 0.01}, INFINITY},
};
enum { SCENARIO_COUNT = sizeof SCENARIOS / sizeof *SCENARIOS };

// Moments: right after the 16th event since the last one, or after the first that brings the drift of a block above its
// limit, the cached stresses of blocks with much drift are brought up to date.
typedef struct drifts {
  float of[STZ_TILE_BLOCKS];
  int events; // since the last moment
} drifts;

// Adds an event; at a moment returns the blocks that are updated (a bit each), which may be none, else -1.
static int drift_by(drifts *d, float limit, const stz_window_event *event) {
  enum { MOST = 16 };
  bool above = false;
  int blocks = 0;
  for (int b = 0; b < STZ_TILE_BLOCKS; b++) {
    d->of[b] += (b == stz_tile_block(event->number) ? 0.3f : 0.1f) * (1.0f + (float)(event->number % 7) / 9.0f);
    above |= d->of[b] > limit;
  }
  if (++d->events < MOST && !above) return -1;
  d->events = 0;
  for (int b = 0; b < STZ_TILE_BLOCKS; b++) {
    if (!(d->of[b] > 0.75f * limit)) continue;
    d->of[b] = 0.0f;
    blocks |= 1 << b;
  }
  return blocks;
}

// Events that are expected in a window; those that a tile finds at most.
typedef struct length {
  double expected;
  int cap;
} length;

// By the definition.
typedef struct trajectory {
  stz_window_event events[EVENTS];
  stz_tile_fields fields; // at the end
  int lost, moments;
} trajectory;

static trajectory expected[SCENARIO_COUNT];

static int earlier(const void *a, const void *b) {
  const stz_instant x = ((const stz_point *)a)->time, y = ((const stz_point *)b)->time;
  return (x > y) - (x < y);
}

// All points of all sites after `from` and up to `until`, in the order of time; returns their number.
static int all_points(stz_instant from, stz_instant until, stz_point *points, int most) {
  int count = 0;
  for (int process = 0; process < STZ_TILE_SITES * STZ_TILE_LAYERS; process++) {
    const int site = process / STZ_TILE_LAYERS, layer = STZ_TILE_LOW + process % STZ_TILE_LAYERS;
    stz_point p = stz_points_own(STZ_TILE_SEED, site, layer, from);
    for (; p.time <= until; p = stz_points_next(STZ_TILE_SEED, &p)) {
      if (count == most) abort();
      points[count++] = p;
    }
  }
  qsort(points, (size_t)count, sizeof *points, earlier);
  return count;
}

// One point after the other.
static void define(const history *scenario, trajectory *t) {
  enum { POINTS = 64 * STZ_TILE_SITES };
  static stz_point points[POINTS];
  const stz_instant step = stz_instant_of(16.0); // several points per site
  stz_tile_setting set = scenario->set;
  drifts drift = {{0}, 0};
  int found = 0;
  for (int axis = 0; axis < 3; axis++) set.parts[axis] = 1;
  void *tile = stz_tile_create(&set, 0, NULL);
  for (stz_instant from = 0; found < EVENTS; from += step) {
    const int count = all_points(from, from + step, points, POINTS);
    for (int i = 0; i < count && found < EVENTS; i++) {
      bool lost;
      const bool happens = stz_tile_happens(tile, &points[i], &t->events[found], &lost);
      t->lost += lost;
      if (!happens) continue;
      stz_tile_put(tile, &t->events[found]);
      const int blocks = drift_by(&drift, scenario->limit, &t->events[found++]);
      if (blocks >= 0) stz_tile_update(tile, blocks);
      t->moments += blocks >= 0;
    }
  }
  stz_tile_get(tile, &t->fields);
  free(tile);
}

// --- runs ---

// A run: its tiles, which may be cut anew on the way, and how far it has come.
typedef struct course {
  stz_tile_setting set;
  int scenario, count, done;
  void *tiles[MOST_TILES];
  stz_windows *windows;
  stz_team *team;
  drifts drift;
  double now, each; // s; time per event
  bool wrong;       // an event is not the expected one
  stz_window_counts counts;
} course;

static void begin(course *c, const int parts[3], length l, const stz_tile_fields *fields) {
  memcpy(c->set.parts, parts, sizeof c->set.parts);
  c->count = parts[0] * parts[1] * parts[2];
  for (int i = 0; i < c->count; i++) assert_non_null(c->tiles[i] = stz_tile_create(&c->set, i, fields));
  assert_int_equal(stz_team_create_local(c->count > 1 && l.expected > 10.0 ? 3 : 1, &c->team), STZ_OK);
  assert_int_equal(stz_windows_create(&stz_tile_calls_small, c->tiles, c->count, l.cap, c->team, &c->windows), STZ_OK);
  if (fields) stz_windows_start(c->windows, fields->now);
}

// The fields of all sites; whether all tiles have the same sums.
static bool end(course *c, stz_tile_fields *fields) {
  bool same = true;
  c->counts = stz_windows_counts(c->windows);
  for (int i = 0; i < c->count; i++) {
    const double mean = fields->mean;
    stz_tile_get(c->tiles[i], fields);
    same &= i == 0 || mean == fields->mean;
    free(c->tiles[i]);
  }
  stz_windows_destroy(&c->windows);
  stz_team_destroy(&c->team);
  return same;
}

static bool same_event(const stz_window_event *a, const stz_window_event *b) {
  return a->time == b->time && a->number == b->number && a->mode == b->mode && a->sign == b->sign;
}

// Takes the events of a window up to the first moment or the `most`th event of the run, and makes them final.
static void take(course *c, const stz_window_event *found, int count, stz_instant until, int most) {
  int blocks = -1;
  for (int i = 0; i < count && blocks < 0 && c->done < most; i++) {
    c->wrong |= !same_event(&found[i], &expected[c->scenario].events[c->done++]);
    blocks = drift_by(&c->drift, SCENARIOS[c->scenario].limit, &found[i]);
    if (blocks >= 0 || c->done == most) until = found[i].time;
  }
  stz_windows_commit(c->windows, until);
  for (int i = 0; i < c->count && blocks >= 0; i++) stz_tile_update(c->tiles[i], blocks);
}

static void run_until(course *c, double window, int most) {
  while (c->done < most) {
    const stz_window_event *found;
    int count;
    const int before = c->done;
    const stz_instant until = stz_windows_run(c->windows, stz_instant_of(c->now + window * c->each), &found, &count);
    take(c, found, count, until, most);
    const double then = stz_instant_seconds(stz_windows_now(c->windows));
    c->each = c->done > before ? 0.7 * c->each + 0.3 * (then - c->now) / (c->done - before) : 2.0 * c->each;
    c->now = then;
  }
}

static bool differ(const stz_tile_fields *a, const stz_tile_fields *b) {
  return memcmp(a->stress, b->stress, sizeof a->stress) != 0 || memcmp(a->cached, b->cached, sizeof a->cached) != 0 ||
         memcmp(a->barrier, b->barrier, sizeof a->barrier) != 0 ||
         memcmp(a->events, b->events, sizeof a->events) != 0 || a->mean != b->mean || a->now != b->now;
}

// Runs a scenario to its last event; after the half of the events with tiles cut as `then` (NULL: as before). Returns
// whether anything differs from the definition.
static bool run(int scenario, const int parts[3], const int then[3], length l, stz_tile_defect defect,
                stz_window_counts *counts) {
  static stz_tile_fields fields;
  course c = {.set = SCENARIOS[scenario].set, .scenario = scenario, .each = 0.05};
  c.set.defect = defect;
  bool same = true;
  begin(&c, parts, l, NULL);
  if (then) {
    run_until(&c, l.expected, EVENTS / 2);
    same &= end(&c, &fields);
    begin(&c, then, l, &fields);
  }
  run_until(&c, l.expected, EVENTS);
  same &= end(&c, &fields);
  if (counts) *counts = c.counts;
  return c.wrong || !same || differ(&fields, &expected[scenario].fields);
}

static const int PARTS[][3] = {{1, 1, 1}, {2, 1, 1}, {2, 2, 1}, {2, 2, 2}, {1, 1, 4}, {3, 1, 1}};

static void same_trajectory(void **state) {
  (void)state;
  static const length lengths[] = {{1.0, 1}, {2.0, 40}, {8.0, 3}, {30.0, 40}};
  for (int s = 0; s < SCENARIO_COUNT; s++) {
    for (size_t i = 0; i < 24; i++) {
      const int *p = PARTS[i / 4];
      const length l = lengths[i % 4];
      stz_window_counts c;
      assert_false(run(s, p, NULL, l, STZ_TILE_RIGHT, &c));
      print_message("%s, %d x %d x %d tiles, %g expected, cap %d: %.2f sweeps per window, per event %.2f flips, %.2f "
                    "decided anew\n",
                    SCENARIOS[s].name, p[0], p[1], p[2], l.expected, l.cap, (double)c.sweeps / (double)c.windows,
                    (double)c.flips / EVENTS, (double)c.redecided / EVENTS);
    }
  }
}

// What "some lost" and "many lost" mean.
static void events_are_lost(void **state) {
  (void)state;
  for (int s = 0; s < SCENARIO_COUNT; s++)
    print_message("%s: %d lost, %d moments\n", SCENARIOS[s].name, expected[s].lost, expected[s].moments);
  assert_int_equal(expected[1].lost, 0);
  assert_true(expected[4].lost > 0);
  assert_true(expected[5].lost >= EVENTS / 15);
}

static void other_tiles_go_on(void **state) {
  (void)state;
  for (int s = 0; s < SCENARIO_COUNT; s++) {
    for (int i = 0; i < 6; i++)
      assert_false(run(s, PARTS[i], PARTS[(i + 1 + s) % 6], (length){8.0, 40}, STZ_TILE_RIGHT, NULL));
  }
}

// Each planted defect shows in one of the scenarios.
static void defects_show(void **state) {
  (void)state;
  static const char *const names[] = {"none",        "foreign event late", "points keyed by the tile", "float sum",
                                      "local order", "layer twice",        "no decision doubted"};
  for (int d = STZ_TILE_LATE; d < STZ_TILE_DEFECTS; d++) {
    bool seen = false;
    for (int s = 0; s < SCENARIO_COUNT && !seen; s++)
      seen = run(s, PARTS[2], NULL, (length){30.0, 40}, (stz_tile_defect)d, NULL);
    print_message("%s: %s\n", names[d], seen ? "seen" : "NOT seen");
    assert_true(seen);
  }
}

int main(void) {
  static const struct CMUnitTest tests[] = {cmocka_unit_test(same_trajectory), cmocka_unit_test(events_are_lost),
                                            cmocka_unit_test(other_tiles_go_on), cmocka_unit_test(defects_show)};
  stz_tile_tables();
  for (int s = 0; s < SCENARIO_COUNT; s++) define(&SCENARIOS[s], &expected[s]);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
