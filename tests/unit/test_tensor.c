// SPDX-License-Identifier: GPL-3.0-or-later
//
// Deviators in the orthonormal basis against 3x3 matrices, multiplied out.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/tensor.h"
#include "rng/rng.h"

static void matrix_from_sym(const double s[6], double a[3][3]) {
  for (int i = 0; i < 3; i++) a[i][i] = s[i];
  a[1][2] = a[2][1] = s[STZ_YZ];
  a[0][2] = a[2][0] = s[STZ_XZ];
  a[0][1] = a[1][0] = s[STZ_XY];
}

static void random_sym(stz_rng *rng, double s[6]) {
  for (int v = 0; v < 6; v++) s[v] = stz_rng_normal(rng);
}

static void random_deviator(stz_rng *rng, double s[6]) {
  random_sym(rng, s);
  const double third = (s[STZ_XX] + s[STZ_YY] + s[STZ_ZZ]) / 3.0;
  for (int v = 0; v < 3; v++) s[v] -= third;
}

// Rotation by `angle` about the unit vector along (x, y, z), by Rodrigues' formula.
static void rotation(double x, double y, double z, double angle, double r[9]) {
  const double norm = sqrt(x * x + y * y + z * z), u[3] = {x / norm, y / norm, z / norm};
  const double cross[9] = {0, -u[2], u[1], u[2], 0, -u[0], -u[1], u[0], 0};
  for (int i = 0; i < 3; i++) {
    for (int j = 0; j < 3; j++) {
      r[3 * i + j] = (i == j) * cos(angle) + (1 - cos(angle)) * u[i] * u[j] + sin(angle) * cross[3 * i + j];
    }
  }
}

static void products(void **state) {
  (void)state;
  stz_rng rng = stz_rng_stream(1, STZ_RNG_EVENTS, 0);
  for (int trial = 0; trial < 20; trial++) {
    double s[2][6], d[2][5], a[3][3], b[3][3], double_dot = 0.0, dot = 0.0, full = 0.0;
    for (int k = 0; k < 2; k++) {
      random_deviator(&rng, s[k]);
      stz_dev_from_sym(s[k], d[k]);
    }
    matrix_from_sym(s[0], a);
    matrix_from_sym(s[1], b);
    for (int i = 0; i < 9; i++) double_dot += a[i / 3][i % 3] * b[i / 3][i % 3];
    for (int c = 0; c < 5; c++) dot += d[0][c] * d[1][c];
    assert_true(fabs(dot - double_dot) < 1e-14 * 20);
    assert_true(fabs(stz_sym_dot(s[0], s[1]) - double_dot) < 1e-14 * 20);
    random_sym(&rng, s[0]); // with a trace
    random_sym(&rng, s[1]);
    matrix_from_sym(s[0], a);
    matrix_from_sym(s[1], b);
    for (int i = 0; i < 9; i++) full += a[i / 3][i % 3] * b[i / 3][i % 3];
    assert_true(fabs(stz_sym_dot(s[0], s[1]) - full) < 1e-14 * 20);
  }
}

static void there_and_back(void **state) {
  (void)state;
  stz_rng rng = stz_rng_stream(2, STZ_RNG_EVENTS, 0);
  double s[6], with_trace[6], d[5], back[6];
  random_deviator(&rng, s);
  for (int v = 0; v < 6; v++) with_trace[v] = s[v] + (v < 3 ? 0.7 : 0.0);
  stz_dev_from_sym(with_trace, d);
  stz_sym_from_dev(d, back);
  for (int v = 0; v < 6; v++) assert_true(fabs(back[v] - s[v]) < 1e-14);
}

