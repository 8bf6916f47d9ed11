// SPDX-License-Identifier: GPL-3.0-or-later
#include "io/field.h"

#include <stdio.h>
#include <string.h>

#include "base/comm.h"
#include "base/memory.h"
#include "io/hdf.h"

static stz_err check_dataset(const stz_hdf *hdf, const char *name, hid_t dataset, const int cells[3]) {
  const hid_t type = H5Dget_type(dataset), space = H5Dget_space(dataset);
  const H5T_class_t kind = H5Tget_class(type);
  const int rank = H5Sget_simple_extent_ndims(space);
  hsize_t dims[H5S_MAX_RANK] = {0};
  H5Sget_simple_extent_dims(space, dims, NULL);
  H5Sclose(space);
  H5Tclose(type);
  if (kind != H5T_FLOAT && kind != H5T_INTEGER) {
    return stz_fail(STZ_EINPUT, "%s: %s: got something else than numbers", hdf->path, name);
  }
  char got[80] = "a scalar";
  for (int axis = 0, at = 0; axis < rank && at < (int)sizeof got; axis++) {
    at += snprintf(got + at, sizeof got - (size_t)at, "%s%llu", axis ? " x " : "", (unsigned long long)dims[axis]);
  }
  bool fits = rank == 3;
  for (int axis = 0; axis < 3; axis++) fits = fits && dims[axis] == (hsize_t)cells[axis];
  if (fits) return STZ_OK;
  return stz_fail(STZ_EINPUT, "%s: %s: got %s values, needs %d x %d x %d, the lattice's cells", hdf->path, name, got,
                  cells[0], cells[1], cells[2]);
}

// Opens the file and the dataset; on success the caller closes both.
static stz_err open_dataset(const char *path, const char *name, const int cells[3], stz_hdf *hdf, hid_t *dataset) {
  STZ_TRY(stz_hdf_open(path, hdf));
  *dataset = H5Dopen2(hdf->file, name, H5P_DEFAULT);
  const stz_err err = *dataset < 0 ? stz_fail(STZ_EINPUT, "%s: %s: got no dataset of this name", path, name)
                                   : check_dataset(hdf, name, *dataset, cells);
  if (err == STZ_OK) return STZ_OK;
  if (*dataset >= 0) H5Dclose(*dataset);
  (void)!stz_hdf_close(hdf);
  return err;
}

stz_err stz_field_check(const char *path, const char *name, const int cells[3]) {
  stz_hdf hdf;
  hid_t dataset;
  STZ_TRY(open_dataset(path, name, cells, &hdf, &dataset));
  H5Dclose(dataset);
  return stz_hdf_close(&hdf);
}

// Reads the planes one after the other and hands them to their owners. A failure sends on, so that no rank waits.
static stz_err hand_out(const stz_grid *grid, const stz_hdf *hdf, const char *name, hid_t dataset, double *plane,
                        double *local) {
  const int *cells = stz_grid_cells(grid);
  const hsize_t count[3] = {1, (hsize_t)cells[1], (hsize_t)cells[2]};
  const hid_t space = H5Dget_space(dataset), memory = H5Screate_simple(3, count, NULL);
  const int sites = cells[1] * cells[2];
  stz_err err = STZ_OK;
  for (int x = 0; x < cells[0]; x++) {
    const hsize_t start[3] = {(hsize_t)x, 0, 0};
    const int owner = stz_grid_owner(grid, x);
    double *to = owner == 0 ? local + (size_t)x * (size_t)sites : plane;
    H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL);
    if (err == STZ_OK && H5Dread(dataset, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, to) < 0) {
      err = stz_hdf_fail(hdf, name);
    }
    if (owner != 0) MPI_Send(plane, sites, MPI_DOUBLE, owner, x, stz_grid_comm(grid));
  }
  H5Sclose(memory);
  H5Sclose(space);
  return err;
}

stz_err stz_field_read(const stz_grid *grid, const char *path, const char *name, double *local) {
  const int *cells = stz_grid_cells(grid);
  const int sites = cells[1] * cells[2];
  const MPI_Comm comm = stz_grid_comm(grid);
  const bool root = stz_grid_rank(grid) == 0;
  stz_hdf hdf = {.file = -1};
  hid_t dataset = -1;
  double *plane = NULL;
  stz_err err = STZ_NEW(plane, sites);
  if (err == STZ_OK && root) err = open_dataset(path, name, cells, &hdf, &dataset);
  err = stz_agree(comm, err);
  if (err == STZ_OK) {
    if (root) err = hand_out(grid, &hdf, name, dataset, plane, local);
    for (int i = 0; !root && i < stz_grid_planes(grid); i++) {
      MPI_Recv(local + (size_t)i * (size_t)sites, sites, MPI_DOUBLE, 0, stz_grid_first_plane(grid) + i, comm,
               MPI_STATUS_IGNORE);
    }
    err = stz_agree(comm, err);
  }
  stz_free(plane);
  if (hdf.file < 0) return err;
  H5Dclose(dataset);
  (void)!stz_hdf_close(&hdf); // read in full, or the reason is known
  return err;
}
