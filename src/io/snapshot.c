// SPDX-License-Identifier: GPL-3.0-or-later
#include "io/snapshot.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/comm.h"
#include "base/memory.h"
#include "io/disk.h"
#include "io/hdf.h"

enum { LAYER_FLOATS = 1 << 14, LAYER_PLANES = 8 }; // collected at a time: the larger of both

struct stz_snapshot {
  const stz_grid *grid;
  bool root;
  char *path, *temporary;
  stz_hdf hdf; // rank 0's
};

#define ON_ROOT(s, call) stz_agree(stz_grid_comm((s)->grid), (s)->root ? stz_hdf_outcome(&(s)->hdf, (call)) : STZ_OK)

// STEM.0007.hdf, or STEM.hdf.series for -1.
static stz_err path_of(const char *stem, int index, const char *suffix, char **path) {
  const size_t size = strlen(stem) + 48;
  STZ_TRY(STZ_NEW(*path, size));
  if (index < 0) {
    snprintf(*path, size, "%s.hdf.series%s", stem, suffix);
  } else {
    snprintf(*path, size, "%s.%04d.hdf%s", stem, index, suffix);
  }
  return STZ_OK;
}

static stz_err vacant(const char *stem, int count) {
  stz_err err = STZ_OK;
  for (int i = -1; err == STZ_OK && i < count; i++) {
    char *path;
    STZ_TRY(path_of(stem, i, "", &path));
    if (access(path, F_OK) == 0) err = stz_fail(STZ_EIO, "%s: exists already; --force replaces it", path);
    stz_free(path);
  }
  return err;
}

stz_err stz_snapshot_vacant(const stz_grid *grid, const char *stem, int count) {
  return stz_agree(stz_grid_comm(grid), stz_grid_rank(grid) == 0 ? vacant(stem, count) : STZ_OK);
}

void stz_snapshot_abandon(stz_snapshot **snapshot) {
  stz_snapshot *s = *snapshot;
  if (!s) return;
  if (s->root && s->hdf.file >= 0) {
    (void)!stz_hdf_close(&s->hdf);
    unlink(s->temporary);
  }
  stz_free(s->path);
  stz_free(s->temporary);
  stz_free(s);
  *snapshot = NULL;
}

