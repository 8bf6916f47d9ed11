// SPDX-License-Identifier: GPL-3.0-or-later
//
// Every control is brought to one form: each component is imposed by its strain or by its stress (balance.h), linearly
// in time. The strain of the driven component moves in legs: c(t) ramps from the leg's start to `ramp_end` and stays at
// `stop` from there on:
//   strain-rate, unload, mixed: one leg;  rate-jump: a leg a jump;  cyclic: two legs a cycle;  relaxation: at rest;
//   actuator: c = attach + m(t) over the specimen and a spring in series.
// c is always computed from the leg's start, never summed up, so that errors of rounding do not grow.
//
// All times are counted from the start of the segment, so that a long rest takes nothing off the resolution of what
// follows. The begin itself is an exact sum of two doubles.
#include "load/load.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/tensor.h"
#include "base/units.h"
#include "load/machine.h"
#include "load/segment.h"

#define DECLARE(TYPE, name, text) extern const stz_segment_kind stz_segment_##name;
STZ_SEGMENTS(DECLARE)

#define ENTRY(TYPE, name, text) [STZ_SEGMENT_##TYPE] = &stz_segment_##name,
static const stz_segment_kind *const kinds[] = {STZ_SEGMENTS(ENTRY)};

#define NAME(TYPE, name, text) [STZ_SEGMENT_##TYPE] = (text),
static const char *const names[] = {STZ_SEGMENTS(NAME)};

const stz_segment_kind *stz_segment_kind_of(stz_segment_type type) { return kinds[type]; }
const char *stz_segment_name(stz_segment_type type) { return names[type]; }

static const stz_segment *running(const stz_load *load) { return &load->segments[load->segment]; }

static void imposed_at(const stz_load *load, double t, double value[6], double rate[6]) {
  for (int v = 0; v < 6; v++) {
    rate[v] = load->imposed_rate[v];
    value[v] = load->imposed[v] + rate[v] * t;
  }
  if (!load->balance.strained[load->component]) return;
  const bool ramping = t < load->ramp_end;
  value[load->component] = ramping ? load->start + load->rate * (t - load->ramp_begin) : load->stop;
  rate[load->component] = ramping ? load->rate : 0.0;
}

// --- the release of an actuator whose balance is not linear ---

static double knot_time(const stz_load *load, int knot) { return load->ramp_end * ((double)knot / load->knots); }

// The knot before or at a time within the release.
static int knot_before(const stz_load *load, double t) {
  int knot = (int)(t / load->ramp_end * load->knots);
  while (knot > 0 && knot_time(load, knot) > t) knot--;
  while (knot + 1 < load->knots && knot_time(load, knot + 1) <= t) knot++;
  return knot;
}

static double stress_at_knot(const stz_load *load, int knot) {
  const double contraction = load->start + (load->stop - load->start) * ((double)knot / load->knots);
  return stz_machine_stress(&load->balance, contraction, load->plastic[load->component]);
}

// The stress on the deformed specimen: exact at the knots of the release and after it, a straight line between knots.
static void deformed_stress(const stz_load *load, double t, double *stress, double *rate) {
  *rate = 0.0;
  if (t >= load->ramp_end) {
    *stress = stz_machine_stress(&load->balance, load->stop, load->plastic[load->component]);
    return;
  }
  const int knot = knot_before(load, t);
  const double begin = stress_at_knot(load, knot), start = knot_time(load, knot);
  *rate = (stress_at_knot(load, knot + 1) - begin) / (knot_time(load, knot + 1) - start);
  *stress = begin + *rate * (t - start);
}

static stz_load_now state_at(const stz_load *load, double t) {
  static const double none[6] = {0};
  double value[6], rate[6];
  stz_load_now s;
  imposed_at(load, t, value, rate);
  stz_balance_stress(&load->balance, value, load->plastic, s.stress);
  stz_balance_stress(&load->balance, rate, none, s.stress_rate);
  if (load->balance.deforms) deformed_stress(load, t, &s.stress[load->component], &s.stress_rate[load->component]);
  stz_balance_strain(&load->balance, s.stress, load->plastic, s.strain);
  stz_balance_strain(&load->balance, s.stress_rate, none, s.strain_rate);
  for (int v = 0; v < 6; v++) { // what is imposed itself, so that a strain ends on its target exactly
    if (!load->balance.strained[v] || v == load->balance.sprung) continue;
    s.strain[v] = value[v];
    s.strain_rate[v] = rate[v];
  }
  return s;
}

