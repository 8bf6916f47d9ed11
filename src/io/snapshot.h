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
#include "io/dataset.h"
#include "lattice/grid.h"

typedef struct stz_snapshot stz_snapshot;

#define STZ_POINTS "/VTKHDF/PointData" // the group of the fields

// Begins snapshot `index` (from 0) of the series STEM.0000.hdf, ...; `stem` may hold a folder. The file appears under
// its name when it is committed, and then replaces an older one.
stz_err stz_snapshot_create(const stz_grid *grid, const char *stem, int index, stz_snapshot **snapshot) STZ_MUST_USE;
stz_err stz_snapshot_commit(stz_snapshot **snapshot) STZ_MUST_USE;
void stz_snapshot_abandon(stz_snapshot **snapshot); // gives up one that was begun; does nothing without

// A point array of STZ_POINTS, one number a local site: collected in layers of a few planes z, so that no rank holds a
// whole field.
stz_err stz_snapshot_field(stz_snapshot *snapshot, const stz_dataset *what, const float *local) STZ_MUST_USE;

// What is no field lies beside the group VTKHDF, where VTK passes over it: numbers as attributes of the root or of a
// group (VTK 9.1 fails on field data of an image), texts (rank 0's), and columns: `count` rows of this rank in `local`,
// those of the ranks one after the other.
stz_err stz_snapshot_number(stz_snapshot *snapshot, const char *object, const char *name, double value) STZ_MUST_USE;
stz_err stz_snapshot_text(stz_snapshot *snapshot, const char *group, const stz_dataset *what,
                          const char *text) STZ_MUST_USE;
stz_err stz_snapshot_rows(stz_snapshot *snapshot, const char *group, const stz_dataset *column, int count,
                          const double *local) STZ_MUST_USE;

// Writes the list of snapshots 0 to count - 1 with their times (s).
stz_err stz_snapshot_series(const stz_grid *grid, const char *stem, int count, const double *times_s) STZ_MUST_USE;

// How many the list names. Collective.
stz_err stz_snapshot_count(const stz_grid *grid, const char *stem, int *count) STZ_MUST_USE;

// The name of a file of the series: STEM.0007.hdf, or STEM.hdf.series for index -1, and a suffix; to be freed by
// stz_free. Local.
stz_err stz_snapshot_path(const char *stem, int index, const char *suffix, char **path) STZ_MUST_USE;

// Reading one back. `local` (out): one number per local site, of the field `name` of STZ_POINTS; *value (out):
// the attribute `name` of `object`. Messages name the file; STZ_EIO where it lacks something or is of another lattice.
typedef struct stz_snapshot_source stz_snapshot_source;
stz_err stz_snapshot_open(const stz_grid *grid, const char *stem, int index, stz_snapshot_source **source) STZ_MUST_USE;
void stz_snapshot_close(stz_snapshot_source **source); // does nothing without one
stz_err stz_snapshot_read_field(stz_snapshot_source *source, const char *name, float *local) STZ_MUST_USE;
stz_err stz_snapshot_read_number(stz_snapshot_source *source, const char *object, const char *name,
                                 double *value) STZ_MUST_USE;
// For rank 0 (nothing on the others): a text; a column of all rows, `width` numbers each. To be freed by stz_free.
stz_err stz_snapshot_read_text(stz_snapshot_source *source, const char *path, char **text) STZ_MUST_USE;
stz_err stz_snapshot_read_rows(stz_snapshot_source *source, const char *path, int width, int *count,
                               double **values) STZ_MUST_USE;

#endif
