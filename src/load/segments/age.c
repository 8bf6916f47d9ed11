// SPDX-License-Identifier: GPL-3.0-or-later
//
// No stress at all.
#include "load/segment.h"

static void control(stz_load *load, const stz_segment *segment, const stz_load_now *found) {
  stz_control_driven(load, segment, found, true);
}

static double reach(const stz_segment *segment, stz_course *course) {
  (void)segment;
  return course->plastic;
}

const stz_segment_kind stz_segment_age = {.control = control, .reach = reach};
