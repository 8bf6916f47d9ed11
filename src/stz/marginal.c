// SPDX-License-Identifier: GPL-3.0-or-later
#include "stz/marginal.h"

#include "base/mathfn.h"

static const double RANGE = 8.0, STEP = 16.0 / (STZ_MARGINAL_POINTS - 1);

void stz_marginal_cut_normal(stz_marginal *marginal, double cutoff) {
  const double below = stz_normal_cdf(-cutoff), share = 1.0 - 2.0 * below;
  for (int i = 0; i < STZ_MARGINAL_POINTS; i++) {
    // By symmetry only the lower half is solved for, where the distribution functions keep their relative precision.
    const double x = i * STEP - RANGE, p = below + stz_normal_cdf(x < 0.0 ? x : -x) * share;
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
    marginal->value[i] = x < 0.0 ? y : -y;
    marginal->slope[i] = share * stz_exp(0.5 * (y * y - x * x));
  }
}

double stz_marginal_map(const stz_marginal *marginal, double x) {
  const double last = STZ_MARGINAL_POINTS - 1, at = (x + RANGE) / STEP;
  if (at <= 0.0) return marginal->value[0];
  if (at >= last) return marginal->value[STZ_MARGINAL_POINTS - 1];
  const int i = (int)at;
  const double t = at - i, u = 1.0 - t;
  return u * u * ((1.0 + 2.0 * t) * marginal->value[i] + t * STEP * marginal->slope[i]) +
         t * t * ((1.0 + 2.0 * u) * marginal->value[i + 1] - u * STEP * marginal->slope[i + 1]);
}
