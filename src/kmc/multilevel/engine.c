// SPDX-License-Identifier: GPL-3.0-or-later
//
// The multilevel engine: rejection kinetic Monte Carlo with time-dependent bounds (thinning: Lewis and Shedler, Naval
// Res. Logist. Q. 26, 403, 1979). Every event changes every rate (propensity), but most by next to nothing, so that
// most sites are not evaluated. One rank.
//
// Field. The Green's function is split into a near part, added site by site, and smooth parts on coarse nodes (kernel
// splitting, multilevel summation: elastic/split.h). The stress of any site is near + interpolated, exact but for the
// interpolation. A full recompute from the strain of all events, now and then, keeps errors from adding up.
//
// Bounds. Each site has an upper bound of its rate, at a reference of mean stress and temperature, and a slack: how
// much ln(rate) may still rise by nearby events. The drift by distant events is estimated for blocks of 8^3 sites. A
// block's bounds are recomputed once the accumulated stress drift exceeds the margin; the drift is an estimate, not an
// upper bound: it adapts to the drift that these updates find, and every rate found above its bound is counted. A mean
// stress or temperature away from the reference multiplies all bounds by a factor that no rate can exceed
// (stz_rate_growth, stz_thermal_growth); when the factor is large, all bounds are set at a new reference.
//
// As long as no event happens, the bounds at a new reference need not be computed: no rate has grown by more than the
// mean stress and the temperature allow. Setting all bounds is put off until a proposal might come before the next
// reference; the trajectory has the same bits as if it had been done at once.
//
// Selection. Proposals arrive at the total bounding rate; a sum tree selects the site. A proposal is accepted with the
// ratio of the true rate to the bound: exact, as long as the bounds hold. Most are rejected from the slack alone,
// without evaluating the true rate (squeeze test). A rejected proposal is a null event.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/comm.h"
#include "base/mathfn.h"
#include "base/memory.h"
#include "base/tensor.h"
#include "base/units.h"
#include "kmc/multilevel/multilevel.h"
#include "kmc/select.h"
#include "stz/power2.h"

static const double WIDEST = 0.4;    // ln: most that bounds may be raised by the reference
static const double WINDOW = 0.1;    // ln: they may grow so far before the waiting time is cut
static const double POOREST = 0.03;  // fraction of proposals accepted below which all bounds are recomputed
enum { MEMORY = 256, TRIED = 1024 }; // proposals: of the running mean; between recomputes for poor acceptance
static const double MISSED = 1e-3, CHANCE = 10.0; // fraction of events that may be missed, and some more: it is an
                                                  // estimate in which a single rare find may count for several

// --- set-up ---

// How the stress of an event falls with distance: rms over directions of the whole kernel, near the end of its range.
static double far_amplitude(const stz_split *split) {
  double sum = 0.0, points = 0.0;
  for (int i = 0; i < 512; i++) {
    const int x = i / 64, y = i / 8 % 8, z = i % 8, r2 = x * x + y * y + z * z;
    if (r2 < 36 || r2 >= 64) continue;
    double norm2 = 0.0;
    for (int c = 0; c < 5; c++) {
      for (int d = 0; d < 5; d++) {
        const double k = (double)split->whole[((x * 8 + y) * STZ_PAIRS + stz_elastic_pair(c, d)) * 8 + z];
        norm2 += k * k / 5.0;
      }
    }
    sum += norm2 * r2 * r2 * r2;
    points += 1.0;
  }
  return sqrt(sum / points);
}

