// SPDX-License-Identifier: GPL-3.0-or-later
//
// Snapshots: fields over the lattice at one moment, a file each, as VTKHDF 1.0 ImageData with PointData (Kitware's
// "VTK File Formats", read by VTK 9.1 and ParaView 5.11), and the list of a run's snapshots, STEM.hdf.series. Snapshot
// i is STEM.000i.hdf. The points are the voxels' centres: origin a/2, spacing a, in nm; x runs fastest, as VTK wants
// it.
//
// Every function is collective over the grid's communicator and agrees on failures (STZ_EIO), unless it says otherwise.
#ifndef STZ_IO_SNAPSHOT_H
#define STZ_IO_SNAPSHOT_H

#include "base/error.h"
#include "lattice/grid.h"

typedef struct stz_snapshot stz_snapshot;

// Fails if one of the first `count` snapshots of this stem, or their list, is there already.
stz_err stz_snapshot_vacant(const stz_grid *grid, const char *stem, int count) STZ_MUST_USE;

// Begins snapshot `index`. The file appears under its name, replacing one that is there, when it is committed.
stz_err stz_snapshot_create(const stz_grid *grid, const char *stem, int index, stz_snapshot **snapshot) STZ_MUST_USE;
stz_err stz_snapshot_commit(stz_snapshot **snapshot) STZ_MUST_USE;
void stz_snapshot_abandon(stz_snapshot **snapshot); // gives up one that was begun; does nothing without

// A point array, one number a local site: collected in layers of a few planes z, so that no rank holds a whole field.
stz_err stz_snapshot_field(stz_snapshot *snapshot, const char *name, const char *unit, const char *description,
                           const float *local) STZ_MUST_USE;

// A number that belongs to the whole: an attribute of the file's root. (VTK 9.1 fails on field data of an image.)
stz_err stz_snapshot_number(stz_snapshot *snapshot, const char *name, double value) STZ_MUST_USE;

// Writes the list of snapshots 0 to count - 1 with their times (s).
stz_err stz_snapshot_series(const stz_grid *grid, const char *stem, int count, const double *times_s) STZ_MUST_USE;

#endif
