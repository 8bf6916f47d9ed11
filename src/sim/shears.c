// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/shears.h"

#include "base/comm.h"
#include "base/memory.h"
#include "base/tensor.h"

static stz_err write_catalogue(stz_result *result, const stz_modes *modes) {
  double tensors[STZ_MODES][6];
  const int shape[2] = {modes->count, 6};
  for (int m = 0; m < modes->count; m++) stz_sym_from_dev(modes->p[m], tensors[m]);
  return stz_result_doubles(result, "/modes/catalogue", "1",
                            "P of each mode in the axes of its orientation cell: xx yy zz yz xz xy, tensor components",
                            2, shape, tensors[0]);
}

static stz_err write_cells(stz_result *result, const stz_glass *glass) {
  const int64_t sites = stz_grid_local_sites(stz_glass_grid(glass));
  float *entries = NULL;
  STZ_TRY(stz_agree(stz_grid_comm(stz_glass_grid(glass)), STZ_NEW(entries, sites)));
  for (int64_t i = 0; i < sites; i++) entries[i] = (float)stz_glass_rotation(glass)[i];
  const stz_err err =
      stz_result_field(result, "/modes/cells", "1", "entry of /modes/rotations at the start, a voxel each", entries);
  stz_free(entries);
  return err;
}

stz_err stz_shears_write(stz_result *result, const stz_glass *glass) {
  const stz_modes *modes = stz_glass_modes(glass);
  const int shape[2] = {modes->rotations, 9};
  STZ_TRY(write_catalogue(result, modes));
  STZ_TRY(stz_result_doubles(result, "/modes/rotations", "1",
                             "matrices R by rows: the axes x, y, z of an orientation cell in those of the box", 2,
                             shape, modes->rotation[0]));
  return modes->rotations > 1 ? write_cells(result, glass) : STZ_OK;
}
