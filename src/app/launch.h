// SPDX-License-Identifier: GPL-3.0-or-later
//
// When MPI is started. A command that needs no ranks does without, since its start takes longer than the command.
#ifndef STZ_APP_LAUNCH_H
#define STZ_APP_LAUNCH_H

#include <mpi.h>
#include <stdbool.h>

// Whether mpirun, srun or another launcher started this process. Safe in a signal handler.
bool stz_launched(void);

// Rank that mpirun, srun or another launcher has given this process; 0 if none has. Safe in a signal handler.
int stz_launched_rank(void);

// Starts MPI if a launcher started this process: its ranks act together then, whatever the command.
void stz_launch_begin(int *argc, char ***argv);

// Starts MPI if it has not been. Returns the communicator of all ranks.
MPI_Comm stz_launch_world(void);

// The communicator of all ranks; MPI_COMM_NULL, this process alone, while MPI has not been started.
MPI_Comm stz_launch_comm(void);

// Ends MPI if it was started.
void stz_launch_end(void);

#endif
