// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/sim: not installed.
//
// What a result says of its run beside what the observers see: which program made it and of what input, the
// microstructure and the shear modes, the engine and its counts, the last fields.
#ifndef STZ_SIM_HEADER_H
#define STZ_SIM_HEADER_H

#include "io/result.h"
#include "sim/sample.h"

// Writes the root's attributes: which program made the file, when and how, and that it is not complete. Collective.
stz_err stz_header_provenance(stz_result *result, const stz_config *config, const char *command_line,
                              int ranks) STZ_MUST_USE;

// What is known at the start; and, at the end, the last fields, counts, the state's hash and `complete`. Collective.
stz_err stz_header_begin(stz_result *result, const stz_config *config, const stz_sample *sample,
                         const char *command_line) STZ_MUST_USE;
stz_err stz_header_end(stz_result *result, const stz_sample *sample) STZ_MUST_USE;

// Their datasets.
enum { STZ_HEADER_GROUPS = 5 };
extern const stz_group stz_header_groups[STZ_HEADER_GROUPS];

#endif
