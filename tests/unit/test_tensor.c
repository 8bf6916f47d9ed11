// SPDX-License-Identifier: GPL-3.0-or-later
//
// Tensors and their deviators against plain 3x3 matrix algebra; the units against the SI's defining constants.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/tensor.h"
#include "base/units.h"
#include "rng/rng.h"

enum { TRIALS = 200 };

static void near_to(double value, double expected, double tolerance) {
  if (fabs(value - expected) > tolerance) fail_msg("%.17g, expected %.17g", value, expected);
}

static void draw(stz_rng *rng, int count, double *values) {
  for (int i = 0; i < count; i++) values[i] = stz_rng_normal(rng);
}

// A uniformly random rotation, from a random unit quaternion.
static void random_rotation(stz_rng *rng, double r[9]) {
  double q[4], size = 0.0;
  draw(rng, 4, q);
  for (int i = 0; i < 4; i++) size += q[i] * q[i];
  for (int i = 0; i < 4; i++) q[i] /= sqrt(size);
  const double w = q[0], x = q[1], y = q[2], z = q[3];
  const double matrix[9] = {1 - 2 * (y * y + z * z), 2 * (x * y - w * z),     2 * (x * z + w * y),
                            2 * (x * y + w * z),     1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
                            2 * (x * z - w * y),     2 * (y * z + w * x),     1 - 2 * (x * x + y * y)};
  memcpy(r, matrix, sizeof matrix);
}

static void multiply(const double *a, const double *b, int n, double *product) {
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < n; j++) {
      product[n * i + j] = 0.0;
      for (int k = 0; k < n; k++) product[n * i + j] += a[n * i + k] * b[n * k + j];
    }
  }
}

static void transpose(const double a[9], double b[9]) {
  for (int i = 0; i < 9; i++) b[i] = a[3 * (i % 3) + i / 3];
}

static void matrix_of(const double s[6], double a[9]) {
  const double matrix[9] = {s[STZ_XX], s[STZ_XY], s[STZ_XZ], s[STZ_XY], s[STZ_YY],
                            s[STZ_YZ], s[STZ_XZ], s[STZ_YZ], s[STZ_ZZ]};
  memcpy(a, matrix, sizeof matrix);
}

// A' = R A R^T, by matrices.
static void turn(const double r[9], const double s[6], double turned[6]) {
  double a[9], rt[9], ra[9], rart[9];
  matrix_of(s, a);
  transpose(r, rt);
  multiply(r, a, 3, ra);
  multiply(ra, rt, 3, rart);
  const double result[6] = {rart[0], rart[4], rart[8], rart[5], rart[2], rart[1]};
  memcpy(turned, result, sizeof result);
}

static void apply(const double m[25], const double d[5], double result[5]) {
  for (int i = 0; i < 5; i++) {
    result[i] = 0.0;
    for (int j = 0; j < 5; j++) result[i] += m[5 * i + j] * d[j];
  }
}

static double dot5(const double a[5], const double b[5]) {
  double sum = 0.0;
  for (int i = 0; i < 5; i++) sum += a[i] * b[i];
  return sum;
}

// The basis of deviators is orthonormal: d.d' is the double contraction, by matrices tr(A B).
static void contraction(void **state) {
  (void)state;
  stz_rng rng = stz_rng_stream(1, STZ_RNG_NOISE, 0);
  for (int trial = 0; trial < TRIALS; trial++) {
    double d[5], e[5], s[6], t[6], a[9], b[9], ab[9], back[5];
    draw(&rng, 5, d);
    draw(&rng, 5, e);
    stz_sym_from_dev(d, s);
    stz_sym_from_dev(e, t);
    near_to(s[STZ_XX] + s[STZ_YY] + s[STZ_ZZ], 0.0, 1e-14);
    matrix_of(s, a);
    matrix_of(t, b);
    multiply(a, b, 3, ab);
    near_to(dot5(d, e), ab[0] + ab[4] + ab[8], 1e-13);
    near_to(stz_sym_dot(s, t), ab[0] + ab[4] + ab[8], 1e-13);
    for (int i = 0; i < 3; i++) s[i] += 3.7; // a pressure drops out
    stz_dev_from_sym(s, back);
    for (int c = 0; c < 5; c++) near_to(back[c], d[c], 1e-14);
  }
}

