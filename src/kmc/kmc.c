// SPDX-License-Identifier: GPL-3.0-or-later
#include "kmc/kmc.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/comm.h"
#include "base/memory.h"
#include "base/tensor.h"
#include "kmc/engine.h"
#include "stz/rates.h"

#define DECLARE(ENGINE, name, least, multiple, ranks) extern const stz_engine stz_engine_##name;
STZ_ENGINES(DECLARE)

#define ENTRY(ENGINE, name, least, multiple, ranks) [STZ_ENGINE_##ENGINE] = &stz_engine_##name,
static const stz_engine *const engines[] = {STZ_ENGINES(ENTRY)};

void stz_kmc_cost(stz_engine_kind engine, double sites, int ranks, bool random, stz_engine_cost *cost) {
  engines[engine]->cost(sites, ranks, random, cost);
}

stz_err stz_kmc_create(const stz_kmc_params *params, stz_glass *glass, stz_elastic *elastic, uint64_t seed,
                       stz_kmc **kmc) {
  const stz_grid *grid = stz_glass_grid(glass);
  stz_kmc *k = NULL;
  assert(params->engine != STZ_ENGINE_AUTO);
  *kmc = NULL;
  STZ_TRY(stz_agree(stz_grid_comm(grid), STZ_NEW(k, 1)));
  *k = (stz_kmc){.engine = engines[params->engine],
                 .params = *params,
                 .glass = glass,
                 .elastic = elastic,
                 .seed = seed,
                 .rng = stz_rng_stream(seed, STZ_RNG_EVENTS, 0),
                 .drive = {.t0 = INFINITY}, // none yet
                 .attempt = stz_attempt_rate(stz_glass_stz(glass), stz_grid_spacing(grid))};
  const stz_err err = k->engine->create(k);
  if (err != STZ_OK) {
    stz_kmc_destroy(&k);
    return err;
  }
  *kmc = k;
  return STZ_OK;
}

void stz_kmc_destroy(stz_kmc **kmc) {
  if (!*kmc) return;
  (*kmc)->engine->destroy(*kmc);
  stz_free(*kmc);
  *kmc = NULL;
}

void stz_kmc_listen(stz_kmc *kmc, stz_kmc_interrupt *interrupt, void *context) {
  kmc->interrupt = interrupt;
  kmc->listener = context;
}

bool stz_kmc_leaves_off(stz_kmc *kmc, double start) {
  kmc->searched = start;
  if (kmc->interrupt && kmc->interrupt(kmc->listener)) return true;
  kmc->searched = 0.0;
  return false;
}

stz_err stz_kmc_go_ahead(stz_kmc *kmc, const stz_kmc_load *load) {
  return kmc->engine->go_ahead ? kmc->engine->go_ahead(kmc, load) : STZ_OK;
}

bool stz_kmc_is_ahead(const stz_kmc *kmc) { return kmc->engine->is_ahead && kmc->engine->is_ahead(kmc); }

void stz_kmc_new_clock(stz_kmc *kmc) {
  if (kmc->engine->new_clock && isfinite(kmc->drive.t0)) kmc->engine->new_clock(kmc);
  kmc->drive.t0 = INFINITY;
}

void stz_kmc_drive(stz_kmc *kmc, const stz_mean_stress *mean) { kmc->drive = *mean; }

// Where moduli vary, every rank will ask for those at the site of an event. Collective.
static void look_at(const stz_kmc *kmc, int64_t site) {
  if (kmc->params.contrast) stz_contrast_look(kmc->params.contrast, site);
}

stz_err stz_kmc_next(stz_kmc *kmc, const stz_mean_stress *mean, double limit, stz_event *event, bool *found) {
  kmc->drive = *mean;
  STZ_TRY(kmc->engine->next(kmc, mean, limit, event, found));
  if (*found) look_at(kmc, event->shear.site);
  return STZ_OK;
}

