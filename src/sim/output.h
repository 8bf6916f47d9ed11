// SPDX-License-Identifier: GPL-3.0-or-later
//
// The names of the files that a run writes, and the lock on them while it runs.
#ifndef STZ_SIM_OUTPUT_H
#define STZ_SIM_OUTPUT_H

#include <mpi.h>
#include <stdbool.h>

#include "base/error.h"

typedef struct stz_output_claim {
  const char *output;
  const char *files; // that are read: names, each closed by a 0, and a further 0
  bool checkpoints;  // are written too
  int snapshots;     // that may be written
  bool vacant;       // nothing that is there already may be replaced
} stz_output_claim;

typedef struct stz_output stz_output;

// Collective. Checks the names of all files that the run will write, and locks the output until it is released. Fails
// with STZ_EINPUT for a name that is too long or belongs to a file that the run reads; with STZ_EIO for a file that is
// in the way, or an output that another job writes.
stz_err stz_output_hold(MPI_Comm comm, const stz_output_claim *claim, stz_output **held) STZ_MUST_USE;
void stz_output_release(stz_output **held);

// Has other jobs wait for the output, which are refused else, while a checkpoint alone is written, be it by a copy of
// this process. Local.
void stz_output_saves(const stz_output *held, bool saves);

// OUT.h5 -> OUT and the suffix; any other name gets the suffix as it is. To be freed by stz_free. Local.
stz_err stz_output_path(const char *output, const char *suffix, char **path) STZ_MUST_USE;

// Renames a damaged file X.h5 to X.torn.h5, X.torn2.h5, ..., which of them is free; says so behind `reason`, a message
// that names the file. Local.
stz_err stz_output_set_aside(const char *path, const char *reason) STZ_MUST_USE;

#endif
