// SPDX-License-Identifier: GPL-3.0-or-later
//
// The choice among weights: each has its share of the sum, what is left of the target lies within it; entries of no
// weight are never chosen, not even by a target that rounding has left at the sum or above it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kmc/select.h"

enum { COUNT = 7 };
static const float WEIGHTS[COUNT] = {0.0f, 2.0f, 0.0f, 1.0f, 0.5f, 0.0f, 0.0f};
static const struct choice {
  double target, left;
  int chosen;
} CHOICES[] = {{0.0, 0.0, 1},   {1.75, 1.75, 1}, {2.0, 0.0, 3}, {2.75, 0.75, 3},
               {3.25, 0.25, 4}, {3.5, 0.0, 4},   {9.0, 0.0, 4}};

static void choices(void **state) {
  (void)state;
  double weights[COUNT];
  for (int i = 0; i < COUNT; i++) weights[i] = (double)WEIGHTS[i];
  for (size_t i = 0; i < sizeof CHOICES / sizeof *CHOICES; i++) {
    double one = CHOICES[i].target, other = one;
    assert_int_equal(stz_pick_float(WEIGHTS, COUNT, &one), CHOICES[i].chosen);
    assert_int_equal(stz_pick_double(weights, COUNT, &other), CHOICES[i].chosen);
    assert_true(one == CHOICES[i].left && other == CHOICES[i].left);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(choices)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
