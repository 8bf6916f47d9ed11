// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/load: not installed.
//
// What a type of segment is, and what the files of the types share.
#ifndef STZ_LOAD_SEGMENT_H
#define STZ_LOAD_SEGMENT_H

#include "load/balance.h"
#include "load/load.h"

struct stz_load {
  stz_segment *segments;
  int count, segment;
  double plastic[6];
  // the running segment
  double begin, begin_rest; // their sum: when it begins in the run
  double time;              // since then
  stz_balance balance;
  int component;                      // that is driven
  double clock_zero;                  // time in the segment
  double imposed[6], imposed_rate[6]; // strain or stress at the start; c(t) instead where the driven strain is imposed
  int strain_way, stress_way;         // in which direction an end condition is crossed; 0 if it never is
  // the running leg
  int leg; // -1: a type without
  bool last_leg;
  double start, rate, ramp_begin, ramp_end, stop; // c(t)
  int knots;                                      // of the release where the balance is not linear; 0: none
  double turn_stress;                             // ends the leg too, if crossed in the direction turn_way
  int turn_way;
};

typedef struct stz_load_now {
  double strain[6], stress[6], strain_rate[6], stress_rate[6];
} stz_load_now;

// A type of segment. What is NULL it does not have.
typedef struct stz_segment_kind {
  // What each component is controlled by, and from where: balance.strained, imposed, imposed_rate, component. NULL: the
  // driven component by its strain (stz_control_driven).
  void (*control)(stz_load *load, const stz_segment *segment, const stz_load_now *found);
  // Begins leg `leg`, the strain of the driven component being `strain` and its stress `stress`: calls stz_ramp or
  // stz_ramp_to_stress, and says by last_leg whether it is the last. NULL: the strain does not move by itself.
  void (*leg)(stz_load *load, const stz_segment *segment, int leg, double strain, double stress);
  // What else holds from the start on, the first leg having begun: in which direction its ends are crossed.
  void (*begin)(stz_load *load, const stz_segment *segment, double strain, double stress);
  // Whether events, or legs to come, can yet bring about its end. NULL: they cannot.
  bool (*can_end_later)(const stz_load *load, const stz_segment *segment);
  // Roughly the strain that it comes to, before a run. NULL: it stays.
  double (*reach)(const stz_segment *segment, stz_course *course);
} stz_segment_kind;

const stz_segment_kind *stz_segment_kind_of(stz_segment_type type);

// The driven component by its strain, or by its stress, and what else its mode holds.
void stz_control_driven(stz_load *load, const stz_segment *segment, const stz_load_now *found, bool stressed);

// From now on the strain moves at `rate` towards `target` (NAN: without end). A leg takes time, if only the last bit of
// the clock, so that legs cannot follow each other for ever at one instant.
void stz_ramp(stz_load *load, double from, double rate, double target);

// From now on the strain moves at the size of `rate` until the stress, now `stress`, is `target`.
void stz_ramp_to_stress(stz_load *load, double from, double rate, double stress, double target);

// Whether a value has come to its target in the direction `way` (0: never); false without a target (NAN).
bool stz_reached(double value, double target, int way, double rounding);

// The strain that a strain growing at `rate` comes to, by the first of the segment's ends.
double stz_grown(const stz_segment *segment, const stz_course *course, double rate);

static inline int stz_sign(double x) { return (x > 0.0) - (x < 0.0); }

// A crossing missed by less than this strain (or E times it) is rounding and counts as reached.
#define STZ_LOAD_ROUNDING 1e-14

#endif
