// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/sim.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/comm.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/tensor.h"
#include "base/units.h"
#include "sim/alone.h"
#include "sim/record.h"
#include "sim/sample.h"
#include "sim/state.h"

// One run: what it works on, and when it last told, checked and saved (wall times, s).
typedef struct run {
  const stz_config *config;
  const stz_run_options *options;
  stz_state_paths paths;
  stz_sample sample;
  stz_record record;
  double begin, told, saved;
  uint64_t events_before; // of this part of the run
  int unchecked;          // passes of the main loop since the ranks last agreed on whether to go on
  bool stopping;
} run;

// How far the running segment has come, by the end condition that is nearest.
static double fraction_of_segment(const stz_segment *segment, const stz_macro *macro, double begin_s) {
  double fraction = 0.0;
  if (isfinite(segment->duration_s)) fraction = (macro->time_s - begin_s) / segment->duration_s;
  if (isfinite(segment->until_strain))
    fraction = fmax(fraction, macro->strain[macro->component] / segment->until_strain);
  if (isfinite(segment->until_stress_GPa)) {
    fraction = fmax(fraction, macro->stress[macro->component] / (segment->until_stress_GPa * STZ_GPA));
  }
  return fmin(1.0, fmax(0.0, fraction));
}

static void report(run *r, bool now) {
  const stz_sample *s = &r->sample;
  const double wall = MPI_Wtime();
  if (!r->options->progress || stz_grid_rank(s->grid) != 0 || (!now && wall < r->told + 1.0)) return;
  stz_macro macro;
  stz_kmc_stats stats;
  stz_load_state(s->load, &macro);
  stz_kmc_stats_get(s->kmc, &stats);
  const stz_segment *segment = &r->config->protocol[macro.segment];
  const double inside = fraction_of_segment(segment, &macro, r->record.segment_begin_s);
  const stz_progress progress = {.time_s = macro.time_s,
                                 .strain = macro.strain[macro.component],
                                 .stress_GPa = macro.stress[macro.component] / STZ_GPA,
                                 .fraction = (macro.segment + inside) / r->config->segments,
                                 .events = stats.events,
                                 .wall_s = wall - r->begin,
                                 .events_per_s =
                                     (double)(stats.events - r->events_before) / fmax(wall - r->begin, 1e-9),
                                 .segment = macro.segment,
                                 .segments = r->config->segments,
                                 .segment_type = stz_segment_name(segment->type)};
  r->options->progress(&progress);
  r->told = wall;
}

// Now and then, all ranks together: saves the state when that is due, or when the run is to stop.
static stz_err keep_safe(run *r) {
  enum { EVERY = 16 };
  if (++r->unchecked < EVERY) return STZ_OK;
  r->unchecked = 0;
  if (r->options->poll) r->options->poll(r->options->context);
  const double wall = MPI_Wtime(), every = r->config->checkpoint_every_wall_s, most = r->options->max_walltime_s;
  const bool leader = stz_grid_rank(r->sample.grid) == 0;
  int wish = 0; // 1: save, 2: save and stop
  if (leader && every > 0.0 && wall - r->saved > every) wish = 1;
  if (leader && most > 0.0 && wall - r->begin > most) wish = 2;
  if (r->options->stop && *r->options->stop) wish = 2;
  if (stz_grid_ranks(r->sample.grid) > 1) {
    MPI_Allreduce(MPI_IN_PLACE, &wish, 1, MPI_INT, MPI_MAX, stz_grid_comm(r->sample.grid));
  }
  if (wish == 0) return STZ_OK;
  STZ_TRY(stz_state_save(&r->paths, &r->record));
  r->saved = MPI_Wtime();
  r->stopping = wish == 2;
  return STZ_OK;
}

// The mean plastic strain grows by an event's strain times its share of the volume.
static void yield(stz_sample *s, const double strain[6]) {
  const double share = stz_grid_share(s->grid, stz_elastic_volume(s->elastic));
  double plastic[6];
  for (int v = 0; v < 6; v++) plastic[v] = strain[v] * share;
  stz_load_yield(s->load, plastic);
}

// THE main loop: from event to event through one segment of the protocol.
static stz_err run_segment(run *r) {
  stz_sample *s = &r->sample;
  for (;;) {
    stz_drive drive;
    stz_event event;
    bool found = false;
    STZ_TRY(keep_safe(r));
    if (r->stopping) return STZ_OK;
    STZ_TRY(stz_load_drive(s->load, &drive));

    stz_mean_stress mean = {
        .t0 = drive.t0, .temperature_K = drive.temperature_K, .temperature_rate = drive.temperature_rate};
    memcpy(mean.stress, drive.stress, sizeof mean.stress);
    memcpy(mean.stress_rate, drive.stress_rate, sizeof mean.stress_rate);
    if (drive.until > drive.t0) STZ_TRY(stz_kmc_next(s->kmc, &mean, drive.until, &event, &found));

    const double next = found ? event.time_s : drive.until;
    if (isinf(next))
      return stz_fail(STZ_EINPUT, "protocol[%d]: never ends, as no event is possible", r->record.segment);
    STZ_TRY(stz_record_until(&r->record, next));
    stz_load_advance(s->load, next);
    report(r, false);
    if (!found) stz_kmc_pass(s->kmc, next);
    if (!found && drive.ends_segment) return STZ_OK;
    if (!found) continue; // a break point of the load

    double strain[6];
    stz_record_before(&r->record, &event);
    stz_kmc_fire(s->kmc, &event, strain);
    yield(s, strain);
    STZ_TRY(stz_record_event(&r->record, &event, strain));
  }
}

