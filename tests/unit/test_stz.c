// SPDX-License-Identifier: GPL-3.0-or-later
//
// Shear modes against their symmetry, rates against the law in double precision with libm, the noise's marginal
// against GSL.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <gsl/gsl_cdf.h>

#include "base/tensor.h"
#include "base/units.h"
#include "rng/rng.h"
#include "stz/law.h"
#include "stz/marginal.h"
#include "stz/modes.h"
#include "stz/rates.h"

static const stz_stz_params PARAMS = {.volume_nm3 = 1.7,
                                      .gamma0 = 0.115,
                                      .activation_fraction = 0.5,
                                      .attempt_frequency_per_s = 1e13,
                                      .attempt_density = STZ_ATTEMPT_VOLUME},
                            COOPERATIVE = {.volume_nm3 = 1.7,
                                           .gamma0 = 0.115,
                                           .attempt_frequency_per_s = 1e13,
                                           .barrier_law = STZ_LAW_COOPERATIVE,
                                           .tau_c_GPa = 2.4};
static stz_modes aligned, turned, slip, slip_turned;
static stz_catalogue fcc; // the 12 slip systems {111}<110>, made here from their definition

static void make_fcc(void) {
  for (int n = 0; n < 4; n++) {
    const int plane[3] = {n == 1 ? -1 : 1, n == 2 ? -1 : 1, n == 3 ? -1 : 1};
    for (int k = 0; k < 3; k++) { // the direction without component k: components i and j cancel in the product
      double *axes = fcc.axes[fcc.count++];
      const int i = (k + 1) % 3, j = (k + 2) % 3;
      axes[i] = plane[j];
      axes[j] = -plane[i];
      for (int c = 0; c < 3; c++) axes[3 + c] = 2.5 * plane[c]; // of any length
    }
  }
}

