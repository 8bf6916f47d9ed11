// SPDX-License-Identifier: GPL-3.0-or-later
//
// Composition fields: the structure of the glass before any load, and measures of it.
#ifndef STZ_MICRO_MICRO_H
#define STZ_MICRO_MICRO_H

#include <stdbool.h>
#include <stdint.h>

#include "lattice/grid.h"
#include "lattice/spectral.h"
#include "micro/params.h"

typedef struct stz_micro stz_micro;

typedef struct stz_micro_measures {
  double nickel_fraction;          // mean of c
  double g_mean_rich, g_mean_poor; // mean of g where f > 0 and where f < 0
  double volume_fraction_rich;     // share of sites with f > 0
  double length_spectrum_nm;       // 2 pi over the first moment of the radial power spectrum of f; 0 for uniform
  double length_correlation_nm;    // twice the position of the first minimum of the radial two-point function of f
  double interface_per_nm;         // area of the level set f = 0 a volume
  bool percolates_rich, percolates_poor; // a path of face neighbours wraps around or spans each axis
} stz_micro_measures;

// Makes the field. Collective; the same bits on any number of ranks.
stz_err stz_micro_create(const stz_grid *grid, stz_spectral *spectral, const stz_micro_params *params, uint64_t seed,
                         stz_micro **micro) STZ_MUST_USE;
void stz_micro_destroy(stz_micro **micro);

const double *stz_micro_g(const stz_micro *micro);           // g a local site, dimensionless
const double *stz_micro_composition(const stz_micro *micro); // c = nickel_fraction + nickel_amplitude g, in [0, 1]
// |grad g| lambda/(2 pi sharpness) a local site: the weight of the interface term; NULL for uniform.
const double *stz_micro_interface(const stz_micro *micro);

// Collective.
stz_err stz_micro_measure(const stz_micro *micro, stz_spectral *spectral, stz_micro_measures *measures) STZ_MUST_USE;

#endif