// Of the blocks about an event its stress counts in full, as if all had one sign: avalanches are such. In the many
// beyond, where signs vary, its mean square counts, over the stress in the next block.
static void fill_spread(stz_multilevel *e, double strain) {
  const double amplitude = far_amplitude(e->split) * strain;
  for (int i = 0; i < STZ_ML_SPREAD * STZ_ML_SPREAD * STZ_ML_SPREAD; i++) {
    const int x = i / (STZ_ML_SPREAD * STZ_ML_SPREAD), y = i / STZ_ML_SPREAD % STZ_ML_SPREAD, z = i % STZ_ML_SPREAD;
    const double r = fmax(8.0, 8.0 * sqrt(x * x + y * y + z * z)), stress = amplitude / (r * r * r);
    e->spread[x][y][z] = (float)stress;
  }
  double sum = 0.0;
  int blocks = 0;
  for (int b = 0; b < e->blocks; b++) {
    int at[3];
    double r2 = 0.0;
    stz_ml_block_origin(e, b, at);
    bool within = true;
    for (int axis = 0; axis < 3; axis++) {
      const int d = at[axis] < e->cells[axis] / 2 ? at[axis] : e->cells[axis] - at[axis];
      within &= d / 8 <= STZ_ML_SPREAD / 2;
      r2 += d * d;
    }
    if (within) continue;
    sum += amplitude * amplitude / (r2 * r2 * r2);
    blocks++;
  }
  e->beyond = blocks ? (float)(sum / blocks) / e->spread[0][0][0] : 0.0f;
}

static void *take(char **at, size_t bytes) {
  void *block = *at;
  *at += (bytes + 63) / 64 * 64;
  return block;
}

// Lays the state out in one block of memory; without memory it only counts the bytes.
static void lay_out(stz_multilevel *e) {
  char *at = e->state;
  const size_t blocks = (size_t)e->blocks, sites = blocks * STZ_ML_SITES;
  e->head = take(&at, sizeof *e->head);
  e->block_sum = take(&at, blocks * sizeof *e->block_sum);
  e->group_sum = take(&at, (size_t)e->groups * sizeof *e->group_sum);
  e->cached = take(&at, blocks * sizeof *e->cached);
  e->drift = take(&at, blocks * sizeof *e->drift);
  e->drift_limit = take(&at, blocks * sizeof *e->drift_limit);
  e->row_sum = take(&at, sites / 8 * sizeof *e->row_sum);
  e->rows8 = take(&at, sites / 8 * sizeof *e->rows8);
  e->state_bytes = (size_t)(at - e->state);
}

static stz_err fits(const stz_grid *grid) {
  const int *cells = stz_grid_cells(grid);
  const stz_engine_needs needs = stz_engine_needs_of(STZ_ENGINE_MULTILEVEL);
  if (stz_grid_ranks(grid) > needs.ranks) {
    return stz_fail(STZ_EINPUT, "kmc.engine: got \"%s\" on %d ranks, takes one rank per run", needs.name,
                    stz_grid_ranks(grid));
  }
  if (stz_engine_fits(STZ_ENGINE_MULTILEVEL, cells)) return STZ_OK;
  return stz_fail(STZ_EINPUT,
                  "kmc.engine: the %s engine needs a multiple of %d voxels per axis and at least %d, got %d x %d x %d",
                  needs.name, needs.multiple, needs.least, cells[0], cells[1], cells[2]);
}

