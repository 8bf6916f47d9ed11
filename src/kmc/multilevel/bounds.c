// SPDX-License-Identifier: GPL-3.0-or-later
//
// The multilevel engine's bounds: how they are set, exhausted, and recomputed.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mathfn.h"
#include "base/target.h"
#include "base/tensor.h"
#include "base/units.h"
#include "kmc/multilevel/multilevel.h"
#include "stz/power2.h"

static const float RESERVE = 1.5f;           // ln: margin for the drift of a block between updates of its bounds
static const float LARGEST = 30.0f;          // no site has a higher rate, in attempt rates
static const float TARGET = 0.8f;            // fraction of the margin that the drift of a block may use
static const float THRESHOLD = 3.0f;         // initial limit of the drift estimate
static const double LEARNING = 1.0 / 64;     // weight of one update in the running mean of the limit
static const float LOOSEST = 8.0f;           // largest limit
static const float SOFTENED = 3.0f;          // the same where events soften their surroundings: slip in bands adds up
static const float ROOM = 1.0f;              // slack of a bound that is raised
static const float EXP_ROOM_10 = 59874.142f; // exp(ROOM + 10)

// --- bounds ---

static stz_row8 *rows8_of(const stz_multilevel *e, int block) { return e->rows8 + (size_t)block * STZ_BLOCK_PIECES; }

// ln x, accuracy 2e-4, x positive and normal; used only for slack.
static inline __attribute__((always_inline)) float rough_ln(float x) {
  int32_t bits;
  memcpy(&bits, &x, sizeof bits);
  const int32_t exponent = (bits - 0x3f2aaaab) >> 23; // mantissa in [2/3, 4/3)
  bits -= (int32_t)((uint32_t)exponent << 23);
  float m;
  memcpy(&m, &bits, sizeof m);
  const float t = (m - 1.0f) / (m + 1.0f), t2 = t * t;
  return __builtin_fmaf((float)exponent, (float)STZ_LN2,
                        2.0f * t * __builtin_fmaf(t2, __builtin_fmaf(t2, 0.2f, 0.33333333f), 1.0f));
}

static inline __attribute__((always_inline)) float bound_of(float rate, float least, float factor) {
  const float bound = __builtin_fmaf(rate, factor, least);
  return bound < LARGEST ? bound : LARGEST;
}

// In units of STZ_SLACK.
static inline __attribute__((always_inline)) float slack_of(float bound, float rate) {
  const float low = rate > 1e-30f ? rate : 1e-30f;
  return bound < LARGEST ? (rough_ln(bound / low) - RESERVE) * (1.0f / STZ_SLACK) : 1e30f;
}

static float factor(const stz_multilevel *e) { return (float)stz_exp((double)(RESERVE + e->spare)); }

// The least bound: all least bounds together cause e->waste proposals per event.
static float least_bound(const stz_multilevel *e) {
  if (e->selection.bounded) return e->selection.least;
  const double now = e->head->total * e->head->accepted, activity = 4.0 * e->head->activity;
  return (float)(e->waste * fmin(now, activity) / (double)stz_grid_sites(e->grid));
}

static inline __attribute__((always_inline)) float sum_row(const float *b) {
  return ((b[0] + b[4]) + (b[2] + b[6])) + ((b[1] + b[5]) + (b[3] + b[7]));
}

// Bounds and slacks of a block from its rates.
STZ_MULTIVERSION(static void bound_block(const float *restrict rates, float least, float most, stz_row8 *rows8,
                                         float *restrict row_sum)) {
  for (int row = 0; row < STZ_BLOCK_PIECES; row++) {
    stz_row8 *p = rows8 + row;
    float slack[8];
#pragma omp simd
    for (int l = 0; l < 8; l++) {
      const float b = bound_of(rates[8 * row + l], least, most);
      p->bound[l] = b;
      slack[l] = slack_of(b, rates[8 * row + l]);
    }
    stz_to_fixed(slack, p->slack);
    row_sum[row] = sum_row(p->bound);
  }
}

