// SPDX-License-Identifier: GPL-3.0-or-later
//
// The loading with something that yields: viscoplastic elements whose response is known in closed form, the energy of
// an event, and random protocols against the equations of each control.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "rng/rng.h"
#include "unit/load_helpers.h"

// A viscoplastic element: ep' = a exp(s/c) (Eyring) or s/eta (Newton, c = 0).
typedef struct element {
  double a, c, eta;
} element;

static double flow(const element *law, double stress) {
  return law->c > 0.0 ? law->a * exp(stress / law->c) : stress / law->eta;
}

// Follows the protocol from the present segment to its end in time steps of at most `dt`, the yield of a step taken at
// its middle in two passes (second order). Returns work less stored and dissipated energy, over the work.
static double integrate(stz_load *load, const element *law, double dt) {
  double work = 0.0, dissipated = 0.0;
  for (long guard = 0; guard < 10000000; guard++) {
    const stz_drive drive = drive_of(load);
    const double t = fmin(drive.t0 + dt, drive.until), step = t - drive.t0;
    stz_macro before, after;
    stz_load_state(load, &before);
    stz_load_advance(load, t);
    stz_load_state(load, &after);
    const double driven = 0.5 * (before.stress[0] + after.stress[0]);
    const double first = flow(law, driven) * step;
    const double ep = flow(law, driven - 0.5 * stiffness_of(load, 0, 0) * first) * step;
    work += driven * (after.strain[0] - before.strain[0]);
    stz_load_state(load, &before);
    yield_axial(load, ep);
    stz_load_state(load, &after);
    work += 0.5 * (before.stress[0] + after.stress[0]) * (after.strain[0] - before.strain[0]);
    dissipated += 0.5 * (before.stress[0] + after.stress[0]) * ep;
    if (t < drive.until || !drive.ends_segment) continue;
    stz_load_state(load, &after);
    if (!stz_load_next_segment(load)) return (work - dissipated - after.stress[0] * after.stress[0] / (2.0 * E)) / work;
  }
  fail_msg("the protocol does not end");
  return NAN;
}

// Newton under a constant strain rate r from rest: s = eta r (1 - exp(-E t/eta)); held then, it decays by exp(-E
// t/eta).
static void newton(void **state) {
  (void)state;
  const element law = {.eta = 20.0 * E};
  const stz_segment protocol[] = {pull(1e-3, 0.02), hold(STZ_SEGMENT_RELAXATION, 30.0)};
  const double top = law.eta * 1e-3 * (1.0 - exp(-1.0));
  stz_load *load = create(protocol, 1);
  (void)integrate(load, &law, 0.01);
  near(axial_stress(load), top, 1e-7 * top);
  assert_true(axial_strain(load) == 0.02);
  stz_load_destroy(&load);
  load = create(protocol, 2);
  near(integrate(load, &law, 0.01), 0.0, 1e-12);
  near(axial_stress(load), top * exp(-1.5), 1e-6 * top);
  stz_load_destroy(&load);
}

// Eyring behind a spring of stiffness K (the machine's and the specimen's in series): s = s0 - c ln(1 + t/t0),
// t0 = c/(K a exp(s0/c)). The element is far too slow to flow while it is loaded (1e-9 of the strain).
static void eyring_relaxes_logarithmically(void **state) {
  (void)state;
  const double s0 = 3.0 * STZ_GPA, effective = 40.0 * 72.0 / 112.0 * STZ_GPA;
  const element law = {.a = 1e-4 * exp(-30.0), .c = s0 / 30.0};
  stz_segment stiff = pull(3.0 / 72.0 / 1e-6, 3.0 / 72.0);
  const stz_segment held[] = {stiff, hold(STZ_SEGMENT_RELAXATION, 1000.0)};
  const stz_segment spring[] = {actuator(40.0, s0 / effective, 1e-6, 1000.0)};
  const double stiffness[] = {E, effective};
  for (int i = 0; i < 2; i++) {
    stz_load *load = i == 0 ? create(held, 2) : create(spring, 1);
    near(integrate(load, &law, 0.05), 0.0, 1e-9);
    const double t0 = law.c / (stiffness[i] * 1e-4);
    near(axial_stress(load), s0 - law.c * log1p(1000.0 / t0), 2e-6 * s0);
    stz_load_destroy(&load);
  }
}

