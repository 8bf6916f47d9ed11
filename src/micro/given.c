// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the values of a file may be.
#include "micro/micro.h"

// Values within ROUNDING of 0 and 1 are these: in single precision fractions miss them by some 1e-7.
static const double ROUNDING = 1e-6;

const char *stz_micro_axes(const stz_micro_params *params) {
  static const char *const orders[] = {"", "xyz", "xzy", "yxz", "yzx", "zxy", "zyx"};
  return orders[params->axes];
}

int stz_micro_phase(double given) {
  if (given >= -ROUNDING && given <= ROUNDING) return 0;
  return given >= 1.0 - ROUNDING && given <= 1.0 + ROUNDING ? 1 : -1;
}

bool stz_micro_are_phases(stz_micro_values values, int64_t zeros, int64_t ones, int64_t sites) {
  if (values != STZ_VALUES_AUTO) return values == STZ_VALUES_PHASES;
  return zeros > 0 && ones > 0 && zeros + ones == sites;
}

stz_err stz_micro_check_given(stz_micro_values values, const int cells[3], int64_t first, int64_t count,
                              const double *given) {
  const bool phases = values == STZ_VALUES_PHASES;
  for (int64_t i = 0; i < count; i++) {
    if (phases ? stz_micro_phase(given[i]) >= 0 : given[i] >= -ROUNDING && given[i] <= 1.0 + ROUNDING) continue;
    const int64_t site = first + i, row = site / cells[2];
    const bool percent = !phases && given[i] > 1.0 && given[i] <= 100.0;
    return stz_fail(STZ_EINPUT, "got %g at voxel [%d, %d, %d], needs %s%s", given[i], (int)(row / cells[1]),
                    (int)(row % cells[1]), (int)(site % cells[2]),
                    phases ? "0 or 1 with values = \"phases\"" : "0 to 1, atomic fractions of Ni",
                    percent ? "; percent? stz-post field --scale 0.01 makes fractions of them" : "");
  }
  return STZ_OK;
}
