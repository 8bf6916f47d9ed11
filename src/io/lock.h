// SPDX-License-Identifier: GPL-3.0-or-later
//
// A lock on the output of a run, so that no other job writes there meanwhile. It is a lock of the system on an empty
// file (fcntl's, of the open file, which NFS has too), and ends with the process, however that ends: a file that is
// left over locks nothing. Local: one rank calls.
#ifndef STZ_IO_LOCK_H
#define STZ_IO_LOCK_H

#include <stdbool.h>

#include "base/error.h"

// Takes the lock on the file `path`, made if there is none, for `output`. While its holder only saves, this waits, for
// some minutes at most. STZ_EIO if another job has it; STZ_EINPUT if the file is somebody's; STZ_ESTOPPED if asked to
// stop meanwhile. Where the file system has no locks a warning says so, and *lock is -1.
stz_err stz_lock_take(const char *path, const char *output, int *lock) STZ_MUST_USE;

// Says to others that the holder only saves, or that it does more again. A copy of this process shares the lock, and
// may outlive it.
void stz_lock_saves(int lock, bool saves);

// Gives it back, and removes its file; does nothing for -1.
void stz_lock_release(const char *path, int *lock);

#endif
