// SPDX-License-Identifier: GPL-3.0-or-later
//
// Barriers that depend on normal stress: rates against the law written out with whole tensors in double precision,
// tension against compression, the bound of their growth.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/tensor.h"
#include "base/units.h"
#include "rng/rng.h"
#include "stz/law.h"
#include "stz/modes.h"
#include "stz/rates.h"

static const double KELVIN = 400.0;
static stz_modes aligned, turned, slip_turned;
static const stz_catalogue SLIP = {.count = 3,
                                   .axes = {{1, 1, 0, 1, -1, 0}, {0, 1, 2, 3, 2, -1}, {1, 1, 1, 2, -1, -1}}};

static int set_up(void **state) {
  (void)state;
  stz_modes_init(&aligned, STZ_ORIENTATION_ALIGNED, 1);
  stz_modes_init(&turned, STZ_ORIENTATION_RANDOM, 1);
  slip_turned = turned;
  stz_modes_replace(&slip_turned, &SLIP);
  return 0;
}

static stz_stz_params params_of(stz_barrier_law law, double alpha, stz_normal_stress kind) {
  return (stz_stz_params){.volume_nm3 = 1.7,
                          .gamma0 = 0.115,
                          .activation_fraction = 0.5,
                          .barrier_law = law,
                          .tau_c_GPa = 2.4,
                          .normal_coefficient = alpha,
                          .normal_stress = kind};
}

// A[i][k] = sum over j of B[i][j] C[j][k].
static void multiply(const double b[9], const double c[9], double a[9]) {
  for (int i = 0; i < 9; i++) {
    a[i] = 0.0;
    for (int j = 0; j < 3; j++) a[i] += b[i / 3 * 3 + j] * c[3 * j + i % 3];
  }
}

static void square_of(const double d[5], double third, double a[9]) {
  double s[6];
  stz_sym_from_dev(d, s);
  const double all[9] = {s[STZ_XX], s[STZ_XY], s[STZ_XZ], s[STZ_XY], s[STZ_YY],
                         s[STZ_YZ], s[STZ_XZ], s[STZ_YZ], s[STZ_ZZ]};
  for (int i = 0; i < 9; i++) a[i] = all[i] + (i % 4 == 0 ? third : 0.0);
}

// n n of each mode is a projection on one axis, and the mode has no normal strain there: n is one of its two planes.
static void normals_are_those_of_planes(void **state) {
  (void)state;
  const stz_modes *const catalogues[] = {&aligned, &slip_turned};
  for (int k = 0; k < 2; k++) {
    for (int m = 0; m < catalogues[k]->count; m++) {
      double n[9], nn[9], p[9], pn[9], npn[9], pnp[9];
      square_of(catalogues[k]->normal[m], 1.0 / 3.0, n);
      square_of(catalogues[k]->p[m], 0.0, p);
      multiply(n, n, nn);
      multiply(p, n, pn);
      multiply(n, pn, npn);
      multiply(pn, p, pnp);
      for (int i = 0; i < 9; i++) assert_true(fabs(nn[i] - n[i]) < 1e-14 && fabs(npn[i]) < 1e-14);
      assert_true(fabs(pnp[0] + pnp[4] + pnp[8] - 0.25) < 1e-14);
    }
  }
  // Of a catalogue that was given, the second vector is the normal.
  double n[9];
  square_of(slip_turned.normal[1], 1.0 / 3.0, n);
  const double given[3] = {3, 2, -1};
  for (int i = 0; i < 9; i++) assert_true(fabs(n[i] - given[i / 3] * given[i % 3] / 14.0) < 1e-14);
}

// B(tau, sigma_n) with whole tensors: `mean` and the deviator `s` in the lattice's axes, the mode's vectors turned
// there by the transpose of the grain's rotation.
static double twin_exponent(const stz_stz_params *params, const stz_modes *modes, int rotation, const double axes[6],
                            const double mean[6], const float s[5], double barrier, double sign) {
  double d[5], fluctuation[6], v[6], sn[2] = {0}, length[2] = {0};
  for (int c = 0; c < 5; c++) d[c] = (double)s[c];
  stz_sym_from_dev(d, fluctuation);
  for (int i = 0; i < 6; i++) {
    v[i] = 0.0;
    for (int j = 0; j < 3; j++) v[i] += modes->rotation[rotation][3 * j + i % 3] * axes[i / 3 * 3 + j];
    length[i / 3] += v[i] * v[i];
  }
  static const int at[9] = {STZ_XX, STZ_XY, STZ_XZ, STZ_XY, STZ_YY, STZ_YZ, STZ_XZ, STZ_YZ, STZ_ZZ};
  for (int i = 0; i < 9; i++) {
    const double stress = mean[at[i]] + fluctuation[at[i]];
    sn[0] += v[i / 3] * stress * v[3 + i % 3] / sqrt(length[0] * length[1]);
    sn[1] += v[3 + i / 3] * stress * v[3 + i % 3] / length[1];
  }
  const double pressure = (mean[0] + mean[1] + mean[2]) / 3.0;
  const double normal = params->normal_stress == STZ_NORMAL_STRESS_PLANE ? sn[1] : pressure;
  const double x = sign * sn[0] + params->normal_coefficient * normal;
  const double left = params->barrier_law == STZ_LAW_LINEAR ? barrier - 0.5 * 0.115 * 1.7 * x
                                                            : barrier * pow(fmax(0.0, 1.0 - x / (2.4 * STZ_GPA)), 1.5);
  return fmax(0.0, left) / (STZ_BOLTZMANN * KELVIN);
}

