// SPDX-License-Identifier: GPL-3.0-or-later
//
// Every control is brought to one form: axial stress s = held + stiffness (c(t) - ep), where c ramps linearly from the
// segment's start to `ramp_end` and then stays at `stop`:
//   strain-rate, relaxation: stiffness E, c the imposed strain;  actuator: stiffness S_a/(1 + S_a/E), c = attach +
//   m(t); creep, age: stiffness 0, `held` the imposed stress.
// c is always computed from the segment's start, never summed up, so that errors of rounding do not grow.
#include "load/load.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/units.h"

// A crossing missed by less than this strain (or E times it) is rounding and counts as reached.
static const double ROUNDING = 1e-14;

struct stz_load {
  stz_segment *segments;
  int count, segment;
  double young, poisson;
  double time, plastic[6];
  // the running segment
  double begin, clock_zero;
  double held, stiffness;
  double start, rate, ramp_end, stop; // c(t)
  int strain_way, stress_way;         // in which direction an end condition is crossed; 0 if it never is
};

typedef struct axial {
  double strain, stress, strain_rate, stress_rate;
} axial;

const char *stz_segment_name(stz_segment_type type) {
  static const char *const names[] = {"strain-rate", "relaxation", "creep", "actuator", "age"};
  return names[type];
}

static const stz_segment *running(const stz_load *load) { return &load->segments[load->segment]; }

static int sign(double x) { return (x > 0.0) - (x < 0.0); }

static bool strain_imposed(const stz_segment *segment) {
  return segment->type == STZ_SEGMENT_STRAIN_RATE || segment->type == STZ_SEGMENT_RELAXATION;
}

static axial axial_at(const stz_load *load, double t) {
  const bool ramping = t < load->ramp_end;
  const double c = ramping ? load->start + load->rate * (t - load->begin) : load->stop;
  axial now = {.stress = load->held + load->stiffness * (c - load->plastic[0]),
               .stress_rate = ramping ? load->stiffness * load->rate : 0.0};
  if (strain_imposed(running(load))) { // c itself, so that the strain ends on until_strain exactly
    now.strain = c;
    now.strain_rate = ramping ? load->rate : 0.0;
  } else {
    now.strain = now.stress / load->young + load->plastic[0];
    now.strain_rate = now.stress_rate / load->young;
  }
  return now;
}

static void begin_strain_rate(stz_load *load, const stz_segment *segment) {
  assert(segment->rate_per_s != 0.0);
  load->rate = segment->rate_per_s;
  load->strain_way = load->stress_way = sign(load->rate);
  load->ramp_end = INFINITY;
  if (isnan(segment->until_strain)) return;
  const double ahead = (segment->until_strain - load->start) / load->rate;
  load->ramp_end = load->begin + ahead; // in the past if the strain is beyond its target already
  if (ahead >= 0.0) load->stop = segment->until_strain;
}

// The actuator grips the specimen as it is, so that the stress does not jump: s = S_a (m - (e - attach)), with attach
// its present strain plus s/S_a (0 for a virgin specimen). The mismatch is what is released from then on.
static void begin_actuator(stz_load *load, const stz_segment *segment, double strain, double stress) {
  const double stiffness = segment->stiffness_GPa * STZ_GPA;
  load->stiffness = stiffness / (1.0 + stiffness / load->young);
  load->start = strain + stress / stiffness;
  load->stop = load->start + segment->mismatch_strain;
  load->ramp_end = load->clock_zero = load->begin + segment->release_s;
  load->rate = load->ramp_end > load->begin ? segment->mismatch_strain / (load->ramp_end - load->begin) : 0.0;
  load->strain_way = load->stress_way = sign(segment->mismatch_strain);
}

// Starts the segment `index` from the axial strain and stress that the one before left.
static void begin_segment(stz_load *load, int index, double strain, double stress) {
  const stz_segment *segment = &load->segments[index];
  load->segment = index;
  load->begin = load->clock_zero = load->ramp_end = load->time;
  load->held = load->rate = 0.0;
  load->stiffness = load->young;
  load->start = load->stop = strain;
  load->strain_way = load->stress_way = 0;
  switch (segment->type) {
  case STZ_SEGMENT_STRAIN_RATE:
    begin_strain_rate(load, segment);
    break;
  case STZ_SEGMENT_RELAXATION:
    load->stress_way = -sign(stress);
    break;
  case STZ_SEGMENT_ACTUATOR:
    begin_actuator(load, segment, strain, stress);
    break;
  case STZ_SEGMENT_CREEP:
    load->stiffness = 0.0;
    load->held = isnan(segment->stress_GPa) ? stress : segment->stress_GPa * STZ_GPA;
    load->strain_way = sign(load->held);
    break;
  case STZ_SEGMENT_AGE:
    load->stiffness = 0.0;
    break;
  }
}

stz_err stz_load_create(const stz_segment *segments, int count, double young, double poisson, stz_load **load) {
  assert(count > 0 && young > 0.0);
  *load = NULL;
  stz_load *made;
  STZ_TRY(STZ_NEW(made, 1));
  stz_err err = STZ_NEW(made->segments, count);
  if (err != STZ_OK) {
    stz_free(made);
    return err;
  }
  memcpy(made->segments, segments, (size_t)count * sizeof *segments);
  made->count = count;
  made->young = young;
  made->poisson = poisson;
  begin_segment(made, 0, 0.0, 0.0);
  *load = made;
  return STZ_OK;
}

