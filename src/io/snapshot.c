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
#include "io/layers.h"

struct stz_snapshot {
  const stz_grid *grid;
  bool root;
  char *path, *temporary;
  stz_hdf hdf; // rank 0's
};

#define ON_ROOT(s, call) stz_agree(stz_grid_comm((s)->grid), (s)->root ? stz_hdf_outcome(&(s)->hdf, (call)) : STZ_OK)

stz_err stz_snapshot_path(const char *stem, int index, const char *suffix, char **path) {
  const size_t size = strlen(stem) + 48;
  STZ_TRY(STZ_NEW(*path, size));
  if (index < 0) {
    snprintf(*path, size, "%s.hdf.series%s", stem, suffix);
  } else {
    snprintf(*path, size, "%s.%04d.hdf%s", stem, index, suffix);
  }
  return STZ_OK;
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
  STZ_TRY(stz_hdf_create(s->temporary, true, stz_grid_team(s->grid), &s->hdf));
  STZ_TRY(describe_image(s->grid, &s->hdf));
  return stz_hdf_publish(&s->hdf);
}

stz_err stz_snapshot_create(const stz_grid *grid, const char *stem, int index, stz_snapshot **snapshot) {
  stz_snapshot *s = NULL;
  stz_err err = STZ_NEW(s, 1);
  if (err == STZ_OK) {
    *s = (stz_snapshot){.grid = grid, .root = stz_grid_rank(grid) == 0, .hdf.file = -1};
    err = stz_snapshot_path(stem, index, "", &s->path);
    if (err == STZ_OK) err = stz_snapshot_path(stem, index, ".writing", &s->temporary);
  }
  *snapshot = s;
  err = stz_agree(stz_grid_comm(grid), err);
  if (err == STZ_OK) err = ON_ROOT(s, begin(s));
  if (err != STZ_OK) stz_snapshot_abandon(snapshot);
  return err;
}

static stz_err close_and_rename(stz_snapshot *s) {
  stz_err err = stz_hdf_close_sealed(&s->hdf);
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

stz_err stz_snapshot_number(stz_snapshot *snapshot, const char *object, const char *name, double value) {
  return ON_ROOT(snapshot, stz_hdf_attribute(&snapshot->hdf, object, name, H5T_NATIVE_DOUBLE, 0, &value));
}

// --- fields ---

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

static stz_err create_array(const stz_snapshot *s, const char *path, const stz_dataset *what, hid_t *dataset) {
  const int *cells = stz_grid_cells(s->grid);
  const hsize_t extent[3] = {(hsize_t)cells[2], (hsize_t)cells[1], (hsize_t)cells[0]};
  return stz_hdf_dataset(&s->hdf, path, what, stz_hdf_type(what->type), extent, NULL, H5P_DEFAULT, dataset);
}

stz_err stz_snapshot_field(stz_snapshot *snapshot, const stz_dataset *what, const float *local) {
  const int height = stz_grid_cells(snapshot->grid)[2];
  char path[128];
  hid_t dataset = -1;
  stz_layers l = {0};
  snprintf(path, sizeof path, "%s/%s", STZ_POINTS, what->name);
  stz_err err = stz_agree(stz_grid_comm(snapshot->grid), stz_layers_create(snapshot->grid, &l));
  if (err == STZ_OK) err = ON_ROOT(snapshot, create_array(snapshot, path, what, &dataset));
  if (err == STZ_OK) {
    stz_err writing = STZ_OK;
    for (int z = 0; z < height; z += l.depth) {
      const int depth = height - z < l.depth ? height - z : l.depth;
      stz_layers_collect(&l, local, z, depth);
      if (snapshot->root && writing == STZ_OK) writing = write_layers(snapshot, path, dataset, z, depth, l.image);
    }
    if (snapshot->root) H5Dclose(dataset);
    err = ON_ROOT(snapshot, writing);
  }
  stz_layers_clear(&l);
  return err;
}

// --- beside the image ---

stz_err stz_snapshot_text(stz_snapshot *snapshot, const char *group, const stz_dataset *what, const char *text) {
  char path[128];
  snprintf(path, sizeof path, "%s/%s", group, what->name);
  return ON_ROOT(snapshot, stz_hdf_text(&snapshot->hdf, path, what, text));
}

// The rows of all ranks on their way to rank 0.
typedef struct gathering {
  int *counts, *places; // numbers of each rank, and the first
  double *values;
  hsize_t rows;
} gathering;

static stz_err gathering_create(const stz_snapshot *s, int mine, int width, gathering *g) {
  const int ranks = stz_grid_ranks(s->grid);
  STZ_TRY(stz_agree(stz_grid_comm(s->grid), STZ_NEW(g->counts, ranks)));
  MPI_Gather(&mine, 1, MPI_INT, g->counts, 1, MPI_INT, 0, stz_grid_comm(s->grid));
  if (!s->root) return STZ_OK;
  STZ_TRY(STZ_NEW(g->places, ranks + 1));
  for (int r = 0; r < ranks; r++) g->places[r + 1] = g->places[r] + g->counts[r];
  g->rows = (hsize_t)(g->places[ranks] / width);
  return STZ_NEW(g->values, g->places[ranks]);
}

static stz_err write_rows(const stz_snapshot *s, const char *path, const stz_dataset *column, const gathering *g) {
  const hsize_t extent[2] = {g->rows, (hsize_t)stz_dataset_width(column)};
  hid_t dataset;
  STZ_TRY(stz_hdf_dataset(&s->hdf, path, column, stz_hdf_type(column->type), extent, NULL, H5P_DEFAULT, &dataset));
  const bool good = H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, g->values) >= 0;
  const stz_err err = good ? STZ_OK : stz_hdf_fail(&s->hdf, path);
  H5Dclose(dataset);
  return err;
}

stz_err stz_snapshot_rows(stz_snapshot *snapshot, const char *group, const stz_dataset *column, int count,
                          const double *local) {
  const MPI_Comm comm = stz_grid_comm(snapshot->grid);
  const int width = stz_dataset_width(column), mine = count * width;
  char path[128];
  gathering g = {0};
  snprintf(path, sizeof path, "%s/%s", group, column->name);
  stz_err err = stz_agree(comm, gathering_create(snapshot, mine, width, &g));
  if (err == STZ_OK) {
    MPI_Gatherv(local, mine, MPI_DOUBLE, g.values, g.counts, g.places, MPI_DOUBLE, 0, comm);
    err = ON_ROOT(snapshot, write_rows(snapshot, path, column, &g));
  }
  stz_free(g.counts);
  stz_free(g.places);
  stz_free(g.values);
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
    STZ_TRY(stz_snapshot_path(stem, i, "", &path));
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
  stz_err err = stz_snapshot_path(stem, -1, "", &path);
  if (err == STZ_OK) err = STZ_NEW(text, size);
  FILE *out = err == STZ_OK ? fmemopen(text, size, "w") : NULL;
  if (err == STZ_OK && !out) err = stz_fail(STZ_EINTERNAL, "out of memory");
  if (out) {
    err = print_series(stem, count, times_s, out);
    if (fclose(out) != 0 && err == STZ_OK) err = stz_fail(STZ_EINTERNAL, "out of memory");
  }
  if (err == STZ_OK) err = stz_disk_replace(path, text, strlen(text));
  stz_free(text);
  stz_free(path);
  return err;
}

stz_err stz_snapshot_series(const stz_grid *grid, const char *stem, int count, const double *times_s) {
  return stz_agree(stz_grid_comm(grid), stz_grid_rank(grid) == 0 ? write_series(stem, count, times_s) : STZ_OK);
}
