// SPDX-License-Identifier: GPL-3.0-or-later
#include "io/field.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/comm.h"
#include "base/memory.h"
#include "io/reader.h"

enum { PLANES = 8 }; // that are read at a time

// A dataset that fits the lattice.
typedef struct source {
  stz_reader *file;
  const char *name, *axes; // x, y and z in the order of its dimensions
  stz_shape shape;
  int rank, at[3]; // its dimensions; those of x, y and z, the others have one value
} source;

static stz_err fail(const source *s, const char *reason) {
  return stz_fail(STZ_EINPUT, "%s: %s: %s", stz_reader_path(s->file), s->name, reason);
}

static stz_err fail_filter(const source *s) {
  return stz_fail(STZ_EINPUT,
                  "%s: %s: packed by the filter %s, which HDF5 lacks here; write it with gzip or unpacked, "
                  "or let stz-post field read it, with Python's filters",
                  stz_reader_path(s->file), s->name, s->shape.filter);
}

// Refuses what is known not to be HDF5, and says what makes it so.
static stz_err check_format(const char *path) {
  static const struct {
    const char *mark, *what;
  } known[] = {{"\x93NUMPY", "an array of NumPy"},
               {"PK\003\004", "an archive of NumPy or others"},
               {"<?xml", "XML, as VTK's images are"},
               {"<VTKFile", "a file of VTK"},
               {"# vtk DataFile", "a file of VTK"}};
  char begin[16] = "";
  struct stat status;
  const bool regular = stat(path, &status) == 0 && S_ISREG(status.st_mode); // a pipe would never end
  FILE *file = regular ? fopen(path, "rb") : NULL;
  if (file) (void)!fread(begin, 1, sizeof begin - 1, file);
  if (file) fclose(file);
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    if (strncmp(begin, known[i].mark, strlen(known[i].mark)) != 0) continue;
    return stz_fail(STZ_EINPUT, "%s: %s, needs HDF5: `stz-post field %s -o FIELD.h5` makes it of .npy, .npz and .vti",
                    path, known[i].what, path);
  }
  return STZ_OK;
}

// Finds x, y and z among the dimensions, axes of one value beside them left out.
static stz_err match_shape(source *s, const int cells[3]) {
  const stz_shape *shape = &s->shape;
  const int first = s->axes[0] - 'x', second = s->axes[1] - 'x', third = s->axes[2] - 'x';
  char got[80] = "a scalar";
  int found = 0;
  for (int axis = 0, at = 0; axis < shape->rank && at < (int)sizeof got; axis++) {
    at += snprintf(got + at, sizeof got - (size_t)at, "%s%llu", axis ? " x " : "",
                   (unsigned long long)shape->extent[axis]);
  }
  bool fits = true;
  for (int d = 0; d < shape->rank; d++) {
    if (shape->rank > 3 && shape->extent[d] == 1) continue;
    const int axis = found < 3 ? s->axes[found] - 'x' : 0;
    fits = fits && found < 3 && shape->extent[d] == (uint64_t)cells[axis];
    if (fits) s->at[axis] = d;
    found++;
  }
  s->rank = shape->rank;
  if (fits && found == 3) return STZ_OK;
  const bool plain = strcmp(s->axes, "xyz") == 0;
  return stz_fail(STZ_EINPUT, "%s: %s: got %s values, needs %d x %d x %d, the lattice's cells%s%.1s%s%.1s%s%.1s",
                  stz_reader_path(s->file), s->name, got, cells[first], cells[second], cells[third],
                  plain ? "" : ", since its axes are ", plain ? "" : s->axes, plain ? "" : " ",
                  plain ? "" : s->axes + 1, plain ? "" : " ", plain ? "" : s->axes + 2);
}

static stz_err check_dataset(source *s, const int cells[3]) {
  STZ_TRY(stz_reader_shape(s->file, s->name, &s->shape));
  if (!s->shape.there) return fail(s, "got no dataset of this name");
  if (s->shape.outside) return fail(s, "its values lie in another file; copy them into one (h5repack)");
  if (!s->shape.numbers) return fail(s, "got something else than numbers");
  if (s->shape.filter[0]) return fail_filter(s);
  if (!s->axes[0]) s->axes = s->shape.axes[0] ? s->shape.axes : "xyz";
  STZ_TRY(match_shape(s, cells));
  return s->shape.partly ? fail(s, "not all of its values were ever written") : STZ_OK;
}

// On success the caller closes the file.
static stz_err open_source(const stz_field *field, const int cells[3], source *s) {
  *s = (source){.name = field->dataset, .axes = field->axes};
  STZ_TRY(check_format(field->path));
  STZ_TRY(stz_reader_open(field->path, &s->file));
  const stz_err err = check_dataset(s, cells);
  if (err != STZ_OK) (void)!stz_reader_close(&s->file);
  return err;
}

