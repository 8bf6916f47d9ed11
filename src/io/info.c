// SPDX-License-Identifier: GPL-3.0-or-later
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "io/hdf.h"
#include "io/result.h"

static const char FORMAT[] = "stzkmc-result";
enum { FORMAT_VERSION = 1 };

// Reads a text attribute of a group into `text`, control characters as blanks; false if there is none.
static bool read_text(hid_t file, const char *group, const char *name, char *text, size_t size) {
  char *stored = NULL;
  const hid_t attribute = H5Aopen_by_name(file, group, name, H5P_DEFAULT, H5P_DEFAULT);
  if (attribute < 0) return false;
  const hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
  const bool fits = H5Tis_variable_str(type) > 0 && H5Sget_simple_extent_npoints(space) == 1;
  if (fits && H5Aread(attribute, type, &stored) >= 0 && stored) {
    snprintf(text, size, "%s", stored);
    for (char *c = text; *c; c++) {
      if (iscntrl((unsigned char)*c)) *c = ' ';
    }
    H5free_memory(stored);
  }
  H5Sclose(space);
  H5Tclose(type);
  H5Aclose(attribute);
  return stored != NULL;
}

static stz_err check_format(const stz_hdf *hdf) {
  char format[64];
  uint64_t version = 0;
  if (!read_text(hdf->file, "/", "format", format, sizeof format)) {
    return stz_fail(STZ_EIO, "%s: not a result of stzkmc: attribute format: got none, needs %s", hdf->path, FORMAT);
  }
  if (strcmp(format, FORMAT) != 0) {
    return stz_fail(STZ_EIO, "%s: not a result of stzkmc: attribute format: got %s, needs %s", hdf->path, format,
                    FORMAT);
  }
  if (!stz_hdf_numbers(hdf->file, "/", "format_version", H5T_NATIVE_UINT64, 1, &version) || version != FORMAT_VERSION) {
    return stz_fail(STZ_EIO, "%s: format_version: got %" PRIu64 ", this program reads %d", hdf->path, version,
                    FORMAT_VERSION);
  }
  return STZ_OK;
}

static void print_provenance(hid_t file, FILE *out) {
  static const char *const texts[] = {"format", "program_version", "git", "created_utc", "command_line", "state_hash"};
  static const char *const numbers[] = {"format_version", "ranks", "seed", "complete"};
  char text[4096];
  uint64_t number;
  int cells[3];
  double spacing;
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    if (read_text(file, "/", texts[i], text, sizeof text)) fprintf(out, "%s: %s\n", texts[i], text);
  }
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    if (stz_hdf_numbers(file, "/", numbers[i], H5T_NATIVE_UINT64, 1, &number)) {
      fprintf(out, "%s: %" PRIu64 "\n", numbers[i], number);
    }
  }
  if (read_text(file, "/engine", "name", text, sizeof text)) fprintf(out, "engine: %s\n", text);
  if (stz_hdf_numbers(file, "/config", "cells", H5T_NATIVE_INT, 3, cells)) {
    fprintf(out, "cells: %d %d %d\n", cells[0], cells[1], cells[2]);
  }
  if (stz_hdf_numbers(file, "/config", "spacing_nm", H5T_NATIVE_DOUBLE, 1, &spacing)) {
    fprintf(out, "spacing_nm: %.15g\n", spacing);
  }
}

// The columns whose last values are shown.
static const char *const COLUMNS[] = {"time_s",           "temperature_K",        "strain_axial",
                                      "stress_axial_GPa", "plastic_strain_axial", "events"};
enum { COLUMN_COUNT = sizeof COLUMNS / sizeof *COLUMNS };
_Static_assert((int)COLUMN_COUNT == (int)STZ_SUMMARY_COLUMNS, "a summary has room for all");

// Reads the last values of the COLUMNS, NAN where there is none, and counts the rows.
static uint64_t read_last_row(hid_t file, double values[COLUMN_COUNT]) {
  hid_t columns[COLUMN_COUNT];
  hsize_t rows = H5S_UNLIMITED, size = 0, one = 1; // a killed run's last block may be in some columns only
  for (int i = 0; i < COLUMN_COUNT; i++) {
    char path[64];
    snprintf(path, sizeof path, "/history/%s", COLUMNS[i]);
    columns[i] = H5Dopen2(file, path, H5P_DEFAULT);
    const hid_t space = H5Dget_space(columns[i]);
    if (H5Sget_simple_extent_ndims(space) != 1 || H5Sget_simple_extent_dims(space, &size, NULL) < 0) size = 0;
    if (size < rows) rows = size;
    H5Sclose(space);
  }
  const hid_t memory = H5Screate(H5S_SCALAR);
  for (int i = 0; i < COLUMN_COUNT; i++) {
    const hsize_t last = rows - 1;
    const hid_t space = H5Dget_space(columns[i]);
    if (rows == 0 || H5Sselect_hyperslab(space, H5S_SELECT_SET, &last, NULL, &one, NULL) < 0 ||
        H5Dread(columns[i], H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, &values[i]) < 0) {
      values[i] = NAN;
    }
    H5Sclose(space);
    H5Dclose(columns[i]);
  }
  H5Sclose(memory);
  return (uint64_t)rows;
}

