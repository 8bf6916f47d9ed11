// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/sim.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/comm.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/outlive.h"
#include "base/tensor.h"
#include "base/units.h"
#include "observe/snapshots.h"
#include "sim/listen.h"
#include "sim/output.h"
#include "sim/record.h"
#include "sim/replay.h"
#include "sim/sample.h"
#include "sim/single_rank.h"
#include "sim/state.h"

// One run: its modules, and the wall times (s) of the last progress report and checkpoint.
typedef struct run {
  const stz_config *config;
  const stz_run_options *options;
  stz_state_paths paths;
  stz_output *held;
  stz_sample sample;
  stz_recorder record;
  stz_replay *replay; // NULL: the engine does not go ahead
  stz_listener listener;
  double begin, reported;
  uint64_t events_before; // of this part of the run
  bool stopping;
} run;

// Share of the time that is over. What is held goes on by the logarithm of time; rows are as dense from its first
// second on.
static double fraction_of_time(const stz_segment *segment, double time_s) {
  const stz_segment_type type = segment->type;
  const bool held = type == STZ_SEGMENT_RELAXATION || type == STZ_SEGMENT_CREEP || type == STZ_SEGMENT_AGE;
  return held ? log1p(time_s) / log1p(segment->duration_s) : time_s / segment->duration_s;
}

