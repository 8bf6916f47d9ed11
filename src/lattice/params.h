// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef STZ_LATTICE_PARAMS_H
#define STZ_LATTICE_PARAMS_H

typedef struct stz_lattice_params {
  int cells[3];      // voxels along x, y, z: multiples of 8, 16 to 512
  double spacing_nm; // edge a of a voxel
} stz_lattice_params;

#endif