static void print_last_row(hid_t file, FILE *out) {
  double values[COLUMN_COUNT];
  fprintf(out, "rows: %" PRIu64 "\n", read_last_row(file, values));
  for (int i = 0; i < COLUMN_COUNT; i++) {
    if (!isnan(values[i])) fprintf(out, "%s: %.10g\n", COLUMNS[i], values[i]);
  }
}

static void print_levels(hid_t file, FILE *out) {
  char group[32];
  double strain;
  int levels = 0;
  fprintf(out, "nbed_strains:");
  for (;; levels++) {
    snprintf(group, sizeof group, "/nbed/level_%02d", levels);
    if (!stz_hdf_numbers(file, group, "strain", H5T_NATIVE_DOUBLE, 1, &strain)) break;
    fprintf(out, " %.6g", strain);
  }
  fprintf(out, "\nnbed_levels: %d\n", levels);
}

stz_err stz_result_info(const char *path, FILE *out) {
  stz_hdf hdf;
  STZ_TRY(stz_hdf_open(path, &hdf));
  stz_err err = check_format(&hdf);
  if (err == STZ_OK) {
    print_provenance(hdf.file, out);
    print_last_row(hdf.file, out);
    print_levels(hdf.file, out);
    if (fflush(out) != 0 || ferror(out)) err = stz_fail(STZ_EIO, "%s: cannot print", path);
  }
  const stz_err closing = stz_hdf_close(&hdf);
  return err != STZ_OK ? err : closing;
}

stz_err stz_result_peek(const char *path, bool *complete, char **resolved) {
  stz_hdf hdf;
  uint64_t flag = 0;
  *resolved = NULL;
  STZ_TRY(stz_hdf_open(path, &hdf));
  stz_err err = check_format(&hdf);
  if (err == STZ_OK) err = stz_hdf_read_text(&hdf, "/config/resolved", resolved);
  if (err == STZ_OK) *complete = stz_hdf_numbers(hdf.file, "/", "complete", H5T_NATIVE_UINT64, 1, &flag) && flag == 1;
  const stz_err closing = stz_hdf_close(&hdf);
  return err != STZ_OK ? err : closing;
}

// Largest value of a column of the history, NAN where it cannot be told.
static double column_peak(hid_t file, const char *path, uint64_t rows) {
  double *values = NULL, peak = NAN;
  const hid_t column = H5Dopen2(file, path, H5P_DEFAULT);
  const hid_t space = H5Dget_space(column);
  if (H5Sget_simple_extent_npoints(space) == (hssize_t)rows && STZ_NEW(values, rows) == STZ_OK &&
      H5Dread(column, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0) {
    for (uint64_t i = 0; i < rows; i++) peak = fmax(peak, values[i]);
  }
  stz_free(values);
  H5Sclose(space);
  H5Dclose(column);
  return peak;
}

stz_err stz_result_summary(const char *path, stz_summary *summary) {
  stz_hdf hdf;
  uint64_t flag = 0;
  *summary = (stz_summary){.columns = COLUMNS, .count = COLUMN_COUNT};
  STZ_TRY(stz_hdf_open(path, &hdf));
  stz_err err = check_format(&hdf);
  if (err == STZ_OK) {
    summary->complete = stz_hdf_numbers(hdf.file, "/", "complete", H5T_NATIVE_UINT64, 1, &flag) && flag == 1;
    (void)read_text(hdf.file, "/", "state_hash", summary->state_hash, sizeof summary->state_hash);
    summary->rows = read_last_row(hdf.file, summary->last);
    summary->peak_stress_GPa = column_peak(hdf.file, "/history/stress_axial_GPa", summary->rows);
  }
  const stz_err closing = stz_hdf_close(&hdf);
  return err != STZ_OK ? err : closing;
}
