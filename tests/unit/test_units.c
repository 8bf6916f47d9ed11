// SPDX-License-Identifier: GPL-3.0-or-later
//
// The units against the SI's defining constants.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/units.h"

static void units(void **state) {
  (void)state;
  const double electronvolt = 1.602176634e-19, boltzmann = 1.380649e-23;  // J and J/K, exact in the SI
  assert_true(fabs(STZ_GPA / (1e9 * 1e-27 / electronvolt) - 1.0) < 1e-8); // 1 Pa = 1 J/m^3
  assert_true(fabs(STZ_BOLTZMANN / (boltzmann / electronvolt) - 1.0) < 1e-10);
  assert_true(STZ_PI == acos(-1.0));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(units)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
