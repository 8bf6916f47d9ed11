// SPDX-License-Identifier: GPL-3.0-or-later
//
// The protocol and the balance: moduli, the actuator, closed-form crossing times, and every end condition.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "unit/load_helpers.h"

static void moduli(void **state) {
  (void)state;
  const stz_segment protocol[] = {pull(2e-3, 0.01)};
  stz_load *load = create(protocol, 1);
  const stz_drive drive = drive_of(load);
  near(drive.until, 5.0, 1e-15);
  assert_true(drive.ends_segment && drive.t0 == 0.0 && drive.temperature_K == 300.0);
  near(drive.stress_rate[0], E * 2e-3, 1e-15);
  stz_macro half, full;
  stz_load_state_at(load, 2.5, &half);
  stz_load_advance(load, drive.until);
  stz_load_state(load, &full);
  near((full.stress[0] - half.stress[0]) / (full.strain[0] - half.strain[0]) / STZ_GPA, 72.0, 1e-11);
  near(-full.strain[1] / full.strain[0], 0.4, 1e-15);
  near(-full.strain[2] / full.strain[0], 0.4, 1e-15);
  for (int v = 1; v < 6; v++) assert_true(full.stress[v] == 0.0);
  assert_true(full.strain[0] == 0.01 && full.time_s == 5.0 && full.segment == 0);
  assert_true(!stz_load_next_segment(load));
  stz_load_destroy(&load);
  assert_null(load);
}

static void plastic_strain_is_added_in_full(void **state) {
  (void)state;
  const stz_segment protocol[] = {pull(1e-3, 0.02)};
  stz_load *load = create(protocol, 1);
  stz_load_advance(load, 10.0);
  const double plastic[6] = {1e-3, -4e-4, -6e-4, 1e-4, 2e-4, 3e-4};
  stz_load_yield(load, plastic);
  stz_macro m;
  stz_load_state(load, &m);
  near(m.stress[0], E * (0.01 - 1e-3), 1e-12);
  near(m.strain[0], 0.01, 1e-16);
  near(m.strain[1], -NU * 0.009 - 4e-4, 1e-16);
  near(m.strain[2], -NU * 0.009 - 6e-4, 1e-16);
  for (int v = 3; v < 6; v++) near(m.strain[v], plastic[v], 0.0);
  for (int v = 0; v < 6; v++) near(m.plastic[v], plastic[v], 0.0);
  stz_load_destroy(&load);
}

static void actuator_balance(void **state) {
  (void)state;
  const double stiffness = 40.0, mismatch = 0.06, effective = 40.0 * 72.0 / (40.0 + 72.0) * STZ_GPA;
  const stz_segment protocol[] = {actuator(stiffness, mismatch, 60.0, 1e6)};
  stz_load *load = create(protocol, 1);
  near(stiffness_of(load, 0, 0), effective, 1e-11);
  stz_drive drive = drive_of(load);
  assert_true(drive.until == 60.0 && !drive.ends_segment);
  near(drive.stress_rate[0], effective * mismatch / 60.0, 1e-13);
  for (int i = 0; i <= 6; i++) { // the actuator's line and the specimen's cross
    stz_macro m;
    stz_load_state_at(load, 10.0 * i, &m);
    near(m.stress[0], stiffness * STZ_GPA * (mismatch * i / 6 - m.strain[0]), 1e-13);
    near(m.stress[0], E * m.strain[0], 1e-13);
    assert_true(m.clock_zero_s == 60.0);
  }
  stz_load_advance(load, 60.0);
  yield_axial(load, 0.01);
  near(axial_stress(load), effective * (mismatch - 0.01), 1e-12);
  near(axial_stress(load), stiffness * STZ_GPA * (mismatch - axial_strain(load)), 1e-12);
  drive = drive_of(load);
  assert_true(drive.until == 1e6 + 60.0 && drive.ends_segment && drive.stress_rate[0] == 0.0);
  stz_load_destroy(&load);
}

