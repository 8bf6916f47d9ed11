// SPDX-License-Identifier: GPL-3.0-or-later
//
// The result file, written on all ranks and read back on rank 0 with HDF5 itself: contents, attributes, refusals, a
// full disk, and what `info` says.
#include <fcntl.h>
#include <hdf5.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/result.h"
#include "mpi/harness.h"

enum { ROWS = 1200, WIDTH = 12, COLUMN_COUNT = 7 }; // rows: several blocks and chunks, and a rest
static const stz_dataset COLUMNS[COLUMN_COUNT] = {
    {"time_s", "s", "time", "row", STZ_FLOAT64},
    {"strain", "1", "tensor", "row component[6]", STZ_FLOAT64},
    {"temperature_K", "K", "temperature", "row", STZ_FLOAT64},
    {"strain_axial", "1", "strain, xx", "row", STZ_FLOAT64},
    {"stress_axial_GPa", "GPa", "stress, xx", "row", STZ_FLOAT64},
    {"plastic_strain_axial", "1", "plastic strain, xx", "row", STZ_FLOAT64},
    {"events", "1", "events so far", "row", STZ_FLOAT64},
};
static const stz_group HISTORY = {STZ_GROUP("/history", "always", COLUMNS), .block = 64, .chunk = 512};
static const stz_dataset COMPOSITION = {"composition", "1", "Ni fraction", "x y z", STZ_FLOAT32};
static char folder[64], path[128];
static int rank;

static const char *in_folder(const char *name) {
  static char full[128];
  snprintf(full, sizeof full, "%s/%s", folder, name);
  return full;
}

static stz_grid *make_grid(MPI_Comm comm, int nx, int ny, int nz) {
  stz_grid *grid = NULL;
  const stz_lattice_params params = {.cells = {nx, ny, nz}, .spacing_nm = 0.58};
  CHECK_OK(stz_grid_create(comm, &params, &grid));
  return grid;
}

static double entry(int row, int column) { return row * 100.0 + column + 1.0 / 3.0; }
static float site_value(int64_t site) { return (float)(site * 0.37 - 11.0); }

static void write_rows(stz_result *result, int table, int rows) {
  double values[WIDTH];
  for (int row = 0; row < rows; row++) {
    for (int c = 0; c < WIDTH; c++) values[c] = entry(row, c);
    CHECK_OK(stz_result_row(result, table, values));
  }
}

static void write_field(const stz_grid *grid, stz_result *result) {
  float *local;
  CHECK_OK(STZ_NEW(local, stz_grid_local_sites(grid)));
  for (int64_t i = 0; i < stz_grid_local_sites(grid); i++) local[i] = site_value(stz_grid_first_site(grid) + i);
  CHECK_OK(stz_result_field(result, "/microstructure", &COMPOSITION, local));
  stz_free(local);
}

