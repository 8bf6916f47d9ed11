// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/record.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/build.h"
#include "base/comm.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/tensor.h"
#include "base/units.h"
#include "observe/nbed.h"
#include "sim/level.h"
#include "sim/shears.h"
#include "sim/statistics.h"

stz_err stz_record_provenance(stz_result *r, const stz_config *config, const char *command_line, int ranks) {
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
  STZ_TRY(stz_result_text_dataset(r, "/config/input", "the input file as given", config->input_text));
  STZ_TRY(stz_result_text_dataset(r, "/config/resolved", "every key with its value", config->resolved_text));
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
  const stz_micro_measures *m = &sample->micro;
  STZ_TRY(stz_result_field(r, "/microstructure/composition", "1", "Ni atomic fraction",
                           stz_glass_composition(sample->glass)));
  STZ_TRY(stz_result_field(r, "/microstructure/barrier_initial_eV", "eV", "barriers at the start",
                           stz_glass_barrier(sample->glass)));
  STZ_TRY(stz_result_double(r, "/microstructure", "nickel_fraction", m->nickel_fraction));
  STZ_TRY(stz_result_double(r, "/microstructure", "length_spectrum_nm", m->length_spectrum_nm));
  STZ_TRY(stz_result_double(r, "/microstructure", "length_correlation_nm", m->length_correlation_nm));
  STZ_TRY(stz_result_double(r, "/microstructure", "interface_area_per_nm", m->interface_per_nm));
  STZ_TRY(stz_result_int(r, "/microstructure", "percolates_rich", m->percolates_rich));
  double rms;
  STZ_TRY(stz_kmc_stress_rms(sample->kmc, &rms));
  if (rms > 0.0) stz_log(STZ_LOG_INFO, "quenched-in stress: rms %.4g GPa (norm of the deviator)", rms / STZ_GPA);
  STZ_TRY(stz_result_double(r, "/microstructure", "internal_stress_rms_GPa", rms / STZ_GPA));
  return stz_result_int(r, "/microstructure", "percolates_poor", m->percolates_poor);
}

// A row of /events; stz_record_event fills it.
enum { EVENT_COLUMNS = 9, EVENT_WIDTH = 11 };
static const stz_column event_columns[EVENT_COLUMNS] = {
    {"time_s", "s", "time since the start of the run", 1, STZ_COLUMN_DOUBLE},
    {"segment_time_s", "s", "time since the start of the segment", 1, STZ_COLUMN_DOUBLE},
    {"segment", "1", "index of the segment", 1, STZ_COLUMN_INT16},
    {"site", "1", "voxel x y z on which the event is centred, counted from 0", 3, STZ_COLUMN_INT16},
    {"mode", "1", "shear mode, 0 to 14, in the axes of its orientation cell", 1, STZ_COLUMN_INT8},
    {"sign", "1", "+1 or -1", 1, STZ_COLUMN_INT8},
    {"rotation", "1", "orientation at the event: entry of /modes/rotations", 1, STZ_COLUMN_INT16},
    {"plastic_strain_axial", "1", "what it adds to the mean plastic strain, xx", 1, STZ_COLUMN_FLOAT},
    {"stress_axial_GPa", "GPa", "mean stress just before, xx", 1, STZ_COLUMN_FLOAT},
};

