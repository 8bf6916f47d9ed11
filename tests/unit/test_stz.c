// SPDX-License-Identifier: GPL-3.0-or-later
//
// Shear modes against their symmetry, rates against the law in double precision with libm, the noise's marginal
// against its definition.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/tensor.h"
#include "base/units.h"
#include "rng/rng.h"
#include "stz/marginal.h"
#include "stz/modes.h"
#include "stz/rates.h"

static const stz_stz_params PARAMS = {.volume_nm3 = 1.7,
                                      .gamma0 = 0.115,
                                      .activation_fraction = 0.5,
                                      .attempt_frequency_per_s = 1e13,
                                      .attempt_density = STZ_ATTEMPT_VOLUME};
static stz_modes aligned, turned;

static int set_up(void **state) {
  (void)state;
  stz_modes_init(&aligned, STZ_ORIENTATION_ALIGNED, 1);
  stz_modes_init(&turned, STZ_ORIENTATION_RANDOM, 1);
  return 0;
}

// Sum over the 15 modes of p p^T = 3/2, in any orientation; and each is a simple shear: |p|^2 = 1/2, det P = 0.
static void modes_are_isotropic(void **state) {
  (void)state;
  for (int rotation = 0; rotation < STZ_ROTATIONS; rotation += 37) {
    double sum[5][5] = {{0}};
    for (int m = 0; m < STZ_MODES; m++) {
      double d[5], s[6];
      stz_modes_deviator(&turned, m, rotation, d);
      stz_sym_from_dev(d, s);
      for (int i = 0; i < 25; i++) sum[i / 5][i % 5] += d[i / 5] * d[i % 5];
      const double determinant =
          s[0] * (s[1] * s[2] - s[3] * s[3]) - s[5] * (s[5] * s[2] - s[3] * s[4]) + s[4] * (s[5] * s[3] - s[1] * s[4]);
      assert_true(fabs(stz_sym_dot(s, s) - 0.5) < 1e-14);
      assert_true(fabs(determinant) < 1e-15);
    }
    for (int i = 0; i < 25; i++) assert_true(fabs(sum[i / 5][i % 5] - (i / 5 == i % 5 ? 1.5 : 0.0)) < 1e-13);
  }
}

// The largest Schmid factor along a two-fold axis of the icosahedron is (1 + sqrt5)/8.
static void largest_schmid_factor(void **state) {
  (void)state;
  assert_true(fabs(stz_modes_largest_schmid(&aligned) - (1.0 + sqrt(5.0)) / 8.0) < 1e-15);
  double largest = 0.0;
  for (int i = 0; i < STZ_ROTATIONS * STZ_MODES; i++) {
    double d[5], s[6];
    stz_modes_deviator(&turned, i % STZ_MODES, i / STZ_MODES, d);
    stz_sym_from_dev(d, s);
    largest = fmax(largest, fabs(s[STZ_XX]));
  }
  assert_true(largest <= 0.5 && largest > 0.4999); // 512 x 15 random shears come within 1e-4 of the bound 1/2
  assert_true(stz_modes_largest_schmid(&turned) == 0.5);
}

// Rotations of the table are uniform: the 25 entries of their 5 x 5 matrices average to 0 and their squares to 1/5
// (Schur). Standard errors: sqrt(1/5/512) = 0.020 and below 0.3/sqrt(512) = 0.013; 5 of them: one alarm in 30,000
// seeds.
static void rotations_are_uniform(void **state) {
  (void)state;
  for (int entry = 0; entry < 25; entry++) {
    double mean = 0.0, square = 0.0;
    for (int i = 0; i < STZ_ROTATIONS; i++) {
      mean += turned.turn[i][entry] / STZ_ROTATIONS;
      square += turned.turn[i][entry] * turned.turn[i][entry] / STZ_ROTATIONS;
    }
    assert_true(fabs(mean) < 0.10);
    assert_true(fabs(square - 0.2) < 0.065);
  }
}

static void random_stress(stz_rng *rng, double size, float s[5]) {
  for (int c = 0; c < 5; c++) s[c] = (float)(size * stz_rng_normal(rng));
}

