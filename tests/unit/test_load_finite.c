// SPDX-License-Identifier: GPL-3.0-or-later
//
// The actuator on a specimen that gets longer and thinner: against the balance of forces written in lengths, areas and
// forces, the published factors of the stiffness, and a dashpot integrated by itself.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "rng/rng.h"
#include "unit/load_helpers.h"
#include "worse.h"

static stz_segment deforming(double stiffness_GPa, double mismatch, double release, double duration) {
  stz_segment s = actuator(stiffness_GPa, mismatch, release, duration);
  s.geometry = STZ_GEOMETRY_FINITE;
  return s;
}

// The force on the specimen over its first area, from its present sizes.
static double force_of(const stz_macro *m) { return m->stress[0] * exp(m->strain[1] + m->strain[2]); }

// The spring's force over the first area of the specimen.
static double pull_of(const stz_macro *m, double stiffness_GPa, double contraction) {
  return stiffness_GPa * STZ_GPA * (contraction - expm1(m->strain[0]));
}

static void forces_balance(void **state) {
  (void)state;
  stz_rng rng = stz_rng_stream(11, STZ_RNG_EVENTS, 0);
  for (int i = 0; i < 300; i++) {
    const double stiffness = pow(10.0, 4.0 * stz_rng_uniform(&rng)), way = i % 5 == 0 ? -1.0 : 1.0;
    const double mismatch = way * fmin(0.2, 0.1 * (1.0 + 72.0 / stiffness) * stz_rng_uniform(&rng));
    const double share = fmin(1.0, 2.0 * stiffness / (stiffness + 72.0)); // a soft actuator needs few knots
    const int knots = 1 + (int)(share * fabs(mismatch) / 1e-3);
    const stz_segment protocol[] = {deforming(stiffness, mismatch, 60.0, 1e6)};
    stz_load *load = create(protocol, 1);
    yield_axial(load, 0.1 * way * stz_rng_uniform(&rng));
    for (int k = 0; k <= knots; k++) {
      const stz_macro now = state_of(load);
      near(force_of(&now), pull_of(&now, stiffness, mismatch * k / knots), 1e-13 * fmax(1.0, stiffness * STZ_GPA));
      near(now.strain[0], now.stress[0] / E + now.plastic[0], 1e-16);
      if (k < knots) stz_load_advance(load, drive_of(load).until);
    }
    assert_true(drive_of(load).t0 == 60.0 && drive_of(load).until == 60.0 + 1e6);
    assert_true(drive_of(load).stress_rate[0] == 0.0);
    stz_load_destroy(&load);
  }
}

// A dead load: a spring so soft that its force is its stiffness times the mismatch, whatever the specimen does. The
// force stays, and the true stress rises as the specimen thins.
static void dead_load(void **state) {
  (void)state;
  const stz_segment protocol[] = {deforming(3.0e-6, 1e6, 60.0, 1e6)};
  stz_load *load = create(protocol, 1);
  int legs = 0;
  while (drive_of(load).t0 < 60.0) {
    assert_true(++legs < 1000);
    stz_load_advance(load, drive_of(load).until);
  }
  double before = 0.0;
  for (int i = 0; i < 10; i++) {
    const stz_macro m = state_of(load);
    near(force_of(&m), 3.0 * STZ_GPA, 1e-5);
    near(force_of(&m), pull_of(&m, 3.0e-6, 1e6), 1e-12);
    assert_true(m.stress[0] > before && (i == 0 || stiffness_of(load, 0, 0) < 0.0));
    before = m.stress[0];
    yield_axial(load, 0.03);
  }
  stz_load_destroy(&load);
}

// Between two knots the stress moves at the rate that the drive says, and is off the balance by 2e-5 GPa at most, also
// with an actuator as soft as a specimen of 25 um beside a box of 37 nm.
static void straight(double stiffness, double mismatch, int legs) {
  const stz_segment protocol[] = {deforming(stiffness, mismatch, 60.0, 1e6)};
  stz_load *load = create(protocol, 1);
  double worst = 0.0;
  for (int leg = 0; leg < legs; leg++) {
    const stz_drive drive = drive_of(load);
    assert_true(drive.until > drive.t0);
    for (int i = 0; i <= 10; i++) {
      const double t = drive.t0 + i * (drive.until - drive.t0) / 10;
      stz_macro m;
      stz_load_state_at(load, t, &m);
      near(m.stress[0], drive.stress[0] + drive.stress_rate[0] * (t - drive.t0), 1e-13);
      worst = worse(worst, fabs(force_of(&m) - pull_of(&m, stiffness, mismatch * t / 60.0)) / (1.0 + stiffness / 72.0));
    }
    stz_load_advance(load, drive.until);
  }
  assert_true(drive_of(load).t0 == 60.0);
  assert_true(worst > 1e-7 * STZ_GPA && worst < 2e-5 * STZ_GPA);
  stz_load_destroy(&load);
}

