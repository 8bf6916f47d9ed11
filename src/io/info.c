// SPDX-License-Identifier: GPL-3.0-or-later
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/utf8.h"
#include "io/reader.h"
#include "io/result.h"

static const char FORMAT[] = "stzkmc-result";
enum { FORMAT_VERSION = 1 };

// Reads a text attribute of a group into `text`, control characters as blanks; false if there is none.
static bool read_text(stz_reader *file, const char *group, const char *name, char *text, size_t size) {
  if (!stz_reader_attribute(file, group, name, text, size)) return false;
  for (char *c = text; *c; c++) {
    if (iscntrl((unsigned char)*c)) *c = ' ';
  }
  stz_make_line(text);
  return true;
}

static stz_err check_format(stz_reader *file) {
  const char *path = stz_reader_path(file);
  char format[64];
  uint64_t version = 0;
  if (!read_text(file, "/", "format", format, sizeof format)) {
    return stz_fail(STZ_EIO, "%s: not a result of stzkmc: attribute format: got none, needs %s", path, FORMAT);
  }
  if (strcmp(format, FORMAT) != 0) {
    return stz_fail(STZ_EIO, "%s: not a result of stzkmc: attribute format: got %s, needs %s", path, format, FORMAT);
  }
  if (!stz_reader_numbers(file, "/", "format_version", STZ_NUMBER_UINT64, 1, &version) || version != FORMAT_VERSION) {
    return stz_fail(STZ_EIO, "%s: format_version: got %" PRIu64 ", this program reads %d", path, version,
                    FORMAT_VERSION);
  }
  return STZ_OK;
}

static void print_provenance(stz_reader *file, FILE *out) {
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
    if (stz_reader_numbers(file, "/", numbers[i], STZ_NUMBER_UINT64, 1, &number)) {
      fprintf(out, "%s: %" PRIu64 "\n", numbers[i], number);
    }
  }
  if (read_text(file, "/engine", "name", text, sizeof text)) fprintf(out, "engine: %s\n", text);
  if (stz_reader_numbers(file, "/config", "cells", STZ_NUMBER_INT, 3, cells)) {
    fprintf(out, "cells: %d %d %d\n", cells[0], cells[1], cells[2]);
  }
  if (stz_reader_numbers(file, "/config", "spacing_nm", STZ_NUMBER_DOUBLE, 1, &spacing)) {
    fprintf(out, "spacing_nm: %.15g\n", spacing);
  }
}

// The columns whose last values are shown.
static const char *const COLUMNS[] = {"time_s",           "temperature_K",        "strain_axial",
                                      "stress_axial_GPa", "plastic_strain_axial", "events"};
enum { COLUMN_COUNT = sizeof COLUMNS / sizeof *COLUMNS };
_Static_assert((int)COLUMN_COUNT == (int)STZ_SUMMARY_COLUMNS, "a summary has room for all");

// The length of a one-dimensional dataset of numbers, 0 if there is none.
static uint64_t length_of(stz_reader *file, const char *path) {
  stz_shape shape;
  if (stz_reader_shape(file, path, &shape) != STZ_OK || !shape.numbers || shape.rank != 1) return 0;
  return shape.extent[0];
}

// Reads the last values of the COLUMNS, NAN where there is none, and counts the rows.
static uint64_t read_last_row(stz_reader *file, double values[COLUMN_COUNT]) {
  static const uint64_t one = 1;
  char paths[COLUMN_COUNT][64];
  uint64_t rows = UINT64_MAX; // a killed run's last block may be in some columns only
  for (int i = 0; i < COLUMN_COUNT; i++) {
    snprintf(paths[i], sizeof paths[i], "/history/%s", COLUMNS[i]);
    const uint64_t length = length_of(file, paths[i]);
    if (length < rows) rows = length;
  }
  for (int i = 0; i < COLUMN_COUNT; i++) {
    const uint64_t last = rows - 1;
    const bool there =
        rows > 0 && stz_reader_block(file, paths[i], STZ_NUMBER_DOUBLE, 1, &last, &one, &values[i]) == STZ_OK;
    if (!there) values[i] = NAN;
  }
  return rows;
}

