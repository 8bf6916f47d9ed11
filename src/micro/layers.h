// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/micro: not installed.
//
// Alternating flat layers, Ni-rich and Zr-rich.
#ifndef STZ_MICRO_LAYERS_H
#define STZ_MICRO_LAYERS_H

#include "lattice/grid.h"
#include "micro/params.h"

// Fills `distance` (one number per local site) with the distance of the voxel's centre from the nearest interface in
// units of the period, positive in Ni-rich layers; the first of these begins at the face of the box. *period_nm is the
// period as it fits the box, within 0.1 % of layer_period_nm; through the thickness of a film any period goes, and the
// upper surface cuts it. Local. Fails with STZ_EINPUT, naming periods that fit, if there is none, or if one of the
// layers is thinner than a voxel.
stz_err stz_layers_fill(const stz_grid *grid, const stz_micro_params *params, double *distance,
                        double *period_nm) STZ_MUST_USE;

#endif