// k = exp(-max(0, Q -+ chi gamma0 Omega tau)/kT), mode by mode, from stresses of no to a few GPa, at two temperatures;
// barriers of 0.3 to 2.6 eV. Single precision leaves 2e-5 of a rate: 1e-7 of an exponent of up to 150.
static void rates_follow_the_law(void **state) {
  (void)state;
  stz_rng rng = stz_rng_stream(1, STZ_RNG_EVENTS, 0);
  const double mean[6] = {1.9 * STZ_GPA, 0.1, -0.3, 0.2, 0.0, 0.4};
  int clamped = 0, compared = 0;
  for (int trial = 0; trial < 400; trial++) {
    const double temperature = trial % 2 ? 295.0 : 600.0, kT = STZ_BOLTZMANN * temperature;
    const float barrier = (float)(0.3 + 2.3 * stz_rng_uniform(&rng));
    const int rotation = (int)stz_rng_below(&rng, STZ_ROTATIONS);
    float s[5], rates[STZ_MODES][2];
    stz_law law;
    random_stress(&rng, 1.0 * STZ_GPA, s);
    stz_law_set(&law, &PARAMS, &turned, temperature, mean);
    stz_rates_site(&law, &turned, s, barrier, rotation, rates);
    for (int m = 0; m < STZ_MODES; m++) {
      double mean_deviator[5], d[5], tau = 0.0;
      stz_dev_from_sym(mean, mean_deviator);
      stz_modes_deviator(&turned, m, rotation, d);
      for (int c = 0; c < 5; c++) tau += d[c] * (mean_deviator[c] + (double)s[c]);
      for (int sign = 0; sign < 2; sign++) {
        const double work = 0.5 * 0.115 * 1.7 * (sign ? -tau : tau), height = (double)barrier - work;
        const double expected = exp(-fmax(0.0, height) / kT);
        clamped += height <= 0.0;
        if (expected < 1e-31) continue; // below 2^-104 rates are cut off, as rates.h says
        assert_true(fabs((double)rates[m][sign] - expected) < 2e-5 * expected);
        compared++;
      }
    }
  }
  assert_true(compared > 3000 && clamped > 20);
}

// A row sums what its sites say, in any orientation, with and without the turn; the same bits for a site anywhere in
// it.
static void rows_sum_sites(void **state) {
  (void)state;
  enum { N = 64 };
  stz_rng rng = stz_rng_stream(2, STZ_RNG_EVENTS, 0);
  const double mean[6] = {3.0 * STZ_GPA, 0, 0, 0, 0, 0};
  const stz_modes *const catalogues[] = {&aligned, &turned};
  for (int k = 0; k < 2; k++) {
    float stress[5][N], barrier[N], rates[N], site[STZ_MODES][2];
    uint16_t rotation[N];
    for (int z = 0; z < N; z++) {
      float s[5];
      random_stress(&rng, 0.7 * STZ_GPA, s);
      for (int c = 0; c < 5; c++) stress[c][z] = s[c];
      barrier[z] = (float)(z % 7 ? 2.0 + stz_rng_uniform(&rng) : 0.05); // low ones have rates against the stress
      rotation[z] = (uint16_t)(k ? stz_rng_below(&rng, STZ_ROTATIONS) : 0);
    }
    const float *const rows[5] = {stress[0], stress[1], stress[2], stress[3], stress[4]};
    stz_law law;
    stz_law_set(&law, &PARAMS, catalogues[k], 295.0, mean);
    const double total = stz_rates_sum(&law, catalogues[k], N, rows, barrier, rotation, rates);
    double sum = 0.0;
    for (int z = 0; z < N; z++) {
      double of_site = 0.0;
      const float s[5] = {stress[0][z], stress[1][z], stress[2][z], stress[3][z], stress[4][z]};
      stz_rates_site(&law, catalogues[k], s, barrier[z], rotation[z], site);
      for (int m = 0; m < 2 * STZ_MODES; m++) of_site += (double)site[m / 2][m % 2];
      assert_true(fabs((double)rates[z] - of_site) < 2e-6 * of_site);
      sum += of_site;
    }
    assert_true(fabs(total - sum) < 2e-6 * sum);
  }
}

// The bound of the growth is that of the best oriented mode, and no mode exceeds it.
static void growth_is_bounded(void **state) {
  (void)state;
  const double rate[6] = {0.3, -0.1, 0.05, 0.02, -0.11, 0.2}, kT = STZ_BOLTZMANN * 295.0;
  double largest = 0.0;
  for (int i = 0; i < STZ_ROTATIONS * STZ_MODES; i++) {
    double d[5], p[6];
    stz_modes_deviator(&turned, i % STZ_MODES, i / STZ_MODES, d);
    stz_sym_from_dev(d, p);
    largest = fmax(largest, 0.5 * 0.115 * 1.7 * fabs(stz_sym_dot(p, rate)) / kT);
  }
  const double bound = stz_rate_growth(&PARAMS, 295.0, rate);
  assert_true(largest <= bound && largest > 0.7 * bound);
  // For a pure shear the bound is attained by the mode along it: p:rate = rate/2 of the engineering shear.
  assert_true(fabs(stz_rate_growth(&PARAMS, 295.0, (double[6]){0, 0, 0, 0, 0, 0.2}) - 0.5 * 0.115 * 1.7 * 0.2 / kT) <
              1e-12 * bound);
}

