// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/header.h"

#include <time.h>

#include "base/build.h"
#include "base/comm.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/tensor.h"
#include "base/units.h"
#include "observe/observer.h"
#include "sim/sim.h"

#define VOXELS "x y z", STZ_FLOAT32
enum { INPUT, RESOLVED };
static const stz_dataset config_texts[] = {
    [INPUT] = {"input", "1", "the input file as given", "", STZ_TEXT},
    [RESOLVED] = {"resolved", "1", "every key with its value", "", STZ_TEXT},
};
enum { CATALOGUE, ROTATIONS };
static const stz_dataset modes_always[] = {
    [CATALOGUE] = {"catalogue", "1",
                   "P of each mode in the axes of its grain of orientation: xx yy zz yz xz xy, tensor components",
                   "mode component[6]", STZ_FLOAT64},
    [ROTATIONS] = {"rotations", "1",
                   "matrices R by rows: the axes x, y, z of a grain of orientation in those of the box",
                   "rotation entry[9]", STZ_FLOAT64},
};
static const stz_dataset modes_random[] = {
    {"cells", "1", "entry of /modes/rotations at the start, per voxel", VOXELS},
};
enum { COMPOSITION, BARRIER_INITIAL };
static const stz_dataset fields_begin[] = {
    [COMPOSITION] = {"composition", "1", "Ni atomic fraction", VOXELS},
    [BARRIER_INITIAL] = {"barrier_initial_eV", "eV", "barriers at the start", VOXELS},
};
enum { BARRIER, PLASTIC_STRAIN };
static const stz_dataset fields_end[] = {
    [BARRIER] = {"barrier_eV", "eV", "barriers at the end", VOXELS},
    [PLASTIC_STRAIN] = {"plastic_strain_axial", "1",
                        "sum of gamma0 P_xx Omega/a^3 over the events centred on the voxel", VOXELS},
};

const stz_group stz_header_groups[STZ_HEADER_GROUPS] = {
    {STZ_GROUP("/config", "always", config_texts)},
    {STZ_GROUP("/modes", "always", modes_always)},
    {STZ_GROUP("/modes", "with modes turned at random (`stz.orientation`)", modes_random)},
    {STZ_GROUP("/microstructure", "always", fields_begin)},
    {STZ_GROUP("/microstructure", "when the run has come to its end", fields_end)},
};

stz_err stz_header_provenance(stz_result *r, const stz_config *config, const char *command_line, int ranks) {
  char utc[32];
  const time_t now = time(NULL);
  struct tm parts;
  strftime(utc, sizeof utc, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &parts));
  STZ_TRY(stz_result_text(r, "/", "format", "stzkmc-result"));
  STZ_TRY(stz_result_int(r, "/", "format_version", 1));
  STZ_TRY(stz_result_text(r, "/", "program_version", STZ_VERSION));
  STZ_TRY(stz_result_text(r, "/", "git", stz_build_git));
  STZ_TRY(stz_result_text(r, "/", "command_line", command_line ? command_line : ""));
  STZ_TRY(stz_result_text(r, "/", "created_utc", utc));
  STZ_TRY(stz_result_int(r, "/", "ranks", ranks));
  STZ_TRY(stz_result_uint(r, "/", "seed", config->seed));
  return stz_result_int(r, "/", "complete", 0);
}

static stz_err write_config(stz_result *r, const stz_config *config, const stz_sample *sample) {
  STZ_TRY(stz_result_text_dataset(r, "/config", &config_texts[INPUT], config->input_text));
  STZ_TRY(stz_result_text_dataset(r, "/config", &config_texts[RESOLVED], config->resolved_text));
  STZ_TRY(stz_result_ints(r, "/config", "cells", config->lattice.cells, 3));
  const struct {
    const char *name;
    double value;
  } numbers[] = {
      {"spacing_nm", config->lattice.spacing_nm},
      {"volume_nm3", config->stz.volume_nm3},
      {"gamma0", config->stz.gamma0},
      {"activation_fraction", config->stz.activation_fraction},
      {"young_GPa", config->elastic.young_GPa},
      {"poisson", config->elastic.poisson},
      {"largest_schmid", stz_modes_largest_schmid(stz_glass_modes(sample->glass))},
  };
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    STZ_TRY(stz_result_double(r, "/config", numbers[i].name, numbers[i].value));
  }
  return STZ_OK;
}

// The engine, and why it.
static stz_err write_choice(stz_result *r, const stz_config *config) {
  char choice[STZ_ENGINE_TEXT];
  stz_sim_engine(config, choice);
  STZ_TRY(stz_result_text(r, "/engine", "name", stz_engine_needs_of(config->kmc.engine).name));
  return stz_result_text(r, "/engine", "choice", choice);
}

