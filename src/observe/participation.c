// SPDX-License-Identifier: GPL-3.0-or-later
#include "observe/participation.h"

#include <math.h>

stz_participation stz_participation_of(const double sums[STZ_PARTICIPATION_SUMS], double sites) {
  return (stz_participation){.ratio = sums[1] > 0.0 ? sums[0] * sums[0] / (sites * sums[1]) : NAN,
                             .sheared = sums[2] / sites};
}
