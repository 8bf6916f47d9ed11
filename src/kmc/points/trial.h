// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/kmc: not installed.
//
// Which of two ways to do the same work is faster, from how long they take: each is tried for a while, the faster one
// is kept for longer, and so on. The results must not depend on the way.
#ifndef STZ_KMC_TRIAL_H
#define STZ_KMC_TRIAL_H

typedef struct stz_trial {
  double seconds[2], done[2]; // of a trial
  double left;                // until the next trial, or of a way's part of this one
  double rest;                // between trials
  int way;                    // the present one, 0 or 1
  int tries;                  // ways that the trial still has to try; 0: no trial
} stz_trial;

// Begins with a trial.
void stz_trial_begin(stz_trial *trial);

// So much was done, in so many seconds.
void stz_trial_add(stz_trial *trial, double done, double seconds);

#endif