static stz_err stz_ml_create(stz_kmc *kmc) {
  stz_multilevel *e = NULL;
  const stz_grid *grid = stz_glass_grid(kmc->glass);
  STZ_TRY(fits(grid));
  STZ_TRY(STZ_NEW(e, 1));
  kmc->state = e;
  e->grid = grid;
  for (int axis = 0; axis < 3; axis++) {
    e->cells[axis] = stz_grid_cells(grid)[axis];
    e->count[axis] = e->cells[axis] / 8;
  }
  e->blocks = e->count[0] * e->count[1] * e->count[2];
  e->groups = (e->blocks + STZ_ML_GROUP - 1) / STZ_ML_GROUP;
  const double sites = (double)stz_grid_sites(grid);
  const double tolerance = kmc->params.tolerance_MPa * 1e-3 * STZ_GPA / stz_glass_stz(kmc->glass)->gamma0;
  e->recompute_every = (uint64_t)fmax(1.0, sites * tolerance * tolerance / stz_split_error2(kmc->elastic, grid));
  e->converge_every = (uint64_t)fmax(1.0, sites / 50000.0);
  lay_out(e);
  STZ_TRY(STZ_NEW(e->state, e->state_bytes));
  lay_out(e);
  STZ_TRY(STZ_NEW(e->changed, e->groups));
  STZ_TRY(STZ_NEW(e->corner, e->blocks));
  STZ_TRY(STZ_NEW(e->row_sums, 2 * e->blocks));
  STZ_TRY(STZ_NEW(e->rooms, stz_team_workers(stz_grid_team(grid))));
  for (int b = 0; b < e->blocks; b++) {
    int at[3];
    stz_ml_block_origin(e, b, at);
    e->corner[b] = (at[0] * e->cells[1] + at[1]) * e->cells[2] + at[2];
  }
  STZ_TRY(stz_split_create(grid, kmc->elastic, stz_glass_stz(kmc->glass)->gamma0 * sqrt(0.5), &e->split));
  STZ_TRY(stz_near_create(e->split, &e->near));
  STZ_TRY(stz_far_create(e->split, kmc->elastic, &e->far));
  STZ_TRY(stz_total_create(grid, kmc->elastic, &e->total));
  e->stress = stz_total_work(e->total);
  fill_spread(e, stz_glass_stz(kmc->glass)->gamma0 * sqrt(0.5));
  if (stz_glass_quenched(kmc->glass, 0)) stz_ml_recompute(kmc);
  e->head->stale = 1;
  e->stress_at = e->rated_at = UINT64_MAX;
  return STZ_OK;
}

static void stz_ml_destroy(stz_kmc *kmc) {
  stz_multilevel *e = kmc->state;
  if (!e) return;
  stz_total_destroy(&e->total);
  stz_far_destroy(&e->far);
  stz_near_destroy(&e->near);
  stz_split_destroy(&e->split);
  stz_free(e->state);
  stz_free(e->changed);
  stz_free(e->corner);
  stz_free(e->row_sums);
  stz_free(e->rooms);
  stz_free(e);
}

// --- selection ---

// The site of a proposal, by its number.
static int32_t pick_site(const stz_multilevel *e, double target) {
  const int group = stz_pick_double(e->group_sum, e->groups, &target), first = group * STZ_ML_GROUP;
  const int left = e->blocks - first < STZ_ML_GROUP ? e->blocks - first : STZ_ML_GROUP;
  const int block = first + stz_pick_double(e->block_sum + first, left, &target);
  const float *rows = e->row_sum + (size_t)block * STZ_BLOCK_PIECES;
  const int32_t row = STZ_ML_SITES * block + 8 * stz_pick_float(rows, STZ_BLOCK_PIECES, &target);
  return row + stz_pick_float(stz_ml_row8(e, row)->bound, 8, &target);
}

static double recovery_at(const stz_kmc *kmc, const stz_mean_stress *mean, double elapsed) {
  return stz_glass_recovery(kmc->glass) +
         stz_glass_recovery_gain(kmc->glass, mean->temperature_K, mean->temperature_rate, elapsed);
}

static void law_at(const stz_kmc *kmc, const stz_mean_stress *mean, double elapsed, stz_law *law) {
  const stz_multilevel *e = kmc->state;
  double stress[6], deviator[5], uniform[6];
  for (int c = 0; c < 5; c++) deviator[c] = stz_ml_uniform(e, c);
  stz_sym_from_dev(deviator, uniform);
  for (int v = 0; v < 6; v++) stress[v] = mean->stress[v] + elapsed * mean->stress_rate[v] + uniform[v];
  stz_law_set(law, stz_glass_stz(kmc->glass), stz_glass_modes(kmc->glass),
              mean->temperature_K + elapsed * mean->temperature_rate, stress);
}