typedef struct inspection {
  double excess; // sum of the excess of rates over their bounds
  float used;    // largest part of the margin that the drift has used, ln
  int above;     // sites above their bounds
} inspection;

// Compares the rates of a block with its bounds before these are recomputed.
STZ_MULTIVERSION(static inspection inspect(const float *restrict rates, const stz_row8 *restrict rows8)) {
  float excess[8] = {0}, used[8] = {0}, above[8] = {0};
  for (int row = 0; row < STZ_BLOCK_PIECES; row++) {
    float units[8];
    stz_from_fixed(rows8[row].slack, units);
#pragma omp simd
    for (int l = 0; l < 8; l++) {
      const float r = rates[8 * row + l], b = rows8[row].bound[l], slack = STZ_SLACK * units[l];
      const float low = r > 1e-30f ? r : 1e-30f, over = r - b;
      const float drift = b < LARGEST && r > 1e-30f ? slack + RESERVE - rough_ln(b / low) : 0.0f;
      excess[l] += over > 0.0f ? over : 0.0f;
      above[l] += over > 0.0f ? 1.0f : 0.0f;
      used[l] = drift > used[l] ? drift : used[l];
    }
  }
  inspection found = {0};
  for (int l = 0; l < 8; l++) {
    found.excess += (double)excess[l];
    found.above += (int)above[l];
    found.used = used[l] > found.used ? used[l] : found.used;
  }
  return found;
}

static float *rows_of(const stz_multilevel *e, int block) { return e->row_sum + (size_t)block * STZ_BLOCK_PIECES; }

static double sum_rows(const float *row) {
  double sum = 0.0;
  for (int i = 0; i < STZ_BLOCK_PIECES; i++) sum += (double)row[i];
  return sum;
}

// Sums of a group and of all after some of its blocks have changed.
static void sum_group(stz_multilevel *e, int group) {
  const int first = group * STZ_ML_GROUP, last = first + STZ_ML_GROUP < e->blocks ? first + STZ_ML_GROUP : e->blocks;
  double sum = 0.0;
  for (int b = first; b < last; b++) sum += e->block_sum[b];
  e->group_sum[group] = sum;
}

static void sum_all(stz_multilevel *e) {
  e->head->total = 0.0;
  for (int g = 0; g < e->groups; g++) e->head->total += e->group_sum[g];
}

double stz_ml_drift_estimate(const stz_multilevel *e, int32_t number) {
  const int block = number / STZ_ML_SITES;
  const double exhausted = ((double)e->drift[block] + e->head->everywhere) / (double)stz_ml_drift_limit(e, block);
  return (double)RESERVE * sqrt(fmin(1.0, fmax(0.0, exhausted)));
}

static void tell_all(stz_ml_selection *s) {
  if (s->count > 0) s->bounded(s->context, s->rows8, s->count);
  s->count = 0;
}

// Notes a row of 8 whose bounds have changed, for the selection.
static inline __attribute__((always_inline)) void note(stz_ml_selection *s, int32_t row8) {
  if (s->count == STZ_ML_TOLD) tell_all(s);
  s->rows8[s->count++] = row8;
}

void stz_ml_adapt_limit(const stz_kmc *kmc, int block, float share, float loosest) {
  stz_multilevel *e = kmc->state;
  const float change = share < 0.4f ? 0.4f : share > 1.3f ? 1.3f : share;
  const float most = stz_glass_recovery_state(kmc->glass).most > 0.0 ? SOFTENED : loosest;
  e->drift_limit[block] = fminf(most, stz_ml_drift_limit(e, block) * change);
}

void stz_ml_learn_typical(stz_multilevel *e, int block) {
  e->head->typical *= 1.0 + LEARNING * (fmin(2.0, (double)e->drift_limit[block] / e->head->typical) - 1.0);
}