static void rotation(void **state) {
  (void)state;
  stz_rng rng = stz_rng_stream(2, STZ_RNG_NOISE, 0);
  for (int trial = 0; trial < TRIALS; trial++) {
    double r[9], m[25], s[6], turned[6], d[5], expected[5], result[5];
    random_rotation(&rng, r);
    stz_dev_rotation(r, m);
    for (int i = 0; i < 5; i++) {
      for (int j = 0; j < 5; j++) near_to(dot5(m + 5 * i, m + 5 * j), i == j ? 1.0 : 0.0, 1e-14);
    }
    draw(&rng, 6, s);
    turn(r, s, turned);
    stz_dev_from_sym(s, d);
    stz_dev_from_sym(turned, expected);
    apply(m, d, result);
    for (int c = 0; c < 5; c++) near_to(result[c], expected[c], 1e-13);
  }
}

// Contractions do not change if both tensors turn; turning twice is turning by the product; inversion does nothing.
static void invariance(void **state) {
  (void)state;
  stz_rng rng = stz_rng_stream(3, STZ_RNG_NOISE, 0);
  for (int trial = 0; trial < TRIALS; trial++) {
    double r[9], q[9], rq[9], m[25], n[25], both[25], product[25], d[5], e[5], md[5], me[5], s[6], t[6];
    random_rotation(&rng, r);
    random_rotation(&rng, q);
    multiply(r, q, 3, rq);
    stz_dev_rotation(r, m);
    stz_dev_rotation(q, n);
    stz_dev_rotation(rq, both);
    multiply(m, n, 5, product);
    for (int i = 0; i < 25; i++) near_to(both[i], product[i], 1e-14);
    for (int i = 0; i < 9; i++) r[i] = -r[i];
    stz_dev_rotation(r, both);
    for (int i = 0; i < 25; i++) near_to(both[i], m[i], 1e-15);
    draw(&rng, 5, d);
    draw(&rng, 5, e);
    apply(m, d, md);
    apply(m, e, me);
    near_to(dot5(md, me), dot5(d, e), 1e-13);
    stz_sym_from_dev(md, s);
    stz_sym_from_dev(me, t);
    near_to(stz_sym_dot(s, t), dot5(d, e), 1e-13);
  }
}

// A pure shear by hand: diag(1, -1, 0), turned by +45 degrees about z, has A_xy = 1 alone.
static void by_hand(void **state) {
  (void)state;
  const double c = sqrt(0.5), r[9] = {c, -c, 0, c, c, 0, 0, 0, 1}, s[6] = {1, -1, 0, 0, 0, 0};
  double m[25], d[5], turned[5], result[6];
  stz_dev_rotation(r, m);
  stz_dev_from_sym(s, d);
  apply(m, d, turned);
  stz_sym_from_dev(turned, result);
  for (int v = 0; v < 6; v++) near_to(result[v], v == STZ_XY ? 1.0 : 0.0, 1e-15);
}

static void parity(void **state) {
  (void)state;
  for (int axis = 0; axis < 3; axis++) {
    double mirror[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1}, s[6], turned[6];
    mirror[4 * axis] = -1.0;
    for (int c = 0; c < 5; c++) {
      double d[5] = {0}, result[5];
      d[c] = 1.0;
      stz_sym_from_dev(d, s);
      turn(mirror, s, turned);
      stz_dev_from_sym(turned, result);
      for (int e = 0; e < 5; e++) near_to(result[e], e == c ? stz_dev_parity(c, axis) : 0.0, 1e-15);
    }
  }
}

static void units(void **state) {
  (void)state;
  const double electronvolt = 1.602176634e-19, boltzmann = 1.380649e-23; // J and J/K, exact in the SI
  near_to(STZ_GPA / (1e9 * 1e-27 / electronvolt), 1.0, 1e-8);            // 1 Pa = 1 J/m^3
  near_to(STZ_BOLTZMANN / (boltzmann / electronvolt), 1.0, 1e-10);
  near_to(STZ_PI, acos(-1.0), 0.0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(contraction), cmocka_unit_test(rotation),
                                     cmocka_unit_test(invariance),  cmocka_unit_test(by_hand),
                                     cmocka_unit_test(parity),      cmocka_unit_test(units)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
