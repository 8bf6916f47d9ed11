// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/sweep: not installed.
//
// Which runs a job is to see to.
#ifndef STZ_SWEEP_SELECT_H
#define STZ_SWEEP_SELECT_H

#include "sweep/sweep.h"

// The chosen runs of a plan, longest first, in runs[plan->count]. Local. Fails with STZ_EINPUT.
stz_err stz_sweep_select(const stz_plan *plan, const stz_sweep_choice *choice, int *runs, int *count) STZ_MUST_USE;

// The number of groups that the ranks are split into, and the one that a rank belongs to.
int stz_sweep_groups(int ranks, int ranks_per_run);
int stz_sweep_group(int rank, int ranks, int ranks_per_run);

// STZ_EINPUT if the ranks do not suffice for a group.
stz_err stz_sweep_check_ranks(int ranks, int ranks_per_run) STZ_MUST_USE;

#endif
