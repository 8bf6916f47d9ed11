// SPDX-License-Identifier: GPL-3.0-or-later
//
// A row per avalanche: /avalanches.
#include "observe/avalanches.h"

#include <math.h>

#include "base/comm.h"
#include "base/memory.h"
#include "base/units.h"
#include "observe/observer.h"

typedef struct finder {
  const stz_view *view;
  stz_avalanches *avalanches;
  int table;
  double segment_end_s; // of the segment before, in its own time
} finder;

static const stz_dataset columns[] = {
    {"begin_s", "s", "time of its first event", "avalanche", STZ_FLOAT64},
    {"segment_begin_s", "s", "time of its first event since the start of the segment", "avalanche", STZ_FLOAT64},
    {"segment", "1", "index of the segment in which it begins", "avalanche", STZ_INT16},
    {"duration_s", "s", "time from its first to its last event", "avalanche", STZ_FLOAT64},
    {"size", "1", "number of its events", "avalanche", STZ_INT32},
    {"strain", "1", "total strain before it, of the component that the load drives", "avalanche", STZ_FLOAT32},
    {"plastic_strain", "1", "what it adds to the mean plastic strain of that component", "avalanche", STZ_FLOAT32},
    {"stress_drop_GPa", "GPa", "what its events take off the mean stress of that component", "avalanche", STZ_FLOAT32},
    {"gyration_radius_nm", "nm", "rms distance of its events from their centre", "avalanche", STZ_FLOAT32},
    {"centre_nm", "nm", "that centre in the box, x y z", "avalanche axis[3]", STZ_FLOAT32},
    {"whole", "1", "1: over; 0: the run ended before", "avalanche", STZ_INT8},
};
static const stz_group group = {
    STZ_GROUP("/avalanches", "with `output.avalanches = true`, a row per avalanche", columns), .block = 1024,
    .chunk = 1024};

static bool applies(const stz_config *config) { return config->avalanches; }

static stz_err create(const stz_view *view, void **state) {
  finder *f = NULL;
  STZ_TRY(stz_agree(stz_grid_comm(view->grid), STZ_NEW(f, 1)));
  f->view = view;
  *state = f;
  return stz_avalanches_create(view->grid, &view->config->avalanche, &f->avalanches);
}

static void destroy(void *state) {
  finder *f = state;
  stz_avalanches_destroy(&f->avalanches);
  stz_free(f);
}

static stz_err open(void *state) {
  finder *f = state;
  stz_result *r = f->view->result;
  STZ_TRY(stz_result_table(r, &group, &f->table));
  STZ_TRY(stz_result_double(r, group.path, "window", f->view->config->avalanche.window));
  return stz_result_double(r, group.path, "reach_nm", f->view->config->avalanche.reach_nm);
}

// Writes the avalanches that are over before `time_s`.
static stz_err write_over(finder *f, double time_s, bool whole) {
  const stz_avalanche *list;
  const int count = stz_avalanches_over(f->avalanches, time_s, &list);
  for (const stz_avalanche *a = list; a < list + count; a++) {
    double row[] = {a->run_begin_s,
                    a->segment_begin_s,
                    (double)a->segment,
                    a->last_s - a->begin_s,
                    (double)a->events,
                    a->strain,
                    a->plastic_strain,
                    a->stress_drop / STZ_GPA,
                    stz_avalanche_radius(a),
                    0.0,
                    0.0,
                    0.0,
                    whole};
    stz_avalanche_centre(f->view->grid, a, row + 9);
    STZ_TRY(stz_result_append(f->view->result, f->table, row));
  }
  return STZ_OK;
}

static stz_err event(void *state, const stz_happening *h) {
  finder *f = state;
  const int driven = h->before.component;
  const stz_avalanche_event added = {.time_s = h->event->time_s,
                                     .run_time_s = h->after.run_time_s,
                                     .segment = h->after.segment,
                                     .site = h->event->shear.site,
                                     .strain = h->before.strain[driven],
                                     .plastic_strain = h->plastic[driven],
                                     .stress_drop = h->before.stress[driven] - h->after.stress[driven]};
  STZ_TRY(write_over(f, h->event->time_s, true));
  return stz_avalanches_add(f->avalanches, &added);
}

static stz_err segment_begins(void *state, const stz_macro *now) {
  finder *f = state;
  (void)now;
  stz_avalanches_new_clock(f->avalanches, f->segment_end_s);
  return STZ_OK;
}

static stz_err segment_ends(void *state, const stz_macro *now) {
  finder *f = state;
  f->segment_end_s = now->time_s;
  return STZ_OK;
}

// Those that the end of the run leaves open, too.
static stz_err finish(void *state) {
  finder *f = state;
  STZ_TRY(write_over(f, f->segment_end_s, true));
  return write_over(f, INFINITY, false);
}

static size_t saved_bytes(const void *state) {
  const finder *f = state;
  return stz_avalanches_saved_bytes(f->avalanches);
}

static void save(const void *state, void *saved) {
  const finder *f = state;
  stz_avalanches_save(f->avalanches, saved);
}

static stz_err restore(void *state, const void *saved, size_t bytes) {
  finder *f = state;
  return stz_avalanches_restore(f->avalanches, saved, bytes);
}

const stz_observer stz_observer_avalanches = {.name = "avalanches",
                                              .groups = &group,
                                              .group_count = 1,
                                              .applies = applies,
                                              .create = create,
                                              .destroy = destroy,
                                              .open = open,
                                              .segment_begins = segment_begins,
                                              .event = event,
                                              .segment_ends = segment_ends,
                                              .finish = finish,
                                              .saved_bytes = saved_bytes,
                                              .save = save,
                                              .restore = restore};
