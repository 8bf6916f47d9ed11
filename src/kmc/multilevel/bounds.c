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
static const float SLACK = 0.9f;             // ln: at least this for events nearby
static const float LARGEST = 30.0f;          // no site has a higher rate, in attempt rates
static const float TARGET = 0.8f;            // fraction of the margin that the drift of a block may use
static const float THRESHOLD = 3.0f;         // initial limit of the drift estimate
static const double LEARNING = 1.0 / 64;     // weight of one update in the running mean of the limit
static const float LOOSEST = 8.0f;           // largest limit
static const float ROOM = 1.0f;              // slack of a bound that is raised
static const float EXP_ROOM_10 = 59874.142f; // exp(ROOM + 10)

void stz_ml_block_origin(const stz_multilevel *e, int block, int origin[3]) {
  origin[0] = block / (e->count[1] * e->count[2]) * 8;
  origin[1] = block / e->count[2] % e->count[1] * 8;
  origin[2] = block % e->count[2] * 8;
}

int32_t stz_ml_number(const stz_multilevel *e, const int xyz[3]) {
  const int block = (xyz[0] / 8 * e->count[1] + xyz[1] / 8) * e->count[2] + xyz[2] / 8;
  return STZ_ML_SITES * block + 64 * (xyz[0] % 8) + 8 * (xyz[1] % 8) + xyz[2] % 8;
}

static void coordinates(const stz_multilevel *e, int32_t number, int xyz[3]) {
  const int within = number % STZ_ML_SITES;
  stz_ml_block_origin(e, number / STZ_ML_SITES, xyz);
  xyz[0] += within / 64;
  xyz[1] += within / 8 % 8;
  xyz[2] += within % 8;
}

void stz_ml_site_stress(const stz_multilevel *e, int32_t number, float stress[5]) {
  int xyz[3];
  coordinates(e, number, xyz);
  stz_far_site(e->far, xyz, stress);
  for (int c = 0; c < 5; c++) stress[c] += e->split->near_unit * (float)stz_ml_row8(e, number)->near[c][number % 8];
}

// --- rates ---

static stz_row8 *rows8_of(const stz_multilevel *e, int block) { return e->rows8 + (size_t)block * STZ_BLOCK_PIECES; }

void stz_ml_copy_glass(const stz_kmc *kmc, stz_multilevel *e, int block) {
  const float *barrier = stz_glass_barrier(kmc->glass);
  for (int row = 0; row < STZ_BLOCK_PIECES; row++) {
    const int32_t number = STZ_ML_SITES * block + 8 * row;
    memcpy(stz_ml_row8(e, number)->barrier, barrier + stz_ml_local(e, number), 8 * sizeof *barrier);
  }
}

STZ_MULTIVERSION(static void gather_block(const float far[5][STZ_ML_SITES], float unit, stz_row8 *rows8,
                                          float s[5][STZ_ML_SITES], float *restrict barrier)) {
  for (int row = 0; row < STZ_BLOCK_PIECES; row++) {
    stz_row8 *p = rows8 + row;
    for (int c = 0; c < 5; c++) {
      float units[8];
#pragma omp simd
      for (int l = 0; l < 8; l++) {
        const float stress = far[c][8 * row + l] + unit * (float)p->near[c][l];
        s[c][8 * row + l] = stress;
        units[l] = stress * (1.0f / STZ_CACHED);
      }
      stz_to_fixed(units, p->cached[c]);
    }
#pragma omp simd
    for (int l = 0; l < 8; l++) barrier[8 * row + l] = p->barrier[l];
  }
}

