// SPDX-License-Identifier: GPL-3.0-or-later
//
// The command `sweep`: what the user sees of it.
#ifndef STZ_APP_SWEEP_H
#define STZ_APP_SWEEP_H

#include <mpi.h>
#include <stdbool.h>

#include "app/cli.h"

// Collective.
stz_err stz_app_sweep(MPI_Comm comm, const stz_cli *cli, const volatile int *stop, bool *stopped_early) STZ_MUST_USE;

#endif
