// SPDX-License-Identifier: GPL-3.0-or-later
//
// Control by mode and component, legs, and temperature ramps: elastic constants, Hooke's law in Lame's form, the energy
// of an event, closed forms of rate jumps, cycles and unloading.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/tensor.h"
#include "rng/rng.h"
#include "unit/load_helpers.h"

static const double MU = 72.0 * STZ_GPA / 2.8, LAMBDA = 72.0 * STZ_GPA * 0.4 / (1.4 * 0.2); // E = 72 GPa, nu = 0.4

enum { S = STZ_CONTROL_STRESS };

static stz_segment mixed(const int control[6], const double rates[6], double duration) {
  stz_segment s = hold(STZ_SEGMENT_MIXED, duration);
  s.control.count = s.strain_rates_per_s.count = s.stress_rates_GPa_per_s.count = 6;
  for (int v = 0; v < 6; v++) {
    s.control.value[v] = control[v];
    (control[v] == S ? &s.stress_rates_GPa_per_s : &s.strain_rates_per_s)->value[v] = rates[v];
  }
  return s;
}

static stz_segment in_shear(stz_segment s) {
  s.mode = STZ_MODE_SHEAR;
  return s;
}

// stress = lambda tr(e) I + 2 mu e with the elastic strain e, whatever the control.
static void hooke(const stz_macro *m) {
  double e[6], trace = 0.0;
  for (int v = 0; v < 6; v++) e[v] = m->strain[v] - m->plastic[v];
  for (int v = 0; v < 3; v++) trace += e[v];
  for (int v = 0; v < 6; v++) near(m->stress[v], (v < 3 ? LAMBDA * trace : 0.0) + 2.0 * MU * e[v], 1e-11);
}

// One segment from rest to strain or stress 0.01 or 0.01 GPa a rate of 1e-3: the state at its end.
static stz_macro pulled(stz_segment s) {
  stz_load *load = create(&s, 1);
  assert_true(!follow(load));
  const stz_macro m = state_of(load);
  hooke(&m);
  stz_load_destroy(&load);
  return m;
}

static void moduli(void **state) {
  (void)state;
  const double K = LAMBDA + 2.0 * MU / 3.0;
  stz_macro m = pulled(in_shear(pull(1e-3, 0.01)));
  near(m.stress[STZ_XY], 0.02 * MU, 1e-13);
  assert_true(m.strain[STZ_XY] == 0.01 && m.component == STZ_XY && m.stress[0] == 0.0 && m.strain[0] == 0.0);
  m = pulled(mixed((int[6]){0, 0, 0, 0, 0, 0}, (double[6]){1e-3}, 10.0)); // uniaxial strain
  near(m.stress[0], 0.01 * (LAMBDA + 2.0 * MU), 1e-12);
  near(m.stress[1], 0.01 * LAMBDA, 1e-12);
  m = pulled(mixed((int[6]){0, 0, S, S, S, S}, (double[6]){1e-3}, 10.0)); // plane strain in y, no stress along z
  near(m.stress[0], 0.01 * E / (1.0 - NU * NU), 1e-12);
  near(m.stress[1], 0.01 * E * NU / (1.0 - NU * NU), 1e-12);
  near(m.strain[2], -0.01 * NU / (1.0 - NU), 1e-14);
  m = pulled(mixed((int[6]){0, S, S, S, S, S}, (double[6]){1e-3}, 10.0)); // uniaxial stress
  near(m.stress[0], 0.01 * E, 1e-13);
  near(m.strain[1], -0.01 * NU, 1e-15);
  m = pulled(mixed((int[6]){0, 0, 0, 0, 0, 0}, (double[6]){1e-3, 1e-3, 1e-3}, 10.0)); // dilatation
  for (int v = 0; v < 3; v++) near(m.stress[v], 0.03 * K, 1e-12);
  m = pulled(mixed((int[6]){S, S, S, S, S, S}, (double[6]){-0.1, -0.1, -0.1, 0.05, 0.0, 0.0}, 10.0)); // pressure
  near(m.strain[0] + m.strain[1] + m.strain[2], -STZ_GPA / K, 1e-13);
  near(m.strain[STZ_YZ], 0.5 * STZ_GPA / (2.0 * MU), 1e-13);
  stz_segment spring = in_shear(actuator(40.0, 0.06, 60.0, NAN));
  spring.until_strain = 0.01;
  m = pulled(spring);
  near(m.stress[STZ_XY], 0.02 * MU, 1e-12);
  near(m.stress[STZ_XY], 40.0 * STZ_GPA * (0.001 * m.time_s - 0.01), 1e-12);
}

