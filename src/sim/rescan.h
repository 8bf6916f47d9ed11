// SPDX-License-Identifier: GPL-3.0-or-later
//
// Virtual NBED again on the snapshots of a run, with other optics.
#ifndef STZ_SIM_RESCAN_H
#define STZ_SIM_RESCAN_H

#include <mpi.h>
#include <stdbool.h>

#include "config/config.h"

// The scans of one snapshot.
typedef struct stz_rescan_level {
  int snapshot, scans;
  double strain, time_s;
  double bragg_mean, bragg_scatter, bragg_expected; // as in stz_nbed
} stz_rescan_level;

typedef struct stz_rescan_options {
  const char *result;            // of the run; its snapshots lie beside it
  const stz_override *overrides; // of nbed.*, order.cluster_radius_nm and run.seed, which places the scans
  int override_count;
  const char *output; // file to write the levels to, as /nbed/level_NN; NULL: none
  bool force;         // replace an existing one
  const char *command_line;
  void (*level)(const stz_rescan_level *level); // called on rank 0 after each snapshot
} stz_rescan_options;

// Collective. Scans every snapshot that the run's list names. A snapshot that was taken at a strain of
// output.nbed_strains has the places of that strain level, so that the run's own optics and seed reproduce its patterns
// bit for bit.
stz_err stz_rescan_run(MPI_Comm comm, const stz_rescan_options *options) STZ_MUST_USE;

#endif
