// SPDX-License-Identifier: GPL-3.0-or-later
//
// A row per event: /events.
#include "base/comm.h"
#include "base/memory.h"
#include "base/tensor.h"
#include "base/units.h"
#include "observe/observer.h"

typedef struct events {
  const stz_view *view;
  int table;
} events;

static const stz_dataset columns[] = {
    {"time_s", "s", "time since the start of the run", "event", STZ_FLOAT64},
    {"segment_time_s", "s", "time since the start of the segment", "event", STZ_FLOAT64},
    {"segment", "1", "index of the segment", "event", STZ_INT16},
    {"site", "1", "voxel x y z on which the event is centred, counted from 0", "event axis[3]", STZ_INT16},
    {"mode", "1", "shear mode, 0 to 14, in the axes of its grain of orientation", "event", STZ_INT8},
    {"sign", "1", "+1 or -1", "event", STZ_INT8},
    {"rotation", "1", "orientation at the event: entry of /modes/rotations", "event", STZ_INT16},
    {"plastic_strain_axial", "1", "what it adds to the mean plastic strain, xx", "event", STZ_FLOAT32},
    {"stress_axial_GPa", "GPa", "mean stress just before, xx", "event", STZ_FLOAT32},
};
static const stz_group group = {STZ_GROUP("/events", "with `output.events = true`, a row per event", columns),
                                .block = 1024, .chunk = 4096};

static bool applies(const stz_config *config) { return config->events; }

static stz_err create(const stz_view *view, void **state) {
  events *e = NULL;
  STZ_TRY(stz_agree(stz_grid_comm(view->grid), STZ_NEW(e, 1)));
  e->view = view;
  *state = e;
  return STZ_OK;
}

static stz_err open(void *state) {
  events *e = state;
  return stz_result_table(e->view->result, &group, &e->table);
}

static stz_err event(void *state, const stz_happening *h) {
  const events *e = state;
  const stz_shear *shear = &h->event->shear;
  int xyz[3];
  stz_grid_coords(e->view->grid, shear->site, xyz);
  const double row[] = {h->before.run_time_s,
                        h->event->time_s,
                        h->before.segment,
                        xyz[0],
                        xyz[1],
                        xyz[2],
                        shear->mode,
                        shear->sign,
                        shear->rotation,
                        h->plastic[STZ_XX],
                        h->before.stress[STZ_XX] / STZ_GPA};
  return stz_result_append(e->view->result, e->table, row);
}

const stz_observer stz_observer_events = {.name = "events",
                                          .groups = &group,
                                          .group_count = 1,
                                          .applies = applies,
                                          .create = create,
                                          .destroy = stz_free,
                                          .open = open,
                                          .event = event};
