// SPDX-License-Identifier: GPL-3.0-or-later
//
// DIR/manifest.jsonl: what a sweep is and how far it has come. One JSON object a line: first the sweep, then each run
// with its parameters, then whatever happens to a run; for each field of a run its last line counts.
//
// Lines are only ever appended, each by one write under a lock, so that any number of jobs may share a manifest, a
// reader sees whole lines at any time, and a kill costs at most the line being written: a torn line is closed by the
// next writer and passed over by readers. A binary table would be lost to a kill in the wrong moment, a table that is
// rewritten costs a sweep of n runs n^2. Locks are those of fcntl: they work on NFS, and end with the process that
// holds them, however it ends. They also say who works on a run. Where the file system has none, the jobs of one sweep
// must not run at the same time.
//
// All functions are local: one rank of a group calls. Failures are STZ_EIO unless said otherwise.
#ifndef STZ_SWEEP_MANIFEST_H
#define STZ_SWEEP_MANIFEST_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"
#include "io/result.h"
#include "sweep/plan.h"

typedef enum stz_run_state {
  STZ_RUN_WAITING,
  STZ_RUN_RUNNING, // or killed: no one then holds the run
  STZ_RUN_STOPPED, // early, with a checkpoint
  STZ_RUN_FAILED,
  STZ_RUN_DONE
} stz_run_state;
enum { STZ_RUN_STATES = 5 };

typedef struct stz_run_status {
  stz_run_state state;
  int attempts;
  double wall_s; // of all attempts that came to an end
  bool finished; // the run was done once, whatever became of its result
} stz_run_status;

typedef struct stz_manifest stz_manifest;

// Writes the manifest of a new sweep, under a temporary name first. Does nothing if there is one by now.
stz_err stz_manifest_create(const char *directory, const stz_plan *plan, const char *command_line) STZ_MUST_USE;

// Removes a manifest and the results and checkpoints of its runs.
stz_err stz_manifest_remove(const char *directory) STZ_MUST_USE;

// Whether there is a manifest.
bool stz_manifest_exists(const char *directory);

// Opens the manifest and reads it, to write it too unless `read_only`. Fails with STZ_EINPUT if it is of another sweep,
// or an input of it has changed since, naming the difference.
stz_err stz_manifest_open(const char *directory, const stz_plan *plan, bool read_only,
                          stz_manifest **manifest) STZ_MUST_USE;
void stz_manifest_close(stz_manifest **manifest); // gives back all runs

// Reads what was appended since.
stz_err stz_manifest_reread(stz_manifest *manifest) STZ_MUST_USE;
const stz_run_status *stz_manifest_status(const stz_manifest *manifest, int run);

// Takes a run for this process, unless another process has it; and gives it back. `held`: whether another has it now.
bool stz_manifest_claim(stz_manifest *manifest, int run);
void stz_manifest_release(stz_manifest *manifest, int run);
bool stz_manifest_held(const stz_manifest *manifest, int run);

// Notes what happens to a run. When the disk is full, or another process holds the file for long (stopped within an
// append), the lines are kept and written with the next ones.
stz_err stz_manifest_begins(stz_manifest *manifest, int run, int ranks) STZ_MUST_USE;
stz_err stz_manifest_ends(stz_manifest *manifest, int run, stz_run_state state, double wall_s,
                          const stz_summary *summary, const char *message) STZ_MUST_USE;

// Writes the lines that are still kept, if there are any.
stz_err stz_manifest_flush(stz_manifest *manifest) STZ_MUST_USE;

const char *stz_run_state_name(stz_run_state state); // its word in the manifest

// The name of a run's result within the directory.
void stz_run_file(int run, char name[32]);

#endif
