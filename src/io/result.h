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
#include "io/dataset.h"
#include "lattice/grid.h"

typedef struct stz_result stz_result;

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
// value, or values[count], is written.
stz_err stz_result_text(stz_result *result, const char *object, const char *name, const char *value) STZ_MUST_USE;
stz_err stz_result_int(stz_result *result, const char *object, const char *name, int64_t value) STZ_MUST_USE;
stz_err stz_result_uint(stz_result *result, const char *object, const char *name, uint64_t value) STZ_MUST_USE;
stz_err stz_result_double(stz_result *result, const char *object, const char *name, double value) STZ_MUST_USE;
stz_err stz_result_ints(stz_result *result, const char *object, const char *name, const int *values,
                        int count) STZ_MUST_USE;

// Datasets of a group, whose path is given as it is in the file. A text; and `values` that every rank holds, as they
// are stored (of the type of `what`, the last index fastest), with dims[] the sizes of its dimensions (rank 0's are
// written).
stz_err stz_result_text_dataset(stz_result *result, const char *group, const stz_dataset *what,
                                const char *text) STZ_MUST_USE;
stz_err stz_result_values(stz_result *result, const char *group, const stz_dataset *what, const int *dims,
                          const void *values) STZ_MUST_USE;

// A field over the lattice, nx x ny x nz floats: `local` has one number per local site, collected plane by plane, so
// that no rank ever holds more than a slab.
stz_err stz_result_field(stz_result *result, const char *group, const stz_dataset *what,
                         const float *local) STZ_MUST_USE;

// Declares a table once, in a file that was opened again as it was made; *table is its number. Then rows: all columns'
// values one after the other, the same on every rank. Rows are buffered, and those of all tables written together: when
// one has a block full, and at stz_result_flush.
stz_err stz_result_table(stz_result *result, const stz_group *group, int *table) STZ_MUST_USE;
stz_err stz_result_append(stz_result *result, int table, const double *values) STZ_MUST_USE; // collective if it is full
stz_err stz_result_row(stz_result *result, int table, const double *values) STZ_MUST_USE; // collective; also after ~2 s
stz_err stz_result_flush(stz_result *result) STZ_MUST_USE;

// Whether a result is of a run that came to its end, and, if not NULL, its resolved input (to be freed by stz_free).
// Local, serial.
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