void stz_load_destroy(stz_load **load) {
  if (!*load) return;
  stz_free((*load)->segments);
  stz_free(*load);
  *load = NULL;
}

static bool reached(double value, double target, int way, double rounding) {
  return way != 0 && way * (value - target) >= -rounding; // false without a target (NAN)
}

// When `value`, which moves at `rate`, crosses `target`; `now` if it has, INFINITY if it does not without events.
static double crossing(double now, double value, double rate, double target, int way, double rounding) {
  if (reached(value, target, way, rounding)) return now;
  return way * rate > 0.0 && !isnan(target) ? now + (target - value) / rate : INFINITY;
}

// The time at which the segment ends if no event happens and its present rates last; INFINITY if it does not.
static double segment_end(const stz_load *load, const axial *a) {
  const stz_segment *segment = running(load);
  const double now = load->time;
  const double duration_end = isnan(segment->duration_s) ? INFINITY : load->clock_zero + segment->duration_s;
  const double stress_end = crossing(now, a->stress, a->stress_rate, segment->until_stress_GPa * STZ_GPA,
                                     load->stress_way, ROUNDING * load->young);
  double strain_end = load->ramp_end; // of an imposed strain: not computed anew, lest its rounding differ
  if (segment->type != STZ_SEGMENT_STRAIN_RATE) {
    strain_end = crossing(now, a->strain, a->strain_rate, segment->until_strain, load->strain_way, ROUNDING);
  }
  return fmax(fmin(duration_end, fmin(stress_end, strain_end)), now);
}

// Whether the segment can yet end by what events do, or by what is left of the release: creep goes the way of its
// stress, relaxation towards zero stress, and an actuator's specimen lengthens until the stress is gone.
static bool can_end_later(const stz_load *load) {
  const stz_segment *segment = running(load);
  const double until_stress = segment->until_stress_GPa * STZ_GPA;
  if (!isnan(segment->duration_s)) return true;
  switch (segment->type) {
  case STZ_SEGMENT_CREEP:
    return load->strain_way != 0 && !isnan(segment->until_strain);
  case STZ_SEGMENT_RELAXATION:
    return load->stress_way != 0 && load->stress_way * until_stress <= 0.0;
  case STZ_SEGMENT_ACTUATOR:
    return load->strain_way * (load->stop - segment->until_strain) > 0.0 ||
           reached(load->stiffness * (load->stop - load->plastic[0]), until_stress, load->stress_way,
                   ROUNDING * load->young);
  default:
    return false;
  }
}

stz_err stz_load_drive(const stz_load *load, stz_drive *drive) {
  const stz_segment *segment = running(load);
  const axial a = axial_at(load, load->time);
  const double end = segment_end(load, &a);
  const bool releasing = segment->type == STZ_SEGMENT_ACTUATOR && load->time < load->ramp_end;
  const double release_end = releasing ? load->ramp_end : INFINITY;
  const bool ends = isfinite(end) && end <= release_end;
  if (!ends && !can_end_later(load)) {
    return stz_fail(STZ_EINPUT,
                    "protocol[%d]: this %s segment can never end from axial strain %.6g and stress %.6g GPa: needs "
                    "duration_s, or an end condition that it can reach",
                    load->segment, stz_segment_name(segment->type), a.strain, a.stress / STZ_GPA);
  }
  *drive = (stz_drive){
      .t0 = load->time,
      .until = fmin(end, release_end),
      .temperature_K = segment->temperature_K,
      .stress = {a.stress},
      .stress_rate = {a.stress_rate},
      .ends_segment = ends,
  };
  return STZ_OK;
}

void stz_load_advance(stz_load *load, double t) {
  assert(t >= load->time);
  load->time = t;
}

void stz_load_yield(stz_load *load, const double plastic[6]) {
  for (int v = 0; v < 6; v++) load->plastic[v] += plastic[v];
}

bool stz_load_next_segment(stz_load *load) {
  if (load->segment + 1 == load->count) return false;
  const axial a = axial_at(load, load->time);
  begin_segment(load, load->segment + 1, a.strain, a.stress);
  return true;
}

void stz_load_state(const stz_load *load, stz_macro *state) { stz_load_state_at(load, load->time, state); }

void stz_load_state_at(const stz_load *load, double t, stz_macro *state) {
  const axial a = axial_at(load, t);
  const double lateral = -load->poisson * a.stress / load->young;
  const double *p = load->plastic;
  *state = (stz_macro){
      .time_s = t,
      .temperature_K = running(load)->temperature_K,
      .strain = {a.strain, lateral + p[1], lateral + p[2], p[3], p[4], p[5]},
      .stress = {a.stress},
      .plastic = {p[0], p[1], p[2], p[3], p[4], p[5]},
      .segment = load->segment,
      .clock_zero_s = load->clock_zero,
  };
}

double stz_load_stiffness(const stz_load *load) { return load->stiffness; }

size_t stz_load_saved_bytes(void) { return sizeof(stz_load); }

void stz_load_save(const stz_load *load, void *saved) {
  stz_load copy = *load;
  copy.segments = NULL;
  memcpy(saved, &copy, sizeof copy);
}

void stz_load_restore(stz_load *load, const void *saved) {
  stz_segment *segments = load->segments;
  memcpy(load, saved, sizeof *load);
  load->segments = segments;
}
