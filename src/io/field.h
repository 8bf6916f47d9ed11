// SPDX-License-Identifier: GPL-3.0-or-later
//
// A field over the lattice from somebody's HDF5 file.
#ifndef STZ_IO_FIELD_H
#define STZ_IO_FIELD_H

#include "base/error.h"
#include "lattice/grid.h"

typedef struct stz_field {
  const char *path, *dataset;
  const char *axes; // in the order of its indices, "xyz" to "zyx"; "" as the dataset declares
} stz_field;

// Whether the file holds a dataset of numbers of the shape nx x ny x nz, or of its lengths in another order of axes:
// that given, or that declared by dimension labels or scales, or by a VTK image (/VTKHDF/PointData/..., z y x). Axes of
// one value beside these three do not count. Local, serial. The message names file, dataset and fault: STZ_EIO a file
// that cannot be opened or read, STZ_EINPUT another format than HDF5, no such dataset, another shape or type, a filter
// that HDF5 lacks, values that were never written or lie in other files. With `look` the values are read too, and
// handed to it a few planes at a time: `count` values from the site `first` on, as stz_grid_site counts; what it fails
// with is the outcome. `order`, if not NULL, receives the order of the axes.
typedef stz_err stz_field_look(void *context, int64_t first, int64_t count, const double *values);
stz_err stz_field_check(const stz_field *field, const int cells[3], stz_field_look *look, void *context,
                        char order[4]) STZ_MUST_USE;

// Reads it, whatever its type of number: `local` receives one number per local site. Collective: rank 0 reads, a few
// planes at a time, so that no rank ever holds more than a slab. Fails as above.
stz_err stz_field_read(const stz_grid *grid, const stz_field *field, double *local) STZ_MUST_USE;

#endif
