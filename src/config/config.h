// SPDX-License-Identifier: GPL-3.0-or-later
//
// Input file -> typed, checked, immutable parameters, through one schema table.
#ifndef STZ_CONFIG_CONFIG_H
#define STZ_CONFIG_CONFIG_H

#include <mpi.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "elastic/params.h"
#include "glass/params.h"
#include "kmc/params.h"
#include "lattice/params.h"
#include "load/params.h"
#include "micro/params.h"
#include "observe/params.h"
#include "stz/params.h"

// Axial strains at which something is done when each is first reached.
typedef struct stz_strain_levels {
  double *values; // ascending
  int count;
} stz_strain_levels;

// The fields that an input may take from files, and one of them.
typedef enum stz_given_field {
  STZ_GIVEN_MICRO,
  STZ_GIVEN_DAMAGE,
  STZ_GIVEN_RISE,
  STZ_GIVEN_FIELDS // how many
} stz_given_field;
typedef struct stz_given {
  char file[256], dataset[256]; // as the input names them
  char *path;                   // of the file, found from the input's folder
  char *place;                  // of the key that names it: "in.cfg:5: microstructure.file"
} stz_given;

typedef struct stz_config {
  char model[256]; // name or path as given; "" without a model
  stz_lattice_params lattice;
  stz_elastic_params elastic;
  stz_stz_params stz;
  char modes[256]; // "icosahedral", or "axes" (stz.catalogue)
  stz_barrier_params barriers;
  stz_micro_params micro;
  stz_order_params order;
  stz_segment *protocol;
  int segments;
  stz_kmc_params kmc; // the engine that runs
  bool engine_auto;   // the box has chosen it
  stz_history_params history;
  stz_strain_levels nbed_strains;
  bool snapshots, events, avalanches; // whether they are written
  stz_avalanche_params avalanche;
  stz_strain_levels snapshot_strains;   // empty: nbed_strains
  stz_strain_levels statistics_strains; // empty: nbed_strains
  stz_nbed_params nbed;
  uint64_t seed;
  double checkpoint_every_wall_s; // 0: only when the run is stopped
  char *files;      // names of the files read: the input, then those that it names; each closed by a 0, and a further 0
  char *input_text; // the input file as read
  char *notes;      // on values that are probably a mistake, one line "file:line: key: ..." each; "" without any
  char *resolved_text; // every key with its value, unit and origin (default, model, input, --set): a valid input
  stz_given given[STZ_GIVEN_FIELDS]; // fields from files
} stz_config;

typedef struct stz_override {
  const char *text;   // "path=value", e.g. "barriers.width_eV=0.1" or "protocol[0].until_strain=0.05"; value as in an
                      // input file, but a bare word needs no quotes
  const char *option; // how messages call it; NULL: "--set"
} stz_override;

// Collective over `comm`. Reads the input `path`, with overrides[count] on top. Later sources win: defaults, model,
// input, overrides in their order. A model may set only elasticity, stz, barriers, microstructure and order. Rank 0
// reads the files, the text is broadcast, every rank parses and checks. MPI_COMM_NULL: this process alone, without MPI.
// Models are found by the rules of config/find.h (docs/input.md). On failure (STZ_EINPUT, STZ_EIO) the message is one
// line "file:line: key: got ..., needs ..." and *config is NULL.
stz_err stz_config_read(MPI_Comm comm, const char *path, const stz_override *overrides, int count,
                        stz_config **config) STZ_MUST_USE;

// Collective. The same for a text in memory, such as the resolved input of a result; only rank 0's `text` counts, and
// messages call it `name`.
stz_err stz_config_parse(MPI_Comm comm, const char *name, const char *text, const stz_override *overrides, int count,
                         stz_config **config) STZ_MUST_USE;

void stz_config_destroy(stz_config **config); // and all that it holds

// The box that a random structure is made in: the lattice, of a film a periodic box that is taller by twice the
// structure's length, so that one surface knows nothing of the other. Local.
stz_lattice_params stz_config_structure_box(const stz_config *config);

// Whether a field comes from a file, and the key that names the file. Local.
bool stz_config_reads(const stz_config *config, stz_given_field field);
const char *stz_config_file_key(stz_given_field field);

// An input that is read once, with the models that it names, to make many configurations of it: later changes of the
// files do not matter.
typedef struct stz_template stz_template;

// Reads `path`. Collective. Fails as stz_config_read.
stz_err stz_template_read(MPI_Comm comm, const char *path, stz_template **made) STZ_MUST_USE;
void stz_template_destroy(stz_template **made);

// Collective. As stz_config_read, from the template `made`; a model is read when it is named for the first time.
stz_err stz_template_config(MPI_Comm comm, stz_template *made, const stz_override *overrides, int count,
                            stz_config **config) STZ_MUST_USE;

// The group of the setting at `at` in a resolved text, as messages begin the key's path: "barriers.", "protocol[2].";
// "" outside groups. Local.
enum { STZ_GROUP_SIZE = 64 };
void stz_config_group_at(const char *resolved, const char *at, char group[STZ_GROUP_SIZE]);

// Writes the reference of all keys, in Markdown, from the schema table (docs/input.md is made so). Local.
void stz_config_reference(FILE *out);

#endif
