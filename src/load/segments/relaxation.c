// SPDX-License-Identifier: GPL-3.0-or-later
//
// The strain is held. It may end where the stress has fallen to a value.
#include "load/segment.h"

static void begin(stz_load *load, const stz_segment *segment, double strain, double stress) {
  (void)segment;
  (void)strain;
  load->stress_way = -stz_sign(stress);
}

static bool can_end_later(const stz_load *load, const stz_segment *segment) {
  return load->stress_way != 0 && load->stress_way * segment->until_stress_GPa <= 0.0; // the stress falls towards zero
}

const stz_segment_kind stz_segment_relaxation = {.begin = begin, .can_end_later = can_end_later};
