// SPDX-License-Identifier: GPL-3.0-or-later
//
// The interaction as an input has it: what one event leaves.
#ifndef STZ_SIM_KERNEL_H
#define STZ_SIM_KERNEL_H

#include <mpi.h>

#include "base/error.h"
#include "config/config.h"

typedef struct stz_kernel_request {
  int event[3];       // its site
  double strain[6];   // its strain, tensor components, no trace
  double stretch[3];  // of the box: logarithmic strains; 0 in a film and where moduli vary
  const int (*at)[3]; // where the stress is wanted
  int count;
} stz_kernel_request;

// Collective. The driving stress (GPa, tensor components) that the event leaves at each site, without the mean stress:
// what the engine of `config` adds to a sample without stress. The engines carry the deviator, as the rates know no
// pressure; the trace is that of the elastic operator.
stz_err stz_sim_kernel(MPI_Comm comm, const stz_config *config, const stz_kernel_request *request,
                       double (*stress)[6]) STZ_MUST_USE;

#endif
