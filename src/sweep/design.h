// SPDX-License-Identifier: GPL-3.0-or-later
//
// The points of a sweep: the values that the axes take at each. A dimension is an axis, or a zipped group of axes.
//
// A grid has every combination, the last dimension running fastest. A Latin hypercube of n points has one point in each
// n-th of every dimension (M. D. McKay, R. J. Beckman, W. J. Conover, Technometrics 21, 239, 1979). Sobol's points get
// a random digital shift, since the first of them is a corner of the box. In both, a dimension of listed values is cut
// into as many equal parts.
#ifndef STZ_SWEEP_DESIGN_H
#define STZ_SWEEP_DESIGN_H

#include "config/sweep.h"

typedef struct stz_design stz_design;

// Local. Fails with STZ_EINPUT when there are more than STZ_SWEEP_RUNS runs. `spec` must outlive the design.
stz_err stz_design_create(const stz_sweep_spec *spec, stz_design **design) STZ_MUST_USE;
void stz_design_destroy(stz_design **design);

int stz_design_points(const stz_design *design); // number of points, without the seeds of each

// Dimensions, the one that an axis belongs to, and, in a grid, their sizes and a point's index along each.
int stz_design_dimensions(const stz_design *design);
int stz_design_dimension_of(const stz_design *design, int axis);
const char *stz_design_dimension_name(const stz_design *design, int dimension);
int stz_design_size(const stz_design *design, int dimension);
void stz_design_index(const stz_design *design, int point, int index[STZ_SWEEP_AXES]);

enum { STZ_NUMBER_SIZE = 32 };

// The value of an axis at a point, as an input has it; `number` is where it is printed if it comes from a range.
const char *stz_design_value(const stz_design *design, int point, int axis, char number[STZ_NUMBER_SIZE]);

#endif
