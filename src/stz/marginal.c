// SPDX-License-Identifier: GPL-3.0-or-later
#include "stz/marginal.h"

#include <math.h>

#include "base/mathfn.h"

static const double RANGE = STZ_MARGINAL_RANGE, STEP = STZ_MARGINAL_STEP;

typedef struct point {
  double value, slope;
} point;

// By symmetry only the lower half is solved for, where the distribution functions keep their relative precision.
static point cut_normal(double cutoff, double x) {
  const double below = stz_normal_cdf(-cutoff), share = 1.0 - 2.0 * below;
  const double p = below + stz_normal_cdf(x < 0.0 ? x : -x) * share;
  double low = -cutoff, high = 0.0;
  for (int k = 0; k < 60; k++) {
    const double middle = 0.5 * (low + high);
    if (stz_normal_cdf(middle) < p) {
      low = middle;
    } else {
      high = middle;
    }
  }
  const double y = 0.5 * (low + high);
  return (point){x < 0.0 ? y : -y, share * stz_exp(0.5 * (y * y - x * x))};
}

static double density(double x) { return 0.398942280401432677940 * stz_exp(-0.5 * x * x); }

// Phi(x) for x <= 0 with its relative precision: far out by the continued fraction of the tail.
static double lower_tail(double x) {
  if (x > -4.0) return stz_normal_cdf(x);
  double fraction = -x;
  for (int k = 60; k >= 1; k--) fraction = -x + k / fraction;
  return density(x) / fraction;
}

static point cut_uniform(double cutoff, double x) {
  const double half = fmin(cutoff, sqrt(3.0)), y = half * (1.0 - 2.0 * lower_tail(-fabs(x)));
  return (point){x < 0.0 ? -y : y, 2.0 * half * density(x)};
}

// Gamma(z) for 1 <= z <= 5, by Stirling's series at z + 10: it leaves 1e-14.
static double gamma_function(double z) {
  const double x = z + 10.0, r = 1.0 / (x * x);
  const double series = (1.0 / 12.0 - r * (1.0 / 360.0 - r * (1.0 / 1260.0 - r * (1.0 / 1680.0 - r / 1188.0)))) / x;
  double product = 1.0;
  for (int k = 0; k < 10; k++) product *= z + k;
  return stz_exp((x - 0.5) * stz_ln(x) - x + 0.91893853320467274178 + series) / product;
}

// -ln(1 - u), also for small u.
static double minus_log1m(double u) {
  return u < 1e-4 ? u * (1.0 + u * (0.5 + u * (1.0 / 3.0 + u * 0.25))) : -stz_ln(1.0 - u);
}

static point cut_weibull(double shape, double cutoff, double x) {
  const double mean = gamma_function(1.0 + 1.0 / shape);
  const double deviation = sqrt(gamma_function(1.0 + 2.0 / shape) - mean * mean);
  const double low = mean - cutoff * deviation, high = mean + cutoff * deviation;
  const double above = stz_exp(-stz_exp(shape * stz_ln(high)));                        // P(W > high)
  const double below = low > 0.0 ? 1.0 - stz_exp(-stz_exp(shape * stz_ln(low))) : 0.0; // P(W < low)
  const double share = 1.0 - above - below, tail = lower_tail(-fabs(x));
  // The smaller of the two probabilities is the precise one.
  const double u = below + share * tail, v = above + share * tail;
  const double size = x < 0.0 ? minus_log1m(u) : -stz_ln(v); // w^shape
  const double w = stz_exp(stz_ln(size) / shape);
  return (point){(w - mean) / deviation, share * density(x) * w / (shape * size * (x < 0.0 ? 1.0 - u : v) * deviation)};
}

static point map_at(stz_distribution distribution, double shape, double cutoff, double x) {
  switch (distribution) {
  case STZ_GAUSSIAN:
    return cut_normal(cutoff, x);
  case STZ_WEIBULL:
    return cut_weibull(shape, cutoff, x);
  case STZ_UNIFORM:
    break;
  }
  return cut_uniform(cutoff, x);
}

double stz_marginal_at(stz_distribution distribution, double shape, double cutoff, double x) {
  return map_at(distribution, shape, cutoff, x).value;
}

void stz_marginal_set(stz_marginal *marginal, stz_distribution distribution, double shape, double cutoff) {
  for (int i = 0; i < STZ_MARGINAL_POINTS; i++) {
    const point p = map_at(distribution, shape, cutoff, i * STEP - RANGE);
    marginal->value[i] = p.value;
    marginal->slope[i] = p.slope;
  }
}
