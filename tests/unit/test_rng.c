// SPDX-License-Identifier: GPL-3.0-or-later
//
// PCG64 DXSM against numpy's, bit for bit (tests/data/pcg_vectors.txt), and the distributions against their moments.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mathfn.h"
#include "rng/rng.h"

static stz_uint128 hex(const char *text) {
  stz_uint128 value = 0;
  for (; *text; text++) value = value << 4 | (stz_uint128)(*text <= '9' ? *text - '0' : *text - 'a' + 10);
  return value;
}

static stz_uint128 word(void) { return hex(strtok(NULL, " \n")); }

static void check_first8(stz_rng *rng) {
  for (int i = 0; i < 8; i++) assert_true(stz_rng_next(rng) == (uint64_t)word());
}

static void vectors(void **state) {
  (void)state;
  FILE *file = fopen(STZ_TEST_DATA "/pcg_vectors.txt", "r");
  assert_non_null(file);
  char line[1024];
  int raw = 0, seeded = 0;
  while (fgets(line, sizeof line, file)) {
    const char *kind = strtok(line, " \n");
    if (!strcmp(kind, "raw")) {
      stz_rng rng = {.state = word(), .increment = 0};
      rng.increment = word();
      stz_rng far = rng;
      check_first8(&rng);
      stz_rng_advance(&far, 1000000);
      assert_true(stz_rng_next(&far) == (uint64_t)word());
      raw++;
    } else if (!strcmp(kind, "seeded")) {
      uint32_t words[2][8];
      int counts[2];
      for (int part = 0; part < 2; part++) {
        counts[part] = atoi(strtok(NULL, " "));
        for (int i = 0; i < counts[part]; i++) words[part][i] = (uint32_t)word();
      }
      stz_rng rng = stz_rng_from_entropy(words[0], counts[0], words[1], counts[1]);
      assert_true(rng.state == word());
      assert_true(rng.increment == word());
      check_first8(&rng);
      seeded++;
    }
  }
  fclose(file);
  assert_int_equal(raw, 6);
  assert_int_equal(seeded, 13);
}

static void streams_are_seed_sequences(void **state) {
  (void)state;
  const uint32_t entropy[] = {42}, key[] = {STZ_RNG_NOISE, 0, 2}, three[] = {STZ_RNG_LOSS, 5, 6, 7};
  stz_rng a = stz_rng_stream(42, STZ_RNG_NOISE, (uint64_t)2 << 32), b = stz_rng_from_entropy(entropy, 1, key, 3);
  assert_true(a.state == b.state && a.increment == b.increment);
  a = stz_rng_stream2(42, STZ_RNG_LOSS, 5, 6);
  b = stz_rng_from_entropy(entropy, 1, three, 3);
  assert_true(a.state == b.state && a.increment == b.increment);
  a = stz_rng_stream3(42, STZ_RNG_LOSS, 5, 6, 7);
  b = stz_rng_from_entropy(entropy, 1, three, 4);
  assert_true(a.state == b.state && a.increment == b.increment);
}

static int by_value(const void *a, const void *b) {
  const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

static void streams_differ(void **state) {
  (void)state;
  enum { INDICES = 20000 };
  static uint64_t first[STZ_RNG_QUENCHED * INDICES];
  size_t n = 0;
  for (int purpose = STZ_RNG_EVENTS; purpose <= STZ_RNG_QUENCHED; purpose++) {
    for (uint64_t i = 0; i < INDICES; i++) {
      stz_rng rng = stz_rng_stream(7, (stz_purpose)purpose, i);
      first[n++] = stz_rng_next(&rng);
    }
  }
  qsort(first, n, sizeof *first, by_value);
  for (size_t i = 1; i < n; i++) assert_true(first[i] != first[i - 1]); // chance of any equal pair: 1e-9
}

static void advance_back(void **state) {
  (void)state;
  stz_rng rng = stz_rng_stream(1, STZ_RNG_EVENTS, 0);
  const uint64_t first = stz_rng_next(&rng);
  for (int i = 0; i < 9; i++) (void)stz_rng_next(&rng);
  stz_rng_advance(&rng, (stz_uint128)0 - 10);
  assert_true(stz_rng_next(&rng) == first);
}

// Means and variances of n = 1e6 draws within 5 standard errors: false-alarm rate 6e-7 a check, on a fixed seed.
static void distributions(void **state) {
  (void)state;
  enum { N = 1000000 };
  double sum[4] = {0}, square[4] = {0};
  const double mean[4] = {0.5, 1.0, 0.0, 3.7}, variance[4] = {1.0 / 12, 1.0, 1.0, 3.7};
  const double fourth[4] = {1.0 / 80, 9.0, 3.0, 3.7 + 3 * 3.7 * 3.7}; // central fourth moments
  stz_rng rng = stz_rng_stream(3, STZ_RNG_EVENTS, 0);
  for (int i = 0; i < N; i++) {
    const double draw[4] = {stz_rng_uniform(&rng), stz_rng_exponential(&rng), stz_rng_normal(&rng),
                            (double)stz_rng_poisson(&rng, 3.7)};
    for (int k = 0; k < 4; k++) {
      sum[k] += draw[k];
      square[k] += (draw[k] - mean[k]) * (draw[k] - mean[k]);
    }
  }
  for (int k = 0; k < 4; k++) {
    assert_true(fabs(sum[k] / N - mean[k]) < 5 * sqrt(variance[k] / N));
    assert_true(fabs(square[k] / N - variance[k]) < 5 * sqrt((fourth[k] - variance[k] * variance[k]) / N));
  }
  int counts[7] = {0};
  for (int i = 0; i < 70000; i++) counts[stz_rng_below(&rng, 7)]++;
  for (int k = 0; k < 7; k++) assert_true(abs(counts[k] - 10000) < 500);
}

static void elementary_functions(void **state) {
  (void)state;
  for (int i = -70000; i <= 70000; i++) {
    const double x = i * 0.01;
    assert_true(fabs(stz_exp(x) - exp(x)) <= 4e-16 * exp(x));
    const double y = exp(0.00987 * i);
    assert_true(fabs(stz_ln(y) - log(y)) <= 4e-16 * fmax(1.0, fabs(log(y))));
    const double z = i * 1.1e-4;
    assert_true(fabs(stz_normal_cdf(z) - 0.5 * erfc(-z / sqrt(2.0))) < 1e-14);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(vectors),        cmocka_unit_test(streams_are_seed_sequences),
      cmocka_unit_test(streams_differ), cmocka_unit_test(advance_back),
      cmocka_unit_test(distributions),  cmocka_unit_test(elementary_functions),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