double stz_ml_block_rates(const stz_kmc *kmc, const stz_multilevel *e, const stz_law *law, int block,
                          stz_ml_room *room) {
  int origin[3];
  stz_ml_block_origin(e, block, origin);
  stz_far_box(e->far, origin, room->far);
  gather_block((const float(*)[STZ_ML_SITES])room->far, e->split->near_unit, rows8_of(e, block), room->s,
               room->barrier);
  const float *const s[5] = {room->s[0], room->s[1], room->s[2], room->s[3], room->s[4]};
  for (int row = 0; row < STZ_BLOCK_PIECES; row++) {
    const uint16_t *rotation = stz_glass_rotation(kmc->glass) + stz_ml_local(e, STZ_ML_SITES * block + 8 * row);
    memcpy(room->rotation + 8 * row, rotation, 8 * sizeof *rotation);
  }
  return stz_rates_sum(law, stz_glass_modes(kmc->glass), STZ_ML_SITES, s, room->barrier, room->rotation, room->rates);
}

// --- bounds ---

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

static float factor(void) { return (float)stz_exp((double)(RESERVE + SLACK)); }

// The least bound: all least bounds together cause e->waste proposals per event.
static float least_bound(const stz_multilevel *e) {
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
  if (!s->bounded) return;
  if (s->count == STZ_ML_TOLD) tell_all(s);
  s->rows8[s->count++] = row8;
}

void stz_ml_rebound_block(stz_kmc *kmc, int block) {
  stz_multilevel *e = kmc->state;
  const float *rates = e->rooms[0].rates;
  (void)stz_ml_block_rates(kmc, e, &e->law, block, &e->rooms[0]);
  const inspection found = inspect(rates, rows8_of(e, block));
  const float share = TARGET * RESERVE / (found.used > 0.1f ? found.used : 0.1f);
  const float change = share < 0.4f ? 0.4f : share > 1.3f ? 1.3f : share;
  e->drift_limit[block] = fminf(LOOSEST, stz_ml_drift_limit(e, block) * change);
  e->head->typical *= 1.0 + LEARNING * (fmin(2.0, (double)e->drift_limit[block] / e->head->typical) - 1.0);
  if (found.above) {
    kmc->stats.violations += (uint64_t)found.above;
    kmc->stats.missed += (double)(kmc->stats.events - e->cached[block]) * found.excess /
                         fmax(e->head->total * e->head->accepted, found.excess);
  }
  bound_block(rates, least_bound(e), factor(), rows8_of(e, block), rows_of(e, block));
  e->block_sum[block] = sum_rows(rows_of(e, block));
  e->drift[block] = -(float)e->head->everywhere;
  e->cached[block] = kmc->stats.events;
  kmc->stats.folds++;
  e->changed[block / STZ_ML_GROUP] = 1;
  for (int row = 0; row < STZ_BLOCK_PIECES; row++) note(&e->selection, block * STZ_BLOCK_PIECES + row);
}

double stz_ml_margin(void) { return (double)RESERVE; }

double stz_ml_largest(void) { return (double)LARGEST; }

// --- the reference ---

static void total_mean(const stz_multilevel *e, const stz_mean_stress *mean, double elapsed, double d[5]) {
  double stress[6];
  for (int v = 0; v < 6; v++) stress[v] = mean->stress[v] + elapsed * mean->stress_rate[v];
  stz_dev_from_sym(stress, d);
  for (int c = 0; c < 5; c++) d[c] += stz_ml_uniform(e, c);
}

static double trace_of(const stz_mean_stress *mean, double elapsed) {
  double trace = 0.0;
  for (int v = STZ_XX; v <= STZ_ZZ; v++) trace += mean->stress[v] + elapsed * mean->stress_rate[v];
  return trace;
}

static double growth_at(const stz_kmc *kmc, double kelvin, const double stress[6]) {
  return stz_rate_growth(stz_glass_stz(kmc->glass), stz_glass_highest_barrier(kmc->glass), kelvin, stress);
}

static double slope_at(const stz_kmc *kmc, double kelvin) {
  static const double unit[6] = {[STZ_XY] = 0.70710678118654752440}; // a deviator of norm 1
  return growth_at(kmc, kelvin, unit);
}

// What a pressure away from the reference adds, at the present temperature or at that of the reference: 0 unless
// barriers depend on it.
static double pressing_of(const stz_kmc *kmc, double trace, double kelvin) {
  const stz_ml_head *h = ((const stz_multilevel *)kmc->state)->head;
  const double third = (trace - h->trace) / 3.0, stress[6] = {third, third, third};
  return fmax(growth_at(kmc, kelvin, stress), growth_at(kmc, h->kelvin, stress));
}