static void straight_between_knots(void **state) {
  (void)state;
  straight(7200.0, 0.05, 51);
  straight(0.1, 30.0, 84);
}

// How much stiffer the actuator is to true stress and log strain: lambda A0/A less the softening stress/S as the area
// shrinks (3.25 GPa on 72), at nu = 0.4.
static void stiffens(void **state) {
  (void)state;
  static const double strain[] = {0.05, 0.10, 0.145}, factor[] = {1.10, 1.21, 1.32};
  const double stress = 3.25 * STZ_GPA, stiffness = 72.0 * STZ_GPA;
  for (int i = 0; i < 3; i++) {
    const double plastic = strain[i] - stress / E;
    const double contraction = expm1(strain[i]) + stress * exp(-plastic - 2.0 * NU * stress / E) / stiffness;
    const stz_segment protocol[] = {deforming(72.0, contraction, 0.0, 1e6)};
    stz_load *load = create(protocol, 1);
    yield_axial(load, plastic);
    near(axial_stress(load), stress, 1e-13);
    const double small = 1e-6, answer = stiffness_of(load, 0, 0);
    const stz_macro a = state_of(load);
    yield_axial(load, small);
    const stz_macro b = state_of(load);
    near((a.stress[0] - b.stress[0]) / small, answer, 1e-5);
    near((a.stress[0] - b.stress[0]) / (b.strain[0] - a.strain[0]) / stiffness, factor[i] - stress / stiffness, 0.02);
    stz_load_destroy(&load);
  }
}

// To first order in the strain it is the small-strain balance; the difference goes with its square.
static void small_strain_limit(void **state) {
  (void)state;
  double off[2];
  for (int i = 0; i < 2; i++) {
    const double size = i == 0 ? 1e-4 : 1e-3;
    const stz_segment linear[] = {actuator(40.0, size, 0.0, 1e6)}, deformed[] = {deforming(40.0, size, 0.0, 1e6)};
    stz_load *a = create(linear, 1), *b = create(deformed, 1);
    yield_axial(a, 0.3 * size);
    yield_axial(b, 0.3 * size);
    off[i] = axial_stress(b) / axial_stress(a) - 1.0;
    assert_true(fabs(off[i]) < 2.0 * size && fabs(off[i]) > 0.1 * size);
    stz_load_destroy(&a);
    stz_load_destroy(&b);
  }
  near(off[1] / off[0], 10.0, 0.01);
}

// The specimen as it is found bears its stress; so does the second actuator's; restored in the middle of the release,
// all goes on with the same bits.
static void grips_what_it_finds(void **state) {
  (void)state;
  const stz_segment protocol[] = {pull(1e-3, 0.06), deforming(50.0, 0.02, 10.0, 5.0), deforming(80.0, 0.02, 10.0, 5.0)};
  stz_load *load = create(protocol, 3), *other = create(protocol, 3);
  yield_axial(load, 0.02);
  for (int segment = 1; segment < 3; segment++) {
    while (stz_load_segment(load) < segment) assert_true(follow(load));
    const stz_macro begin = state_of(load);
    near(axial_stress(load), segment == 1 ? 0.04 * E : axial_stress(load), 1e-12);
    const double grip = expm1(begin.strain[0]) + force_of(&begin) / (protocol[segment].stiffness_GPa * STZ_GPA);
    stz_load_advance(load, drive_of(load).until);
    yield_axial(load, 0.01);
    const stz_macro m = state_of(load);
    near(force_of(&m), pull_of(&m, protocol[segment].stiffness_GPa, grip + 0.002 * m.time_s), 1e-12);
    char *saved = NULL;
    assert_int_equal(STZ_NEW(saved, stz_load_saved_bytes()), STZ_OK);
    stz_load_save(load, saved);
    stz_load_restore(other, saved);
    stz_free(saved);
    for (int i = 0; i < 5; i++) {
      const stz_drive one = drive_of(load), two = drive_of(other);
      assert_memory_equal(one.stress, two.stress, sizeof one.stress);
      assert_true(one.until == two.until);
      stz_load_advance(other, two.until);
      stz_load_advance(load, one.until);
    }
  }
  stz_load_destroy(&load);
  stz_load_destroy(&other);
}

