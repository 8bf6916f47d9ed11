// SPDX-License-Identifier: GPL-3.0-or-later
//
// Each of the six components by its strain or by its stress, at rates of their own. The driven component is the one
// that moves fastest.
#include <math.h>

#include "base/tensor.h"
#include "base/units.h"
#include "load/segment.h"

// The component of a mixed segment that moves fastest: by its strain, or else by its stress.
static int fastest(const stz_segment *segment) {
  const stz_list *const rates[2] = {&segment->strain_rates_per_s, &segment->stress_rates_GPa_per_s};
  for (int control = STZ_CONTROL_STRAIN; control <= STZ_CONTROL_STRESS; control++) {
    int found = -1;
    double most = 0.0;
    for (int v = 0; v < 6; v++) {
      if ((int)segment->control.value[v] != control || fabs(rates[control]->value[v]) <= most) continue;
      most = fabs(rates[control]->value[v]);
      found = v;
    }
    if (found >= 0) return found;
  }
  return STZ_XX;
}

static void control(stz_load *load, const stz_segment *segment, const stz_load_now *found) {
  load->component = fastest(segment);
  for (int v = 0; v < 6; v++) {
    const bool strained = (int)segment->control.value[v] == STZ_CONTROL_STRAIN;
    load->balance.strained[v] = strained;
    load->imposed[v] = strained ? found->strain[v] : found->stress[v];
    load->imposed_rate[v] =
        strained ? segment->strain_rates_per_s.value[v] : segment->stress_rates_GPa_per_s.value[v] * STZ_GPA;
  }
}

static void leg(stz_load *load, const stz_segment *segment, int number, double strain, double stress) {
  (void)segment;
  (void)number;
  (void)stress;
  stz_ramp(load, strain, load->imposed_rate[load->component], NAN);
}

static double reach(const stz_segment *segment, stz_course *course) {
  return course->strain + segment->strain_rates_per_s.value[STZ_XX] * segment->duration_s;
}

const stz_segment_kind stz_segment_mixed = {.control = control, .leg = leg, .reach = reach};
