// SPDX-License-Identifier: GPL-3.0-or-later
//
// A small engine for exact windows (windows.h): a periodic lattice of scalar stresses with an exact kernel in whole
// numbers, keyed points, barriers that are redrawn at the event's site and lowered about it (which do not commute), and
// a mean stress that is replayed from the list of events in floating point.
#ifndef STZ_TESTS_WINDOW_TILE_H
#define STZ_TESTS_WINDOW_TILE_H

#include "windows.h"

enum { STZ_TILE_CELLS = 8, STZ_TILE_SITES = STZ_TILE_CELLS * STZ_TILE_CELLS * STZ_TILE_CELLS };

// What may be planted.
typedef enum stz_tile_defect {
  STZ_TILE_RIGHT,
  STZ_TILE_LATE,          // another tile's event is applied after its time
  STZ_TILE_KEYED_BY_TILE, // points belong to the tile
  STZ_TILE_FLOAT_SUM,     // the mean stress is summed in the order in which events arrive
  STZ_TILE_LOCAL_ORDER,   // redraw is keyed by how many events the tile knows
  STZ_TILE_TWICE,         // a layer's points come again
  STZ_TILE_DOUBTLESS,     // no decision is made anew
  STZ_TILE_DEFECTS
} stz_tile_defect;

typedef struct stz_tile_setting {
  double mean, ramp, modulus, softening; // kT; kT/s; kT per event; kT
  int parts[3];                          // tiles per axis
  stz_tile_defect defect;
} stz_tile_setting;

// At its last commit, the tile's own sites and the mean stress but for its ramp.
typedef struct stz_tile_fields {
  bool own[STZ_TILE_SITES];
  int32_t stress[STZ_TILE_SITES];
  float barrier[STZ_TILE_SITES];
  double mean;
} stz_tile_fields;

extern const stz_tile_calls stz_tile_calls_small;

// The tables; before all else.
void stz_tile_tables(void);

// Tile number `number` at time 0, ended by free(); NULL without memory. The setting must outlive it.
void *stz_tile_create(const stz_tile_setting *setting, int number);
void stz_tile_get(const void *tile, stz_tile_fields *fields);

// The first `most` events by the definition: all points of all sites in the order of time, one by one. Returns the mean
// stress after the last one, but for its ramp.
double stz_tile_define(const stz_tile_setting *setting, int most, stz_window_event *events);

#endif
