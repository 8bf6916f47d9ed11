// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/kmc: not installed.
//
// A tile: a slab of planes along x, whose events one worker of the team finds without those of the other tiles, checks
// against these, and takes them in. ahead.c says when; docs/theory-windows.md why the trajectory does not depend on it.
#ifndef STZ_KMC_TILE_H
#define STZ_KMC_TILE_H

#include "kmc/points/inside.h"

enum {
  STZ_TILE_EVENTS = 96,                                 // of a tile in a window, at most
  STZ_TILE_WINDOW = STZ_TILE_EVENTS * STZ_POINTS_TILES, // of all tiles
  STZ_TILE_LOOKS = 32768,                               // at points
  STZ_TILE_BOUNDED = 1024, // sites whose bounds one event sets anew, of those that are noted
  STZ_TILE_RAISED = 32768  // levels raised in a window
};

// An event that a tile has found.
typedef struct stz_tile_event {
  stz_instant time;
  stz_event event;
  int32_t number; // of its site
  int origin[3];
  double strain[6], height, mode, margin; // ln, of its look: what counts of the rate is no less
  float d[5], internal[5];
  // The site as the event has found it, without the other tiles' events.
  int32_t near[5];
  int16_t cached[5];
  float barrier;
  uint16_t rotation;
  stz_far_stencil nodes;
  int bounded; // sites whose bounds it has set anew
  int32_t sites[STZ_TILE_BOUNDED];
} stz_tile_event;

// A point that a tile has looked at and found to be no event, or to be one.
typedef struct stz_tile_look {
  stz_point point;
  double room, margin; // ln: how far its site's rate may rise until it may be one; up to where the rate counted
  stz_point_kind kind;
} stz_tile_look;

typedef struct stz_tile_raised {
  stz_instant time;
  int32_t number;
  int before, after; // its levels
} stz_tile_raised;

// The window as all tiles know it once the lists are merged.
typedef struct stz_tile_window {
  stz_instant from, until;
  int count;
  const stz_tile_event *events[STZ_TILE_WINDOW]; // in the order of time
  int tile[STZ_TILE_WINDOW];                     // whose they are
  stz_mean_stress mean[STZ_TILE_WINDOW + 1];     // before each, and after the last
  int64_t uniform[STZ_TILE_WINDOW + 1][5];
} stz_tile_window;

// How far the tiles are in a window, each of which sees the others': to end it where the events of all come to
// `wanted`. It only says where to stop, which changes no trajectory.
typedef struct stz_tile_race {
  int tiles, wanted, shift; // shift: of a time since the begin, so that it fits 64 bits
  double per_time;          // events of a tile that are to be expected, per unit of such a time
  stz_instant from;
  _Atomic uint64_t end; // no events are wanted after it
  struct stz_tile_runner {
    _Alignas(64) _Atomic int count;
    _Atomic uint64_t now;
    stz_instant time[STZ_TILE_EVENTS];
  } runner[STZ_POINTS_TILES];
} stz_tile_race;

typedef struct stz_tile stz_tile;

stz_err stz_tile_create(stz_points *x, int number, int first, int planes, stz_tile **tile) STZ_MUST_USE;
void stz_tile_destroy(stz_tile **tile);

// The nodes beyond its own may have changed, as by a recompute.
void stz_tile_refill(stz_tile *tile);

// Finds the tile's own events after the present time up to `until`, or to an earlier time if it must, or if no later
// one is wanted: returns that.
stz_instant stz_tile_run(stz_tile *tile, const stz_kmc_load *load, stz_tile_race *race, stz_instant until);

const stz_tile_event *stz_tile_events(const stz_tile *tile, int *count);
uint64_t stz_tile_again(const stz_tile *tile); // decisions made again so far

// Adds the drift of the window's events, of all tiles, to the blocks of the slab, of `everywhere` at its begin; up to
// the first event after which there is a moment, whose time it returns; never if there is none. Drift after a time
// comes off.
stz_instant stz_tile_drift(stz_tile *tile, const stz_tile_window *window, double everywhere);
void stz_tile_drift_off(stz_tile *tile, const stz_tile_window *window, stz_instant time);

// Takes off all that has a time after `time`, its own events and those of the others.
void stz_tile_rewind(stz_tile *tile, const stz_tile_window *window, stz_instant time);

// Looks at its decisions until window->until with the other tiles' events: returns the time up to which they hold.
// Those of its events that do have their `internal` stress then.
stz_instant stz_tile_check(stz_tile *tile, const stz_tile_window *window);

// Takes in the other tiles' events until window->until; returns the time up to which no point was left out.
stz_instant stz_tile_take(stz_tile *tile, const stz_tile_window *window);

// What was found until window->until is final: counts go to the engine. False if points may have been lost, as there
// was no room for notes: then all are to be laid anew.
bool stz_tile_commit(stz_tile *tile, const stz_tile_window *window);

#endif
