// SPDX-License-Identifier: GPL-3.0-or-later
//
// Snapshots, read back.
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/comm.h"
#include "base/memory.h"
#include "io/disk.h"
#include "io/hdf.h"
#include "io/layers.h"
#include "io/snapshot.h"

struct stz_snapshot_source {
  const stz_grid *grid;
  bool root;
  stz_hdf hdf; // rank 0's
};

#define ON_ROOT(s, call) stz_agree(stz_grid_comm((s)->grid), (s)->root ? (call) : STZ_OK)

// Each entry has one key "name", whose quotes no text inside can have.
static stz_err count_names(const char *stem, int *count) {
  static const char key[] = "\"name\":";
  char *path = NULL, *text = NULL;
  void *data = NULL;
  size_t bytes = 0;
  *count = 0;
  stz_err err = stz_snapshot_path(stem, -1, "", &path);
  if (err == STZ_OK) err = stz_disk_read(path, &data, &bytes);
  if (err == STZ_OK) err = STZ_NEW(text, bytes + 1);
  if (err == STZ_OK) {
    memcpy(text, data, bytes);
    for (const char *at = text; (at = strstr(at, key)); at++) ++*count;
  }
  stz_free(text);
  stz_free(data);
  stz_free(path);
  return err;
}

stz_err stz_snapshot_count(const stz_grid *grid, const char *stem, int *count) {
  STZ_TRY(stz_agree(stz_grid_comm(grid), stz_grid_rank(grid) == 0 ? count_names(stem, count) : STZ_OK));
  MPI_Bcast(count, 1, MPI_INT, 0, stz_grid_comm(grid));
  return STZ_OK;
}

static stz_err open_file(const char *stem, int index, stz_hdf *hdf) {
  char *path = NULL;
  STZ_TRY(stz_snapshot_path(stem, index, "", &path));
  const stz_err err = stz_hdf_open(path, hdf);
  stz_free(path);
  return err;
}

stz_err stz_snapshot_open(const stz_grid *grid, const char *stem, int index, stz_snapshot_source **source) {
  stz_snapshot_source *s = NULL;
  *source = NULL;
  STZ_TRY(stz_agree(stz_grid_comm(grid), STZ_NEW(s, 1)));
  *s = (stz_snapshot_source){.grid = grid, .root = stz_grid_rank(grid) == 0, .hdf.file = -1};
  *source = s;
  const stz_err err = ON_ROOT(s, open_file(stem, index, &s->hdf));
  if (err != STZ_OK) stz_snapshot_close(source);
  return err;
}

void stz_snapshot_close(stz_snapshot_source **source) {
  if (!*source) return;
  (void)!stz_hdf_close(&(*source)->hdf); // nothing was written
  stz_free(*source);
  *source = NULL;
}

static stz_err read_number(const stz_hdf *hdf, const char *object, const char *name, double *value) {
  if (stz_hdf_numbers(hdf->file, object, name, H5T_NATIVE_DOUBLE, 1, value)) return STZ_OK;
  return stz_fail(STZ_EIO, "%s: %s: no attribute %s", hdf->path, object, name);
}

stz_err stz_snapshot_read_number(stz_snapshot_source *s, const char *object, const char *name, double *value) {
  STZ_TRY(ON_ROOT(s, read_number(&s->hdf, object, name, value)));
  MPI_Bcast(value, 1, MPI_DOUBLE, 0, stz_grid_comm(s->grid));
  return STZ_OK;
}

stz_err stz_snapshot_read_text(stz_snapshot_source *s, const char *path, char **text) {
  *text = NULL;
  return ON_ROOT(s, stz_hdf_read_text(&s->hdf, path, text));
}

