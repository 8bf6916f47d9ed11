// SPDX-License-Identifier: GPL-3.0-or-later
//
// A field over the lattice from somebody's HDF5 file.
#ifndef STZ_IO_FIELD_H
#define STZ_IO_FIELD_H

#include "base/error.h"
#include "lattice/grid.h"

// Whether the file holds a dataset of numbers of the shape nx x ny x nz, or nz x ny x nx if it declares that order: in
// a VTK image (/VTKHDF/PointData/...), or by its dimension labels or scales. Axes of one value beside these three do
// not count. Local, serial. The message names file, dataset and fault: STZ_EIO a file that cannot be opened or read,
// STZ_EINPUT no such dataset, another shape or type, values that were never written or lie in other files. With `look`
// the values are read too, and handed to it a few planes at a time: `count` values from the site `first` on, as
// stz_grid_site counts; what it fails with is the outcome.
typedef stz_err stz_field_look(const int cells[3], int64_t first, int64_t count, const double *values);
stz_err stz_field_check(const char *path, const char *dataset, const int cells[3], stz_field_look *look) STZ_MUST_USE;

// Reads it, whatever its type of number: `local` receives one number per local site. Collective: rank 0 reads, a few
// planes at a time, so that no rank ever holds more than a slab. Fails as above.
stz_err stz_field_read(const stz_grid *grid, const char *path, const char *dataset, double *local) STZ_MUST_USE;

#endif