// Under stress and temperature that move, no rate outgrows the bound within its window; some come near it when heated
// (those at the smallest rate, x = 87.3) or under stress alone.
static void thermal_growth_is_bounded(void **state) {
  (void)state;
  stz_rng rng = stz_rng_stream(6, STZ_RNG_EVENTS, 0);
  double nearest = 0.0;
  for (int trial = 0; trial < 3000; trial++) {
    const double T = 250.0 + 500.0 * stz_rng_uniform(&rng), way = stz_rng_uniform(&rng) < 0.5 ? -1.0 : 1.0;
    const double heating = way * pow(10.0, 4.0 * stz_rng_uniform(&rng) - 4.0);
    const float site[5] = {0}, barrier = (float)(0.2 + 4.8 * stz_rng_uniform(&rng));
    double stress[6], rate[6], later[6];
    for (int v = 0; v < 6; v++) {
      stress[v] = 20.0 * (stz_rng_uniform(&rng) - 0.5);
      rate[v] = trial % 3 ? stz_rng_uniform(&rng) - 0.5 : 0.0;
    }
    const double growth = stz_rate_growth(&PARAMS, T, rate) + stz_thermal_growth(T, heating);
    stz_law law;
    float before[STZ_MODES][2], after[STZ_MODES][2];
    stz_law_set(&law, &PARAMS, &turned, T, stress);
    stz_rates_site(&law, &turned, site, barrier, trial % STZ_ROTATIONS, before);
    for (int step = 1; step <= 4; step++) {
      const double t = 0.25 * step / growth;
      for (int v = 0; v < 6; v++) later[v] = stress[v] + rate[v] * t;
      if (T + heating * t < 1.0) break; // the coldest that a run may be
      stz_law_set(&law, &PARAMS, &turned, T + heating * t, later);
      stz_rates_site(&law, &turned, site, barrier, trial % STZ_ROTATIONS, after);
      for (int m = 0; m < 2 * STZ_MODES; m++) {
        const double b = before[m / 2][m % 2], a = after[m / 2][m % 2];
        if (b == 0.0) continue; // against the stress and too rare
        assert_true(a <= b * exp(growth * t) * 1.001);
        if (heating > 0.0) nearest = fmax(nearest, log(a / b) / (growth * t));
      }
    }
  }
  assert_true(nearest > 0.8);
}

static void attempt_rates(void **state) {
  (void)state;
  stz_stz_params voxel = PARAMS;
  voxel.attempt_density = STZ_ATTEMPT_VOXEL;
  assert_true(fabs(stz_attempt_rate(&PARAMS, 0.58) - 1e13 * 0.58 * 0.58 * 0.58 / 1.7) < 1e-3);
  assert_true(stz_attempt_rate(&voxel, 0.58) == 1e13);
}

// T(x) solves Phi(T) = Phi(-c) + Phi(x) (1 - 2 Phi(-c)): put back into that equation with libm.
static void marginal_is_a_cut_normal(void **state) {
  (void)state;
  static stz_marginal map;
  for (int k = 0; k < 2; k++) {
    const double cutoff = k ? 1.0 : 2.5, outside = 0.5 * erfc(cutoff / sqrt(2.0));
    stz_marginal_cut_normal(&map, cutoff);
    for (double x = -4.0; x <= 4.0; x += 0.0371) {
      const double t = stz_marginal_map(&map, x), phi = 0.5 * erfc(-x / sqrt(2.0));
      assert_true(fabs(t) <= cutoff);
      assert_true(fabs(0.5 * erfc(-t / sqrt(2.0)) - (outside + phi * (1.0 - 2.0 * outside))) < 1e-7);
    }
    assert_true(fabs(stz_marginal_map(&map, -9.0) + cutoff) < 1e-6 &&
                fabs(stz_marginal_map(&map, 9.0) - cutoff) < 1e-6);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(modes_are_isotropic),
      cmocka_unit_test(largest_schmid_factor),
      cmocka_unit_test(rotations_are_uniform),
      cmocka_unit_test(rates_follow_the_law),
      cmocka_unit_test(rows_sum_sites),
      cmocka_unit_test(growth_is_bounded),
      cmocka_unit_test(thermal_growth_is_bounded),
      cmocka_unit_test(attempt_rates),
      cmocka_unit_test(marginal_is_a_cut_normal),
  };
  return cmocka_run_group_tests(tests, set_up, NULL);
}
