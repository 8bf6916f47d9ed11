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

// Rank and number of ranks; of MPI_COMM_NULL, which stands for this process by itself, MPI being started or not, 0
// and 1. stz_agree and stz_share take it too.
int stz_comm_rank(MPI_Comm comm);
int stz_comm_size(MPI_Comm comm);

// Hands rank 0's bytes to all. Collective.
void stz_share(MPI_Comm comm, void *data, size_t bytes);

// Sum of `count` values in index order, so that it does not depend on who computed which value.
double stz_ordered_sum(const double *values, int count);

#endif
