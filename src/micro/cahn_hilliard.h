// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/micro: not installed.
//
// Cahn-Hilliard dynamics of constant mobility in a periodic box (J. Chem. Phys. 28, 1958):
//   dc/dt = lap(c^3 - c - lap c),  c in [-1, 1] or nearly,
// which lowers F = int (c^2 - 1)^2/4 + (grad c)^2/2 and keeps the mean of c. Lengths are in units of xi, in which a
// flat interface is tanh(x/sqrt2); times in units of xi^2 over the mobility. A wave k on a field of mean m grows at
// first at the rate k^2 (1 - 3 m^2 - k^2), fastest at k^2 = (1 - 3 m^2)/2.
#ifndef STZ_MICRO_CAHN_HILLIARD_H
#define STZ_MICRO_CAHN_HILLIARD_H

#include <complex.h>

#include "lattice/grid.h"
#include "lattice/spectral.h"

typedef struct stz_cahn_hilliard stz_cahn_hilliard;

// c = 0. Collective. `grid` and `spectral` must outlive it.
stz_err stz_cahn_hilliard_create(const stz_grid *grid, stz_spectral *spectral, double xi_nm,
                                 stz_cahn_hilliard **ch) STZ_MUST_USE;
void stz_cahn_hilliard_destroy(stz_cahn_hilliard **ch);

// The state: spectrum of c (stz_spectral_modes numbers), to be set and read. Waves on the Nyquist planes are left out.
double complex *stz_cahn_hilliard_spectrum(stz_cahn_hilliard *ch);

// One semi-implicit step (Eyre, MRS Proc. 529, 1998): 2c - lap c is taken at its end, c^3 - 3c at its beginning. F does
// not rise at any dt, as long as |c| stays below 1 or so; rates are low by a share of the order of dt. Collective; the
// same bits on any number of ranks.
void stz_cahn_hilliard_step(stz_cahn_hilliard *ch, double dt);

#endif
