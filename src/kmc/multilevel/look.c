// SPDX-License-Identifier: GPL-3.0-or-later
//
// Looks at the multilevel engine's state, for the rows of the history and for snapshots: nothing here changes it.
#include <assert.h>
#include <string.h>

#include "base/comm.h"
#include "base/mathfn.h"
#include "base/target.h"
#include "kmc/multilevel/multilevel.h"

// The stress of a block's sites, with the uniform part; component c of each row of 8 sites goes to `to` + c stride, at
// the row's place in the grid or, `packed`, in the block. `far`: what stz_far_box gives.
STZ_MULTIVERSION(static void put_block(const stz_multilevel *e, const stz_contrast *contrast, int block,
                                       const float far[5][STZ_ML_SITES], bool packed, float *to, size_t stride)) {
  for (int row = 0; row < STZ_BLOCK_PIECES; row++) {
    float *at = to + (packed ? 8 * row : stz_ml_local(e, STZ_ML_SITES * block + 8 * row));
    for (size_t c = 0; c < 5; c++) {
      const float *restrict smooth = far[c] + 8 * row;
      const int32_t *restrict near = e->rows8[64 * block + row].near[c];
      const float uniform = (float)stz_ml_uniform(e, (int)c), unit = e->split->near_unit;
#pragma omp simd
      for (int l = 0; l < 8; l++) at[c * stride + (size_t)l] = smooth[l] + unit * (float)near[l] + uniform;
    }
    const int64_t first = stz_ml_local(e, STZ_ML_SITES * block + 8 * row);
    for (size_t c = 0; c < 5 && contrast; c++) stz_contrast_dress_rows(contrast, first, 8, at + c * stride);
  }
}

static void find_stress(const stz_kmc *kmc, int block, stz_ml_room *room, bool packed, float *to, size_t stride) {
  const stz_multilevel *e = kmc->state;
  int origin[3];
  assert(!e->shared.pending);
  stz_ml_block_origin(e, block, origin);
  stz_far_box(e->far, origin, room->far);
  put_block(e, kmc->params.contrast, block, (const float(*)[STZ_ML_SITES])room->far, packed, to, stride);
}

typedef struct looking {
  const stz_kmc *kmc;
} looking;

static void find_all(void *context, int64_t first, int64_t end, int worker) {
  const stz_kmc *kmc = ((const looking *)context)->kmc;
  const stz_multilevel *e = kmc->state;
  for (int b = (int)first; b < (int)end; b++) {
    find_stress(kmc, b, &e->rooms[worker], false, e->stress, stz_field_stride(e->grid));
  }
}

const float *stz_ml_stress(const stz_kmc *kmc, int c) {
  stz_multilevel *e = kmc->state;
  looking all = {kmc};
  stz_ml_settle(kmc);
  if (e->stress_at != kmc->stats.events) stz_team_run(stz_grid_team(e->grid), e->blocks, STZ_ML_PART, find_all, &all);
  e->stress_at = kmc->stats.events;
  return e->stress + (size_t)c * stz_field_stride(e->grid);
}

// The same into the room: from where stz_ml_stress has put it if no event has happened since, with the same bits.
static void pack_block(const stz_kmc *kmc, const stz_multilevel *e, int block, stz_ml_room *room) {
  if (e->stress_at != kmc->stats.events) {
    find_stress(kmc, block, room, true, room->s[0], STZ_ML_SITES);
    return;
  }
  for (int row = 0; row < STZ_BLOCK_PIECES; row++) {
    const float *from = e->stress + stz_ml_local(e, STZ_ML_SITES * block + 8 * row);
    for (size_t c = 0; c < 5; c++) memcpy(room->s[c] + 8 * row, from + c * stz_field_stride(e->grid), 8 * sizeof *from);
  }
}

// What the parts of a row of the history share: for each block the sum of rates, the second sum of stz_rates_net, and
// that of the bounds.
typedef struct row {
  const stz_kmc *kmc;
  const stz_multilevel *e;
  stz_law law;
  double *sum, *axial, *bound;
} row;

// Adds the driving stress of the mean, and has the axes of the axial strain in room->far.
static void load_block(const row *r, int block, stz_ml_room *room) {
  const stz_loading loading = stz_contrast_loading(r->law.stress, NULL);
  for (int i = 0; i < STZ_BLOCK_PIECES; i++) {
    const int64_t first = stz_ml_local(r->e, STZ_ML_SITES * block + 8 * i);
    float *s[5], *axis[5];
    for (int c = 0; c < 5; c++) {
      s[c] = room->s[c] + 8 * i;
      axis[c] = room->far[c] + 8 * i;
    }
    stz_contrast_load_rows(r->kmc->params.contrast, &loading, first, 8, s);
    stz_kmc_axis_rows(r->kmc, first, 8, axis);
  }
}

