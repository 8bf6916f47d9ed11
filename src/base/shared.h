// SPDX-License-Identifier: GPL-3.0-or-later
//
// A block of memory that the ranks of a computer have together, filled by one of them: once for all, or where shared
// memory is short (a container's /dev/shm, `ulimit -f`), once for each rank.
#ifndef STZ_BASE_SHARED_H
#define STZ_BASE_SHARED_H

#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

typedef struct stz_shared {
  MPI_Comm node;
  MPI_Win window; // MPI_WIN_NULL: each rank has a copy
  size_t bytes;
  void *data;
  bool fills; // this rank writes the data, before stz_shared_spread
} stz_shared;

// Collective. Fails with STZ_EINTERNAL on all ranks where memory is out on one.
stz_err stz_shared_create(MPI_Comm comm, size_t bytes, stz_shared *shared) STZ_MUST_USE;

// Makes what the filling ranks wrote visible to all. Collective.
void stz_shared_spread(const stz_shared *shared);

// Collective; one that was never created, all zeros, is allowed.
void stz_shared_destroy(stz_shared *shared);

#endif