static void write_all(const stz_grid *grid) {
  stz_result *result;
  const int dims[] = {2, 3}, cells[] = {16, 8, 24};
  const double table[] = {1, 2, 3, 4, 5, 1e-300};
  const uint8_t bytes[] = {0, 1, 2, 253, 254, 255};
  const stz_dataset input = {"input", "1", "as given", "", STZ_TEXT}, empty = {"empty", "1", "nothing", "", STZ_TEXT},
                    numbers = {"table", "nm", "a table", "row column", STZ_FLOAT64},
                    bragg = {"bragg", "1", "patterns", "row column[3]", STZ_UINT8};
  int history;
  CHECK_OK(stz_result_create(grid, path, false, &result));
  CHECK_OK(stz_result_text(result, "/", "format", "stzkmc-result"));
  CHECK_OK(stz_result_int(result, "/", "format_version", 1));
  CHECK_OK(stz_result_uint(result, "/", "seed", UINT64_MAX - 4));
  CHECK_OK(stz_result_int(result, "/", "complete", 0));
  CHECK_OK(stz_result_text(result, "/", "command_line", "stzkmc run \xce\xa9\na b"));
  CHECK_OK(stz_result_ints(result, "/config", "cells", cells, 3));
  CHECK_OK(stz_result_double(result, "/config", "spacing_nm", 0.58));
  CHECK_OK(stz_result_text_dataset(result, "/config", &input, "lattice: {}\n"));
  CHECK_OK(stz_result_text_dataset(result, "/config", &empty, ""));
  CHECK_OK(stz_result_table(result, &HISTORY, &history));
  CHECK_OK(stz_result_double(result, "/protocol/segment_00", "end_s", NAN));
  write_rows(result, history, ROWS);
  CHECK_OK(stz_result_values(result, "/nbed/level_00", &numbers, dims, table));
  CHECK_OK(stz_result_values(result, "/nbed/level_00", &bragg, dims, bytes));
  CHECK_OK(stz_result_double(result, "/nbed/level_00", "strain", 0.05));
  CHECK_OK(stz_result_double(result, "/protocol/segment_00", "end_s", 12.5));
  write_field(grid, result);
  CHECK_OK(stz_result_int(result, "/", "complete", 1));
  CHECK_OK(stz_result_text(result, "/", "state_hash", "0123456789abcdef"));
  CHECK_OK(stz_result_close(&result));
  CHECK(result == NULL, "the result is still there");
}

static size_t read_dataset(hid_t file, const char *name, hid_t type, int expected_rank, void *values, size_t most) {
  hsize_t dims[3] = {1, 1, 1};
  const hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT), space = H5Dget_space(dataset);
  CHECK(H5Sget_simple_extent_dims(space, dims, NULL) == expected_rank, "%s", name);
  const size_t count = (size_t)(dims[0] * dims[1] * dims[2]);
  CHECK(count <= most, "%s has %zu values", name, count);
  if (count <= most) CHECK(H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0, "%s", name);
  H5Sclose(space);
  H5Dclose(dataset);
  return count;
}

static double read_number(hid_t file, const char *object, const char *name) {
  double value = -1.0;
  const hid_t attribute = H5Aopen_by_name(file, object, name, H5P_DEFAULT, H5P_DEFAULT);
  CHECK(attribute >= 0 && H5Aread(attribute, H5T_NATIVE_DOUBLE, &value) >= 0, "%s of %s", name, object);
  H5Aclose(attribute);
  return value;
}

static void check_text(hid_t file, const char *object, const char *name, const char *expected) {
  char *text = NULL;
  const hid_t attribute = H5Aopen_by_name(file, object, name, H5P_DEFAULT, H5P_DEFAULT);
  const hid_t type = H5Aget_type(attribute);
  CHECK(H5Aread(attribute, type, &text) >= 0 && text && strcmp(text, expected) == 0, "%s of %s: %s", name, object,
        text ? text : "none");
  H5free_memory(text);
  H5Tclose(type);
  H5Aclose(attribute);
}

static herr_t has_units(hid_t file, const char *name, const H5O_info_t *info, void *datasets) {
  if (info->type != H5O_TYPE_DATASET) return 0;
  ++*(int *)datasets;
  CHECK(H5Aexists_by_name(file, name, "units", H5P_DEFAULT) > 0, "%s", name);
  CHECK(H5Aexists_by_name(file, name, "dimensions", H5P_DEFAULT) > 0, "%s", name);
  CHECK(H5Aexists_by_name(file, name, "description", H5P_DEFAULT) > 0, "%s", name);
  return 0;
}

static void check_history(hid_t file) {
  static double time[ROWS], strain[ROWS * 6], events[ROWS];
  CHECK(read_dataset(file, "/history/time_s", H5T_NATIVE_DOUBLE, 1, time, ROWS) == ROWS, "rows");
  CHECK(read_dataset(file, "/history/strain", H5T_NATIVE_DOUBLE, 2, strain, 6 * ROWS) == 6 * ROWS, "rows");
  CHECK(read_dataset(file, "/history/events", H5T_NATIVE_DOUBLE, 1, events, ROWS) == ROWS, "rows");
  int wrong = 0;
  for (int row = 0; row < ROWS; row++) {
    wrong += time[row] != entry(row, 0) || events[row] != entry(row, 11);
    for (int c = 0; c < 6; c++) wrong += strain[6 * row + c] != entry(row, 1 + c);
  }
  CHECK(wrong == 0, "%d values of the history are wrong", wrong);
}

