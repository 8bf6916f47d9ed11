// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef STZ_LATTICE_PARAMS_H
#define STZ_LATTICE_PARAMS_H

typedef enum stz_boundary {
  STZ_BOUNDARY_PERIODIC,
  STZ_BOUNDARY_FILM // free surfaces at z = 0 and z = nz a; periodic along x and y
} stz_boundary;

typedef struct stz_lattice_params {
  int cells[3];      // voxels along x, y, z: multiples of 8, 16 to 1024; a film's z from 8 on
  double spacing_nm; // edge a of a voxel
  stz_boundary boundary;
} stz_lattice_params;

#endif
