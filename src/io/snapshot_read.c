// SPDX-License-Identifier: GPL-3.0-or-later
//
// Snapshots, read back.
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/comm.h"
#include "base/memory.h"
#include "io/disk.h"
#include "io/layers.h"
#include "io/reader.h"
#include "io/snapshot.h"

struct stz_snapshot_source {
  const stz_grid *grid;
  bool root;
  stz_reader *file; // rank 0's
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

static stz_err open_file(const char *stem, int index, stz_reader **file) {
  char *path = NULL;
  STZ_TRY(stz_snapshot_path(stem, index, "", &path));
  const stz_err err = stz_reader_open(path, file);
  stz_free(path);
  return err;
}

stz_err stz_snapshot_open(const stz_grid *grid, const char *stem, int index, stz_snapshot_source **source) {
  stz_snapshot_source *s = NULL;
  *source = NULL;
  STZ_TRY(stz_agree(stz_grid_comm(grid), STZ_NEW(s, 1)));
  *s = (stz_snapshot_source){.grid = grid, .root = stz_grid_rank(grid) == 0};
  *source = s;
  const stz_err err = ON_ROOT(s, open_file(stem, index, &s->file));
  if (err != STZ_OK) stz_snapshot_close(source);
  return err;
}

void stz_snapshot_close(stz_snapshot_source **source) {
  if (!*source) return;
  (void)!stz_reader_close(&(*source)->file); // what could not be read is known
  stz_free(*source);
  *source = NULL;
}

static stz_err read_number(stz_reader *file, const char *object, const char *name, double *value) {
  if (stz_reader_numbers(file, object, name, STZ_NUMBER_DOUBLE, 1, value)) return STZ_OK;
  return stz_fail(STZ_EIO, "%s: %s: no attribute %s", stz_reader_path(file), object, name);
}

stz_err stz_snapshot_read_number(stz_snapshot_source *s, const char *object, const char *name, double *value) {
  STZ_TRY(ON_ROOT(s, read_number(s->file, object, name, value)));
  MPI_Bcast(value, 1, MPI_DOUBLE, 0, stz_grid_comm(s->grid));
  return STZ_OK;
}

stz_err stz_snapshot_read_text(stz_snapshot_source *s, const char *path, char **text) {
  *text = NULL;
  return ON_ROOT(s, stz_reader_text(s->file, path, text));
}

// Looks at a dataset of `rank` dimensions; the extent of each that is given (not 0) must be that one. Else they are
// found.
static stz_err find_extent(stz_reader *file, const char *path, int rank, uint64_t *extent) {
  stz_shape shape;
  STZ_TRY(stz_reader_shape(file, path, &shape));
  if (!shape.there) return stz_fail(STZ_EIO, "%s: %s: there is no such dataset", stz_reader_path(file), path);
  bool fits = shape.numbers && shape.rank == rank && !shape.partly && !shape.outside;
  for (int d = 0; d < rank && fits; d++) {
    fits = extent[d] == 0 || extent[d] == shape.extent[d];
    extent[d] = shape.extent[d];
  }
  if (fits) return STZ_OK;
  return stz_fail(STZ_EIO, "%s: %s: of another shape than this lattice or table has", stz_reader_path(file), path);
}

static stz_err check_array(const stz_snapshot_source *s, const char *path) {
  const int *cells = stz_grid_cells(s->grid);
  uint64_t extent[3] = {(uint64_t)cells[2], (uint64_t)cells[1], (uint64_t)cells[0]};
  return find_extent(s->file, path, 3, extent);
}

static stz_err read_layers(const stz_snapshot_source *s, const char *path, int z0, int depth, float *image) {
  const int *cells = stz_grid_cells(s->grid);
  const uint64_t from[3] = {(uint64_t)z0, 0, 0}, count[3] = {(uint64_t)depth, (uint64_t)cells[1], (uint64_t)cells[0]};
  return stz_reader_block(s->file, path, STZ_NUMBER_FLOAT, 3, from, count, image);
}

stz_err stz_snapshot_read_field(stz_snapshot_source *s, const char *name, float *local) {
  const int height = stz_grid_cells(s->grid)[2];
  char path[128];
  stz_layers l = {0};
  snprintf(path, sizeof path, "/VTKHDF/PointData/%s", name);
  stz_err err = stz_agree(stz_grid_comm(s->grid), stz_layers_create(s->grid, &l));
  if (err == STZ_OK) err = ON_ROOT(s, check_array(s, path));
  if (err == STZ_OK) {
    stz_err reading = STZ_OK;
    for (int z = 0; z < height; z += l.depth) {
      const int depth = height - z < l.depth ? height - z : l.depth;
      if (s->root && reading == STZ_OK) reading = read_layers(s, path, z, depth, l.image);
      stz_layers_hand_out(&l, z, depth, local);
    }
    err = ON_ROOT(s, reading);
  }
  stz_layers_clear(&l);
  return err;
}

static stz_err read_rows(const stz_snapshot_source *s, const char *path, int width, int *count, double **values) {
  enum { MOST_A_SITE = 256 }; // clusters
  static const uint64_t begin[2] = {0, 0};
  const int *cells = stz_grid_cells(s->grid);
  const uint64_t most = MOST_A_SITE * (uint64_t)cells[0] * (uint64_t)cells[1] * (uint64_t)cells[2];
  const int rank = width > 1 ? 2 : 1;
  uint64_t extent[2] = {0, width > 1 ? (uint64_t)width : 0};
  STZ_TRY(find_extent(s->file, path, rank, extent));
  if (extent[0] > most || extent[0] > INT_MAX / 3) {
    return stz_fail(STZ_EIO, "%s: %s: claims to have %llu rows", stz_reader_path(s->file), path,
                    (unsigned long long)extent[0]);
  }
  *count = (int)extent[0];
  STZ_TRY(STZ_NEW(*values, extent[0] * (uint64_t)width));
  return extent[0] > 0 ? stz_reader_block(s->file, path, STZ_NUMBER_DOUBLE, rank, begin, extent, *values) : STZ_OK;
}

stz_err stz_snapshot_read_rows(stz_snapshot_source *s, const char *path, int width, int *count, double **values) {
  *count = 0;
  *values = NULL;
  const stz_err err = ON_ROOT(s, read_rows(s, path, width, count, values));
  if (err != STZ_OK) {
    stz_free(*values);
    *values = NULL;
  }
  return err;
}
