// SPDX-License-Identifier: GPL-3.0-or-later
//
// A sweep within one process: many runs one after the other on groups of ranks leave no memory behind, whatever becomes
// of them, and what is done is not done again; runs that share a cache are those that share nothing.
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"
#include "io/result.h"
#include "sim/sim.h"
#include "sweep/sweep.h"

static char folder[64];
static int reported, failures_reported;

static char *in_folder(const char *name) {
  static char path[4][128];
  static int next;
  char *p = path[next++ % 4];
  snprintf(p, sizeof path[0], "%s/%s", folder, name);
  return p;
}

static void write_text(const char *name, const char *text) {
  FILE *out = fopen(in_folder(name), "w");
  CHECK(out && fputs(text, out) >= 0 && fclose(out) == 0, "%s", name);
}

static void write_inputs(void) {
  write_text("base.cfg", "lattice: { cells = [16, 16, 16]; };\n"
                         "protocol = ( { type = \"strain-rate\"; rate_per_s = 1.0e-3; until_strain = 0.058;\n"
                         "  temperature_K = 295.0; } );\n"
                         "output: { nbed_strains = [ ]; history_strain_step = 0.01; history_points_per_decade = 1; };\n"
                         "nbed: { foil_nm = 9.0; };\n");
  // Lattice and elasticity change, so that the cache is filled anew, in part and wholly.
  write_text("s.cfg", "input = \"base.cfg\";\n"
                      "axes = ( { key = \"lattice.cells\"; values = ( [16, 16, 16], [16, 16, 24] ); },\n"
                      "  { key = \"stz.volume_nm3\"; values = [1.5, 1.7]; } );\n"
                      "replicas = 2;\n");
}

static void report(const stz_sweep_news *news) {
  if (news->run < 0) return;
  reported += news->summary != NULL;
  failures_reported += news->state == STZ_RUN_FAILED;
}

static stz_sweep_options options_for(int ranks_per_run, const char *directory) {
  return (stz_sweep_options){.directory = directory,
                             .ranks_per_run = ranks_per_run,
                             .choice = {.shards = 1},
                             .resume = true,
                             .command_line = "test",
                             .report = report};
}

static void same_alone(MPI_Comm comm, const char *directory) {
  int rank;
  MPI_Comm_rank(comm, &rank);
  // Run 7 by itself: cells 16 16 24, volume 1.7, replica 1; on one rank it follows runs of another volume.
  stz_summary swept, alone;
  char file[160], out[128], cells[] = "lattice.cells=[16,16,24]", volume[] = "stz.volume_nm3=1.7", seed[64] = "";
  snprintf(file, sizeof file, "%s/runs/000007.h5", directory);
  if (rank == 0) {
    FILE *info = tmpfile();
    char line[512];
    CHECK_OK(stz_result_info(file, info));
    rewind(info);
    while (fgets(line, sizeof line, info)) {
      unsigned long long found;
      if (sscanf(line, "seed: %llu", &found) == 1) snprintf(seed, sizeof seed, "run.seed=%lluL", found);
    }
    fclose(info);
    CHECK_OK(stz_result_summary(file, &swept));
  }
  MPI_Bcast(seed, (int)sizeof seed, MPI_CHAR, 0, comm);
  const stz_override overrides[] = {{cells, NULL}, {volume, NULL}, {seed, NULL}};
  stz_config *config = NULL;
  bool stopped;
  CHECK_OK(stz_config_read(comm, in_folder("base.cfg"), overrides, 3, &config));
  snprintf(out, sizeof out, "%s/alone.h5", folder);
  const stz_run_options run = {.output = out, .force = true, .command_line = "test"};
  CHECK_OK(stz_sim_run(comm, config, &run, &stopped));
  stz_config_destroy(&config);
  if (rank == 0) {
    CHECK_OK(stz_result_summary(out, &alone));
    CHECK(strcmp(swept.state_hash, alone.state_hash) == 0, "%s, alone %s", swept.state_hash, alone.state_hash);
  }
}

static void remove_folder(void) {
  char command[128];
  snprintf(command, sizeof command, "rm -r %s", folder);
  CHECK(system(command) == 0, "%s", folder);
}

static void cases(MPI_Comm comm) {
  int rank, ranks;
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &ranks);
  if (rank == 0) {
    strcpy(folder, "/tmp/stz-sweep-XXXXXX");
    CHECK(mkdtemp(folder), "no folder");
    write_inputs();
  }
  MPI_Bcast(folder, (int)sizeof folder, MPI_CHAR, 0, comm);
  char directory[128], path[128], blocked[160];
  snprintf(directory, sizeof directory, "%s/d", folder);
  snprintf(path, sizeof path, "%s/s.cfg", folder);
  snprintf(blocked, sizeof blocked, "%s/runs/000002.h5", directory);
  if (rank == 0) {
    char runs[140];
    snprintf(runs, sizeof runs, "%s/runs", directory);
    CHECK(mkdir(directory, 0777) == 0 && mkdir(runs, 0777) == 0 && mkdir(blocked, 0777) == 0, "%s", runs);
  }
  MPI_Barrier(comm);
  const int per_run = ranks > 2 ? 2 : 1; // of 3 ranks one group
  const stz_sweep_options options = options_for(per_run, directory);
  stz_sweep_outcome outcome;
  const stz_err err = stz_sweep_run(comm, path, &options, &outcome);
  CHECK(err == STZ_EIO && strstr(stz_error_message(), "1 of 8 runs failed, the first is run 2: "), "%d: %s", (int)err,
        stz_error_message());
  CHECK(outcome.runs == 8 && outcome.done == 7 && outcome.failed == 1 && outcome.held == 0, "%d %d %d %d", outcome.runs,
        outcome.done, outcome.failed, outcome.held);
  int told[2] = {reported, failures_reported};
  MPI_Allreduce(MPI_IN_PLACE, told, 2, MPI_INT, MPI_SUM, comm);
  CHECK(told[0] == 7 && told[1] == 1, "%d and %d reports", told[0], told[1]);
  CHECK(stz_alloc_live() == 0, "%ld blocks of memory left after a sweep", stz_alloc_live());
  if (rank == 0) CHECK(rmdir(blocked) == 0, "%s", blocked);
  CHECK_OK(stz_sweep_run(comm, path, &options, &outcome));
  CHECK(outcome.done_before == 7 && outcome.done == 1, "%d before, %d now", outcome.done_before, outcome.done);
  CHECK_OK(stz_sweep_run(comm, path, &options, &outcome));
  CHECK(outcome.done_before == 8 && outcome.done == 0, "%d before, %d now", outcome.done_before, outcome.done);
  same_alone(comm, directory);
  MPI_Barrier(comm);
  if (rank == 0) remove_folder();
}

int main(int argc, char **argv) { return harness_main(argc, argv, "sweep", cases); }
