// SPDX-License-Identifier: GPL-3.0-or-later
//
// The marginal distribution of the barrier noise: a map from a Gaussian field to the wanted one, through the
// distribution functions. The Gaussian is what is filtered and redrawn; its image is what the barriers see.
#ifndef STZ_STZ_MARGINAL_H
#define STZ_STZ_MARGINAL_H

#include "stz/params.h"

enum { STZ_MARGINAL_POINTS = 1025 };

typedef struct stz_marginal {
  double value[STZ_MARGINAL_POINTS], slope[STZ_MARGINAL_POINTS]; // at x = -8 ... 8
} stz_marginal;

// Tabulates the map onto a law of mean 0 and variance 1 with the distribution function F, cut at +-cutoff:
// F(T(x)) = F(-c) + Phi(x) (F(c) - F(-c)). Gaussian: F = Phi. Uniform: between +-sqrt3. Weibull: of (W -
// mean)/deviation with P(W < w) = 1 - exp(-w^shape), mean Gamma(1 + 1/shape) and mean square Gamma(1 + 2/shape);
// `shape` >= 0.5 counts for it alone.
void stz_marginal_set(stz_marginal *marginal, stz_distribution distribution, double shape, double cutoff);

// T(x), by cubic Hermite interpolation: within 1e-7 of the definition (Weibull: 1e-6) where |x| < 6.
double stz_marginal_map(const stz_marginal *marginal, double x);

#endif
