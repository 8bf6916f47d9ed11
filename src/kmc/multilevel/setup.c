// SPDX-License-Identifier: GPL-3.0-or-later
//
// Set-up of the multilevel engine, and what does not depend on how it chooses the next event.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "base/tensor.h"
#include "base/units.h"
#include "kmc/multilevel/multilevel.h"

static const double WASTE = 1.0;   // proposals per event that negligible bounds may cost
static const float CHEAP = 30.0f;  // least bounds: a bound below is loosened rather than recomputed
static const double MISSED = 1e-3; // share of the events that may be missed
static const float SPARE = 0.9f;   // ln: slack that bounds have for events nearby, at least

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

// Squared distance (voxels) of a block from the first one of its film's layer `from` of blocks; 0: not beyond.
static double beyond_at(const stz_multilevel *e, int block, int from) {
  int at[3];
  bool within = true;
  double r2 = 0.0;
  stz_ml_block_origin(e, block, at);
  for (int axis = 0; axis < 3; axis++) {
    const int n = e->cells[axis], straight = axis == 2 ? abs(at[axis] - 8 * from) : at[axis];
    const int d = axis == 2 && e->split->film ? straight : straight < n / 2 ? straight : n - straight;
    within &= d / 8 <= STZ_ML_SPREAD / 2;
    r2 += d * d;
  }
  return within ? 0.0 : r2;
}

