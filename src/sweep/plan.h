// SPDX-License-Identifier: GPL-3.0-or-later
//
// The runs of a sweep: run = point * replicas + replica. What a run does depends on the sweep file, its input and the
// run's number alone.
#ifndef STZ_SWEEP_PLAN_H
#define STZ_SWEEP_PLAN_H

#include "config/config.h"
#include "config/sweep.h"
#include "sweep/design.h"

typedef struct stz_plan_run {
  int point, replica;
  uint64_t seed;                         // below 2^53, so that every reader of numbers has it exactly
  uint64_t input_hash;                   // of its resolved input
  double seconds, events, bytes, memory; // rough: wall time, events, size of the result, memory per rank
  int ranks;                             // that compute, of those of its group
} stz_plan_run;

enum { STZ_PLAN_NOTES = 8, STZ_PLAN_NOTE = 240 };

typedef struct stz_plan {
  stz_sweep_spec *spec;
  stz_design *design;
  stz_template *input;
  int count;
  stz_plan_run *runs;
  int *order;                    // run numbers, longest first
  const stz_override *overrides; // of every run; the caller's
  int override_count;
  char notes[STZ_PLAN_NOTES][STZ_PLAN_NOTE]; // the first that were logged
  int noted;
  char fields[STZ_GIVEN_FIELDS * 4500]; // the files of fields that were checked last
  char *identity;                       // what makes the sweep this one and no other, one setting per line
} stz_plan;

// Reads the sweep file and all that it names, and makes and checks every run's input, with `overrides` over the sweep's
// own `set`. Collective. Costs are for `ranks` ranks per run. Notes on the inputs are logged once each. Fails with
// STZ_EINPUT or STZ_EIO; *plan is then NULL.
stz_err stz_plan_read(MPI_Comm comm, const char *path, const stz_override *overrides, int count, int ranks,
                      stz_plan **plan) STZ_MUST_USE;
void stz_plan_destroy(stz_plan **plan);

// The input of a run. Collective; reads no file.
stz_err stz_plan_config(MPI_Comm comm, const stz_plan *plan, int run, stz_config **config) STZ_MUST_USE;

// Runs named by a list as "0,3,10-19", true in chosen[count]. Fails with STZ_EINPUT.
stz_err stz_plan_choose(const stz_plan *plan, const char *list, bool *chosen) STZ_MUST_USE;

#endif
