// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/observe: not installed.
//
// Integrals of a field over straight cylinders along a lattice axis: first along the axis, column by column of voxels,
// then over the disc, each column weighed by its exact area within it.
//
// The axes (u, v, beam) are a cyclic permutation of (x, y, z), so that no beam is special.
#ifndef STZ_OBSERVE_TUBE_H
#define STZ_OBSERVE_TUBE_H

#include <stdint.h>

#include "lattice/grid.h"

typedef struct stz_columns {
  int u, v, beam; // axes
  int nu, nv;
  double spacing; // a, nm
  double *values; // nu x nv, v contiguous: integral of the field along the foil, nm times the field's unit
  int64_t *sums;  // nu x nv, work space
  double *length; // of each voxel along the beam within the foil, nm, work space
} stz_columns;

stz_err stz_columns_create(const stz_grid *grid, int beam, stz_columns *columns) STZ_MUST_USE;
void stz_columns_destroy(stz_columns *columns);

// Integrates `field` (one number per local site, constant over its voxel) over the foil [begin, begin + thickness)
// along the beam, periodic, for every column of the box. Collective; the same bits on any number of ranks, as the terms
// are rounded to multiples of 2^-40 and added as integers.
void stz_columns_fill(stz_columns *columns, const stz_grid *grid, const float *field, double begin, double thickness);

// Integral over the cylinder of radius `radius` whose axis passes through (u, v), nm^3 times the field's unit;
// periodic. The diameter must not exceed the sides of the box. Local.
double stz_columns_tube(const stz_columns *columns, double u, double v, double radius);

// Area of the part X > x, Y > y of the disc X^2 + Y^2 < radius^2.
double stz_disc_corner(double x, double y, double radius);

#endif
