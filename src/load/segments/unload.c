// SPDX-License-Identifier: GPL-3.0-or-later
//
// The strain moves at rate_per_s until the stress is until_stress_GPa (0 without it).
#include <math.h>

#include "base/units.h"
#include "load/segment.h"

static void leg(stz_load *load, const stz_segment *segment, int number, double strain, double stress) {
  const double target = isnan(segment->until_stress_GPa) ? 0.0 : segment->until_stress_GPa * STZ_GPA;
  (void)number;
  stz_ramp_to_stress(load, strain, segment->rate_per_s, stress, target);
}

static double reach(const stz_segment *segment, stz_course *course) {
  (void)segment;
  return course->plastic;
}

const stz_segment_kind stz_segment_unload = {.leg = leg, .reach = reach};
