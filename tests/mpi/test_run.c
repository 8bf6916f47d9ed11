// SPDX-License-Identifier: GPL-3.0-or-later
//
// A whole run, all modules together, on these ranks against the same on one rank alone: the same state_hash and the
// same numbers in the result file, bit for bit; another seed gives another hash. A run that is stopped wherever it asks
// whether to stop, within a segment's first rows, a ramp without events or a level, gives the same as one without a
// break.
#include <hdf5.h>
#include <stdlib.h>
#include <string.h>

#include "mpi/harness.h"
#include "sim/sim.h"

// A long rest, types of segments, levels before and within flow, a composition field, random cells; unlike edges.
static const char *const INPUT =
    "lattice: { cells = [16, 16, 24]; };\n"
    "protocol = (\n"
    "  { type = \"age\"; duration_s = 1.0e16; },\n"
    "  { type = \"strain-rate\"; rate_per_s = 1.0e-3; until_strain = 0.045; },\n"
    "  { type = \"relaxation\"; duration_s = 20.0; },\n"
    "  { type = \"actuator\"; stiffness_GPa = 72.0; mismatch_strain = 0.04; release_s = 60.0; duration_s = 50.0; },\n"
    "  { type = \"creep\"; stress_GPa = 3.2; duration_s = 5.0; },\n"
    "  { type = \"age\"; duration_s = 1000.0; }\n"
    ");\n"
    "order: { acceptance = 0.1; };\n"
    "nbed: { foil_nm = 13.0; scans = 4; };\n"
    "output: { nbed_strains = [0.0, 0.02, 0.05]; history_points_per_decade = 4; };\n"
    "run: { seed = 5L; };\n";
static char folder[64];

static const char *in_folder(const char *name) {
  static char full[2][128];
  static int turn;
  turn = !turn;
  snprintf(full[turn], sizeof *full, "%s/%s", folder, name);
  return full[turn];
}

static stz_config *read_input(MPI_Comm comm, const char *change) {
  const stz_override override = {.text = change};
  stz_config *config = NULL;
  CHECK_OK(stz_config_read(comm, in_folder("in.cfg"), &override, change != NULL, &config));
  return config;
}

static void run(MPI_Comm comm, const char *output, const char *change) {
  stz_config *config = read_input(comm, change);
  if (!config) return;
  const stz_run_options options = {.output = in_folder(output), .command_line = "test_run"};
  bool stopped_early = true;
  CHECK_OK(stz_sim_run(comm, config, &options, &stopped_early));
  CHECK(!stopped_early, "%s stopped early", output);
  stz_config_destroy(&config);
}

// Asked so many times more, the last rank is told to stop.
typedef struct countdown {
  int left;
  bool last;
  volatile int stop;
} countdown;

static void count(void *context) {
  countdown *c = context;
  if (--c->left == 0 && c->last) c->stop = 1;
}

// In parts, each of some more questions than the one before. Returns how many.
static int run_in_parts(MPI_Comm comm, const char *output, const char *change) {
  enum { MOST = 200 };
  int rank, ranks, parts = 0;
  bool stopped_early = true;
  stz_config *config = read_input(comm, change);
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &ranks);
  while (config && stopped_early && parts < MOST && harness_failures == 0) {
    countdown c = {.left = 1 + 3 * parts, .last = rank == ranks - 1};
    const stz_run_options options = {.output = in_folder(output),
                                     .command_line = "test_run",
                                     .restart = parts++ > 0,
                                     .stop = &c.stop,
                                     .poll = count,
                                     .context = &c};
    CHECK_OK(stz_sim_run(comm, config, &options, &stopped_early));
  }
  CHECK(!stopped_early, "%s did not come to its end", output);
  stz_config_destroy(&config);
  return parts;
}

static void state_hash(const char *name, char hash[17]) {
  char *text = NULL;
  const hid_t file = H5Fopen(in_folder(name), H5F_ACC_RDONLY, H5P_DEFAULT);
  const hid_t attribute = H5Aopen(file, "state_hash", H5P_DEFAULT), type = H5Aget_type(attribute);
  CHECK(H5Aread(attribute, type, &text) >= 0 && text && strlen(text) == 16, "%s: no state_hash", name);
  snprintf(hash, 17, "%.16s", text ? text : "");
  H5free_memory(text);
  H5Tclose(type);
  H5Aclose(attribute);
  H5Fclose(file);
}

