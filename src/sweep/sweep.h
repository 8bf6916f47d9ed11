// SPDX-License-Identifier: GPL-3.0-or-later
//
// A sweep: many runs on the ranks of one job, and on those of others that share its directory.
//
// The ranks are split into groups, one run per group. Groups take the next run from one list, longest first, through a
// counter in rank 0's memory that each increments by itself (MPI_Fetch_and_op): no rank is kept from work to hand it
// out, and none is idle while a run waits. What a run is depends on its number alone, so results are the same however
// the ranks are split and the runs shared out.
#ifndef STZ_SWEEP_SWEEP_H
#define STZ_SWEEP_SWEEP_H

#include <mpi.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"
#include "config/config.h"
#include "sweep/manifest.h"

typedef struct stz_sweep_choice {
  const char *only;  // "0,3,10-19", or NULL: all
  int shard, shards; // the part `shard`, from 0, of `shards` of about equal cost; 0, 1: all
} stz_sweep_choice;

enum { STZ_SWEEP_BEGINS = -1, STZ_SWEEP_GOES_ON = -2 };

// How a run ended, or what goes on, and how far the sweep has come.
typedef struct stz_sweep_news {
  int run; // that has ended, or one of the numbers above
  stz_run_state state;
  double wall_s;              // of the run, or of that which goes on for longest
  int running;                // runs that go on
  double least, most;         // shares of them that are done
  const stz_summary *summary; // NULL unless it is done
  const char *message;        // of its failure, or ""
  int ended, runs;            // of those chosen, by all groups of this job and before
  int groups;
  double sweep_wall_s, share; // since the job's begin, and of its own work, by the expected costs
} stz_sweep_news;

typedef struct stz_sweep_options {
  const char *directory;
  int ranks_per_run;
  bool resume; // go on with the sweep in the directory, or begin it if there is none
  bool force;  // replace the sweep in the directory
  stz_sweep_choice choice;
  double max_walltime_s;    // as stz_run_options; for the whole sweep
  const volatile int *stop; // as stz_run_options
  const char *command_line;
  const stz_override *overrides; // --set: keys of every run, over the sweep's own `set`
  int override_count;
  // Called on the first rank of all when it has found what there is to do, and then about once a second, and on the
  // first rank of a group when a run has come to an end; may be NULL.
  void (*report)(const stz_sweep_news *news);
} stz_sweep_options;

typedef struct stz_sweep_outcome {
  int runs;                  // chosen
  int done_before;           // of them, before this job
  int done, failed, stopped; // by this job
  int held;                  // left to other jobs, which work on them
  double wall_s;             // of this job
  double busy_s;             // sum over its ranks of the time in runs
  bool stopped_early;
} stz_sweep_outcome;

// Collective. Makes the chosen runs of the sweep file `path` that are not done. A run that fails is noted in the
// manifest and does not end the sweep; when no run is left, the first failure is returned, unless the sweep was stopped
// early.
stz_err stz_sweep_run(MPI_Comm comm, const char *path, const stz_sweep_options *options,
                      stz_sweep_outcome *outcome) STZ_MUST_USE;

// Whether this rank is the first of its group. Local.
bool stz_sweep_leads(MPI_Comm comm, int ranks_per_run);

// Prints every chosen run, its state and parameters, a line each, to `out` of rank 0. Collective.
stz_err stz_sweep_list(MPI_Comm comm, const char *path, const stz_sweep_options *options, FILE *out) STZ_MUST_USE;

// Prints what the chosen runs that are not done will cost, to `out` of rank 0. Collective.
stz_err stz_sweep_estimate(MPI_Comm comm, const char *path, const stz_sweep_options *options, FILE *out) STZ_MUST_USE;

#endif
