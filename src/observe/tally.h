// SPDX-License-Identifier: GPL-3.0-or-later
//
// Sums over the plastic strain of all voxels, kept up from event to event, so that a row of the history need not look
// at every voxel. They are integers, in units far below what a row shows: the same bits in whatever order events come
// and on any number of ranks, and counted again from the fields whenever that is wanted.
#ifndef STZ_OBSERVE_TALLY_H
#define STZ_OBSERVE_TALLY_H

#include <stdint.h>

#include "lattice/grid.h"
#include "observe/participation.h"

typedef struct stz_tally stz_tally;

// Counts the fields, which must outlive the tally: `plastic`, 5 deviator components, and `events`, how many were
// centred on the site, one number a local site. `unit`: the strain of one event, from which the integers' units follow;
// they hold some 100 events on each voxel of a plane. Collective.
stz_err stz_tally_create(const stz_grid *grid, const float *const plastic[5], const uint32_t *events, double unit,
                         stz_tally **tally) STZ_MUST_USE;
void stz_tally_destroy(stz_tally **tally);

// Counts the fields anew. Local.
void stz_tally_count(stz_tally *tally);

// The fields are about to change at a global site, and have changed there. Local; every rank.
void stz_tally_before(stz_tally *tally, int64_t site);
void stz_tally_after(stz_tally *tally, int64_t site);

// What the sums say (observe/localisation.h for the second). Collective; the same bits on any number of ranks.
void stz_tally_look(stz_tally *tally, stz_participation *participation, double *localisation);

#endif
