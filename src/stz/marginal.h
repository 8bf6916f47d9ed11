// SPDX-License-Identifier: GPL-3.0-or-later
//
// The marginal distribution of the barrier noise: a map from a Gaussian field to the wanted one, through the
// distribution functions. The Gaussian is what is filtered and redrawn; its image is what the barriers see.
#ifndef STZ_STZ_MARGINAL_H
#define STZ_STZ_MARGINAL_H

#include "stz/params.h"

enum { STZ_MARGINAL_POINTS = 1025 };
#define STZ_MARGINAL_RANGE 8.0
#define STZ_MARGINAL_STEP (2.0 * STZ_MARGINAL_RANGE / (STZ_MARGINAL_POINTS - 1))

typedef struct stz_marginal {
  double value[STZ_MARGINAL_POINTS], slope[STZ_MARGINAL_POINTS]; // at x = -RANGE ... RANGE
} stz_marginal;

// The map T of x onto a law of mean 0 and variance 1 with the distribution function F, cut at +-cutoff:
// F(T(x)) = F(-c) + Phi(x) (F(c) - F(-c)). Gaussian: F = Phi. Uniform: between +-sqrt3. Weibull: of (W -
// mean)/deviation with P(W < w) = 1 - exp(-w^shape), mean Gamma(1 + 1/shape) and mean square Gamma(1 + 2/shape);
// `shape` >= 0.5 counts for it alone.
double stz_marginal_at(stz_distribution distribution, double shape, double cutoff, double x);

// Tabulates the map for many x.
void stz_marginal_set(stz_marginal *marginal, stz_distribution distribution, double shape, double cutoff);

// T(x) of the table, by cubic Hermite interpolation: within 1e-7 of the definition (Weibull: 1e-6) where |x| < 6.
static inline double stz_marginal_map(const stz_marginal *marginal, double x) {
  const double last = STZ_MARGINAL_POINTS - 1, at = (x + STZ_MARGINAL_RANGE) / STZ_MARGINAL_STEP;
  if (!(at > 0.0)) return marginal->value[0]; // also of a NaN, which a damaged checkpoint may hold
  if (at >= last) return marginal->value[STZ_MARGINAL_POINTS - 1];
  const int i = (int)at;
  const double t = at - i, u = 1.0 - t;
  return u * u * ((1.0 + 2.0 * t) * marginal->value[i] + t * STZ_MARGINAL_STEP * marginal->slope[i]) +
         t * t * ((1.0 + 2.0 * u) * marginal->value[i + 1] - u * STZ_MARGINAL_STEP * marginal->slope[i + 1]);
}

#endif
