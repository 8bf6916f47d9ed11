// SPDX-License-Identifier: GPL-3.0-or-later
//
// Rates of events of Gaussian barriers against their closed forms. With n modes of two signs, attempts nu per site and
// barriers of mean m and deviation w, in a glass without structure at zero stress:
//
//   first = 2 n nu N <exp(-Q/kT)> = 2 n nu N exp(-m/kT + (w/kT)^2/2),   steady = 2 n nu N/<exp(Q/kT)>
//
// with the same exponent, but for the sign of its second part. In the linear law a stress multiplies all rates alike,
// as long as no barrier is used up.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/units.h"
#include "sim/thermal.h"
#include "stz/law.h"
#include "stz/marginal.h"
#include "stz/modes.h"
#include "stz/rates.h"
#include "worse.h"

// w/kT = 1.5: what is cut off beyond four deviations is 0.6 % of either mean.
static const double MEAN = 3.0, WIDTH = 0.05, KT = 0.05 / 1.5, TOLERANCE = 0.02;

static stz_config *plain_glass(void) {
  static const char input[] = "lattice: { cells = [16, 16, 16]; };\n"
                              "microstructure: { type = \"uniform\"; };\n"
                              "barriers: { mean_eV = 3.0; width_eV = 0.05; cutoff_sigma = 6.0; };\n"
                              "protocol = ( { type = \"age\"; duration_s = 10.0; } );\n";
  stz_config *config = NULL;
  if (stz_config_parse(MPI_COMM_NULL, "in.cfg", input, NULL, 0, &config) != STZ_OK) {
    fail_msg("%s", stz_error_message());
  }
  return config;
}

static void rates(const stz_config *config, double stress_GPa, double *first, double *steady) {
  stz_thermal *thermal;
  assert_int_equal(stz_thermal_create(config, NULL, &thermal), STZ_OK);
  stz_thermal_rates(thermal, KT / STZ_BOLTZMANN, stress_GPa, first, steady);
  stz_thermal_destroy(&thermal);
}

static void closed_form(void **state) {
  (void)state;
  stz_config *config = plain_glass();
  const double x = WIDTH / KT;
  const double all = 4096.0 * 30.0 * stz_attempt_rate(&config->stz, config->lattice.spacing_nm) * exp(-MEAN / KT);
  double first, steady;
  rates(config, 0.0, &first, &steady);
  assert_true(fabs(first / (all * exp(0.5 * x * x)) - 1.0) < TOLERANCE);
  assert_true(fabs(steady / (all * exp(-0.5 * x * x)) - 1.0) < TOLERANCE);
  stz_config_destroy(&config);
}

static void stress(void **state) {
  (void)state;
  stz_config *config = plain_glass();
  double first[2], steady[2];
  rates(config, 0.0, &first[0], &steady[0]);
  rates(config, 1.0, &first[1], &steady[1]);
  const double growth = first[1] / first[0], steady_growth = steady[1] / steady[0];
  assert_true(growth > 1.5 && steady_growth > 1.0 && steady_growth < growth); // a harmonic mean over orientations
  config->barriers.mean_eV = 3.3;
  config->barriers.width_eV = 0.03;
  rates(config, 0.0, &first[0], &steady[0]);
  rates(config, 1.0, &first[1], &steady[1]);
  assert_true(fabs(first[1] / first[0] / growth - 1.0) < 1e-6);
  assert_true(fabs(steady[1] / steady[0] / steady_growth - 1.0) < 1e-6);
  stz_config_destroy(&config);
}

// The same rates without a table over the barriers: each barrier of the distribution in each orientation by itself.
static void directly(const stz_config *config, double stress_GPa, double *first, double *steady) {
  enum { NOISE = 32, TURNS = 8 };
  static stz_modes modes;
  const stz_barrier_params *b = &config->barriers;
  double sum = 0.0, wait = 0.0, rate = 0.0;
  stz_modes_init(&modes, STZ_ORIENTATION_RANDOM, 0);
  for (int i = 0; i < NOISE * TURNS; i++) {
    const double x = 4.0 * (2.0 * (i / TURNS) + 1.0 - NOISE) / NOISE, weight = exp(-0.5 * x * x);
    const double own =
        b->mean_eV + b->width_eV * stz_marginal_at(b->distribution, b->weibull_shape, b->cutoff_sigma, x);
    double site = 0.0;
    for (int m = 0; m < 2 * modes.count; m++) {
      const double axial = modes.axial[i % TURNS * (STZ_ROTATIONS / TURNS)][m / 2];
      const double tau = (m % 2 ? -axial : axial) * stress_GPa * STZ_GPA;
      site += exp(-fmax(0.0, stz_barrier_under(&config->stz, fmax(b->floor_eV, own), tau)) / KT);
    }
    sum += weight;
    rate += weight * site;
    wait += weight / site;
  }
  const double attempts = 4096.0 * stz_attempt_rate(&config->stz, config->lattice.spacing_nm);
  *first = attempts * rate / sum;
  *steady = attempts * sum / wait;
}

// The largest relative error of the table's interpolation: barriers from 1 to 3 eV, narrow and wide, up to 6 GPa.
static double worst_error(stz_barrier_law law) {
  stz_config *config = plain_glass();
  double worst = 0.0;
  config->stz.barrier_law = law;
  config->stz.tau_c_GPa = 3.0;
  for (int i = 0; i < 24; i++) {
    double first[2], steady[2];
    config->barriers.mean_eV = i % 2 ? 3.0 : 1.0;
    config->barriers.width_eV = i / 2 % 3 ? 0.2 * (i / 2 % 3) : 0.05;
    const double stress_GPa = 2.0 * (i / 6);
    rates(config, stress_GPa, &first[0], &steady[0]);
    directly(config, stress_GPa, &first[1], &steady[1]);
    worst = worse(worse(worst, fabs(first[0] / first[1] - 1.0)), fabs(steady[0] / steady[1] - 1.0));
  }
  stz_config_destroy(&config);
  return worst;
}

// In the cooperative law the logarithms of the rates are smooth; in the linear law they have kinks where modes have
// used up their barriers.
static void interpolation(void **state) {
  (void)state;
  const double smooth = worst_error(STZ_LAW_COOPERATIVE), kinked = worst_error(STZ_LAW_LINEAR);
  assert_true(smooth < 5e-4);
  assert_true(kinked < 0.01);
}

// Another distribution before leaves no trace.
static void other_noise(void **state) {
  (void)state;
  stz_config *config = plain_glass();
  double first[3], steady[3];
  for (int i = 0; i < 3; i++) {
    config->barriers.cutoff_sigma = i == 1 ? 1.0 : 6.0;
    rates(config, 0.0, &first[i], &steady[i]);
  }
  assert_true(first[0] == first[2] && steady[0] == steady[2] && first[1] < 0.8 * first[0]);
  stz_config_destroy(&config);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(closed_form), cmocka_unit_test(stress),
                                     cmocka_unit_test(interpolation), cmocka_unit_test(other_noise)};
  return cmocka_run_group_tests(tests, NULL, NULL) + (stz_alloc_live() != 0);
}
