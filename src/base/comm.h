// SPDX-License-Identifier: GPL-3.0-or-later
//
// What several ranks must agree on.
#ifndef STZ_BASE_COMM_H
#define STZ_BASE_COMM_H

#include <mpi.h>

#include "base/error.h"

// Collective. Makes a failure on any rank the failure of all: returns the error of the lowest failing rank, with its
// message, on every rank; STZ_OK if all succeeded. Call it wherever ranks can fail differently, before the next
// collective.
stz_err stz_agree(MPI_Comm comm, stz_err local) STZ_MUST_USE;

// Sum of `count` values in index order, so that it does not depend on who computed which value.
double stz_ordered_sum(const double *values, int count);

#endif