// What R grows by from the time that has passed up to t.
static double recovery_until(const stz_kmc *kmc, double t) {
  const double elapsed = t - kmc->drive.t0;
  if (!(elapsed > 0.0)) return 0.0;
  return stz_glass_recovery_gain(kmc->glass, kmc->drive.temperature_K, kmc->drive.temperature_rate, elapsed);
}

void stz_kmc_advance(stz_kmc *kmc, double t) {
  stz_glass_recover(kmc->glass, recovery_until(kmc, t));
  if (!(t > kmc->drive.t0)) return;
  kmc->drive.temperature_K += kmc->drive.temperature_rate * (t - kmc->drive.t0);
  kmc->drive.t0 = t;
}

void stz_kmc_fire(stz_kmc *kmc, const stz_event *event, double strain[6]) {
  stz_kmc_advance(kmc, event->time_s);
  look_at(kmc, event->shear.site);
  const bool taken = kmc->engine->begin && kmc->engine->begin(kmc, event, strain);
  if (!taken) stz_glass_shear(kmc->glass, &event->shear, strain);
  kmc->engine->add_stress(kmc, event, strain);
  kmc->stats.events++;
}

stz_err stz_kmc_stretch(stz_kmc *kmc, const double stretch[3]) {
  assert(!kmc->params.contrast);
  STZ_TRY(stz_elastic_stretch(kmc->elastic, stretch));
  return kmc->engine->remake(kmc);
}

void stz_kmc_strain(stz_kmc *kmc, int64_t site, const double strain[6]) {
  const stz_event event = {.shear = {.site = site}};
  look_at(kmc, site);
  kmc->engine->add_stress(kmc, &event, strain);
  kmc->stats.events++;
}

const stz_contrast *stz_kmc_contrast(const stz_kmc *kmc) { return kmc->params.contrast; }

void stz_kmc_load_at(const stz_kmc *kmc, int64_t site, const double mean[6], double drive[5]) {
  if (kmc->params.contrast)
    stz_contrast_load(kmc->params.contrast, site, mean, drive);
  else
    stz_dev_from_sym(mean, drive);
}

void stz_kmc_mean_strain(const stz_kmc *kmc, int64_t site, const double event[6], double strain[6]) {
  if (kmc->params.contrast)
    stz_contrast_mean_strain(kmc->params.contrast, site, event, strain);
  else
    memcpy(strain, event, 6 * sizeof *strain);
}

// The bound depends on the norm of the deviator and on the trace alone.
double stz_kmc_growth(const stz_kmc *kmc, double temperature_K, const double stress_rate[6]) {
  const stz_contrast *contrast = kmc->params.contrast;
  const stz_stz_params *stz = stz_glass_stz(kmc->glass);
  const double highest = stz_glass_highest_barrier(kmc->glass);
  if (!contrast) return stz_rate_growth(stz, highest, temperature_K, stress_rate);
  const double norm = stz_contrast_most(contrast, stress_rate);
  const double pressure = (stress_rate[STZ_XX] + stress_rate[STZ_YY] + stress_rate[STZ_ZZ]) / 3.0;
  const double all[6] = {pressure, pressure, pressure, [STZ_XY] = norm * sqrt(0.5)};
  return stz_rate_growth(stz, highest, temperature_K, all);
}

float stz_kmc_dress(const stz_kmc *kmc, int64_t site) {
  return kmc->params.contrast ? stz_contrast_dress(kmc->params.contrast, site) : 1.0f;
}

stz_law stz_kmc_local_law(const stz_kmc *kmc, const stz_law *law) {
  stz_law local = *law;
  if (kmc->params.contrast) memset(local.mean, 0, sizeof local.mean);
  return local;
}

void stz_kmc_axis_rows(const stz_kmc *kmc, int64_t first, int n, float *const axis[5]) {
  for (int c = 0; c < 5; c++) memset(axis[c], 0, (size_t)n * sizeof(float));
  const stz_loading xx = stz_contrast_loading((const double[6]){[STZ_XX] = 1.0}, NULL);
  stz_contrast_load_rows(kmc->params.contrast, &xx, first, n, axis);
}

