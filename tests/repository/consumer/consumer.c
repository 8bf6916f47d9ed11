// SPDX-License-Identifier: GPL-3.0-or-later
//
// Runs an input through the installed library and its public headers.
#include <mpi.h>
#include <stdio.h>

#include "config/config.h"
#include "sim/sim.h"

int main(int argc, char **argv) {
  stz_config *config;
  bool stopped_early = false;
  MPI_Init(&argc, &argv);
  stz_err err = stz_config_read(MPI_COMM_WORLD, argv[1], NULL, 0, &config);
  if (err == STZ_OK) {
    const stz_run_options options = {.output = argv[2]};
    err = stz_sim_run(MPI_COMM_WORLD, config, &options, &stopped_early);
    stz_config_destroy(&config);
  }
  if (err != STZ_OK) fprintf(stderr, "%s\n", stz_error_message());
  MPI_Finalize();
  return (int)err;
}
