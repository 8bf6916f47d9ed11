// SPDX-License-Identifier: GPL-3.0-or-later
//
// Estimates of memory and cost before a run: sizes of the fields, typical speeds of one core.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/comm.h"
#include "base/tensor.h"
#include "io/field.h"
#include "kmc/kmc.h"
#include "load/load.h"
#include "micro/micro.h"
#include "observe/history.h"
#include "sim/sim.h"
#include "sim/thermal.h"
#include "stz/modes.h"

// Bytes per site: the glass's fields (structure, composition, two barriers, noise, plastic strain, cell, rotations,
// counts), the engine's stress, and at set-up spectra and composition fields in double precision.
static const double RUN_BYTES = 73.0, SETUP_BYTES = 140.0;

// A row of the history evaluates all sites, s per site; most of the time in large boxes where events are cheap.
static const double ROW = 1.4e-7;

static const double FLOW_STRESS_GPA = 3.25;

static stz_course course_of(const stz_config *config) {
  stz_course c = {.young_GPa = config->elastic.young_GPa, .flow_GPa = FLOW_STRESS_GPA};
  for (int i = 0; i < config->segments; i++) stz_segment_follow(&config->protocol[i], &c);
  return c;
}

stz_err stz_sim_check_files(MPI_Comm comm, const stz_config *config) {
  stz_err err = STZ_OK;
  if (stz_comm_rank(comm) == 0 && config->micro.type == STZ_MICRO_FILE) {
    err = stz_field_check(config->field_path, config->field_dataset, config->lattice.cells, stz_micro_check_given);
  }
  return stz_agree(comm, err);
}

static void describe_modes(const stz_config *config, stz_estimate *estimate) {
  static stz_modes modes; // too large for a stack
  stz_modes_init(&modes, STZ_ORIENTATION_ALIGNED, 0);
  if (config->stz.catalogue.count > 0) stz_modes_replace(&modes, &config->stz.catalogue);
  estimate->modes = modes.count;
  stz_modes_isotropy(&modes, &estimate->modes_least, &estimate->modes_most);
}

// The time that a segment takes, NAN if the input does not tell.
static double time_of(const stz_segment *segment) {
  const double released = segment->type == STZ_SEGMENT_ACTUATOR ? segment->release_s : 0.0;
  if (isfinite(segment->duration_s)) return released + segment->duration_s;
  const bool pulled = segment->type == STZ_SEGMENT_STRAIN_RATE && isfinite(segment->until_strain);
  return pulled ? fabs(segment->until_strain / segment->rate_per_s) : NAN;
}

// More events than these, and than these times what the strain needs, and time hardly goes by.
static const double MANY = 1e8, MUCH = 1e3;
static const double SPREAD = 100.0; // by which internal stresses may raise rates

// What the rates say to what the strain needs: no more events than the rates allow, and whether they allow far more.
static void compare_with_rates(const stz_config *config, double largest_strain, stz_estimate *estimate) {
  stz_thermal *thermal = stz_thermal_create(config);
  double most = 0.0, first = 0.0, steady = 0.0, other, last_held = NAN, last_kelvin = NAN;
  const double needed = estimate->events;
  estimate->slow = -1;
  if (!thermal) return;
  estimate->floor_share = stz_thermal_floor(thermal);
  for (int i = 0; i < config->segments; i++) {
    const stz_segment *s = &config->protocol[i];
    const double held = s->type == STZ_SEGMENT_CREEP && isfinite(s->stress_GPa) ? fabs(s->stress_GPa) : 0.0;
    const double kelvin = fmax(s->temperature_K, s->temperature_end_K), time = time_of(s);
    if (held != last_held || kelvin != last_kelvin) { // long protocols repeat themselves
      stz_thermal_rates(thermal, kelvin, fmax(held, config->elastic.young_GPa * largest_strain), &first, &other);
      stz_thermal_rates(thermal, kelvin, held, &other, &steady);
      last_held = held;
      last_kelvin = kelvin;
    }
    most += isnan(time) ? INFINITY : SPREAD * first * time;
    const double events = steady * time * (s->temperature_end_K > s->temperature_K ? 0.1 : 1.0); // hot for a part
    if (!(events > MANY && events > MUCH * needed && events > estimate->slow_events)) continue;
    estimate->slow = i;
    estimate->slow_events = events;
  }
  estimate->events = fmin(needed, most);
  stz_thermal_destroy(&thermal);
}

void stz_sim_estimate(const stz_config *config, int ranks, stz_estimate *estimate) {
  const int *cells = config->lattice.cells;
  const double a = config->lattice.spacing_nm, sites = (double)cells[0] * cells[1] * cells[2];
  const double octant = (0.5 * cells[0] + 1.0) * (0.5 * cells[1] + 1.0) * (0.5 * cells[2] + 16.0);
  const stz_course c = course_of(config);
  // Events of mean Schmid factor about 0.4 carry the plastic strain; some are spent back and forth.
  const double volume = sites * a * a * a;
  const double plastic = isfinite(c.plastic) ? fmax(c.plastic, 0.005) + c.to_and_fro : 0.0;
  estimate->events = 1.1 * plastic * volume / (0.4 * config->stz.gamma0 * config->stz.volume_nm3);
  estimate->slow_events = 0.0;
  compare_with_rates(config, c.largest, estimate);
  describe_modes(config, estimate);
  stz_engine_cost cost;
  const int usable = stz_engine_needs_of(config->kmc.engine).ranks;
  if (usable > 0 && ranks > usable) ranks = usable;
  stz_kmc_cost(config->kmc.engine, sites, ranks, config->stz.orientation == STZ_ORIENTATION_RANDOM, &cost);
  estimate->ranks = ranks;
  const double rows =
      5.0 * config->history.points_per_decade * config->segments + fmax(0.0, c.largest) / config->history.strain_step;
  estimate->seconds = estimate->events * cost.event_s + (rows * ROW + cost.setup_s) * sites / ranks;
  estimate->bytes_per_rank =
      sites / ranks * (RUN_BYTES + SETUP_BYTES + cost.bytes) + octant * 15.0 * sizeof(float) + 3e7;
  estimate->file_bytes = rows * STZ_HISTORY_WIDTH * sizeof(double) + sites * 5.0 * sizeof(float) +
                         config->nbed_strains.count * config->nbed.scans * 100.0 * 18.0 +
                         (config->avalanches ? 63.0 * estimate->events : 0.0) +
                         (config->events ? 36.0 * estimate->events : 0.0);
}

void stz_sim_unreachable_levels(const stz_config *config, const stz_levels *levels, char *text, int size) {
  const stz_course c = course_of(config);
  int at = 0;
  text[0] = 0;
  for (int i = 0; i < levels->count && at < size; i++) {
    if (levels->values[i] <= c.largest + 1e-12) continue;
    at += snprintf(text + at, (size_t)(size - at), "%s%g", at ? ", " : "", levels->values[i]);
  }
}
