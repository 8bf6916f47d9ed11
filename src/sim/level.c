// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/level.h"

#include <math.h>
#include <stdio.h>

static stz_err write_nbed(stz_result *r, const char *group, const stz_nbed *nbed) {
  char path[128];
  const int patterns[3] = {nbed->scans, STZ_NBED_SIDE, STZ_NBED_SIDE}, domains[2] = {nbed->scans, 4},
            corners[2] = {nbed->scans, 3};
#define PATH(name) (snprintf(path, sizeof path, "%s/" name, group), path)
  STZ_TRY(stz_result_bytes(r, PATH("bragg"), "1", "1: the pattern has Bragg reflections", 3, patterns, nbed->bragg));
  STZ_TRY(stz_result_doubles(r, PATH("probability"), "1", "probability of Bragg reflections from local event counts", 3,
                             patterns, nbed->probability));
  STZ_TRY(stz_result_doubles(r, PATH("density"), "1", "mean Ni fraction in the probe", 3, patterns, nbed->density));
  STZ_TRY(stz_result_bytes(r, PATH("mask"), "1", "1: density above 50 % grey", 3, patterns, nbed->mask));
  STZ_TRY(stz_result_doubles(r, PATH("counts"), "1", "patterns with Bragg reflections", 1, patterns, nbed->counts));
  STZ_TRY(stz_result_doubles(r, PATH("counts_by_domain"), "1",
                             "Bragg in mask, patterns in mask, Bragg outside, patterns outside", 2, domains,
                             nbed->counts_by_domain));
  STZ_TRY(
      stz_result_doubles(r, PATH("origin_nm"), "nm", "corner of each scan and its foil", 2, corners, nbed->origin_nm));
#undef PATH
  STZ_TRY(stz_result_double(r, group, "bragg_expected", nbed->bragg_expected));
  STZ_TRY(stz_result_double(r, group, "bragg_mean", nbed->bragg_mean));
  STZ_TRY(stz_result_double(r, group, "bragg_scatter", nbed->bragg_scatter));
  return stz_result_int(r, group, "displaced", nbed->displaced);
}

stz_err stz_moment_write(stz_result *r, const char *group, const stz_moment *moment) {
  STZ_TRY(stz_result_double(r, group, "strain", moment->strain));
  STZ_TRY(stz_result_double(r, group, "time_s", moment->time_s));
  if (isnan(moment->segment_time_s)) return STZ_OK;
  STZ_TRY(stz_result_double(r, group, "segment_time_s", moment->segment_time_s));
  return stz_result_int(r, group, "segment", moment->segment);
}

stz_err stz_level_write(stz_result *r, int level, const stz_nbed *nbed, const stz_nbed_params *params,
                        const stz_moment *moment) {
  char group[32];
  snprintf(group, sizeof group, "/nbed/level_%02d", level);
  STZ_TRY(write_nbed(r, group, nbed));
  STZ_TRY(stz_moment_write(r, group, moment));
  STZ_TRY(stz_result_double(r, group, "foil_nm", params->foil_nm));
  return stz_result_double(r, group, "probe_nm", params->probe_nm);
}