static void rotations(void **state) {
  (void)state;
  stz_rng rng = stz_rng_stream(3, STZ_RNG_EVENTS, 0);
  for (int trial = 0; trial < 20; trial++) {
    double r[9], s[6], d[5], m[25], a[3][3], turned[3][3] = {{0}}, result[6];
    rotation(stz_rng_normal(&rng), stz_rng_normal(&rng), stz_rng_normal(&rng), 6.0 * stz_rng_uniform(&rng), r);
    random_deviator(&rng, s);
    matrix_from_sym(s, a);
    for (int n = 0; n < 81; n++) {
      const int i = n / 27, j = n / 9 % 3, k = n / 3 % 3, l = n % 3;
      turned[i][j] += r[3 * i + k] * a[k][l] * r[3 * j + l];
    }
    stz_dev_rotation(r, m);
    stz_dev_from_sym(s, d);
    double product[5] = {0};
    for (int n = 0; n < 25; n++) product[n / 5] += m[n] * d[n % 5];
    stz_sym_from_dev(product, result);
    double b[3][3];
    matrix_from_sym(result, b);
    for (int n = 0; n < 9; n++) assert_true(fabs(b[n / 3][n % 3] - turned[n / 3][n % 3]) < 1e-13);
  }
}

// The matrices are orthogonal, turning twice is turning by the product, and inversion does nothing.
static void group(void **state) {
  (void)state;
  stz_rng rng = stz_rng_stream(5, STZ_RNG_EVENTS, 0);
  for (int trial = 0; trial < 20; trial++) {
    double r[2][9], both[9] = {0}, inverse[9], m[2][25], product[25], inverted[25];
    for (int k = 0; k < 2; k++) {
      rotation(stz_rng_normal(&rng), stz_rng_normal(&rng), stz_rng_normal(&rng), 6.0 * stz_rng_uniform(&rng), r[k]);
      stz_dev_rotation(r[k], m[k]);
    }
    for (int n = 0; n < 27; n++) both[n / 9 * 3 + n % 3] += r[0][n / 9 * 3 + n / 3 % 3] * r[1][n / 3 % 3 * 3 + n % 3];
    for (int i = 0; i < 9; i++) inverse[i] = -r[0][i];
    stz_dev_rotation(both, product);
    stz_dev_rotation(inverse, inverted);
    for (int n = 0; n < 25; n++) {
      const int i = n / 5, j = n % 5;
      double dot = 0.0, twice = 0.0;
      for (int k = 0; k < 5; k++) {
        dot += m[0][5 * i + k] * m[0][5 * j + k];
        twice += m[0][5 * i + k] * m[1][5 * k + j];
      }
      assert_true(fabs(dot - (i == j)) < 1e-14);
      assert_true(fabs(twice - product[n]) < 1e-14);
      assert_true(fabs(inverted[n] - m[0][n]) < 1e-15);
    }
  }
}

// A pure shear by hand: diag(1, -1, 0), turned by +45 degrees about z, has A_xy = 1 alone.
static void by_hand(void **state) {
  (void)state;
  const double s[6] = {1, -1, 0, 0, 0, 0};
  double r[9], m[25], d[5], turned[5] = {0}, result[6];
  rotation(0, 0, 1, acos(-1.0) / 4.0, r);
  stz_dev_rotation(r, m);
  stz_dev_from_sym(s, d);
  for (int n = 0; n < 25; n++) turned[n / 5] += m[n] * d[n % 5];
  stz_sym_from_dev(turned, result);
  for (int v = 0; v < 6; v++) assert_true(fabs(result[v] - (v == STZ_XY)) < 1e-15);
}

static void reflections(void **state) {
  (void)state;
  stz_rng rng = stz_rng_stream(4, STZ_RNG_EVENTS, 0);
  for (int axis = 0; axis < 3; axis++) {
    double s[6], mirrored[6], d[5], e[5];
    random_deviator(&rng, s);
    memcpy(mirrored, s, sizeof s);
    for (int v = STZ_YZ; v <= STZ_XY; v++) {
      const int absent = v - STZ_YZ; // yz lacks x, xz lacks y, xy lacks z
      if (axis != absent) mirrored[v] = -s[v];
    }
    stz_dev_from_sym(s, d);
    stz_dev_from_sym(mirrored, e);
    for (int c = 0; c < 5; c++) assert_true(e[c] == stz_dev_parity(c, axis) * d[c]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(products), cmocka_unit_test(there_and_back), cmocka_unit_test(rotations),
      cmocka_unit_test(group),    cmocka_unit_test(by_hand),        cmocka_unit_test(reflections),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
