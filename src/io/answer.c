// SPDX-License-Identifier: GPL-3.0-or-later
//
// The side of a question that libhdf5 is on.
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "io/question.h"

size_t stz_number_size(stz_number type) {
  static const size_t sizes[] = {[STZ_NUMBER_DOUBLE] = sizeof(double),
                                 [STZ_NUMBER_FLOAT] = sizeof(float),
                                 [STZ_NUMBER_INT] = sizeof(int),
                                 [STZ_NUMBER_UINT64] = sizeof(uint64_t)};
  return sizes[type];
}

static hid_t memory_type(stz_number type) {
  const hid_t types[] = {[STZ_NUMBER_DOUBLE] = H5T_NATIVE_DOUBLE,
                         [STZ_NUMBER_FLOAT] = H5T_NATIVE_FLOAT,
                         [STZ_NUMBER_INT] = H5T_NATIVE_INT,
                         [STZ_NUMBER_UINT64] = H5T_NATIVE_UINT64};
  return types[type];
}

static stz_err numbers(const stz_hdf *hdf, const stz_question *q, void **data, size_t *bytes) {
  const size_t wanted = (size_t)q->count * stz_number_size(q->type);
  STZ_TRY(stz_alloc(wanted, 1, data));
  if (stz_hdf_numbers(hdf->file, q->object, q->name, memory_type(q->type), q->count, *data)) *bytes = wanted;
  return STZ_OK;
}

static stz_err attribute(const stz_hdf *hdf, const stz_question *q, void **data, size_t *bytes) {
  char *stored = NULL;
  const hid_t opened = H5Aopen_by_name(hdf->file, q->object, q->name, H5P_DEFAULT, H5P_DEFAULT);
  if (opened < 0) return STZ_OK;
  const hid_t type = H5Aget_type(opened), space = H5Aget_space(opened);
  const bool fits = H5Tis_variable_str(type) > 0 && H5Sget_simple_extent_npoints(space) == 1;
  stz_err err = STZ_OK;
  if (fits && H5Aread(opened, type, &stored) >= 0 && stored) {
    const size_t length = strlen(stored) + 1;
    err = stz_alloc(length, 1, data);
    if (err == STZ_OK) memcpy(*data, stored, *bytes = length);
    H5free_memory(stored);
  }
  H5Sclose(space);
  H5Tclose(type);
  H5Aclose(opened);
  return err;
}

static stz_err text(const stz_hdf *hdf, const stz_question *q, void **data, size_t *bytes) {
  char *read;
  STZ_TRY(stz_hdf_read_text(hdf, q->object, &read));
  *data = read;
  *bytes = strlen(read) + 1;
  return STZ_OK;
}

// --- shapes ---

// VTK's images have x fastest, whoever wrote them.
static bool lies_in_image(hid_t dataset) {
  char name[STZ_OBJECT_LENGTH];
  const ssize_t length = H5Iget_name(dataset, name, sizeof name);
  return length > 0 && length < (ssize_t)sizeof name && strncmp(name, "/VTKHDF/", 8) == 0;
}

// The axis letter that an attribute's variable-length text number `axis` gives: the last character of its last part.
static char letter_of(const char *label) {
  const char *slash = label ? strrchr(label, '/') : NULL;
  const char *last = slash ? slash + 1 : label;
  return last && strlen(last) == 1 ? last[0] : 0;
}

// What a dataset calls its axes, from the labels that HDF5's dimension scales give them; "" if it does not say.
static void read_labels(hid_t dataset, int rank, char letters[STZ_MOST_DIMENSIONS + 1]) {
  static const char name[] = "DIMENSION_LABELS";
  char *labels[STZ_MOST_DIMENSIONS] = {0};
  memset(letters, 0, STZ_MOST_DIMENSIONS + 1);
  if (H5Aexists(dataset, name) <= 0) return;
  const hid_t found = H5Aopen(dataset, name, H5P_DEFAULT), space = H5Aget_space(found), type = H5Aget_type(found);
  const bool fits = H5Tis_variable_str(type) > 0 && H5Sget_simple_extent_npoints(space) == rank;
  if (fits && H5Aread(found, type, labels) >= 0) {
    for (int i = 0; i < rank; i++) letters[i] = letter_of(labels[i]);
    H5Dvlen_reclaim(type, space, H5P_DEFAULT, labels);
  }
  H5Tclose(type);
  H5Sclose(space);
  H5Aclose(found);
}

