// SPDX-License-Identifier: GPL-3.0-or-later
//
// Checkpoint files: named blocks of bytes and texts, in an HDF5 file of our own that does not depend on the number of
// ranks. A file is complete or is not there: it is written under a temporary name, gets a checksum over all its bytes,
// goes to the disk and is renamed; the one before is kept as PREVIOUS until then. A file that was cut short or has a
// flipped bit is known by its checksum before HDF5 sees it.
//
// Every function is collective over the grid's communicator and agrees on failures.
#ifndef STZ_IO_CHECKPOINT_H
#define STZ_IO_CHECKPOINT_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "io/result.h"
#include "lattice/grid.h"

typedef struct stz_checkpoint stz_checkpoint;

// Begins a checkpoint that is to become `path`. Fails with STZ_EIO.
stz_err stz_checkpoint_create(const stz_grid *grid, const char *path, stz_checkpoint **checkpoint) STZ_MUST_USE;

// Ends it: what was at `path` (of stz_checkpoint_create) gets the name `previous`, and the new file the name `path`.
// After a failure both are as they were.
stz_err stz_checkpoint_commit(stz_checkpoint **checkpoint, const char *previous) STZ_MUST_USE;

// Opens a complete one to read. Fails with STZ_EIO: missing, cut short, damaged, or not a checkpoint.
stz_err stz_checkpoint_open(const stz_grid *grid, const char *path, stz_checkpoint **checkpoint) STZ_MUST_USE;

// Closes one that is read, or gives up one that is written.
void stz_checkpoint_close(stz_checkpoint **checkpoint);

// A block `name` whose parts lie on the ranks, in rank order: `bytes` is the length of this rank's part `data`. To
// read, the lengths must add up to what was written, but may be cut differently.
stz_err stz_checkpoint_put(stz_checkpoint *checkpoint, const char *name, const void *data, size_t bytes) STZ_MUST_USE;
stz_err stz_checkpoint_get(stz_checkpoint *checkpoint, const char *name, void *data, size_t bytes) STZ_MUST_USE;

// A block `name` of `bytes` bytes that every rank has: rank 0's `data` is written, and read by all. Fails with STZ_EIO
// where they are not those that were written.
stz_err stz_checkpoint_put_common(stz_checkpoint *checkpoint, const char *name, const void *data,
                                  size_t bytes) STZ_MUST_USE;
stz_err stz_checkpoint_get_common(stz_checkpoint *checkpoint, const char *name, void *data, size_t bytes) STZ_MUST_USE;

// The length (*bytes, out) of the block `name` that is to be read: no more than its file has, so that there can be room
// for it.
stz_err stz_checkpoint_length(stz_checkpoint *checkpoint, const char *name, uint64_t *bytes) STZ_MUST_USE;

// A text, of rank 0; what is read (*text, on every rank) is to be freed by stz_free.
stz_err stz_checkpoint_put_text(stz_checkpoint *checkpoint, const char *name, const char *text) STZ_MUST_USE;
stz_err stz_checkpoint_get_text(stz_checkpoint *checkpoint, const char *name, char **text) STZ_MUST_USE;

// The bytes of the result file as it stands after a flush; and that file again at `path`, whatever is there now.
stz_err stz_checkpoint_put_result(stz_checkpoint *checkpoint, stz_result *result) STZ_MUST_USE;
stz_err stz_checkpoint_get_result(stz_checkpoint *checkpoint, const char *path) STZ_MUST_USE;

#endif
