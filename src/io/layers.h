// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/io: not installed.
//
// A field between the ranks' slabs, [x][y][z], and a file of VTK's order on rank 0, [z][y][x]: a few planes z at a
// time, so that no rank ever holds a whole field.
#ifndef STZ_IO_LAYERS_H
#define STZ_IO_LAYERS_H

#include "base/error.h"
#include "lattice/grid.h"

typedef struct stz_layers {
  const stz_grid *grid;
  int depth;               // most planes at a time
  float *packed;           // this rank's, [x][y][z]
  float *gathered, *image; // rank 0's, [x][y][z] and [z][y][x]
  int *counts, *places;    // rank 0's: planes x of each rank, and the first
} stz_layers;

stz_err stz_layers_create(const stz_grid *grid, stz_layers *layers) STZ_MUST_USE; // local
void stz_layers_clear(stz_layers *layers);

// Brings the planes z0 <= z < z0 + depth of a field to rank 0, into `image`; or from there to all ranks. Collective.
void stz_layers_collect(stz_layers *layers, const float *local, int z0, int depth);
void stz_layers_hand_out(stz_layers *layers, int z0, int depth, float *local);

#endif