static void rates_follow_the_law(void **state) {
  (void)state;
  stz_rng rng = stz_rng_stream(21, STZ_RNG_EVENTS, 0);
  int compared[2] = {0};
  for (int trial = 0; trial < 600; trial++) {
    const stz_stz_params params = params_of(trial % 2 ? STZ_LAW_COOPERATIVE : STZ_LAW_LINEAR,
                                            trial / 2 % 2 ? 0.35 : -0.2, (stz_normal_stress)(trial / 4 % 2));
    const float barrier = (float)(0.1 + 1.5 * stz_rng_uniform(&rng));
    const int rotation = (int)stz_rng_below(&rng, STZ_ROTATIONS);
    double mean[6];
    float s[5], rates[STZ_MODES][2];
    stz_law law;
    for (int v = 0; v < 6; v++) mean[v] = 1.0 * STZ_GPA * stz_rng_normal(&rng);
    for (int c = 0; c < 5; c++) s[c] = (float)(0.5 * STZ_GPA * stz_rng_normal(&rng));
    stz_law_set(&law, &params, &slip_turned, KELVIN, mean);
    stz_rates_site(&law, &slip_turned, s, barrier, rotation, rates);
    for (int m = 0; m < SLIP.count; m++) {
      for (int back = 0; back < 2; back++) {
        const double exponent =
            twin_exponent(&params, &slip_turned, rotation, SLIP.axes[m], mean, s, (double)barrier, back ? -1.0 : 1.0);
        if (exponent > 70.0) continue; // cut off
        assert_true(fabs((double)rates[m][back] * exp(exponent) - 1.0) < 5e-5);
        compared[back]++;
      }
    }
  }
  assert_true(compared[0] > 500 && compared[1] > 500);
}

// The rates of many sites have the bits of those of one site.
static void many_sites_as_one(void **state) {
  (void)state;
  enum { N = 64 };
  stz_rng rng = stz_rng_stream(22, STZ_RNG_EVENTS, 0);
  int against = 0;
  for (int trial = 0; trial < 16; trial++) {
    const stz_modes *modes = trial % 2 ? &turned : &slip_turned;
    const stz_stz_params params =
        params_of(trial / 2 % 2 ? STZ_LAW_COOPERATIVE : STZ_LAW_LINEAR, 0.3, (stz_normal_stress)(trial / 4 % 2));
    const double mean[6] = {2.5 * STZ_GPA, -1.0, 0.5};
    float stress[5][N], barrier[N], rates[N], again[N], site[STZ_MODES][2];
    uint16_t rotation[N];
    for (int z = 0; z < N; z++) {
      for (int c = 0; c < 5; c++) stress[c][z] = (float)(0.7 * STZ_GPA * stz_rng_normal(&rng));
      barrier[z] = (float)(trial < 8 ? 2.0 + stz_rng_uniform(&rng) : 0.1 + 2.0 * stz_rng_uniform(&rng));
      rotation[z] = (uint16_t)stz_rng_below(&rng, STZ_ROTATIONS);
    }
    const float *const rows[5] = {stress[0], stress[1], stress[2], stress[3], stress[4]};
    stz_law law;
    stz_law_set(&law, &params, modes, KELVIN, mean);
    const double total = stz_rates_sum(&law, modes, N, rows, barrier, rotation, rates);
    double net = 0.0, size = 0.0, axial;
    for (int z = 0; z < N; z++) {
      const float s[5] = {stress[0][z], stress[1][z], stress[2][z], stress[3][z], stress[4][z]};
      float along = 0.0f, back = 0.0f;
      double d[5], resolved[5], own[5];
      stz_rates_site(&law, modes, s, barrier[z], rotation[z], site);
      stz_dev_from_sym(mean, resolved);
      for (int c = 0; c < 5; c++) d[c] = resolved[c] + (double)s[c];
      for (int m = 0; m < modes->count; m++) {
        double tau = 0.0;
        stz_modes_deviator(modes, m, rotation[z], own);
        for (int c = 0; c < 5; c++) tau += own[c] * d[c];
        along += site[m][tau < 0.0];
        back += site[m][!(tau < 0.0)];
        net += ((double)site[m][0] - (double)site[m][1]) * modes->axial[rotation[z]][m];
        size += ((double)site[m][0] + (double)site[m][1]) * fabs(modes->axial[rotation[z]][m]);
      }
      assert_true(rates[z] == along + back);
      against += back > 1e-6f * along;
    }
    assert_true(stz_rates_net(&law, modes, N, rows, barrier, rotation, NULL, again, &axial) == total);
    assert_memory_equal(again, rates, sizeof again);
    assert_true(fabs(axial - net) < 1e-6 * size);
  }
  assert_true(against > 0);
}

