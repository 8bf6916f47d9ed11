// SPDX-License-Identifier: GPL-3.0-or-later
//
// The smooth parts of the stress of events (split.h): coefficients of cubic B-splines on the nodes of each level.
#ifndef STZ_ELASTIC_FAR_H
#define STZ_ELASTIC_FAR_H

#include "elastic/split.h"

typedef struct stz_far stz_far;

// Starts without events. `team`, which may be NULL, shares stz_far_converge alone. `split` must outlive it.
stz_err stz_far_create(stz_team *team, const stz_split *split, const stz_elastic *elastic, stz_far **far) STZ_MUST_USE;
void stz_far_destroy(stz_far **far);
void stz_far_clear(stz_far *far); // removes all events

// Adds an event with the strain deviator e (1) at the site `origin`. The coarse part includes it after the next
// stz_far_converge.
void stz_far_add(stz_far *far, const int origin[3], const float e[5]);

// The same in stz_far_shares shares, `each` of each level, and with nodes of their own: to be called at the same time
// for different shares by different threads.
int stz_far_shares(const stz_far *far, int each);
void stz_far_add_share(stz_far *far, int share, int each, const int origin[3], const float e[5]);

// Recomputes the coarse part, if there is one, by Fourier transform. Nothing may be posted to the team.
void stz_far_converge(stz_far *far);

// Stress (out) of the smooth parts, deviator, eV/nm^3: at one site, in voxels from 0; and at the 512 sites of the cube
// of 8 per axis from `origin` on (wrapped), [c][x][y][z].
void stz_far_site(const stz_far *far, const int site[3], float stress[5]);
void stz_far_box(const stz_far *far, const int origin[3], float stress[5][512]);

// Whether all nodes are within half of the range of their 32 bits.
bool stz_far_in_range(const stz_far *far);

// All that events change, as one block of *bytes plain bytes: to be saved, and filled again on a restart.
void *stz_far_state(stz_far *far, size_t *bytes);

// --- parts and stencils (far_part.c), of periodic boxes alone ---

// A part of the nodes, for a thread of its own: those that sites with first <= x < first + planes read (multiples of
// 8). Nodes at first <= x < first + planes are the whole's own memory; those beyond, which other parts own, are copies.
// stz_far_add on a part adds to all its nodes, with the bits that it adds on the whole, and not to the coarse source;
// stz_far_site on a part works for the sites of the slab, and reads the coarse nodes from the whole. No other function
// takes a part, but those below. `whole` must outlive it.
stz_err stz_far_part_create(stz_far *whole, int first, int planes, stz_far **part) STZ_MUST_USE;
void stz_far_part_destroy(stz_far **part);
void stz_far_part_refill(stz_far *part); // takes the copies from the whole again

// Of the whole: adds an event to the coarse part's source alone; nothing if there is no coarse part.
void stz_far_add_source(stz_far *far, const int origin[3], const float e[5]);

// The nodes about a site, to be changed by events and read again: by grid, column, and each of the places along z that
// make up a node, 4 nodes of 5 components and 4 numbers more. What is not in use is not set.
typedef struct stz_far_stencil {
  int site[3];
  int32_t value[STZ_LEVELS + 1][16][3][24];
} stz_far_stencil;

// Reads them, `far` being the whole or a part; adds what stz_far_add would add to them (not to the coarse ones); and
// their stress, with the bits of stz_far_site.
void stz_far_read(const stz_far *far, const int site[3], stz_far_stencil *s);
void stz_far_stencil_add(const stz_far *far, const int origin[3], const float e[5], stz_far_stencil *s);
void stz_far_stencil_stress(const stz_far *far, const stz_far_stencil *s, float stress[5]);

#endif