// How far the running segment has come, by the end condition that is nearest.
static double fraction_of_segment(const stz_segment *segment, const stz_macro *macro) {
  double fraction = 0.0;
  if (isfinite(segment->duration_s)) fraction = fraction_of_time(segment, macro->time_s);
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
  if (!r->options->progress || stz_grid_rank(s->grid) != 0 || (!now && wall < r->reported + 1.0)) return;
  stz_macro macro;
  stz_kmc_stats stats;
  stz_load_state(s->load, &macro);
  stz_kmc_stats_get(s->kmc, &stats);
  const stz_segment *segment = &r->config->protocol[macro.segment];
  const double inside = fraction_of_segment(segment, &macro);
  const stz_progress progress = {.time_s = macro.run_time_s,
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
  r->reported = wall;
}

static stz_err save(void *context) {
  run *r = context;
  return stz_state_save(&r->paths, &r->record);
}

// The launcher may kill this process before the checkpoint is whole: a copy of it writes, while this one waits, since
// the copy reads the result file. Of a state that lies on several ranks there is no such copy.
static stz_err save_warned(run *r) {
  STZ_TRY(stz_result_flush(r->record.view.result));
  stz_output_saves(r->held, true);
  const stz_err err = stz_outlive(save, r, r->paths.newest);
  stz_output_saves(r->held, false);
  return err;
}

// Meets a wish that was heard: saves the state, by a copy once a kill was announced, be it in the set-up, and notes
// whether the run is to stop.
static stz_err keep_safe(run *r, stz_wish wish) {
  if (wish == STZ_WISH_NONE) return STZ_OK;
  const bool alone = stz_comm_size(r->listener.comm) == 1, warned = alone && stz_interrupt_warnings() > 0;
  STZ_TRY(warned ? save_warned(r) : save(r));
  stz_listen_saved(&r->listener);
  if (warned) wish = stz_listen(&r->listener); // the state is still the saved one
  r->stopping = wish == STZ_WISH_STOP;
  return STZ_OK;
}

// For the engine's windows, and rows and levels of the record.
static bool leaves_off(void *context) {
  run *r = context;
  report(r, false);
  return stz_listen(&r->listener) != STZ_WISH_NONE;
}

// For the record, which asks after each row.
static bool leaves_off_rows(void *context) {
  run *r = context;
  if (r->record.step.until > 0.0) r->listener.moved = true;
  return leaves_off(context);
}

// The box follows the mean plastic strain along x, y and z; the changes of its angles, which the mirror symmetry of the
// kernel does not allow for, are left out.
static stz_err reshape(run *r) {
  const stz_elastic_params *elastic = &r->config->elastic;
  if (elastic->finite_strain != STZ_FINITE_BOX) return STZ_OK;
  const stz_sample *s = &r->sample;
  const double *shape = stz_elastic_stretched(s->elastic);
  double off = 0.0;
  stz_macro macro;
  stz_load_state(s->load, &macro);
  for (int axis = 0; axis < 3; axis++) off = fmax(off, fabs(macro.plastic[axis] - shape[axis]));
  if (off < elastic->rebuild_strain) return STZ_OK;
  STZ_TRY(stz_recorder_reshape(&r->record, false));
  STZ_TRY(stz_kmc_stretch(s->kmc, macro.plastic)); // its first three components
  stz_log(STZ_LOG_DETAIL, "plastic strain %.4f %.4f %.4f: kernel made again", shape[STZ_XX], shape[STZ_YY],
          shape[STZ_ZZ]);
  return stz_recorder_reshape(&r->record, true);
}

// Finds the next step: an event, a break point of the load, or the end of the segment. None is found if the search is
// left off.
static stz_err find_step(run *r, const stz_drive *drive, const stz_mean_stress *mean) {
  stz_step step = {.ends = drive->ends_segment};
  STZ_TRY(stz_pace_check(&r->record.pace, r->config, &r->sample, drive));
  if (drive->until > drive->t0) STZ_TRY(stz_kmc_next(r->sample.kmc, mean, drive->until, &step.event, &step.happens));
  if (r->listener.wish != STZ_WISH_NONE && !step.happens) return STZ_OK;
  step.until = step.happens ? step.event.time_s : drive->until;
  step.found = true;
  if (isinf(step.until))
    return stz_fail(STZ_EINPUT, "protocol[%d]: never ends, as no event is possible", r->record.segment);
  r->record.step = step;
  return STZ_OK;
}

// Goes to what was found, with the rows on the way, unless the record leaves off.
static stz_err take_step(run *r, const stz_mean_stress *mean, bool *taken) {
  stz_sample *s = &r->sample;
  stz_step *step = &r->record.step;
  bool left_off;
  double strain[6], plastic[6];
  *taken = false;
  stz_kmc_drive(s->kmc, mean);
  STZ_TRY(stz_recorder_until(&r->record, step->until, &left_off));
  if (left_off) return STZ_OK;
  stz_load_advance(s->load, step->until);
  report(r, false);
  *taken = true;
  step->found = false;
  if (step->happens || step->until > mean->t0) r->listener.moved = true;
  if (!step->happens) {
    stz_kmc_advance(s->kmc, step->until);
    return STZ_OK;
  }
  stz_recorder_before(&r->record, &step->event);
  stz_kmc_fire(s->kmc, &step->event, strain);
  stz_replay_plastic(s, step->event.shear.site, strain, plastic);
  stz_load_yield(s->load, plastic);
  STZ_TRY(stz_recorder_event(&r->record, &step->event, strain, plastic));
  return reshape(r);
}

// THE main loop: from event to event through one segment of the protocol.
static stz_err run_segment(run *r) {
  const stz_step *step = &r->record.step;
  for (;;) {
    stz_drive drive;
    bool taken;
    if (!stz_kmc_is_ahead(r->sample.kmc)) STZ_TRY(keep_safe(r, stz_listen_event(&r->listener)));
    if (r->stopping) return STZ_OK;
    STZ_TRY(stz_load_drive(r->sample.load, &drive));
    const stz_mean_stress mean = stz_replay_mean(&drive);
    if (!step->found) STZ_TRY(find_step(r, &drive, &mean));
    if (!step->found) continue;
    STZ_TRY(take_step(r, &mean, &taken));
    if (taken && step->ends && !step->happens) return STZ_OK;
  }
}

// `inside`: the run goes on within a segment.
static stz_err run_protocol(run *r, bool inside) {
  do {
    if (!inside) STZ_TRY(stz_recorder_segment_begins(&r->record));
    inside = false;
    STZ_TRY(run_segment(r));
    if (r->stopping) return STZ_OK;
    STZ_TRY(stz_recorder_segment_ends(&r->record));
    report(r, true);
    stz_kmc_new_clock(r->sample.kmc);
  } while (stz_load_next_segment(r->sample.load));
  return STZ_OK;
}

typedef enum start { START_NEW, START_INSIDE, START_NOT, START_TORN } start;

// What rank 0 finds at the output's path, to restart where there is no checkpoint: nothing or an unfinished result of
// the same input (START_NEW), a finished one (START_NOT), or what cannot be read (START_TORN, with its message).
static stz_err inspect_output(const run *r, start *how) {
  char *resolved = NULL;
  bool complete = false;
  *how = START_NEW;
  if (access(r->options->output, F_OK) != 0) return STZ_OK;
  const stz_err peeked = stz_result_peek(r->options->output, &complete, &resolved);
  if (peeked == STZ_EINTERNAL) return peeked; // memory is out, which says nothing about the file
  if (peeked != STZ_OK) {
    struct stat status;
    *how = START_TORN;
    return stat(r->options->output, &status) == 0 && S_ISREG(status.st_mode) ? STZ_OK : peeked;
  }
  const stz_err err = stz_state_same_input(r->options->output, resolved, r->config->resolved_text);
  stz_free(resolved);
  if (complete) *how = START_NOT;
  return err;
}

// A result that cannot be read makes way for the one that the checkpoint holds; without a checkpoint it is left alone,
// as nobody knows what it is.
static stz_err set_torn_aside(const run *r, stz_checkpoint **checkpoint, const char *unreadable) {
  const bool leader = stz_grid_rank(r->sample.grid) == 0;
  stz_err err = STZ_OK;
  if (leader && !*checkpoint) {
    err = stz_fail(STZ_EIO, "%s; no whole checkpoint to make it again from, --force begins anew", unreadable);
  }
  if (leader && *checkpoint) err = stz_output_set_aside(r->options->output, unreadable);
  err = stz_agree(stz_grid_comm(r->sample.grid), err);
  if (err != STZ_OK) stz_checkpoint_close(checkpoint);
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
    STZ_TRY(stz_agree(comm, leader ? inspect_output(r, how) : STZ_OK));
    int found = (int)*how; // an enum may have any size
    MPI_Bcast(&found, 1, MPI_INT, 0, comm);
    *how = (start)found;
    if (*how == START_NOT) {
      stz_log(STZ_LOG_INFO, "%s is finished: nothing to do", options.output);
      return STZ_OK;
    }
    char unreadable[1024];
    snprintf(unreadable, sizeof unreadable, "%s", stz_error_message());
    STZ_TRY(stz_state_find(&r->paths, r->sample.grid, r->config, *how == START_TORN, &checkpoint));
    if (*how == START_TORN) STZ_TRY(set_torn_aside(r, &checkpoint, unreadable));
    options.force = true; // what may be there is unfinished and of this input
    if (!checkpoint) stz_log(STZ_LOG_INFO, "no checkpoint of %s: starting from the beginning", options.output);
  }
  if (!checkpoint) return stz_recorder_begin(&r->record, r->config, &options, &r->sample);
  *how = START_INSIDE;
  stz_err err = stz_recorder_prepare(&r->record, r->config, options.output, &r->sample);
  if (err == STZ_OK) err = stz_state_restore(checkpoint, options.output, &r->record);
  stz_checkpoint_close(&checkpoint);
  return err;
}