static void check_file(void) {
  static float field[16 * 8 * 24];
  double table[6];
  uint8_t bytes[6];
  char text[32] = "";
  int datasets = 0, wrong = 0;
  uint64_t seed = 0;
  const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  CHECK(file >= 0, "%s does not open", path);
  if (file < 0) return;
  check_history(file);
  CHECK(read_dataset(file, "/microstructure/composition", H5T_NATIVE_FLOAT, 3, field, 3072) == 3072, "cells");
  for (int64_t i = 0; i < 3072; i++) wrong += field[i] != site_value(i);
  CHECK(wrong == 0, "%d of 3072 sites are wrong", wrong);
  CHECK(read_dataset(file, "/nbed/level_00/table", H5T_NATIVE_DOUBLE, 2, table, 6) == 6, "table");
  CHECK(table[2] == 3.0 && table[5] == 1e-300, "table");
  CHECK(read_dataset(file, "/nbed/level_00/bragg", H5T_NATIVE_UINT8, 2, bytes, 6) == 6, "bytes");
  CHECK(bytes[0] == 0 && bytes[3] == 253 && bytes[5] == 255, "bytes");
  const hid_t input = H5Dopen2(file, "/config/input", H5P_DEFAULT), type = H5Dget_type(input);
  CHECK(H5Dread(input, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) >= 0 && !strcmp(text, "lattice: {}\n"), "%s", text);
  H5Tclose(type);
  H5Dclose(input);
  const hid_t attribute = H5Aopen(file, "seed", H5P_DEFAULT);
  CHECK(H5Aread(attribute, H5T_NATIVE_UINT64, &seed) >= 0 && seed == UINT64_MAX - 4, "seed");
  H5Aclose(attribute);
  CHECK(read_number(file, "/", "complete") == 1.0, "complete is not replaced");
  CHECK(read_number(file, "/protocol/segment_00", "end_s") == 12.5, "end_s is not replaced");
  check_text(file, "/", "command_line", "stzkmc run \xce\xa9\na b");
  check_text(file, "/history/time_s", "units", "s");
  check_text(file, "/nbed/level_00/table", "description", "a table");
  check_text(file, "/history/strain", "dimensions", "row component");
  check_text(file, "/config/input", "dimensions", "");
  H5Ovisit(file, H5_INDEX_NAME, H5_ITER_INC, has_units, &datasets);
  CHECK(datasets == 12, "%d datasets", datasets);
  H5Fclose(file);
}

// Every rank sees the failure of rank 0, with its message: one line that names the file and the reason.
static void check_failure(stz_err err, const char *name, const char *why) {
  const char *message = stz_error_message();
  CHECK(err == STZ_EIO, "%d: %s", (int)err, message);
  CHECK(strstr(message, name) && strstr(message, why) && !strchr(message, '\n'), "message: %s", message);
}

