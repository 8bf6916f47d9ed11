// SPDX-License-Identifier: GPL-3.0-or-later
//
// Rank 0 alone has the file; what happens there is agreed at the end of every function.
#include "io/result.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/comm.h"
#include "base/memory.h"
#include "io/hdf.h"

static const double BLOCK_SECONDS = 2.0;

typedef struct column {
  hid_t dataset;
  int width, at; // doubles per row, from where in a row
} column;

typedef struct table {
  const stz_group *group;
  int appended;    // rows since all ranks last wrote together because of them
  column *columns; // the rest is rank 0's
  int count, row_width;
  double *rows; // block x row_width
  int buffered;
  hsize_t written;
} table;

struct stz_result {
  const stz_grid *grid;
  bool root, reopened;
  table *tables;
  int count;
  stz_hdf hdf;       // the rest is rank 0's
  double written_at; // wall time
};

// What rank 0 does; the same outcome on every rank. `call` is evaluated on rank 0 only.
#define ON_ROOT(result, call)                                                                                          \
  stz_agree(stz_grid_comm((result)->grid), (result)->root ? stz_hdf_outcome(&(result)->hdf, (call)) : STZ_OK)

static stz_err allocate(const stz_grid *grid, stz_result **made) {
  STZ_TRY(stz_agree(stz_grid_comm(grid), STZ_NEW(*made, 1)));
  (*made)->grid = grid;
  (*made)->root = stz_grid_rank(grid) == 0;
  (*made)->hdf.file = -1;
  return STZ_OK;
}

const char *stz_result_path(const stz_result *result) { return result->hdf.path; }

stz_err stz_result_create(const stz_grid *grid, const char *path, bool force, stz_result **result) {
  stz_result *made = NULL;
  *result = NULL;
  stz_err err = allocate(grid, &made);
  if (err == STZ_OK) err = ON_ROOT(made, stz_hdf_create(path, force, stz_grid_team(grid), &made->hdf));
  if (err != STZ_OK) {
    stz_free(made);
    return err;
  }
  *result = made;
  return STZ_OK;
}

// Appends the buffered rows to one column; `memory` is the shape of the buffer.
static stz_err append_to(const stz_result *r, const table *t, const column *c, hid_t memory) {
  const hsize_t rows = (hsize_t)t->buffered, width = (hsize_t)c->width;
  const hsize_t extent[2] = {t->written + rows, width}, block[2] = {rows, width};
  const hsize_t from[2] = {t->written, 0}, memory_from[2] = {0, (hsize_t)c->at};
  if (H5Dset_extent(c->dataset, extent) < 0) return stz_hdf_fail(&r->hdf, t->group->path);
  const hid_t file = H5Dget_space(c->dataset);
  H5Sselect_hyperslab(memory, H5S_SELECT_SET, memory_from, NULL, block, NULL);
  H5Sselect_hyperslab(file, H5S_SELECT_SET, from, NULL, block, NULL);
  const bool good = H5Dwrite(c->dataset, H5T_NATIVE_DOUBLE, memory, file, H5P_DEFAULT, t->rows) >= 0;
  const stz_err err = good ? STZ_OK : stz_hdf_fail(&r->hdf, t->group->path);
  H5Sclose(file);
  return err;
}

static stz_err write_rows(const stz_result *r, table *t) {
  stz_err err = STZ_OK;
  if (t->buffered == 0) return STZ_OK;
  const hsize_t buffer[2] = {(hsize_t)t->group->block, (hsize_t)t->row_width};
  const hid_t memory = H5Screate_simple(2, buffer, NULL);
  for (int i = 0; err == STZ_OK && i < t->count; i++) err = append_to(r, t, &t->columns[i], memory);
  H5Sclose(memory);
  t->written += (hsize_t)t->buffered;
  t->buffered = 0;
  return err;
}

// Writes the buffered rows of all tables and flushes the file, which has its name from the first time on.
static stz_err write_block(stz_result *r) {
  stz_err err = STZ_OK;
  for (int i = 0; err == STZ_OK && i < r->count; i++) err = write_rows(r, &r->tables[i]);
  r->written_at = MPI_Wtime();
  return err == STZ_OK ? stz_hdf_publish(&r->hdf) : err;
}

static stz_err close_file(stz_result *r) {
  const stz_err err = write_block(r);
  const stz_err closing = err == STZ_OK ? stz_hdf_close_sealed(&r->hdf) : stz_hdf_close(&r->hdf);
  return err != STZ_OK ? err : closing;
}

stz_err stz_result_close(stz_result **result) {
  stz_result *r = *result;
  if (!r) return STZ_OK;
  const stz_err err = ON_ROOT(r, close_file(r));
  for (int i = 0; i < r->count; i++) {
    stz_free(r->tables[i].columns);
    stz_free(r->tables[i].rows);
  }
  stz_free(r->tables);
  stz_free(r);
  *result = NULL;
  return err;
}

