// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/kmc: not installed.
//
// Events found ahead of the caller, by the workers of the team side by side: each finds those of its tile in a window
// of time, all check what they have found against each other, and the window is cut before the first decision that does
// not hold. The trajectory is that of finding one event after the other (docs/theory-windows.md). The caller gets the
// events one by one, and the engine's state is that after all of them: nobody may look at it until they are used up.
#ifndef STZ_KMC_AHEAD_H
#define STZ_KMC_AHEAD_H

#include "kmc/points/inside.h"

typedef struct stz_ahead stz_ahead;

// Does nothing where the engine has one tile.
stz_err stz_ahead_create(stz_points *x, const stz_kmc_load *load, stz_ahead **ahead) STZ_MUST_USE;
void stz_ahead_destroy(stz_ahead **ahead);

// Finds events, if that pays now; the mean stress is `mean`. True if there is one.
bool stz_ahead_find(stz_ahead *ahead, const stz_mean_stress *mean, double limit);

// The next of the events that are found, NULL if there is none; with its strain, and the stress at its site just before
// it. And goes on to the one after it.
typedef struct stz_ahead_event {
  stz_event event;
  double strain[6];
  float internal[5];
} stz_ahead_event;
const stz_ahead_event *stz_ahead_next(const stz_ahead *ahead);
void stz_ahead_pass(stz_ahead *ahead);

// Around the engine's part of a search and of an event, whose time says whether windows pay. Of NULL nothing.
void stz_ahead_enter(stz_ahead *ahead);
void stz_ahead_leave(stz_ahead *ahead);

// What was found is forgotten: the state was filled anew.
void stz_ahead_forget(stz_ahead *ahead);

// The engine's stress was found anew.
void stz_ahead_refill(stz_ahead *ahead);

// For benches. Of windows those that a decision has cut short, and what the work took: the sum, over the steps of all
// tiles, of the processor time of the tile that took longest, and that of what one worker does for all. Times from
// stz_ahead_time on.
typedef struct stz_ahead_counts {
  uint64_t windows, events, cut, alone; // alone: events that were looked for by themselves
  uint64_t found, again;                // events that tiles have found; decisions made again
  double longest_s, common_s;
} stz_ahead_counts;
stz_ahead_counts stz_ahead_count(const stz_ahead *ahead);
void stz_ahead_time(stz_ahead *ahead);

#endif