static stz_err write_microstructure(stz_result *r, const stz_sample *sample) {
  static const char group[] = "/microstructure";
  const stz_micro_measures *m = &sample->micro;
  STZ_TRY(stz_result_field(r, group, &fields_begin[COMPOSITION], stz_glass_composition(sample->glass)));
  STZ_TRY(stz_result_field(r, group, &fields_begin[BARRIER_INITIAL], stz_glass_barrier(sample->glass)));
  STZ_TRY(stz_result_double(r, group, "nickel_fraction", m->nickel_fraction));
  STZ_TRY(stz_result_double(r, group, "length_spectrum_nm", m->length_spectrum_nm));
  STZ_TRY(stz_result_double(r, group, "length_correlation_nm", m->length_correlation_nm));
  STZ_TRY(stz_result_double(r, group, "interface_area_per_nm", m->interface_per_nm));
  STZ_TRY(stz_result_int(r, group, "percolates_rich", m->percolates_rich));
  double rms;
  STZ_TRY(stz_kmc_stress_rms(sample->kmc, &rms));
  if (rms > 0.0) stz_log(STZ_LOG_INFO, "quenched-in stress: rms %.4g GPa (norm of the deviator)", rms / STZ_GPA);
  STZ_TRY(stz_result_double(r, group, "internal_stress_rms_GPa", rms / STZ_GPA));
  return stz_result_int(r, group, "percolates_poor", m->percolates_poor);
}

// --- the shear modes, from which a row of /events gets its tensor ---

static stz_err write_cells(stz_result *r, const stz_glass *glass) {
  const int64_t sites = stz_grid_local_sites(stz_glass_grid(glass));
  float *entries = NULL;
  STZ_TRY(stz_agree(stz_grid_comm(stz_glass_grid(glass)), STZ_NEW(entries, sites)));
  for (int64_t i = 0; i < sites; i++) entries[i] = (float)stz_glass_rotation(glass)[i];
  const stz_err err = stz_result_field(r, "/modes", &modes_random[0], entries);
  stz_free(entries);
  return err;
}

static stz_err write_modes(stz_result *r, const stz_glass *glass) {
  const stz_modes *modes = stz_glass_modes(glass);
  const int catalogue[2] = {modes->count, 6}, rotations[2] = {modes->rotations, 9};
  double tensors[STZ_MODES][6];
  for (int m = 0; m < modes->count; m++) stz_sym_from_dev(modes->p[m], tensors[m]);
  STZ_TRY(stz_result_values(r, "/modes", &modes_always[CATALOGUE], catalogue, tensors[0]));
  STZ_TRY(stz_result_values(r, "/modes", &modes_always[ROTATIONS], rotations, modes->rotation[0]));
  return modes->rotations > 1 ? write_cells(r, glass) : STZ_OK;
}

stz_err stz_header_begin(stz_result *r, const stz_config *config, const stz_sample *sample, const char *command_line) {
  STZ_TRY(stz_header_provenance(r, config, command_line, stz_grid_ranks(sample->grid)));
  STZ_TRY(write_config(r, config, sample));
  STZ_TRY(write_microstructure(r, sample));
  STZ_TRY(write_modes(r, sample->glass));
  return write_choice(r, config);
}

// --- the end ---

static stz_err write_plastic_strain(stz_result *r, const stz_sample *s) {
  const int64_t sites = stz_grid_local_sites(s->grid);
  float *axial = NULL;
  STZ_TRY(stz_agree(stz_grid_comm(s->grid), STZ_NEW(axial, sites)));
  for (int64_t i = 0; i < sites; i++) axial[i] = (float)stz_observe_axial(s->glass, i);
  const stz_err err = stz_result_field(r, "/microstructure", &fields_end[PLASTIC_STRAIN], axial);
  stz_free(axial);
  return err;
}

// What the engine has done, and how well its bounds have held.
static stz_err write_engine(stz_result *r, const stz_sample *sample) {
  stz_kmc_stats stats;
  stz_kmc_stats_get(sample->kmc, &stats);
  const struct {
    const char *name;
    uint64_t value;
  } counts[] = {{"events", stats.events}, {"passes", stats.passes},         {"refreshes", stats.refreshes},
                {"folds", stats.folds},   {"violations", stats.violations}, {"candidates", stats.candidates},
                {"bounds", stats.bounds}, {"squeezed", stats.squeezed}};
  const size_t own = stz_kmc_divides_freely(sample->kmc) ? 3 : 0; // the last ones, which say how the work was done
  for (size_t i = 0; i < sizeof counts / sizeof *counts - own; i++) {
    STZ_TRY(stz_result_uint(r, "/engine", counts[i].name, counts[i].value));
  }
  return stz_result_double(r, "/engine", "missed", stats.missed);
}

stz_err stz_header_end(stz_result *r, const stz_sample *sample) {
  char hash[24];
  snprintf(hash, sizeof hash, "%016llx", (unsigned long long)stz_sample_hash(sample));
  STZ_TRY(stz_result_field(r, "/microstructure", &fields_end[BARRIER], stz_glass_barrier(sample->glass)));
  STZ_TRY(write_plastic_strain(r, sample));
  STZ_TRY(write_engine(r, sample));
  STZ_TRY(stz_result_text(r, "/", "state_hash", hash));
  STZ_TRY(stz_result_int(r, "/", "complete", 1));
  stz_log(STZ_LOG_INFO, "state_hash %s", hash);
  return STZ_OK;
}