// The true stress by bisection of the balance of forces, from lengths and widths.
static double bisected(double contraction, double plastic) {
  double low = 0.0, high = 0.3 * E;
  for (int i = 0; i < 80; i++) {
    const double s = 0.5 * (low + high), length = exp(s / E + plastic), width = exp(-NU * s / E - 0.5 * plastic);
    *(s * width * width < E * (contraction - (length - 1.0)) ? &low : &high) = s;
  }
  return 0.5 * (low + high);
}

static const double EYRING = 0.1 * STZ_GPA;

static double flow(double stress) { return 1e-15 * exp(stress / EYRING); }

// An Eyring dashpot in a specimen of 11 % plastic strain relaxes on the spring over eight decades of time: integrated
// by itself (Runge and Kutta), and through the load with steps of its own (midpoint).
static void dashpot_relaxes(void **state) {
  (void)state;
  enum { STEPS = 2000, PARTS = 10 };
  const double mismatch = 0.18, begin = 0.11, first = EYRING / E / flow(bisected(mismatch, begin));
  const stz_segment protocol[] = {deforming(72.0, mismatch, 0.0, 1e30)};
  stz_load *load = create(protocol, 1);
  yield_axial(load, begin);
  double plastic = begin, t = 0.0;
  for (int i = 0; i < STEPS; i++) {
    const double step = 0.01 * (first + t);
    const double k1 = flow(bisected(mismatch, plastic)), k2 = flow(bisected(mismatch, plastic + 0.5 * step * k1));
    const double k3 = flow(bisected(mismatch, plastic + 0.5 * step * k2));
    const double k4 = flow(bisected(mismatch, plastic + step * k3));
    plastic += step * (k1 + 2.0 * k2 + 2.0 * k3 + k4) / 6.0;
    t += step;
    for (int part = 0; part < PARTS; part++) {
      const double half = 0.5 * step / PARTS * flow(axial_stress(load));
      yield_axial(load, half);
      yield_axial(load, step / PARTS * flow(axial_stress(load)) - half);
    }
    stz_load_advance(load, t);
  }
  const stz_macro m = state_of(load);
  near(m.stress[0], bisected(mismatch, plastic), 1e-6 * STZ_GPA);
  assert_true(t > 1e8 * first && m.plastic[0] > begin + 0.01);
  stz_load_destroy(&load);
}

static void shear_is_linear(void **state) {
  (void)state;
  stz_segment spring = deforming(40.0, 0.06, 60.0, 1e6), plain = actuator(40.0, 0.06, 60.0, 1e6);
  spring.mode = plain.mode = STZ_MODE_SHEAR;
  stz_load *a = create(&spring, 1), *b = create(&plain, 1);
  const double plastic[6] = {0.0, 0.0, 0.0, 0.0, 0.0, 0.01};
  stz_load_yield(a, plastic);
  stz_load_yield(b, plastic);
  const stz_drive one = drive_of(a), two = drive_of(b);
  assert_memory_equal(one.stress_rate, two.stress_rate, sizeof one.stress_rate);
  assert_true(one.until == two.until);
  stz_load_destroy(&a);
  stz_load_destroy(&b);
}

// The actuator is never longer than free: strains beyond are unreachable, and stresses beyond the present.
static void ends(void **state) {
  (void)state;
  stz_segment far = deforming(40.0, 0.06, 60.0, NAN), within = far;
  stz_drive drive;
  far.until_strain = log(1.06) + 1e-9;
  within.until_strain = log(1.06) - 1e-9;
  stz_load *a = create(&far, 1), *b = create(&within, 1);
  for (int i = 0; i < 61; i++) {
    stz_load_advance(a, drive_of(b).until);
    stz_load_advance(b, drive_of(b).until);
  }
  assert_int_equal(stz_load_drive(a, &drive), STZ_EINPUT);
  assert_int_equal(stz_load_drive(b, &drive), STZ_OK);
  stz_load_destroy(&a);
  stz_load_destroy(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(dead_load),       cmocka_unit_test(forces_balance),     cmocka_unit_test(straight_between_knots),
      cmocka_unit_test(stiffens),        cmocka_unit_test(small_strain_limit), cmocka_unit_test(grips_what_it_finds),
      cmocka_unit_test(dashpot_relaxes), cmocka_unit_test(shear_is_linear),    cmocka_unit_test(ends),
  };
  return cmocka_run_group_tests(tests, NULL, nothing_left);
}