// The exact rates of a site; returns their sum.
static double exact_rates(const stz_kmc *kmc, const stz_law *law, int32_t number, double recovery,
                          float rates[STZ_MODES][2]) {
  const stz_multilevel *e = kmc->state;
  const int64_t at = stz_ml_local(e, number);
  float stress[5];
  double sum = 0.0;
  stz_ml_site_stress(e, number, stress);
  stz_rates_site(law, stz_glass_modes(kmc->glass), stress, (float)stz_glass_barrier_at(kmc->glass, at, recovery),
                 stz_glass_rotation(kmc->glass)[at], rates);
  for (int m = 0; m < STZ_MODES; m++) sum += (double)rates[m][0] + (double)rates[m][1];
  return sum;
}

// Draws a proposal and accepts or rejects it; bounds are raised by the factor `raised`. True if it is an event.
static bool try_candidate(stz_kmc *kmc, const stz_mean_stress *mean, double elapsed, double raised, stz_shear *shear) {
  stz_multilevel *e = kmc->state;
  stz_ml_head *h = e->head;
  const double target = stz_rng_uniform(&kmc->rng) * h->total, accept = stz_rng_uniform(&kmc->rng);
  const int32_t number = pick_site(e, target);
  const stz_row8 *row8 = stz_ml_row8(e, number);
  const double bound = (double)row8->bound[number % 8], slack = (double)STZ_SLACK * row8->slack[number % 8];
  kmc->stats.candidates++;
  h->tried++;
  h->accepted -= h->accepted / MEMORY;
  const double spare = slack + stz_ml_margin() - stz_ml_drift_estimate(e, number);
  if (slack > 0.0 && bound < stz_ml_largest() && accept > 1.001 * (double)stz_power2((float)(-STZ_LOG2_E * spare))) {
    kmc->stats.squeezed++;
    return false;
  }
  float rates[STZ_MODES][2];
  stz_law law;
  law_at(kmc, mean, elapsed, &law);
  const double sum = exact_rates(kmc, &law, number, recovery_at(kmc, mean, elapsed), rates);
  const double ratio = sum / (bound * raised);
  if (ratio > 1.0) {
    kmc->stats.violations++;
    kmc->stats.missed += ratio - 1.0;
    stz_ml_bound_site(kmc, number);
  }
  double left = accept * bound * raised;
  if (!(left < sum)) {
    if (ratio < 0.02) stz_ml_bound_site(kmc, number);
    return false;
  }
  h->accepted += 1.0 / MEMORY;
  const int choice = stz_pick_float(&rates[0][0], 2 * STZ_MODES, &left);
  *shear = (stz_shear){.site = stz_ml_local(e, number), .mode = choice / 2, .sign = choice % 2 ? -1 : 1};
  stz_glass_locate(kmc->glass, shear);
  return true;
}

static bool poor(const stz_ml_head *h) { return h->accepted < POOREST && h->tried > TRIED; }

// Whether all bounds must be recomputed, since the load is `excess` (ln) away from the reference.
static bool sweep_due(const stz_kmc *kmc, const stz_mean_stress *mean, double elapsed, double excess) {
  const stz_ml_head *h = ((const stz_multilevel *)kmc->state)->head;
  const double kelvin = mean->temperature_K + elapsed * mean->temperature_rate;
  return h->stale || excess > WIDEST || poor(h) || fabs(kelvin - h->kelvin) > 0.005 * h->kelvin;
}

