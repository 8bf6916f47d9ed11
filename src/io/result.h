// SPDX-License-Identifier: GPL-3.0-or-later
//
// The result file of a run (docs/output.md is its contract). Written by rank 0 through the serial driver, flushed after
// each block of rows, so that a killed run leaves a readable file. Every function is collective over the grid's
// communicator and agrees on failures (STZ_EIO), unless it says otherwise.
#ifndef STZ_IO_RESULT_H
#define STZ_IO_RESULT_H

#include <mpi.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "lattice/grid.h"

typedef struct stz_result stz_result;

// The tables that grow row by row: the groups /history, /events and /avalanches.
typedef enum stz_table { STZ_TABLE_HISTORY, STZ_TABLE_EVENTS, STZ_TABLE_AVALANCHES } stz_table;
enum { STZ_TABLES = 3 };

// How a column is stored; rows are handed over as doubles in any case.
typedef enum stz_column_type {
  STZ_COLUMN_DOUBLE,
  STZ_COLUMN_FLOAT,
  STZ_COLUMN_INT32,
  STZ_COLUMN_INT16,
  STZ_COLUMN_INT8
} stz_column_type;

// A column of a table: `width` numbers per row (dataset n when 1, else n x width).
typedef struct stz_column {
  const char *name, *unit, *description;
  int width;
  stz_column_type type;
} stz_column;

// Creates the file; refuses an existing one (STZ_EIO) unless `force`. The message names the path and says --force. The
// old file is replaced at the first flush; until then the new one has a temporary name, so that a file is never found
// without what it begins with.
stz_err stz_result_create(const stz_grid *grid, const char *path, bool force, stz_result **result) STZ_MUST_USE;
stz_err stz_result_close(stz_result **result) STZ_MUST_USE;

// Closes it after a failure; the failure's message stays the last one.
void stz_result_abandon(stz_result **result);

// Opens an unfinished file again, to continue after the last row of each table.
stz_err stz_result_reopen(const stz_grid *grid, const char *path, stz_result **result) STZ_MUST_USE;

const char *stz_result_path(const stz_result *result); // on rank 0; local

// Write the attribute `name` of the group or dataset `object` ("/": the root); missing groups are made. Rank 0's
// value is written.
stz_err stz_result_text(stz_result *result, const char *object, const char *name, const char *value) STZ_MUST_USE;
stz_err stz_result_int(stz_result *result, const char *object, const char *name, int64_t value) STZ_MUST_USE;
stz_err stz_result_uint(stz_result *result, const char *object, const char *name, uint64_t value) STZ_MUST_USE;
stz_err stz_result_double(stz_result *result, const char *object, const char *name, double value) STZ_MUST_USE;
stz_err stz_result_ints(stz_result *result, const char *object, const char *name, const int *values,
                        int count) STZ_MUST_USE;

// Writes a text dataset at `path`.
stz_err stz_result_text_dataset(stz_result *result, const char *path, const char *description,
                                const char *text) STZ_MUST_USE;

// The columns of a table, declared once (in a file that was opened again: those it was made with); then rows (all
// columns' values one after the other, the same on every rank). Rows are buffered, and those of all tables written
// together: every 64 rows of the history, 1024 of another table, ~2 s of wall time, and at stz_result_flush.
stz_err stz_result_columns(stz_result *result, stz_table table, const stz_column *columns, int count) STZ_MUST_USE;
stz_err stz_result_row(stz_result *result, const double *values) STZ_MUST_USE; // of the history
stz_err stz_result_flush(stz_result *result) STZ_MUST_USE;

// A row of another table; no communication but when a block is full.
stz_err stz_result_append(stz_result *result, stz_table table, const double *values) STZ_MUST_USE;

// Writes a dataset at `path` with dims[rank] values of `unit`, the last index fastest; rank 0's values are written.
stz_err stz_result_doubles(stz_result *result, const char *path, const char *unit, const char *description, int rank,
                           const int *dims, const double *values) STZ_MUST_USE;
stz_err stz_result_bytes(stz_result *result, const char *path, const char *unit, const char *description, int rank,
                         const int *dims, const uint8_t *values) STZ_MUST_USE;

// Writes a field over the lattice at `path`, nx x ny x nz floats of `unit`. `local`: one number per local site.
// Collected plane by plane, so that no rank ever holds more than a slab.
stz_err stz_result_field(stz_result *result, const char *path, const char *unit, const char *description,
                         const float *local) STZ_MUST_USE;

// Whether a result is of a run that came to its end, and its resolved input (to be freed by stz_free). Local, serial.
stz_err stz_result_peek(const char *path, bool *complete, char **resolved) STZ_MUST_USE;

// A result in a few numbers.
enum { STZ_SUMMARY_COLUMNS = 6 };
typedef struct stz_summary {
  bool complete;
  char state_hash[32]; // "" before the end
  uint64_t rows;       // of the history
  const char *const *columns;
  double last[STZ_SUMMARY_COLUMNS]; // values of these `count` columns; NAN where there is none
  int count;
  double peak_stress_GPa; // largest axial stress of the history
} stz_summary;

// Reads it. Local, serial. Fails with STZ_EIO for what is no result.
stz_err stz_result_summary(const char *path, stz_summary *summary) STZ_MUST_USE;

// Prints what made a file and its last values, one `key: value` per line, to `out`. Local, serial.
stz_err stz_result_info(const char *path, FILE *out) STZ_MUST_USE;

// Prints what two results differ in, one `key: FIRST | SECOND` per line, `-` for what one of them lacks: all that
// stz_result_info prints, then the keys of the resolved inputs. Local, serial.
stz_err stz_result_differences(const char *first, const char *second, FILE *out) STZ_MUST_USE;

#endif