static void print_last_row(stz_reader *file, FILE *out) {
  double values[COLUMN_COUNT];
  fprintf(out, "rows: %" PRIu64 "\n", read_last_row(file, values));
  for (int i = 0; i < COLUMN_COUNT; i++) {
    if (!isnan(values[i])) fprintf(out, "%s: %.10g\n", COLUMNS[i], values[i]);
  }
}

static void print_levels(stz_reader *file, FILE *out) {
  char group[32];
  double strain;
  int levels = 0;
  fprintf(out, "nbed_strains:");
  for (;; levels++) {
    snprintf(group, sizeof group, "/nbed/level_%02d", levels);
    if (!stz_reader_numbers(file, group, "strain", STZ_NUMBER_DOUBLE, 1, &strain)) break;
    fprintf(out, " %.6g", strain);
  }
  fprintf(out, "\nnbed_levels: %d\n", levels);
}

// Everything about a file as one text, so that nothing of a damaged one is printed.
static stz_err describe(const char *path, char **text) {
  stz_reader *file;
  stz_text *printed = NULL;
  FILE *out;
  *text = NULL;
  STZ_TRY(stz_reader_open(path, &file));
  stz_err err = check_format(file);
  if (err == STZ_OK) err = stz_text_begin(&printed, &out);
  if (err == STZ_OK) {
    print_provenance(file, out);
    print_last_row(file, out);
    print_levels(file, out);
  }
  const stz_err closing = stz_reader_close(&file);
  return stz_text_end(&printed, closing != STZ_OK ? closing : err, text); // a question that was lost is why
}

stz_err stz_result_info(const char *path, FILE *out) {
  char *text;
  stz_err err = describe(path, &text);
  if (err == STZ_OK && (fputs(text, out) < 0 || fflush(out) != 0 || ferror(out))) {
    err = stz_fail(STZ_EIO, "%s: cannot print", path);
  }
  stz_free(text);
  return err;
}

static bool is_complete(stz_reader *file) {
  uint64_t flag = 0;
  return stz_reader_numbers(file, "/", "complete", STZ_NUMBER_UINT64, 1, &flag) && flag == 1;
}

stz_err stz_result_peek(const char *path, bool *complete, char **resolved) {
  stz_reader *file;
  if (resolved) *resolved = NULL;
  STZ_TRY(stz_reader_open(path, &file));
  stz_err err = check_format(file);
  if (err == STZ_OK && resolved) err = stz_reader_text(file, "/config/resolved", resolved);
  if (err == STZ_OK) *complete = is_complete(file);
  const stz_err closing = stz_reader_close(&file);
  if (closing != STZ_OK) err = closing; // a question that was lost is why
  if (err == STZ_OK || !resolved) return err;
  stz_free(*resolved);
  *resolved = NULL;
  return err;
}

// Largest value of a column of the history, NAN where it cannot be told.
static double column_peak(stz_reader *file, const char *path, uint64_t rows) {
  enum { BLOCK = 4096 };
  double values[BLOCK], peak = NAN;
  if (length_of(file, path) != rows) return NAN;
  for (uint64_t at = 0; at < rows; at += BLOCK) {
    const uint64_t count = rows - at < BLOCK ? rows - at : BLOCK;
    if (stz_reader_block(file, path, STZ_NUMBER_DOUBLE, 1, &at, &count, values) != STZ_OK) return NAN;
    for (uint64_t i = 0; i < count; i++) peak = fmax(peak, values[i]);
  }
  return peak;
}

stz_err stz_result_summary(const char *path, stz_summary *summary) {
  stz_reader *file;
  *summary = (stz_summary){.columns = COLUMNS, .count = COLUMN_COUNT};
  STZ_TRY(stz_reader_open(path, &file));
  stz_err err = check_format(file);
  if (err == STZ_OK) {
    summary->complete = is_complete(file);
    (void)read_text(file, "/", "state_hash", summary->state_hash, sizeof summary->state_hash);
    summary->rows = read_last_row(file, summary->last);
    summary->peak_stress_GPa = column_peak(file, "/history/stress_axial_GPa", summary->rows);
  }
  const stz_err closing = stz_reader_close(&file);
  return closing != STZ_OK ? closing : err; // a question that was lost is why
}
