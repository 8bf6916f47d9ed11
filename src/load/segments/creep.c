// SPDX-License-Identifier: GPL-3.0-or-later
//
// The stress is held at stress_GPa, where it jumps at the start; without it, at what the segment finds.
#include <math.h>

#include "base/units.h"
#include "load/segment.h"

static void control(stz_load *load, const stz_segment *segment, const stz_load_now *found) {
  stz_control_driven(load, segment, found, true);
  const int d = load->component;
  load->imposed[d] = isnan(segment->stress_GPa) ? found->stress[d] : segment->stress_GPa * STZ_GPA;
}

static void begin(stz_load *load, const stz_segment *segment, double strain, double stress) {
  (void)segment;
  (void)strain;
  (void)stress;
  load->strain_way = stz_sign(load->imposed[load->component]);
}

static bool can_end_later(const stz_load *load, const stz_segment *segment) {
  return load->strain_way != 0 && !isnan(segment->until_strain);
}

static double reach(const stz_segment *segment, stz_course *course) {
  double strain = course->strain;
  if (isfinite(segment->until_strain)) strain = segment->until_strain;
  if (isfinite(segment->stress_GPa)) strain = fmax(strain, course->plastic + segment->stress_GPa / course->young_GPa);
  return strain;
}

const stz_segment_kind stz_segment_creep = {
    .control = control, .begin = begin, .can_end_later = can_end_later, .reach = reach};
