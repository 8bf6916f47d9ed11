// SPDX-License-Identifier: GPL-3.0-or-later
//
// The strain moves at rate_per_s.
#include "load/segment.h"

static void leg(stz_load *load, const stz_segment *segment, int number, double strain, double stress) {
  (void)number;
  (void)stress;
  stz_ramp(load, strain, segment->rate_per_s, segment->until_strain);
}

static void begin(stz_load *load, const stz_segment *segment, double strain, double stress) {
  (void)segment;
  (void)strain;
  (void)stress;
  load->stress_way = stz_sign(load->rate);
}

static double reach(const stz_segment *segment, stz_course *course) {
  return stz_grown(segment, course, segment->rate_per_s);
}

const stz_segment_kind stz_segment_strain_rate = {.leg = leg, .begin = begin, .reach = reach};
