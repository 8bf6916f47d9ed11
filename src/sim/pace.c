// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/pace.h"

#include <math.h>

#include "base/log.h"
#include "base/units.h"
#include "sim/sim.h"
#include "stz/rates.h"

// No rate may change by more than this share within the last digit of the clock: events of the largest box that come
// while rates grow by a factor e, 1e6, are then still some digits apart.
static const double STEEPEST = 1e-7;
static const double LEAST_DONE = 1e-3; // share of a segment below which it is reported of
// A relaxation has hardly begun after its first events, and yet comes to its end: the events of each look take it a
// multiple of the time of those before. Only where they do not, look after look, does time not advance; two looks, as
// the end of a load between them may hide one.
static const double RARER = 2.0;
enum { LEAST_EVENTS = 1000, LOOKS = 2 };

// Events between looks: avalanches, which no clock needs to resolve, have fewer.
static uint64_t events_between(const stz_sample *sample) {
  const double stzs = stz_grid_volume(sample->grid) / stz_glass_stz(sample->glass)->volume_nm3;
  return stzs > LEAST_EVENTS ? (uint64_t)stzs : LEAST_EVENTS;
}

static uint64_t events_so_far(const stz_sample *sample) {
  stz_kmc_stats stats;
  stz_kmc_stats_get(sample->kmc, &stats);
  return stats.events;
}

stz_pace stz_pace_begin(const stz_sample *sample) {
  stz_macro macro;
  stz_load_state(sample->load, &macro);
  const uint64_t events = events_so_far(sample);
  return (stz_pace){.first = events,
                    .events = events,
                    .strain = macro.strain[macro.component],
                    .stress = macro.stress[macro.component]};
}

static double share(double begin, double now, double end) {
  return end == begin || isnan(end) ? 0.0 : (now - begin) / (end - begin);
}

// How much of the segment is done, at most: of the way to the load's next break point if it has one.
static double fraction_done(const stz_pace *pace, const stz_segment *segment, const stz_sample *sample,
                            const stz_drive *drive) {
  stz_macro macro;
  if (isfinite(drive->until)) return drive->t0 / drive->until;
  stz_load_state(sample->load, &macro);
  const int d = macro.component;
  return fmax(share(pace->strain, macro.strain[d], segment->until_strain),
              share(pace->stress, macro.stress[d], segment->until_stress_GPa * STZ_GPA));
}

// Tells of it where hardly any of the segment is done after so many events, and they come as fast as before.
static stz_err tell(stz_pace *pace, const stz_config *config, const stz_sample *sample, int index,
                    const stz_drive *drive, bool rarer) {
  const double done = fraction_done(pace, &config->protocol[index], sample, drive);
  stz_estimate estimate;
  pace->steady = rarer || done >= LEAST_DONE ? 0 : pace->steady + 1;
  if (pace->reported || pace->steady < LOOKS) return STZ_OK;
  pace->reported = 1;
  STZ_TRY(stz_sim_estimate(config, 1, NULL, &estimate));
  stz_log(STZ_LOG_WARNING,
          "protocol[%d]: time does not advance: %.3g s and %.2g of the segment after %.0f events, where the whole run "
          "was expected to have %.2g; `stzkmc check` tells the share of barriers at barriers.floor_eV, output.events = "
          "true lists the events; a signal stops the run with a checkpoint",
          index, drive->t0, done, (double)(events_so_far(sample) - pace->first), estimate.events);
  return STZ_OK;
}

stz_err stz_pace_check(stz_pace *pace, const stz_config *config, const stz_sample *sample, const stz_drive *drive) {
  const uint64_t events = events_so_far(sample), between = events_between(sample);
  const int index = stz_load_segment(sample->load);
  const char *type = stz_segment_name(config->protocol[index].type);
  const double digit = nextafter(drive->t0, INFINITY) - drive->t0, now = drive->t0;
  const double growth = stz_kmc_growth(sample->kmc, drive->temperature_K, drive->stress_rate) +
                        stz_thermal_growth(drive->temperature_K, drive->temperature_rate);
  if (growth * digit > STEEPEST) {
    return stz_fail(STZ_ENUMERIC,
                    "protocol[%d]: at %g s of this %s segment the clock's last digit is %.2g s, too long for its load, "
                    "under which rates grow e-fold in %.2g s: load so fast in a segment of its own",
                    index, now, type, digit, 1.0 / growth);
  }
  if (drive->ends_segment && drive->until == 0.0) {
    stz_log(STZ_LOG_WARNING, "protocol[%d]: this %s segment ends at once: its end condition holds at its start", index,
            type);
  }
  if (events < pace->events + between) return STZ_OK;
  if (now - pace->time_s < (double)between * digit) {
    return stz_fail(STZ_ENUMERIC,
                    "protocol[%d]: time stands still at %g s of this %s segment: the last %.0f events came within %.2g "
                    "s, less than the clock's last digit, %.2g s, each",
                    index, now, type, (double)(events - pace->events), now - pace->time_s, digit);
  }
  const double interval_s = now - pace->time_s;
  const bool rarer = interval_s >= RARER * pace->interval_s; // at the first look, too
  pace->events = events;
  pace->time_s = now;
  pace->interval_s = interval_s;
  return tell(pace, config, sample, index, drive, rarer);
}
