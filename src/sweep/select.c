// SPDX-License-Identifier: GPL-3.0-or-later
#include "sweep/select.h"

#include "base/memory.h"

stz_err stz_sweep_select(const stz_plan *plan, const stz_sweep_choice *choice, int *runs, int *count) {
  bool *chosen = NULL;
  STZ_TRY(STZ_NEW(chosen, plan->count));
  stz_err err = choice->only ? stz_plan_choose(plan, choice->only, chosen) : STZ_OK;
  *count = 0;
  for (int i = 0; i < plan->count && err == STZ_OK; i++) {
    const int run = plan->order[i];
    // By turns along the order of cost, so that each part has its share of the long runs.
    if ((choice->only && !chosen[run]) || i % choice->shards != choice->shard) continue;
    runs[(*count)++] = run;
  }
  stz_free(chosen);
  return err;
}

int stz_sweep_groups(int ranks, int ranks_per_run) { return ranks / ranks_per_run; }

// Ranks that are left over strengthen some groups.
int stz_sweep_group(int rank, int ranks, int ranks_per_run) {
  return (int)((long long)rank * stz_sweep_groups(ranks, ranks_per_run) / ranks);
}

stz_err stz_sweep_check_ranks(int ranks, int ranks_per_run) {
  if (ranks_per_run <= ranks) return STZ_OK;
  return stz_fail(STZ_EINPUT, "--ranks-per-run: got %d, needs at most the number of ranks, %d", ranks_per_run, ranks);
}
