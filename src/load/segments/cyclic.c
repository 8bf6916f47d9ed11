// SPDX-License-Identifier: GPL-3.0-or-later
//
// To and fro at rate_per_s: to the first turn, then to the second, a cycle; `cycles` of them. Turns are two strains, or
// two stresses.
#include <math.h>

#include "base/units.h"
#include "load/segment.h"

static void leg(stz_load *load, const stz_segment *segment, int number, double strain, double stress) {
  load->last_leg = number + 1 == 2 * segment->cycles;
  if (segment->turn_strains.count > 0) {
    const double target = segment->turn_strains.value[number % 2];
    stz_ramp(load, strain, target < strain ? -segment->rate_per_s : segment->rate_per_s, target);
  } else {
    const double target = segment->turn_stresses_GPa.value[number % 2] * STZ_GPA;
    stz_ramp_to_stress(load, strain, segment->rate_per_s, stress, target);
  }
}

static bool can_end_later(const stz_load *load, const stz_segment *segment) {
  (void)load;
  (void)segment;
  return true;
}

static double reach(const stz_segment *segment, stz_course *course) {
  const bool strains = segment->turn_strains.count > 0;
  const double *turn = strains ? segment->turn_strains.value : segment->turn_stresses_GPa.value;
  const double scale = strains ? 1.0 : 1.0 / course->young_GPa, range = fabs(turn[0] - turn[1]) * scale;
  course->to_and_fro += 2.0 * segment->cycles * fmax(0.0, range - 2.0 * course->flow_GPa / course->young_GPa);
  return (strains ? 0.0 : course->plastic) + fmax(turn[0], turn[1]) * scale;
}

const stz_segment_kind stz_segment_cyclic = {.leg = leg, .can_end_later = can_end_later, .reach = reach};