// On a strained and yielded specimen the actuator starts from the stress that is there; a second one adds to the first.
static void actuator_grips_what_it_finds(void **state) {
  (void)state;
  const stz_segment protocol[] = {pull(1e-3, 0.03), actuator(50.0, 0.02, 10.0, 5.0), actuator(50.0, 0.02, 0.0, 5.0),
                                  hold(STZ_SEGMENT_AGE, 1.0), actuator(50.0, 0.02, 10.0, 5.0)};
  const double effective = 50.0 * 72.0 / 122.0 * STZ_GPA;
  stz_load *load = create(protocol, 5);
  yield_axial(load, 0.01);
  assert_true(follow(load));
  near(axial_stress(load), E * 0.02, 1e-12);
  near(axial_strain(load), 0.03, 1e-16);
  assert_true(follow(load)); // release
  near(axial_stress(load), E * 0.02 + effective * 0.02, 1e-12);
  assert_true(follow(load)); // on to the second, which releases at once
  near(axial_stress(load), E * 0.02 + effective * 0.04, 1e-12);
  assert_true(follow(load));
  near(axial_stress(load), 0.0, 0.0);
  near(axial_strain(load), 0.01, 1e-16);
  assert_true(follow(load));
  near(axial_stress(load), 0.0, 1e-13);
  assert_true(follow(load));
  near(axial_stress(load), effective * 0.02, 1e-12);
  assert_true(!follow(load));
  stz_load_destroy(&load);
}

static void crossing_times(void **state) {
  (void)state;
  stz_segment stress = pull(2e-3, NAN), down = pull(-1e-3, NAN), both = pull(2e-3, 0.05);
  stress.until_stress_GPa = 1.44; // strain 0.02 plus the plastic strain
  down.until_stress_GPa = 0.0;
  both.duration_s = 3.0;
  stz_segment release = actuator(40.0, 0.06, 60.0, 1e6);
  release.until_strain = 0.03;
  const stz_segment protocol[] = {stress, down, both, pull(-4e-3, -0.01), release};
  stz_load *load = create(protocol, 5);
  near(drive_of(load).until, 10.0, 1e-14);
  stz_load_advance(load, 4.0);
  yield_axial(load, 0.004);
  near(drive_of(load).until, 12.0, 1e-14);
  assert_true(follow(load));
  near(axial_stress(load), 1.44 * STZ_GPA, 1e-13);
  near(drive_of(load).until, 20.0, 1e-13);
  assert_true(follow(load));
  near(axial_stress(load), 0.0, 1e-13);
  near(drive_of(load).until, 3.0, 1e-13); // duration before the strain
  assert_true(follow(load));
  near(axial_strain(load), 0.004 + 0.006, 1e-15);
  near(drive_of(load).until, 5.0, 1e-13);
  stz_load_advance(load, drive_of(load).until);
  assert_true(axial_strain(load) == -0.01); // exactly
  assert_true(stz_load_next_segment(load));
  // the specimen at -0.014 elastic strain; e rises by (S_a/(S_a+E)) m(t): 0.04 = 40/112 * 0.06 t/60 has no t < 60
  assert_true(!drive_of(load).ends_segment);
  near(drive_of(load).until, 60.0, 1e-13);
  assert_true(follow(load));
  yield_axial(load, 0.02); // events take the strain on by E/(E + S_a) of the yield
  assert_true(drive_of(load).until > 1e6);
  yield_axial(load, (0.04 - 40.0 / 112.0 * 0.06) * 112.0 / 72.0 - 0.02);
  const stz_drive drive = drive_of(load);
  assert_true(drive.until == drive.t0 && drive.ends_segment);
  stz_load_destroy(&load);
}

static void release_ends_on_strain_and_stress(void **state) {
  (void)state;
  stz_segment strain = actuator(40.0, 0.06, 60.0, NAN), stress = strain;
  strain.until_strain = 40.0 / 112.0 * 0.045;
  stress.until_stress_GPa = 40.0 * 72.0 / 112.0 * 0.06; // just the whole release: rounding must not miss it
  const stz_segment *cases[] = {&strain, &stress};
  const double expected[] = {45.0, 60.0};
  for (int i = 0; i < 2; i++) {
    stz_load *load = create(cases[i], 1);
    stz_drive drive = drive_of(load);
    near(drive.until, expected[i], 1e-12);
    stz_load_advance(load, drive.until);
    drive = drive_of(load);
    assert_true(drive.ends_segment && drive.until == drive.t0);
    stz_load_destroy(&load);
  }
}

