// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/kmc: not installed.
//
// What the files of a tile share. A tile works on copies of what the engine has one of: the structs that its functions
// take (kmc, multilevel, points), the head of the state, work space, the nodes beyond its slab. Rows of sites, levels
// of points and nodes of its slab are the engine's own memory; drift is the engine's alone.
#ifndef STZ_KMC_TILE_INSIDE_H
#define STZ_KMC_TILE_INSIDE_H

#include "kmc/points/tile.h"

enum { STZ_TILE_TOUCHED = 1 << 14 }; // sites that the others' events of a window touch

// Levels that were raised in this window, in the order of time.
struct stz_tile_raises {
  int count;
  bool full;
  stz_tile_raised all[STZ_TILE_RAISED];
  int high; // rows in which levels are to be lowered after the window
  int32_t row8[STZ_TILE_RAISED];
};

// Others' events of a window, by their numbers.
typedef struct stz_tile_others {
  int count, event[STZ_TILE_WINDOW];
} stz_tile_others;

// A place in a window: how many events are before it, of the tile and of all; and what a look there has to reckon with.
typedef struct stz_tile_place {
  int own, all;
  double shift; // ln
} stz_tile_place;

struct stz_tile { // NOLINT(clang-analyzer-optin.performance.Padding): there are few
  stz_points *engine, x;
  stz_kmc kmc;
  stz_multilevel e;
  stz_ml_head head;
  stz_ml_list list;
  stz_glass *glass;
  int number, first, planes; // of the tile, and of its slab
  double strength, reach;    // eV/nm^3 of an event, times the cube of the distance; voxels
  int close;                 // voxels, along an axis: an event sets bounds anew, or changes barriers, up to there
  stz_tile_raises raises;
  stz_mean_stress mean[STZ_TILE_EVENTS + 1]; // before each own event, and after the last
  int64_t uniform[STZ_TILE_EVENTS + 1][5];
  int count, looks, patience;
  int dry;        // points below the ground since the tile's last event
  uint64_t again; // decisions made again, since the tile was made
  bool full;      // there is no room for more
  int foreign;    // events of other tiles that are in
  int drifted;    // the window's events whose drift is in
  // Of each event of the others in the window: the sites of the slab that it touches.
  int touches[STZ_TILE_WINDOW + 1];
  int64_t touched[STZ_TILE_TOUCHED];
  stz_tile_others near, far; // those that come near to a site of the slab, or are felt there
  stz_tile_event *events;
  stz_tile_look *look;
};

#endif
