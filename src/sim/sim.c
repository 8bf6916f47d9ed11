// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/sim.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/log.h"
#include "base/tensor.h"
#include "base/units.h"
#include "sim/record.h"
#include "sim/sample.h"

typedef struct clock_of_run {
  void (*progress)(const stz_progress *now);
  double begin, last; // wall time, s
} clock_of_run;

// How far the running segment has come, by the end condition that is nearest.
static double fraction_of_segment(const stz_segment *segment, const stz_macro *macro, double begin_s) {
  double fraction = 0.0;
  if (isfinite(segment->duration_s)) fraction = (macro->time_s - begin_s) / segment->duration_s;
  if (isfinite(segment->until_strain)) fraction = fmax(fraction, macro->strain[STZ_XX] / segment->until_strain);
  if (isfinite(segment->until_stress_GPa)) {
    fraction = fmax(fraction, macro->stress[STZ_XX] / (segment->until_stress_GPa * STZ_GPA));
  }
  return fmin(1.0, fmax(0.0, fraction));
}

static void report(clock_of_run *clock, const stz_config *config, const stz_record *record, bool now) {
  const stz_sample *s = record->sample;
  const double wall = MPI_Wtime();
  if (!clock->progress || stz_grid_rank(s->grid) != 0 || (!now && wall < clock->last + 1.0)) return;
  stz_macro macro;
  stz_kmc_stats stats;
  stz_load_state(s->load, &macro);
  stz_kmc_stats_get(s->kmc, &stats);
  const stz_segment *segment = &config->protocol[macro.segment];
  const double inside = fraction_of_segment(segment, &macro, record->segment_begin_s);
  const stz_progress progress = {.time_s = macro.time_s,
                                 .strain = macro.strain[STZ_XX],
                                 .stress_GPa = macro.stress[STZ_XX] / STZ_GPA,
                                 .fraction = (macro.segment + inside) / config->segments,
                                 .events = stats.events,
                                 .wall_s = wall - clock->begin,
                                 .events_per_s = (double)stats.events / fmax(wall - clock->begin, 1e-9),
                                 .segment = macro.segment,
                                 .segments = config->segments,
                                 .segment_type = stz_segment_name(segment->type)};
  clock->progress(&progress);
  clock->last = wall;
}

// The mean plastic strain grows by an event's strain times its share of the volume.
static void yield(stz_sample *s, const double strain[6]) {
  const double share = stz_elastic_volume(s->elastic) / stz_grid_volume(s->grid);
  double plastic[6];
  for (int v = 0; v < 6; v++) plastic[v] = strain[v] * share;
  stz_load_yield(s->load, plastic);
}

// THE main loop: from event to event through one segment of the protocol.
static stz_err run_segment(const stz_config *config, stz_sample *s, stz_record *record, clock_of_run *clock) {
  for (;;) {
    stz_drive drive;
    stz_event event;
    bool found = false;
    STZ_TRY(stz_load_drive(s->load, &drive));

    stz_mean_stress mean = {.t0 = drive.t0, .temperature_K = drive.temperature_K};
    memcpy(mean.stress, drive.stress, sizeof mean.stress);
    memcpy(mean.stress_rate, drive.stress_rate, sizeof mean.stress_rate);
    if (drive.until > drive.t0) STZ_TRY(stz_kmc_next(s->kmc, &mean, drive.until, &event, &found));

    const double next = found ? event.time_s : drive.until;
    if (isinf(next)) return stz_fail(STZ_EINPUT, "protocol[%d]: never ends, as no event is possible", record->segment);
    STZ_TRY(stz_record_until(record, next));
    stz_load_advance(s->load, next);
    report(clock, config, record, false);
    if (!found && drive.ends_segment) return STZ_OK;
    if (!found) continue; // a break point of the load

    double strain[6];
    stz_kmc_fire(s->kmc, &event, strain);
    yield(s, strain);
  }
}

static stz_err run_protocol(const stz_config *config, stz_sample *s, stz_record *record, clock_of_run *clock) {
  do {
    STZ_TRY(stz_record_segment_begins(record));
    STZ_TRY(run_segment(config, s, record, clock));
    STZ_TRY(stz_record_segment_ends(record));
    report(clock, config, record, true);
  } while (stz_load_next_segment(s->load));
  return STZ_OK;
}

stz_err stz_sim_run(MPI_Comm comm, const stz_config *config, const stz_run_options *options) {
  clock_of_run clock = {.progress = options->progress, .begin = MPI_Wtime()};
  stz_sample sample;
  stz_record record;
  STZ_TRY(stz_sample_create(comm, config, &sample));
  stz_err err = stz_record_begin(&record, config, options, &sample);
  if (err == STZ_OK) {
    err = run_protocol(config, &sample, &record, &clock);
    if (err == STZ_OK) {
      err = stz_record_finish(&record);
    } else {
      stz_record_abandon(&record);
    }
  }
  stz_sample_destroy(&sample);
  return err;
}
