// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/config: not installed.
//
// Text of input and model files, and the tree that libconfig makes of it.
#ifndef STZ_CONFIG_SOURCE_H
#define STZ_CONFIG_SOURCE_H

#include <libconfig.h>
#include <mpi.h>
#include <stdbool.h>

#include "base/error.h"

enum { STZ_PATH_SIZE = 4096 };

// One text that sets keys: a file, or the value of one key from the command line.
typedef struct stz_source {
  char name[STZ_PATH_SIZE]; // of the file as the messages call it
  char *text;               // its content, NUL-terminated
} stz_source;

// Reads `path` on rank 0 and sends it to all. Collective. Fails with STZ_EIO when it cannot be read, with STZ_EINPUT
// when it is no text or larger than 1 MiB.
stz_err stz_source_read(MPI_Comm comm, const char *path, stz_source *source) STZ_MUST_USE;
void stz_source_clear(stz_source *source);

// A source of a text that rank 0 has (the others pass what they like). Collective.
stz_err stz_source_broadcast(MPI_Comm comm, const char *name, const char *text, stz_source *source) STZ_MUST_USE;

// Parses `text` into a tree; messages call it `name`. An integer that libconfig would cut to 32 bits gets 64; one
// beyond 64 bits becomes a floating-point number, which a key for integers then refuses. The tree is to be destroyed by
// config_destroy, whether this succeeds or not.
stz_err stz_tree_parse(const char *name, const char *text, config_t *tree) STZ_MUST_USE;

#endif