// Of the blocks about an event its stress counts in full, as if all had one sign: avalanches are such. In the many
// beyond, where signs vary, its mean square counts, over the stress in the next block; in a film on the mean over the
// layers in which the event may be.
static void fill_spread(stz_multilevel *e, double strain) {
  const double amplitude = far_amplitude(e->split) * strain;
  for (int i = 0; i < STZ_ML_SPREAD * STZ_ML_SPREAD * STZ_ML_SPREAD; i++) {
    const int x = i / (STZ_ML_SPREAD * STZ_ML_SPREAD), y = i / STZ_ML_SPREAD % STZ_ML_SPREAD, z = i % STZ_ML_SPREAD;
    const double r = fmax(8.0, 8.0 * sqrt(x * x + y * y + z * z)), stress = amplitude / (r * r * r);
    e->spread[x][y][z] = (float)stress;
  }
  double sum = 0.0;
  int64_t blocks = 0;
  for (int from = 0; from < (e->split->film ? e->count[2] : 1); from++) {
    for (int b = 0; b < e->blocks; b++) {
      const double r2 = beyond_at(e, b, from);
      if (r2 == 0.0) continue;
      sum += amplitude * amplitude / (r2 * r2 * r2);
      blocks++;
    }
  }
  e->beyond = blocks ? (float)(sum / (double)blocks) / e->spread[0][0][0] : 0.0f;
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

static stz_err fits(const stz_grid *grid, stz_engine_kind engine) {
  const int *cells = stz_grid_cells(grid);
  const stz_engine_needs needs = stz_engine_needs_of(engine);
  if (stz_grid_ranks(grid) > needs.ranks) {
    return stz_fail(STZ_EINPUT, "kmc.engine: got \"%s\" on %d ranks, takes one rank per run", needs.name,
                    stz_grid_ranks(grid));
  }
  if (stz_engine_fits(engine, cells, stz_grid_film(grid))) return STZ_OK;
  return stz_fail(
      STZ_EINPUT,
      "kmc.engine: the %s engine needs a multiple of %d voxels per axis and at least %d%s, got %d x %d x %d",
      needs.name, needs.multiple, needs.least, stz_grid_film(grid) ? " along x and y" : "", cells[0], cells[1],
      cells[2]);
}

// The operator of the full recompute.
static stz_err make_total(stz_multilevel *e, const stz_elastic *elastic) {
  if (!stz_grid_film(e->grid)) {
    STZ_TRY(stz_total_create(e->grid, elastic, &e->total));
    e->stress = stz_total_work(e->total);
    return STZ_OK;
  }
  STZ_TRY(stz_film_total_create(e->grid, elastic, &e->film));
  e->stress = stz_film_total_work(e->film);
  return STZ_OK;
}

// Squared error of an event in a film over that in a cube, as measured in films of 8 to 168 layers: the images of an
// event near a face err as it does.
static double film_error(const stz_grid *grid) {
  return stz_grid_film(grid) ? 1.45 + 18.0 / stz_grid_cells(grid)[2] : 1.0;
}

// All that the operator decides.
static stz_err make_tables(const stz_kmc *kmc, stz_multilevel *e) {
  const double gamma0 = stz_glass_stz(kmc->glass)->gamma0, strain = gamma0 * sqrt(0.5) * e->most_dress;
  const double tolerance = kmc->params.tolerance_MPa * 1e-3 * STZ_GPA / gamma0;
  const double error2 = stz_split_error2(kmc->elastic, e->grid) * film_error(e->grid);
  e->recompute_every = (uint64_t)fmax(1.0, (double)stz_grid_sites(e->grid) * tolerance * tolerance / error2);
  STZ_TRY(stz_split_create(e->grid, kmc->elastic, strain, &e->split));
  STZ_TRY(stz_near_create(e->split, &e->near));
  STZ_TRY(stz_far_create(stz_grid_team(e->grid), e->split, kmc->elastic, &e->far));
  STZ_TRY(make_total(e, kmc->elastic));
  fill_spread(e, strain);
  return STZ_OK;
}

static void destroy_tables(stz_multilevel *e) {
  stz_total_destroy(&e->total);
  stz_film_total_destroy(&e->film);
  stz_far_destroy(&e->far);
  stz_near_destroy(&e->near);
  stz_split_destroy(&e->split);
}

// Bounds, which knew another stress, are set anew before the next event.
stz_err stz_ml_remake(stz_kmc *kmc) {
  stz_multilevel *e = kmc->state;
  stz_ml_settle(kmc);
  destroy_tables(e);
  STZ_TRY(make_tables(kmc, e));
  stz_ml_recompute(kmc);
  e->head->stale = 1;
  return STZ_OK;
}

stz_err stz_ml_create(stz_kmc *kmc) {
  stz_multilevel *e = NULL;
  const stz_grid *grid = stz_glass_grid(kmc->glass);
  STZ_TRY(fits(grid, kmc->params.engine));
  STZ_TRY(STZ_NEW(e, 1));
  kmc->state = e;
  e->grid = grid;
  e->waste = WASTE;
  e->cheap = CHEAP;
  e->spare = SPARE;
  e->missed = MISSED;
  e->most_dress = kmc->params.contrast ? stz_contrast_most_dress(kmc->params.contrast) : 1.0;
  for (int axis = 0; axis < 3; axis++) {
    e->cells[axis] = stz_grid_cells(grid)[axis];
    e->count[axis] = e->cells[axis] / 8;
  }
  e->blocks = e->count[0] * e->count[1] * e->count[2];
  e->groups = (e->blocks + STZ_ML_GROUP - 1) / STZ_ML_GROUP;
  e->converge_every = (uint64_t)fmax(1.0, (double)stz_grid_sites(grid) / 50000.0);
  lay_out(e);
  STZ_TRY(STZ_NEW(e->state, e->state_bytes));
  lay_out(e);
  STZ_TRY(STZ_NEW(e->changed, e->groups));
  STZ_TRY(STZ_NEW(e->corner, e->blocks));
  STZ_TRY(STZ_NEW(e->row_sums, 3 * e->blocks));
  STZ_TRY(STZ_NEW(e->rooms, stz_team_workers(stz_grid_team(grid))));
  STZ_TRY(STZ_NEW(e->list, 1));
  for (int b = 0; b < e->blocks; b++) {
    int at[3];
    stz_ml_block_origin(e, b, at);
    e->corner[b] = (at[0] * e->cells[1] + at[1]) * e->cells[2] + at[2];
  }
  STZ_TRY(make_tables(kmc, e));
  if (stz_glass_quenched(kmc->glass, 0)) stz_ml_recompute(kmc);
  e->head->stale = 1;
  e->stress_at = e->rated_at = UINT64_MAX;
  return STZ_OK;
}

void stz_ml_destroy(stz_kmc *kmc) {
  stz_multilevel *e = kmc->state;
  if (!e) return;
  stz_ml_settle(kmc);
  destroy_tables(e);
  stz_free(e->state);
  stz_free(e->changed);
  stz_free(e->corner);
  stz_free(e->row_sums);
  stz_free(e->rooms);
  stz_free(e->list);
  stz_free(e);
}

// What an event means to the field.
static void field_event(const stz_kmc *kmc, const stz_event *event, const double strain[6], int origin[3], float d[5]) {
  const stz_multilevel *e = kmc->state;
  double deviator[5];
  stz_dev_from_sym(strain, deviator);
  for (int c = 0; c < 5; c++) d[c] = stz_kmc_dress(kmc, event->shear.site) * (float)deviator[c];
  stz_grid_coords(e->grid, event->shear.site, origin);
}

bool stz_ml_begin(stz_kmc *kmc, const stz_event *event, double strain[6]) {
  const stz_multilevel *e = kmc->state;
  stz_ml_settle(kmc);
  if (!stz_team_brisk(stz_grid_team(e->grid))) return false;
  float d[5];
  int origin[3];
  stz_glass_strain(kmc->glass, &event->shear, strain);
  field_event(kmc, event, strain, origin, d);
  return stz_ml_post_event(kmc, &event->shear, origin, d);
}

void stz_ml_add_stress(stz_kmc *kmc, const stz_event *event, const double strain[6]) {
  float d[5];
  int origin[3];
  field_event(kmc, event, strain, origin, d);
  stz_ml_take_event(kmc, origin, d);
}

double stz_ml_bytes(const stz_kmc *kmc) {
  const stz_multilevel *e = kmc->state;
  size_t far;
  (void)stz_far_state(e->far, &far);
  const size_t tables = e->film ? stz_film_total_table_bytes(e->film) : stz_total_table_bytes(e->total);
  const size_t work = e->film ? stz_film_total_work_bytes(e->film) : stz_total_work_bytes(e->total);
  return (double)(e->state_bytes + far + e->split->bytes + tables + work) / (double)stz_grid_sites(e->grid);
}

const stz_fields *stz_ml_fields(const stz_kmc *kmc) {
  (void)kmc;
  return NULL;
}

void *stz_ml_block(const stz_kmc *kmc, int index, size_t *bytes) {
  const stz_multilevel *e = kmc->state;
  stz_ml_settle(kmc);
  *bytes = e->state_bytes;
  if (index == 0) return e->state;
  return index == 1 ? stz_far_state(e->far, bytes) : NULL;
}

void stz_ml_restore(stz_kmc *kmc, const void *own) {
  stz_multilevel *e = kmc->state;
  (void)own;
  e->stress_at = UINT64_MAX;
  if (e->head->kelvin > 0.0) stz_ml_set_law(kmc, e);
}

// Time measured on one core, with AVX-512: 28 us per event at 32^3, slowly more in larger boxes; with sweeps. Memory:
// rows8 with their sums, nodes, fields and table of the whole operator (elastic/total.c), and the tables of the parts,
// which are the same in all but the smallest boxes.
void stz_ml_cost(double sites, int ranks, bool random, stz_engine_cost *cost) {
  const double half = 0.5 * cbrt(sites) + 1.0, parts = 4.2e6;
  const double blocks[] = {41.0 * sites, 3.0 * sites, 40.0 * sites * half / cbrt(sites),
                           60.0 * half * half * (half + 4.0)};
  (void)ranks;
  (void)random;
  *cost = (stz_engine_cost){.event_s = 2.8e-5 * pow(sites / 32768.0, 0.28), .setup_s = 1.1e-6, .bytes = parts};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) cost->bytes += (double)stz_alloc_bytes((size_t)blocks[i]);
}
