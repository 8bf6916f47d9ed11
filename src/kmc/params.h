// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef STZ_KMC_PARAMS_H
#define STZ_KMC_PARAMS_H

#include <stdbool.h>

// The engines, from the one that takes any box on. Each is a file or folder in src/kmc that defines `stz_engine_NAME`
// (kmc/engine.h), and an entry here: its name in the code and in the input, the fewest voxels of a box along each axis,
// of what number these must be multiples, and how many ranks it can use (0: any number).
#define STZ_ENGINES(X)                                                                                                 \
  X(DIRECT, direct, 1, 1, 0)                                                                                           \
  X(POINTS, points, 32, 8, 1)                                                                                          \
  X(MULTILEVEL, multilevel, 32, 8, 1)

// Only config sees STZ_ENGINE_AUTO: it resolves it to the last engine of the list that fits the box.
#define STZ_ENGINE_VALUE(ENGINE, name, least, multiple, ranks) STZ_ENGINE_##ENGINE,
typedef enum stz_engine_kind { STZ_ENGINES(STZ_ENGINE_VALUE) STZ_ENGINE_AUTO } stz_engine_kind;

#define STZ_ENGINE_NAME(ENGINE, name, least, multiple, ranks) #name "|"
#define STZ_ENGINE_NAMES STZ_ENGINES(STZ_ENGINE_NAME) "auto" // of the input, in the order of the values

typedef struct stz_engine_needs {
  const char *name;
  int least, multiple; // of voxels along each axis
  int ranks;           // that it can use; 0: any number
} stz_engine_needs;

// What an engine needs; not of STZ_ENGINE_AUTO.
static inline stz_engine_needs stz_engine_needs_of(stz_engine_kind engine) {
#define STZ_ENGINE_ENTRY(ENGINE, name, least, multiple, ranks) {#name, least, multiple, ranks},
  static const stz_engine_needs all[] = {STZ_ENGINES(STZ_ENGINE_ENTRY)};
  return all[engine];
}

// Whether an engine can run a box of so many voxels along x, y, z; a film's z may have fewer.
static inline bool stz_engine_fits(stz_engine_kind engine, const int cells[3], bool film) {
  const stz_engine_needs needs = stz_engine_needs_of(engine);
  for (int axis = 0; axis < 3; axis++) {
    const int least = film && axis == 2 ? 1 : needs.least;
    if (cells[axis] < least || cells[axis] % needs.multiple != 0) return false;
  }
  return true;
}

// The engine that "auto" means for a box.
static inline stz_engine_kind stz_engine_for(const int cells[3], bool film) {
  int engine = STZ_ENGINE_AUTO - 1;
  while (engine > 0 && !stz_engine_fits((stz_engine_kind)engine, cells, film)) engine--;
  return (stz_engine_kind)engine;
}

typedef struct stz_kmc_params {
  stz_engine_kind engine;
  double tolerance_MPa;          // multilevel, points: rms error of the stress just before a full recompute
  struct stz_contrast *contrast; // moduli that vary (elastic/contrast.h); NULL: they do not. Not from the input
} stz_kmc_params;

#endif
