// SPDX-License-Identifier: GPL-3.0-or-later
#include "observe/history.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/mathfn.h"
#include "base/tensor.h"
#include "base/units.h"

#define ROW "row", STZ_FLOAT64
#define TENSOR "row component[6]", STZ_FLOAT64
static const stz_dataset columns[] = {
    {"time_s", "s", "time since the start of the run", ROW},
    {"segment_time_s", "s", "time since the start of the segment", ROW},
    {"segment", "1", "index of the segment", ROW},
    {"temperature_K", "K", "temperature", ROW},
    {"strain_axial", "1", "mean total strain, xx", ROW},
    {"stress_axial_GPa", "GPa", "mean stress, xx", ROW},
    {"plastic_strain_axial", "1", "mean plastic strain, xx", ROW},
    {"strain", "1", "mean total strain: xx yy zz yz xz xy, tensor components", TENSOR},
    {"stress_GPa", "GPa", "mean stress: xx yy zz yz xz xy", TENSOR},
    {"plastic_strain", "1", "mean plastic strain: xx yy zz yz xz xy, tensor components", TENSOR},
    {"plastic_rate_per_s", "1/s", "axial plastic strain rate from the rates of all events", ROW},
    {"total_rate_per_s", "1/s", "sum of the rates of all events", ROW},
    {"events", "1", "events so far", ROW},
    {"events_per_stz", "1", "events so far per volume Omega", ROW},
    {"order_mean", "1", "share of clusters that still have their order", ROW},
    {"localisation", "1", "largest mean plastic strain of a slab at 45 degrees over the mean of the box", ROW},
    {"reversal_share", "1", "share of events that undid the event before at their site", ROW},
    {"participation_ratio", "1", "(sum s)^2/(N sum s^2), s the square of a voxel's plastic strain", ROW},
    {"sheared_fraction", "1", "share of voxels on which an event was centred", ROW},
    {"work_MJ_per_m3", "MJ/m^3", "work done on the specimen per unit of volume", ROW},
    {"heat_MJ_per_m3", "MJ/m^3", "energy that the events dissipated, from the stress before and after each", ROW},
    {"elastic_energy_MJ_per_m3", "MJ/m^3", "elastic energy: of the mean and of the internal stress", ROW},
    {"internal_energy_MJ_per_m3", "MJ/m^3", "elastic energy of the internal stress alone", ROW},
};
const stz_group stz_history_group = {STZ_GROUP("/history", "always, a row at a time", columns), .block = 64,
                                     .chunk = 512};

int stz_history_row(const stz_history_state *state, const stz_history_sample *sample, double row[STZ_HISTORY_ROOM]) {
  const double events = (double)state->events;
  const double head[] = {state->time_s,         state->segment_time_s, state->segment,
                         state->temperature_K,  state->strain[STZ_XX], state->stress[STZ_XX] / STZ_GPA,
                         state->plastic[STZ_XX]};
  const double tail[] = {
      state->plastic_rate_per_s,
      state->total_rate_per_s,
      events,
      events * sample->stz_per_box,
      sample->order_mean,
      sample->localisation,
      sample->reversal_share,
      sample->participation.ratio,
      sample->participation.sheared,
      state->work / STZ_MJ_PER_M3,
      state->heat / STZ_MJ_PER_M3,
      (state->mean_energy + state->internal_energy) / STZ_MJ_PER_M3,
      state->internal_energy / STZ_MJ_PER_M3,
  };
  _Static_assert(25 + sizeof tail / sizeof *tail <= STZ_HISTORY_ROOM, "a row needs more room");
  memcpy(row, head, sizeof head);
  memcpy(row + 7, state->strain, sizeof state->strain);
  for (int c = 0; c < 6; c++) row[13 + c] = state->stress[c] / STZ_GPA;
  memcpy(row + 19, state->plastic, sizeof state->plastic);
  memcpy(row + 25, tail, sizeof tail);
  return 25 + (int)(sizeof tail / sizeof *tail);
}

double stz_order_mean(const stz_grid *grid, int64_t ordered, int64_t count) {
  int64_t numbers[2] = {ordered, count};
  MPI_Allreduce(MPI_IN_PLACE, numbers, 2, MPI_INT64_T, MPI_SUM, stz_grid_comm(grid));
  return numbers[1] ? (double)numbers[0] / (double)numbers[1] : NAN;
}

stz_history_schedule stz_history_begin(const stz_history_params *params, double time_s, double strain) {
  return (stz_history_schedule){params->points_per_decade, params->strain_step, time_s, strain};
}

void stz_history_taken(stz_history_schedule *schedule, double time_s, double strain) {
  schedule->last_time_s = time_s;
  schedule->last_strain = strain;
}

// The elementary functions are ours, as a row is collective: ranks on unlike processors must agree when it is due.
static double grid_time(const stz_history_schedule *s, double clock_zero, int k) {
  const int n = s->points_per_decade; // whole decades apart, so that 1, 10, 100 s are exact
  double decade = 1.0;
  for (int d = 0; d < k / n; d++) decade *= 10.0;
  return clock_zero + decade * stz_exp(k % n * STZ_LN10 / n);
}

// The first time of the logarithmic grid after `time`.
static double next_grid_time(const stz_history_schedule *s, double clock_zero, double time) {
  int k = 0;
  if (time - clock_zero > 1.0) {
    k = (int)(stz_ln(time - clock_zero) * s->points_per_decade / STZ_LN10) - 1; // one early, by rounding
    if (k < 0) k = 0;
  }
  while (grid_time(s, clock_zero, k) <= time) k++;
  return grid_time(s, clock_zero, k);
}

double stz_history_next(const stz_history_schedule *schedule, double now_s, double strain, double strain_rate,
                        double clock_zero_s, double until) {
  double due = fmax(now_s, next_grid_time(schedule, clock_zero_s, schedule->last_time_s));
  const double last = schedule->last_time_s;
  double moved = strain - schedule->last_strain;
  const bool jumped = fabs(moved) >= schedule->strain_step;
  if (jumped && now_s > last) {
    due = now_s;
  } else if (strain_rate != 0.0) {
    if (jumped) moved = 0.0; // no time has passed since the last row: a step from here
    const double left = schedule->strain_step - (strain_rate > 0.0 ? moved : -moved);
    due = fmin(due, fmax(now_s + left / fabs(strain_rate), nextafter(last, INFINITY)));
  }
  return due <= until ? due : INFINITY;
}