// A row of /avalanches; write_avalanches fills it.
enum { AVALANCHE_COLUMNS = 11, AVALANCHE_WIDTH = 13 };
static const stz_column avalanche_columns[AVALANCHE_COLUMNS] = {
    {"begin_s", "s", "time of its first event", 1, STZ_COLUMN_DOUBLE},
    {"segment_begin_s", "s", "time of its first event since the start of the segment", 1, STZ_COLUMN_DOUBLE},
    {"segment", "1", "index of the segment in which it begins", 1, STZ_COLUMN_INT16},
    {"duration_s", "s", "time from its first to its last event", 1, STZ_COLUMN_DOUBLE},
    {"size", "1", "number of its events", 1, STZ_COLUMN_INT32},
    {"strain", "1", "total strain before it, of the component that the load drives", 1, STZ_COLUMN_FLOAT},
    {"plastic_strain", "1", "what it adds to the mean plastic strain of that component", 1, STZ_COLUMN_FLOAT},
    {"stress_drop_GPa", "GPa", "what its events take off the mean stress of that component", 1, STZ_COLUMN_FLOAT},
    {"gyration_radius_nm", "nm", "rms distance of its events from their centre", 1, STZ_COLUMN_FLOAT},
    {"centre_nm", "nm", "that centre in the box, x y z", 3, STZ_COLUMN_FLOAT},
    {"whole", "1", "1: over; 0: the run ended before", 1, STZ_COLUMN_INT8},
};

static void fill_columns(stz_column columns[STZ_HISTORY_COLUMNS]) {
  for (int i = 0; i < STZ_HISTORY_COLUMNS; i++) {
    const stz_history_column *c = &stz_history_columns[i];
    columns[i] = (stz_column){c->name, c->unit, c->description, c->width, STZ_COLUMN_DOUBLE};
  }
}

static stz_err declare_tables(stz_record *record) {
  stz_column columns[STZ_HISTORY_COLUMNS];
  fill_columns(columns);
  STZ_TRY(stz_result_columns(record->result, STZ_TABLE_HISTORY, columns, STZ_HISTORY_COLUMNS));
  if (record->config->events) {
    STZ_TRY(stz_result_columns(record->result, STZ_TABLE_EVENTS, event_columns, EVENT_COLUMNS));
  }
  if (!record->avalanches) return STZ_OK;
  return stz_result_columns(record->result, STZ_TABLE_AVALANCHES, avalanche_columns, AVALANCHE_COLUMNS);
}

static stz_err write_start(stz_record *record, const stz_run_options *options) {
  stz_result *r = record->result;
  STZ_TRY(stz_record_provenance(r, record->config, options->command_line, stz_grid_ranks(record->sample->grid)));
  STZ_TRY(write_config(r, record->config, record->sample));
  STZ_TRY(write_microstructure(r, record->sample));
  STZ_TRY(stz_shears_write(r, record->sample->glass));
  STZ_TRY(write_choice(r, record->config));
  STZ_TRY(declare_tables(record));
  if (record->avalanches) {
    STZ_TRY(stz_result_double(r, "/avalanches", "window", record->config->avalanche.window));
    STZ_TRY(stz_result_double(r, "/avalanches", "reach_nm", record->config->avalanche.reach_nm));
  }
  return stz_result_flush(r);
}

stz_err stz_record_prepare(stz_record *record, const stz_config *config, const char *output, stz_sample *sample) {
  *record = (stz_record){.config = config, .sample = sample};
  STZ_TRY(stz_agree(stz_grid_comm(sample->grid), stz_snapshots_begin(config, output, &record->snapshots)));
  STZ_TRY(stz_energy_create(sample->grid, sample->elastic, sample->kmc, &record->energy));
  STZ_TRY(stz_history_tally(sample->glass, &record->tally));
  return config->avalanches ? stz_avalanches_create(sample->grid, &config->avalanche, &record->avalanches) : STZ_OK;
}

stz_err stz_record_begin(stz_record *record, const stz_config *config, const stz_run_options *options,
                         stz_sample *sample) {
  STZ_TRY(stz_record_prepare(record, config, options->output, sample));
  if (!options->force) STZ_TRY(stz_snapshots_vacant(&record->snapshots, sample->grid));
  STZ_TRY(stz_result_create(sample->grid, options->output, options->force, &record->result));
  const stz_err err = write_start(record, options);
  if (err != STZ_OK) stz_record_abandon(record);
  return err;
}

