// SPDX-License-Identifier: GPL-3.0-or-later
#include "io/layers.h"

#include <stdbool.h>
#include <string.h>

#include "base/memory.h"

enum { LAYER_FLOATS = 1 << 14, LAYER_PLANES = 8 }; // at a time: the larger of both

stz_err stz_layers_create(const stz_grid *grid, stz_layers *l) {
  const int *cells = stz_grid_cells(grid), ranks = stz_grid_ranks(grid), plane = cells[0] * cells[1];
  *l = (stz_layers){.grid = grid};
  l->depth = plane * LAYER_PLANES < LAYER_FLOATS ? LAYER_FLOATS / plane : LAYER_PLANES;
  if (l->depth > cells[2]) l->depth = cells[2];
  STZ_TRY(STZ_NEW(l->packed, (size_t)stz_grid_planes(grid) * (size_t)cells[1] * (size_t)l->depth));
  if (stz_grid_rank(grid) != 0) return STZ_OK;
  STZ_TRY(STZ_NEW(l->gathered, (size_t)plane * (size_t)l->depth));
  STZ_TRY(STZ_NEW(l->image, (size_t)plane * (size_t)l->depth));
  STZ_TRY(STZ_NEW(l->counts, ranks));
  STZ_TRY(STZ_NEW(l->places, ranks));
  for (int x = 0; x < cells[0]; x++) l->counts[stz_grid_owner(grid, x)]++;
  for (int r = 1; r < ranks; r++) l->places[r] = l->places[r - 1] + l->counts[r - 1];
  return STZ_OK;
}

void stz_layers_clear(stz_layers *l) {
  stz_free(l->packed);
  stz_free(l->gathered);
  stz_free(l->image);
  stz_free(l->counts);
  stz_free(l->places);
  *l = (stz_layers){0};
}

// The part of one plane x.
static MPI_Datatype slice_type(const stz_layers *l, int depth) {
  MPI_Datatype slice;
  MPI_Type_contiguous(stz_grid_cells(l->grid)[1] * depth, MPI_FLOAT, &slice);
  MPI_Type_commit(&slice);
  return slice;
}

// Turns `gathered` into `image`, or back.
static void turn(stz_layers *l, int depth, bool to_image) {
  const int *cells = stz_grid_cells(l->grid);
  for (int x = 0; x < cells[0]; x++) {
    for (int y = 0; y < cells[1]; y++) {
      float *line = l->gathered + ((size_t)x * (size_t)cells[1] + (size_t)y) * (size_t)depth;
      for (int z = 0; z < depth; z++) {
        float *voxel = l->image + ((size_t)z * (size_t)cells[1] + (size_t)y) * (size_t)cells[0] + x;
        if (to_image) {
          *voxel = line[z];
        } else {
          line[z] = *voxel;
        }
      }
    }
  }
}

void stz_layers_collect(stz_layers *l, const float *local, int z0, int depth) {
  const int *cells = stz_grid_cells(l->grid), rows = stz_grid_planes(l->grid) * cells[1];
  MPI_Datatype slice = slice_type(l, depth);
  for (int row = 0; row < rows; row++) {
    memcpy(l->packed + (size_t)row * (size_t)depth, local + (size_t)row * (size_t)cells[2] + z0,
           (size_t)depth * sizeof *local);
  }
  MPI_Gatherv(l->packed, stz_grid_planes(l->grid), slice, l->gathered, l->counts, l->places, slice, 0,
              stz_grid_comm(l->grid));
  MPI_Type_free(&slice);
  if (l->image) turn(l, depth, true);
}

void stz_layers_hand_out(stz_layers *l, int z0, int depth, float *local) {
  const int *cells = stz_grid_cells(l->grid), rows = stz_grid_planes(l->grid) * cells[1];
  MPI_Datatype slice = slice_type(l, depth);
  if (l->image) turn(l, depth, false);
  MPI_Scatterv(l->gathered, l->counts, l->places, slice, l->packed, stz_grid_planes(l->grid), slice, 0,
               stz_grid_comm(l->grid));
  MPI_Type_free(&slice);
  for (int row = 0; row < rows; row++) {
    memcpy(local + (size_t)row * (size_t)cells[2] + z0, l->packed + (size_t)row * (size_t)depth,
           (size_t)depth * sizeof *local);
  }
}