stz_ml_update stz_ml_update_block(const stz_kmc *kmc, int block, stz_ml_room *room) {
  const stz_multilevel *e = kmc->state;
  stz_ml_update u = {.block = block};
  (void)stz_ml_block_rates(kmc, e, &e->law, block, room, &u.moved);
  if (!e->selection.bounded) {
    const inspection found = inspect(room->rates, rows8_of(e, block));
    u.excess = found.excess;
    u.used = found.used;
    u.above = found.above;
  }
  bound_block(room->rates, least_bound(e), factor(e), rows8_of(e, block), rows_of(e, block));
  return u;
}

// What an update of a block means beyond it.
static void note_update(stz_kmc *kmc, const stz_ml_update *u) {
  stz_multilevel *e = kmc->state;
  const int block = u->block;
  stz_ml_adapt_limit(kmc, block, TARGET * RESERVE / (u->used > 0.1f ? u->used : 0.1f), LOOSEST);
  stz_ml_learn_typical(e, block);
  if (u->above) {
    kmc->stats.violations += (uint64_t)u->above;
    kmc->stats.missed += (double)(kmc->stats.events - e->cached[block]) * u->excess /
                         fmax(e->head->total * e->head->accepted, u->excess);
  }
  e->block_sum[block] = sum_rows(rows_of(e, block));
  e->drift[block] = -(float)e->head->everywhere;
  e->cached[block] = kmc->stats.events;
  kmc->stats.folds++;
  e->changed[block / STZ_ML_GROUP] = 1;
}

// Updates those of the blocks that have reached a limit of their own: what other updates learn does not move it.
// Returns their number, at most STZ_TEAM_POSTED.
static int update_sure(stz_kmc *kmc, const int32_t *blocks, int count) {
  stz_multilevel *e = kmc->state;
  int known = 0;
  for (int i = 0; i < count && known < STZ_TEAM_POSTED; i++) {
    const int block = blocks ? blocks[i] : i;
    if (e->drift_limit[block] > 0.0f && stz_ml_used(e, block)) e->updates[known++].block = block;
  }
  stz_ml_update_blocks(kmc, known);
  return known;
}

void stz_ml_rebound_due(stz_kmc *kmc, const int32_t *blocks, int count) {
  stz_multilevel *e = kmc->state;
  const int known = stz_team_brisk(stz_grid_team(e->grid)) ? update_sure(kmc, blocks, count) : 0;
  for (int i = 0, next = 0; i < count; i++) {
    const int block = blocks ? blocks[i] : i;
    if (!stz_ml_used(e, block)) continue;
    const bool done = next < known && e->updates[next].block == block;
    if (!done) stz_ml_settle(kmc);
    const stz_ml_update u = done ? e->updates[next++] : stz_ml_update_block(kmc, block, &e->rooms[0]);
    note_update(kmc, &u);
  }
}

double stz_ml_margin(void) { return (double)RESERVE; }

double stz_ml_largest(void) { return (double)LARGEST; }

// --- all bounds ---

// Whether the near stress of a block is within half of the range of its 32 bits: no sum leaves it until the next sweep.
static bool in_range(const stz_row8 *rows8) {
  int32_t magnitudes = 0;
  for (int row = 0; row < STZ_BLOCK_PIECES; row++) {
    for (int i = 0; i < STZ_NEAR_PARTS * 8; i++) {
      const int32_t near = rows8[row].near[i / 8][i % 8];
      magnitudes |= near < 0 ? ~near : near;
    }
  }
  return magnitudes >> 30 == 0;
}

static stz_err beyond_range(float unit, double t) {
  return stz_fail(STZ_ENUMERIC, "the stress of a site is beyond %.3g GPa at %g s", (double)unit * 0x1p30 / STZ_GPA, t);
}

stz_err stz_ml_check_nodes(const stz_multilevel *e, double t) {
  return stz_far_in_range(e->far) ? STZ_OK : beyond_range(e->split->level_unit, t);
}