static void creep_relaxation_age(void **state) {
  (void)state;
  stz_segment creep = segment(STZ_SEGMENT_CREEP), relax = segment(STZ_SEGMENT_RELAXATION), jump = creep;
  creep.until_strain = 0.025;
  relax.until_stress_GPa = 1.0;
  jump.stress_GPa = -2.0;
  jump.duration_s = 7.0;
  jump.temperature_K = 400.0;
  const stz_segment protocol[] = {pull(1e-3, 0.02), creep, relax, jump, hold(STZ_SEGMENT_AGE, 3.0)};
  stz_load *load = create(protocol, 5);
  assert_true(follow(load));
  const double found = E * 0.02;
  near(stiffness_of(load, 0, 0), 0.0, 0.0);
  stz_drive drive = drive_of(load);
  assert_true(isinf(drive.until) && !drive.ends_segment && drive.stress_rate[0] == 0.0);
  stz_load_advance(load, 80.0);
  yield_axial(load, 0.004);
  near(axial_stress(load), found, 1e-13);
  near(axial_strain(load), 0.024, 1e-15);
  assert_true(isinf(drive_of(load).until));
  yield_axial(load, 0.002);
  assert_true(drive_of(load).until == 80.0 && follow(load));
  near(stiffness_of(load, 0, 0), E, 0.0);
  near(axial_stress(load), found, 1e-12);
  near(axial_strain(load), 0.026, 1e-15);
  assert_true(isinf(drive_of(load).until));
  yield_axial(load, 0.02 - 1.0 / 72.0 + 1e-6);
  near(axial_strain(load), 0.026, 1e-15);
  assert_true(drive_of(load).until == 0.0 && follow(load));
  near(axial_stress(load), -2.0 * STZ_GPA, 0.0); // the jump
  drive = drive_of(load);
  assert_true(drive.until == 7.0 && drive.ends_segment && drive.temperature_K == 400.0);
  assert_true(follow(load));
  near(axial_stress(load), 0.0, 0.0);
  assert_true(drive_of(load).until == 3.0 && state_of(load).begin_s == 107.0 && !follow(load));
  stz_load_destroy(&load);
}

static void what_holds_already_ends_at_once(void **state) {
  (void)state;
  stz_segment lower = pull(1e-3, 0.01), stress = pull(1e-3, NAN), back = pull(-1e-3, 0.03),
              creep = segment(STZ_SEGMENT_CREEP);
  stz_segment relax = segment(STZ_SEGMENT_RELAXATION);
  stress.until_stress_GPa = 1.0;
  creep.until_strain = 0.015;
  relax.until_stress_GPa = 1.5;
  const stz_segment protocol[] = {
      pull(1e-3, 0.02), lower, stress, pull(1e-3, 0.02), back, hold(STZ_SEGMENT_RELAXATION, 0.0), creep, relax};
  stz_load *load = create(protocol, 8);
  assert_true(follow(load));
  for (int i = 1; i < 8; i++) {
    const stz_drive drive = drive_of(load);
    assert_true(drive.until == 0.0 && drive.t0 == 0.0 && drive.ends_segment);
    near(axial_strain(load), 0.02, 1e-16);
    assert_true(follow(load) == (i < 7));
  }
  stz_load_destroy(&load);
}

static void cannot_end(const stz_segment *last, double strain, const char *word) {
  const stz_segment protocol[] = {pull(1e-3, strain), *last};
  stz_load *load = create(protocol, 2);
  assert_true(follow(load));
  stz_drive drive;
  assert_int_equal(stz_load_drive(load, &drive), STZ_EINPUT);
  assert_non_null(strstr(stz_error_message(), "protocol[1]"));
  assert_non_null(strstr(stz_error_message(), word));
  assert_null(strchr(stz_error_message(), '\n'));
  stz_load_destroy(&load);
  stz_segment timed = *last;
  timed.duration_s = 5.0;
  const stz_segment repaired[] = {pull(1e-3, strain), timed};
  load = create(repaired, 2);
  assert_true(follow(load));
  assert_int_equal(stz_load_drive(load, &drive), STZ_OK);
  stz_load_destroy(&load);
}

