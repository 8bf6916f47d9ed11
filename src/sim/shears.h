// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/sim: not installed.
//
// The group /modes of a result: what it takes to turn a row of /events into a strain tensor.
#ifndef STZ_SIM_SHEARS_H
#define STZ_SIM_SHEARS_H

#include "glass/glass.h"
#include "io/result.h"

// Writes the shear modes, the table of rotations, and the entry of it that each voxel begins with. Collective.
stz_err stz_shears_write(stz_result *result, const stz_glass *glass) STZ_MUST_USE;

#endif
