// SPDX-License-Identifier: GPL-3.0-or-later
//
// A writer that is killed (SIGKILL) at random instants: the file must open, and its history hold whole rows. Each
// writer is a process of one rank; it flushes far more often than a run, so that kills fall into the writing.
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <hdf5.h>

#include "io/result.h"
#include "rng/rng.h"

enum { KILLS = 10, COLUMN_COUNT = 3 };
static const stz_dataset COLUMNS[COLUMN_COUNT] = {
    {"time_s", "s", "time", "row", STZ_FLOAT64},
    {"strain", "1", "tensor", "row component[6]", STZ_FLOAT64},
    {"events", "1", "events so far", "row", STZ_FLOAT64},
};
static const stz_group HISTORY = {STZ_GROUP("/history", "always", COLUMNS), .block = 64, .chunk = 512};
static const int WIDTHS[COLUMN_COUNT] = {1, 6, 1};

static double entry(int row, int column) { return row * 10.0 + column; }

// Writes rows, seven a flush, until it is killed. `ready` gets a byte when it begins, and one after each flush.
static void write_for_ever(const char *path, int ready) {
  const stz_lattice_params params = {.cells = {16, 16, 16}, .spacing_nm = 0.58};
  stz_grid *grid;
  stz_result *result;
  int table;
  MPI_Init(NULL, NULL);
  if (stz_grid_create(MPI_COMM_WORLD, &params, &grid) != STZ_OK) _exit(1);
  if (stz_result_create(grid, path, true, &result) != STZ_OK) _exit(1);
  if (stz_result_table(result, &HISTORY, &table) != STZ_OK) _exit(1);
  if (stz_result_flush(result) != STZ_OK || write(ready, "x", 1) != 1) _exit(1);
  for (int row = 0;; row++) {
    double values[8];
    for (int c = 0; c < 8; c++) values[c] = entry(row, c);
    if (stz_result_row(result, table, values) != STZ_OK) _exit(1);
    if (row % 7 != 0) continue;
    if (stz_result_flush(result) != STZ_OK || write(ready, "x", 1) != 1) _exit(1);
  }
}

// Kills the writer a moment after so many flushes: what it has done by then decides, not the time it took.
static void kill_writer(const char *path, int flushes, double after_s) {
  int ends[2];
  char byte;
  assert_int_equal(pipe(ends), 0);
  const pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) write_for_ever(path, ends[1]);
  close(ends[1]);
  for (int i = 0; i <= flushes; i++) assert_int_equal(read(ends[0], &byte, 1), 1);
  const struct timespec pause = {.tv_nsec = (long)(after_s * 1e9)};
  nanosleep(&pause, NULL);
  int status;
  kill(child, SIGKILL);
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  close(ends[0]);
}

// The rows of the shortest column, all of them with the values that were written; *spread is by how much others are
// longer.
static int check_rows(const char *path, int *spread) {
  static double values[6 << 20];
  int shortest = 1 << 20, longest = 0, at = 0;
  const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  assert_true(file >= 0);
  for (int i = 0; i < COLUMN_COUNT; at += WIDTHS[i++]) {
    char name[64];
    hsize_t dims[2];
    snprintf(name, sizeof name, "/history/%s", COLUMNS[i].name);
    const hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT), space = H5Dget_space(dataset);
    assert_true(dataset >= 0 && H5Sget_simple_extent_dims(space, dims, NULL) > 0 && dims[0] < 1 << 20);
    assert_true(H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    const int rows = (int)dims[0];
    for (int row = 0; row < rows; row++) {
      for (int c = 0; c < WIDTHS[i]; c++) assert_true(values[row * WIDTHS[i] + c] == entry(row, at + c));
    }
    if (rows < shortest) shortest = rows;
    if (rows > longest) longest = rows;
    H5Sclose(space);
    H5Dclose(dataset);
  }
  H5Fclose(file);
  *spread = longest - shortest;
  return shortest;
}

static void killed_writers_leave_readable_files(void **state) {
  (void)state;
  char folder[64], path[80];
  const char *base = getenv("TMPDIR");
  snprintf(folder, sizeof folder, "%.40s/stz-killed-XXXXXX", base ? base : "/tmp");
  assert_non_null(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/run.h5", folder);
  stz_rng rng = stz_rng_stream(5, STZ_RNG_EVENTS, 0);
  int grown = 0;
  for (int i = 0; i < KILLS; i++) {
    int spread;
    const int flushes = i % 4 == 0 ? 0 : 1 + (int)(100.0 * stz_rng_uniform(&rng));
    kill_writer(path, flushes, 0.02 * stz_rng_uniform(&rng));
    const int rows = check_rows(path, &spread);
    if (getenv("SHOW")) print_message("rows %d spread %d\n", rows, spread);
    assert_true(spread <= 7); // a block in the midst of its flush
    grown += rows > 0;
  }
  assert_true(grown >= KILLS / 2);
  unlink(path);
  rmdir(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(killed_writers_leave_readable_files)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