// What the parts of setting all bounds share.
typedef struct setting {
  stz_kmc *kmc;
  stz_multilevel *e;
  float least; // bound
} setting;

static const double BEYOND_RANGE = -1.0; // in place of a block's sum of rates

// The rates of blocks, for now in the place of the bounds, and their sums in that of the sums of bounds.
static void rate_blocks(void *context, int64_t first, int64_t end, int worker) {
  const setting *t = context;
  stz_ml_room *room = &t->e->rooms[worker];
  for (int b = (int)first; b < (int)end; b++) {
    stz_row8 *rows8 = rows8_of(t->e, b);
    stz_ml_copy_glass(t->kmc, t->e, b);
    t->e->block_sum[b] = BEYOND_RANGE;
    if (!in_range(rows8)) continue;
    t->e->block_sum[b] = stz_ml_block_rates(t->kmc, t->e, &t->e->law, b, room, NULL);
    for (int row = 0; row < STZ_BLOCK_PIECES; row++)
      memcpy(rows8[row].bound, room->rates + 8 * row, sizeof rows8->bound);
  }
}

static void bound_blocks(void *context, int64_t first, int64_t end, int worker) {
  const setting *t = context;
  stz_multilevel *e = t->e;
  float *rates = e->rooms[worker].rates;
  for (int b = (int)first; b < (int)end; b++) {
    stz_row8 *rows8 = rows8_of(e, b);
    for (int row = 0; row < STZ_BLOCK_PIECES; row++) memcpy(rates + 8 * row, rows8[row].bound, sizeof rows8->bound);
    bound_block(rates, t->least, factor(e), rows8, rows_of(e, b));
    e->block_sum[b] = sum_rows(rows_of(e, b));
    e->drift[b] = 0.0f;
    e->cached[b] = t->kmc->stats.events;
  }
}

stz_err stz_ml_rebound_all(stz_kmc *kmc, double recovery, double t) {
  stz_multilevel *e = kmc->state;
  stz_ml_head *h = e->head;
  setting all = {.kmc = kmc, .e = e};
  stz_ml_settle(kmc);
  STZ_TRY(stz_ml_check_nodes(e, t));
  h->ahead = 0.0;
  h->put_off = 0;
  stz_glass_soften(kmc->glass, recovery);
  if (kmc->params.contrast) stz_contrast_aim(kmc->params.contrast, h->applied);
  stz_team_run(stz_grid_team(e->grid), e->blocks, STZ_ML_PART, rate_blocks, &all);
  h->activity = 0.0;
  for (int b = 0; b < e->blocks; b++) {
    if (e->block_sum[b] == BEYOND_RANGE) return beyond_range(e->split->near_unit, t);
    h->activity += e->block_sum[b];
  }
  if (!isfinite(h->activity)) return stz_fail(STZ_ENUMERIC, "the sum of all rates is %g at %g s", h->activity, t);
  h->total = h->activity;
  h->accepted = 1.0;
  if (e->selection.plan) e->selection.least = e->selection.plan(e->selection.context);
  all.least = least_bound(e);
  stz_team_run(stz_grid_team(e->grid), e->blocks, STZ_ML_PART, bound_blocks, &all);
  for (int g = 0; g < e->groups; g++) sum_group(e, g);
  sum_all(e);
  h->accepted = h->activity / h->total;
  h->everywhere = 0.0;
  if (h->typical <= 0.0) h->typical = (double)THRESHOLD;
  h->rebounded = h->scanned = kmc->stats.events;
  h->tried = 0;
  kmc->stats.passes++;
  e->selection.count = 0;
  if (e->selection.bounded) e->selection.bounded(e->selection.context, NULL, 0);
  return STZ_OK;
}

// --- lists and rows of sites ---

