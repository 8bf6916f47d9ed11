// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/record.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/comm.h"
#include "base/log.h"
#include "base/memory.h"
#include "sim/header.h"
#include "sim/output.h"

// Each observer that the run has and that does `what`: stz_observers[o], with its state.
#define FOR_OBSERVERS(record, what)                                                                                    \
  for (int o = 0; o < STZ_OBSERVER_COUNT; o++)                                                                         \
    if ((record)->observers[o] && stz_observers[o]->what)

stz_err stz_recorder_prepare(stz_recorder *record, const stz_config *config, const char *output, stz_sample *sample) {
  *record = (stz_recorder){.sample = sample};
  STZ_TRY(stz_agree(stz_grid_comm(sample->grid), stz_output_path(output, "", &record->stem)));
  record->view = (stz_view){.config = config,
                            .grid = sample->grid,
                            .elastic = sample->elastic,
                            .glass = sample->glass,
                            .load = sample->load,
                            .kmc = sample->kmc,
                            .stem = record->stem};
  for (int o = 0; o < STZ_OBSERVER_COUNT; o++) {
    const stz_observer *observer = stz_observers[o];
    if (observer->applies && !observer->applies(config)) continue;
    STZ_TRY(observer->create(&record->view, &record->observers[o]));
  }
  return STZ_OK;
}

static stz_err open_observers(stz_recorder *record) {
  FOR_OBSERVERS(record, open) STZ_TRY(stz_observers[o]->open(record->observers[o]));
  return STZ_OK;
}

static stz_err write_start(stz_recorder *record, const char *command_line) {
  STZ_TRY(stz_header_begin(record->view.result, record->view.config, record->sample, command_line));
  STZ_TRY(open_observers(record));
  return stz_result_flush(record->view.result);
}

stz_err stz_recorder_begin(stz_recorder *record, const stz_config *config, const stz_run_options *options,
                           stz_sample *sample) {
  STZ_TRY(stz_recorder_prepare(record, config, options->output, sample));
  STZ_TRY(stz_result_create(sample->grid, options->output, options->force, &record->view.result));
  const stz_err err = write_start(record, options->command_line);
  if (err != STZ_OK) stz_recorder_abandon(record);
  return err;
}

stz_err stz_recorder_reopen(stz_recorder *record, const char *output) {
  STZ_TRY(stz_result_reopen(record->view.grid, output, &record->view.result));
  const stz_err err = open_observers(record);
  if (err != STZ_OK) stz_recorder_abandon(record);
  return err;
}

// --- what happens ---

void stz_recorder_before(stz_recorder *record, const stz_event *event) {
  const stz_view *view = &record->view;
  const int64_t local = stz_grid_local(view->grid, event->shear.site);
  record->happening.event = event;
  stz_load_state(view->load, &record->happening.before);
  if (local >= 0) stz_kmc_site_stress(view->kmc, local, record->happening.internal);
  FOR_OBSERVERS(record, before_event) stz_observers[o]->before_event(record->observers[o], &record->happening);
}

stz_err stz_recorder_event(stz_recorder *record, const stz_event *event, const double strain[6],
                           const double plastic[6]) {
  stz_happening *happening = &record->happening;
  happening->event = event;
  memcpy(happening->strain, strain, sizeof happening->strain);
  memcpy(happening->plastic, plastic, sizeof happening->plastic);
  stz_load_state(record->view.load, &happening->after);
  FOR_OBSERVERS(record, event) STZ_TRY(stz_observers[o]->event(record->observers[o], happening));
  return STZ_OK;
}

stz_err stz_recorder_reshape(stz_recorder *record, bool done) {
  FOR_OBSERVERS(record, reshape) STZ_TRY(stz_observers[o]->reshape(record->observers[o], done));
  return STZ_OK;
}