static int set_up(void **state) {
  (void)state;
  memset(&aligned, 0xff, sizeof aligned); // whatever was there before
  stz_modes_init(&aligned, STZ_ORIENTATION_ALIGNED, 1);
  stz_modes_init(&turned, STZ_ORIENTATION_RANDOM, 1);
  make_fcc();
  slip = aligned;
  slip_turned = turned;
  stz_modes_replace(&slip, &fcc);
  stz_modes_replace(&slip_turned, &fcc);
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

// I - 4 P^2 projects on the axis about which P shears, n3 n3^T: for P = (n1 n2 + n2 n1)/2, 4 P^2 = n1 n1 + n2 n2.
static void third_axis(const double d[5], double projector[3][3]) {
  double s[6];
  stz_sym_from_dev(d, s);
  const double p[3][3] = {
      {s[STZ_XX], s[STZ_XY], s[STZ_XZ]}, {s[STZ_XY], s[STZ_YY], s[STZ_YZ]}, {s[STZ_XZ], s[STZ_YZ], s[STZ_ZZ]}};
  for (int i = 0; i < 9; i++) {
    projector[i / 3][i % 3] = i / 3 == i % 3 ? 1.0 : 0.0;
    for (int k = 0; k < 3; k++) projector[i / 3][i % 3] -= 4.0 * p[i / 3][k] * p[k][i % 3];
  }
}

// The modes belong, three each, to five orthogonal frames (0, 1, 2 and k, k + 4, k + 8 for k = 3 ... 6): the third axes
// of a frame's modes are its own axes. All 15 are distinct, and make the angles of an icosahedron's two-fold axes with
// one another: cos^2 = 0, 1/4, (3 +- sqrt5)/8, each with 2, 4, 4 and 4 of the others.
static void modes_belong_to_five_frames(void **state) {
  (void)state;
  double axis[STZ_MODES][3][3];
  for (int m = 0; m < STZ_MODES; m++) third_axis(aligned.p[m], axis[m]);
  for (int frame = 0; frame < 5; frame++) {
    for (int i = 0; i < 9; i++) {
      double sum = 0.0;
      for (int m = 0; m < 3; m++) sum += axis[frame == 0 ? m : 2 + frame + 4 * m][i / 3][i % 3];
      assert_true(fabs(sum - (i / 3 == i % 3 ? 1.0 : 0.0)) < 1e-14);
    }
  }
  const double squares[4] = {0.0, 0.25, (3.0 - sqrt(5.0)) / 8.0, (3.0 + sqrt(5.0)) / 8.0};
  for (int m = 0; m < STZ_MODES; m++) {
    int found[4] = {0};
    for (int other = 0; other < STZ_MODES; other++) {
      double product = 0.0; // trace of the product of two projectors: cos^2
      for (int i = 0; i < 9; i++) product += axis[m][i / 3][i % 3] * axis[other][i / 3][i % 3];
      for (int k = 0; k < 4; k++) found[k] += fabs(product - squares[k]) < 1e-14;
    }
    assert_true(found[0] == 2 && found[1] == 4 && found[2] == 4 && found[3] == 4);
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

// B of the law, eV.
static double height_of(const stz_stz_params *params, double barrier, double tau) {
  if (params->barrier_law == STZ_LAW_LINEAR) return fmax(0.0, barrier - 0.5 * 0.115 * 1.7 * tau);
  return barrier * pow(fmax(0.0, 1.0 - tau / (2.4 * STZ_GPA)), 1.5);
}

// k = exp(-B/kT) with B = max(0, Q - chi gamma0 Omega tau) or Q max(0, 1 - tau/tau_c)^1.5, mode by mode, from stresses
// of no to a few GPa, at two temperatures; barriers of 0.3 to 2.6 eV. Single precision leaves 3e-5 of a rate: 2e-7 of
// an exponent of up to 150.
static void rates_follow(const stz_stz_params *params, const stz_modes *modes) {
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
    stz_law_set(&law, params, modes, temperature, mean);
    stz_rates_site(&law, modes, s, barrier, rotation, rates);
    for (int m = modes->count; m < STZ_MODES; m++) assert_true(rates[m][0] == 0.0f && rates[m][1] == 0.0f);
    for (int m = 0; m < modes->count; m++) {
      double mean_deviator[5], d[5], tau = 0.0;
      stz_dev_from_sym(mean, mean_deviator);
      stz_modes_deviator(modes, m, rotation, d);
      for (int c = 0; c < 5; c++) tau += d[c] * (mean_deviator[c] + (double)s[c]);
      for (int sign = 0; sign < 2; sign++) {
        const double height = height_of(params, (double)barrier, sign ? -tau : tau), expected = exp(-height / kT);
        clamped += height <= 0.0;
        if (expected < 1e-31) continue; // below 2^-104 rates are cut off, as rates.h says
        assert_true(fabs((double)rates[m][sign] - expected) < 3e-5 * expected);
        compared++;
      }
    }
  }
  assert_true(compared > 3000 && clamped > 20);
}

static void rates_follow_the_law(void **state) {
  (void)state;
  rates_follow(&PARAMS, &turned);
  rates_follow(&COOPERATIVE, &turned);
  rates_follow(&PARAMS, &slip_turned);
  rates_follow(&COOPERATIVE, &slip_turned);
}

// The resolved stress of a slip system is s.S.n: Schmid's law. Of fcc, the sum of P x P is 2 on normal strains along
// the axes, 2/3 on their shears: 12 times the squares of the components of P = (s n + n s)/2, which are
// (1, -1, 0)/sqrt6 and (0, 1, -1)/(2 sqrt6), over 2 and over 3 of them.
static void slip_systems_shear_as_given(void **state) {
  (void)state;
  stz_rng rng = stz_rng_stream(3, STZ_RNG_EVENTS, 0);
  assert_int_equal(slip.count, 12);
  for (int trial = 0; trial < 20; trial++) {
    double tensor[6], stress[5];
    for (int v = 0; v < 6; v++) tensor[v] = stz_rng_normal(&rng);
    stz_dev_from_sym(tensor, stress);
    const double full[3][3] = {{tensor[STZ_XX], tensor[STZ_XY], tensor[STZ_XZ]},
                               {tensor[STZ_XY], tensor[STZ_YY], tensor[STZ_YZ]},
                               {tensor[STZ_XZ], tensor[STZ_YZ], tensor[STZ_ZZ]}};
    for (int m = 0; m < 12; m++) {
      const double *s = fcc.axes[m], *n = s + 3;
      double resolved = 0.0, tau = 0.0;
      for (int i = 0; i < 9; i++) resolved += s[i / 3] * full[i / 3][i % 3] * n[i % 3] / (sqrt(6.0) * 2.5);
      for (int c = 0; c < 5; c++) tau += slip.p[m][c] * stress[c];
      assert_true(fabs(tau - resolved) < 1e-14 * 10.0);
    }
  }
  double least, most;
  stz_modes_isotropy(&slip, &least, &most);
  assert_true(fabs(least - 2.0 / 3.0) < 1e-14 && fabs(most - 2.0) < 1e-14);
  assert_true(fabs(stz_modes_largest_schmid(&slip) - 1.0 / sqrt(6.0)) < 1e-15);
  stz_modes_isotropy(&aligned, &least, &most);
  assert_true(fabs(least - 1.5) < 1e-13 && fabs(most - 1.5) < 1e-13);
  static stz_modes one;
  one = aligned;
  stz_modes_replace(&one, &(stz_catalogue){.count = 1, .axes = {{1, 2, 2, 0, 3, -3}}});
  stz_modes_isotropy(&one, &least, &most);
  assert_true(fabs(least) < 1e-15 && fabs(most - 0.5) < 1e-14);
}

// A rate whose barrier the stress takes away is the attempt rate to the last bit, whatever the excess; at no stress all
// 30 are the same.
static void barriers_end_at_zero(void **state) {
  (void)state;
  const float none[5] = {0};
  float rates[STZ_MODES][2];
  stz_law law;
  for (int k = 0; k < 3; k++) {
    // Mode 0 along a stress of 2 to 10 GPa shear: a work of 0.61 to 3 eV at the saddle.
    double d[5], shear[6];
    for (int c = 0; c < 5; c++) d[c] = aligned.p[0][c] * (4.0 + 8.0 * k) * STZ_GPA;
    stz_sym_from_dev(d, shear);
    stz_law_set(&law, &PARAMS, &aligned, 295.0, shear);
    stz_rates_site(&law, &aligned, none, 0.4f, 0, rates);
    assert_true(rates[0][0] == 1.0f && rates[0][1] < 1e-12f);
  }
  stz_law_set(&law, &PARAMS, &aligned, 295.0, (double[6]){0});
  stz_rates_site(&law, &aligned, none, 0.5f, 0, rates);
  for (int m = 0; m < 2 * STZ_MODES; m++) {
    assert_true(rates[m / 2][m % 2] == rates[0][0]);
    assert_true(fabs((double)rates[m / 2][m % 2] / exp(-0.5 / (STZ_BOLTZMANN * 295.0)) - 1.0) < 2e-5);
  }
}

// A row sums what its sites say to the last bit: first the rates along the stress, mode by mode, then those against it;
// with and without the turn. The net of a row, too, is what its sites say with the table of the modes' P_xx.
static void rows_sum_sites(void **state) {
  (void)state;
  enum { N = 64 };
  stz_rng rng = stz_rng_stream(2, STZ_RNG_EVENTS, 0);
  const double mean[6] = {3.0 * STZ_GPA, 0, 0, 0, 0, 0};
  const stz_modes *const catalogues[] = {&aligned, &turned, &slip, &slip_turned};
  int backward = 0; // sites whose rates against the stress count
  for (int trial = 0; trial < 8; trial++) {
    const int k = trial % 4;
    float stress[5][N], barrier[N], rates[N], site[STZ_MODES][2];
    uint16_t rotation[N];
    for (int z = 0; z < N; z++) {
      float s[5];
      random_stress(&rng, 0.7 * STZ_GPA, s);
      for (int c = 0; c < 5; c++) stress[c][z] = s[c];
      barrier[z] = (float)(z % 7 ? 2.0 + stz_rng_uniform(&rng) : 0.05); // low ones have rates against the stress
      rotation[z] = (uint16_t)(k % 2 ? stz_rng_below(&rng, STZ_ROTATIONS) : 0);
    }
    const float *const rows[5] = {stress[0], stress[1], stress[2], stress[3], stress[4]};
    stz_law law;
    stz_law_set(&law, trial < 4 ? &PARAMS : &COOPERATIVE, catalogues[k], 295.0, mean);
    const double total = stz_rates_sum(&law, catalogues[k], N, rows, barrier, rotation, rates);
    double sum = 0.0, net = 0.0, size = 0.0, axial;
    for (int z = 0; z < N; z++) {
      const float s[5] = {stress[0][z], stress[1][z], stress[2][z], stress[3][z], stress[4][z]};
      float along = 0.0f, against = 0.0f;
      stz_rates_site(&law, catalogues[k], s, barrier[z], rotation[z], site);
      for (int m = 0; m < STZ_MODES; m++) {
        along += fmaxf(site[m][0], site[m][1]);
        against += fminf(site[m][0], site[m][1]);
        net += ((double)site[m][0] - (double)site[m][1]) * catalogues[k]->axial[rotation[z]][m];
        size += ((double)site[m][0] + (double)site[m][1]) * fabs(catalogues[k]->axial[rotation[z]][m]);
      }
      assert_true(rates[z] == along + against);
      backward += against > 1e-3f * along;
      sum += (double)rates[z];
    }
    assert_true(fabs(total - sum) < 1e-14 * sum);
    float again[N];
    assert_true(stz_rates_net(&law, catalogues[k], N, rows, barrier, rotation, NULL, again, &axial) == total);
    assert_memory_equal(again, rates, sizeof again);
    assert_true(size > 0.0 && fabs(axial - net) < 1e-6 * size);
  }
  assert_true(backward > 0);
}

// The net of rates at their floor, the least normal number, keeps its bits: no product of it is subnormal (which would
// also take a processor some hundred cycles, several times the whole loop).
static void net_of_least_rates(void **state) {
  (void)state;
  enum { N = 64 };
  stz_rng rng = stz_rng_stream(3, STZ_RNG_EVENTS, 0);
  float stress[5][N], axis[2][5][N], barrier[N], rates[N];
  uint16_t rotation[N];
  for (int z = 0; z < N; z++) {
    for (int c = 0; c < 5; c++) {
      stress[c][z] = (float)(0.7 * STZ_GPA * stz_rng_normal(&rng));
      axis[0][c][z] = (float)stz_rng_normal(&rng);
      axis[1][c][z] = 0x1p-20f * axis[0][c][z];
    }
    barrier[z] = 9.0f;
    rotation[z] = (uint16_t)stz_rng_below(&rng, STZ_ROTATIONS);
  }
  const float *const rows[5] = {stress[0], stress[1], stress[2], stress[3], stress[4]};
  for (int k = 0; k < 4; k++) {
    const stz_modes *catalogue = k % 2 ? &slip_turned : &turned;
    stz_law law;
    stz_law_set(&law, k < 2 ? &PARAMS : &COOPERATIVE, catalogue, 295.0, (double[6]){0});
    double net[2];
    for (int i = 0; i < 2; i++) {
      const float *const along[5] = {axis[i][0], axis[i][1], axis[i][2], axis[i][3], axis[i][4]};
      (void)stz_rates_net(&law, catalogue, N, rows, barrier, rotation, along, rates, &net[i]);
    }
    assert_true(rates[0] < 1e-36f && fabs(net[0]) > 1e-38);
    assert_true(net[1] == 0x1p-20 * net[0]);
  }
}

// Rates under a ramp, looked at twice: no rate grows faster than exp(growth * time), for 200 ramps and sites at random;
// and somewhere the bound is nearly reached. Clamped rates, which stay, count too.
static void no_rate_outgrows_the_bound(void **state) {
  (void)state;
  stz_rng rng = stz_rng_stream(5, STZ_RNG_EVENTS, 0);
  double nearest = 0.0;
  for (int trial = 0; trial < 200; trial++) {
    double begin[6], rate[6], end[6];
    float s[5], before[STZ_MODES][2], after[STZ_MODES][2];
    for (int v = 0; v < 6; v++) begin[v] = 2.0 * STZ_GPA * stz_rng_normal(&rng);
    for (int v = 0; v < 6; v++) rate[v] = 1.0 * STZ_GPA * stz_rng_normal(&rng);
    random_stress(&rng, 0.7 * STZ_GPA, s);
    const float barrier = (float)(0.5 + stz_rng_uniform(&rng));
    const int rotation = (int)stz_rng_below(&rng, STZ_ROTATIONS);
    const double growth = stz_rate_growth(&PARAMS, 3.0, 295.0, rate), time = 1.0 / growth;
    for (int v = 0; v < 6; v++) end[v] = begin[v] + time * rate[v];
    stz_law law;
    stz_law_set(&law, &PARAMS, &turned, 295.0, begin);
    stz_rates_site(&law, &turned, s, barrier, rotation, before);
    stz_law_set(&law, &PARAMS, &turned, 295.0, end);
    stz_rates_site(&law, &turned, s, barrier, rotation, after);
    for (int m = 0; m < 2 * STZ_MODES; m++) {
      const double old = (double)before[m / 2][m % 2], new = (double)after[m / 2][m % 2];
      if (old < 1e-30) continue; // cut off, see rates.h
      assert_true(new <= old *exp(growth * time) * (1.0 + 4e-5));
      nearest = fmax(nearest, log(new / old));
    }
  }
  assert_true(nearest > 0.9);
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
  const double bound = stz_rate_growth(&PARAMS, 3.0, 295.0, rate);
  assert_true(largest <= bound && largest > 0.7 * bound);
  // For a pure shear the bound is attained by the mode along it: p:rate = rate/2 of the engineering shear.
  assert_true(fabs(stz_rate_growth(&PARAMS, 3.0, 295.0, (double[6]){0, 0, 0, 0, 0, 0.2}) -
                   0.5 * 0.115 * 1.7 * 0.2 / kT) < 1e-12 * bound);
}

// Random stresses move at random rates, and no rate outgrows the bound of its law, over short times and long, by more
// than single precision. Returns the largest part of the bound that a rate used.
static double most_growth(const stz_stz_params *params) {
  stz_rng rng = stz_rng_stream(8, STZ_RNG_EVENTS, 0);
  const float none[5] = {0};
  double nearest = 0.0;
  for (int trial = 0; trial < 3000; trial++) {
    double stress[6], rate[6], later[6];
    for (int v = 0; v < 6; v++) {
      stress[v] = 30.0 * (stz_rng_uniform(&rng) - 0.5);
      rate[v] = stz_rng_uniform(&rng) - 0.5;
    }
    const double T = 250.0 + 500.0 * stz_rng_uniform(&rng), highest = 0.5 + 4.0 * stz_rng_uniform(&rng);
    const float barrier = (float)(highest * (1.0 - 0.3 * (trial % 2) * stz_rng_uniform(&rng)));
    const double growth = stz_rate_growth(params, highest, T, rate);
    stz_law law;
    float before[STZ_MODES][2], after[STZ_MODES][2];
    stz_law_set(&law, params, &turned, T, stress);
    stz_rates_site(&law, &turned, none, barrier, trial % STZ_ROTATIONS, before);
    for (int step = 1; step <= 4; step++) {
      const double t = step / growth;
      for (int v = 0; v < 6; v++) later[v] = stress[v] + rate[v] * t;
      stz_law_set(&law, params, &turned, T, later);
      stz_rates_site(&law, &turned, none, barrier, trial % STZ_ROTATIONS, after);
      for (int m = 0; m < 2 * STZ_MODES; m++) {
        const double b = before[m / 2][m % 2], a = after[m / 2][m % 2];
        if (b == 0.0) continue; // against the stress and too rare
        assert_true(a <= b * exp(growth * t) * 1.001);
        nearest = fmax(nearest, log(a / b) / (growth * t));
      }
    }
  }
  return nearest;
}

static void cooperative_growth_is_bounded(void **state) {
  (void)state;
  const double nearest = most_growth(&COOPERATIVE);
  assert_true(nearest > 0.8 && nearest < 1.001);
}

// Every law of the list, with whatever parameters it has at their defaults: the bound holds, and the rate of a mode is
// that of the barrier which is left under its resolved stress.
static void every_law_keeps_its_word(void **state) {
  (void)state;
  static const stz_barrier_law laws[] = {STZ_BARRIER_LAWS(STZ_LAW_VALUE)};
  for (size_t l = 0; l < sizeof laws / sizeof *laws; l++) {
    stz_stz_params params = COOPERATIVE;
    params.barrier_law = laws[l];
    params.activation_fraction = 0.5;
    assert_true(most_growth(&params) < 1.001);
    const double kT = STZ_BOLTZMANN * 400.0;
    const float none[5] = {0};
    for (int step = 0; step <= 20; step++) {
      const double stress[6] = {0.1 * step * STZ_GPA};
      stz_law law;
      float rates[STZ_MODES][2];
      stz_law_set(&law, &params, &aligned, 400.0, stress);
      stz_rates_site(&law, &aligned, none, 1.2f, 0, rates);
      for (int m = 0; m < STZ_MODES; m++) {
        const double tau = stress[STZ_XX] * aligned.axial[0][m];
        for (int back = 0; back < 2; back++) {
          const double left = stz_barrier_under(&params, (double)1.2f, back ? -tau : tau);
          const double expected = exp(-fmax(0.0, left) / kT);
          assert_true(expected < 1e-37 || fabs((double)rates[m][back] / expected - 1.0) < 1e-4);
        }
      }
    }
  }
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
    const double growth = stz_rate_growth(&PARAMS, 3.0, T, rate) + stz_thermal_growth(T, heating);
    stz_law law;
    float before[STZ_MODES][2], after[STZ_MODES][2];
    stz_law_set(&law, &PARAMS, &turned, T, stress);
    stz_rates_site(&law, &turned, site, barrier, trial % STZ_ROTATIONS, before);
    for (int step = 1; step <= 4; step++) {
      const double t = 0.25 * step / (growth + fabs(heating) / T);
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

// T(x) = Phi^-1(Phi(-c) + Phi(x) (1 - 2 Phi(-c))) by GSL's distribution function and its inverse, on the lower half,
// where they keep their precision; the upper half is its mirror image.
static void marginal_is_a_cut_normal(void **state) {
  (void)state;
  static stz_marginal map;
  for (int k = 0; k < 2; k++) {
    const double cutoff = k ? 1.0 : 2.5, outside = gsl_cdf_ugaussian_P(-cutoff);
    stz_marginal_set(&map, STZ_GAUSSIAN, 0.0, cutoff);
    for (double x = -7.0; x <= 0.0; x += 0.0371) {
      const double expected = gsl_cdf_ugaussian_Pinv(outside + gsl_cdf_ugaussian_P(x) * (1.0 - 2.0 * outside));
      assert_true(fabs(stz_marginal_map(&map, x) - expected) < 1e-7);
      assert_true(fabs(stz_marginal_map(&map, -x) + expected) < 1e-7);
    }
    assert_true(fabs(stz_marginal_map(&map, -9.0) + cutoff) < 1e-6 &&
                fabs(stz_marginal_map(&map, 9.0) - cutoff) < 1e-6);
  }
}

static double normal_cdf(double x) { return 0.5 * erfc(-x / sqrt(2.0)); }

// Uniform between +-sqrt3, or +-c if that is less: T = half (2 Phi - 1). Hermite interpolation leaves 1e-8.
static void marginal_is_uniform(void **state) {
  (void)state;
  static stz_marginal map;
  for (int k = 0; k < 2; k++) {
    const double half = k ? 1.0 : sqrt(3.0);
    stz_marginal_set(&map, STZ_UNIFORM, 0.0, k ? 1.0 : 2.5);
    for (double x = -6.0; x <= 6.0; x += 0.0371) {
      assert_true(fabs(stz_marginal_map(&map, x) - half * erf(x / sqrt(2.0))) < 1e-7);
    }
  }
}

// Weibull: the quantile w = (-ln(1 - F))^(1/k) of the cut law, from libm's functions; uncut, the noise's moments, by
// the trapezoidal rule over the normal density, are 0, 1 and the skewness in gamma functions.
static void marginal_is_weibull(void **state) {
  (void)state;
  static stz_marginal map;
  const double shapes[] = {0.7, 1.0, 2.0, 5.0, 20.0};
  for (int trial = 0; trial < 10; trial++) {
    const double k = shapes[trial / 2], cutoff = trial % 2 ? 1.5 : 8.0;
    const double mean = tgamma(1.0 + 1.0 / k), square = tgamma(1.0 + 2.0 / k), cube = tgamma(1.0 + 3.0 / k);
    const double deviation = sqrt(square - mean * mean);
    const double below = -expm1(-pow(fmax(0.0, mean - cutoff * deviation), k));
    const double above = exp(-pow(mean + cutoff * deviation, k));
    double moments[3] = {0};
    stz_marginal_set(&map, STZ_WEIBULL, k, cutoff);
    for (double x = -7.0; x <= 7.0; x += 0.01) {
      const double t = stz_marginal_map(&map, x), share = 1.0 - above - below;
      const double size = x < 0.0 ? -log1p(-below - share * normal_cdf(x)) : -log(above + share * normal_cdf(-x));
      const double expected = (pow(size, 1.0 / k) - mean) / deviation;
      if (fabs(x) < 6.0) assert_true(fabs(t - expected) < 1e-6 * fmax(1.0, fabs(expected)));
      assert_true(fabs(t) < cutoff * (1.0 + 1e-6));
      for (int n = 0; n < 3; n++) moments[n] += 0.01 * pow(t, n + 1.0) * exp(-0.5 * x * x) / sqrt(2.0 * acos(-1.0));
    }
    if (cutoff < 8.0 || k < 2.0 || k > 5.0) continue; // even 8 deviations are a cut that counts
    const double skewness = (cube - 3.0 * mean * square + 2.0 * mean * mean * mean) / pow(deviation, 3.0);
    assert_true(fabs(moments[0]) < 1e-6 && fabs(moments[1] - 1.0) < 1e-6);
    assert_true(fabs(moments[2] - skewness) < 1e-5);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(modes_are_isotropic),
      cmocka_unit_test(modes_belong_to_five_frames),
      cmocka_unit_test(largest_schmid_factor),
      cmocka_unit_test(rotations_are_uniform),
      cmocka_unit_test(rates_follow_the_law),
      cmocka_unit_test(barriers_end_at_zero),
      cmocka_unit_test(slip_systems_shear_as_given),
      cmocka_unit_test(rows_sum_sites),
      cmocka_unit_test(net_of_least_rates),
      cmocka_unit_test(no_rate_outgrows_the_bound),
      cmocka_unit_test(growth_is_bounded),
      cmocka_unit_test(thermal_growth_is_bounded),
      cmocka_unit_test(attempt_rates),
      cmocka_unit_test(marginal_is_a_cut_normal),
      cmocka_unit_test(cooperative_growth_is_bounded),
      cmocka_unit_test(every_law_keeps_its_word),
      cmocka_unit_test(marginal_is_uniform),
      cmocka_unit_test(marginal_is_weibull),
  };
  return cmocka_run_group_tests(tests, set_up, NULL);
}
