// SPDX-License-Identifier: GPL-3.0-or-later
//
// An HDF5 file driver for files that are written. HDF5 cannot give up a file that it cannot write (full disk, quota):
// closing fails, and the end of the program with it. So this driver notes the first failure for its owner, accepts
// whatever comes after it without writing, and lets HDF5 close in peace. It takes no lock, so that a growing file can
// be read; it syncs the file to the disk before it closes it.
#ifndef STZ_IO_SINK_H
#define STZ_IO_SINK_H

#include <hdf5.h>

// Sets the driver in a file access property list. *failure becomes the errno of the first failure, 0 until then; it
// must outlive the file.
herr_t stz_sink_set(hid_t properties, int *failure);

#endif
