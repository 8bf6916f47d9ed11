// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/observe: not installed.
//
// Localisation: does plastic strain concentrate in bands? A shear band under tension along x lies near 45 degrees to
// it.
#ifndef STZ_OBSERVE_LOCALISATION_H
#define STZ_OBSERVE_LOCALISATION_H

#include "lattice/grid.h"

#define STZ_SLAB_NM 1.2 // thickness of a slab

// Largest mean axial plastic strain of a slab over the mean of the box: 1 for homogeneous strain; for all strain in one
// slab, the number of slabs. NaN when the mean is 0, or less than 5 % of the mean magnitude, as when cyclic loading
// takes the strain back: then slabs differ by what is left over, whose scale is not the mean. Local.
//
// Slabs are normal to (1, 1, 0), (1, -1, 0), (1, 0, 1) and (1, 0, -1): u = x + y and so on, taken modulo the greatest
// common divisor G of the two sides, which is the largest period that the box allows. G is cut into
// round(G / (sqrt2 STZ_SLAB_NM)) slabs of equal thickness, at least 1; a direction with a single slab says nothing and
// counts as 1. A layer of voxels across a border counts in both slabs by its fraction of the thickness.
//
// `lines`: sums of the axial plastic strain, in any unit, stz_localisation_width numbers for each plane of the box, one
// plane `stride` numbers after the other: over the ny lines of the plane along z, over its nz lines along y, and of the
// magnitudes over the plane. `profile`: work space, nx.
double stz_localisation_of(const stz_grid *grid, const double *lines, int stride, double *profile);
int stz_localisation_width(const stz_grid *grid);

#endif
