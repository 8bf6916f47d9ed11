// SPDX-License-Identifier: GPL-3.0-or-later
//
// The work of one event on many cores: what it adds to levels and rows, the bounds that follow, and updates of blocks.
// Each part has nodes or rows of its own, so that the bits are those of the serial calls.
#include <string.h>

#include "kmc/multilevel/multilevel.h"

// A share takes some microseconds; of the levels the more there are the more work they are together. The near part
// needs no more than STZ_NEAR_SHARES.
enum { NEAR_SHARES = 8 };
static int level_shares(const stz_multilevel *e) { return stz_team_workers(stz_grid_team(e->grid)) > 2 ? 4 : 2; }

// Whether a selection of its own is told: then sums of bounds, which have an order, are not kept.
static bool is_told(const stz_multilevel *e) { return e->selection.bounded != NULL; }

// Recomputes the exhausted bounds of the rows of a share, and tells the selection of them.
static void bound_share(const stz_kmc *kmc, int share, int worker, const stz_exhausted *exhausted, int rows8) {
  stz_multilevel *e = kmc->state;
  stz_ml_list *list = &e->lists[worker];
  int32_t told[STZ_NEAR_PIECES];
  const int n = stz_ml_list_exhausted(list, exhausted, rows8, 0);
  e->shared.bounds[share] = n;
  if (n > 0) {
    stz_ml_cached_of_list(e, list, n);
    stz_ml_set_bounds(kmc, list, n);
  }
  int many = 0;
  for (int i = 0; i < rows8; i++) {
    if (exhausted[i].lanes) told[many++] = exhausted[i].row8;
  }
  e->selection.share(e->selection.context, worker, told, many);
}

// Parts of an event beyond those of the levels, of which there are `far`.
enum { ADD = 0, DRIFT = NEAR_SHARES, BOUND = DRIFT + 1 };

// A part that is done ahead of the glass, or the one that has waited for it.
static void take_ahead(const stz_kmc *kmc, int part, int worker) {
  stz_multilevel *e = kmc->state;
  const stz_ml_shared *s = &e->shared;
  stz_exhausted *exhausted;
  if (part < DRIFT) {
    (void)stz_near_add_share(e->near, part, NEAR_SHARES, worker, s->origin, s->strain, s->slope, e->rows8, &exhausted);
  } else if (part == DRIFT) {
    int32_t near[STZ_ML_SPREAD * STZ_ML_SPREAD * STZ_ML_SPREAD];
    (void)stz_ml_add_drift(e, s->origin, near);
  } else {
    const int share = part - BOUND,
              rows8 = stz_near_scan_share(e->near, share, NEAR_SHARES, worker, s->origin, e->rows8, &exhausted);
    stz_ml_loosen_rows(e, rows8, exhausted);
    bound_share(kmc, share, worker, exhausted, rows8);
  }
}

// One part of an event.
static void take_part(void *context, int64_t first, int64_t end, int worker) {
  const stz_kmc *kmc = context;
  const stz_multilevel *e = kmc->state;
  const stz_ml_shared *s = &e->shared;
  const int each = level_shares(e), far = stz_far_shares(e->far, each), part = (int)first;
  (void)end;
  if (part < far) {
    stz_far_add_share(e->far, part, each, s->origin, s->strain);
    return;
  }
  if (s->ahead) {
    take_ahead(kmc, part - far, worker);
    return;
  }
  stz_exhausted *exhausted;
  const int rows8 = stz_near_add_share(e->near, part - far, NEAR_SHARES, worker, s->origin, s->strain, s->slope,
                                       e->rows8, &exhausted);
  stz_ml_loosen_rows(e, rows8, exhausted);
  if (is_told(e)) bound_share(kmc, part - far, worker, exhausted, rows8);
}