// Opens a dataset of `rank` dimensions; the extent of each that is given (not 0) must be that one. Else they are found.
static stz_err open_dataset(const stz_hdf *hdf, const char *path, int rank, hsize_t *extent, hid_t *dataset) {
  hsize_t found[H5S_MAX_RANK];
  *dataset = H5Dopen2(hdf->file, path, H5P_DEFAULT);
  if (*dataset < 0) return stz_hdf_fail(hdf, path);
  const hid_t space = H5Dget_space(*dataset);
  bool fits = H5Sget_simple_extent_ndims(space) == rank && H5Sget_simple_extent_dims(space, found, NULL) == rank;
  H5Sclose(space);
  for (int d = 0; d < rank && fits; d++) {
    fits = extent[d] == 0 || extent[d] == found[d];
    extent[d] = found[d];
  }
  if (fits) return STZ_OK;
  H5Dclose(*dataset);
  return stz_fail(STZ_EIO, "%s: %s: of another shape than this lattice or table has", hdf->path, path);
}

static stz_err open_array(const stz_snapshot_source *s, const char *path, hid_t *dataset) {
  const int *cells = stz_grid_cells(s->grid);
  hsize_t extent[3] = {(hsize_t)cells[2], (hsize_t)cells[1], (hsize_t)cells[0]};
  return open_dataset(&s->hdf, path, 3, extent, dataset);
}

static stz_err read_layers(const stz_snapshot_source *s, const char *path, hid_t dataset, int z0, int depth,
                           float *image) {
  const int *cells = stz_grid_cells(s->grid);
  const hsize_t from[3] = {(hsize_t)z0, 0, 0}, count[3] = {(hsize_t)depth, (hsize_t)cells[1], (hsize_t)cells[0]};
  const hid_t memory = H5Screate_simple(3, count, NULL), file = H5Dget_space(dataset);
  H5Sselect_hyperslab(file, H5S_SELECT_SET, from, NULL, count, NULL);
  const bool good = H5Dread(dataset, H5T_NATIVE_FLOAT, memory, file, H5P_DEFAULT, image) >= 0;
  const stz_err err = good ? STZ_OK : stz_hdf_fail(&s->hdf, path);
  H5Sclose(file);
  H5Sclose(memory);
  return err;
}

stz_err stz_snapshot_read_field(stz_snapshot_source *s, const char *name, float *local) {
  const int height = stz_grid_cells(s->grid)[2];
  char path[128];
  hid_t dataset = -1;
  stz_layers l = {0};
  snprintf(path, sizeof path, "/VTKHDF/PointData/%s", name);
  stz_err err = stz_agree(stz_grid_comm(s->grid), stz_layers_create(s->grid, &l));
  if (err == STZ_OK) err = ON_ROOT(s, open_array(s, path, &dataset));
  if (err == STZ_OK) {
    stz_err reading = STZ_OK;
    for (int z = 0; z < height; z += l.depth) {
      const int depth = height - z < l.depth ? height - z : l.depth;
      if (s->root && reading == STZ_OK) reading = read_layers(s, path, dataset, z, depth, l.image);
      stz_layers_hand_out(&l, z, depth, local);
    }
    if (s->root) H5Dclose(dataset);
    err = ON_ROOT(s, reading);
  }
  stz_layers_clear(&l);
  return err;
}

static stz_err read_rows(const stz_hdf *hdf, const char *path, int width, int *count, double **values) {
  hsize_t extent[2] = {0, width > 1 ? (hsize_t)width : 0};
  hid_t dataset;
  STZ_TRY(open_dataset(hdf, path, width > 1 ? 2 : 1, extent, &dataset));
  *count = (int)extent[0];
  stz_err err = STZ_NEW(*values, extent[0] * (hsize_t)width);
  if (err == STZ_OK && H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, *values) < 0) {
    err = stz_hdf_fail(hdf, path);
  }
  H5Dclose(dataset);
  return err;
}

stz_err stz_snapshot_read_rows(stz_snapshot_source *s, const char *path, int width, int *count, double **values) {
  *count = 0;
  *values = NULL;
  const stz_err err = ON_ROOT(s, read_rows(&s->hdf, path, width, count, values));
  if (err != STZ_OK) {
    stz_free(*values);
    *values = NULL;
  }
  return err;
}