// The same from the scales attached to the axes, as netCDF and xarray attach them.
static void read_scales(hid_t dataset, int rank, char letters[STZ_MOST_DIMENSIONS + 1]) {
  static const char name[] = "DIMENSION_LIST";
  hvl_t lists[STZ_MOST_DIMENSIONS] = {{0}};
  memset(letters, 0, STZ_MOST_DIMENSIONS + 1);
  if (H5Aexists(dataset, name) <= 0) return;
  const hid_t found = H5Aopen(dataset, name, H5P_DEFAULT), space = H5Aget_space(found);
  const hid_t type = H5Tvlen_create(H5T_STD_REF_OBJ);
  if (H5Sget_simple_extent_npoints(space) == rank && H5Aread(found, type, lists) >= 0) {
    for (int i = 0; i < rank; i++) {
      char path[STZ_OBJECT_LENGTH] = "";
      if (lists[i].len == 1) H5Rget_name(dataset, H5R_OBJECT, lists[i].p, path, sizeof path);
      letters[i] = letter_of(path);
    }
    H5Dvlen_reclaim(type, space, H5P_DEFAULT, lists);
  }
  H5Tclose(type);
  H5Sclose(space);
  H5Aclose(found);
}

static void find_order(hid_t dataset, stz_shape *shape) {
  char letters[STZ_MOST_DIMENSIONS + 1], axes[STZ_MOST_DIMENSIONS + 1] = "";
  read_labels(dataset, shape->rank, letters);
  if (strlen(letters) != (size_t)shape->rank) read_scales(dataset, shape->rank, letters);
  if (strlen(letters) == (size_t)shape->rank) {
    for (int i = 0, n = 0; i < shape->rank; i++) {
      if (shape->extent[i] > 1 || shape->rank <= 3) axes[n++] = letters[i];
    }
  }
  const bool named = strlen(axes) == 3 && strchr(axes, 'x') && strchr(axes, 'y') && strchr(axes, 'z');
  snprintf(shape->axes, sizeof shape->axes, "%.3s", named ? axes : lies_in_image(dataset) ? "zyx" : "");
}

// A dataset that is reached by a link into another file, or keeps its values there.
static bool lies_outside(const stz_hdf *hdf, hid_t dataset, hid_t properties) {
  char own[PATH_MAX], its[PATH_MAX];
  const ssize_t ours = H5Fget_name(hdf->file, own, sizeof own), theirs = H5Fget_name(dataset, its, sizeof its);
  if (ours < 0 || ours != theirs || strcmp(own, its) != 0) return true;
  return H5Pget_layout(properties) == H5D_VIRTUAL || H5Pget_external_count(properties) > 0;
}

// Whether some of the values, or all, were never written. Of chunks HDF5 itself tells only how much room they take,
// which says nothing where they are compressed.
static bool was_partly_written(hid_t dataset, hid_t space, hid_t properties, const stz_shape *shape) {
  H5D_space_status_t written = H5D_SPACE_STATUS_ERROR;
  if (H5Sget_simple_extent_npoints(space) == 0) return false;
  if (H5Pget_layout(properties) != H5D_CHUNKED) {
    return H5Dget_space_status(dataset, &written) < 0 || written != H5D_SPACE_STATUS_ALLOCATED;
  }
  hsize_t chunk[H5S_MAX_RANK], there = 0, wanted = 1;
  if (H5Pget_chunk(properties, H5S_MAX_RANK, chunk) != shape->rank) return true;
  for (int d = 0; d < shape->rank; d++) wanted *= (shape->extent[d] + chunk[d] - 1) / chunk[d];
  return H5Dget_num_chunks(dataset, space, &there) < 0 || there != wanted;
}

// Truth values as NumPy's are stored: an enumeration of FALSE = 0 and TRUE = 1.
static bool is_truth(hid_t type) {
  static const char *const names[] = {"FALSE", "TRUE"};
  if (H5Tget_class(type) != H5T_ENUM || H5Tget_nmembers(type) != 2 || H5Tget_size(type) != 1) return false;
  for (int i = 0; i < 2; i++) {
    signed char value = -1;
    if (H5Tenum_valueof(type, names[i], &value) < 0 || value != i) return false;
  }
  return true;
}

// Names the first filter that is not there.
static void find_lacking(hid_t properties, stz_shape *shape) {
  const int count = H5Pget_nfilters(properties);
  for (int i = 0; i < count; i++) {
    unsigned flags = 0, config;
    size_t none = 0;
    char name[sizeof shape->filter - 24] = "";
    const H5Z_filter_t filter =
        H5Pget_filter2(properties, (unsigned)i, &flags, &none, NULL, sizeof name, name, &config);
    if (filter < 0 || H5Zfilter_avail(filter) > 0) continue;
    snprintf(shape->filter, sizeof shape->filter, "%.*s%snumber %d", (int)sizeof name - 1, name, name[0] ? ", " : "",
             (int)filter);
    return;
  }
}