// The observer that is due first, at *due; -1 if none is.
static int first_due(const stz_recorder *record, const stz_span *span, double *due) {
  int first = -1;
  *due = INFINITY;
  FOR_OBSERVERS(record, next_due) {
    const double time = stz_observers[o]->next_due(record->observers[o], span);
    if (!(time < *due)) continue;
    *due = time;
    first = o;
  }
  return first;
}

stz_err stz_recorder_until(stz_recorder *record, double t, bool *left_off) {
  stz_span span;
  double due;
  *left_off = false;
  stz_load_state(record->view.load, &span.now);
  stz_load_state_at(record->view.load, t, &span.then);
  for (int o; (o = first_due(record, &span, &due)) >= 0;) {
    const stz_err err = stz_observers[o]->take(record->observers[o], &span, due);
    if (err != STZ_OK && err != STZ_ESTOPPED) return err;
    const bool asked = record->leaves_off && record->leaves_off(record->context);
    *left_off = asked || err == STZ_ESTOPPED;
    if (*left_off) break;
  }
  return STZ_OK;
}

double stz_recorder_due(const stz_recorder *record, const stz_load *load, double t) {
  stz_span span;
  double due;
  stz_load_state(load, &span.now);
  stz_load_state_at(load, t, &span.then);
  (void)first_due(record, &span, &due);
  return due;
}

stz_err stz_recorder_segment_begins(stz_recorder *record) {
  stz_result *r = record->view.result;
  stz_macro macro;
  char group[40];
  stz_load_state(record->view.load, &macro);
  const stz_segment *segment = &record->view.config->protocol[macro.segment];
  record->segment = macro.segment;
  record->segment_events = stz_view_events(&record->view);
  record->pace = stz_pace_begin(record->sample);
  record->step = (stz_step){.found = true}; // what is due at time 0
  snprintf(group, sizeof group, "/protocol/segment_%02d", macro.segment);
  STZ_TRY(stz_result_text(r, group, "type", stz_segment_name(segment->type)));
  STZ_TRY(stz_result_double(r, group, "temperature_K", segment->temperature_K));
  STZ_TRY(stz_result_double(r, group, "begin_s", macro.begin_s));
  STZ_TRY(stz_result_double(r, group, "clock_zero_s", macro.begin_s + macro.clock_zero_s));
  STZ_TRY(stz_result_double(r, group, "segment_clock_zero_s", macro.clock_zero_s));
  STZ_TRY(stz_result_double(r, group, "end_s", NAN));
  STZ_TRY(stz_result_double(r, group, "duration_s", NAN));
  FOR_OBSERVERS(record, segment_begins) STZ_TRY(stz_observers[o]->segment_begins(record->observers[o], &macro));
  return STZ_OK;
}

stz_err stz_recorder_segment_ends(stz_recorder *record) {
  stz_result *r = record->view.result;
  stz_macro macro;
  char group[40];
  stz_load_state(record->view.load, &macro);
  FOR_OBSERVERS(record, segment_ends) STZ_TRY(stz_observers[o]->segment_ends(record->observers[o], &macro));
  snprintf(group, sizeof group, "/protocol/segment_%02d", macro.segment);
  STZ_TRY(stz_result_double(r, group, "end_s", macro.run_time_s));
  STZ_TRY(stz_result_double(r, group, "duration_s", macro.time_s));
  STZ_TRY(stz_result_uint(r, group, "events", stz_view_events(&record->view) - record->segment_events));
  return stz_result_flush(r);
}

// --- checkpoints: the record's own, then each observer's bytes behind their number ---

typedef struct saved_record {
  uint64_t segment_events;
  double step_until_s, event_s;
  stz_shear shear;
  stz_pace pace;
  int segment, step_found, step_happens, step_ends;
} saved_record;

size_t stz_recorder_saved_bytes(const stz_recorder *record) {
  size_t bytes = sizeof(saved_record);
  FOR_OBSERVERS(record, save) bytes += sizeof(uint64_t) + stz_observers[o]->saved_bytes(record->observers[o]);
  return bytes;
}

