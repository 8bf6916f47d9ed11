// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/observe: not installed.
//
// Survival of order: the probability that a cluster at a point still has its order, the field (1 - d)^n, n the number
// of events so far whose sphere of volume Omega covers a point.
#ifndef STZ_OBSERVE_SURVIVAL_H
#define STZ_OBSERVE_SURVIVAL_H

#include <stdint.h>

#include "lattice/grid.h"

// Mean of (1 - loss)^n over each local voxel. Collective; the same bits on any number of ranks.
//
// Voxel i covers [i a, (i + 1) a) and its events act from its centre (i + 1/2) a. The mean is taken over the midpoints
// of m^3 equal parts of the voxel, m such that those within a sphere stand for its volume within 0.3 %: sampled at the
// voxel's centre alone, the sphere of 1.7 nm^3 would cover 7 sites of 0.58 nm instead of Omega/a^3 = 8.7.
// `event_count`: events centred on each local site. `survival`: one number per local site.
stz_err stz_survival(const stz_grid *grid, const uint32_t *event_count, double volume_nm3, double loss,
                     float *survival) STZ_MUST_USE;

#endif
