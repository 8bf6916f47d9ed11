// SPDX-License-Identifier: GPL-3.0-or-later
//
// Whether time goes by: what is too fast for the clock ends the run with one line, and a segment in which events go by
// and time does not is reported of once.
#ifndef STZ_SIM_PACE_H
#define STZ_SIM_PACE_H

#include "config/config.h"
#include "sim/sample.h"

// Plain data, the same on every rank.
typedef struct stz_pace {
  uint64_t first, events; // events before the segment, and before the last look
  double time_s;          // at that look, in the segment
  double interval_s;      // between that look and the one before
  double strain, stress;  // of the driven component at the segment's begin
  int reported, steady;   // looks in a row at which events did not become rarer and hardly any of the segment was done
} stz_pace;

// A segment begins. Local.
stz_pace stz_pace_begin(const stz_sample *sample);

// Looks at the clock before the next event is searched. Fails with STZ_ENUMERIC if the load moves too far, or too many
// events come, within the last digit of the segment's time. Local.
stz_err stz_pace_check(stz_pace *pace, const stz_config *config, const stz_sample *sample,
                       const stz_drive *drive) STZ_MUST_USE;

#endif