// Work of the imposed stresses on a change of the state a -> b.
static double work(const stz_load *load, const stz_macro *a, const stz_macro *b) {
  double stiffness[6][6], sum = 0.0;
  stz_load_stiffness(load, stiffness);
  for (int v = 0; v < 6; v++) {
    if (stiffness[v][v] == 0.0) sum += (v < 3 ? 1.0 : 2.0) * a->stress[v] * (b->strain[v] - a->strain[v]);
  }
  return sum;
}

static double elastic_energy(const stz_macro *m) {
  double e[6];
  for (int v = 0; v < 6; v++) e[v] = m->strain[v] - m->plastic[v];
  return 0.5 * stz_sym_dot(m->stress, e);
}

// After an event: Hooke's law, the stiffness's answer, and the energy -(before + after)/2 : p, for that control.
static void check_event(stz_load *load, stz_rng *rng) {
  double p[6], stiffness[6][6], middle[6];
  const stz_macro a = state_of(load);
  stz_load_stiffness(load, stiffness);
  for (int v = 0; v < 6; v++) p[v] = 2e-3 * (stz_rng_uniform(rng) - 0.5);
  p[2] = -p[0] - p[1];
  stz_load_yield(load, p);
  const stz_macro b = state_of(load);
  hooke(&b);
  for (int u = 0; u < 6; u++) {
    double answer = a.stress[u];
    for (int v = 0; v < 6; v++) answer -= stiffness[u][v] * p[v];
    near(b.stress[u], answer, 1e-12);
    middle[u] = 0.5 * (a.stress[u] + b.stress[u]);
  }
  near(elastic_energy(&b) - elastic_energy(&a) - work(load, &a, &b), -stz_sym_dot(middle, p), 1e-12);
}

// A chain of random mixed segments, with segments in shear and of no stress between: each begins from what it finds.
static void random_controls(void **state) {
  (void)state;
  stz_rng rng = stz_rng_stream(12, STZ_RNG_EVENTS, 0);
  for (int trial = 0; trial < 200; trial++) {
    int control[3][6];
    double rates[3][6];
    stz_segment protocol[6];
    for (int i = 0; i < 3; i++) {
      for (int v = 0; v < 6; v++) {
        control[i][v] = stz_rng_uniform(&rng) < 0.5 ? S : STZ_CONTROL_STRAIN;
        rates[i][v] = (stz_rng_uniform(&rng) - 0.5) * (control[i][v] == S ? 0.1 : 1e-3);
      }
      protocol[2 * i] = mixed(control[i], rates[i], 10.0);
      protocol[2 * i + 1] = hold(STZ_SEGMENT_AGE, 1.0);
      if (i < 2) protocol[2 * i + 1] = in_shear(i ? hold(STZ_SEGMENT_CREEP, 1.0) : pull(1e-3, 0.02));
    }
    protocol[1].duration_s = 1.0;
    stz_load *load = create(protocol, 6);
    stz_macro begin = state_of(load);
    for (int i = 0; i < 6; i++) {
      stz_load_advance(load, 0.5 * (begin.time_s + drive_of(load).until));
      check_event(load, &rng);
      const stz_macro now = state_of(load);
      const double elapsed = now.time_s - begin.time_s;
      for (int v = 0; v < 6; v++) {
        const double strain = now.strain[v] - begin.strain[v], stress = now.stress[v] - begin.stress[v];
        if (i % 2 == 0 && control[i / 2][v] == S) near(stress, rates[i / 2][v] * STZ_GPA * elapsed, 1e-12);
        if (i % 2 == 0 && control[i / 2][v] != S) near(strain, rates[i / 2][v] * elapsed, 1e-15);
        if (i == 1) near(strain, v == STZ_XY ? 1e-3 * elapsed : 0.0, 1e-15);
        if (i == 3 && v != STZ_XY) near(strain, 0.0, 1e-15);
        if (i == 3 && v == STZ_XY) near(stress, 0.0, 1e-15);
        if (i == 5) near(now.stress[v], 0.0, 0.0);
      }
      stz_macro end;
      stz_load_state_at(load, drive_of(load).until, &end);
      assert_true(follow(load) == (i < 5));
      begin = state_of(load);
      for (int v = 0; v < 6 && (i == 1 || i == 3); v++) { // the next one is mixed
        if (control[(i + 1) / 2][v] == S) near(begin.stress[v], end.stress[v], 0.0);
        if (control[(i + 1) / 2][v] != S) near(begin.strain[v], end.strain[v], 0.0);
      }
    }
    stz_load_destroy(&load);
  }
}

