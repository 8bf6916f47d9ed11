// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/micro: not installed.
//
// The shuffled control: one pseudo-random permutation of all sites, the same on any number of ranks.
#ifndef STZ_MICRO_SHUFFLE_H
#define STZ_MICRO_SHUFFLE_H

#include <stdint.h>

#include "lattice/grid.h"

// Moves the value of each site to its image under a permutation keyed by `seed`, the same for all `count` fields (one
// number per local site each). The permutation is a Feistel network on the index (Luby & Rackoff, SIAM J. Comput. 17,
// 1988), repeated until the image lies in the box, so that each rank computes its part alone. Collective.
stz_err stz_shuffle(const stz_grid *grid, uint64_t seed, int count, double *const fields[]) STZ_MUST_USE;

#endif
