// SPDX-License-Identifier: GPL-3.0-or-later
//
// Whole files and their safe replacement. Local: one rank calls. Failures are STZ_EIO with the path and the reason.
#ifndef STZ_IO_DISK_H
#define STZ_IO_DISK_H

#include <stddef.h>

#include "base/error.h"

// Reads a whole file of *bytes bytes; *data must be freed by stz_free.
stz_err stz_disk_read(const char *path, void **data, size_t *bytes) STZ_MUST_USE;

// Writes a whole file under a temporary name, syncs and renames it to `path`.
stz_err stz_disk_replace(const char *path, const void *data, size_t bytes) STZ_MUST_USE;

// Appends a line with the checksum of all bytes so far, and syncs the file.
stz_err stz_disk_seal(const char *path) STZ_MUST_USE;

// Whether the file's last line holds the checksum of the bytes before it: there is no such line, it does, or the file
// has changed since.
typedef enum stz_seal { STZ_SEAL_NONE, STZ_SEAL_FITS, STZ_SEAL_BROKEN } stz_seal;
stz_err stz_disk_read_seal(const char *path, stz_seal *seal) STZ_MUST_USE;

// STZ_OK if the file has such a line and it fits: a checkpoint is whole.
stz_err stz_disk_check_seal(const char *path) STZ_MUST_USE;

// Renames and makes the new name durable (syncs the directory).
stz_err stz_disk_rename(const char *from, const char *to) STZ_MUST_USE;

// The file that a name stands for: of a symbolic link where it leads, also to nothing; of others the name itself. To be
// freed by stz_free.
stz_err stz_disk_follow(const char *path, char **file) STZ_MUST_USE;

#endif