void stz_result_abandon(stz_result **result) {
  char message[512];
  snprintf(message, sizeof message, "%s", stz_error_message());
  (void)!stz_result_close(result); // what fails now follows from what failed first
  (void)!stz_fail(STZ_OK, "%s", message);
}

stz_err stz_result_text(stz_result *r, const char *object, const char *name, const char *value) {
  return ON_ROOT(r, stz_hdf_text_attribute(&r->hdf, object, name, value));
}

stz_err stz_result_int(stz_result *r, const char *object, const char *name, int64_t value) {
  return ON_ROOT(r, stz_hdf_attribute(&r->hdf, object, name, H5T_NATIVE_INT64, 0, &value));
}

stz_err stz_result_uint(stz_result *r, const char *object, const char *name, uint64_t value) {
  return ON_ROOT(r, stz_hdf_attribute(&r->hdf, object, name, H5T_NATIVE_UINT64, 0, &value));
}

stz_err stz_result_double(stz_result *r, const char *object, const char *name, double value) {
  return ON_ROOT(r, stz_hdf_attribute(&r->hdf, object, name, H5T_NATIVE_DOUBLE, 0, &value));
}

stz_err stz_result_ints(stz_result *r, const char *object, const char *name, const int *values, int count) {
  return ON_ROOT(r, stz_hdf_attribute(&r->hdf, object, name, H5T_NATIVE_INT, count, values));
}

enum { PATH_SIZE = 160 }; // of a dataset

stz_err stz_result_values(stz_result *r, const char *group, const stz_dataset *what, const int *dims,
                          const void *values) {
  char path[PATH_SIZE];
  snprintf(path, sizeof path, "%s/%s", group, what->name);
  return ON_ROOT(r, stz_hdf_values(&r->hdf, path, what, dims, values));
}

stz_err stz_result_text_dataset(stz_result *r, const char *group, const stz_dataset *what, const char *text) {
  char path[PATH_SIZE];
  snprintf(path, sizeof path, "%s/%s", group, what->name);
  return ON_ROOT(r, stz_hdf_text(&r->hdf, path, what, text));
}

static stz_err create_column(const stz_hdf *hdf, const char *path, const stz_dataset *what, int chunk_rows,
                             hid_t *dataset) {
  const int rank = stz_dataset_rank(what);
  const hsize_t width = (hsize_t)stz_dataset_width(what), empty[2] = {0, width}, most[2] = {H5S_UNLIMITED, width};
  const hsize_t chunk[2] = {(hsize_t)chunk_rows, width};
  const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
  assert(rank == 1 || rank == 2);
  H5Pset_chunk(properties, rank, chunk);
  H5Pset_obj_track_times(properties, false);
  const stz_err err = stz_hdf_dataset(hdf, path, what, stz_hdf_type(what->type), empty, most, properties, dataset);
  H5Pclose(properties);
  return err;
}

static stz_err open_column(const stz_hdf *hdf, const char *path, hid_t *dataset, hsize_t *rows) {
  hsize_t extent[2];
  *dataset = H5Dopen2(hdf->file, path, H5P_DEFAULT);
  if (*dataset < 0) return stz_hdf_fail(hdf, path);
  const hid_t space = H5Dget_space(*dataset);
  const int rank = H5Sget_simple_extent_dims(space, extent, NULL);
  H5Sclose(space);
  if (rank < 1) return stz_hdf_fail(hdf, path);
  *rows = extent[0];
  return STZ_OK;
}

// Sets up the columns of a table, made new or found in the file.
static stz_err take_columns(stz_result *r, table *t) {
  const stz_group *group = t->group;
  STZ_TRY(STZ_NEW(t->columns, group->count));
  for (int i = 0; i < group->count; i++) {
    char path[PATH_SIZE];
    column *c = &t->columns[i];
    snprintf(path, sizeof path, "%s/%s", group->path, group->datasets[i].name);
    *c = (column){.width = stz_dataset_width(&group->datasets[i]), .at = t->row_width};
    STZ_TRY(r->reopened ? open_column(&r->hdf, path, &c->dataset, &t->written)
                        : create_column(&r->hdf, path, &group->datasets[i], group->chunk, &c->dataset));
    t->row_width += c->width;
    t->count++;
  }
  r->written_at = MPI_Wtime();
  return STZ_NEW(t->rows, group->block * t->row_width);
}

stz_err stz_result_table(stz_result *r, const stz_group *group, int *number) {
  table *tables = NULL;
  STZ_TRY(stz_agree(stz_grid_comm(r->grid), STZ_NEW(tables, r->count + 1)));
  if (r->count > 0) memcpy(tables, r->tables, (size_t)r->count * sizeof *tables);
  stz_free(r->tables);
  r->tables = tables;
  *number = r->count++;
  tables[*number].group = group;
  return ON_ROOT(r, take_columns(r, &tables[*number]));
}