// Planes x0 <= x < x0 + count into `planes`, [x][y][z]; `raw` is as large.
static stz_err read_planes(const source *s, const int cells[3], int x0, int count, double *raw, double *planes) {
  const int extent[3] = {count, cells[1], cells[2]};
  uint64_t from[STZ_MOST_DIMENSIONS] = {0}, size[STZ_MOST_DIMENSIONS];
  for (int d = 0; d < s->rank; d++) size[d] = 1;
  for (int axis = 0; axis < 3; axis++) size[s->at[axis]] = (uint64_t)extent[axis];
  from[s->at[0]] = (uint64_t)x0;
  size_t step[3]; // from one value along an axis to the next, as read
  for (int axis = 0; axis < 3; axis++) {
    step[axis] = 1;
    for (int d = s->at[axis] + 1; d < s->rank; d++) step[axis] *= (size_t)size[d];
  }
  const bool plain = strcmp(s->axes, "xyz") == 0;
  STZ_TRY(stz_reader_block(s->file, s->name, STZ_NUMBER_DOUBLE, s->rank, from, size, plain ? planes : raw));
  if (plain) return STZ_OK;
  for (size_t x = 0; x < (size_t)count; x++) {
    for (size_t y = 0; y < (size_t)cells[1]; y++) {
      for (size_t z = 0; z < (size_t)cells[2]; z++) *planes++ = raw[x * step[0] + y * step[1] + z * step[2]];
    }
  }
  return STZ_OK;
}

// Whether all values are what HDF5 gives where nothing was written: of files whose space was set aside at once, this
// alone tells.
static bool all_fill(const source *s, const double *values, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (values[i] != s->shape.fill) return false;
  }
  return true;
}

static stz_err refuse_empty(const source *s) {
  return fail(s, "all values are its fill value, so that it was never written");
}

// Hands all values to `look`, until it fails.
static stz_err look_at(const source *s, const int cells[3], stz_field_look *look, void *context, double *room) {
  const size_t sites = (size_t)cells[1] * (size_t)cells[2];
  bool empty = true, looks = true;
  char found[512] = "";
  stz_err seen = STZ_OK;
  for (int x0 = 0; x0 < cells[0] && (looks || empty); x0 += PLANES) {
    const int count = cells[0] - x0 < PLANES ? cells[0] - x0 : PLANES;
    const size_t values = (size_t)count * sites;
    STZ_TRY(read_planes(s, cells, x0, count, room + PLANES * sites, room));
    if (empty) empty = all_fill(s, room, values);
    if (looks) seen = look(context, (int64_t)x0 * (int64_t)sites, (int64_t)values, room);
    if (looks && seen != STZ_OK) snprintf(found, sizeof found, "%s", stz_error_message());
    looks = seen == STZ_OK;
  }
  if (empty) return refuse_empty(s);
  return seen == STZ_OK ? STZ_OK : stz_fail(seen, "%s", found);
}

// Room for planes as they are read and as they are in the file.
static stz_err get_room(const int cells[3], double **room) {
  return STZ_NEW(*room, (size_t)(2 * PLANES * cells[1]) * (size_t)cells[2]);
}

stz_err stz_field_check(const stz_field *field, const int cells[3], stz_field_look *look, void *context,
                        char order[4]) {
  source s;
  double *room = NULL;
  STZ_TRY(open_source(field, cells, &s));
  if (order) snprintf(order, 4, "%.3s", s.axes);
  stz_err err = look ? get_room(cells, &room) : STZ_OK;
  if (err == STZ_OK && look) err = look_at(&s, cells, look, context, room);
  stz_free(room);
  if (err == STZ_OK) return stz_reader_close(&s.file);
  (void)!stz_reader_close(&s.file); // the reason is known
  return err;
}

// Reads the planes one after the other and hands them to their owners. A failure sends on, so that no rank waits.
static stz_err hand_out(const stz_grid *grid, const source *s, double *room, double *local) {
  const int *cells = stz_grid_cells(grid);
  const size_t sites = (size_t)cells[1] * (size_t)cells[2];
  bool empty = true;
  stz_err err = STZ_OK;
  for (int x0 = 0; x0 < cells[0]; x0 += PLANES) {
    const int count = cells[0] - x0 < PLANES ? cells[0] - x0 : PLANES;
    if (err == STZ_OK) err = read_planes(s, cells, x0, count, room + PLANES * sites, room);
    if (err == STZ_OK && empty) empty = all_fill(s, room, (size_t)count * sites);
    for (int x = x0; x < x0 + count; x++) {
      const double *plane = room + (size_t)(x - x0) * sites;
      const int owner = stz_grid_owner(grid, x);
      if (owner == 0) memcpy(local + (size_t)x * sites, plane, sites * sizeof *plane);
      if (owner != 0) MPI_Send(plane, (int)sites, MPI_DOUBLE, owner, x, stz_grid_comm(grid));
    }
  }
  if (err == STZ_OK && empty) err = refuse_empty(s);
  return err;
}

static stz_err distribute(const stz_grid *grid, const source *s, double *room, double *local) {
  const int *cells = stz_grid_cells(grid);
  const int sites = cells[1] * cells[2];
  if (room) return hand_out(grid, s, room, local);
  for (int i = 0; i < stz_grid_planes(grid); i++) {
    MPI_Recv(local + (size_t)i * (size_t)sites, sites, MPI_DOUBLE, 0, stz_grid_first_plane(grid) + i,
             stz_grid_comm(grid), MPI_STATUS_IGNORE);
  }
  return STZ_OK;
}

stz_err stz_field_read(const stz_grid *grid, const stz_field *field, double *local) {
  const int *cells = stz_grid_cells(grid);
  const bool root = stz_grid_rank(grid) == 0;
  source s = {0};
  double *room = NULL;
  stz_err err = root ? get_room(cells, &room) : STZ_OK;
  if (err == STZ_OK && root) err = open_source(field, cells, &s);
  err = stz_agree(stz_grid_comm(grid), err);
  if (err == STZ_OK) err = stz_agree(stz_grid_comm(grid), distribute(grid, &s, room, local));
  (void)!stz_reader_close(&s.file); // read in full, or the reason is known
  stz_free(room);
  return err;
}
