// SPDX-License-Identifier: GPL-3.0-or-later
//
// One level of virtual NBED in a result file.
#ifndef STZ_SIM_LEVEL_H
#define STZ_SIM_LEVEL_H

#include "io/result.h"
#include "observe/nbed.h"

// Writes /nbed/level_NN (docs/output.md). Collective.
stz_err stz_level_write(stz_result *result, int level, const stz_nbed *nbed, const stz_nbed_params *params,
                        double strain, double time_s) STZ_MUST_USE;

#endif