// `inside`: the run goes on within a segment.
static stz_err run_protocol(run *r, bool inside) {
  do {
    if (!inside) STZ_TRY(stz_record_segment_begins(&r->record));
    inside = false;
    STZ_TRY(run_segment(r));
    if (r->stopping) return STZ_OK;
    STZ_TRY(stz_record_segment_ends(&r->record));
    report(r, true);
  } while (stz_load_next_segment(r->sample.load));
  return STZ_OK;
}

typedef enum start { START_NEW, START_INSIDE, START_NOT } start;

// What rank 0 finds at the output's path, to restart where there is no checkpoint: nothing or an unfinished result of
// the same input (START_NEW), or a finished one (START_NOT).
static stz_err look_at_output(const run *r, start *how) {
  char *resolved = NULL;
  bool complete = false;
  *how = START_NEW;
  if (access(r->options->output, F_OK) != 0) return STZ_OK;
  STZ_TRY(stz_result_peek(r->options->output, &complete, &resolved));
  const stz_err err = stz_state_same_input(r->options->output, resolved, r->config->resolved_text);
  stz_free(resolved);
  if (complete) *how = START_NOT;
  return err;
}

// Begins the record: anew, or from a checkpoint if the run is to be restarted.
static stz_err begin_record(run *r, start *how) {
  const MPI_Comm comm = stz_grid_comm(r->sample.grid);
  stz_checkpoint *checkpoint = NULL;
  stz_run_options options = *r->options;
  *how = START_NEW;
  if (options.restart) {
    const bool leader = stz_grid_rank(r->sample.grid) == 0;
    STZ_TRY(stz_agree(comm, leader ? look_at_output(r, how) : STZ_OK));
    MPI_Bcast(how, 1, MPI_INT, 0, comm);
    if (*how == START_NOT) {
      stz_log(STZ_LOG_INFO, "%s is finished: nothing to do", options.output);
      return STZ_OK;
    }
    STZ_TRY(stz_state_find(&r->paths, r->sample.grid, r->config, &checkpoint));
    options.force = true; // what may be there is unfinished and of this input
    if (!checkpoint) stz_log(STZ_LOG_INFO, "no checkpoint of %s: starting from the beginning", options.output);
  }
  if (!checkpoint) return stz_record_begin(&r->record, r->config, &options, &r->sample);
  *how = START_INSIDE;
  stz_err err = stz_record_prepare(&r->record, r->config, options.output, &r->sample);
  if (err == STZ_OK) err = stz_state_restore(checkpoint, options.output, &r->record);
  stz_checkpoint_close(&checkpoint);
  return err;
}

static stz_err run_recorded(run *r) {
  start how;
  stz_kmc_stats stats;
  STZ_TRY(begin_record(r, &how));
  if (how == START_NOT) return STZ_OK;
  char engine[STZ_ENGINE_TEXT];
  stz_sim_engine(r->config, engine);
  stz_log(STZ_LOG_INFO, "engine: %s", engine);
  stz_kmc_stats_get(r->sample.kmc, &stats);
  r->events_before = stats.events;
  const stz_err err = run_protocol(r, how == START_INSIDE);
  if (err != STZ_OK || r->stopping) {
    stz_record_abandon(&r->record);
    return err;
  }
  STZ_TRY(stz_record_finish(&r->record));
  stz_state_remove(&r->paths, r->sample.grid);
  return STZ_OK;
}

// On all ranks of `comm` together.
static stz_err carry_out(MPI_Comm comm, const stz_config *config, const stz_run_options *options, bool *stopped_early) {
  const double now = MPI_Wtime();
  run r = {.config = config, .options = options, .begin = now, .saved = now};
  stz_err err = stz_agree(comm, stz_state_paths_of(options->output, &r.paths));
  if (err == STZ_OK) err = stz_sample_create(comm, config, options->cache, &r.sample);
  if (err == STZ_OK) {
    err = run_recorded(&r);
    stz_record_clear(&r.record);
    stz_sample_destroy(&r.sample);
  }
  *stopped_early = r.stopping;
  stz_state_paths_clear(&r.paths);
  return err;
}

void stz_sim_engine(const stz_config *config, char text[STZ_ENGINE_TEXT]) {
  const bool multilevel = config->kmc.engine == STZ_ENGINE_MULTILEVEL;
  const int *cells = config->lattice.cells;
  char reason[STZ_ENGINE_TEXT / 2] = "";
  if (config->engine_auto && !multilevel) {
    snprintf(reason, sizeof reason, ", as multilevel needs %d cells an axis and the box has %d x %d x %d",
             STZ_MULTILEVEL_LEAST, cells[0], cells[1], cells[2]);
  }
  snprintf(text, STZ_ENGINE_TEXT, "%s (%s%s)", multilevel ? "multilevel" : "direct",
           config->engine_auto ? "auto" : "as chosen", reason);
}

stz_err stz_sim_run(MPI_Comm comm, const stz_config *config, const stz_run_options *options, bool *stopped_early) {
  int ranks;
  MPI_Comm_size(comm, &ranks);
  if (ranks == 1 || config->kmc.engine != STZ_ENGINE_MULTILEVEL) {
    return carry_out(comm, config, options, stopped_early);
  }
  return stz_alone_run(comm, carry_out, config, options, stopped_early);
}
