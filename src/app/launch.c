// SPDX-License-Identifier: GPL-3.0-or-later
#define _GNU_SOURCE
#include "app/launch.h"

#include <stdlib.h>

#include "app/signals.h"
#include "base/error.h"

// Open MPI, PMIx, MPICH and Intel MPI (PMI). Only the first two are set by Open MPI's mpirun, PMI's also by srun.
static const char *const ranks[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"};

static bool started;

static const char *rank_text(void) {
  const char *found = NULL;
  for (size_t i = 0; i < sizeof ranks / sizeof *ranks && !found; i++) found = getenv(ranks[i]);
  return found;
}

bool stz_launched(void) { return rank_text() != NULL; }

int stz_launched_rank(void) {
  const char *text = rank_text();
  int rank = 0;
  for (; text && *text >= '0' && *text <= '9'; text++) rank = 10 * rank + (*text - '0');
  return rank;
}

static void start(int *argc, char ***argv) {
  if (!stz_launched()) { // no daemon, which only spawning needs and a Ctrl-C would kill, and no search for networks
    setenv("OMPI_MCA_ess_singleton_isolated", "1", 0);
    setenv("OMPI_MCA_pml", "ob1", 0);
    setenv("OMPI_MCA_btl", "self", 0);
    setenv("OMPI_MCA_orte_create_session_dirs", "0", 0); // all singletons would share one, and remove it
  }
  if (MPI_Init(argc, argv) != MPI_SUCCESS) exit(STZ_EINTERNAL);
  started = true;
  stz_signals_catch();
}

void stz_launch_begin(int *argc, char ***argv) {
  if (stz_launched()) start(argc, argv);
}

MPI_Comm stz_launch_world(void) {
  if (!started) start(NULL, NULL);
  return MPI_COMM_WORLD;
}

MPI_Comm stz_launch_comm(void) { return started ? MPI_COMM_WORLD : MPI_COMM_NULL; }

void stz_launch_end(void) {
  if (started) MPI_Finalize();
}
