// SPDX-License-Identifier: GPL-3.0-or-later
//
// A run: wiring of the modules and the main loop.
#ifndef STZ_SIM_SIM_H
#define STZ_SIM_SIM_H

#include <mpi.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"
#include "base/team.h"
#include "config/config.h"
#include "sim/cache.h"

typedef struct stz_progress {
  double time_s, strain, stress_GPa; // now, of the component that the segment drives
  double fraction;                   // of the protocol's extent, 0 to 1, a rough guess
  unsigned long long events;
  double wall_s, events_per_s;
  int segment, segments;
  const char *segment_type;
} stz_progress;

typedef struct stz_run_options {
  const char *output;       // path of the result file
  bool force;               // replace an existing one
  const char *command_line; // for the record
  bool restart;             // go on from the newest whole checkpoint of `output`
  double max_walltime_s;    // stop early, with a checkpoint, after this wall time; 0: no limit
  const volatile int *stop; // set to non-zero by a signal handler: stop early, with a checkpoint; may be NULL
  void (*progress)(
      const stz_progress *now); // called on rank 0 about once a second and at every segment's end; may be NULL
  stz_cache *cache;             // what runs of the same lattice share; may be NULL
  stz_team *team;               // that shares the work over the sites of a run on one rank; may be NULL
  void (*poll)(void *context);  // called every few events on every rank, without any of its collectives; may be NULL
  void *context;                // for it
} stz_run_options;

// Collective. Runs the whole protocol of `config` and writes the result options->output. *stopped_early is true when
// the run stopped before the end of the protocol, with a checkpoint OUT.ckpt.h5 (the one before it: OUT.ckpt.prev.h5)
// from which options->restart continues, on any number of ranks. On failure the result file, if it was begun, stays
// readable with complete = 0. An engine that takes one rank runs on the first rank, which has one thread on the core of
// each rank of its node for loops over all sites (base/team.h). Fails with STZ_EINPUT, STZ_EIO, STZ_ENUMERIC or
// STZ_EINTERNAL, with STZ_ESTOPPED if it was stopped before there was anything to save.
stz_err stz_sim_run(MPI_Comm comm, const stz_config *config, const stz_run_options *options,
                    bool *stopped_early) STZ_MUST_USE;

// Writes in one line which engine a run takes and why.
enum { STZ_ENGINE_TEXT = 160 };
void stz_sim_engine(const stz_config *config, char text[STZ_ENGINE_TEXT]);

// Prints the datasets of all output, group by group, in Markdown (docs/output.md has them). Local.
void stz_sim_output_reference(FILE *out);

typedef struct stz_estimate {
  double bytes_per_rank, file_bytes; // memory per rank, size of the result
  double events;                     // rough count of events
  double seconds;                    // rough wall time
  double kernels, kernel_s;          // how often the kernel is made again, and what one of them takes, s
  int ranks;                         // that compute, of those given
  int modes;                         // number of modes in the catalogue
  double modes_least, modes_most;    // extreme eigenvalues of sum P x P over the modes; equal: isotropic
  double floor_fraction;             // fraction of the sites whose barrier is barriers.floor_eV
  int slow;                          // a segment in which events come so fast that time hardly advances; -1: none
  double slow_events;                // expected in that segment, by its rates alone
} stz_estimate;

// What the file of a microstructure holds: shares of the sites in bins of the structure field g, with the mean of each.
enum { STZ_FIELD_BINS = 32 };
typedef struct stz_field_found {
  bool read, phases;        // false without a file; a map of phases
  char axes[4];             // order of its axes
  double least, most, mean; // of its values
  double share[STZ_FIELD_BINS], g[STZ_FIELD_BINS];
} stz_field_found;

// Whether elastic moduli vary with the structure. Local.
bool stz_sim_varies(const stz_config *config);

// Whether a run can have so many ranks. Local.
stz_err stz_sim_check_ranks(const stz_config *config, int ranks) STZ_MUST_USE;

// Collective. Checks that the files that the input names can be used; rank 0 gets what it has found, the others
// nothing. Fails as stz_field_check and stz_micro_check_given, with the place of the key that names the file, and as
// stz_contrast_check.
stz_err stz_sim_check_files(MPI_Comm comm, const stz_config *config, stz_field_found *found) STZ_MUST_USE;

// Estimates memory and cost of a run on `ranks` ranks, from sizes, typical speeds and, if not NULL, what a file holds;
// without it a file counts as random waves. Fails with STZ_EINTERNAL when memory is out.
stz_err stz_sim_estimate(const stz_config *config, int ranks, const stz_field_found *found,
                         stz_estimate *estimate) STZ_MUST_USE;

// Prints a line for each observer that is due at axial strains which the protocol cannot reach, and names them. Local.
void stz_sim_print_unreachable(const stz_config *config, FILE *out);

#endif