static double temperature_rate(const stz_load *load, double t) {
  const stz_segment *segment = running(load);
  if (!(segment->temperature_end_K > 0.0) || t < load->clock_zero) return 0.0;
  return (segment->temperature_end_K - segment->temperature_K) / segment->duration_s;
}

static double temperature_at(const stz_load *load, double t) {
  const double rate = temperature_rate(load, t);
  return running(load)->temperature_K + (rate == 0.0 ? 0.0 : rate * (t - load->clock_zero));
}

bool stz_reached(double value, double target, int way, double rounding) {
  return way != 0 && way * (value - target) >= -rounding; // false without a target (NAN)
}

// When `value`, which moves at `rate`, crosses `target`; `now` if it has, INFINITY if it does not without events.
static double crossing(double now, double value, double rate, double target, int way, double rounding) {
  if (stz_reached(value, target, way, rounding)) return now;
  return way * rate > 0.0 && !isnan(target) ? now + (target - value) / rate : INFINITY;
}

// --- legs ---

void stz_ramp(stz_load *load, double from, double rate, double target) {
  load->start = load->stop = from;
  load->rate = rate;
  load->ramp_begin = load->time;
  load->ramp_end = INFINITY;
  if (isnan(target)) return;
  const double ahead = (target - from) / rate;
  load->ramp_end = load->time + ahead; // in the past if the strain is beyond its target already
  if (ahead >= 0.0) load->stop = target;
  if (ahead > 0.0) load->ramp_end = fmax(load->ramp_end, nextafter(load->time, INFINITY));
}

void stz_ramp_to_stress(stz_load *load, double from, double rate, double stress, double target) {
  load->turn_stress = target;
  load->turn_way = target < stress ? -1 : 1;
  stz_ramp(load, from, load->turn_way * rate, NAN);
}

static void begin_leg(stz_load *load, int leg, double strain, double stress) {
  load->leg = leg;
  load->last_leg = true;
  load->turn_way = 0;
  kinds[running(load)->type]->leg(load, running(load), leg, strain, stress);
}

// When the leg ends if no event happens; INFINITY if it does not, or there is none.
static double leg_end(const stz_load *load, const stz_load_now *s) {
  const int d = load->component;
  if (load->leg < 0) { // the actuator's release
    if (load->time >= load->ramp_end) return INFINITY;
    return load->knots > 0 ? knot_time(load, knot_before(load, load->time) + 1) : load->ramp_end;
  }
  const double stress_end = crossing(load->time, s->stress[d], s->stress_rate[d], load->turn_stress, load->turn_way,
                                     STZ_LOAD_ROUNDING * load->balance.young);
  return fmax(load->time, fmin(load->ramp_end, stress_end));
}

// Goes on to the next leg, and over those that are at their end already.
static void turn(stz_load *load) {
  for (bool over = true; over;) {
    stz_load_now now = state_at(load, load->time);
    begin_leg(load, load->leg + 1, now.strain[load->component], now.stress[load->component]);
    now = state_at(load, load->time);
    over = !load->last_leg && leg_end(load, &now) <= load->time;
  }
}

// An event, or the start of a segment, may find a leg at its end.
static void turn_if_due(stz_load *load) {
  if (load->leg < 0 || load->last_leg) return;
  const stz_load_now now = state_at(load, load->time);
  if (leg_end(load, &now) <= load->time) turn(load);
}

// --- segments ---