// Rates of the first n sites of a list.
static void rates_of_list(const stz_kmc *kmc, const stz_multilevel *e, stz_ml_list *t, int n) {
  const int whole = (n + 7) / 8 * 8;
  const uint16_t *rotation = stz_glass_rotation(kmc->glass);
  int32_t first = 0;
  for (int i = 0; i < whole; i++) {
    const int32_t number = t->sites[i < n ? i : n - 1];
    // Sites of a row of 8 follow each other.
    if (i == 0 || (i < n && t->sites[i - 1] / 8 != number / 8)) first = (int32_t)stz_ml_local(e, number / 8 * 8);
    t->places[i] = first + number % 8;
    t->barrier[i] = stz_ml_row8(e, number)->barrier[number % 8];
    t->rotation[i] = rotation[t->places[i]];
  }
  if (kmc->params.contrast) stz_ml_load_list(kmc, e, t, n);
  for (int i = n; i < whole; i++) {
    for (int c = 0; c < 5; c++) t->s[c][i] = t->s[c][n - 1];
  }
  for (int at = 0; at < whole; at += STZ_RATES_MOST) {
    const float *const s[5] = {t->s[0] + at, t->s[1] + at, t->s[2] + at, t->s[3] + at, t->s[4] + at};
    const int m = whole - at < STZ_RATES_MOST ? whole - at : STZ_RATES_MOST;
    (void)stz_rates_sum(&e->law, stz_glass_modes(kmc->glass), m, s, t->barrier + at, t->rotation + at, t->rates + at);
  }
}

// Bounds and slacks of a list of rates, up to the next multiple of 8.
STZ_MULTIVERSION(static void bounds_of_rates(int n, const float *restrict rates, float least, float most,
                                             float *restrict bound, int16_t *restrict slack)) {
  for (int at = 0; at < n; at += 8) {
    float units[8];
#pragma omp simd
    for (int l = 0; l < 8; l++) {
      bound[at + l] = bound_of(rates[at + l], least, most);
      units[l] = slack_of(bound[at + l], rates[at + l]);
    }
    stz_to_fixed(units, slack + at);
  }
}

// Sums after the bounds of a row of 8 have changed, or a note for the selection.
static inline __attribute__((always_inline)) void sum_row8(stz_multilevel *e, int32_t row8) {
  if (e->selection.bounded) {
    note(&e->selection, row8);
    return;
  }
  const int block = row8 / STZ_BLOCK_PIECES;
  const float sum = sum_row(e->rows8[row8].bound);
  const double before = e->block_sum[block];
  e->block_sum[block] += (double)sum - (double)e->row_sum[row8];
  e->row_sum[row8] = sum;
  if (e->block_sum[block] < 1e-3 * before)
    e->block_sum[block] = sum_rows(rows_of(e, block)); // recompute the sum after catastrophic cancellation
  e->changed[block / STZ_ML_GROUP] = 1;
}

// Writes the bounds of the sites from `first` to the end of their row of 8 in the list; returns where the next begins.
static int put_row8(const stz_multilevel *e, const stz_ml_list *t, int n, int first) {
  const int32_t row8 = t->sites[first] / 8;
  int i = first;
  for (; i < n && t->sites[i] / 8 == row8; i++) {
    e->rows8[row8].bound[t->sites[i] % 8] = t->s[0][i];
    e->rows8[row8].slack[t->sites[i] % 8] = t->slack[i];
  }
  return i;
}

// Bounds and slacks of the first n sites of a list; the bounds in place of the first component of the stress.
static void bounds_of_list(const stz_kmc *kmc, stz_ml_list *t, int n) {
  const stz_multilevel *e = kmc->state;
  rates_of_list(kmc, e, t, n);
  bounds_of_rates(n, t->rates, least_bound(e), factor(e), t->s[0], t->slack);
}

void stz_ml_bound_list(stz_kmc *kmc, int n) {
  stz_multilevel *e = kmc->state;
  const stz_ml_list *list = e->list;
  bounds_of_list(kmc, e->list, n);
  for (int i = 0; i < n;) {
    const int32_t row8 = list->sites[i] / 8;
    i = put_row8(e, list, n, i);
    sum_row8(e, row8);
  }
  kmc->stats.bounds += (uint64_t)n;
}

