// SPDX-License-Identifier: GPL-3.0-or-later
//
// How many sites share the plastic strain.
#ifndef STZ_OBSERVE_PARTICIPATION_H
#define STZ_OBSERVE_PARTICIPATION_H

#include <stdint.h>

#include "lattice/grid.h"

typedef struct stz_participation {
  double ratio;   // (sum s)^2 / (N sum s^2), s = e:e of each site's plastic strain e: 1 if all sites have the same, m/N
                  // if m have and the others none; NaN without any
  double sheared; // share of sites at which an event was centred
} stz_participation;

// `plastic`: 5 deviator components, `events`: how many were centred on the site, one number a local site. Collective;
// the same bits on any number of ranks.
stz_err stz_participation_find(const stz_grid *grid, const float *const plastic[5], const uint32_t *events,
                               stz_participation *participation) STZ_MUST_USE;

#endif
