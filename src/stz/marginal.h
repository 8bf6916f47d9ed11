// SPDX-License-Identifier: GPL-3.0-or-later
//
// The marginal distribution of the barrier noise: a map from a Gaussian field to the wanted one, through the
// distribution functions. The Gaussian is what is filtered and redrawn; its image is what the barriers see.
#ifndef STZ_STZ_MARGINAL_H
#define STZ_STZ_MARGINAL_H

enum { STZ_MARGINAL_POINTS = 1025 };

typedef struct stz_marginal {
  double value[STZ_MARGINAL_POINTS], slope[STZ_MARGINAL_POINTS]; // at x = -8 ... 8
} stz_marginal;

// Tabulates the map onto the normal law cut at +-cutoff: Phi(T(x)) = Phi(-c) + Phi(x) (1 - 2 Phi(-c)).
void stz_marginal_cut_normal(stz_marginal *marginal, double cutoff);

// T(x), by cubic Hermite interpolation: within 1e-7 of the definition.
double stz_marginal_map(const stz_marginal *marginal, double x);

#endif
