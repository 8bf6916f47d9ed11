// SPDX-License-Identifier: GPL-3.0-or-later
//
// What several ranks must agree on.
#ifndef STZ_BASE_COMM_H
#define STZ_BASE_COMM_H

#include <mpi.h>
#include <stddef.h>

#include "base/error.h"

// Collective. Makes a failure on any rank the failure of all: returns the error of the lowest failing rank, with its
// message, on every rank; STZ_OK if all succeeded. Call it wherever ranks can fail differently, before the next
// collective.
stz_err stz_agree(MPI_Comm comm, stz_err local) STZ_MUST_USE;

// This process's rank, and the number of ranks. MPI_COMM_NULL stands for this process alone, whether MPI has been
// started or not: it gives 0 and 1. stz_agree and stz_broadcast take it too.
int stz_comm_rank(MPI_Comm comm);
int stz_comm_size(MPI_Comm comm);

// Collective. Sends `bytes` bytes at `data` from rank 0 to all ranks: `data` is an input on rank 0, an output
// elsewhere.
void stz_broadcast(MPI_Comm comm, void *data, size_t bytes);

// Sum of values[count] in the order of the index, so that its last bits do not depend on which rank computed which
// value.
double stz_ordered_sum(const double *values, int count);

#endif
