// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a run will need, before it runs: sizes from the fields' own, costs from typical speeds of one core.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/comm.h"
#include "base/tensor.h"
#include "io/field.h"
#include "kmc/kmc.h"
#include "observe/history.h"
#include "sim/sim.h"
#include "sim/thermal.h"
#include "stz/modes.h"

// Bytes a site: the glass's fields (structure, composition, two barriers, noise, plastic strain, cell, rotations,
// counts), the engine's stress, and at set-up spectra and composition fields in double precision.
static const double RUN_BYTES = 73.0, SETUP_BYTES = 140.0;

// A row of the history looks at all sites, s a site; most of the time in large boxes where events are cheap.
static const double ROW = 1.4e-7;

// What the protocol goes through, following it roughly: plastic strain sets in at the flow stress, relaxation turns
// elastic strain into plastic. In the component that a segment drives; `largest` is of the axial strain.
typedef struct course {
  double strain, largest, plastic;
  double to_and_fro; // plastic strain of cycles, on top
} course;

static const double FLOW_STRESS_GPA = 3.25;

// The strain that a growing strain comes to, by the first of the segment's ends.
static double grown(const course *c, const stz_segment *segment, double rate, double young) {
  double target = rate > 0.0 ? INFINITY : -INFINITY;
  const double by_time = c->strain + rate * segment->duration_s;
  const double by_stress = c->plastic + segment->until_stress_GPa / young;
  if (isfinite(segment->until_strain)) target = segment->until_strain;
  if (isfinite(by_time)) target = rate > 0.0 ? fmin(target, by_time) : fmax(target, by_time);
  if (isfinite(by_stress)) target = rate > 0.0 ? fmin(target, by_stress) : fmax(target, by_stress);
  return target;
}

static double cycled(course *c, const stz_segment *segment, double young) {
  const bool strains = segment->turn_strains.count > 0;
  const double *turn = strains ? segment->turn_strains.value : segment->turn_stresses_GPa.value;
  const double scale = strains ? 1.0 : 1.0 / young, range = fabs(turn[0] - turn[1]) * scale;
  c->to_and_fro += 2.0 * segment->cycles * fmax(0.0, range - 2.0 * FLOW_STRESS_GPA / young);
  return (strains ? 0.0 : c->plastic) + fmax(turn[0], turn[1]) * scale;
}

static double fastest_rate(const stz_list *rates) {
  double most = 0.0;
  for (int i = 0; i < rates->count; i++) most = fmax(most, rates->value[i]);
  return most;
}

static void follow(course *c, const stz_segment *segment, const stz_elastic_params *elastic) {
  const double young = elastic->young_GPa, elastic_limit = FLOW_STRESS_GPA / young;
  double target = c->strain;
  switch (segment->type) {
  case STZ_SEGMENT_STRAIN_RATE:
    target = grown(c, segment, segment->rate_per_s, young);
    break;
  case STZ_SEGMENT_RATE_JUMP:
    target = grown(c, segment, fastest_rate(&segment->rates_per_s), young);
    break;
  case STZ_SEGMENT_ACTUATOR: {
    const double free = segment->mismatch_strain / (1.0 + young / segment->stiffness_GPa);
    const double flowing = segment->mismatch_strain - FLOW_STRESS_GPA / segment->stiffness_GPa;
    target = c->strain + fmax(free, flowing);
    break;
  }
  case STZ_SEGMENT_CREEP:
    if (isfinite(segment->until_strain)) target = segment->until_strain;
    if (isfinite(segment->stress_GPa)) target = fmax(target, c->plastic + segment->stress_GPa / young);
    break;
  case STZ_SEGMENT_RELAXATION:
    break;
  case STZ_SEGMENT_CYCLIC:
    target = cycled(c, segment, young);
    break;
  case STZ_SEGMENT_MIXED:
    target += segment->strain_rates_per_s.value[STZ_XX] * segment->duration_s;
    break;
  case STZ_SEGMENT_UNLOAD:
  case STZ_SEGMENT_AGE:
    target = c->plastic;
    break;
  }
  c->strain = target;
  if (segment->mode == STZ_MODE_UNIAXIAL) c->largest = fmax(c->largest, c->strain);
  c->plastic = fmax(c->plastic, c->strain - elastic_limit);
}

static course course_of(const stz_config *config) {
  course c = {0};
  for (int i = 0; i < config->segments; i++) follow(&c, &config->protocol[i], &config->elastic);
  return c;
}

stz_err stz_sim_check_files(MPI_Comm comm, const stz_config *config) {
  int rank;
  MPI_Comm_rank(comm, &rank);
  stz_err err = STZ_OK;
  if (rank == 0 && config->micro.type == STZ_MICRO_FILE) {
    err = stz_field_check(config->field_path, config->field_dataset, config->lattice.cells);
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
  const course c = course_of(config);
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
  const course c = course_of(config);
  int at = 0;
  text[0] = 0;
  for (int i = 0; i < levels->count && at < size; i++) {
    if (levels->values[i] <= c.largest + 1e-12) continue;
    at += snprintf(text + at, (size_t)(size - at), "%s%g", at ? ", " : "", levels->values[i]);
  }
}
