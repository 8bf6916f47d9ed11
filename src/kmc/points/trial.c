// SPDX-License-Identifier: GPL-3.0-or-later
#include "kmc/points/trial.h"

static const double TRIAL = 512.0;                        // events of each way
static const double REST = 16384.0, MOST_REST = 262144.0; // events between trials: more if they find the same

static void begin_trial(stz_trial *p) {
  for (int way = 0; way < 2; way++) p->seconds[way] = p->done[way] = 0.0;
  p->tries = 2;
  p->left = TRIAL;
}

void stz_trial_begin(stz_trial *p) {
  *p = (stz_trial){.rest = REST, .way = 1};
  begin_trial(p);
}

static int faster(const stz_trial *p) { return p->seconds[1] * p->done[0] < p->seconds[0] * p->done[1]; }

// The way that the trial has begun with is the one in use before it.
static void end_trial(stz_trial *p) {
  const int before = 1 - p->way, now = faster(p);
  p->rest = now != before ? REST : 2.0 * p->rest < MOST_REST ? 2.0 * p->rest : MOST_REST;
  p->way = now;
  p->left = p->rest;
}

void stz_trial_add(stz_trial *p, double done, double seconds) {
  p->seconds[p->way] += seconds;
  p->done[p->way] += done;
  p->left -= done;
  if (p->left > 0.0) return;
  if (p->tries == 0) {
    begin_trial(p);
  } else if (--p->tries > 0) {
    p->way = 1 - p->way;
    p->left = TRIAL;
  } else {
    end_trial(p);
  }
}