// Moves the reference to `elapsed`, `excess` away, and sets all bounds, unless that may be put off.
static stz_err set_reference(stz_kmc *kmc, const stz_mean_stress *mean, double elapsed, double excess) {
  const stz_multilevel *e = kmc->state;
  stz_ml_head *h = e->head;
  const bool undamaged = stz_glass_recovery_state(kmc->glass).most == 0.0; // else barriers change without events
  h->put_off = !h->stale && h->rebounded == kmc->stats.events && undamaged;
  h->ahead += excess;
  h->tried = 0;
  if (h->stale) {
    STZ_TRY(stz_ml_check_nodes(e, mean->t0 + elapsed));
    stz_ml_recompute(kmc);
  }
  h->stale = 0;
  stz_ml_refer(kmc, mean, elapsed);
  return h->put_off ? STZ_OK : stz_ml_rebound_all(kmc, recovery_at(kmc, mean, elapsed), mean->t0 + elapsed);
}

// A stretch of a search, in which the bounds grow exponentially. It begins at `begin`, `start` after the mean stress's
// t0.
typedef struct stretch {
  double start, begin, length;
  double raised, growth; // of the bounds, at its begin, and its rate
} stretch;

static stretch stretch_from(const stz_kmc *kmc, const stz_mean_stress *mean, double start) {
  const stz_stz_params *stz = stz_glass_stz(kmc->glass);
  const double temperature = mean->temperature_K + start * mean->temperature_rate;
  const double growth = stz_rate_growth(stz, stz_glass_highest_barrier(kmc->glass), temperature, mean->stress_rate) +
                        stz_thermal_growth(temperature, mean->temperature_rate);
  return (stretch){.start = start,
                   .begin = mean->t0 + start,
                   .length = growth > 0.0 ? WINDOW / growth : INFINITY,
                   .raised = stz_exp(stz_ml_excess(kmc, mean, start)),
                   .growth = growth};
}

static bool is_over(const stretch *s, double limit, double elapsed) {
  return elapsed > s->length || s->begin + elapsed > limit || !isfinite(elapsed);
}

// Goes from *elapsed on to the next candidate of the stretch; INFINITY if it has none.
static stz_err next_candidate(stz_kmc *kmc, const stz_mean_stress *mean, const stretch *s, double limit,
                              double *elapsed) {
  const stz_multilevel *e = kmc->state;
  const double exponential = stz_rng_exponential(&kmc->rng), attempts = kmc->attempt * s->raised, from = *elapsed;
  *elapsed = INFINITY;
  if (e->head->put_off) {
    const double most = stz_ml_most(e);
    if (is_over(s, limit, stz_thinning_wait(attempts * most, s->growth, from, exponential))) return STZ_OK;
    STZ_TRY(stz_ml_rebound_all(kmc, recovery_at(kmc, mean, s->start), s->begin));
    STZ_TRY(stz_ml_check_sum(e->head->total, most, s->begin));
  }
  const double next = stz_thinning_wait(attempts * e->head->total, s->growth, from, exponential);
  if (!is_over(s, limit, next)) *elapsed = next;
  return STZ_OK;
}

// Whether more events are missed than may be.
static stz_err check_missed(const stz_kmc *kmc, double t) {
  if (kmc->stats.missed <= MISSED * (double)kmc->stats.events + CHANCE) return STZ_OK;
  return stz_fail(STZ_ENUMERIC, "rates exceed their bounds: about %.3g of %.0f events are missed at %g s",
                  kmc->stats.missed, (double)kmc->stats.events, t);
}

static stz_err stz_ml_next(stz_kmc *kmc, const stz_mean_stress *mean, double limit, stz_event *event, bool *found) {
  const stz_multilevel *e = kmc->state;
  double length;
  const double before = kmc->searched;
  *found = false;
  kmc->searched = 0.0;
  for (double start = before; mean->t0 + start < limit; start += length) {
    if (start > before && stz_kmc_leaves_off(kmc, start)) return STZ_OK;
    const double excess = e->head->stale ? 0.0 : stz_ml_excess(kmc, mean, start);
    if (sweep_due(kmc, mean, start, excess)) STZ_TRY(set_reference(kmc, mean, start, excess));
    const stretch s = stretch_from(kmc, mean, start);
    length = s.length;
    for (double elapsed = 0.0;;) {
      STZ_TRY(next_candidate(kmc, mean, &s, limit, &elapsed));
      if (isinf(elapsed)) break;
      const double higher = s.growth > 0.0 ? s.raised * stz_exp(s.growth * elapsed) : s.raised;
      if (try_candidate(kmc, mean, start + elapsed, higher, &event->shear)) {
        event->time_s = s.begin + elapsed;
        *found = true;
        return STZ_OK;
      }
      STZ_TRY(check_missed(kmc, s.begin));
      if (poor(e->head)) {
        length = elapsed; // continue from here with new bounds
        break;
      }
    }
  }
  return STZ_OK;
}