// The component that a mixed segment drives moves fastest by its strain, or, where no strain moves, by its stress, of
// either sign; of two alike the first; xx where nothing moves.
static void fastest_component(void **state) {
  (void)state;
  static const struct fastest {
    int control[6], component;
    double rates[6];
  } cases[] = {{{0, S, 0, S, S, 0}, STZ_XY, {1e-4, 5.0, 0.0, 2.0, 0.0, -3e-4}},
               {{0, 0, 0, 0, 0, 0}, STZ_YY, {1e-4, 2e-4, 1e-4, -2e-4, 0.0, 0.0}},
               {{0, S, S, S, S, S}, STZ_ZZ, {0.0, 0.1, -0.5, 0.0, 0.2, 0.0}},
               {{S, S, S, S, S, 0}, STZ_XX, {0.0}}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const stz_segment s = mixed(cases[i].control, cases[i].rates, 10.0);
    stz_load *load = create(&s, 1);
    assert_int_equal(state_of(load).component, cases[i].component);
    stz_load_destroy(&load);
  }
}

// The strain by rate jumps from 0.01 on, whatever the events do.
static void rate_jumps(void **state) {
  (void)state;
  stz_segment jump = segment(STZ_SEGMENT_RATE_JUMP);
  jump.rates_per_s = (stz_list){3, {1e-4, 1e-3, 2e-3}};
  jump.strain_each = 0.004;
  jump.until_strain = 0.027; // 0.004 each: 40, 4, 2, 40 s, and a quarter of the next
  const stz_segment protocol[] = {pull(1e-3, 0.01), jump};
  const double jumps[] = {40.0, 44.0, 46.0, 86.0, 87.0};
  stz_load *load = create(protocol, 2);
  assert_true(follow(load));
  for (int i = 0; i < 5; i++) {
    const stz_drive drive = drive_of(load);
    near(drive.until, jumps[i], 1e-13);
    near(drive.stress_rate[0], E * jump.rates_per_s.value[i % 3], 1e-13);
    assert_true(drive.ends_segment == (i == 4));
    stz_load_advance(load, 0.5 * (drive.t0 + drive.until));
    yield_axial(load, 1e-3);
    near(drive_of(load).until, jumps[i], 1e-13);
    stz_load_advance(load, drive_of(load).until);
    near(axial_strain(load), i < 4 ? 0.01 + 0.004 * (i + 1) : 0.027, 1e-15);
  }
  near(axial_stress(load), E * (0.027 - 0.005), 1e-12);
  assert_true(axial_strain(load) == 0.027 && !stz_load_next_segment(load));
  stz_load_destroy(&load);
  jump.until_strain = NAN;
  jump.until_stress_GPa = 1.0; // in the fourth leg, at strain 0.01389
  load = create(&jump, 1);
  while (!drive_of(load).ends_segment) stz_load_advance(load, drive_of(load).until);
  near(drive_of(load).until, 46.0 + (1.0 / 72.0 - 0.012) / 1e-4, 1e-13);
  stz_load_destroy(&load);
  jump.until_stress_GPa = NAN; // no end at all
  load = create(&jump, 1);
  stz_drive drive;
  assert_int_equal(stz_load_drive(load, &drive), STZ_EINPUT);
  stz_load_destroy(&load);
}