void stz_ml_post_event(stz_kmc *kmc, const int origin[3], const float d[5]) {
  stz_multilevel *e = kmc->state;
  stz_team *team = stz_grid_team(e->grid);
  stz_ml_shared *s = &e->shared;
  *s = (stz_ml_shared){.posted = true, .pending = true, .ahead = is_told(e) && !e->film, .slope = stz_ml_slope(e)};
  memcpy(s->origin, origin, sizeof s->origin);
  memcpy(s->strain, d, sizeof s->strain);
  stz_team_post(team, stz_far_shares(e->far, level_shares(e)), take_part, kmc);
  if (s->ahead) stz_team_post_urgent(team, BOUND, take_part, kmc);
}

bool stz_ml_await_near(stz_kmc *kmc) {
  const stz_multilevel *e = kmc->state;
  if (!e->shared.posted || !e->shared.ahead) return false;
  stz_team_join_urgent(stz_grid_team(e->grid));
  return true;
}

void stz_ml_settle(const stz_kmc *kmc) {
  stz_multilevel *e = kmc->state;
  if (e->shared.pending) stz_team_join(stz_grid_team(e->grid));
  e->shared.pending = false;
}

// By the team. Returns the rows that are left.
static int add_shares(stz_kmc *kmc, stz_exhausted **exhausted) {
  stz_multilevel *e = kmc->state;
  stz_team *team = stz_grid_team(e->grid);
  stz_team_post_urgent(team, NEAR_SHARES, take_part, kmc);
  e->shared.posted = false;
  if (!is_told(e)) {
    stz_ml_settle(kmc);
    return stz_near_gather(e->near, NEAR_SHARES, exhausted);
  }
  stz_team_join_urgent(team);
  for (int share = 0; share < NEAR_SHARES; share++) kmc->stats.bounds += (uint64_t)e->shared.bounds[share];
  e->selection.gather(e->selection.context);
  *exhausted = NULL;
  return 0;
}

int stz_ml_add_event(stz_kmc *kmc, const int origin[3], const float strain[5], stz_exhausted **exhausted) {
  stz_multilevel *e = kmc->state;
  int rows8;
  if (e->shared.posted) {
    rows8 = add_shares(kmc, exhausted);
  } else {
    stz_ml_settle(kmc);
    rows8 = stz_near_add(e->near, origin, strain, stz_ml_slope(e), e->rows8, exhausted);
    stz_ml_loosen_rows(e, rows8, *exhausted);
    stz_far_add(e->far, origin, strain);
  }
  stz_ml_sum_loosened(e, rows8, *exhausted);
  return rows8;
}

// --- blocks ---

static void update_part(void *context, int64_t first, int64_t end, int worker) {
  const stz_kmc *kmc = context;
  stz_multilevel *e = kmc->state;
  for (int64_t i = first; i < end; i++) {
    int32_t told[STZ_BLOCK_PIECES];
    const int block = e->updates[i].block;
    e->updates[i] = stz_ml_update_block(kmc, block, &e->rooms[worker]);
    if (!is_told(e)) continue;
    for (int row = 0; row < STZ_BLOCK_PIECES; row++) told[row] = block * STZ_BLOCK_PIECES + row;
    e->selection.share(e->selection.context, worker, told, STZ_BLOCK_PIECES);
  }
}

void stz_ml_update_blocks(stz_kmc *kmc, int count) {
  const stz_multilevel *e = kmc->state;
  stz_team *team = stz_grid_team(e->grid);
  if (count == 0) return;
  stz_ml_settle(kmc);
  if (stz_team_brisk(team)) {
    stz_team_post(team, count, update_part, kmc);
    stz_team_join(team);
  } else {
    update_part(kmc, 0, count, 0);
  }
  if (is_told(e)) e->selection.gather(e->selection.context);
}

const stz_ml_update *stz_ml_fold(stz_kmc *kmc, const int32_t *blocks, int count) {
  stz_multilevel *e = kmc->state;
  for (int i = 0; i < count; i++) e->updates[i].block = blocks[i];
  stz_ml_update_blocks(kmc, count);
  for (int i = 0; i < count; i++) e->drift[blocks[i]] = -((float)e->head->everywhere + STZ_ML_GRAIN - STZ_ML_GRAIN);
  kmc->stats.folds += (uint64_t)count;
  return e->updates;
}
