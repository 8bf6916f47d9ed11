// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/micro: not installed.
//
// The two phases of a field, f > 0 and the rest: the area between them and whether they percolate.
#ifndef STZ_MICRO_TOPOLOGY_H
#define STZ_MICRO_TOPOLOGY_H

#include <stdbool.h>

#include "lattice/grid.h"

// Area of the level set f = 0 per volume, 1/nm, from the number N_L of phase changes per length of lattice line:
// S_V = 2 N_L (Saltykov), the mean over the three axes, which holds for isotropic structures. Two changes between
// neighbouring sites go unseen: for Gaussian random waves of wavelength lambda at lambda/a = 4.3 the estimate is low by
// 2.7 % where each phase has half the volume, by 8 % where one has 0.08; at lambda/a = 8.6 by 0.6 %. Collective.
// `f`: one number per local site.
stz_err stz_topology_interface(const stz_grid *grid, const double *f, double *per_nm) STZ_MUST_USE;

// Whether the phases f > 0 (percolates[1]) and f <= 0 (percolates[0]) percolate in the periodic box: for each axis
// there is a closed path of face neighbours in the phase that winds around the box along it. Collective. Planes are
// appended one after the other, rank after rank; a rank keeps the labels of three planes.
stz_err stz_topology_percolation(const stz_grid *grid, const double *f, bool percolates[2]) STZ_MUST_USE;

#endif
