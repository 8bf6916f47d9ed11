// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/replay.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

struct stz_replay {
  stz_recorder *record;
  int copies;
  stz_load **copy;
};

void stz_replay_plastic(const stz_sample *s, int64_t site, const double strain[6], double plastic[6]) {
  const double share = stz_grid_fraction(s->grid, stz_elastic_volume(s->elastic));
  stz_kmc_mean_strain(s->kmc, site, strain, plastic);
  for (int v = 0; v < 6; v++) plastic[v] *= share;
}

stz_mean_stress stz_replay_mean(const stz_drive *drive) {
  stz_mean_stress mean = {
      .t0 = drive->t0, .temperature_K = drive->temperature_K, .temperature_rate = drive->temperature_rate};
  memcpy(mean.stress, drive->stress, sizeof mean.stress);
  memcpy(mean.stress_rate, drive->stress_rate, sizeof mean.stress_rate);
  return mean;
}

// The mean stress of a copy from now on. The last copy ends before what the observers take.
static bool drive_on(const stz_replay *r, int copy, stz_mean_stress *mean, double *until) {
  stz_drive drive;
  if (stz_load_drive(r->copy[copy], &drive) != STZ_OK) return false; // the caller will see it
  *mean = stz_replay_mean(&drive);
  *until = drive.until;
  if (drive.until <= drive.t0) return false;
  if (copy == r->copies - 1)
    *until = fmin(*until, nextafter(stz_recorder_due(r->record, r->copy[copy], drive.until), 0.0));
  return *until > drive.t0;
}

static bool begin(void *context, int copy, stz_mean_stress *mean, double *until) {
  const stz_replay *r = context;
  stz_load_copy(r->record->sample->load, r->copy[copy]);
  return drive_on(r, copy, mean, until);
}

static bool yield(void *context, int copy, const stz_event *event, const double strain[6], stz_mean_stress *mean,
                  double *until) {
  const stz_replay *r = context;
  double plastic[6];
  stz_replay_plastic(r->record->sample, event->shear.site, strain, plastic);
  stz_load_advance(r->copy[copy], event->time_s);
  stz_load_yield(r->copy[copy], plastic);
  return drive_on(r, copy, mean, until);
}

static stz_err make_copies(stz_replay *r, const stz_config *config) {
  STZ_TRY(STZ_NEW(r->copy, r->copies)); // NOLINT(bugprone-sizeof-expression): pointers
  for (int i = 0; i < r->copies; i++) {
    STZ_TRY(stz_load_create(config->protocol, config->segments, 1.0, 0.0, &r->copy[i])); // all comes with the state
  }
  return STZ_OK;
}

stz_err stz_replay_begin(stz_recorder *record, const stz_config *config, stz_replay **replay) {
  const stz_team *team = stz_grid_team(record->sample->grid);
  stz_replay *r = NULL;
  *replay = NULL;
  if (!team || config->elastic.finite_strain == STZ_FINITE_BOX) return STZ_OK;
  STZ_TRY(STZ_NEW(r, 1));
  r->record = record;
  r->copies = stz_team_workers(team) + 1;
  stz_err err = make_copies(r, config);
  const stz_kmc_load load = {.context = r, .copies = r->copies, .begin = begin, .yield = yield};
  if (err == STZ_OK) err = stz_kmc_go_ahead(record->sample->kmc, &load);
  if (err == STZ_OK)
    *replay = r;
  else
    stz_replay_end(&r);
  return err;
}

void stz_replay_end(stz_replay **replay) {
  stz_replay *r = *replay;
  if (!r) return;
  for (int i = 0; r->copy && i < r->copies; i++) stz_load_destroy(&r->copy[i]);
  stz_free(r->copy);
  stz_free(r);
  *replay = NULL;
}
