// SPDX-License-Identifier: GPL-3.0-or-later
//
// Sweep file -> the axes that vary. src/sweep makes runs of them.
#ifndef STZ_CONFIG_SWEEP_H
#define STZ_CONFIG_SWEEP_H

#include <mpi.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum { STZ_SWEEP_AXES = 16, STZ_SWEEP_RUNS = 1000000 }; // at most
#define STZ_SWEEP_SEED_MOST 9007199254740991LL          // 2^53 - 1: every reader of numbers has it exactly

typedef enum stz_sweep_design { STZ_DESIGN_GRID, STZ_DESIGN_LATIN_HYPERCUBE, STZ_DESIGN_SOBOL } stz_sweep_design;

// Which seeds the runs have: each another one; replica r the same at every point; run r `seed` + r; or those of a list,
// one for each replica, the same at every point.
typedef enum stz_sweep_seeds {
  STZ_SEEDS_INDEPENDENT,
  STZ_SEEDS_COMMON,
  STZ_SEEDS_CONSECUTIVE,
  STZ_SEEDS_LISTED
} stz_sweep_seeds;

// A key of the input and the values that it takes: a list, or a range.
typedef struct stz_axis {
  char key[256];                  // path of the key
  char name[64];                  // of the coordinate in figures and files: letters, digits and _
  char zip[64];                   // axes of the same group change together; "": on its own
  const char *unit, *description; // the key's
  char **values;                  // as an input has them; NULL for a range
  int count;                      // of the values, or of the steps of a range (0 in a sampled design)
  double from, to;                // ends of a range, both within
  bool logarithmic;
  int line; // in the file, for messages
} stz_axis;

// A key that is set in all runs.
typedef struct stz_sweep_setting {
  char *text; // "path=value"
  int line;
} stz_sweep_setting;

typedef struct stz_sweep_spec {
  char *path;     // of the sweep file, as the messages call it
  char *input;    // of the base input, found from the sweep file's folder
  int input_line; // of its key
  stz_sweep_setting *set;
  int sets;
  stz_axis axes[STZ_SWEEP_AXES];
  int axis_count;
  stz_sweep_design design;
  int points;   // of a sampled design
  int replicas; // runs per point
  uint64_t seed;
  stz_sweep_seeds seeds;
  uint64_t *listed; // a seed for each replica; NULL unless they are listed
} stz_sweep_spec;

// Rank 0 reads `path`, all parse and check. Collective. On failure (STZ_EINPUT, STZ_EIO) the message is one line
// "file:line: key: got ..., needs ..." and *spec is NULL. Values are checked when the runs' inputs are made.
stz_err stz_sweep_spec_read(MPI_Comm comm, const char *path, stz_sweep_spec **spec) STZ_MUST_USE;
void stz_sweep_spec_destroy(stz_sweep_spec **spec);

#endif
