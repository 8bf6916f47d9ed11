// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/io: not installed.
//
// An HDF5 file driver for files that are written. HDF5 cannot give up a file that it cannot write (full disk, quota):
// closing fails, and the end of the program with it. So this driver notes the first failure for its owner, accepts
// whatever comes after it without writing, and lets HDF5 close in peace. It takes no lock, so that a growing file can
// be read; it syncs the file to the disk before it closes it. A file that is only read is closed in peace as well.
//
// And a file is to be whole whenever the program is killed. HDF5 writes what describes the data (headers, indices) in
// ascending order, so that for a moment a header may point to an index that is not there yet. This driver keeps it back
// until HDF5 flushes. It then writes what is new, from the end of the file to its start: what is pointed to, which was
// made later, before what points to it; then the superblock, which says how far the file goes; then what has changed in
// place. The data themselves are written at once, before anything points to them.
#ifndef STZ_IO_SINK_H
#define STZ_IO_SINK_H

#include <hdf5.h>

#include "base/team.h"

// Sets the driver in a file access property list. *failure becomes the errno of the first failure, 0 until then; it
// must outlive the file, as `team` (may be NULL) must, whose threads share large reads and writes.
herr_t stz_sink_set(hid_t properties, int *failure, stz_team *team);

#endif
