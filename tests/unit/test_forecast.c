// SPDX-License-Identifier: GPL-3.0-or-later
//
// The time left, of works whose end is known.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/forecast.h"

// At every tenth of a second of a work that takes 100 s evenly.
static void even(void **state) {
  (void)state;
  stz_forecast f = {0};
  for (int i = 0; i <= 1000; i++) {
    const double left = stz_forecast_left(&f, 0.1 * i, 1e-3 * i);
    assert_true(i < 20 ? isnan(left) : i < 23 || fabs(left - (100.0 - 0.1 * i)) < 1e-6);
  }
}

// A tenth as fast after half of the work, at 100 s: known after a quarter of the time once more.
static void slower(void **state) {
  (void)state;
  stz_forecast f = {0};
  for (int i = 0; i <= 11000; i++) {
    const double wall = 0.1 * i, share = wall < 100.0 ? 0.005 * wall : 0.5 + 0.0005 * (wall - 100.0);
    const double left = stz_forecast_left(&f, wall, share);
    if (wall > 135.0) assert_true(fabs(left - (1100.0 - wall)) < 1e-6 * 1100.0);
  }
}

static void unknown(void **state) {
  (void)state;
  stz_forecast f = {0};
  for (int i = 0; i < 1000; i++) assert_true(isnan(stz_forecast_left(&f, 0.1 * i, 0.3))); // it stands still
  stz_forecast g = {0};
  assert_true(isnan(stz_forecast_left(&g, 0.0, 0.0)));
  assert_true(isnan(stz_forecast_left(&g, 10.0, 1e-12))); // ages
}

static void words(void **state) {
  (void)state;
  const struct {
    double left;
    const char *text;
  } cases[] = {{NAN, "time left unknown"}, {0.2, "0 s left"},          {59.4, "59 s left"},
               {59.6, "1 min left"},       {720.0, "12 min left"},     {12000.0, "3 h 20 min left"},
               {432000.0, "5 d left"},     {5970.0, "1 h 40 min left"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char text[STZ_FORECAST_TEXT];
    stz_forecast_text(cases[i].left, text);
    assert_string_equal(text, cases[i].text);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(even), cmocka_unit_test(slower), cmocka_unit_test(unknown),
                                     cmocka_unit_test(words)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
