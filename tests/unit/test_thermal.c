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
#include "stz/rates.h"

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
  stz_thermal *thermal = stz_thermal_create(config, NULL);
  assert_non_null(thermal);
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
                                     cmocka_unit_test(other_noise)};
  return cmocka_run_group_tests(tests, NULL, NULL) + (stz_alloc_live() != 0);
}