// A chain of jobs with too short a wall time would never come to an end.
static void say_too_short(const run *r) {
  const double most = r->options->max_walltime_s, set_up = r->listener.ready - r->listener.begin;
  if ((r->options->stop && *r->options->stop) || !(most > 0.0) || (r->listener.moved && set_up < most)) return;
  stz_log(STZ_LOG_INFO, "%s in this part, as its set-up took %.3g s: allow far more than --max-walltime %g",
          r->listener.moved ? "few steps were taken" : "no step was taken", set_up, most);
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
  stz_kmc_listen(r->sample.kmc, leaves_off, r);
  r->record.leaves_off = leaves_off_rows;
  r->record.context = r;
  stz_err err = stz_replay_begin(&r->record, r->config, &r->replay);
  if (err == STZ_OK) err = run_protocol(r, how == START_INSIDE);
  if (err != STZ_OK) {
    stz_recorder_abandon(&r->record);
    return err;
  }
  if (r->stopping) say_too_short(r);
  if (r->stopping) return stz_result_close(&r->record.view.result);
  STZ_TRY(stz_recorder_finish(&r->record));
  return stz_state_remove(&r->paths, r->sample.grid);
}

static stz_err hold_output(MPI_Comm comm, const stz_config *config, const stz_run_options *options, stz_output **held) {
  const stz_strain_levels *snapshots = stz_snapshots_levels(config);
  const stz_output_claim claim = {.output = options->output,
                                  .files = config->files,
                                  .checkpoints = true,
                                  .snapshots = snapshots ? snapshots->count : 0,
                                  .vacant = !options->force && !options->restart};
  return stz_output_hold(comm, &claim, held);
}

// On all ranks of `comm` together.
static stz_err carry_out(MPI_Comm comm, const stz_config *config, const stz_run_options *options, bool *stopped_early) {
  const double now = MPI_Wtime();
  run r = {.config = config, .options = options, .begin = now};
  STZ_TRY(stz_sim_check_ranks(config, stz_comm_size(comm)));
  stz_err err = stz_agree(comm, stz_state_paths_of(options->output, &r.paths));
  if (err == STZ_OK) err = hold_output(comm, config, options, &r.held);
  if (err == STZ_OK) err = stz_sample_create(comm, config, options->cache, options->team, &r.sample);
  if (err == STZ_OK) {
    r.listener = stz_listen_begin(stz_grid_comm(r.sample.grid), options, config->checkpoint_every_wall_s);
    r.listener.begin = now;
    err = run_recorded(&r);
    stz_replay_end(&r.replay);
    stz_recorder_clear(&r.record);
    stz_sample_destroy(&r.sample);
  }
  *stopped_early = r.stopping;
  stz_state_paths_clear(&r.paths);
  stz_output_release(&r.held);
  return err;
}

stz_err stz_sim_run(MPI_Comm comm, const stz_config *config, const stz_run_options *options, bool *stopped_early) {
  int ranks;
  MPI_Comm_size(comm, &ranks);
  const int usable = stz_engine_needs_of(config->kmc.engine).ranks;
  if (ranks == 1 || usable != 1) return carry_out(comm, config, options, stopped_early);
  return stz_single_rank_run(comm, carry_out, config, options, stopped_early);
}
