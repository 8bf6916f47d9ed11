// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/mathfn.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/target.h"
#include "base/units.h"

static const double LN2_HIGH = 6.93147180369123816490e-01; // the top 32 bits of ln 2, and the rest
static const double LN2_LOW = 1.90821492927058770002e-10;

// 2^n for n in [-1022, 1023].
static inline double power_of_two(int n) {
  const uint64_t bits = (uint64_t)(n + 1023) << 52;
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

STZ_MULTIVERSION(double stz_exp(double x)) {
  if (x < -708.0) return 0.0;
  if (x > 709.0) return DBL_MAX;
  const double n = floor(fma(x, STZ_LOG2_E, 0.5));
  const double r = fma(-n, LN2_LOW, fma(-n, LN2_HIGH, x)); // |r| <= ln2/2
  double p = 1.0; // Taylor series in Horner form: 1 + r/1 (1 + r/2 (1 + ...)); 14 terms leave 2e-17
  for (int k = 14; k >= 1; k--) p = fma(p, r / k, 1.0);
  return p * power_of_two((int)n);
}

STZ_MULTIVERSION(double stz_ln(double x)) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  int exponent = (int)(bits >> 52) - 1023;
  double m = x * power_of_two(-exponent / 2) * power_of_two(-exponent - -exponent / 2);
  if (m > 1.41421356237309504880) {
    m *= 0.5;
    exponent++;
  }
  const double s = (m - 1.0) / (m + 1.0), s2 = s * s; // ln m = 2 (s + s^3/3 + s^5/5 + ...), |s| < 0.172
  double p = 0.0;
  for (int k = 21; k >= 3; k -= 2) p = fma(p, s2, 1.0 / k);
  const double tail = fma(2.0 * s * s2, p, exponent * LN2_LOW);
  return fma(exponent, LN2_HIGH, 2.0 * s + tail);
}

double stz_tanh(double x) {
  const double size = fabs(x);
  if (size < 0.75) { // Lambert's continued fraction x/(1 + x^2/(3 + x^2/(5 + ...))), cut where it leaves 1e-20
    double fraction = 19.0;
    for (int k = 17; k >= 1; k -= 2) fraction = k + x * x / fraction;
    return x / fraction;
  }
  return copysign(size < 20.0 ? 1.0 - 2.0 / (stz_exp(2.0 * size) + 1.0) : 1.0, x);
}

double stz_normal_cdf(double x) {
  if (x < -8.0) return 0.0;
  if (x > 8.0) return 1.0;
  double term = x, sum = x;
  for (int k = 3; fabs(term) > 1e-17 * fabs(sum) && k < 400; k += 2) {
    term *= x * x / k;
    sum += term;
  }
  return fma(sum * 0.398942280401432677940, stz_exp(-0.5 * x * x), 0.5);
}

double stz_normal_level(double share) {
  double low = -8.0, high = 8.0;
  while (high - low > 1e-12) {
    const double middle = 0.5 * (low + high);
    if (1.0 - stz_normal_cdf(middle) > share)
      low = middle;
    else
      high = middle;
  }
  return 0.5 * (low + high);
}