stz_err stz_result_reopen(const stz_grid *grid, const char *path, stz_result **result) {
  stz_result *r = NULL;
  *result = NULL;
  stz_err err = allocate(grid, &r);
  if (err == STZ_OK) err = ON_ROOT(r, stz_hdf_continue(path, stz_grid_team(grid), &r->hdf));
  if (err != STZ_OK) {
    stz_free(r);
    return err;
  }
  r->reopened = true;
  *result = r;
  return STZ_OK;
}

static void buffer_row(table *t, const double *values) {
  assert(t->rows && t->buffered < t->group->block);
  memcpy(t->rows + (size_t)t->buffered * (size_t)t->row_width, values, (size_t)t->row_width * sizeof *values);
  t->buffered++;
}

static stz_err append_row(stz_result *r, table *t, const double *values) {
  buffer_row(t, values);
  return t->buffered == t->group->block || MPI_Wtime() - r->written_at > BLOCK_SECONDS ? write_block(r) : STZ_OK;
}

stz_err stz_result_row(stz_result *r, int number, const double *values) {
  return ON_ROOT(r, append_row(r, &r->tables[number], values));
}

stz_err stz_result_append(stz_result *r, int number, const double *values) {
  table *t = &r->tables[number];
  if (r->root) buffer_row(t, values);
  if (++t->appended < t->group->block) return STZ_OK; // as on every rank; rank 0 may have written meanwhile
  t->appended = 0;
  return ON_ROOT(r, write_block(r));
}

stz_err stz_result_flush(stz_result *r) { return ON_ROOT(r, write_block(r)); }

static stz_err create_field(const stz_result *r, const char *path, const stz_dataset *what, hid_t *dataset) {
  hsize_t cells[3];
  for (int axis = 0; axis < 3; axis++) cells[axis] = (hsize_t)stz_grid_cells(r->grid)[axis];
  const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_fill_time(properties, H5D_FILL_TIME_NEVER); // every plane is written
  const stz_err err = stz_hdf_dataset(&r->hdf, path, what, stz_hdf_type(what->type), cells, NULL, properties, dataset);
  H5Pclose(properties);
  return err;
}

static stz_err write_plane(const stz_result *r, const char *path, hid_t dataset, int plane, const float *values) {
  const int *cells = stz_grid_cells(r->grid);
  const hsize_t from[3] = {(hsize_t)plane, 0, 0}, count[3] = {1, (hsize_t)cells[1], (hsize_t)cells[2]};
  const hid_t memory = H5Screate_simple(3, count, NULL), file = H5Dget_space(dataset);
  H5Sselect_hyperslab(file, H5S_SELECT_SET, from, NULL, count, NULL);
  const bool good = H5Dwrite(dataset, H5T_NATIVE_FLOAT, memory, file, H5P_DEFAULT, values) >= 0;
  const stz_err err = good ? STZ_OK : stz_hdf_fail(&r->hdf, path);
  H5Sclose(file);
  H5Sclose(memory);
  return err;
}

// Rank 0's part: its own planes and those it receives, in order. After a failure the rest is still received.
static stz_err collect_planes(const stz_result *r, const char *path, hid_t dataset, const float *local, float *plane) {
  const int *cells = stz_grid_cells(r->grid);
  const int sites = cells[1] * cells[2];
  stz_err err = STZ_OK;
  for (int x = 0; x < cells[0]; x++) {
    const int owner = stz_grid_owner(r->grid, x);
    if (owner != 0) MPI_Recv(plane, sites, MPI_FLOAT, owner, x, stz_grid_comm(r->grid), MPI_STATUS_IGNORE);
    const float *values = owner == 0 ? local + (size_t)x * (size_t)sites : plane;
    if (err == STZ_OK) err = write_plane(r, path, dataset, x, values);
  }
  return err;
}

stz_err stz_result_field(stz_result *r, const char *group, const stz_dataset *what, const float *local) {
  const int *cells = stz_grid_cells(r->grid);
  const int sites = cells[1] * cells[2], first = stz_grid_first_plane(r->grid);
  char path[PATH_SIZE];
  hid_t dataset = -1;
  float *plane = NULL;
  snprintf(path, sizeof path, "%s/%s", group, what->name);
  stz_err err = ON_ROOT(r, STZ_NEW(plane, sites));
  if (err == STZ_OK) err = ON_ROOT(r, create_field(r, path, what, &dataset));
  if (err == STZ_OK) {
    for (int i = 0; !r->root && i < stz_grid_planes(r->grid); i++) {
      MPI_Send(local + (size_t)i * (size_t)sites, sites, MPI_FLOAT, 0, first + i, stz_grid_comm(r->grid));
    }
    err = ON_ROOT(r, collect_planes(r, path, dataset, local, plane));
    if (r->root) H5Dclose(dataset);
  }
  stz_free(plane);
  return err;
}
