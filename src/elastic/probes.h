// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/elastic: not installed.
//
// An operator between the layers of a film at each wave number along x and y, as a matrix (plate.h), for fields whose
// stress is needed many times. Single precision; one rank.
//
// What surfaces add to an infinite body, only few layers see source by source: those whose shape reaches over a face.
// All others send and feel the four functions exp(-kz) and kz exp(-kz) from either face. These are told by their values
// in four layers, the probes. So the operator is a matrix of those layers and the probes. As both faces are alike, it
// falls apart into two of half the size, for what is even and what is odd under the mirror between them.
#ifndef STZ_ELASTIC_PROBES_H
#define STZ_ELASTIC_PROBES_H

#include "elastic/plate.h"
#include "elastic/total.h"

typedef struct stz_probes stz_probes;

// Of a plate with nx x ny x nz = cells voxels of edge `spacing` (nm). If `all`, every layer has its own sources; else
// those between the faces have probes where that pays. `plate` is needed until it returns.
stz_err stz_probes_create(stz_team *team, const int cells[3], const stz_plate *plate, double spacing, bool all,
                          stz_probes **probes) STZ_MUST_USE;

// Any operator, on nodes, of which the first `kept` along z have sources and stresses.
stz_err stz_probes_create_of(stz_team *team, const int cells[3], int kept, stz_layer_operator *green, void *context,
                             stz_probes **probes) STZ_MUST_USE;
void stz_probes_destroy(stz_probes **probes);

// Adds the stress over 2 nx ny of the strain `in` to `out`, both [real, imaginary part][component 0..4][layer] and room
// for STZ_PROBES_ROOM numbers more, at the wave numbers m = (+-x, y), x and y >= 0 and at most half the cells'. `work`
// has stz_probes_work numbers.
enum { STZ_PROBES_ROOM = 40 };
void stz_probes_add(const stz_probes *probes, int x, int y, bool mirrored, float *in, float *work, float *out);

size_t stz_probes_work(const stz_probes *probes);
size_t stz_probes_bytes(const stz_probes *probes); // of the tables

#endif