static void stz_ml_add_stress(stz_kmc *kmc, const stz_event *event, const double strain[6]) {
  stz_multilevel *e = kmc->state;
  double deviator[5];
  float d[5];
  int origin[3];
  stz_dev_from_sym(strain, deviator);
  for (int c = 0; c < 5; c++) d[c] = (float)deviator[c];
  stz_grid_coords(e->grid, event->shear.site, origin);
  stz_ml_take_event(kmc, origin, d);
}

static double stz_ml_bytes(const stz_kmc *kmc) {
  const stz_multilevel *e = kmc->state;
  size_t far;
  (void)stz_far_state(e->far, &far);
  const size_t tables = e->split->bytes + stz_total_table_bytes(e->total), work = stz_total_work_bytes(e->total);
  return (double)(e->state_bytes + far + tables + work) / (double)stz_grid_sites(e->grid);
}

static const stz_fields *stz_ml_fields(const stz_kmc *kmc) {
  (void)kmc;
  return NULL;
}

static void *stz_ml_block(const stz_kmc *kmc, int index, size_t *bytes) {
  const stz_multilevel *e = kmc->state;
  *bytes = e->state_bytes;
  if (index == 0) return e->state;
  return index == 1 ? stz_far_state(e->far, bytes) : NULL;
}

static void stz_ml_save(const stz_kmc *kmc, void *own) {
  (void)kmc;
  (void)own; // all of it is in the blocks
}

static void stz_ml_restore(stz_kmc *kmc, const void *own) {
  stz_multilevel *e = kmc->state;
  (void)own;
  e->stress_at = UINT64_MAX;
  if (e->head->kelvin > 0.0) stz_ml_set_law(kmc, e);
}

// Time measured on one core, with AVX-512: 28 us per event at 32^3, slowly more in larger boxes; with sweeps. Memory:
// rows8 with their sums, nodes, fields and table of the whole operator (elastic/total.c), and the tables of the parts,
// which are the same in all but the smallest boxes.
static void stz_ml_cost(double sites, int ranks, bool random, stz_engine_cost *cost) {
  const double half = 0.5 * cbrt(sites) + 1.0, parts = 4.2e6;
  const double blocks[] = {41.0 * sites, 3.0 * sites, 40.0 * sites * half / cbrt(sites),
                           60.0 * half * half * (half + 4.0)};
  (void)ranks;
  (void)random;
  *cost = (stz_engine_cost){.event_s = 2.8e-5 * pow(sites / 32768.0, 0.28), .setup_s = 1.1e-6, .bytes = parts};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) cost->bytes += (double)stz_alloc_bytes((size_t)blocks[i]);
}

const stz_engine stz_engine_multilevel = {
    .cost = stz_ml_cost,
    .create = stz_ml_create,
    .destroy = stz_ml_destroy,
    .next = stz_ml_next,
    .add_stress = stz_ml_add_stress,
    .rates = stz_ml_rates,
    .stress = stz_ml_stress,
    .site_stress = stz_ml_stress_of,
    .self_stress = stz_ml_self_stress,
    .bytes_per_site = stz_ml_bytes,
    .fields = stz_ml_fields,
    .save = stz_ml_save,
    .restore = stz_ml_restore,
    .block = stz_ml_block,
};