stz_err stz_record_reopen(stz_record *record, const char *output) {
  STZ_TRY(stz_result_reopen(record->sample->grid, output, &record->result));
  const stz_err err = declare_tables(record);
  if (err != STZ_OK) stz_record_abandon(record);
  return err;
}

void stz_record_before(stz_record *record, const stz_event *event) {
  const int64_t local = stz_grid_local(record->sample->grid, event->shear.site);
  stz_load_state(record->sample->load, &record->before);
  if (local >= 0) stz_kmc_site_stress(record->sample->kmc, local, record->internal);
  stz_tally_before(record->tally, event->shear.site);
}

static stz_err write_event(stz_record *record, const stz_event *event, const double strain[6]) {
  const stz_grid *grid = record->sample->grid;
  const double share = stz_grid_share(grid, stz_glass_stz(record->sample->glass)->volume_nm3);
  int xyz[3];
  stz_grid_coords(grid, event->shear.site, xyz);
  const double row[EVENT_WIDTH] = {record->before.run_time_s,
                                   event->time_s,
                                   record->before.segment,
                                   xyz[0],
                                   xyz[1],
                                   xyz[2],
                                   event->shear.mode,
                                   event->shear.sign,
                                   event->shear.rotation,
                                   strain[STZ_XX] * share,
                                   record->before.stress[STZ_XX] / STZ_GPA};
  return stz_result_append(record->result, STZ_TABLE_EVENTS, row);
}

// Writes the avalanches that are over before `time_s`.
static stz_err write_avalanches(stz_record *record, double time_s, bool whole) {
  const stz_avalanche *list;
  const int count = stz_avalanches_over(record->avalanches, time_s, &list);
  for (const stz_avalanche *a = list; a < list + count; a++) {
    double row[AVALANCHE_WIDTH] = {a->run_begin_s,         a->segment_begin_s,       (double)a->segment,
                                   a->last_s - a->begin_s, (double)a->events,        a->strain,
                                   a->plastic_strain,      a->stress_drop / STZ_GPA, stz_avalanche_radius(a)};
    stz_avalanche_centre(record->sample->grid, a, row + 9);
    row[12] = whole;
    STZ_TRY(stz_result_append(record->result, STZ_TABLE_AVALANCHES, row));
  }
  return STZ_OK;
}

static stz_err add_to_avalanches(stz_record *record, const stz_event *event, const double strain[6],
                                 const stz_macro *after) {
  const double share = stz_grid_share(record->sample->grid, stz_glass_stz(record->sample->glass)->volume_nm3);
  const int driven = record->before.component;
  const stz_avalanche_event added = {.time_s = event->time_s,
                                     .run_time_s = after->run_time_s,
                                     .segment = after->segment,
                                     .site = event->shear.site,
                                     .strain = record->before.strain[driven],
                                     .plastic_strain = strain[driven] * share,
                                     .stress_drop = record->before.stress[driven] - after->stress[driven]};
  STZ_TRY(write_avalanches(record, event->time_s, true));
  return stz_avalanches_add(record->avalanches, &added);
}

stz_err stz_record_event(stz_record *record, const stz_event *event, const double strain[6]) {
  stz_macro after;
  stz_load_state(record->sample->load, &after);
  stz_energy_move(record->energy, record->before.stress, record->before.strain);
  stz_energy_event(record->energy, event->shear.site, strain, record->internal, after.stress, after.strain);
  stz_tally_after(record->tally, event->shear.site);
  if (record->config->events) STZ_TRY(write_event(record, event, strain));
  return record->avalanches ? add_to_avalanches(record, event, strain, &after) : STZ_OK;
}

static uint64_t events_so_far(const stz_record *record) {
  stz_kmc_stats stats;
  stz_kmc_stats_get(record->sample->kmc, &stats);
  return stats.events;
}