static void refusals(const stz_grid *grid) {
  stz_result *result = NULL;
  char missing[160];
  struct stat status;
  snprintf(missing, sizeof missing, "%s/none/x.h5", folder);
  check_failure(stz_result_create(grid, path, false, &result), path, "--force");
  check_failure(stz_result_create(grid, missing, true, &result), missing, "No such file or directory");
  check_failure(stz_result_create(grid, folder, true, &result), folder, "something else than a file");
  check_failure(stz_result_create(grid, "/dev/null", true, &result), "/dev/null", "something else than a file");
  snprintf(missing, sizeof missing, "%s/x.h5", path);
  check_failure(stz_result_create(grid, missing, true, &result), missing, "Not a directory");
  CHECK(result == NULL, "a result after a failure");
  if (rank == 0) check_file(); // untouched
  MPI_Barrier(stz_grid_comm(grid));
  CHECK_OK(stz_result_create(grid, path, true, &result));
  CHECK_OK(stz_result_int(result, "/", "seed", 3));
  if (rank == 0) check_file(); // a killed run leaves the old file, or the new one with all that it begins with
  MPI_Barrier(stz_grid_comm(grid));
  CHECK_OK(stz_result_flush(result));
  CHECK(stat(in_folder("run.h5.new"), &status) != 0, "the temporary file is left");
  const int dims[] = {1};
  const stz_dataset b = {"b", "1", "b", "row", STZ_FLOAT64};
  CHECK_OK(stz_result_values(result, "/a", &b, dims, &(double){1.0}));
  check_failure(stz_result_values(result, "/a", &b, dims, &(double){1.0}), "/a/b", "already exists");
  check_failure(stz_result_int(result, "/a/b/c", "x", 1), "/a/b/c", "");
  CHECK_OK(stz_result_close(&result));
  CHECK_OK(stz_result_close(&result)); // nothing to do
  if (rank != 0) return;
  const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  CHECK(read_number(file, "/", "seed") == 3.0 && H5Lexists(file, "history", H5P_DEFAULT) == 0, "not replaced");
  H5Fclose(file);
}