static void endless_segments_fail(void **state) {
  (void)state;
  const stz_segment_type bare[] = {STZ_SEGMENT_RELAXATION, STZ_SEGMENT_CREEP, STZ_SEGMENT_MIXED, STZ_SEGMENT_AGE};
  for (int i = 0; i < 4; i++) {
    const stz_segment s = segment(bare[i]);
    cannot_end(&s, 0.01, stz_segment_name(bare[i]));
  }
  stz_segment s = segment(STZ_SEGMENT_RELAXATION); // a held strain relaxes towards zero stress, no further
  s.until_stress_GPa = -0.1;
  cannot_end(&s, 0.01, "relaxation");
  s.until_stress_GPa = 0.1;
  cannot_end(&s, 0.0, "relaxation");
  s = segment(STZ_SEGMENT_RELAXATION);
  s.until_strain = 0.02;
  cannot_end(&s, 0.01, "relaxation");
  s = segment(STZ_SEGMENT_CREEP);
  s.until_stress_GPa = 0.9;
  cannot_end(&s, 0.01, "creep");
  s = segment(STZ_SEGMENT_CREEP);
  s.until_strain = 0.02;
  cannot_end(&s, 0.0, "creep"); // no stress to drive it
  s = segment(STZ_SEGMENT_AGE);
  s.until_strain = 0.0;
  cannot_end(&s, 0.01, "age");
  s = pull(1e-3, NAN);
  cannot_end(&s, 0.01, "strain-rate");
  s = actuator(40.0, 0.06, 60.0, NAN);
  cannot_end(&s, 0.0, "actuator");
  s.until_strain = 0.061; // beyond its reach even without any stress
  cannot_end(&s, 0.0, "actuator");
  s.until_strain = NAN;
  s.until_stress_GPa = 40.0 * 72.0 / 112.0 * 0.06 + 1e-6;
  cannot_end(&s, 0.0, "actuator");
}

// A long rest takes nothing off the resolution of what follows, and the times of segments add up, each of these less
// than the last digit of their sum.
static void long_rest(void **state) {
  (void)state;
  enum { STEPS = 1000 };
  stz_segment fast = pull(5.0, NAN);
  fast.until_stress_GPa = 1.0;
  stz_segment protocol[4 + STEPS] = {hold(STZ_SEGMENT_AGE, 1e16), fast, pull(1e7, 0.05), pull(-1e9, 0.02)};
  for (int i = 0; i < STEPS; i++) protocol[4 + i] = hold(STZ_SEGMENT_RELAXATION, 0.01);
  stz_load *load = create(protocol, 4 + STEPS);
  assert_true(follow(load));
  near(drive_of(load).until, 1.0 / 72.0 / 5.0, 1e-16);
  stz_load_advance(load, drive_of(load).until);
  near(axial_stress(load), STZ_GPA, 1e-13);
  for (int i = 2; i < 4; i++) {
    assert_true(stz_load_next_segment(load));
    stz_load_advance(load, drive_of(load).until);
    assert_true(axial_strain(load) == protocol[i].until_strain);
  }
  for (int i = 0; i < STEPS; i++) {
    assert_true(stz_load_next_segment(load));
    stz_load_advance(load, drive_of(load).until);
  }
  assert_true(state_of(load).run_time_s == 1e16 + 10.0); // of 1000 times 0.01 s
  stz_load_destroy(&load);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(moduli),
      cmocka_unit_test(plastic_strain_is_added_in_full),
      cmocka_unit_test(actuator_balance),
      cmocka_unit_test(actuator_grips_what_it_finds),
      cmocka_unit_test(crossing_times),
      cmocka_unit_test(release_ends_on_strain_and_stress),
      cmocka_unit_test(creep_relaxation_age),
      cmocka_unit_test(what_holds_already_ends_at_once),
      cmocka_unit_test(endless_segments_fail),
      cmocka_unit_test(long_rest),
  };
  return cmocka_run_group_tests(tests, NULL, nothing_left);
}
