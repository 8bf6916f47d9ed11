// SPDX-License-Identifier: GPL-3.0-or-later
//
// The snapshots of a run: which fields they show, and when they are taken.
#ifndef STZ_SIM_SNAPSHOTS_H
#define STZ_SIM_SNAPSHOTS_H

#include "config/config.h"
#include "sim/sample.h"

typedef struct stz_snapshots {
  const char *resolved;     // the run's input
  const stz_levels *levels; // axial strains; NULL: none are taken
  char *stem;               // OUT of OUT.0000.hdf
  double *times_s;          // of each that was taken, room for all
  int taken;
} stz_snapshots;

// Where a snapshot keeps the clusters and the input.
#define STZ_CLUSTERS "/clusters"
#define STZ_INPUT "/config/resolved"

// OUT of OUT.0000.hdf, for the result `output`; to be freed by stz_free. Local.
stz_err stz_snapshots_stem(const char *output, char **stem) STZ_MUST_USE;

// Sets up the snapshots of the run that writes `output`. Local.
stz_err stz_snapshots_begin(const stz_config *config, const char *output, stz_snapshots *snapshots) STZ_MUST_USE;
void stz_snapshots_clear(stz_snapshots *snapshots);

// Fails with STZ_EIO if files of the same names are there. Collective.
stz_err stz_snapshots_vacant(const stz_snapshots *snapshots, const stz_grid *grid) STZ_MUST_USE;

// The strain of the next one; INFINITY if there is none. Local.
double stz_snapshots_next(const stz_snapshots *snapshots);

// Takes the next one, in the state `macro` of the sample, and lists it. Collective.
stz_err stz_snapshots_take(stz_snapshots *snapshots, const stz_sample *sample, const stz_macro *macro) STZ_MUST_USE;

// Warns of each snapshot that was taken and is gone. Local.
void stz_snapshots_miss(const stz_snapshots *snapshots);

#endif