// To 0.02, to -0.01, to 0.02, to -0.01 at 1e-3: a triangle wave; the events change the stress alone.
static void cycles_of_strain(void **state) {
  (void)state;
  stz_segment cyclic = segment(STZ_SEGMENT_CYCLIC);
  cyclic.rate_per_s = 1e-3;
  cyclic.cycles = 2;
  cyclic.turn_strains = (stz_list){2, {0.02, -0.01}};
  const double turns[] = {20.0, 50.0, 80.0, 110.0};
  stz_load *load = create(&cyclic, 1);
  for (int i = 0; i < 4; i++) {
    const stz_drive drive = drive_of(load);
    near(drive.until, turns[i], 1e-13);
    assert_true(drive.ends_segment == (i == 3) && drive.until > drive.t0);
    near(drive.stress_rate[0], (i % 2 ? -1e-3 : 1e-3) * E, 1e-13);
    yield_axial(load, 1e-3);
    stz_load_advance(load, drive.until);
    assert_true(axial_strain(load) == cyclic.turn_strains.value[i % 2]); // exactly
    near(axial_stress(load), E * (cyclic.turn_strains.value[i % 2] - 1e-3 * (i + 1)), 1e-12);
  }
  assert_true(drive_of(load).ends_segment && !stz_load_next_segment(load));
  stz_load_destroy(&load);
  cyclic.turn_strains.value[0] = 0.0; // the first turn is where it begins
  load = create(&cyclic, 1);
  near(drive_of(load).until, 10.0, 1e-13);
  near(drive_of(load).stress_rate[0], -1e-3 * E, 1e-13);
  stz_load_destroy(&load);
}

// Turns at stresses: exactly where the stress is crossed, or at once when an event takes it there.
static void cycles_of_stress(void **state) {
  (void)state;
  stz_segment cyclic = in_shear(segment(STZ_SEGMENT_CYCLIC));
  cyclic.rate_per_s = 1e-3;
  cyclic.cycles = 2;
  cyclic.turn_stresses_GPa = (stz_list){2, {1.0, -0.5}};
  const double each = STZ_GPA / (2e-3 * MU); // s a GPa
  stz_load *load = create(&cyclic, 1);
  const double plastic[6] = {[STZ_XY] = 0.01};
  stz_load_advance(load, drive_of(load).until);
  near(state_of(load).time_s, each, 1e-13);
  near(state_of(load).stress[STZ_XY], STZ_GPA, 1e-13);
  near(drive_of(load).stress_rate[STZ_XY], -2e-3 * MU, 1e-13);
  near(drive_of(load).until, 2.5 * each, 1e-13);
  stz_load_advance(load, 2.0 * each); // no stress
  stz_load_yield(load, plastic);      // to -0.514 GPa: beyond the turn
  const double found = state_of(load).stress[STZ_XY];
  near(found, -0.02 * MU, 1e-12);
  const stz_drive drive = drive_of(load);
  assert_true(drive.until > drive.t0 && !drive.ends_segment && drive.stress_rate[STZ_XY] > 0.0);
  near(drive.until, 2.0 * each + (1.0 - found / STZ_GPA) * each, 1e-13);
  assert_true(follow(load));
  assert_true(drive_of(load).ends_segment && !follow(load));
  near(state_of(load).stress[STZ_XY], -0.5 * STZ_GPA, 1e-13);
  stz_load_destroy(&load);
}

