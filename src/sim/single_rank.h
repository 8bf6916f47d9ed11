// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/sim: not installed.
//
// A run of an engine that takes one rank, on several: the first computes, with a team of threads on the cores of the
// ranks that share its node. The ranks themselves sleep.
#ifndef STZ_SIM_SINGLE_RANK_H
#define STZ_SIM_SINGLE_RANK_H

#include "sim/sim.h"

// What carries out a run on all ranks of `comm`; as stz_sim_run.
typedef stz_err stz_run_carrier(MPI_Comm comm, const stz_config *config, const stz_run_options *options,
                                bool *stopped_early);

// Has the first rank of `comm` carry the run out (without the cache, which belongs to all), with a team. `stop` set on
// any rank stops the run. Collective; ends everywhere with what the first rank came to.
stz_err stz_single_rank_run(MPI_Comm comm, stz_run_carrier *carry_out, const stz_config *config,
                            const stz_run_options *options, bool *stopped_early) STZ_MUST_USE;

#endif