// The energy of the internal stress from the fields. The engine's stress must be up to date, as after a row.
static stz_err anchor_energy(stz_record *record) {
  double internal;
  STZ_TRY(stz_energy_internal(record->sample->glass, record->sample->kmc, &internal));
  stz_energy_anchor(record->energy, internal);
  return STZ_OK;
}

// One row at time t, no event lying between now and then. `anchored`: with the energy of the internal stress from the
// fields.
static stz_err take_row(stz_record *record, double t, bool anchored) {
  const stz_sample *s = record->sample;
  const uint64_t events = events_so_far(record);
  stz_macro macro;
  stz_load_state_at(s->load, t, &macro);
  stz_history_state state = {.time_s = macro.run_time_s,
                             .segment_time_s = t,
                             .temperature_K = macro.temperature_K,
                             .segment = macro.segment,
                             .events = events};
  memcpy(state.strain, macro.strain, sizeof state.strain);
  memcpy(state.stress, macro.stress, sizeof state.stress);
  memcpy(state.plastic, macro.plastic, sizeof state.plastic);
  stz_mean_stress mean = {.t0 = t, .temperature_K = macro.temperature_K};
  memcpy(mean.stress, macro.stress, sizeof mean.stress);
  stz_kmc_rates(s->kmc, &mean, &state.total_rate_per_s, &state.plastic_rate_per_s); // and the stress is up to date
  if (!record->begun || events != record->looked) record->look = stz_history_look(s->glass, record->tally, events);
  record->looked = events;
  if (anchored) STZ_TRY(anchor_energy(record));
  stz_energy_so_far(record->energy, macro.stress, macro.strain, &state.work, &state.heat, &state.internal_energy);
  state.mean_energy = stz_energy_of_mean(record->energy, macro.stress);
  double row[STZ_HISTORY_WIDTH];
  stz_history_row(&state, &record->look, row);
  STZ_TRY(stz_result_row(record->result, row));
  if (record->begun) {
    stz_history_taken(&record->schedule, t, macro.strain[macro.component]);
  } else {
    record->schedule = stz_history_begin(&record->config->history, t, macro.strain[macro.component]);
  }
  record->begun = true;
  return STZ_OK;
}

static stz_err take_level(stz_record *record, const stz_moment *at) {
  stz_nbed *nbed;
  const stz_nbed_sample sample = stz_nbed_sample_of(record->sample->glass);
  const stz_nbed_params *params = &record->config->nbed;
  STZ_TRY(stz_stage(stz_grid_comm(record->sample->grid), "scanning the foils"));
  STZ_TRY(stz_nbed_create(&sample, params, record->config->seed, (uint64_t)record->level, &nbed));
  stz_log(STZ_LOG_INFO, "NBED at strain %.4g: %.3f of %d patterns with Bragg reflections", at->strain, nbed->bragg_mean,
          nbed->scans * STZ_NBED_PATTERNS);
  stz_err err = stz_level_write(record->result, record->level, nbed, params, at);
  if (err == STZ_OK) err = stz_result_flush(record->result);
  stz_nbed_destroy(&nbed);
  record->level++;
  return err;
}

// The strain of the statistics that are next; INFINITY if there are none.
static double next_statistics(const stz_record *record) {
  const stz_config *config = record->config;
  const stz_levels *levels = config->statistics_strains.count > 0 ? &config->statistics_strains : &config->nbed_strains;
  return record->statistics < levels->count ? levels->values[record->statistics] : INFINITY;
}

static bool leaves_off(const stz_record *record) { return record->leaves_off && record->leaves_off(record->context); }

