// SPDX-License-Identifier: GPL-3.0-or-later
//
// An event in a sample on several ranks, without an engine.
#ifndef STZ_TESTS_MPI_SHEAR_H
#define STZ_TESTS_MPI_SHEAR_H

#include <mpi.h>

#include "glass/glass.h"

// The same event on every rank: the site's owner says where it stands.
static inline void shear_all(stz_glass *glass, stz_shear *shear, double strain[6]) {
  const stz_grid *grid = stz_glass_grid(glass);
  int xyz[3];
  stz_grid_coords(grid, shear->site, xyz);
  const int owner = stz_grid_owner(grid, xyz[0]);
  if (owner == stz_grid_rank(grid)) stz_glass_locate(glass, shear);
  MPI_Bcast(shear, sizeof *shear, MPI_BYTE, owner, stz_grid_comm(grid));
  stz_glass_shear(glass, shear, strain);
}

#endif
