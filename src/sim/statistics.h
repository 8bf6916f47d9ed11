// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/sim: not installed.
//
// Statistics of the fields at chosen strains: the groups /correlation/level_NN and /distributions/level_NN of a result.
#ifndef STZ_SIM_STATISTICS_H
#define STZ_SIM_STATISTICS_H

#include "io/result.h"
#include "sim/sample.h"

// Takes those of level `level`, in the state `macro` of the sample, and writes them. Collective.
stz_err stz_statistics_take(stz_result *result, const stz_sample *sample, const stz_macro *macro,
                            int level) STZ_MUST_USE;

#endif
