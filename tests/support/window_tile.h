// SPDX-License-Identifier: GPL-3.0-or-later
//
// A small engine for exact windows (windows.h): a periodic lattice of scalar stresses with an exact kernel in whole
// numbers, keyed points, barriers that are redrawn at the event's site and lowered about it (which do not commute), and
// a mean stress that is replayed from the list of events in floating point.
#ifndef STZ_TESTS_WINDOW_TILE_H
#define STZ_TESTS_WINDOW_TILE_H

#include "windows.h"

enum {
  STZ_TILE_CELLS = 8,
  STZ_TILE_SITES = STZ_TILE_CELLS * STZ_TILE_CELLS * STZ_TILE_CELLS,
  STZ_TILE_BLOCKS = 8, // of half the cells per axis
  STZ_TILE_LOW = -14,  // first layer of the points
  STZ_TILE_LAYERS = 16,
  STZ_TILE_SEED = 7
};

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
  double margin;                         // ln: a rate counts up to so far above that of the cached stress; 0: always
  int parts[3];                          // tiles per axis
  stz_tile_defect defect;
} stz_tile_setting;

// At its last commit; of the arrays, the tile's own sites.
typedef struct stz_tile_fields {
  bool own[STZ_TILE_SITES];
  int32_t stress[STZ_TILE_SITES], cached[STZ_TILE_SITES];
  float barrier[STZ_TILE_SITES];
  uint32_t events[STZ_TILE_SITES]; // that happened there
  double mean;                     // but for its ramp
  stz_instant now;
} stz_tile_fields;

// The block of a site.
static inline int stz_tile_block(int site) {
  const int n = STZ_TILE_CELLS, half = n / 2;
  return site / n / n / half * 4 + site / n % n / half * 2 + site % n / half;
}

extern const stz_tile_calls stz_tile_calls_small;

// The tables; before all else.
void stz_tile_tables(void);

// Tile number `number`, ended by free(); NULL without memory. With the fields of all sites, or at time 0 for NULL. The
// setting must outlive it.
void *stz_tile_create(const stz_tile_setting *setting, int number, const stz_tile_fields *fields);
void stz_tile_get(const void *tile, stz_tile_fields *fields);

// After a commit: the cached stresses of blocks (a bit each) become the true ones.
void stz_tile_update(void *tile, int blocks);

// For the definition, one event after the other. Whether a point is an event, *event; `lost`: it is none, though its
// height is below the rate. And to make it happen.
bool stz_tile_happens(const void *tile, const stz_point *point, stz_window_event *event, bool *lost);
void stz_tile_put(void *tile, const stz_window_event *event);

#endif
