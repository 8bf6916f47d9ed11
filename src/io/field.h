// SPDX-License-Identifier: GPL-3.0-or-later
//
// A field over the lattice from somebody's HDF5 file.
#ifndef STZ_IO_FIELD_H
#define STZ_IO_FIELD_H

#include "base/error.h"
#include "lattice/grid.h"

// Whether the file holds a dataset of numbers of the shape nx x ny x nz. Local, serial. The message names file, dataset
// and fault: STZ_EIO a file that cannot be opened, STZ_EINPUT no such dataset, another shape or type.
stz_err stz_field_check(const char *path, const char *dataset, const int cells[3]) STZ_MUST_USE;

// Reads it, whatever its type of number: value [x][y][z] is voxel (x, y, z)'s. `local` receives one number a local
// site. Collective: rank 0 reads, plane by plane, so that no rank ever holds more than a slab. Fails as above.
stz_err stz_field_read(const stz_grid *grid, const char *path, const char *dataset, double *local) STZ_MUST_USE;

#endif
