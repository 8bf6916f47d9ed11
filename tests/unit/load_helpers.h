// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the tests of the loading share. Included after <cmocka.h>.
#ifndef STZ_TESTS_UNIT_LOAD_HELPERS_H
#define STZ_TESTS_UNIT_LOAD_HELPERS_H

#include <math.h>

#include "base/memory.h"
#include "base/units.h"
#include "load/load.h"

static const double E = 72.0 * STZ_GPA, NU = 0.4;

// Within `tolerance`, or within that share of the expected value where it is above 1.
static inline void near(double value, double expected, double tolerance) {
  if (fabs(value - expected) <= tolerance * fmax(1.0, fabs(expected))) return;
  fail_msg("%.17g, expected %.17g within %.3g", value, expected, tolerance);
}

static inline stz_segment segment(stz_segment_type type) {
  return (stz_segment){.type = type,
                       .temperature_K = 300.0,
                       .temperature_end_K = NAN,
                       .rate_per_s = NAN,
                       .strain_each = NAN,
                       .stress_GPa = NAN,
                       .stiffness_GPa = NAN,
                       .mismatch_strain = NAN,
                       .release_s = NAN,
                       .duration_s = NAN,
                       .until_strain = NAN,
                       .until_stress_GPa = NAN};
}

static inline stz_segment pull(double rate, double until_strain) {
  stz_segment s = segment(STZ_SEGMENT_STRAIN_RATE);
  s.rate_per_s = rate;
  s.until_strain = until_strain;
  return s;
}

static inline stz_segment hold(stz_segment_type type, double duration) {
  stz_segment s = segment(type);
  s.duration_s = duration;
  return s;
}

static inline stz_segment actuator(double stiffness_GPa, double mismatch, double release, double duration) {
  stz_segment s = hold(STZ_SEGMENT_ACTUATOR, duration);
  s.stiffness_GPa = stiffness_GPa;
  s.mismatch_strain = mismatch;
  s.release_s = release;
  return s;
}

static inline stz_macro state_of(const stz_load *load) {
  stz_macro m;
  stz_load_state(load, &m);
  return m;
}

static inline double axial_strain(const stz_load *load) {
  stz_macro m;
  stz_load_state(load, &m);
  return m.strain[0];
}

static inline double axial_stress(const stz_load *load) {
  stz_macro m;
  stz_load_state(load, &m);
  return m.stress[0];
}

static inline double stiffness_of(const stz_load *load, int u, int v) {
  double stiffness[6][6];
  stz_load_stiffness(load, stiffness);
  return stiffness[u][v];
}

static inline void yield_axial(stz_load *load, double ep) {
  const double plastic[6] = {ep, -0.5 * ep, -0.5 * ep, 0, 0, 0};
  stz_load_yield(load, plastic);
}

static inline stz_load *create(const stz_segment *segments, int count) {
  stz_load *load;
  assert_int_equal(stz_load_create(segments, count, E, NU, &load), STZ_OK);
  return load;
}

static inline stz_drive drive_of(const stz_load *load) {
  stz_drive drive;
  assert_int_equal(stz_load_drive(load, &drive), STZ_OK);
  return drive;
}

// Moves to the end of the drive, and over into the next segment where that ends one.
static inline bool follow(stz_load *load) {
  const stz_drive drive = drive_of(load);
  stz_load_advance(load, drive.until);
  return !drive.ends_segment || stz_load_next_segment(load);
}

static inline int nothing_left(void **state) {
  (void)state;
  return stz_alloc_live() == 0 ? 0 : -1;
}

#endif
