// SPDX-License-Identifier: GPL-3.0-or-later
//
// When rows of the history are due, and what is in one.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"
#include "observe/history.h"

static const stz_history_params PARAMS = {.points_per_decade = 20, .strain_step = 5e-4};

static void assert_near(double value, double expected, double relative) {
  if (!(fabs(value - expected) <= relative * fabs(expected))) fail_msg("%.17g, expected %.17g", value, expected);
}

// At constant strain the rows are 10^(k/20) s after the clock's zero, each once, until the limit: 51 days hold
// floor(20 log10 4406400) + 1 = 133.
static void logarithmic_grid(void **state) {
  (void)state;
  const double zeros[] = {0.0, 7260.0};
  for (int z = 0; z < 2; z++) {
    const double zero = zeros[z], until = zero + 4.4064e6;
    stz_history_schedule schedule = stz_history_begin(&PARAMS, zero, 0.02);
    double now = zero, due;
    int k = 0;
    for (; (due = stz_history_next(&schedule, now, 0.02, 0.0, zero, until)) <= until; k++) {
      assert_near(due, zero + pow(10.0, k / 20.0), 1e-13);
      if (k % 20 == 0) assert_true(due == zero + pow(10.0, k / 20)); // whole decades are exact
      stz_history_taken(&schedule, due, 0.02);
      now = k % 3 ? due : due * (1.0 + 1e-9); // also when the state is a little later than the row
    }
    assert_int_equal(k, 133);
    assert_true(isinf(due));
  }
}

// No row of the grid within the release of an actuator, whose clock starts when it ends; and one that was left out is
// due at once.
static void clock_ahead_and_late(void **state) {
  (void)state;
  stz_history_schedule schedule = stz_history_begin(&PARAMS, 0.0, 0.0);
  assert_true(isinf(stz_history_next(&schedule, 0.0, 0.0, 0.0, 60.0, 60.9)));
  assert_true(stz_history_next(&schedule, 0.0, 0.0, 0.0, 60.0, 61.0) == 61.0);
  assert_true(stz_history_next(&schedule, 61.05, 0.0, 0.0, 60.0, 70.0) == 61.05);
}

// Under a steady rate of either sign, rows are strain_step apart, unless the grid of times comes first.
static void strain_steps(void **state) {
  (void)state;
  for (int sign = -1; sign <= 1; sign += 2) {
    const double rate = sign * 1e-2, until = 0.99; // before the first time of the grid
    stz_history_schedule schedule = stz_history_begin(&PARAMS, 0.0, 0.01);
    double due;
    int rows = 0;
    while ((due = stz_history_next(&schedule, schedule.last_time_s, schedule.last_strain, rate, 0.0, until)) <= until) {
      rows++;
      assert_near(due, rows * 0.05, 1e-9);
      stz_history_taken(&schedule, due, 0.01 + rate * due);
    }
    assert_int_equal(rows, 19);
  }
  stz_history_schedule schedule = stz_history_begin(&PARAMS, 0.5, 0.0);
  assert_true(stz_history_next(&schedule, 0.5, 0.0, 5e-4, 0.0, 10.0) == 1.0);         // time first
  assert_near(stz_history_next(&schedule, 0.5, 0.0, 2e-3, 0.0, 10.0), 0.75, 1e-12);   // strain first
  assert_near(stz_history_next(&schedule, 0.5, 2e-4, 2e-3, 0.0, 10.0), 0.65, 1e-12);  // part of the step is done
  assert_near(stz_history_next(&schedule, 0.5, 2e-4, -2e-3, 0.0, 10.0), 0.85, 1e-12); // and has to be undone
}

// A jump of the strain by events makes a row due at once, and only one.
static void jumps(void **state) {
  (void)state;
  stz_history_schedule schedule = stz_history_begin(&PARAMS, 1.0, 0.01);
  assert_true(stz_history_next(&schedule, 1.01, 0.0105001, 0.0, 0.0, 1.1) == 1.01);
  assert_true(stz_history_next(&schedule, 1.01, 0.0094999, 0.0, 0.0, 1.1) == 1.01);
  assert_true(isinf(stz_history_next(&schedule, 1.01, 0.0104999, 0.0, 0.0, 1.1)));
  // Where the clock has not moved since the last row, there is none until it has.
  assert_true(isinf(stz_history_next(&schedule, 1.0, 0.0105001, 0.0, 0.0, 1.1)));
  assert_near(stz_history_next(&schedule, 1.0, 0.0105001, 0.1, 0.0, 1.1), 1.005, 1e-12);
  stz_history_taken(&schedule, 1.01, 0.0105001);
  assert_true(isinf(stz_history_next(&schedule, 1.01, 0.0105001, 0.0, 0.0, 1.1)));
  // A step that is shorter than the clock's last digit is as long as that.
  schedule = stz_history_begin(&PARAMS, 1e9, 0.01);
  assert_true(stz_history_next(&schedule, 1e9, 0.01, 1e6, 0.0, 1.1e9) > 1e9);
}

static double cell(const double *row, const char *name, int component) {
  int at = 0;
  for (int c = 0; c < stz_history_group.count; c++) {
    if (strcmp(stz_history_group.datasets[c].name, name) == 0) return row[at + component];
    at += stz_dataset_width(&stz_history_group.datasets[c]);
  }
  fail_msg("no column %s", name);
  return NAN;
}

static void a_row(void **state) {
  (void)state;
  stz_history_state now = {.time_s = 12.0, .temperature_K = 295.0, .segment = 1, .events = 500};
  for (int c = 0; c < 6; c++) {
    now.strain[c] = 0.1 + c;
    now.stress[c] = (0.2 + c) * STZ_GPA;
    now.plastic[c] = 0.3 + c;
  }
  now.plastic_rate_per_s = 1e-7;
  now.total_rate_per_s = 3.0;
  const stz_history_sample sample = {
      .stz_per_box = 1e-3, .order_mean = 0.75, .localisation = 1.5, .reversal_share = 0.125};
  double row[STZ_HISTORY_ROOM];
  assert_int_equal(stz_history_row(&now, &sample, row), stz_group_width(&stz_history_group));
  const struct {
    const char *name;
    double value;
  } expected[] = {{"time_s", 12.0},
                  {"segment", 1.0},
                  {"temperature_K", 295.0},
                  {"strain_axial", 0.1},
                  {"stress_axial_GPa", 0.2},
                  {"plastic_strain_axial", 0.3},
                  {"plastic_rate_per_s", 1e-7},
                  {"total_rate_per_s", 3.0},
                  {"events", 500.0},
                  {"events_per_stz", 0.5},
                  {"order_mean", 0.75},
                  {"localisation", 1.5},
                  {"reversal_share", 0.125}};
  for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
    assert_near(cell(row, expected[i].name, 0), expected[i].value, 1e-15);
  }
  for (int c = 0; c < 6; c++) {
    assert_near(cell(row, "strain", c), 0.1 + c, 1e-15);
    assert_near(cell(row, "stress_GPa", c), 0.2 + c, 1e-15);
    assert_near(cell(row, "plastic_strain", c), 0.3 + c, 1e-15);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(logarithmic_grid), cmocka_unit_test(clock_ahead_and_late),
                                     cmocka_unit_test(strain_steps), cmocka_unit_test(jumps), cmocka_unit_test(a_row)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
