// SPDX-License-Identifier: GPL-3.0-or-later
//
// An actuator in series, a spring that contracts: stress = stiffness (mismatch(t) - strain); the mismatch ramps up
// within release_s. It grips the specimen as it is, so that the stress does not jump: s = S_a (m - (e - attach)), with
// attach its present strain plus s/S_a (0 for a virgin specimen). The mismatch is what is released from then on.
#include <math.h>

#include "base/units.h"
#include "load/segment.h"

static void begin(stz_load *load, const stz_segment *segment, double strain, double stress) {
  const double stiffness = segment->stiffness_GPa * STZ_GPA;
  stz_balance_add_spring(&load->balance, load->component, stiffness);
  load->start = strain + stress / stiffness;
  load->stop = load->start + segment->mismatch_strain;
  load->ramp_end = load->clock_zero = segment->release_s;
  load->rate = load->ramp_end > 0.0 ? segment->mismatch_strain / load->ramp_end : 0.0;
  load->strain_way = load->stress_way = stz_sign(segment->mismatch_strain);
}

// The specimen lengthens until the stress is gone.
static bool can_end_later(const stz_load *load, const stz_segment *segment) {
  const int d = load->component;
  return load->strain_way * (load->stop - segment->until_strain) > 0.0 ||
         stz_reached(load->balance.stiffness[d][d] * (load->stop - load->plastic[d]),
                     segment->until_stress_GPa * STZ_GPA, load->stress_way, STZ_LOAD_ROUNDING * load->balance.young);
}

static double reach(const stz_segment *segment, stz_course *course) {
  const double free = segment->mismatch_strain / (1.0 + course->young_GPa / segment->stiffness_GPa);
  const double flowing = segment->mismatch_strain - course->flow_GPa / segment->stiffness_GPa;
  return course->strain + fmax(free, flowing);
}

const stz_segment_kind stz_segment_actuator = {.begin = begin, .can_end_later = can_end_later, .reach = reach};
