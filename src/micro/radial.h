// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/micro: not installed.
//
// Radial power spectrum of a field, its characteristic lengths, and the two-point function that belongs to it.
#ifndef STZ_MICRO_RADIAL_H
#define STZ_MICRO_RADIAL_H

#include <complex.h>

#include "lattice/grid.h"
#include "lattice/spectral.h"

enum { STZ_RADIAL_BINS = 9 * 64 }; // 64 an octave of wave number

typedef struct stz_radial {
  double power[STZ_RADIAL_BINS];       // sum of |F|^2 over the waves of the bin, without k = 0
  double wave_number[STZ_RADIAL_BINS]; // mean wave number of the bin, weighted by power, rad/nm; 0 where it is empty
} stz_radial;

// Collective; the same bits on any number of ranks. `spectrum`: stz_spectral_modes numbers.
stz_err stz_radial_create(const stz_grid *grid, const stz_spectral *spectral, const double complex *spectrum,
                          stz_radial **radial) STZ_MUST_USE;
void stz_radial_destroy(stz_radial **radial);

// 2 pi over the mean wave number (first moment of the radial power spectrum), nm; 0 for a constant field.
double stz_radial_length(const stz_radial *radial);

// Two-point function at distance r (nm), averaged over all directions: sum |F|^2 sin(kr)/(kr) / sum |F|^2; 1 at r = 0.
// The direction average is that of the periodic field's trigonometric interpolation, so r need not be a lattice vector.
double stz_radial_correlation(const stz_radial *radial, double r);

// Wavelength of the thin shell of waves whose two-point function sin(kr)/(kr) has its first minimum, at kr = 4.4934,
// where this one has it (nm); 0 if there is none below r = `limit`.
double stz_radial_correlation_length(const stz_radial *radial, double limit);

#endif