// The bytes of a dataset, to be freed, and their number.
static void *bytes_of(hid_t file, const char *name, size_t *size) {
  const hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT), space = H5Dget_space(dataset), type = H5Dget_type(dataset);
  *size = (size_t)H5Sget_simple_extent_npoints(space) * H5Tget_size(type);
  void *bytes = malloc(*size);
  CHECK(bytes && H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes) >= 0, "%s", name);
  H5Tclose(type);
  H5Sclose(space);
  H5Dclose(dataset);
  return bytes;
}

typedef struct comparison {
  hid_t files[2];
  int datasets;
} comparison;

// Called by H5Ovisit for each object of the first file: compares datasets of numbers.
static herr_t compare(hid_t root, const char *name, const H5O_info_t *info, void *data) {
  comparison *c = data;
  (void)root;
  if (info->type != H5O_TYPE_DATASET || strncmp(name, "config/", 7) == 0) return 0;
  size_t sizes[2] = {0};
  void *bytes[2];
  for (int i = 0; i < 2; i++) bytes[i] = bytes_of(c->files[i], name, &sizes[i]);
  CHECK(sizes[0] == sizes[1] && memcmp(bytes[0], bytes[1], sizes[0]) == 0, "%s differs", name);
  for (int i = 0; i < 2; i++) free(bytes[i]);
  c->datasets++;
  return 0;
}

static double last_value(hid_t file, const char *name) {
  size_t size = 0;
  double *values = bytes_of(file, name, &size), last = size ? values[size / sizeof *values - 1] : 0.0;
  free(values);
  return last;
}

static void check_files(const char *first, const char *second) {
  comparison c = {0};
  char one[17], two[17];
  state_hash(first, one);
  state_hash(second, two);
  CHECK(strcmp(one, two) == 0, "state_hash %s of %s, %s of %s", one, first, two, second);
  c.files[0] = H5Fopen(in_folder(first), H5F_ACC_RDONLY, H5P_DEFAULT);
  c.files[1] = H5Fopen(in_folder(second), H5F_ACC_RDONLY, H5P_DEFAULT);
  CHECK(H5Ovisit(c.files[0], H5_INDEX_NAME, H5_ITER_INC, compare, &c) >= 0, "visit");
  CHECK(H5Lexists(c.files[0], "nbed/level_02", H5P_DEFAULT) > 0, "a level is not reached");
  const double events = last_value(c.files[0], "history/events");
  printf("%g events, %d datasets compared, state_hash %s\n", events, c.datasets, one);
  CHECK(events > 100.0 && c.datasets > 20, "too little to compare");
  for (int i = 0; i < 2; i++) H5Fclose(c.files[i]);
}

// The other engine, which takes one rank.
static void multilevel_in_parts(MPI_Comm comm) {
  int ranks;
  MPI_Comm_size(comm, &ranks);
  if (ranks > 1) return;
  run(comm, "whole.h5", "lattice.cells=[32,32,32]");
  const int parts = run_in_parts(comm, "broken.h5", "lattice.cells=[32,32,32]");
  CHECK(parts > 10, "%d parts", parts);
  if (harness_failures == 0) check_files("whole.h5", "broken.h5");
}

static void cases(MPI_Comm comm) {
  int rank;
  MPI_Comm_rank(comm, &rank);
  const char *base = getenv("TMPDIR");
  snprintf(folder, sizeof folder, "%.40s/stz-run-XXXXXX", base ? base : "/tmp");
  if (rank == 0) {
    CHECK(mkdtemp(folder) != NULL, "%s", folder);
    FILE *input = fopen(in_folder("in.cfg"), "w");
    CHECK(input && fputs(INPUT, input) >= 0 && fclose(input) == 0, "in.cfg");
  }
  MPI_Bcast(folder, sizeof folder, MPI_CHAR, 0, comm);
  run(comm, "together.h5", NULL);
  run(comm, "other.h5", "run.seed=6");
  const int parts = run_in_parts(comm, "parts.h5", NULL);
  CHECK(parts > 10, "%d parts", parts);
  if (rank == 0) {
    char alone[17], other[17];
    run(MPI_COMM_SELF, "alone.h5", NULL);
    if (harness_failures == 0) check_files("alone.h5", "together.h5");
    if (harness_failures == 0) check_files("alone.h5", "parts.h5");
    state_hash("alone.h5", alone);
    state_hash("other.h5", other);
    CHECK(strcmp(alone, other) != 0, "another seed gives the same state_hash %s", alone);
  }
  multilevel_in_parts(comm);
  if (rank == 0) {
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", folder);
    CHECK(system(command) == 0, "%s", command);
  }
  MPI_Barrier(comm);
}

int main(int argc, char **argv) { return harness_main(argc, argv, "run", cases); }
