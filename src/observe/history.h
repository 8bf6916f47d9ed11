// SPDX-License-Identifier: GPL-3.0-or-later
//
// The rows of /history (docs/output.md): what is in one, and when one is due. Nothing here touches the trajectory.
#ifndef STZ_OBSERVE_HISTORY_H
#define STZ_OBSERVE_HISTORY_H

#include <stdint.h>

#include "glass/glass.h"
#include "io/dataset.h"
#include "observe/params.h"
#include "observe/tally.h"

// The macroscopic state at a row's time, which the caller fills in.
typedef struct stz_history_state {
  double time_s, segment_time_s; // since the start of the run and of the segment
  double temperature_K;
  double strain[6], stress[6], plastic[6]; // total strain, stress (eV/nm^3), plastic strain
  int segment;                             // index
  uint64_t events;
  double plastic_rate_per_s, total_rate_per_s; // from the rates of all events
  double work, heat;                           // so far, eV/nm^3 (observe/energy.h)
  double mean_energy, internal_energy;         // elastic energy of the mean and of the internal stress, eV/nm^3
} stz_history_state;

// The part of a row that is measured on the sample.
typedef struct stz_history_sample {
  double stz_per_box;    // Omega/V
  double order_mean;     // fraction of clusters that still have their order; NaN without clusters
  double localisation;   // stz_localisation
  double reversal_share; // fraction of events that reversed the event before at their site; 0 without events
  stz_participation participation;
} stz_history_sample;

// The columns in the order of a row, and room for more numbers than a row has.
extern const stz_group stz_history_group;
enum { STZ_HISTORY_ROOM = 64 };

// Collective. Measures the glass, with the tally of its fields, after `events` events; the same bits on any number of
// ranks.
stz_history_sample stz_history_observe(const stz_glass *glass, stz_tally *tally, uint64_t events);

// A tally of the glass's fields. Collective.
stz_err stz_history_tally(const stz_glass *glass, stz_tally **tally) STZ_MUST_USE;

// Collective. Fraction of ordered clusters over all ranks, of which `ordered` of `count` are this rank's; NaN if there
// are none.
double stz_order_mean(const stz_grid *grid, int64_t ordered, int64_t count);

// One row; returns how many numbers it has. Local.
int stz_history_row(const stz_history_state *state, const stz_history_sample *sample, double row[STZ_HISTORY_ROOM]);

// When rows are due: at 10^(k/n) s, k = 0, 1, ... after the clock's zero of the segment, and whenever the strain
// that the segment drives has moved by strain_step since the last row. Times are those within the segment, and no two
// rows have the same. Plain data; local; the same on every rank.
typedef struct stz_history_schedule {
  int points_per_decade;
  double strain_step;
  double last_time_s, last_strain; // of the last row
} stz_history_schedule;

// Starts after a row at (time_s, strain).
stz_history_schedule stz_history_begin(const stz_history_params *params, double time_s, double strain);

// Time of the next row at or before `until`, INFINITY if none is due. The present state is (now_s, strain), and the
// strain grows at strain_rate from there on; clock_zero_s is the running segment's. Never before now_s: a row
// that a jump of the strain has made due, or that was left out, is due at once, or as soon as time has passed since the
// last row.
double stz_history_next(const stz_history_schedule *schedule, double now_s, double strain, double strain_rate,
                        double clock_zero_s, double until);

// Notes that a row was taken at (time_s, strain), due or not (say at the end of a segment).
void stz_history_taken(stz_history_schedule *schedule, double time_s, double strain);

#endif