// Takes the NBED levels, snapshots and statistics due up to the time `until`, with its strain `end`, from the state
// `now` on, one after the other until it is to leave off.
static stz_err take_levels(stz_record *record, const stz_macro *now, double until, double end, bool *left_off) {
  const stz_levels *nbed = &record->config->nbed_strains;
  const double strain = now->strain[STZ_XX], rate = until > now->time_s ? (end - strain) / (until - now->time_s) : 0.0;
  for (;;) {
    const double scans = record->level < nbed->count ? nbed->values[record->level] : INFINITY;
    const double snapshot = stz_snapshots_next(&record->snapshots), statistics = next_statistics(record);
    const double level = fmin(scans, fmin(snapshot, statistics));
    if (!(fmax(strain, end) >= level)) return STZ_OK;
    stz_macro at = *now;
    if (strain < level) {
      stz_load_state_at(record->sample->load, now->time_s + (level - strain) / rate, &at);
      at.strain[STZ_XX] = level; // free of rounding
    }
    const stz_moment moment = stz_sample_moment(&at);
    stz_err err;
    if (level == scans) {
      err = take_level(record, &moment);
    } else if (level == snapshot) {
      err = stz_snapshots_take(&record->snapshots, record->sample, &at);
    } else {
      err = stz_statistics_take(record->result, record->sample, &at, record->statistics);
      record->statistics += err == STZ_OK;
    }
    if (err != STZ_OK && err != STZ_ESTOPPED) return err;
    *left_off = leaves_off(record) || err == STZ_ESTOPPED; // what is not finished is taken again
    if (*left_off) return STZ_OK;
  }
}

stz_err stz_record_until(stz_record *record, double t, bool *left_off) {
  stz_macro now, then;
  *left_off = false;
  stz_load_state(record->sample->load, &now);
  stz_load_state_at(record->sample->load, t, &then);
  const int driven = now.component;
  const double span = t > now.time_s ? t - now.time_s : INFINITY, moving = now.strain[driven];
  const double driven_rate = (then.strain[driven] - moving) / span;
  STZ_TRY(take_levels(record, &now, t, then.strain[STZ_XX], left_off));
  if (*left_off) return STZ_OK;
  for (double at = fmax(now.time_s, record->schedule.last_time_s);;) { // where it left off, if it did
    at = stz_history_next(&record->schedule, at, moving + driven_rate * (at - now.time_s), driven_rate,
                          now.clock_zero_s, t);
    if (!(at <= t)) return STZ_OK;
    STZ_TRY(take_row(record, at, false));
    *left_off = leaves_off(record);
    if (*left_off) return STZ_OK;
  }
}

stz_err stz_record_segment_begins(stz_record *record) {
  stz_macro macro;
  char group[40];
  stz_load_state(record->sample->load, &macro);
  const stz_segment *segment = &record->config->protocol[macro.segment];
  if (record->avalanches && record->begun) stz_avalanches_new_clock(record->avalanches, record->schedule.last_time_s);
  record->segment = macro.segment;
  record->segment_events = events_so_far(record);
  record->pace = stz_pace_begin(record->sample);
  record->step = (stz_step){.found = true}; // rows and levels at time 0
  snprintf(group, sizeof group, "/protocol/segment_%02d", macro.segment);
  STZ_TRY(stz_result_text(record->result, group, "type", stz_segment_name(segment->type)));
  STZ_TRY(stz_result_double(record->result, group, "temperature_K", segment->temperature_K));
  STZ_TRY(stz_result_double(record->result, group, "begin_s", macro.begin_s));
  STZ_TRY(stz_result_double(record->result, group, "clock_zero_s", macro.begin_s + macro.clock_zero_s));
  STZ_TRY(stz_result_double(record->result, group, "segment_clock_zero_s", macro.clock_zero_s));
  STZ_TRY(stz_result_double(record->result, group, "end_s", NAN));
  STZ_TRY(stz_result_double(record->result, group, "duration_s", NAN));
  return take_row(record, macro.time_s, true);
}

stz_err stz_record_segment_ends(stz_record *record) {
  stz_macro macro;
  char group[40];
  stz_load_state(record->sample->load, &macro);
  snprintf(group, sizeof group, "/protocol/segment_%02d", macro.segment);
  if (macro.time_s > record->schedule.last_time_s) STZ_TRY(take_row(record, macro.time_s, true));
  STZ_TRY(stz_result_double(record->result, group, "end_s", macro.run_time_s));
  STZ_TRY(stz_result_double(record->result, group, "duration_s", macro.time_s));
  STZ_TRY(stz_result_uint(record->result, group, "events", events_so_far(record) - record->segment_events));
  return stz_result_flush(record->result);
}