void stz_control_driven(stz_load *load, const stz_segment *segment, const stz_load_now *found, bool stressed) {
  const bool shear = segment->mode == STZ_MODE_SHEAR;
  load->component = shear ? STZ_XY : STZ_XX;
  for (int v = 0; v < 6; v++) {
    load->balance.strained[v] = v == load->component ? !stressed : shear;
    load->imposed[v] = load->balance.strained[v] ? found->strain[v] : 0.0;
    load->imposed_rate[v] = 0.0;
  }
}

// Starts the segment `index` from what the one before left.
static void begin_segment(stz_load *load, int index, const stz_load_now *found) {
  const stz_segment *segment = &load->segments[index];
  load->segment = index;
  const stz_segment_kind *kind = kinds[segment->type];
  if (kind->control) {
    kind->control(load, segment, found);
  } else {
    stz_control_driven(load, segment, found, false);
  }
  stz_balance_set(&load->balance);
  const double strain = found->strain[load->component], stress = found->stress[load->component];
  load->time = load->clock_zero = load->ramp_begin = load->ramp_end = 0.0;
  load->rate = 0.0;
  load->start = load->stop = strain;
  load->strain_way = load->stress_way = load->turn_way = 0;
  load->leg = -1;
  load->knots = 0;
  load->last_leg = false;
  if (kind->leg) begin_leg(load, 0, strain, stress);
  if (kind->begin) kind->begin(load, segment, strain, stress);
  if (kind->leg) turn_if_due(load);
}

stz_err stz_load_create(const stz_segment *segments, int count, double young, double poisson, stz_load **load) {
  static const stz_load_now unloaded = {.strain = {0}};
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
  made->balance.young = young;
  made->balance.poisson = poisson;
  begin_segment(made, 0, &unloaded);
  *load = made;
  return STZ_OK;
}

void stz_load_destroy(stz_load **load) {
  if (!*load) return;
  stz_free((*load)->segments);
  stz_free(*load);
  *load = NULL;
}

// --- ends ---

// The time at which the segment ends by other means than its last leg, if no event happens; INFINITY if it does not.
static double segment_end(const stz_load *load, const stz_load_now *s) {
  const stz_segment *segment = running(load);
  const int d = load->component;
  const double now = load->time;
  const double duration_end = isnan(segment->duration_s) ? INFINITY : load->clock_zero + segment->duration_s;
  const double stress_end = crossing(now, s->stress[d], s->stress_rate[d], segment->until_stress_GPa * STZ_GPA,
                                     load->stress_way, STZ_LOAD_ROUNDING * load->balance.young);
  const double strain_end =
      crossing(now, s->strain[d], s->strain_rate[d], segment->until_strain, load->strain_way, STZ_LOAD_ROUNDING);
  return fmax(fmin(duration_end, fmin(stress_end, strain_end)), now);
}

// Whether the segment can yet end by what events do, or by legs to come.
static bool can_end_later(const stz_load *load) {
  const stz_segment *segment = running(load);
  const stz_segment_kind *kind = kinds[segment->type];
  return !isnan(segment->duration_s) || (kind->can_end_later && kind->can_end_later(load, segment));
}

stz_err stz_load_drive(const stz_load *load, stz_drive *drive) {
  const stz_load_now s = state_at(load, load->time);
  const double leg = leg_end(load, &s), broken = load->last_leg ? INFINITY : leg;
  const double end = fmin(segment_end(load, &s), load->last_leg ? leg : INFINITY);
  const bool ends = isfinite(end) && end <= broken;
  if (!ends && !can_end_later(load)) {
    return stz_fail(STZ_EINPUT,
                    "protocol[%d]: this %s segment can never end from %s strain %.6g and stress %.6g GPa: needs "
                    "duration_s, or an end condition that it can reach",
                    load->segment, stz_segment_name(running(load)->type), load->component == STZ_XX ? "axial" : "shear",
                    s.strain[load->component], s.stress[load->component] / STZ_GPA);
  }
  *drive = (stz_drive){
      .t0 = load->time,
      .until = fmin(end, broken),
      .temperature_K = temperature_at(load, load->time),
      .temperature_rate = temperature_rate(load, load->time),
      .ends_segment = ends,
  };
  memcpy(drive->stress, s.stress, sizeof drive->stress);
  memcpy(drive->stress_rate, s.stress_rate, sizeof drive->stress_rate);
  return STZ_OK;
}