static void describe(const stz_hdf *hdf, hid_t dataset, stz_shape *shape) {
  hsize_t extent[H5S_MAX_RANK];
  const hid_t type = H5Dget_type(dataset), space = H5Dget_space(dataset), properties = H5Dget_create_plist(dataset);
  const H5T_class_t kind = H5Tget_class(type);
  shape->there = true;
  shape->rank = H5Sget_simple_extent_dims(space, extent, NULL);
  const bool number = kind == H5T_FLOAT || kind == H5T_INTEGER || is_truth(type);
  shape->numbers = number && shape->rank >= 0 && shape->rank <= STZ_MOST_DIMENSIONS;
  find_lacking(properties, shape);
  for (int d = 0; shape->numbers && d < shape->rank; d++) shape->extent[d] = extent[d];
  shape->outside = lies_outside(hdf, dataset, properties);
  if (shape->numbers) shape->partly = was_partly_written(dataset, space, properties, shape);
  if (shape->numbers) find_order(dataset, shape);
  if (shape->numbers) (void)H5Pget_fill_value(properties, H5T_NATIVE_DOUBLE, &shape->fill);
  H5Pclose(properties);
  H5Sclose(space);
  H5Tclose(type);
}

// Whether a name that cannot be opened is, or leads through, a link into another file.
static bool leads_outside(const stz_hdf *hdf, const char *name) {
  char part[sizeof(((stz_question *)0)->object)];
  for (size_t length = 0; name[length]; length++) {
    if (name[length + 1] && (name[length + 1] != '/' || length == 0)) continue; // the end of a part of the path
    snprintf(part, sizeof part, "%.*s", (int)length + 1, name);
    H5L_info_t link;
    if (H5Lget_info(hdf->file, part, &link, H5P_DEFAULT) < 0) return false;
    if (link.type == H5L_TYPE_EXTERNAL) return true;
  }
  return false;
}

static stz_err shape(const stz_hdf *hdf, const stz_question *q, void **data, size_t *bytes) {
  stz_shape *made;
  STZ_TRY(STZ_NEW(made, 1));
  const hid_t dataset = H5Dopen2(hdf->file, q->object, H5P_DEFAULT);
  if (dataset >= 0) {
    describe(hdf, dataset, made);
    H5Dclose(dataset);
  } else if (leads_outside(hdf, q->object)) {
    made->there = made->outside = true;
  }
  *data = made;
  *bytes = sizeof *made;
  return STZ_OK;
}

// --- blocks ---

static stz_err read_block(const stz_hdf *hdf, const stz_question *q, hid_t dataset, void *values) {
  hsize_t from[STZ_MOST_DIMENSIONS], size[STZ_MOST_DIMENSIONS];
  for (int d = 0; d < q->count; d++) {
    from[d] = q->from[d];
    size[d] = q->size[d];
  }
  const hid_t memory = H5Screate_simple(q->count, size, NULL), file = H5Dget_space(dataset);
  const bool good = H5Sget_simple_extent_ndims(file) == q->count &&
                    H5Sselect_hyperslab(file, H5S_SELECT_SET, from, NULL, size, NULL) >= 0 &&
                    H5Dread(dataset, memory_type(q->type), memory, file, H5P_DEFAULT, values) >= 0;
  const stz_err err = good ? STZ_OK : stz_hdf_fail(hdf, q->object);
  H5Sclose(file);
  H5Sclose(memory);
  return err;
}

static stz_err block(const stz_hdf *hdf, const stz_question *q, void **data, size_t *bytes) {
  *bytes = stz_number_size(q->type);
  for (int d = 0; d < q->count; d++) *bytes *= (size_t)q->size[d];
  STZ_TRY(stz_alloc(*bytes, 1, data));
  const hid_t dataset = H5Dopen2(hdf->file, q->object, H5P_DEFAULT);
  if (dataset < 0) return stz_hdf_fail(hdf, q->object);
  const stz_err err = read_block(hdf, q, dataset, *data);
  H5Dclose(dataset);
  return err;
}

void stz_question_answer(const stz_hdf *hdf, const stz_question *question, stz_answer *answer, void **data) {
  static stz_err (*const ways[])(const stz_hdf *, const stz_question *, void **, size_t *) = {
      [STZ_ASK_NUMBERS] = numbers, [STZ_ASK_ATTRIBUTE] = attribute, [STZ_ASK_TEXT] = text,
      [STZ_ASK_SHAPE] = shape,     [STZ_ASK_BLOCK] = block,
  };
  memset(answer, 0, sizeof *answer);
  *data = NULL;
  answer->err = ways[question->ask](hdf, question, data, &answer->bytes);
  if (answer->err == STZ_OK) return;
  stz_free(*data);
  *data = NULL;
  answer->bytes = 0;
  snprintf(answer->message, sizeof answer->message, "%s", stz_error_message());
}