// Eyring at a rate r flows at s = c ln(r/a): each jump of the rate costs c ln(r2/r1), the m sigma ln(r2/r1) of a
// rate-jump test. A leg is eleven times c/E, so that what is left of the transient is below exp(-11).
static void eyring_under_rate_jumps(void **state) {
  (void)state;
  const element law = {.a = 1e-6 * exp(-30.0), .c = 0.1 * STZ_GPA};
  stz_segment jump = segment(STZ_SEGMENT_RATE_JUMP);
  jump.rates_per_s = (stz_list){2, {1e-6, 1e-5}};
  jump.strain_each = 1.1 / 72.0;
  double stress[2];
  for (int i = 0; i < 2; i++) { // ends of the sixth leg and the seventh: the first three are elastic
    jump.until_strain = (6 + i) * jump.strain_each;
    stz_load *load = create(&jump, 1);
    near(integrate(load, &law, 2e-4 * jump.strain_each / 1e-6), 0.0, 1e-6);
    stress[i] = axial_stress(load);
    stz_load_destroy(&load);
  }
  near(stress[0], law.c * log(1e-5 / law.a), 1e-3 * law.c);
  near((stress[0] - stress[1]) / law.c, log(10.0), 1e-3);
}

// Newton in creep: strain grows by (s/eta) t; it ends on until_strain to within the step.
static void newton_creeps(void **state) {
  (void)state;
  const element law = {.eta = 20.0 * E};
  stz_segment creep = segment(STZ_SEGMENT_CREEP);
  creep.stress_GPa = 0.72;
  creep.until_strain = 0.03; // elastic 0.01, then 0.01 t/20
  stz_load *load = create(&creep, 1);
  near(integrate(load, &law, 1e-3), 0.0, 1.0); // the jump at the start is not counted as work
  stz_macro m;
  stz_load_state(load, &m);
  near(m.time_s, 40.0, 2e-3);
  near(m.strain[0], 0.03, 1e-6);
  stz_load_destroy(&load);
}

// An event's loss of energy in specimen and machine, -(s_before + s_after)/2 * ep, for each control: the energies are
// s^2/2E and, in the actuator's spring, s^2/2S_a; an imposed stress does the work s de.
static void energy_of_an_event(void **state) {
  (void)state;
  const double ep = 3e-3, stiffness = 40.0 * STZ_GPA;
  const stz_segment first = pull(1e-3, 0.02);
  const stz_segment controls[] = {hold(STZ_SEGMENT_RELAXATION, 1.0), hold(STZ_SEGMENT_CREEP, 1.0),
                                  actuator(40.0, 0.01, 0.0, 1.0), hold(STZ_SEGMENT_AGE, 1.0), pull(-1e-3, 0.0)};
  for (int i = 0; i < 5; i++) {
    const stz_segment protocol[] = {first, controls[i]};
    stz_load *load = create(protocol, 2);
    assert_true(follow(load));
    stz_macro a, b;
    stz_load_state(load, &a);
    yield_axial(load, ep);
    stz_load_state(load, &b);
    const double s = a.stress[0], t = b.stress[0];
    double change = (t * t - s * s) / (2.0 * E);
    if (i == 1 || i == 3) change -= s * (b.strain[0] - a.strain[0]);
    if (i == 2) change += (t * t - s * s) / (2.0 * stiffness);
    near(change, -0.5 * (s + t) * ep, 1e-14);
    near(t - s, -stiffness_of(load, 0, 0) * ep, 1e-13);
    stz_load_destroy(&load);
  }
}

