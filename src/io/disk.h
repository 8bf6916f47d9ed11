// SPDX-License-Identifier: GPL-3.0-or-later
//
// Whole files and their safe replacement. Local: one rank calls. Failures are STZ_EIO with the path and the reason.
// Where a function takes a team (base/team.h), its threads share large files; NULL: the calling thread does all.
#ifndef STZ_IO_DISK_H
#define STZ_IO_DISK_H

#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/team.h"

// Reads a whole file of *bytes bytes; *data must be freed by stz_free.
stz_err stz_disk_read(const char *path, void **data, size_t *bytes) STZ_MUST_USE;

// Removes what a crash has left under a temporary name, which is then created anew (O_EXCL). A link that somebody put
// there would lead to another file.
void stz_disk_make_way(const char *temporary);

// Writes a whole file under a temporary name, syncs and renames it to `path`.
stz_err stz_disk_replace(const char *path, const void *data, size_t bytes) STZ_MUST_USE;

// Appends a line with the checksum of all bytes so far, and syncs the file.
stz_err stz_disk_seal(const char *path, stz_team *team) STZ_MUST_USE;

// Whether the last line of the file `path` holds the checksum of the bytes before it: there is no such line, it does,
// or the file has changed since.
typedef enum stz_seal { STZ_SEAL_NONE, STZ_SEAL_FITS, STZ_SEAL_BROKEN } stz_seal;
stz_err stz_disk_read_seal(const char *path, stz_team *team, stz_seal *seal) STZ_MUST_USE;

// STZ_OK if the file has such a line and it fits: a checkpoint is whole.
stz_err stz_disk_check_seal(const char *path, stz_team *team) STZ_MUST_USE;

// Writes `bytes` bytes of `data` to an open file from its byte `at` on, and reads them; the position of the file stays.
// What lies beyond the file's end is read as zeros, and *missing (may be NULL) is the number of such bytes. 0 or the
// errno of the failure: the caller says it.
int stz_disk_put_at(stz_team *team, int file, off_t at, size_t bytes, const void *data);
int stz_disk_take_at(stz_team *team, int file, off_t at, size_t bytes, void *data, size_t *missing);

// Renames and makes the new name durable (syncs the directory).
stz_err stz_disk_rename(const char *from, const char *to) STZ_MUST_USE;

// The file that a name stands for: of a symbolic link where it leads, also to nothing; of others the name itself. Into
// `size` bytes, those of the longest name that a system opens being enough.
stz_err stz_disk_follow(const char *path, char *file, size_t size) STZ_MUST_USE;

#endif
