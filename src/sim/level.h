// SPDX-License-Identifier: GPL-3.0-or-later
//
// One level of virtual NBED in a result file, and the moment of a level of whatever kind.
#ifndef STZ_SIM_LEVEL_H
#define STZ_SIM_LEVEL_H

#include "io/result.h"
#include "observe/nbed.h"

// When something was taken.
typedef struct stz_moment {
  double strain, time_s; // axial strain; time since the begin of the run
  double segment_time_s; // and of the segment; NaN: not known, nor is the segment
  int segment;
} stz_moment;

// Writes it as attributes of a group. Collective.
stz_err stz_moment_write(stz_result *result, const char *group, const stz_moment *moment) STZ_MUST_USE;

// Writes /nbed/level_NN (docs/output.md). Collective.
stz_err stz_level_write(stz_result *result, int level, const stz_nbed *nbed, const stz_nbed_params *params,
                        const stz_moment *moment) STZ_MUST_USE;

#endif