// While a run goes on, another process can read what was flushed: no lock stands in its way.
static void readable_while_open(const stz_grid *grid) {
  stz_result *result;
  double time[64];
  int history;
  CHECK_OK(stz_result_create(grid, in_folder("open.h5"), false, &result));
  CHECK_OK(stz_result_table(result, &HISTORY, &history));
  write_rows(result, history, 10);
  CHECK_OK(stz_result_flush(result));
  if (rank == 0) {
    char command[256];
    const int reader = open(in_folder("open.h5"), O_RDONLY);
    CHECK(flock(reader, LOCK_SH | LOCK_NB) == 0, "the file is locked");
    close(reader);
    snprintf(command, sizeof command, "cp %s %s/copy.h5", in_folder("open.h5"), folder);
    CHECK(system(command) == 0, "no copy");
    const hid_t file = H5Fopen(in_folder("copy.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
    CHECK(read_dataset(file, "/history/time_s", H5T_NATIVE_DOUBLE, 1, time, 64) == 10, "rows");
    CHECK(time[9] == entry(9, 0), "row 9");
    H5Fclose(file);
  }
  CHECK_OK(stz_result_close(&result));
}

// A disk that fills up, played by a limit on the file's size: one line on every rank, no crash, no hang.
static void full_disk(const stz_grid *grid) {
  struct rlimit before, low;
  getrlimit(RLIMIT_FSIZE, &before);
  low = before;
  low.rlim_cur = 200000;
  static const stz_dataset big = {"big", "1", "too big", "x y z", STZ_FLOAT32};
  signal(SIGXFSZ, SIG_IGN);
  for (int rows = 0; rows < 2; rows++) {
    stz_result *result;
    stz_err err = STZ_OK;
    double values[WIDTH] = {0};
    float *local;
    int history;
    CHECK_OK(STZ_NEW(local, stz_grid_local_sites(grid)));
    CHECK_OK(stz_result_create(grid, in_folder("full.h5"), true, &result));
    CHECK_OK(stz_result_table(result, &HISTORY, &history));
    if (rank == 0) setrlimit(RLIMIT_FSIZE, &low);
    if (rows) {
      for (int i = 0; i < 20000 && err == STZ_OK; i++) err = stz_result_row(result, history, values);
    } else {
      err = stz_result_field(result, "", &big, local);
    }
    check_failure(err, "full.h5", "File too large");
    const stz_err closing = stz_result_close(&result);
    CHECK(closing == STZ_OK || closing == STZ_EIO, "%s", stz_error_message());
    CHECK(result == NULL, "not closed");
    setrlimit(RLIMIT_FSIZE, &before);
    stz_free(local);
  }
}

static void check_line(const char *text, const char *line) {
  const char *found = strstr(text, line);
  CHECK(found && (found == text || found[-1] == '\n') && found[strlen(line)] == '\n', "no line \"%s\" in:\n%s", line,
        text);
}

static void info(void) {
  static const char *const lines[] = {"format: stzkmc-result",
                                      "format_version: 1",
                                      "seed: 18446744073709551611",
                                      "complete: 1",
                                      "command_line: stzkmc run \xce\xa9 a b",
                                      "state_hash: 0123456789abcdef",
                                      "cells: 16 8 24",
                                      "spacing_nm: 0.58",
                                      "rows: 1200",
                                      "time_s: 119900.3333",
                                      "strain_axial: 119908.3333",
                                      "events: 119911.3333",
                                      "nbed_strains: 0.05",
                                      "nbed_levels: 1"};
  char text[4096] = "";
  FILE *out = tmpfile();
  CHECK_OK(stz_result_info(path, out));
  rewind(out);
  CHECK(fread(text, 1, sizeof text - 1, out) > 0, "nothing printed");
  for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) check_line(text, lines[i]);
  check_failure(stz_result_info(in_folder("absent.h5"), out), "absent.h5", "No such file or directory");
  FILE *file = fopen(in_folder("text.h5"), "w");
  for (int i = 0; i < 1000; i++) fputs("not what it seems\n", file);
  fclose(file);
  check_failure(stz_result_info(in_folder("text.h5"), out), "text.h5", "it is no HDF5 file");
  CHECK(truncate(in_folder("text.h5"), 0) == 0, "truncate");
  check_failure(stz_result_info(in_folder("text.h5"), out), "text.h5", "cannot open");
  check_failure(stz_result_info(folder, out), folder, "cannot open");
  const hid_t foreign = H5Fcreate(in_folder("foreign.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  H5Fclose(foreign);
  check_failure(stz_result_info(in_folder("foreign.h5"), out), "foreign.h5", "not a result of stzkmc");
  FILE *full = fopen("/dev/full", "w");
  check_failure(stz_result_info(path, full), path, "cannot print");
  fclose(full);
  fclose(out);
}

// A copy that was cut short is told about, unless it lacks a part of its seal alone. (tests/damage changes bytes.)
static void cut_short(void) {
  static unsigned char bytes[1 << 20];
  FILE *original = fopen(path, "rb"), *out = tmpfile();
  const size_t size = fread(bytes, 1, sizeof bytes, original);
  fclose(original);
  CHECK(size > 100000 && size < sizeof bytes, "%zu bytes", size);
  for (size_t i = 0; i < 50; i++) {
    FILE *copy = fopen(in_folder("cut.h5"), "wb");
    fwrite(bytes, 1, i < 25 ? i * 50 : (size - 34) / 24 * (i - 25), copy);
    fclose(copy);
    check_failure(stz_result_info(in_folder("cut.h5"), out), "cut.h5", "cannot open");
  }
  fclose(out);
}

static void cases(MPI_Comm comm) {
  MPI_Comm_rank(comm, &rank);
  const char *base = getenv("TMPDIR");
  snprintf(folder, sizeof folder, "%.40s/stz-result-XXXXXX", base ? base : "/tmp");
  if (rank == 0) CHECK(mkdtemp(folder) != NULL, "%s", folder);
  MPI_Bcast(folder, sizeof folder, MPI_CHAR, 0, comm);
  snprintf(path, sizeof path, "%s/run.h5", folder);
  stz_grid *grid = make_grid(comm, 16, 8, 24), *large = make_grid(comm, 48, 48, 48);
  write_all(grid);
  if (rank == 0) {
    check_file();
    info();
    cut_short();
  }
  MPI_Barrier(comm);
  refusals(grid);
  readable_while_open(grid);
  full_disk(large);
  stz_grid_destroy(&grid);
  stz_grid_destroy(&large);
  if (rank == 0) {
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", folder);
    CHECK(system(command) == 0, "%s", command);
  }
}

int main(int argc, char **argv) { return harness_main(argc, argv, "result", cases); }
