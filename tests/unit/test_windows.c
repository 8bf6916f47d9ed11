// SPDX-License-Identifier: GPL-3.0-or-later
//
// Exact windows (support/windows.h) with a small engine (support/window_tile.h): whatever the tiles, the windows and
// their caps, all events, fields and sums have the bits of the definition, which takes one point after the other.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "window_tile.h"

enum { EVENTS = 150, MOST_TILES = 8 };

static const stz_tile_setting SCENARIOS[] = {
    {.mean = 5.0},                                     // creep
    {.mean = 5.0, .modulus = 0.004},                   // relaxation
    {.mean = 4.5, .modulus = 0.004, .ramp = 0.02},     // strain rate
    {.mean = 5.0, .modulus = 0.004, .softening = 1.0}, // softening about events
};
static const char *const NAMES[] = {"creep", "relaxation", "strain rate", "softening"};
enum { SCENARIO_COUNT = sizeof SCENARIOS / sizeof *SCENARIOS };

// Events that are expected in a window; those that a tile finds at most.
typedef struct length {
  double expected;
  int cap;
} length;

static stz_window_event expected[SCENARIO_COUNT][EVENTS];
static double expected_mean[SCENARIO_COUNT];

// What differs from the definition, of the events and of the tiles at the end.
typedef struct outcome {
  bool events, means, fields;
  stz_window_counts counts;
} outcome;

// Whether all tiles have the same stress and barrier at own sites as the tiles of another cut.
static bool same_fields(void *const *tiles, int count, const stz_tile_fields *whole) {
  static stz_tile_fields own;
  for (int n = 0; n < count; n++) {
    stz_tile_get(tiles[n], &own);
    for (int i = 0; i < STZ_TILE_SITES; i++) {
      if (own.own[i] && (own.stress[i] != whole->stress[i] || own.barrier[i] != whole->barrier[i])) return false;
    }
  }
  return true;
}

static bool same_means(void *const *tiles, int count, double mean) {
  static stz_tile_fields own;
  for (int n = 0; n < count; n++) {
    stz_tile_get(tiles[n], &own);
    if (own.mean != mean) return false;
  }
  return true;
}

static bool same_event(const stz_window_event *a, const stz_window_event *b) {
  return a->time == b->time && a->number == b->number && a->mode == b->mode && a->sign == b->sign;
}

// Runs window after window to the last expected event; returns whether all events are as expected.
static bool run_windows(stz_windows *w, double window, const stz_window_event *events) {
  double now = 0.0, each = 0.05; // s; time per event
  bool same = true;
  for (int done = 0; done < EVENTS;) {
    const stz_window_event *found;
    int count;
    stz_instant end = stz_windows_run(w, stz_instant_of(now + window * each), &found, &count);
    if (done + count > EVENTS) end = found[EVENTS - done - 1].time;
    count = done + count > EVENTS ? EVENTS - done : count;
    for (int i = 0; i < count; i++) same &= same_event(&found[i], &events[done + i]);
    done += count;
    stz_windows_commit(w, end);
    const double then = stz_instant_seconds(end);
    each = count > 0 ? 0.7 * each + 0.3 * (then - now) / count : 2.0 * each;
    now = then;
  }
  return same;
}

// `whole` (in and out): the fields at the end, taken from the first run that has one tile.
static outcome run(const stz_tile_setting *set, int scenario, length l, stz_tile_fields *whole) {
  const int count = set->parts[0] * set->parts[1] * set->parts[2];
  void *tiles[MOST_TILES];
  stz_windows *w;
  stz_team *team;
  for (int i = 0; i < count; i++) assert_non_null(tiles[i] = stz_tile_create(set, i));
  assert_int_equal(stz_team_create_local(count > 1 ? 3 : 1, &team), STZ_OK);
  assert_int_equal(stz_windows_create(&stz_tile_calls_small, tiles, count, l.cap, team, &w), STZ_OK);
  outcome o = {.events = !run_windows(w, l.expected, expected[scenario])};
  if (count == 1) stz_tile_get(tiles[0], whole);
  o.means = !same_means(tiles, count, expected_mean[scenario]);
  o.fields = !same_fields(tiles, count, whole);
  o.counts = stz_windows_counts(w);
  stz_windows_destroy(&w);
  stz_team_destroy(&team);
  for (int i = 0; i < count; i++) free(tiles[i]);
  return o;
}

static stz_tile_setting cut(int scenario, const int parts[3]) {
  stz_tile_setting set = SCENARIOS[scenario];
  memcpy(set.parts, parts, sizeof set.parts);
  return set;
}

static void same_trajectory(void **state) {
  (void)state;
  static const int parts[][3] = {{1, 1, 1}, {2, 1, 1}, {2, 2, 1}, {2, 2, 2}, {1, 1, 4}, {3, 1, 1}};
  static const length lengths[] = {{1.0, 1}, {2.0, 40}, {8.0, 2}, {8.0, 40}, {30.0, 4}, {30.0, 40}};
  static stz_tile_fields whole;
  for (int s = 0; s < SCENARIO_COUNT; s++) {
    for (size_t i = 0; i < 36; i++) {
      const int *p = parts[i / 6];
      const length l = lengths[i % 6];
      const stz_tile_setting set = cut(s, p);
      const outcome o = run(&set, s, l, &whole);
      const stz_window_counts *c = &o.counts;
      print_message("%s, %d x %d x %d tiles, %g expected, cap %d: %.2f sweeps a window, per event %.2f flips, %.2f "
                    "decided anew\n",
                    NAMES[s], p[0], p[1], p[2], l.expected, l.cap, (double)c->sweeps / (double)c->windows,
                    (double)c->flips / EVENTS, (double)c->redecided / EVENTS);
      assert_false(o.events);
      assert_false(o.means);
      assert_false(o.fields);
    }
  }
}

// Each planted defect shows in one of the scenarios.
static void defects_show(void **state) {
  (void)state;
  static const char *const names[] = {"none",        "foreign event late", "points keyed by the tile", "float sum",
                                      "local order", "layer twice",        "no decision doubted"};
  static const int one[3] = {1, 1, 1}, four[3] = {2, 2, 1};
  static const length l = {30.0, 40};
  static stz_tile_fields whole;
  for (int d = STZ_TILE_LATE; d < STZ_TILE_DEFECTS; d++) {
    bool seen = false;
    for (int s = 0; s < SCENARIO_COUNT && !seen; s++) {
      stz_tile_setting set = cut(s, one);
      (void)run(&set, s, l, &whole);
      set = cut(s, four);
      set.defect = (stz_tile_defect)d;
      const outcome o = run(&set, s, l, &whole);
      seen = o.events || o.means || o.fields;
    }
    print_message("%s: %s\n", names[d], seen ? "seen" : "NOT seen");
    assert_true(seen);
  }
}

int main(void) {
  static const struct CMUnitTest tests[] = {cmocka_unit_test(same_trajectory), cmocka_unit_test(defects_show)};
  stz_tile_tables();
  for (int s = 0; s < SCENARIO_COUNT; s++) expected_mean[s] = stz_tile_define(&SCENARIOS[s], EVENTS, expected[s]);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
