// SPDX-License-Identifier: GPL-3.0-or-later
//
// Exact windows: tiles of one sample find the events of a window of time side by side, and repair what they did not
// know of each other, until no list changes. What an event is, is a pure function of the events before it
// (kmc/points/points.h), so that the lists have one fixed point: that of one tile alone.
//
// In the first sweep each tile runs without the others' events, and keeps its decisions: points that it looked at, and
// how far their rates may move before the decision does. In each further sweep it takes the others' lists of the sweep
// before, puts the difference into its fields, and goes through its decisions in the order of time: only those within
// reach of the changes before them are made anew, and what comes or goes is one more change. Nothing is run again.
// After sweep n the first n events of a window are right, so that it ends. A window may be cut at any time without
// changing what happens: that is how it ends early when events come faster than expected.
#ifndef STZ_TESTS_WINDOWS_H
#define STZ_TESTS_WINDOWS_H

#include "base/team.h"
#include "kmc/points/points.h"

typedef struct stz_window_event {
  stz_instant time;
  int32_t number;     // of the site
  int16_t mode, sign; // of its shear
} stz_window_event;

// An event that comes (sign 1) or goes (-1).
typedef struct stz_window_change {
  stz_window_event event;
  int sign;
} stz_window_change;

// What a tile does. Calls for different tiles come from several threads, those for one tile one after the other. No
// call allocates memory.
typedef struct stz_tile_calls {
  // The first sweep. Goes on to the tile's first own event up to *until, keeping each decision on the way; false if
  // there is none. May set *until earlier: the window is then cut there. The event is not applied.
  bool (*next)(void *tile, stz_instant *until, stz_window_event *event);
  // Puts an event in, its own or another tile's, or takes it off, at its own time, be it before others that are in.
  void (*change)(void *tile, const stz_window_change *change);
  // The first decision after *time and up to `until` that changes may turn over, or that was never made: true, and
  // *time is its time. Those before it stand.
  bool (*doubtful)(void *tile, const stz_window_change *changes, int count, stz_instant until, stz_instant *time);
  // Makes the decision of `time` anew, by the events before it that are in: whether it is an event, and which.
  bool (*decide)(void *tile, stz_instant time, stz_window_event *event);
  // Takes off all events from `time` on, and forgets the decisions from there on: they come again.
  void (*back)(void *tile, stz_instant time);
  // All up to `time`, where the tile is, is final.
  void (*commit)(void *tile, stz_instant time);
} stz_tile_calls;

enum { STZ_WINDOW_TILES = 64 }; // at most

typedef struct stz_window_counts {
  uint64_t windows, sweeps, events, cut; // `cut`: windows that ended early
  uint64_t flips, redecided;             // after the first sweep: events that came or went; decisions made anew
} stz_window_counts;

typedef struct stz_windows stz_windows;

// `count` tiles (up to STZ_WINDOW_TILES), passed to the calls as tiles[0], tiles[1], ... A window is cut as soon as one
// tile has `cap` events. The tiles and `team` (may be NULL) must outlive the windows. Local.
stz_err stz_windows_create(const stz_tile_calls *calls, void *const *tiles, int count, int cap, stz_team *team,
                           stz_windows **windows) STZ_MUST_USE;
void stz_windows_destroy(stz_windows **windows);

// The time of the last commit, or of the start: 0 unless it is set before the first window.
stz_instant stz_windows_now(const stz_windows *windows);
void stz_windows_start(stz_windows *windows, stz_instant time);

// Finds the events after the last commit up to `until`, or up to an earlier time where the window was cut. Returns that
// time; *events (in the order of time) has *count. Times count in 2^-64 s: no two events have the same.
stz_instant stz_windows_run(stz_windows *windows, stz_instant until, const stz_window_event **events, int *count);

// Makes the events up to `time` final, and forgets those after.
void stz_windows_commit(stz_windows *windows, stz_instant time);

stz_window_counts stz_windows_counts(const stz_windows *windows);

#endif
