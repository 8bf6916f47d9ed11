// SPDX-License-Identifier: GPL-3.0-or-later
#include "io/hdf.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "io/disk.h"
#include "io/sink.h"

// The reason in an error stack: the operating system's if one is quoted, else the innermost record's.
typedef struct reason {
  char text[256];
  bool quoted;
} reason;

static herr_t look_for_reason(unsigned n, const H5E_error2_t *record, void *data) {
  static const char mark[] = "error message = '";
  reason *found = data;
  const char *quote = strstr(record->desc, mark);
  if (quote && !found->quoted) {
    quote += sizeof mark - 1;
    snprintf(found->text, sizeof found->text, "%.*s", (int)strcspn(quote, "'\n"), quote);
    found->quoted = true;
  } else if (n == 0) {
    snprintf(found->text, sizeof found->text, "%.*s", (int)strcspn(record->desc, "\n"), record->desc);
  }
  return 0;
}

stz_err stz_hdf_fail(const stz_hdf *hdf, const char *object) {
  reason found = {.text = "HDF5 fails without a reason"};
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, look_for_reason, &found);
  if (strstr(found.text, "signature not found")) strcpy(found.text, "it is no HDF5 file");
  if (strncmp(found.text, "truncated file", 14) == 0) strcpy(found.text, "the file is cut short");
  return stz_fail(STZ_EIO, "%s: %s: %s", hdf->path, object, found.text);
}

stz_err stz_hdf_outcome(const stz_hdf *hdf, stz_err err) {
  if (hdf->failure == 0) return err;
  return stz_fail(STZ_EIO, "%s: cannot write: %s", hdf->path, strerror(hdf->failure));
}

static stz_err start(const char *path, stz_team *team, stz_hdf *hdf) {
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  *hdf = (stz_hdf){.file = -1, .team = team};
  STZ_TRY(STZ_NEW(hdf->path, strlen(path) + 1));
  memcpy(hdf->path, path, strlen(path) + 1);
  return STZ_OK;
}

static void forget(stz_hdf *hdf) {
  stz_free(hdf->path);
  stz_free(hdf->temporary);
  *hdf = (stz_hdf){.file = -1};
}

static stz_err may_replace(const char *path, bool force) {
  struct stat status;
  if (stat(path, &status) != 0) {
    return errno == ENOENT ? STZ_OK : stz_fail(STZ_EIO, "%s: cannot create: %s", path, strerror(errno));
  }
  if (!S_ISREG(status.st_mode))
    return stz_fail(STZ_EIO, "%s: cannot create: there is something else than a file", path);
  return force ? STZ_OK : stz_fail(STZ_EIO, "%s: exists already; --force replaces it", path);
}

// Default versions of the format, whose files stay readable when the program is killed. Metadata in large blocks, so
// that what a flush writes lies together.
static stz_err create_file(const char *temporary, stz_hdf *hdf) {
  const hid_t properties = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_meta_block_size(properties, 1 << 16);
  stz_err err = STZ_OK;
  if (stz_sink_set(properties, &hdf->failure, hdf->team) < 0) err = stz_hdf_fail(hdf, "cannot create");
  if (err == STZ_OK) {
    hdf->file = H5Fcreate(temporary, H5F_ACC_TRUNC, H5P_DEFAULT, properties);
    if (hdf->file < 0 || H5Fflush(hdf->file, H5F_SCOPE_LOCAL) < 0) err = stz_hdf_fail(hdf, "cannot create");
  }
  H5Pclose(properties);
  return stz_hdf_outcome(hdf, err);
}

stz_err stz_hdf_create(const char *path, bool force, stz_team *team, stz_hdf *hdf) {
  static const char suffix[] = ".new";
  stz_err err = start(path, team, hdf);
  if (err == STZ_OK) err = may_replace(path, force);
  if (err == STZ_OK) err = STZ_NEW(hdf->temporary, strlen(path) + sizeof suffix);
  if (err == STZ_OK) {
    sprintf(hdf->temporary, "%s%s", path, suffix);
    stz_disk_make_way(hdf->temporary); // sink.c creates it anew
    err = create_file(hdf->temporary, hdf);
    if (err != STZ_OK && hdf->file >= 0) {
      H5Fclose(hdf->file);
      unlink(hdf->temporary);
    }
  }
  if (err != STZ_OK) forget(hdf);
  return err;
}

stz_err stz_hdf_publish(stz_hdf *hdf) {
  if (H5Fflush(hdf->file, H5F_SCOPE_LOCAL) < 0) return stz_hdf_fail(hdf, "cannot flush");
  if (!hdf->temporary || hdf->failure != 0) return STZ_OK;
  STZ_TRY(stz_disk_rename(hdf->temporary, hdf->path));
  stz_free(hdf->temporary);
  hdf->temporary = NULL;
  return STZ_OK;
}