double stz_ml_excess(const stz_kmc *kmc, const stz_mean_stress *mean, double elapsed) {
  const stz_multilevel *e = kmc->state;
  double d[5], norm2 = 0.0;
  total_mean(e, mean, elapsed, d);
  for (int c = 0; c < 5; c++) norm2 += (d[c] - e->head->mean[c]) * (d[c] - e->head->mean[c]);
  const double kelvin = mean->temperature_K + elapsed * mean->temperature_rate, warmer = kelvin - e->head->kelvin;
  const double slope = fmax(e->slope, slope_at(kmc, kelvin));
  const double pressing = e->law.pressed ? pressing_of(kmc, trace_of(mean, elapsed), kelvin) : 0.0;
  return slope * sqrt(norm2) + pressing + (warmer > 0.0 ? stz_thermal_growth(e->head->kelvin, warmer) : 0.0);
}

void stz_ml_set_law(const stz_kmc *kmc, stz_multilevel *e) {
  double stress[6];
  stz_sym_from_dev(e->head->mean, stress);
  const bool pressed = stz_glass_stz(kmc->glass)->normal_coefficient != 0.0;
  for (int v = STZ_XX; v <= STZ_ZZ && pressed; v++) stress[v] += e->head->trace / 3.0;
  stz_law_set(&e->law, stz_glass_stz(kmc->glass), stz_glass_modes(kmc->glass), e->head->kelvin, stress);
  e->slope = slope_at(kmc, e->head->kelvin);
}

void stz_ml_refer(stz_kmc *kmc, const stz_mean_stress *mean, double elapsed) {
  stz_multilevel *e = kmc->state;
  total_mean(e, mean, elapsed, e->head->mean);
  e->head->trace = trace_of(mean, elapsed);
  e->head->kelvin = mean->temperature_K + elapsed * mean->temperature_rate;
  stz_ml_set_law(kmc, e);
}

// A bound is factor() times its rate and the least bound, and all least bounds make e->waste times the sum of rates.
// One per cent for rounding.
double stz_ml_most(const stz_multilevel *e) {
  return 1.01 * ((double)factor() + e->waste) * e->head->activity * stz_exp(e->head->ahead);
}

stz_err stz_ml_check_sum(double sum, double bound, double t) {
  if (sum <= bound) return STZ_OK;
  return stz_fail(STZ_ENUMERIC, "the sum of all rates exceeds its bound by the factor %.3g at %g s: events are missed",
                  sum / bound, t);
}

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
    t->e->block_sum[b] = stz_ml_block_rates(t->kmc, t->e, &t->e->law, b, room);
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
    bound_block(rates, t->least, factor(), rows8, rows_of(e, b));
    e->block_sum[b] = sum_rows(rows_of(e, b));
    e->drift[b] = 0.0f;
    e->cached[b] = t->kmc->stats.events;
  }
}

