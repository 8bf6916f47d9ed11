// SPDX-License-Identifier: GPL-3.0-or-later
//
// The command `kernel`: the stress that one event leaves at sites, printed.
#ifndef STZ_APP_KERNEL_H
#define STZ_APP_KERNEL_H

#include <mpi.h>

#include "app/cli.h"

// Collective. Fails with STZ_EINPUT if an option or the input is bad.
stz_err stz_app_kernel(MPI_Comm comm, const stz_cli *cli) STZ_MUST_USE;

#endif
