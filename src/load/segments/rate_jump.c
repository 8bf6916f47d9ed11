// SPDX-License-Identifier: GPL-3.0-or-later
//
// The strain grows at rates_per_s by turns, each for strain_each.
#include <math.h>

#include "load/segment.h"

static void leg(stz_load *load, const stz_segment *segment, int number, double strain, double stress) {
  const stz_list *rates = &segment->rates_per_s;
  const double target = load->imposed[load->component] + (number + 1) * segment->strain_each;
  (void)stress;
  load->last_leg = segment->until_strain <= target;
  stz_ramp(load, strain, rates->value[number % rates->count], load->last_leg ? segment->until_strain : target);
}

static void begin(stz_load *load, const stz_segment *segment, double strain, double stress) {
  (void)segment;
  (void)strain;
  (void)stress;
  load->stress_way = stz_sign(load->rate);
}

static bool can_end_later(const stz_load *load, const stz_segment *segment) {
  (void)load;
  return !isnan(segment->until_strain) || !isnan(segment->until_stress_GPa);
}

static double reach(const stz_segment *segment, stz_course *course) {
  double fastest = 0.0;
  for (int i = 0; i < segment->rates_per_s.count; i++) fastest = fmax(fastest, segment->rates_per_s.value[i]);
  return stz_grown(segment, course, fastest);
}

const stz_segment_kind stz_segment_rate_jump = {
    .leg = leg, .begin = begin, .can_end_later = can_end_later, .reach = reach};
