// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/io: not installed.
//
// An HDF5 file through the serial driver, as the other files of this module use it. Local: one rank calls. Failures are
// STZ_EIO with a message "FILE: OBJECT: reason"; HDF5 itself prints nothing.
#ifndef STZ_IO_HDF_H
#define STZ_IO_HDF_H

#include <hdf5.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/team.h"
#include "io/dataset.h"

typedef struct stz_hdf {
  hid_t file;             // -1: none is open
  char *path, *temporary; // its name, and the one that it has until it is published
  int failure;            // errno of the first write that failed; all later ones are dropped
  stz_team *team;         // whose threads share large reads and writes; NULL: none
} stz_hdf;

// Creates the file under a temporary name in the same directory; refuses a `path` where there is a file unless `force`,
// and anything else than a regular file. `hdf` must stay where it is while the file is open.
stz_err stz_hdf_create(const char *path, bool force, stz_team *team, stz_hdf *hdf) STZ_MUST_USE;

// Flushes what is written so far and, the first time, renames the file to its `path`, replacing what is there.
stz_err stz_hdf_publish(stz_hdf *hdf) STZ_MUST_USE;

// Opens an existing file to read.
stz_err stz_hdf_open(const char *path, stz_team *team, stz_hdf *hdf) STZ_MUST_USE;

// Opens an existing file to go on writing it. `hdf` must stay where it is while the file is open.
stz_err stz_hdf_continue(const char *path, stz_team *team, stz_hdf *hdf) STZ_MUST_USE;

// Closes the file and all that is open in it; does nothing without a file. One that was created and never published is
// removed. `hdf` is empty afterwards in any case.
stz_err stz_hdf_close(stz_hdf *hdf) STZ_MUST_USE;

// Closes a file that was written and seals it (io/disk.h).
stz_err stz_hdf_close_sealed(stz_hdf *hdf) STZ_MUST_USE;

// STZ_OK if `err` is and all that HDF5 wrote so far went through. HDF5 itself does not tell (io/sink.h).
stz_err stz_hdf_outcome(const stz_hdf *hdf, stz_err err) STZ_MUST_USE;

// The failure of the HDF5 call just made on `object`, with the innermost reason that HDF5 knows.
stz_err stz_hdf_fail(const stz_hdf *hdf, const char *object) STZ_MUST_USE;

// Writes an attribute of `count` values of an HDF5 memory type (0: a scalar), replacing one of that name. A missing
// object is made a group. Text is a scalar of the type that stz_hdf_text_attribute takes care of.
stz_err stz_hdf_attribute(const stz_hdf *hdf, const char *object, const char *name, hid_t type, int count,
                          const void *values) STZ_MUST_USE;
stz_err stz_hdf_text_attribute(const stz_hdf *hdf, const char *object, const char *name, const char *text) STZ_MUST_USE;

// Creates a dataset of the HDF5 type `type` with the attributes that describe it, and the groups above it. `dims` are
// the sizes of its dimensions; maxdims may be NULL, `properties` is a creation property list or H5P_DEFAULT. The caller
// closes *made.
stz_err stz_hdf_dataset(const stz_hdf *hdf, const char *path, const stz_dataset *what, hid_t type, const hsize_t *dims,
                        const hsize_t *maxdims, hid_t properties, hid_t *made) STZ_MUST_USE;

hid_t stz_hdf_type(stz_stored stored); // of numbers

// Creates and writes a dataset at once: `values` as they are stored, or a text.
stz_err stz_hdf_values(const stz_hdf *hdf, const char *path, const stz_dataset *what, const int *dims,
                       const void *values) STZ_MUST_USE;
stz_err stz_hdf_text(const stz_hdf *hdf, const char *path, const stz_dataset *what, const char *text) STZ_MUST_USE;

// Reads `count` numbers of an attribute as `type`; false if there are none, or not that many.
bool stz_hdf_numbers(hid_t file, const char *object, const char *name, hid_t type, int count, void *values);

// Reads a text dataset as stz_hdf_text makes it; *text is to be freed by stz_free.
stz_err stz_hdf_read_text(const stz_hdf *hdf, const char *path, char **text) STZ_MUST_USE;

#endif