stz_err stz_kmc_rates(stz_kmc *kmc, const stz_mean_stress *mean, double *total, double *plastic_rate) {
  assert(!stz_kmc_is_ahead(kmc));
  stz_glass_soften(kmc->glass, stz_glass_recovery(kmc->glass) + recovery_until(kmc, mean->t0));
  return kmc->engine->rates(kmc, mean, total, plastic_rate);
}

const float *stz_kmc_stress(const stz_kmc *kmc, int c) {
  assert(!stz_kmc_is_ahead(kmc));
  return kmc->engine->stress(kmc, c);
}

void stz_kmc_site_stress(const stz_kmc *kmc, int64_t local, float stress[5]) {
  kmc->engine->site_stress(kmc, local, stress);
}

void stz_kmc_self_stress(const stz_kmc *kmc, int layer, double self[5][5]) {
  kmc->engine->self_stress(kmc, layer, self);
}

const stz_fields *stz_kmc_fields(const stz_kmc *kmc) { return kmc->engine->fields(kmc); }

void *stz_kmc_block(const stz_kmc *kmc, int index, size_t *bytes) {
  return kmc->engine->block ? kmc->engine->block(kmc, index, bytes) : NULL;
}

// The box's stretch comes last.
enum { STRETCH_AT = STZ_KMC_SAVED_BYTES - 3 * sizeof(double), ENGINE_AT = STRETCH_AT - STZ_ENGINE_SAVED_BYTES };

void stz_kmc_save(const stz_kmc *kmc, void *saved) {
  char *at = saved;
  assert(!stz_kmc_is_ahead(kmc));
  memset(saved, 0, STZ_KMC_SAVED_BYTES);
  memcpy(at, &kmc->rng, sizeof kmc->rng);
  memcpy(at + sizeof kmc->rng, &kmc->stats, sizeof kmc->stats);
  memcpy(at + sizeof kmc->rng + sizeof kmc->stats, &kmc->searched, sizeof kmc->searched);
  kmc->engine->save(kmc, at + ENGINE_AT);
  memcpy(at + STRETCH_AT, stz_elastic_stretched(kmc->elastic), 3 * sizeof(double));
}

stz_err stz_kmc_reshape(stz_kmc *kmc, const void *saved) {
  double stretch[3];
  memcpy(stretch, (const char *)saved + STRETCH_AT, sizeof stretch);
  const double *now = stz_elastic_stretched(kmc->elastic);
  if (now[0] == stretch[0] && now[1] == stretch[1] && now[2] == stretch[2]) return STZ_OK;
  return stz_kmc_stretch(kmc, stretch);
}

void stz_kmc_restore(stz_kmc *kmc, const void *saved) {
  const char *at = saved;
  memcpy(&kmc->rng, at, sizeof kmc->rng);
  memcpy(&kmc->stats, at + sizeof kmc->rng, sizeof kmc->stats);
  memcpy(&kmc->searched, at + sizeof kmc->rng + sizeof kmc->stats, sizeof kmc->searched);
  kmc->engine->restore(kmc, at + ENGINE_AT);
}

void stz_kmc_stats_get(const stz_kmc *kmc, stz_kmc_stats *stats) { *stats = kmc->stats; }
bool stz_kmc_divides_freely(const stz_kmc *kmc) { return kmc->engine->go_ahead != NULL; }
double stz_kmc_bytes_per_site(const stz_kmc *kmc) { return kmc->engine->bytes_per_site(kmc); }

uint64_t stz_kmc_hash(const stz_kmc *kmc) {
  return stz_hash_mix(2000, (uint64_t)(kmc->rng.state >> 64), (uint64_t)kmc->rng.state) +
         stz_hash_mix(2002, (uint64_t)(kmc->rng.increment >> 64), (uint64_t)kmc->rng.increment) +
         stz_hash_mix(2001, 0, kmc->stats.events);
}
