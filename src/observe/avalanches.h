// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/observe: not installed.
//
// Avalanches: events clustered in time and space, as they happen. An event opens a window of time, within a distance of
// its site; an event that falls into open windows joins the avalanche of the latest event among theirs, its parent, and
// one that falls into none begins an avalanche. Each event thus has at most one parent, and an avalanche is a tree (the
// windows of J. K. Gardner, L. Knopoff, Bull. Seismol. Soc. Am. 64, 1363, 1974; a single parent as in I. Zaliapin,
// Y. Ben-Zion, J. Geophys. Res. 118, 2847, 2013).
//
// The window's length is the fraction `window` of the mean time that passes between events within the distance:
//   window * (mean waiting time of the box) * N/n,
// n of the N sites lying within the distance. So `window` is the number of children that an event would have by chance
// if events fell independently, whatever the size of the box; of such events the fraction exp(-window) begins an
// avalanche. The mean waiting time at an event is a running mean over about the last STZ_AVALANCHE_MEMORY.
#ifndef STZ_OBSERVE_AVALANCHES_H
#define STZ_OBSERVE_AVALANCHES_H

#include <stddef.h>
#include <stdint.h>

#include "lattice/grid.h"
#include "observe/params.h"

enum { STZ_AVALANCHE_MEMORY = 20 };

typedef struct stz_avalanches stz_avalanches;

// What an avalanche takes from an event.
typedef struct stz_avalanche_event {
  double time_s;                      // of the clock that stz_avalanches_new_clock sets back
  double run_time_s;                  // since the start of the run
  int segment;                        // of the protocol
  int64_t site;                       // global
  double strain;                      // total strain before it
  double plastic_strain, stress_drop; // what it adds to the mean plastic strain and takes off the mean stress
} stz_avalanche_event;

typedef struct stz_avalanche {
  int64_t id;             // counted from 0 by their begins
  double run_begin_s;     // since the start of the run
  double segment_begin_s; // its first event's time in the segment
  double begin_s, last_s; // of its first and last event, of the present clock
  double open_until_s;    // no event can join it after that
  int64_t segment;        // in which it begins
  int64_t events;
  double strain;                      // total strain at the start
  double plastic_strain, stress_drop; // sums over its events
  int64_t first_site;
  double sum_nm[3], square_nm2; // of the events' places from the first, along the tree; of their squared distances
} stz_avalanche;

// Collective, as all below that can fail; all ranks hold the same.
stz_err stz_avalanches_create(const stz_grid *grid, const stz_avalanche_params *params,
                              stz_avalanches **avalanches) STZ_MUST_USE;
void stz_avalanches_destroy(stz_avalanches **avalanches);

// The clock of all times, which shows `time_s`, begins at 0 again: times before are negative. Local.
void stz_avalanches_new_clock(stz_avalanches *avalanches, double time_s);

// Takes out the avalanches whose windows are all over before `time_s`, by their begins; returns how many. *list holds
// until the next call.
int stz_avalanches_over(stz_avalanches *avalanches, double time_s, const stz_avalanche **list);

// Adds an event, after stz_avalanches_over at its time.
stz_err stz_avalanches_add(stz_avalanches *avalanches, const stz_avalanche_event *event) STZ_MUST_USE;

// Root mean square distance of an avalanche's events from their centre (radius of gyration), nm, and that centre in
// the box, nm (voxel 0 has its centre at a/2).
double stz_avalanche_radius(const stz_avalanche *avalanche);
void stz_avalanche_centre(const stz_grid *grid, const stz_avalanche *avalanche, double centre_nm[3]);

// Fraction of the sites within the distance (periodic, at least the site itself).
double stz_avalanches_reach_fraction(const stz_avalanches *avalanches);

// For checkpoints: all open avalanches. Restoring can fail (STZ_EIO: `saved` is not of this size).
size_t stz_avalanches_saved_bytes(const stz_avalanches *avalanches);
void stz_avalanches_save(const stz_avalanches *avalanches, void *saved);
stz_err stz_avalanches_restore(stz_avalanches *avalanches, const void *saved, size_t bytes) STZ_MUST_USE;

#endif