// Barriers are those of the glass. The engine's state is not touched.
static void rate_blocks(void *context, int64_t first, int64_t end, int worker) {
  const row *r = context;
  const stz_multilevel *e = r->e;
  stz_ml_room *room = &e->rooms[worker];
  const float *const s[5] = {room->s[0], room->s[1], room->s[2], room->s[3], room->s[4]};
  for (int b = (int)first; b < (int)end; b++) {
    pack_block(r->kmc, e, b, room);
    for (int i = 0; i < STZ_BLOCK_PIECES; i++) {
      const int64_t at = stz_ml_local(e, STZ_ML_SITES * b + 8 * i);
      memcpy(room->barrier + 8 * i, stz_glass_barrier(r->kmc->glass) + at, 8 * sizeof *room->barrier);
      memcpy(room->rotation + 8 * i, stz_glass_rotation(r->kmc->glass) + at, 8 * sizeof *room->rotation);
    }
    const float *const axis[5] = {room->far[0], room->far[1], room->far[2], room->far[3], room->far[4]};
    if (r->kmc->params.contrast) load_block(r, b, room);
    r->sum[b] = stz_rates_net(&r->law, stz_glass_modes(r->kmc->glass), STZ_ML_SITES, s, room->barrier, room->rotation,
                              r->kmc->params.contrast ? axis : NULL, room->rates, &r->axial[b]);
    r->bound[b] = e->head->put_off ? 0.0 : stz_ml_bound_of_block(e, b);
  }
}

// A law that says too low a bound on the growth of its rates shows here, however few events it leaves: the sum of all
// rates (in attempt rates) is above that of their bounds, of which it is 0.14 at most in the runs of inputs/. Damage
// that recovers makes rates fall with time, and the bounds may be those of a later time.
static stz_err check_bound(const stz_kmc *kmc, const stz_mean_stress *mean, double sum, const double *bounds) {
  const stz_multilevel *e = kmc->state;
  const stz_ml_head *h = e->head;
  if (h->stale || stz_glass_recovery_state(kmc->glass).most > 0.0) return STZ_OK;
  const double bound = h->put_off ? stz_ml_most(e) : stz_ordered_sum(bounds, e->blocks);
  return stz_ml_check_sum(sum, bound * stz_exp(stz_ml_excess(kmc, mean, 0.0)), mean->t0);
}

stz_err stz_ml_rates(stz_kmc *kmc, const stz_mean_stress *mean, double *total, double *plastic_rate) {
  stz_multilevel *e = kmc->state;
  const stz_stz_params *stz = stz_glass_stz(kmc->glass);
  row r = {.kmc = kmc,
           .e = e,
           .sum = e->row_sums,
           .axial = e->row_sums + e->blocks,
           .bound = e->row_sums + 2 * (size_t)e->blocks};
  stz_ml_settle(kmc);
  stz_law_set(&r.law, stz, stz_glass_modes(kmc->glass), mean->temperature_K, mean->stress);
  r.law = stz_kmc_local_law(kmc, &r.law);
  if (kmc->params.contrast) stz_contrast_aim(kmc->params.contrast, mean->stress);
  if (e->rated_at == kmc->stats.events) (void)stz_ml_stress(kmc, 0); // as long as nothing happens, rows share it
  e->rated_at = kmc->stats.events;
  stz_team_run(stz_grid_team(e->grid), e->blocks, STZ_ML_PART, rate_blocks, &r);
  const double sum = stz_ordered_sum(r.sum, e->blocks);
  *total = kmc->attempt * sum;
  *plastic_rate =
      stz_ordered_sum(r.axial, e->blocks) * stz->gamma0 * kmc->attempt * stz->volume_nm3 / stz_grid_volume(e->grid);
  return check_bound(kmc, mean, sum, r.bound);
}

void stz_ml_self_stress(const stz_kmc *kmc, int layer, double self[5][5]) {
  const stz_multilevel *e = kmc->state;
  for (int c = 0; c < 5; c++) {
    for (int d = 0; d < 5; d++) {
      self[c][d] = e->split->film ? e->split->self[layer][c][d] : (double)e->split->whole[8 * stz_elastic_pair(c, d)];
    }
  }
}

void stz_ml_stress_of(const stz_kmc *kmc, int64_t local, float stress[5]) {
  const stz_multilevel *e = kmc->state;
  int xyz[3];
  stz_grid_coords(e->grid, local, xyz); // one rank: local is global
  stz_ml_settle(kmc);
  stz_ml_site_stress(e, stz_ml_number(e, xyz), stress);
  const float dress = stz_kmc_dress(kmc, local);
  for (int c = 0; c < 5; c++) stress[c] = dress * (stress[c] + (float)stz_ml_uniform(e, c));
}
