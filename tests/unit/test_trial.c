// SPDX-License-Identifier: GPL-3.0-or-later
//
// Which of two ways is faster, found by trial: against what each of them takes, which here is known.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kmc/points/trial.h"

static const double COST[2] = {60e-6, 50e-6};

// Does so much, in steps of one (way 0) or 20 (way 1) at the cost of each way; returns how much was done by way 1.
static double work(stz_trial *trial, double amount, const double cost[2]) {
  double by_one = 0.0;
  for (double done = 0.0; done < amount;) {
    const double step = trial->way == 1 ? 20.0 : 1.0;
    if (trial->way == 1) by_one += step;
    done += step;
    stz_trial_add(trial, step, step * cost[trial->way]);
  }
  return by_one;
}

static void faster_way(void **state) {
  (void)state;
  for (int best = 0; best < 2; best++) {
    const double cost[2] = {COST[1 - best], COST[best]}; // way `best` takes 50 us
    stz_trial trial;
    stz_trial_begin(&trial);
    const double by_one = work(&trial, 1e6, cost), by_best = best == 1 ? by_one : 1e6 - by_one;
    assert_true(by_best > 0.98 * 1e6 && by_best < 1e6 - 512.0); // it looks again now and then
    assert_int_equal(trial.way, best);
  }
}

// When the other way has become faster it is found, after 262,144 events at the latest.
static void change(void **state) {
  (void)state;
  const double turned[2] = {COST[1], COST[0]};
  stz_trial trial;
  stz_trial_begin(&trial);
  (void)work(&trial, 3e6, COST);
  assert_true(work(&trial, 1e6, turned) < 0.3 * 1e6);
  assert_int_equal(trial.way, 0);
  assert_true(work(&trial, 1e6, COST) > 0.7 * 1e6);
}

// Work that took no time that the clock could see, or was none, does not bring it to an end.
static void nothing(void **state) {
  (void)state;
  stz_trial trial;
  stz_trial_begin(&trial);
  for (int i = 0; i < 100000; i++) stz_trial_add(&trial, i % 3, 0.0);
  assert_true(trial.way == 0 || trial.way == 1);
  assert_true(work(&trial, 1e6, COST) > 0.9 * 1e6 - 262144.0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(faster_way), cmocka_unit_test(change), cmocka_unit_test(nothing)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
