// SPDX-License-Identifier: GPL-3.0-or-later
//
// Elementary functions against the C library's in long double.
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/mathfn.h"
#include "rng/rng.h"
#include "worse.h"

enum { POINTS = 200000 };

// Distance of `value` from `exact` in units in the last place of a double of that size.
static double ulps(double value, long double exact) {
  int exponent;
  frexpl(exact, &exponent);
  return (double)(fabsl(value - exact) / ldexpl(1.0L, exponent - DBL_MANT_DIG));
}

static void worst(double function(double), long double reference(long double), double low, double high, double bound) {
  stz_rng rng = stz_rng_stream(1, STZ_RNG_NOISE, 0);
  double most = 0.0, at = 0.0;
  for (int i = 0; i < POINTS; i++) {
    const double x = low + (high - low) * stz_rng_uniform(&rng);
    const double off = worse(0.0, ulps(function(x), reference(x)));
    if (off > most) most = off, at = x;
  }
  print_message("[%g, %g]: at most %.2f ulp, at %.17g\n", low, high, most, at);
  assert_true(most <= bound);
}

static void exponential(void **state) {
  (void)state;
  worst(stz_exp, expl, -700.0, 700.0, 2.0);
  worst(stz_exp, expl, -1.0, 1.0, 2.0);
  assert_true(stz_exp(0.0) == 1.0 && stz_exp(-800.0) == 0.0 && stz_exp(1000.0) == DBL_MAX);
}

static void logarithm(void **state) {
  (void)state;
  worst(stz_ln, logl, 0.0001, 0.5, 2.0);
  worst(stz_ln, logl, 0.5, 2.0, 2.0);
  worst(stz_ln, logl, 2.0, 1e300, 2.0);
  assert_true(stz_ln(1.0) == 0.0);
}

static void tangent(void **state) {
  (void)state;
  worst(stz_tanh, tanhl, -0.75, 0.75, 2.0);
  worst(stz_tanh, tanhl, -1e-6, 1e-6, 2.0);
  worst(stz_tanh, tanhl, 0.75, 20.0, 2.0);
  worst(stz_tanh, tanhl, -3.0, -0.7, 2.0);
  assert_true(stz_tanh(0.0) == 0.0 && stz_tanh(1e-300) == 1e-300 && stz_tanh(30.0) == 1.0 && stz_tanh(-1e3) == -1.0);
  for (double x = 0.7499; x < 0.7501; x += 1e-8) assert_true(stz_tanh(x) < stz_tanh(x + 1e-8)); // where the forms meet
}

static void normal(void **state) {
  (void)state;
  for (double x = -9.0; x <= 9.0; x += 0.001) {
    assert_true(fabs(stz_normal_cdf(x) - (double)(0.5L * erfcl(-x / sqrtl(2.0L)))) < 1e-14);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(exponential), cmocka_unit_test(logarithm),
                                     cmocka_unit_test(tangent), cmocka_unit_test(normal)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
