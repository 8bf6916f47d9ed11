// SPDX-License-Identifier: GPL-3.0-or-later
//
// The state of a run in checkpoints OUT.ckpt.h5 and OUT.ckpt.prev.h5: the sample, what is recorded, and the result file
// as it stood. All functions are collective.
#ifndef STZ_SIM_STATE_H
#define STZ_SIM_STATE_H

#include "io/checkpoint.h"
#include "sim/record.h"

// The names of a result's checkpoints.
typedef struct stz_state_paths {
  char *newest, *previous;
} stz_state_paths;
stz_err stz_state_paths_of(const char *output, stz_state_paths *paths) STZ_MUST_USE;
void stz_state_paths_clear(stz_state_paths *paths);

// Writes the newest checkpoint, keeping the one before.
stz_err stz_state_save(const stz_state_paths *paths, stz_recorder *record) STZ_MUST_USE;

// STZ_OK if two resolved inputs ask for the same run; else STZ_EINPUT, naming the file `path` of `theirs` and the first
// difference. Local.
stz_err stz_state_same_input(const char *path, const char *theirs, const char *ours) STZ_MUST_USE;

// A number that two resolved inputs have in common only if they ask for the same run, but for one chance in 2^64.
// Local.
uint64_t stz_state_input_hash(const char *resolved);

// Finds the newest whole checkpoint; *checkpoint is NULL if there is none. Damaged ones are set aside, but for a run
// that cannot go on because it `needs` one and there is none. Fails with STZ_EINPUT if it is of another input or
// program, naming the difference; with STZ_EIO, and nothing touched, if a newer one cannot be read and may be whole.
stz_err stz_state_find(const stz_state_paths *paths, const stz_grid *grid, const stz_config *config, bool needs,
                       stz_checkpoint **checkpoint) STZ_MUST_USE;

// Brings the sample and the record to the checkpoint's state, and the result file at `output` too. Snapshots that are
// gone are told.
stz_err stz_state_restore(stz_checkpoint *checkpoint, const char *output, stz_recorder *record) STZ_MUST_USE;

// Removes the checkpoints of a run that is over.
stz_err stz_state_remove(const stz_state_paths *paths, const stz_grid *grid) STZ_MUST_USE;

#endif
