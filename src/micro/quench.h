// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/micro: not installed.
//
// A quench into the miscibility gap: Cahn-Hilliard dynamics from noise until the field has a given length.
#ifndef STZ_MICRO_QUENCH_H
#define STZ_MICRO_QUENCH_H

#include <complex.h>
#include <stdint.h>

#include "lattice/grid.h"
#include "lattice/spectral.h"
#include "micro/params.h"

// Fills `spectrum` (stz_spectral_modes numbers) with c less its mean, once 2 pi over the first moment of its radial
// spectrum has reached wavelength_nm. The mean is that of phases at c = +-1 with the share nickel_fraction of +1. The
// wave that grows fastest at first has 0.8 wavelength_nm, which fixes xi. The dynamics run on a lattice of their own,
// fine enough for the interfaces, and start from waves of one variance in all of the unstable band, rms 0.1, keyed as
// in micro/waves.h; the result is what lies below the sample's Nyquist wave number. Collective; the same bits on any
// number of ranks. Fails with STZ_EINPUT if the lattice cannot resolve the length, or the box not hold it.
stz_err stz_quench_fill(const stz_grid *grid, stz_spectral *spectral, const stz_micro_params *params, uint64_t seed,
                        double complex *spectrum) STZ_MUST_USE;

// xi of the quench, nm.
double stz_quench_xi(const stz_micro_params *params);

#endif
