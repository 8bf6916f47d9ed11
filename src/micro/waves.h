// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/micro: not installed.
//
// Gaussian random field of Cahn (J. Chem. Phys. 42, 1965): a sum of all plane waves of the periodic box whose wave
// number is within a relative bandwidth of 2 pi/lambda, with independent complex Gaussian amplitudes of one variance.
#ifndef STZ_MICRO_WAVES_H
#define STZ_MICRO_WAVES_H

#include <complex.h>
#include <stdint.h>
#include <string.h>

#include "base/complex.h"
#include "lattice/grid.h"
#include "lattice/spectral.h"
#include "micro/params.h"
#include "rng/rng.h"

// Stream index of the wave m (in units of 2 pi over the edges of the box, |m_i| < 512): that of whichever of m and -m
// has its last non-zero component positive. It does not depend on the spacing of the lattice, so that a box of given
// edges has the same field at any spacing. *conjugate tells whether m itself carries the conjugate amplitude.
uint64_t stz_waves_index(const int m[3], int *conjugate);

// Complex Gaussian amplitude of the wave m, from the streams of `purpose`; that of -m is its conjugate.
double complex stz_waves_amplitude(uint64_t seed, stz_purpose purpose, const int m[3]);

// Fills `spectrum` (stz_spectral_modes numbers) with a Hermitian-symmetric field without mean, of arbitrary scale.
// Collective. Fails with STZ_EINPUT if the shell reaches the lattice's Nyquist wave number or holds no wave of the box;
// the message names wavelengths that fit.
stz_err stz_waves_fill(const stz_grid *grid, const stz_spectral *spectral, const stz_micro_params *params,
                       uint64_t seed, double complex *spectrum) STZ_MUST_USE;

#endif
