// SPDX-License-Identifier: GPL-3.0-or-later
//
// The work of one event on many cores: what it adds to the levels, what it does to the glass, and updates of blocks.
// Each part has nodes, or blocks, of its own, so that the bits are those of the serial calls. The near part is not
// shared: its rows would go from one core's cache to the other's and back, for more than what is won.
#include <string.h>

#include "kmc/multilevel/multilevel.h"

// Shares of each level. They take some microseconds each; the more there are the more evenly the workers end with them,
// and the more work they are together.
enum { SHARES = 4 };

// Whether a selection of its own is told: then sums of bounds, which have an order, are not kept.
static bool is_told(const stz_multilevel *e) { return e->selection.bounded != NULL; }

// One part of an event: the glass, where the team has it, then the shares of the levels.
static void take_part(void *context, int64_t first, int64_t end, int worker) {
  const stz_kmc *kmc = context;
  const stz_multilevel *e = kmc->state;
  const stz_ml_shared *s = &e->shared;
  const int share = (int)first - s->glass;
  double strain[6];
  (void)end;
  (void)worker;
  if (share < 0)
    stz_glass_shear(kmc->glass, &s->shear, strain);
  else
    stz_far_add_share(e->far, share, SHARES, s->origin, s->strain);
}

bool stz_ml_post_event(stz_kmc *kmc, const stz_shear *shear, const int origin[3], const float d[5]) {
  stz_multilevel *e = kmc->state;
  stz_team *team = stz_grid_team(e->grid);
  stz_ml_shared *s = &e->shared;
  *s = (stz_ml_shared){.posted = true, .pending = true, .glass = stz_ml_is_early(e), .shear = *shear};
  memcpy(s->origin, origin, sizeof s->origin);
  memcpy(s->strain, d, sizeof s->strain);
  if (s->glass) stz_team_post_urgent(team, 1, take_part, kmc);
  stz_team_post(team, stz_far_shares(e->far, SHARES), take_part, kmc);
  return s->glass;
}

void stz_ml_await_glass(const stz_kmc *kmc) {
  const stz_multilevel *e = kmc->state;
  if (e->shared.pending && e->shared.glass) stz_team_join_urgent(stz_grid_team(e->grid));
}

void stz_ml_settle(const stz_kmc *kmc) {
  stz_multilevel *e = kmc->state;
  if (e->shared.pending) stz_team_join(stz_grid_team(e->grid));
  e->shared.pending = false;
}

int stz_ml_add_event(stz_kmc *kmc, const int origin[3], const float strain[5], stz_exhausted **exhausted) {
  stz_multilevel *e = kmc->state;
  const bool posted = e->shared.posted;
  e->shared.posted = false;
  if (!posted) stz_ml_settle(kmc);
  const int rows8 = stz_near_add(e->near, origin, strain, stz_ml_slope(e), e->rows8, exhausted);
  stz_ml_loosen_rows(e, rows8, *exhausted);
  if (!posted) stz_far_add(e->far, origin, strain);
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
  if (count == 0) return;
  stz_ml_settle(kmc);
  stz_team_share(stz_grid_team(e->grid), count, update_part, kmc);
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
