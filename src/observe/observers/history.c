// SPDX-License-Identifier: GPL-3.0-or-later
//
// Rows over time: /history. It keeps the balance of energy from event to event.
#include "observe/history.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/comm.h"
#include "base/memory.h"
#include "observe/energy.h"
#include "observe/observer.h"

// What a checkpoint keeps, beside the balance of energy.
typedef struct kept {
  stz_history_schedule schedule;
  stz_history_sample look; // what the last look at the glass saw, after `looked` events
  uint64_t looked;
  int64_t begun; // 1: a first row is taken
} kept;

typedef struct history {
  const stz_view *view;
  stz_energy *energy;
  stz_tally *tally;
  int table;
  kept kept;
} history;

static stz_err create(const stz_view *view, void **state) {
  history *h = NULL;
  STZ_TRY(stz_agree(stz_grid_comm(view->grid), STZ_NEW(h, 1)));
  h->view = view;
  *state = h;
  STZ_TRY(stz_energy_create(view->grid, view->elastic, view->kmc, &h->energy));
  return stz_history_tally(view->glass, &h->tally);
}

static void destroy(void *state) {
  history *h = state;
  stz_energy_destroy(&h->energy);
  stz_tally_destroy(&h->tally);
  stz_free(h);
}

static stz_err open(void *state) {
  history *h = state;
  return stz_result_table(h->view->result, &stz_history_group, &h->table);
}

// The energy of the internal stress from the fields. The engine's stress must be up to date, as after a row.
static stz_err anchor_energy(history *h) {
  double internal;
  STZ_TRY(stz_energy_internal(h->view->glass, h->view->kmc, &internal));
  stz_energy_anchor(h->energy, internal);
  return STZ_OK;
}

// One row at time t, no event lying between now and then. `anchored`: with the energy of the internal stress from the
// fields.
static stz_err take_row(history *h, double t, bool anchored) {
  const stz_view *view = h->view;
  kept *k = &h->kept;
  const uint64_t events = stz_view_events(view);
  stz_macro macro;
  stz_load_state_at(view->load, t, &macro);
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
  // The stress is up to date after it.
  STZ_TRY(stz_kmc_rates(view->kmc, &mean, &state.total_rate_per_s, &state.plastic_rate_per_s));
  if (!k->begun || events != k->looked) k->look = stz_history_observe(view->glass, h->tally, events);
  k->looked = events;
  if (anchored) STZ_TRY(anchor_energy(h));
  stz_energy_so_far(h->energy, macro.stress, macro.strain, &state.work, &state.heat, &state.internal_energy);
  state.mean_energy = stz_energy_of_mean(h->energy, macro.stress);
  double row[STZ_HISTORY_ROOM];
  const int numbers = stz_history_row(&state, &k->look, row);
  assert(numbers == stz_group_width(&stz_history_group));
  (void)numbers;
  STZ_TRY(stz_result_row(view->result, h->table, row));
  if (k->begun) {
    stz_history_taken(&k->schedule, t, macro.strain[macro.component]);
  } else {
    k->schedule = stz_history_begin(&view->config->history, t, macro.strain[macro.component]);
  }
  k->begun = 1;
  return STZ_OK;
}

static stz_err segment_begins(void *state, const stz_macro *now) { return take_row(state, now->time_s, true); }

static double next_due(const void *state, const stz_span *span) {
  const history *h = state;
  const stz_macro *now = &span->now, *then = &span->then;
  const int driven = now->component;
  const double length = then->time_s > now->time_s ? then->time_s - now->time_s : INFINITY;
  const double strain = now->strain[driven], rate = (then->strain[driven] - strain) / length;
  const double at = fmax(now->time_s, h->kept.schedule.last_time_s);
  return stz_history_next(&h->kept.schedule, at, strain + rate * (at - now->time_s), rate, now->clock_zero_s,
                          then->time_s);
}

static stz_err take(void *state, const stz_span *span, double at_s) {
  (void)span;
  return take_row(state, at_s, false);
}

static void before_event(void *state, const stz_happening *e) {
  const history *h = state;
  stz_tally_before(h->tally, e->event->shear.site);
}

static stz_err event(void *state, const stz_happening *e) {
  history *h = state;
  stz_energy_move(h->energy, e->before.stress, e->before.strain);
  stz_energy_event(h->energy, e->event->shear.site, e->strain, e->internal, e->after.stress, e->after.strain);
  stz_tally_after(h->tally, e->event->shear.site);
  return STZ_OK;
}

static stz_err reshape(void *state, bool done) {
  history *h = state;
  double total, axial, internal;
  stz_macro macro;
  stz_load_state(h->view->load, &macro);
  stz_mean_stress mean = {.t0 = macro.time_s, .temperature_K = macro.temperature_K};
  memcpy(mean.stress, macro.stress, sizeof mean.stress);
  STZ_TRY(stz_kmc_rates(h->view->kmc, &mean, &total, &axial)); // the stress is up to date after it
  STZ_TRY(stz_energy_internal(h->view->glass, h->view->kmc, &internal));
  if (done) stz_energy_reshaped(h->energy, internal);
  stz_energy_anchor(h->energy, internal);
  return STZ_OK;
}

static stz_err segment_ends(void *state, const stz_macro *now) {
  const history *h = state;
  return now->time_s > h->kept.schedule.last_time_s ? take_row(state, now->time_s, true) : STZ_OK;
}

static size_t saved_bytes(const void *state) {
  const history *h = state;
  return sizeof h->kept + stz_energy_saved_bytes(h->energy);
}

static void save(const void *state, void *saved) {
  const history *h = state;
  memcpy(saved, &h->kept, sizeof h->kept);
  stz_energy_save(h->energy, (char *)saved + sizeof h->kept);
}

static stz_err restore(void *state, const void *saved, size_t bytes) {
  history *h = state;
  if (bytes != saved_bytes(h)) return stz_observer_foreign("history", bytes);
  memcpy(&h->kept, saved, sizeof h->kept);
  stz_energy_restore(h->energy, (const char *)saved + sizeof h->kept);
  stz_tally_count(h->tally);
  return STZ_OK;
}

const stz_observer stz_observer_history = {.name = "history",
                                           .groups = &stz_history_group,
                                           .group_count = 1,
                                           .create = create,
                                           .destroy = destroy,
                                           .open = open,
                                           .segment_begins = segment_begins,
                                           .next_due = next_due,
                                           .take = take,
                                           .before_event = before_event,
                                           .event = event,
                                           .reshape = reshape,
                                           .segment_ends = segment_ends,
                                           .saved_bytes = saved_bytes,
                                           .save = save,
                                           .restore = restore};