// Modes at 45 degrees to the axis: tension s and compression of (1 + alpha)/(1 - alpha) s give the same rate; under
// pressure, as a third of the axial stress and not half of it counts, (1 + 2/3 alpha)/(1 - 2/3 alpha) s.
static void compression_is_stronger(void **state) {
  (void)state;
  static const stz_catalogue one = {.count = 1, .axes = {{1, 1, 0, 1, -1, 0}}};
  stz_modes modes = aligned;
  stz_modes_replace(&modes, &one);
  for (int i = 0; i < 8; i++) {
    const double alpha = 0.1 * (i / 2 + 1), share = i % 2 ? alpha * 2.0 / 3.0 : alpha;
    const stz_stz_params params = params_of(STZ_LAW_LINEAR, alpha, (stz_normal_stress)(i % 2));
    const double pulled[6] = {2.0 * STZ_GPA}, pressed[6] = {-2.0 * STZ_GPA * (1.0 + share) / (1.0 - share)};
    const float none[5] = {0};
    float tension[STZ_MODES][2], compression[STZ_MODES][2];
    stz_law law;
    stz_law_set(&law, &params, &modes, KELVIN, pulled);
    stz_rates_site(&law, &modes, none, 1.5f, 0, tension);
    stz_law_set(&law, &params, &modes, KELVIN, pressed);
    stz_rates_site(&law, &modes, none, 1.5f, 0, compression);
    assert_true(fabs((double)tension[0][0] / (double)compression[0][1] - 1.0) < 2e-5);
    const double plain = exp(-(1.5 - 0.5 * 0.115 * 1.7 * STZ_GPA * (1.0 + share)) / (STZ_BOLTZMANN * KELVIN));
    assert_true(fabs((double)tension[0][0] / plain - 1.0) < 2e-5);
  }
}

// No rate outgrows the bound while all six components of the mean stress move, and some come near it.
static void growth_is_bounded(void **state) {
  (void)state;
  stz_rng rng = stz_rng_stream(23, STZ_RNG_EVENTS, 0);
  for (int kind = 0; kind < 4; kind++) {
    double nearest = 0.0;
    for (int trial = 0; trial < 2000; trial++) {
      const stz_stz_params params = params_of(kind % 2 ? STZ_LAW_COOPERATIVE : STZ_LAW_LINEAR, trial % 2 ? 0.8 : -0.3,
                                              (stz_normal_stress)(kind / 2));
      const float none[5] = {0}, barrier = (float)(1.0 + 2.0 * stz_rng_uniform(&rng));
      double stress[6], rate[6], later[6];
      for (int v = 0; v < 6; v++) stress[v] = 20.0 * (stz_rng_uniform(&rng) - 0.5);
      for (int v = 0; v < 6; v++) rate[v] = (v < 3 && trial % 3 ? 1.0 : 0.1) * (stz_rng_uniform(&rng) - 0.3);
      const double growth = stz_rate_growth(&params, 3.0, KELVIN, rate), t = 0.5 / growth;
      stz_law law;
      float before[STZ_MODES][2], after[STZ_MODES][2];
      for (int v = 0; v < 6; v++) later[v] = stress[v] + rate[v] * t;
      stz_law_set(&law, &params, &turned, KELVIN, stress);
      stz_rates_site(&law, &turned, none, barrier, trial % STZ_ROTATIONS, before);
      stz_law_set(&law, &params, &turned, KELVIN, later);
      stz_rates_site(&law, &turned, none, barrier, trial % STZ_ROTATIONS, after);
      for (int m = 0; m < 2 * STZ_MODES; m++) {
        const double b = (double)before[m / 2][m % 2], a = (double)after[m / 2][m % 2];
        if (b < 1e-30) continue; // cut off
        assert_true(a <= b * exp(growth * t) * 1.001);
        nearest = fmax(nearest, log(a / b) / (growth * t));
      }
    }
    assert_true(nearest > 0.7);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(normals_are_those_of_planes), cmocka_unit_test(rates_follow_the_law),
      cmocka_unit_test(many_sites_as_one),           cmocka_unit_test(compression_is_stronger),
      cmocka_unit_test(growth_is_bounded),
  };
  return cmocka_run_group_tests(tests, set_up, NULL);
}
