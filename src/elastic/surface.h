// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/elastic and the engines.
//
// What the surfaces of a film add to the stress of a whole field of strain: the plate less the periodic box whose
// stress stz_total gives (plate.h), for engines that need it many times. One rank.
//
// At each wave number along x and y only few layers see the sources one by one: those whose shape reaches over a face.
// All others send and feel the four functions exp(-kz) and kz exp(-kz) from either face. These are told by their values
// in four layers, the probes. So the operator is a matrix of those layers and the probes.
#ifndef STZ_ELASTIC_SURFACE_H
#define STZ_ELASTIC_SURFACE_H

#include "elastic/total.h"

typedef struct stz_surface stz_surface;

// `period` of the box, in voxels.
stz_err stz_surface_create(const stz_grid *grid, const stz_elastic *elastic, int period,
                           stz_surface **surface) STZ_MUST_USE;

// The same kind of operator on `cells` nodes (z a multiple of 8), of which the first `kept` along z have sources and
// stresses: `green` gives it at the wave numbers m of the nodes, [layer][source layer] as stz_plate_green does.
typedef void stz_surface_source(void *context, const int m[2], int worker, double (*green)[6][5]);
stz_err stz_surface_create_of(stz_team *team, const int cells[3], int kept, stz_surface_source *green, void *context,
                              stz_surface **surface) STZ_MUST_USE;
void stz_surface_destroy(stz_surface **surface);

// As stz_total_stress, of the film's own layers: `add` receives what must be added.
void stz_surface_stress(stz_surface *surface, stz_total_give *strain, stz_total_take *add, void *context);

size_t stz_surface_bytes(const stz_surface *surface); // of the table and the work space

#endif
