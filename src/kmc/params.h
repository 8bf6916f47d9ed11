// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef STZ_KMC_PARAMS_H
#define STZ_KMC_PARAMS_H

#include <stdbool.h>

// STZ_ENGINE_AUTO is for config alone, which puts the engine in its place that fits the box.
typedef enum stz_engine_kind { STZ_ENGINE_DIRECT, STZ_ENGINE_MULTILEVEL, STZ_ENGINE_AUTO } stz_engine_kind;

enum { STZ_MULTILEVEL_LEAST = 32 }; // cells an axis

// Whether the multilevel engine takes a box: each side a multiple of 8 cells, its blocks', and long enough.
static inline bool stz_multilevel_fits(const int cells[3]) {
  for (int axis = 0; axis < 3; axis++) {
    if (cells[axis] < STZ_MULTILEVEL_LEAST || cells[axis] % 8 != 0) return false;
  }
  return true;
}

typedef struct stz_kmc_params {
  stz_engine_kind engine;
  double tolerance_MPa; // multilevel: rms error of the stress just before it is computed afresh
} stz_kmc_params;

#endif