// The attributes that make a file an image to VTK. The type must be a text of fixed length in ASCII.
static stz_err describe_image(const stz_grid *grid, const stz_hdf *hdf) {
  static const char object[] = "/VTKHDF", type[] = "ImageData";
  static const int64_t version[2] = {1, 0};
  static const double direction[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
  const int *cells = stz_grid_cells(grid);
  const int64_t extent[6] = {0, cells[0] - 1, 0, cells[1] - 1, 0, cells[2] - 1};
  const double a = stz_grid_spacing(grid), origin[3] = {0.5 * a, 0.5 * a, 0.5 * a}, spacing[3] = {a, a, a};
  STZ_TRY(stz_hdf_attribute(hdf, object, "Version", H5T_NATIVE_INT64, 2, version));
  STZ_TRY(stz_hdf_attribute(hdf, object, "WholeExtent", H5T_NATIVE_INT64, 6, extent));
  STZ_TRY(stz_hdf_attribute(hdf, object, "Origin", H5T_NATIVE_DOUBLE, 3, origin));
  STZ_TRY(stz_hdf_attribute(hdf, object, "Spacing", H5T_NATIVE_DOUBLE, 3, spacing));
  STZ_TRY(stz_hdf_attribute(hdf, object, "Direction", H5T_NATIVE_DOUBLE, 9, direction));
  const hid_t ascii = H5Tcopy(H5T_C_S1);
  H5Tset_size(ascii, sizeof type - 1);
  H5Tset_strpad(ascii, H5T_STR_NULLPAD);
  const stz_err err = stz_hdf_attribute(hdf, object, "Type", ascii, 0, type);
  H5Tclose(ascii);
  return err;
}

static stz_err begin(stz_snapshot *s) {
  STZ_TRY(stz_hdf_create(s->temporary, true, &s->hdf));
  STZ_TRY(describe_image(s->grid, &s->hdf));
  return stz_hdf_publish(&s->hdf);
}

stz_err stz_snapshot_create(const stz_grid *grid, const char *stem, int index, stz_snapshot **snapshot) {
  stz_snapshot *s = NULL;
  stz_err err = STZ_NEW(s, 1);
  if (err == STZ_OK) {
    *s = (stz_snapshot){.grid = grid, .root = stz_grid_rank(grid) == 0, .hdf.file = -1};
    err = path_of(stem, index, "", &s->path);
    if (err == STZ_OK) err = path_of(stem, index, ".writing", &s->temporary);
  }
  *snapshot = s;
  err = stz_agree(stz_grid_comm(grid), err);
  if (err == STZ_OK) err = ON_ROOT(s, begin(s));
  if (err != STZ_OK) stz_snapshot_abandon(snapshot);
  return err;
}

static stz_err close_and_rename(stz_snapshot *s) {
  stz_err err = stz_hdf_close(&s->hdf);
  if (err == STZ_OK) err = stz_disk_rename(s->temporary, s->path);
  if (err != STZ_OK) unlink(s->temporary);
  return err;
}

stz_err stz_snapshot_commit(stz_snapshot **snapshot) {
  stz_snapshot *s = *snapshot;
  const stz_err err = stz_agree(stz_grid_comm(s->grid), s->root ? close_and_rename(s) : STZ_OK);
  stz_snapshot_abandon(snapshot);
  return err;
}

stz_err stz_snapshot_number(stz_snapshot *snapshot, const char *name, double value) {
  return ON_ROOT(snapshot, stz_hdf_attribute(&snapshot->hdf, "/", name, H5T_NATIVE_DOUBLE, 0, &value));
}

// --- fields ---

// The planes z0 <= z < z0 + depth of a field on their way: packed as [x][y][z] by each rank, in that order on rank 0,
// then turned there into VTK's [z][y][x].
typedef struct layers {
  int depth;               // most planes at a time
  float *packed;           // this rank's
  float *gathered, *image; // rank 0's
  int *counts, *places;    // rank 0's: planes x of each rank, and the first
} layers;

static stz_err layers_new(const stz_grid *grid, layers *l) {
  const int *cells = stz_grid_cells(grid), ranks = stz_grid_ranks(grid), plane = cells[0] * cells[1];
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

static void layers_clear(layers *l) {
  stz_free(l->packed);
  stz_free(l->gathered);
  stz_free(l->image);
  stz_free(l->counts);
  stz_free(l->places);
}

// Brings `depth` planes from z0 on to rank 0, into l->image. Collective.
static void collect(const stz_grid *grid, const float *local, int z0, int depth, layers *l) {
  const int *cells = stz_grid_cells(grid), rows = stz_grid_planes(grid) * cells[1];
  MPI_Datatype slice;
  for (int row = 0; row < rows; row++) {
    memcpy(l->packed + (size_t)row * (size_t)depth, local + (size_t)row * (size_t)cells[2] + z0,
           (size_t)depth * sizeof *local);
  }
  MPI_Type_contiguous(cells[1] * depth, MPI_FLOAT, &slice); // of one plane x
  MPI_Type_commit(&slice);
  MPI_Gatherv(l->packed, stz_grid_planes(grid), slice, l->gathered, l->counts, l->places, slice, 0,
              stz_grid_comm(grid));
  MPI_Type_free(&slice);
  if (!l->image) return;
  for (int x = 0; x < cells[0]; x++) {
    for (int y = 0; y < cells[1]; y++) {
      const float *line = l->gathered + ((size_t)x * (size_t)cells[1] + (size_t)y) * (size_t)depth;
      for (int z = 0; z < depth; z++)
        l->image[((size_t)z * (size_t)cells[1] + (size_t)y) * (size_t)cells[0] + x] = line[z];
    }
  }
}

static stz_err write_layers(const stz_snapshot *s, const char *path, hid_t dataset, int z0, int depth,
                            const float *image) {
  const int *cells = stz_grid_cells(s->grid);
  const hsize_t from[3] = {(hsize_t)z0, 0, 0}, count[3] = {(hsize_t)depth, (hsize_t)cells[1], (hsize_t)cells[0]};
  const hid_t memory = H5Screate_simple(3, count, NULL), file = H5Dget_space(dataset);
  H5Sselect_hyperslab(file, H5S_SELECT_SET, from, NULL, count, NULL);
  const bool good = H5Dwrite(dataset, H5T_NATIVE_FLOAT, memory, file, H5P_DEFAULT, image) >= 0;
  const stz_err err = good ? STZ_OK : stz_hdf_fail(&s->hdf, path);
  H5Sclose(file);
  H5Sclose(memory);
  return err;
}

static stz_err create_array(const stz_snapshot *s, const char *path, const char *unit, const char *description,
                            hid_t *dataset) {
  const int *cells = stz_grid_cells(s->grid);
  const hsize_t extent[3] = {(hsize_t)cells[2], (hsize_t)cells[1], (hsize_t)cells[0]};
  return stz_hdf_dataset(&s->hdf, path, unit, description, H5T_NATIVE_FLOAT, 3, extent, NULL, H5P_DEFAULT, dataset);
}

stz_err stz_snapshot_field(stz_snapshot *snapshot, const char *name, const char *unit, const char *description,
                           const float *local) {
  const int height = stz_grid_cells(snapshot->grid)[2];
  char path[128];
  hid_t dataset = -1;
  layers l = {0};
  snprintf(path, sizeof path, "/VTKHDF/PointData/%s", name);
  stz_err err = stz_agree(stz_grid_comm(snapshot->grid), layers_new(snapshot->grid, &l));
  if (err == STZ_OK) err = ON_ROOT(snapshot, create_array(snapshot, path, unit, description, &dataset));
  if (err == STZ_OK) {
    stz_err writing = STZ_OK;
    for (int z = 0; z < height; z += l.depth) {
      const int depth = height - z < l.depth ? height - z : l.depth;
      collect(snapshot->grid, local, z, depth, &l);
      if (snapshot->root && writing == STZ_OK) writing = write_layers(snapshot, path, dataset, z, depth, l.image);
    }
    if (snapshot->root) H5Dclose(dataset);
    err = ON_ROOT(snapshot, writing);
  }
  layers_clear(&l);
  return err;
}

// --- the list ---

// A JSON text; names of files are bytes, and control characters among them are written as JSON asks.
static void print_json_text(const char *text, FILE *out) {
  fputc('"', out);
  for (; *text; text++) {
    const unsigned char c = (unsigned char)*text;
    if (c == '"' || c == '\\') fputc('\\', out);
    if (c < 0x20) {
      fprintf(out, "\\u%04x", c);
    } else {
      fputc(c, out);
    }
  }
  fputc('"', out);
}

static stz_err print_series(const char *stem, int count, const double *times_s, FILE *out) {
  fputs("{\n  \"file-series-version\": \"1.0\",\n  \"files\": [", out);
  for (int i = 0; i < count; i++) {
    char *path;
    STZ_TRY(path_of(stem, i, "", &path));
    const char *slash = strrchr(path, '/');
    fputs(i > 0 ? ",\n    { \"name\": " : "\n    { \"name\": ", out);
    print_json_text(slash ? slash + 1 : path, out);
    fprintf(out, ", \"time\": %.17g }", times_s[i]);
    stz_free(path);
  }
  fputs("\n  ]\n}\n", out);
  return STZ_OK;
}

static stz_err write_series(const char *stem, int count, const double *times_s) {
  char *path = NULL, *text = NULL;
  const size_t size = 100 + (size_t)count * (6 * strlen(stem) + 80);
  stz_err err = path_of(stem, -1, "", &path);
  if (err == STZ_OK) err = STZ_NEW(text, size);
  FILE *out = err == STZ_OK ? fmemopen(text, size, "w") : NULL;
  if (err == STZ_OK && !out) err = stz_fail(STZ_EINTERNAL, "out of memory");
  if (out) {
    err = print_series(stem, count, times_s, out);
    fclose(out);
  }
  if (err == STZ_OK) err = stz_disk_replace(path, text, strlen(text));
  stz_free(text);
  stz_free(path);
  return err;
}

stz_err stz_snapshot_series(const stz_grid *grid, const char *stem, int count, const double *times_s) {
  return stz_agree(stz_grid_comm(grid), stz_grid_rank(grid) == 0 ? write_series(stem, count, times_s) : STZ_OK);
}
