// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/observe: not installed.
//
// Distributions of barriers and stresses over the sites.
#ifndef STZ_OBSERVE_DISTRIBUTIONS_H
#define STZ_OBSERVE_DISTRIBUTIONS_H

#include <stdint.h>

#include "glass/glass.h"
#include "kmc/kmc.h"

// The domains in which sites are counted: those that are Ni-rich (structure g > 0), and all others.
enum { STZ_DOMAIN_RICH, STZ_DOMAIN_POOR, STZ_DOMAINS };

// The quantities that are counted.
typedef enum stz_distribution_kind {
  STZ_DISTRIBUTION_BARRIER,    // barrier Q at zero stress, eV
  STZ_DISTRIBUTION_RESOLVED,   // largest resolved stress of the site's 30 modes, eV/nm^3
  STZ_DISTRIBUTION_ACTIVATION, // smallest barrier of its modes under that stress: the distance to activation, eV
} stz_distribution_kind;
enum { STZ_DISTRIBUTIONS = 3 };

typedef struct stz_histogram {
  double width;   // of a bin; bin i counts i width <= value < (i + 1) width
  int bins;       // up to the last that is not empty
  double *counts; // STZ_DOMAINS x bins: sites
} stz_histogram;

typedef struct stz_distributions {
  stz_histogram histogram[STZ_DISTRIBUTIONS];
} stz_distributions;

// Counts one number >= 0 per local site by bins of `width`, in the domains of `structure` (g). Collective; the same on
// any number of ranks.
stz_err stz_histogram_count(const stz_grid *grid, const float *structure, const double *values, double width,
                            stz_histogram *histogram) STZ_MUST_USE;

// All three, at the mean stress `mean` (eV/nm^3); the engine's stress must be up to date. Collective.
stz_err stz_distributions_create(const stz_glass *glass, const stz_kmc *kmc, const double mean[6],
                                 stz_distributions **distributions) STZ_MUST_USE;
void stz_distributions_destroy(stz_distributions **distributions);

// The largest resolved stress of a mode on a site with that driving stress (deviator) and orientation; local.
double stz_largest_resolved(const stz_modes *modes, const double stress[5], int rotation);

#endif