stz_err stz_hdf_open(const char *path, stz_team *team, stz_hdf *hdf) {
  STZ_TRY(start(path, team, hdf));
  const hid_t properties = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_fclose_degree(properties, H5F_CLOSE_STRONG);
  stz_err err = stz_sink_set(properties, &hdf->failure, hdf->team) < 0 ? stz_hdf_fail(hdf, "cannot open") : STZ_OK;
  if (err == STZ_OK) {
    hdf->file = H5Fopen(path, H5F_ACC_RDONLY, properties);
    if (hdf->file < 0) err = stz_hdf_fail(hdf, "cannot open");
  }
  H5Pclose(properties);
  if (err != STZ_OK) forget(hdf);
  return err;
}

stz_err stz_hdf_continue(const char *path, stz_team *team, stz_hdf *hdf) {
  STZ_TRY(start(path, team, hdf));
  const hid_t properties = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_meta_block_size(properties, 1 << 16);
  stz_err err = stz_sink_set(properties, &hdf->failure, hdf->team) < 0 ? stz_hdf_fail(hdf, "cannot open") : STZ_OK;
  if (err == STZ_OK) {
    hdf->file = H5Fopen(path, H5F_ACC_RDWR, properties);
    if (hdf->file < 0) err = stz_hdf_fail(hdf, "cannot open");
  }
  H5Pclose(properties);
  if (err != STZ_OK) forget(hdf);
  return err;
}

stz_err stz_hdf_close(stz_hdf *hdf) {
  if (hdf->file < 0) return STZ_OK;
  stz_err err = H5Fclose(hdf->file) < 0 ? stz_hdf_fail(hdf, "cannot close") : STZ_OK;
  err = stz_hdf_outcome(hdf, err);
  if (hdf->temporary) unlink(hdf->temporary);
  forget(hdf);
  return err;
}

stz_err stz_hdf_close_sealed(stz_hdf *hdf) {
  stz_team *team = hdf->team;
  char *path;
  if (hdf->file < 0) return STZ_OK;
  STZ_TRY(STZ_NEW(path, strlen(hdf->path) + 1));
  memcpy(path, hdf->path, strlen(hdf->path) + 1);
  stz_err err = stz_hdf_close(hdf);
  if (err == STZ_OK) err = stz_disk_seal(path, team);
  stz_free(path);
  return err;
}

// Opens a group or dataset; makes it a group, with those above it, if there is none.
static hid_t open_object(const stz_hdf *hdf, const char *object) {
  const hid_t there = H5Oopen(hdf->file, object, H5P_DEFAULT);
  if (there >= 0) return there;
  const hid_t links = H5Pcreate(H5P_LINK_CREATE);
  H5Pset_create_intermediate_group(links, 1);
  const hid_t made = H5Gcreate2(hdf->file, object, links, H5P_DEFAULT, H5P_DEFAULT);
  H5Pclose(links);
  return made;
}

static stz_err write_attribute(const stz_hdf *hdf, const char *path, hid_t object, const char *name, hid_t type,
                               int count, const void *values) {
  const hsize_t n = (hsize_t)count;
  if (H5Aexists(object, name) > 0 && H5Adelete(object, name) < 0) return stz_hdf_fail(hdf, path);
  const hid_t space = count == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &n, NULL);
  const hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  const stz_err err = attribute < 0 || H5Awrite(attribute, type, values) < 0 ? stz_hdf_fail(hdf, path) : STZ_OK;
  if (attribute >= 0) H5Aclose(attribute);
  H5Sclose(space);
  return err;
}

// Text of any length: h5py gives such attributes as str.
static stz_err write_text_attribute(const stz_hdf *hdf, const char *path, hid_t object, const char *name,
                                    const char *text) {
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, H5T_VARIABLE);
  H5Tset_cset(type, H5T_CSET_UTF8);
  const stz_err err = write_attribute(hdf, path, object, name, type, 0, &text);
  H5Tclose(type);
  return err;
}

stz_err stz_hdf_attribute(const stz_hdf *hdf, const char *object, const char *name, hid_t type, int count,
                          const void *values) {
  const hid_t opened = open_object(hdf, object);
  if (opened < 0) return stz_hdf_fail(hdf, object);
  const stz_err err = write_attribute(hdf, object, opened, name, type, count, values);
  H5Oclose(opened);
  return err;
}

stz_err stz_hdf_text_attribute(const stz_hdf *hdf, const char *object, const char *name, const char *text) {
  const hid_t opened = open_object(hdf, object);
  if (opened < 0) return stz_hdf_fail(hdf, object);
  const stz_err err = write_text_attribute(hdf, object, opened, name, text);
  H5Oclose(opened);
  return err;
}

