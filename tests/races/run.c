// SPDX-License-Identifier: GPL-3.0-or-later
//
// team_run INPUT OUTPUT WORKERS: a run with a team of WORKERS threads in one process, for the
// thread sanitizer, and for a debugger.
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "sim/sim.h"

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  MPI_Init(NULL, NULL);
  stz_config *config = NULL;
  stz_team *team = NULL;
  bool stopped = false;
  stz_err err = stz_config_read(MPI_COMM_SELF, argv[1], NULL, 0, &config);
  if (err == STZ_OK) err = stz_team_create_local(atoi(argv[3]), &team);
  const stz_run_options options = {.output = argv[2], .force = true, .team = team};
  if (err == STZ_OK) err = stz_sim_run(MPI_COMM_SELF, config, &options, &stopped);
  if (err != STZ_OK) fprintf(stderr, "%s\n", stz_error_message());
  stz_team_destroy(&team);
  stz_config_destroy(&config);
  MPI_Finalize();
  return err != STZ_OK || stz_alloc_live() != 0;
}