static void unloading(void **state) {
  (void)state;
  stz_segment plain = segment(STZ_SEGMENT_UNLOAD), partly = plain;
  plain.rate_per_s = partly.rate_per_s = 2e-3;
  partly.until_stress_GPa = 1.0;
  const stz_segment protocol[] = {pull(1e-3, 0.03), partly, plain, plain, pull(-1e-3, 0.0), plain};
  stz_load *load = create(protocol, 6);
  yield_axial(load, 0.005);
  assert_true(follow(load));
  near(drive_of(load).until, (0.025 - 1.0 / 72.0) / 2e-3, 1e-13);
  stz_load_advance(load, 2.0);
  yield_axial(load, -0.001); // flow backwards puts the end off
  near(drive_of(load).until, (0.026 - 1.0 / 72.0) / 2e-3, 1e-13);
  assert_true(follow(load));
  near(axial_stress(load), STZ_GPA, 1e-13);
  assert_true(follow(load));
  near(axial_stress(load), 0.0, 1e-13);
  near(axial_strain(load), 0.004, 1e-15);
  const stz_drive nothing = drive_of(load);
  assert_true(nothing.until == nothing.t0 && nothing.ends_segment && follow(load));
  assert_true(follow(load)); // to compression
  near(axial_stress(load), -0.004 * E, 1e-13);
  near(drive_of(load).stress_rate[0], 2e-3 * E, 1e-13);
  assert_true(!follow(load));
  near(axial_stress(load), 0.0, 1e-13);
  stz_load_destroy(&load);
}

// Linear from begin to end of the duration, the actuator's from the end of release; constant without an end.
static void temperature_ramps(void **state) {
  (void)state;
  stz_segment heat = pull(1e-4, 0.05), cool = actuator(40.0, 0.01, 60.0, 200.0);
  heat.duration_s = 100.0;
  heat.temperature_end_K = 400.0;
  cool.temperature_K = 500.0;
  cool.temperature_end_K = 300.0;
  const stz_segment protocol[] = {heat, cool, hold(STZ_SEGMENT_AGE, 1.0)};
  stz_load *load = create(protocol, 3);
  stz_load_advance(load, 25.0);
  yield_axial(load, 1e-3);
  stz_drive drive = drive_of(load);
  near(drive.temperature_K, 325.0, 1e-15);
  near(drive.temperature_rate, 1.0, 1e-15);
  stz_macro m;
  stz_load_state_at(load, 100.0, &m);
  near(m.temperature_K, 400.0, 1e-15);
  assert_true(follow(load));
  drive = drive_of(load);
  assert_true(drive.temperature_K == 500.0 && drive.temperature_rate == 0.0 && drive.until == 60.0);
  assert_true(follow(load));
  drive = drive_of(load);
  assert_true(drive.temperature_K == 500.0 && drive.temperature_rate == -1.0 && drive.until == 260.0);
  stz_load_advance(load, 260.0);
  near(state_of(load).temperature_K, 300.0, 1e-15);
  assert_true(stz_load_next_segment(load));
  drive = drive_of(load);
  assert_true(drive.temperature_K == 300.0 && drive.temperature_rate == 0.0);
  stz_load_destroy(&load);
}

// At 1e9 s of a segment the clock counts in steps of 1.2e-7 s, longer than each other leg: they must still take time,
// and end; and the next segment begins with a clock of its own.
static void coarse_clock(void **state) {
  (void)state;
  stz_segment jump = segment(STZ_SEGMENT_RATE_JUMP), cyclic = segment(STZ_SEGMENT_CYCLIC);
  jump.rates_per_s = (stz_list){2, {1e-15, 1e4}};
  jump.strain_each = 1e-6;
  jump.until_strain = 2e-5;
  cyclic.rate_per_s = 1e7;
  cyclic.cycles = 50;
  cyclic.turn_strains = (stz_list){2, {0.02, 0.0}};
  const stz_segment protocol[] = {jump, cyclic};
  stz_load *load = create(protocol, 2);
  int steps = 0;
  while (state_of(load).segment == 0) assert_true(follow(load) && ++steps < 30);
  near(drive_of(load).until, (0.02 - 2e-5) / 1e7, 1e-22);
  while (follow(load)) assert_true(++steps < 5000);
  assert_true(axial_strain(load) == 0.0);
  stz_load_destroy(&load);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(moduli),     cmocka_unit_test(random_controls),   cmocka_unit_test(fastest_component),
      cmocka_unit_test(rate_jumps), cmocka_unit_test(cycles_of_strain),  cmocka_unit_test(cycles_of_stress),
      cmocka_unit_test(unloading),  cmocka_unit_test(temperature_ramps), cmocka_unit_test(coarse_clock),
  };
  return cmocka_run_group_tests(tests, NULL, nothing_left);
}