void stz_recorder_save(const stz_recorder *record, void *saved) {
  const stz_step *step = &record->step;
  char *to = saved;
  saved_record own;
  memset(&own, 0, sizeof own);
  own.segment_events = record->segment_events;
  own.pace = record->pace;
  own.segment = record->segment;
  own.step_found = step->found;
  own.step_happens = step->happens;
  own.step_ends = step->ends;
  own.step_until_s = step->until;
  own.event_s = step->event.time_s;
  own.shear = step->event.shear;
  memcpy(to, &own, sizeof own);
  to += sizeof own;
  FOR_OBSERVERS(record, save) {
    const uint64_t bytes = stz_observers[o]->saved_bytes(record->observers[o]);
    memcpy(to, &bytes, sizeof bytes);
    stz_observers[o]->save(record->observers[o], to + sizeof bytes);
    to += sizeof bytes + bytes;
  }
}

static void restore_own(stz_recorder *record, const saved_record *own) {
  record->segment_events = own->segment_events;
  record->pace = own->pace;
  record->segment = own->segment;
  record->step = (stz_step){.found = own->step_found != 0,
                            .happens = own->step_happens != 0,
                            .ends = own->step_ends != 0,
                            .until = own->step_until_s,
                            .event = {.time_s = own->event_s, .shear = own->shear}};
}

stz_err stz_recorder_restore(stz_recorder *record, const void *saved, size_t bytes) {
  const MPI_Comm comm = stz_grid_comm(record->view.grid);
  const char *from = saved, *const end = from + bytes;
  saved_record own = {.segment = -1};
  if (bytes >= sizeof own) memcpy(&own, from, sizeof own);
  if (own.segment < 0 || own.segment >= record->view.config->segments) return stz_observer_foreign("the record", bytes);
  restore_own(record, &own);
  from += sizeof own;
  FOR_OBSERVERS(record, restore) {
    uint64_t its = UINT64_MAX;
    if (end - from >= (ptrdiff_t)sizeof its) memcpy(&its, from, sizeof its);
    if (its > (uint64_t)(end - from) - sizeof its) return stz_observer_foreign(stz_observers[o]->name, bytes);
    STZ_TRY(stz_agree(comm, stz_observers[o]->restore(record->observers[o], from + sizeof its, its)));
    from += sizeof its + its;
  }
  return from == end ? STZ_OK : stz_observer_foreign("the record", bytes);
}

// --- the end ---

// Events that come in pairs, there and back, cost time and move nothing: at worst two of each reversal.
static void warn_of_flicker(const stz_recorder *record) {
  enum { FEW = 100 };
  const uint64_t events = stz_view_events(&record->view), reversals = stz_glass_reversals(record->view.glass);
  if (events < FEW || 4 * reversals <= events) return;
  stz_log(STZ_LOG_WARNING, "%.0f %% of all events undid the event before at their site: the sample flickers",
          100.0 * (double)reversals / (double)events);
}

static stz_err write_end(stz_recorder *record) {
  FOR_OBSERVERS(record, finish) STZ_TRY(stz_observers[o]->finish(record->observers[o]));
  return stz_header_end(record->view.result, record->sample);
}

stz_err stz_recorder_finish(stz_recorder *record) {
  warn_of_flicker(record);
  const stz_err err = write_end(record);
  if (err != STZ_OK) {
    stz_recorder_abandon(record);
    return err;
  }
  return stz_result_close(&record->view.result);
}

void stz_recorder_abandon(stz_recorder *record) { stz_result_abandon(&record->view.result); }

void stz_recorder_clear(stz_recorder *record) {
  for (int o = 0; o < STZ_OBSERVER_COUNT; o++) {
    if (record->observers[o]) stz_observers[o]->destroy(record->observers[o]);
    record->observers[o] = NULL;
  }
  stz_free(record->stem);
  record->stem = NULL;
}