void stz_ml_sum_changed(stz_multilevel *e) {
  if (e->selection.bounded) {
    tell_all(&e->selection);
    return;
  }
  for (int g = 0; g < e->groups; g++) {
    if (e->changed[g]) sum_group(e, g);
    e->changed[g] = 0;
  }
  sum_all(e);
}

double stz_ml_bound_of_block(const stz_multilevel *e, int block) {
  if (!e->selection.bounded) return e->block_sum[block];
  const stz_row8 *rows8 = rows8_of(e, block);
  double sum = 0.0;
  for (int row = 0; row < STZ_BLOCK_PIECES; row++) sum += (double)sum_row(rows8[row].bound);
  return sum;
}

void stz_ml_bound_site(stz_kmc *kmc, int32_t number) {
  stz_multilevel *e = kmc->state;
  stz_ml_list *list = e->list;
  float stress[5];
  stz_ml_site_stress(e, number, stress);
  for (int c = 0; c < 5; c++) {
    const float units[8] = {stress[c] * (1.0f / STZ_CACHED)};
    int16_t cached[8];
    stz_to_fixed(units, cached);
    list->s[c][0] = stress[c];
    stz_ml_row8(e, number)->cached[c][number % 8] = cached[0];
  }
  list->sites[0] = number;
  stz_ml_bound_list(kmc, 1);
  stz_ml_sum_changed(e);
}

void stz_ml_bound_cached(stz_kmc *kmc, int32_t number, double recovery) {
  stz_multilevel *e = kmc->state;
  const int64_t at = stz_ml_local(e, number);
  stz_ml_row8(e, number)->barrier[number % 8] = (float)stz_glass_barrier_at(kmc->glass, at, recovery);
  e->list->sites[0] = number;
  stz_ml_cached_of_list(e, e->list, 1);
  stz_ml_bound_list(kmc, 1);
  stz_ml_sum_changed(e);
}

// Loosens the exhausted bounds of a row of 8 sites that remain negligible, without evaluating their rates; returns the
// lanes of the sites that must be evaluated.
static inline __attribute__((always_inline)) uint8_t loosen_row8(stz_row8 *row8, float little) {
  float slack[8];
  int32_t left[8];
  stz_from_fixed(row8->slack, slack);
#pragma omp simd
  for (int l = 0; l < 8; l++) {
    const float s = STZ_SLACK * slack[l], b = row8->bound[l], below = s < 0.0f ? s : 0.0f,
                within = below > -10.0f ? below : -10.0f;
    const float raised = b * EXP_ROOM_10 * stz_power2((-10.0f - within) * (float)STZ_LOG2_E);
    const int32_t exhausted = s < 0.0f, raise = exhausted & (s >= -10.0f) & (raised <= little);
    row8->bound[l] = raise ? raised : b;
    slack[l] = raise ? ROOM * (1.0f / STZ_SLACK) : slack[l];
    left[l] = (exhausted & ~raise) << l;
  }
  stz_to_fixed(slack, row8->slack);
  return (uint8_t)(((left[0] | left[4]) | (left[2] | left[6])) | ((left[1] | left[5]) | (left[3] | left[7])));
}

STZ_MULTIVERSION(void stz_ml_loosen_rows(const stz_multilevel *e, int rows8, stz_exhausted *exhausted)) {
  const float little = e->cheap * least_bound(e);
  for (int i = 0; i < rows8; i++) exhausted[i].lanes = loosen_row8(e->rows8 + exhausted[i].row8, little);
}

void stz_ml_sum_loosened(stz_multilevel *e, int rows8, const stz_exhausted *exhausted) {
  if (e->selection.bounded) return;
  for (int i = 0; i < rows8; i++) {
    if (!exhausted[i].lanes) sum_row8(e, exhausted[i].row8); // else its sites are listed, and it is summed after
  }
}
