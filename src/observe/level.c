// SPDX-License-Identifier: GPL-3.0-or-later
#include "observe/level.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/comm.h"
#include "base/memory.h"
#include "base/tensor.h"

stz_err stz_reached_create(const stz_view *view, const char *name, const stz_strain_levels *levels, void **state) {
  stz_reached *reached = NULL;
  STZ_TRY(stz_agree(stz_grid_comm(view->grid), STZ_NEW(reached, 1)));
  *reached = (stz_reached){.view = view, .name = name, .levels = levels};
  *state = reached;
  return STZ_OK;
}

double stz_reached_due(const void *state, const stz_span *span) {
  const stz_reached *reached = state;
  const double time = span->now.time_s, until = span->then.time_s;
  const double strain = span->now.strain[STZ_XX], end = span->then.strain[STZ_XX];
  if (reached->next >= reached->levels->count) return INFINITY;
  const double level = reached->levels->values[reached->next];
  if (strain >= level) return time;
  if (!(end >= level)) return INFINITY;
  const double rate = until > time ? (end - strain) / (until - time) : 0.0;
  return time + (level - strain) / rate;
}

stz_macro stz_reached_state(const stz_reached *reached, const stz_span *span, double at_s) {
  const double level = reached->levels->values[reached->next];
  stz_macro at = span->now;
  if (span->now.strain[STZ_XX] < level) {
    stz_load_state_at(reached->view->load, at_s, &at);
    at.strain[STZ_XX] = level;
  }
  return at;
}

size_t stz_reached_saved_bytes(const void *state) {
  const stz_reached *reached = state;
  return sizeof reached->next;
}

void stz_reached_save(const void *state, void *saved) {
  const stz_reached *reached = state;
  memcpy(saved, &reached->next, sizeof reached->next);
}

stz_err stz_reached_restore(void *state, const void *saved, size_t bytes) {
  stz_reached *reached = state;
  int next = -1;
  if (bytes == sizeof next) memcpy(&next, saved, sizeof next);
  if (next < 0 || next > reached->levels->count) return stz_observer_foreign(reached->name, bytes);
  reached->next = next;
  return STZ_OK;
}

#define SCAN "scan probe_u probe_v"
enum { BRAGG, PROBABILITY, DENSITY, MASK, COUNTS, COUNTS_BY_DOMAIN, ORIGIN };
static const stz_dataset datasets[] = {
    [BRAGG] = {"bragg", "1", "1: the pattern has Bragg reflections", SCAN, STZ_UINT8},
    [PROBABILITY] = {"probability", "1", "probability of Bragg reflections from local event counts", SCAN, STZ_FLOAT64},
    [DENSITY] = {"density", "1", "mean Ni fraction in the probe", SCAN, STZ_FLOAT64},
    [MASK] = {"mask", "1", "1: density above 50 % grey", SCAN, STZ_UINT8},
    [COUNTS] = {"counts", "1", "patterns with Bragg reflections", "scan", STZ_FLOAT64},
    [COUNTS_BY_DOMAIN] = {"counts_by_domain", "1", "Bragg in mask, patterns in mask, Bragg outside, patterns outside",
                          "scan domain[4]", STZ_FLOAT64},
    [ORIGIN] = {"origin_nm", "nm", "corner of each scan and its foil", "scan axis[3]", STZ_FLOAT64},
};
const stz_group stz_level_group = {
    STZ_GROUP("/nbed/level_NN", "one for each strain of `output.nbed_strains`, when it is first reached", datasets)};

static stz_err write_nbed(stz_result *r, const char *group, const stz_nbed *nbed) {
  const int patterns[3] = {nbed->scans, STZ_NBED_SIDE, STZ_NBED_SIDE}, domains[2] = {nbed->scans, 4},
            corners[2] = {nbed->scans, 3};
  STZ_TRY(stz_result_values(r, group, &datasets[BRAGG], patterns, nbed->bragg));
  STZ_TRY(stz_result_values(r, group, &datasets[PROBABILITY], patterns, nbed->probability));
  STZ_TRY(stz_result_values(r, group, &datasets[DENSITY], patterns, nbed->density));
  STZ_TRY(stz_result_values(r, group, &datasets[MASK], patterns, nbed->mask));
  STZ_TRY(stz_result_values(r, group, &datasets[COUNTS], patterns, nbed->counts));
  STZ_TRY(stz_result_values(r, group, &datasets[COUNTS_BY_DOMAIN], domains, nbed->counts_by_domain));
  STZ_TRY(stz_result_values(r, group, &datasets[ORIGIN], corners, nbed->origin_nm));
  STZ_TRY(stz_result_double(r, group, "bragg_expected", nbed->bragg_expected));
  STZ_TRY(stz_result_double(r, group, "bragg_mean", nbed->bragg_mean));
  STZ_TRY(stz_result_double(r, group, "bragg_scatter", nbed->bragg_scatter));
  return stz_result_int(r, group, "displaced", nbed->displaced);
}

stz_moment stz_moment_of(const stz_macro *macro) {
  return (stz_moment){.strain = macro->strain[STZ_XX],
                      .time_s = macro->run_time_s,
                      .segment_time_s = macro->time_s,
                      .segment = macro->segment};
}

stz_err stz_moment_write(stz_result *r, const char *group, const stz_moment *moment) {
  STZ_TRY(stz_result_double(r, group, "strain", moment->strain));
  STZ_TRY(stz_result_double(r, group, "time_s", moment->time_s));
  if (isnan(moment->segment_time_s)) return STZ_OK;
  STZ_TRY(stz_result_double(r, group, "segment_time_s", moment->segment_time_s));
  return stz_result_int(r, group, "segment", moment->segment);
}

stz_err stz_strain_level_write(stz_result *r, int level, const stz_nbed *nbed, const stz_nbed_params *params,
                               const stz_moment *moment) {
  char group[32];
  snprintf(group, sizeof group, "/nbed/level_%02d", level);
  STZ_TRY(write_nbed(r, group, nbed));
  STZ_TRY(stz_moment_write(r, group, moment));
  STZ_TRY(stz_result_double(r, group, "foil_nm", params->foil_nm));
  return stz_result_double(r, group, "probe_nm", params->probe_nm);
}