static stz_err describe(const stz_hdf *hdf, const char *path, hid_t dataset, const stz_dataset *what) {
  char dimensions[STZ_DIMENSIONS_SIZE];
  stz_dataset_dimensions(what, dimensions);
  STZ_TRY(write_text_attribute(hdf, path, dataset, "units", what->unit));
  STZ_TRY(write_text_attribute(hdf, path, dataset, "dimensions", dimensions));
  return write_text_attribute(hdf, path, dataset, "description", what->description);
}

stz_err stz_hdf_dataset(const stz_hdf *hdf, const char *path, const stz_dataset *what, hid_t type, const hsize_t *dims,
                        const hsize_t *maxdims, hid_t properties, hid_t *made) {
  const int rank = stz_dataset_rank(what);
  const hid_t space = rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(rank, dims, maxdims);
  const hid_t links = H5Pcreate(H5P_LINK_CREATE);
  H5Pset_create_intermediate_group(links, 1);
  *made = H5Dcreate2(hdf->file, path, type, space, links, properties, H5P_DEFAULT);
  stz_err err = *made < 0 ? stz_hdf_fail(hdf, path) : STZ_OK;
  H5Pclose(links);
  H5Sclose(space);
  if (err == STZ_OK) err = describe(hdf, path, *made, what);
  if (err != STZ_OK && *made >= 0) H5Dclose(*made);
  return err;
}

static stz_err write_whole(const stz_hdf *hdf, const char *path, const stz_dataset *what, hid_t type,
                           const hsize_t *extent, const void *values) {
  hid_t dataset;
  STZ_TRY(stz_hdf_dataset(hdf, path, what, type, extent, NULL, H5P_DEFAULT, &dataset));
  const bool good = H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0;
  const stz_err err = good ? STZ_OK : stz_hdf_fail(hdf, path);
  H5Dclose(dataset);
  return err;
}

stz_err stz_hdf_values(const stz_hdf *hdf, const char *path, const stz_dataset *what, const int *dims,
                       const void *values) {
  enum { MOST = 8 };
  hsize_t extent[MOST] = {0};
  const int rank = stz_dataset_rank(what);
  assert(rank <= MOST);
  for (int d = 0; d < rank; d++) extent[d] = (hsize_t)dims[d];
  return write_whole(hdf, path, what, stz_hdf_type(what->type), extent, values);
}

stz_err stz_hdf_text(const stz_hdf *hdf, const char *path, const stz_dataset *what, const char *text) {
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, strlen(text) + 1);
  H5Tset_cset(type, H5T_CSET_UTF8);
  const stz_err err = write_whole(hdf, path, what, type, NULL, text);
  H5Tclose(type);
  return err;
}

bool stz_hdf_numbers(hid_t file, const char *object, const char *name, hid_t type, int count, void *values) {
  const hid_t attribute = H5Aopen_by_name(file, object, name, H5P_DEFAULT, H5P_DEFAULT);
  if (attribute < 0) return false;
  const hid_t space = H5Aget_space(attribute);
  const bool good = H5Sget_simple_extent_npoints(space) == count && H5Aread(attribute, type, values) >= 0;
  H5Sclose(space);
  H5Aclose(attribute);
  return good;
}

stz_err stz_hdf_read_text(const stz_hdf *hdf, const char *path, char **text) {
  *text = NULL;
  const hid_t dataset = H5Dopen2(hdf->file, path, H5P_DEFAULT);
  if (dataset < 0) return stz_hdf_fail(hdf, path);
  const hid_t type = H5Dget_type(dataset), space = H5Dget_space(dataset);
  const bool fixed =
      H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0 && H5Sget_simple_extent_npoints(space) == 1;
  stz_err err = fixed ? STZ_NEW(*text, H5Tget_size(type) + 1) : stz_fail(STZ_EIO, "%s: %s: no text", hdf->path, path);
  if (err == STZ_OK && H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, *text) < 0) err = stz_hdf_fail(hdf, path);
  H5Sclose(space);
  H5Tclose(type);
  H5Dclose(dataset);
  if (err != STZ_OK) {
    stz_free(*text);
    *text = NULL;
  }
  return err;
}

hid_t stz_hdf_type(stz_stored stored) {
  const hid_t types[] = {
      [STZ_FLOAT64] = H5T_NATIVE_DOUBLE, [STZ_FLOAT32] = H5T_NATIVE_FLOAT, [STZ_INT32] = H5T_NATIVE_INT32,
      [STZ_INT16] = H5T_NATIVE_INT16,    [STZ_INT8] = H5T_NATIVE_INT8,     [STZ_UINT8] = H5T_NATIVE_UINT8};
  assert(stored != STZ_TEXT);
  return types[stored];
}
