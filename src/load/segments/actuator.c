// SPDX-License-Identifier: GPL-3.0-or-later
//
// An actuator in series, a spring that contracts: stress = stiffness (mismatch(t) - strain); the mismatch ramps up
// within release_s. It grips the specimen as it is, so that the stress does not jump: s = S_a (m - (e - attach)), with
// attach its present strain plus s/S_a (0 for a virgin specimen). The mismatch is what is released from then on. With
// finite geometry the same with the length and area of the deformed specimen (machine.h).
#include <math.h>

#include "base/mathfn.h"
#include "base/tensor.h"
#include "base/units.h"
#include "load/machine.h"
#include "load/segment.h"

// Mismatch from one knot of the release to the next, at most; more with a soft spring, which itself takes most of it.
static const double KNOT = 1e-3;

static void begin(stz_load *load, const stz_segment *segment, double strain, double stress) {
  const double stiffness = segment->stiffness_GPa * STZ_GPA;
  stz_balance_add_spring(&load->balance, load->component, stiffness);
  load->start = strain + stress / stiffness;
  if (segment->geometry == STZ_GEOMETRY_FINITE && load->component == STZ_XX) {
    load->balance.deforms = true;
    const double share = fmin(1.0, 2.0 * stiffness / (stiffness + load->balance.young));
    load->knots = 1 + (int)(share * fabs(segment->mismatch_strain) / KNOT);
    load->start = stz_machine_contraction(&load->balance, stress, load->plastic[STZ_XX]);
  }
  load->stop = load->start + segment->mismatch_strain;
  load->ramp_end = load->clock_zero = segment->release_s;
  load->rate = load->ramp_end > 0.0 ? segment->mismatch_strain / load->ramp_end : 0.0;
  load->strain_way = load->stress_way = stz_sign(segment->mismatch_strain);
}

// The specimen lengthens until the stress is gone; on the way the stress falls, but where the specimen thins faster
// than the spring slackens.
static bool can_end_later(const stz_load *load, const stz_segment *segment) {
  const stz_balance *balance = &load->balance;
  const double plastic = load->plastic[load->component], target = segment->until_stress_GPa * STZ_GPA;
  double longest = load->stop, most = balance->stiffness[load->component][load->component] * (longest - plastic);
  if (balance->deforms) {
    if (!isnan(target) && stz_machine_stiffness(balance, load->stop, plastic) < 0.0) return true;
    longest = stz_ln(1.0 + load->stop);
    most = stz_machine_stress(balance, load->stop, plastic);
  }
  return load->strain_way * (longest - segment->until_strain) > 0.0 ||
         stz_reached(most, target, load->stress_way, STZ_LOAD_ROUNDING * balance->young);
}

static double reach(const stz_segment *segment, stz_course *course) {
  const double free = segment->mismatch_strain / (1.0 + course->young_GPa / segment->stiffness_GPa);
  const double flowing = segment->mismatch_strain - course->flow_GPa / segment->stiffness_GPa;
  return course->strain + fmax(free, flowing);
}

const stz_segment_kind stz_segment_actuator = {.begin = begin, .can_end_later = can_end_later, .reach = reach};