static stz_segment random_segment(stz_rng *rng) {
  static const stz_segment_type types[] = {STZ_SEGMENT_STRAIN_RATE, STZ_SEGMENT_RELAXATION, STZ_SEGMENT_CREEP,
                                           STZ_SEGMENT_ACTUATOR,    STZ_SEGMENT_RATE_JUMP,  STZ_SEGMENT_UNLOAD,
                                           STZ_SEGMENT_CYCLIC,      STZ_SEGMENT_AGE};
  stz_segment s = segment(types[stz_rng_below(rng, 8)]);
  const double way = stz_rng_uniform(rng) < 0.3 ? -1.0 : 1.0;
  if (s.type == STZ_SEGMENT_STRAIN_RATE) s.rate_per_s = way * pow(10.0, 6.0 * stz_rng_uniform(rng) - 7.0);
  if (s.type == STZ_SEGMENT_CREEP && stz_rng_uniform(rng) < 0.5) s.stress_GPa = way * 3.0 * stz_rng_uniform(rng);
  if (s.type == STZ_SEGMENT_ACTUATOR) {
    s.stiffness_GPa = 100.0 * stz_rng_uniform(rng) + 1.0;
    s.mismatch_strain = way * 0.1 * stz_rng_uniform(rng);
    s.release_s = stz_rng_uniform(rng) < 0.2 ? 0.0 : 60.0 * stz_rng_uniform(rng);
  }
  if (s.type == STZ_SEGMENT_UNLOAD || s.type == STZ_SEGMENT_CYCLIC) s.rate_per_s = 1e-4;
  if (s.type == STZ_SEGMENT_RATE_JUMP) {
    s.rates_per_s = (stz_list){3, {1e-5, 1e-3, 1e-4}};
    s.strain_each = 0.005;
  }
  if (s.type == STZ_SEGMENT_CYCLIC) {
    s.cycles = 1 + (int)stz_rng_below(rng, 3);
    s.turn_strains = (stz_list){2, {0.02 * way, -0.01 * way}};
    s.turn_stresses_GPa = (stz_list){2, {1.2 * way, -0.6 * way}};
    *(stz_rng_uniform(rng) < 0.5 ? &s.turn_strains : &s.turn_stresses_GPa) = (stz_list){0};
  }
  if (stz_rng_uniform(rng) < 0.5) s.duration_s = pow(10.0, 9.0 * stz_rng_uniform(rng) - 3.0);
  if (stz_rng_uniform(rng) < 0.5) s.until_strain = 0.2 * stz_rng_uniform(rng) - 0.05;
  if (stz_rng_uniform(rng) < 0.5) s.until_stress_GPa = 6.0 * stz_rng_uniform(rng) - 2.0;
  return s;
}

// The equation of the control in force (the header's), with what the segment found at its start.
static void check_control(const stz_segment *s, const stz_macro *begin, const stz_macro *now) {
  const double released = fmin(1.0, (now->time_s - begin->time_s) / (begin->clock_zero_s - begin->time_s));
  double expected = 0.0;
  near(now->stress[0], E * (now->strain[0] - now->plastic[0]), 1e-11);
  switch (s->type) {
  case STZ_SEGMENT_STRAIN_RATE:
    near(now->strain[0], begin->strain[0] + s->rate_per_s * (now->time_s - begin->time_s), 1e-12);
    return;
  case STZ_SEGMENT_RELAXATION:
    near(now->strain[0], begin->strain[0], 0.0);
    return;
  case STZ_SEGMENT_CREEP:
    expected = isnan(s->stress_GPa) ? begin->stress[0] : s->stress_GPa * STZ_GPA;
    break;
  case STZ_SEGMENT_ACTUATOR:
    expected = begin->stress[0] +
               s->stiffness_GPa * STZ_GPA *
                   (s->mismatch_strain * (s->release_s > 0.0 ? released : 1.0) - (now->strain[0] - begin->strain[0]));
    break;
  case STZ_SEGMENT_RATE_JUMP:
    assert_true(now->strain[0] - begin->strain[0] >= 1e-5 * (now->time_s - begin->time_s) * (1.0 - 1e-9) - 1e-12);
    assert_true(now->strain[0] - begin->strain[0] <= 1e-3 * (now->time_s - begin->time_s) * (1.0 + 1e-9) + 1e-12);
    return;
  case STZ_SEGMENT_UNLOAD:
    near(fabs(now->strain[0] - begin->strain[0]), 1e-4 * (now->time_s - begin->time_s), 1e-11);
    return;
  case STZ_SEGMENT_CYCLIC:
    if (s->turn_stresses_GPa.count == 0 && begin->strain[0] <= 0.02 && begin->strain[0] >= -0.02)
      assert_true(fabs(now->strain[0]) <= 0.02);
    return;
  default: // age
    break;
  }
  near(now->stress[0], expected, 1e-10);
}