void stz_load_advance(stz_load *load, double t) {
  assert(t >= load->time);
  const stz_load_now s = state_at(load, load->time);
  const bool turns = load->leg >= 0 && !load->last_leg && t >= leg_end(load, &s);
  load->time = t;
  if (turns) turn(load);
}

void stz_load_yield(stz_load *load, const double plastic[6]) {
  for (int v = 0; v < 6; v++) load->plastic[v] += plastic[v];
  turn_if_due(load);
}

bool stz_load_next_segment(stz_load *load) {
  if (load->segment + 1 == load->count) return false;
  const stz_load_now now = state_at(load, load->time);
  const double sum = load->begin + load->time, part = sum - load->begin; // exact: Knuth's sum of two numbers
  const double rest = load->begin_rest + ((load->begin - (sum - part)) + (load->time - part));
  load->begin = sum + rest;
  load->begin_rest = rest - (load->begin - sum);
  begin_segment(load, load->segment + 1, &now);
  return true;
}

int stz_load_segment(const stz_load *load) { return load->segment; }

void stz_load_state(const stz_load *load, stz_macro *macro) { stz_load_state_at(load, load->time, macro); }

void stz_load_state_at(const stz_load *load, double t, stz_macro *macro) {
  const stz_load_now s = state_at(load, t);
  *macro = (stz_macro){.time_s = t,
                       .begin_s = load->begin,
                       .run_time_s = load->begin + (load->begin_rest + t),
                       .temperature_K = temperature_at(load, t),
                       .segment = load->segment,
                       .component = load->component,
                       .clock_zero_s = load->clock_zero};
  memcpy(macro->strain, s.strain, sizeof s.strain);
  memcpy(macro->stress, s.stress, sizeof s.stress);
  memcpy(macro->plastic, load->plastic, sizeof macro->plastic);
}

void stz_load_stiffness(const stz_load *load, double stiffness[6][6]) {
  const int d = load->component;
  memcpy(stiffness, load->balance.stiffness, sizeof load->balance.stiffness);
  if (!load->balance.deforms) return;
  double value[6], rate[6];
  imposed_at(load, load->time, value, rate);
  stiffness[d][d] = stz_machine_stiffness(&load->balance, value[d], load->plastic[d]);
}

size_t stz_load_saved_bytes(void) { return sizeof(stz_load); }

void stz_load_save(const stz_load *load, void *saved) {
  stz_load copy = *load;
  copy.segments = NULL;
  memcpy(saved, &copy, sizeof copy);
}

void stz_load_copy(const stz_load *from, stz_load *to) {
  stz_segment *segments = to->segments;
  *to = *from;
  to->segments = segments;
}

void stz_load_restore(stz_load *load, const void *saved) {
  stz_segment *segments = load->segments;
  memcpy(load, saved, sizeof *load);
  load->segments = segments;
}

double stz_grown(const stz_segment *segment, const stz_course *course, double rate) {
  double target = rate > 0.0 ? INFINITY : -INFINITY;
  const double by_time = course->strain + rate * segment->duration_s;
  const double by_stress = course->plastic + segment->until_stress_GPa / course->young_GPa;
  if (isfinite(segment->until_strain)) target = segment->until_strain;
  if (isfinite(by_time)) target = rate > 0.0 ? fmin(target, by_time) : fmax(target, by_time);
  if (isfinite(by_stress)) target = rate > 0.0 ? fmin(target, by_stress) : fmax(target, by_stress);
  return target;
}

void stz_segment_follow(const stz_segment *segment, stz_course *course) {
  const stz_segment_kind *kind = kinds[segment->type];
  if (kind->reach) course->strain = kind->reach(segment, course);
  if (segment->mode == STZ_MODE_UNIAXIAL) course->largest = fmax(course->largest, course->strain);
  course->plastic = fmax(course->plastic, course->strain - course->flow_GPa / course->young_GPa);
}
