// SPDX-License-Identifier: GPL-3.0-or-later
//
// A run that is asked to stop at a look of its choice: `run INPUT OUTPUT PIECE N RANK` carries out the run as `stzkmc
// run` does; at the N-th look (from 1) that RANK takes within the steps called PIECE, it is asked to stop as by a
// signal. Each rank prints "rank R: LOOKS looks, AFTER after, done" (or stopped): those in PIECE, and those after it
// was asked. Exit code 0 in both cases, as mpirun takes seconds over another.
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/comm.h"
#include "base/interrupt.h"
#include "config/config.h"
#include "sim/sim.h"

static struct {
  const char *piece, *step;
  int when, looks, after;
  bool mine, asked;
} test = {.step = ""};

static void enter(const char *step, double share) {
  (void)share;
  test.step = step;
}

static void count(void *context) {
  (void)context;
  test.after += test.asked;
  if (strcmp(test.step, test.piece) != 0 || ++test.looks != test.when || !test.mine) return;
  stz_interrupt(10);
  test.asked = true;
}

int main(int argc, char **argv) {
  bool stopped = false;
  stz_config *config;
  if (argc != 6) return STZ_EINPUT;
  MPI_Init(&argc, &argv);
  const int rank = stz_comm_rank(MPI_COMM_WORLD);
  test.piece = argv[3];
  test.when = atoi(argv[4]);
  test.mine = atoi(argv[5]) == rank;
  stz_stage_install(enter);
  stz_interrupt_listen(count, NULL);
  stz_err err = stz_config_read(MPI_COMM_WORLD, argv[1], NULL, 0, &config);
  const stz_run_options options = {.output = argv[2], .command_line = "", .stop = stz_interrupt_flag()};
  if (err == STZ_OK) err = stz_sim_run(MPI_COMM_WORLD, config, &options, &stopped);
  if (err != STZ_OK) fprintf(stderr, "%s\n", stz_error_message());
  printf("rank %d: %d looks, %d after, %s\n", rank, test.looks, test.after, stopped ? "stopped" : "done");
  stz_config_destroy(&config);
  MPI_Finalize();
  return (int)err;
}