// A random protocol under random events, some at the very instant at which a drive ends. It must come to its end in
// few zero-length drives, obey the control's equation throughout, and answer an event by its stiffness.
static void random_protocol(uint64_t index, int *ended, int *endless) {
  stz_rng rng = stz_rng_stream(11, STZ_RNG_EVENTS, index);
  stz_segment protocol[6];
  for (int i = 0; i < 6; i++) protocol[i] = random_segment(&rng);
  stz_load *load = create(protocol, 6);
  stz_macro found = {0}, now;
  stz_load_state(load, &now);
  found.clock_zero_s = now.clock_zero_s;
  assert_true(now.time_s == 0.0 && now.run_time_s == 0.0);
  int still = 0;
  for (int step = 0; step < 4000; step++) {
    stz_drive drive;
    if (stz_load_drive(load, &drive) != STZ_OK) {
      assert_non_null(strstr(stz_error_message(), "can never end"));
      (*endless)++;
      break;
    }
    assert_true(drive.until >= drive.t0 && (drive.until > drive.t0 || drive.ends_segment));
    still = drive.until > drive.t0 ? 0 : still + 1;
    assert_true(still < 12);
    double t = drive.t0 + 1e4 * stz_rng_exponential(&rng) * pow(10.0, -6.0 * stz_rng_uniform(&rng));
    const bool event =
        t < drive.until || (drive.until > drive.t0 && isfinite(drive.until) && stz_rng_uniform(&rng) < 0.05);
    t = fmin(t, drive.until);
    stz_load_advance(load, t);
    stz_load_state(load, &now);
    check_control(&protocol[now.segment], &found, &now);
    near(now.stress[0], drive.stress[0] + drive.stress_rate[0] * (t - drive.t0), 1e-10);
    if (event) {
      const double ep = (now.stress[0] > 0.0 ? 1.0 : -1.0) * 2e-3 * (stz_rng_uniform(&rng) - 0.1);
      yield_axial(load, ep);
      near(axial_stress(load), now.stress[0] - stiffness_of(load, 0, 0) * ep, 1e-10);
    } else if (drive.ends_segment) {
      stz_load_state(load, &found);
      if (!stz_load_next_segment(load)) {
        (*ended)++;
        break;
      }
      stz_load_state(load, &now);
      assert_true(now.time_s == 0.0);
      found.time_s = 0.0;
      found.clock_zero_s = now.clock_zero_s;
    }
  }
  stz_load_destroy(&load);
}

static void random_protocols(void **state) {
  (void)state;
  int ended = 0, endless = 0;
  for (uint64_t i = 0; i < 3000; i++) random_protocol(i, &ended, &endless);
  assert_true(ended > 100 && endless > 100);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(newton),           cmocka_unit_test(eyring_relaxes_logarithmically),
      cmocka_unit_test(newton_creeps),    cmocka_unit_test(energy_of_an_event),
      cmocka_unit_test(random_protocols), cmocka_unit_test(eyring_under_rate_jumps),
  };
  return cmocka_run_group_tests(tests, NULL, nothing_left);
}