stz_err stz_ml_rebound_all(stz_kmc *kmc, double recovery, double t) {
  stz_multilevel *e = kmc->state;
  stz_ml_head *h = e->head;
  setting all = {.kmc = kmc, .e = e};
  STZ_TRY(stz_ml_check_nodes(e, t));
  h->ahead = 0.0;
  h->put_off = 0;
  stz_glass_soften(kmc->glass, recovery);
  stz_team_run(stz_grid_team(e->grid), e->blocks, STZ_ML_PART, rate_blocks, &all);
  h->activity = 0.0;
  for (int b = 0; b < e->blocks; b++) {
    if (e->block_sum[b] == BEYOND_RANGE) return beyond_range(e->split->near_unit, t);
    h->activity += e->block_sum[b];
  }
  if (!isfinite(h->activity)) return stz_fail(STZ_ENUMERIC, "the sum of all rates is %g at %g s", h->activity, t);
  h->total = h->activity;
  h->accepted = 1.0;
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

// Rates of the first n sites of e->sites, whose stress is in e->s.
static void rates_of_list(const stz_kmc *kmc, stz_multilevel *e, int n) {
  const int whole = (n + 7) / 8 * 8;
  const uint16_t *const all = stz_glass_rotation(kmc->glass), *rotation = NULL;
  for (int i = 0; i < whole; i++) {
    const int32_t number = e->sites[i < n ? i : n - 1];
    // Sites of a row of 8 follow each other.
    if (i == 0 || (i < n && e->sites[i - 1] / 8 != number / 8)) rotation = all + stz_ml_local(e, number / 8 * 8);
    e->barrier[i] = stz_ml_row8(e, number)->barrier[number % 8];
    e->rotation[i] = rotation[number % 8];
    for (int c = 0; c < 5 && i >= n; c++) e->s[c][i] = e->s[c][n - 1];
  }
  for (int at = 0; at < whole; at += STZ_RATES_MOST) {
    const float *const s[5] = {e->s[0] + at, e->s[1] + at, e->s[2] + at, e->s[3] + at, e->s[4] + at};
    const int m = whole - at < STZ_RATES_MOST ? whole - at : STZ_RATES_MOST;
    (void)stz_rates_sum(&e->law, stz_glass_modes(kmc->glass), m, s, e->barrier + at, e->rotation + at, e->rates + at);
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

// Sums after the bounds of a row of 8 have changed.
static inline __attribute__((always_inline)) void sum_row8(stz_multilevel *e, int32_t row8) {
  const int block = row8 / STZ_BLOCK_PIECES;
  const float sum = sum_row(e->rows8[row8].bound);
  const double before = e->block_sum[block];
  e->block_sum[block] += (double)sum - (double)e->row_sum[row8];
  e->row_sum[row8] = sum;
  if (e->block_sum[block] < 1e-3 * before)
    e->block_sum[block] = sum_rows(rows_of(e, block)); // recompute the sum after catastrophic cancellation
  e->changed[block / STZ_ML_GROUP] = 1;
  note(&e->selection, row8);
}

void stz_ml_bound_list(stz_kmc *kmc, int n) {
  stz_multilevel *e = kmc->state;
  rates_of_list(kmc, e, n);
  float *bound = e->s[0]; // reuse the stress buffer for the bounds
  bounds_of_rates(n, e->rates, least_bound(e), factor(), bound, e->slack);
  for (int i = 0; i < n; i++) {
    const int32_t number = e->sites[i];
    stz_ml_row8(e, number)->bound[number % 8] = bound[i];
    stz_ml_row8(e, number)->slack[number % 8] = e->slack[i];
    if (i + 1 == n || e->sites[i + 1] / 8 != number / 8) sum_row8(e, number / 8);
  }
  kmc->stats.bounds += (uint64_t)n;
}

void stz_ml_sum_changed(stz_multilevel *e) {
  for (int g = 0; g < e->groups; g++) {
    if (e->changed[g]) sum_group(e, g);
    e->changed[g] = 0;
  }
  sum_all(e);
  tell_all(&e->selection);
}

void stz_ml_bound_site(stz_kmc *kmc, int32_t number) {
  stz_multilevel *e = kmc->state;
  float stress[5];
  stz_ml_site_stress(e, number, stress);
  for (int c = 0; c < 5; c++) {
    const float units[8] = {stress[c] * (1.0f / STZ_CACHED)};
    int16_t cached[8];
    stz_to_fixed(units, cached);
    e->s[c][0] = stress[c];
    stz_ml_row8(e, number)->cached[c][number % 8] = cached[0];
  }
  e->sites[0] = number;
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

STZ_MULTIVERSION(void stz_ml_loosen_rows(stz_multilevel *e, int rows8, stz_exhausted *exhausted)) {
  const float little = e->cheap * least_bound(e);
  for (int i = 0; i < rows8; i++) {
    exhausted[i].lanes = loosen_row8(e->rows8 + exhausted[i].row8, little);
    if (!exhausted[i].lanes) sum_row8(e, exhausted[i].row8); // else its sites are listed, and it is summed after
  }
}