static stz_err write_plastic_strain(stz_record *record) {
  const stz_sample *s = record->sample;
  const int64_t sites = stz_grid_local_sites(s->grid);
  float *axial = NULL;
  STZ_TRY(stz_agree(stz_grid_comm(s->grid), STZ_NEW(axial, sites)));
  for (int64_t i = 0; i < sites; i++) axial[i] = (float)stz_sample_axial(s, i);
  const stz_err err = stz_result_field(record->result, "/microstructure/plastic_strain_axial", "1",
                                       "sum of gamma0 P_xx Omega/a^3 over the events centred on the voxel", axial);
  stz_free(axial);
  return err;
}

// Events that come in pairs, there and back, cost time and move nothing: at worst two of each reversal.
static void warn_of_flicker(const stz_record *record) {
  enum { FEW = 100 };
  const uint64_t events = events_so_far(record), reversals = stz_glass_reversals(record->sample->glass);
  if (events < FEW || 4 * reversals <= events) return;
  stz_log(STZ_LOG_WARNING, "%.0f %% of all events undid the event before at their site: the sample flickers",
          100.0 * (double)reversals / (double)events);
}

// Those that the end of the run leaves open, too.
static stz_err write_last_avalanches(stz_record *record) {
  stz_macro macro;
  stz_load_state(record->sample->load, &macro);
  STZ_TRY(write_avalanches(record, macro.time_s, true));
  return write_avalanches(record, INFINITY, false);
}

// What the engine has done, and how well its bounds have held.
static stz_err write_engine(stz_record *record) {
  stz_result *r = record->result;
  stz_kmc_stats stats;
  stz_kmc_stats_get(record->sample->kmc, &stats);
  const struct {
    const char *name;
    uint64_t value;
  } counts[] = {{"events", stats.events},       {"candidates", stats.candidates}, {"passes", stats.passes},
                {"refreshes", stats.refreshes}, {"folds", stats.folds},           {"bounds", stats.bounds},
                {"squeezed", stats.squeezed},   {"violations", stats.violations}};
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
    STZ_TRY(stz_result_uint(r, "/engine", counts[i].name, counts[i].value));
  }
  return stz_result_double(r, "/engine", "missed", stats.missed);
}

stz_err stz_record_finish(stz_record *record) {
  char hash[24];
  warn_of_flicker(record);
  stz_result *r = record->result;
  snprintf(hash, sizeof hash, "%016llx", (unsigned long long)stz_sample_hash(record->sample));
  stz_err err = stz_result_field(r, "/microstructure/barrier_eV", "eV", "barriers at the end",
                                 stz_glass_barrier(record->sample->glass));
  if (err == STZ_OK) err = write_plastic_strain(record);
  if (err == STZ_OK && record->avalanches) err = write_last_avalanches(record);
  if (err == STZ_OK) err = write_engine(record);
  if (err == STZ_OK) err = stz_result_text(r, "/", "state_hash", hash);
  if (err == STZ_OK) err = stz_result_int(r, "/", "complete", 1);
  if (err != STZ_OK) {
    stz_record_abandon(record);
    return err;
  }
  stz_log(STZ_LOG_INFO, "state_hash %s", hash);
  return stz_result_close(&record->result);
}

void stz_record_abandon(stz_record *record) { stz_result_abandon(&record->result); }

void stz_record_clear(stz_record *record) {
  stz_snapshots_clear(&record->snapshots);
  stz_energy_destroy(&record->energy);
  stz_tally_destroy(&record->tally);
  stz_avalanches_destroy(&record->avalanches);
}
