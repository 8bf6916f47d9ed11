// SPDX-License-Identifier: GPL-3.0-or-later
//
// The direct engine, the reference: the residence-time algorithm (BKL, n-fold way: Bortz, Kalos and Lebowitz, J.
// Comput. Phys. 17, 10, 1975). After each event the Green's function of the event is added at every voxel and every
// rate (propensity) is evaluated again, in one fused loop strip by strip; the next event is drawn from the exact sums.
// Cost per event: O(sites/ranks).
//
// Under a changing mean stress or temperature proposals arrive at the rate R exp(g t), which bounds the true one: no
// rate grows faster than g (stz_rate_growth, stz_thermal_growth). A proposal is accepted with the ratio of its present
// rate to its bound (thinning: Lewis and Shedler, Naval Res. Logist. Q. 26, 403, 1979), so that the load is followed
// exactly, not in frozen steps. When the bound has grown by e, all rates are evaluated again. Recovery of damage lets
// barriers rise and rates fall: the bound holds, and all rates are evaluated again when a barrier may have risen by
// 0.01 eV.
#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/comm.h"
#include "base/mathfn.h"
#include "base/memory.h"
#include "base/tensor.h"
#include "kmc/engine.h"
#include "kmc/select.h"
#include "stz/rates.h"

typedef struct direct {
  const stz_grid *grid;
  int row_length; // sites of a row (x, y)
  int strip_rows; // rows of a strip, the piece in which rates are evaluated and summed
  int strips;     // of a plane
  size_t stride;
  stz_fields *fields;
  float *stress;       // 5 components of the fluctuation, stride apart
  float *dressed;      // room for what observers see of it where moduli vary
  double *strip_sums;  // of rates, one per local strip
  double *plane_sums;  // one per plane of the box
  double *plane_axial; // the same of stz_rates_net's second sum
  bool pending;        // an event whose stress the next evaluation must add
  int origin[3];
  float strain[5];
} direct;

// What the rank that owns a proposal sends to the others.
typedef struct verdict {
  stz_shear shear;
  int accepted;
  double excess; // true rate over its bound
} verdict;

// As many whole rows as STZ_RATES_MOST sites hold and the plane can be cut into, whatever the number of ranks.
static int rows_of_strip(int rows, int row_length) {
  int most = STZ_RATES_MOST / row_length;
  while (rows % most != 0) most--;
  return most;
}

static stz_err direct_create(stz_kmc *kmc) {
  direct *d = NULL;
  STZ_TRY(stz_elastic_tabulate(kmc->elastic));
  const stz_grid *grid = stz_glass_grid(kmc->glass);
  stz_err err = STZ_NEW(d, 1);
  if (err == STZ_OK) {
    kmc->state = d;
    d->grid = grid;
    d->row_length = stz_grid_cells(grid)[2];
    d->strip_rows = rows_of_strip(stz_grid_cells(grid)[1], d->row_length);
    d->strips = stz_grid_cells(grid)[1] / d->strip_rows;
    d->stride = stz_field_stride(grid);
    static const stz_field_spec stress = {"stress", "eV/nm^3", "internal stress, deviator components",
                                          STZ_F32,  5,         true};
    err = stz_fields_create(grid, &d->fields);
    if (err == STZ_OK) err = stz_fields_add(d->fields, &stress, (void **)&d->stress);
  }
  if (err == STZ_OK && kmc->params.contrast) err = STZ_NEW(d->dressed, 5 * d->stride);
  if (err == STZ_OK) err = STZ_NEW(d->strip_sums, stz_grid_planes(grid) * d->strips);
  if (err == STZ_OK) err = STZ_NEW(d->plane_sums, stz_grid_cells(grid)[0]);
  if (err == STZ_OK) err = STZ_NEW(d->plane_axial, stz_grid_cells(grid)[0]);
  STZ_TRY(stz_agree(stz_grid_comm(grid), err));
  return stz_kmc_initial_stress(kmc, d->stress);
}

static stz_err direct_remake(stz_kmc *kmc) {
  direct *d = kmc->state;
  d->pending = false; // the glass has its strain
  STZ_TRY(stz_elastic_tabulate(kmc->elastic));
  return stz_kmc_present_stress(kmc, d->stress);
}

static void direct_destroy(stz_kmc *kmc) {
  direct *d = kmc->state;
  if (!d) return;
  stz_fields_destroy(&d->fields);
  stz_free(d->dressed);
  stz_free(d->strip_sums);
  stz_free(d->plane_sums);
  stz_free(d->plane_axial);
  stz_free(d);
}

static int strip_sites(const direct *d) { return d->strip_rows * d->row_length; }

// Global index of the first site of a strip.
static int64_t strip_start(const direct *d, int strip) {
  return stz_grid_first_site(d->grid) + (int64_t)strip * strip_sites(d);
}

// Adds the pending event's exact stress to all sites, over D, which comes in where it is read.
static void add_exact(const stz_kmc *kmc, const direct *d) {
  const stz_contrast *contrast = kmc->params.contrast;
  double strain[5];
  for (int c = 0; c < 5; c++) strain[c] = (double)d->strain[c];
  stz_contrast_event(contrast, stz_grid_site(d->grid, d->origin[0], d->origin[1], d->origin[2]), strain);
  stz_contrast_correct(contrast, STZ_CONTRAST_MOST_TERMS);
  const float scale = (float)stz_contrast_scale(contrast);
  float plain[5][STZ_STRIP_SITES], *const to[5] = {plain[0], plain[1], plain[2], plain[3], plain[4]};
  for (int strip = 0; strip < d->strips * stz_grid_planes(d->grid); strip++) {
    const int64_t first = (int64_t)strip * strip_sites(d);
    memset(plain, 0, sizeof plain);
    stz_elastic_add_strip(kmc->elastic, d->origin, d->strain, strip / d->strips, strip % d->strips * d->strip_rows,
                          d->strip_rows, to);
    for (int c = 0; c < 5; c++) {
      const double *more = stz_contrast_events(contrast, c) + first;
      float *stress = d->stress + (size_t)c * d->stride + (size_t)first;
      for (int i = 0; i < strip_sites(d); i++) {
        stress[i] += (scale * plain[c][i] + (float)more[i]) / stz_contrast_dress(contrast, first + i);
      }
    }
  }
}

// Adds the pending event's stress to one strip.
static void add_strip(const stz_kmc *kmc, const direct *d, int strip) {
  const int rows = d->strip_rows, sites = rows * d->row_length;
  float *stress[5];
  for (int c = 0; c < 5; c++) stress[c] = d->stress + (size_t)c * d->stride + (size_t)strip * (size_t)sites;
  stz_elastic_add_strip(kmc->elastic, d->origin, d->strain, stz_grid_first_plane(d->grid) + strip / d->strips,
                        strip % d->strips * rows, rows, stress);
}

// As strip_rates, where moduli vary.
static double contrast_rates(const stz_kmc *kmc, const direct *d, const stz_law *law, int strip,
                             const float *const stress[5], float *rates, double *axial) {
  _Alignas(64) float room[5][STZ_STRIP_SITES], axis[5][STZ_STRIP_SITES];
  float *const drive[5] = {room[0], room[1], room[2], room[3], room[4]};
  float *const along[5] = {axis[0], axis[1], axis[2], axis[3], axis[4]};
  const float *const loaded[5] = {room[0], room[1], room[2], room[3], room[4]};
  const float *const axes[5] = {axis[0], axis[1], axis[2], axis[3], axis[4]};
  const int n = strip_sites(d);
  const float *barrier = stz_glass_barrier(kmc->glass) + (size_t)strip * (size_t)n;
  const uint16_t *rotation = stz_glass_rotation(kmc->glass) + (size_t)strip * (size_t)n;
  const stz_modes *modes = stz_glass_modes(kmc->glass);
  const stz_law local = stz_kmc_local_law(kmc, law);
  const stz_loading loading = stz_contrast_loading(law->stress, NULL);
  stz_contrast_drive_rows(kmc->params.contrast, &loading, strip_start(d, strip), 8, n / 8, stress, drive);
  if (!axial) return stz_rates_sum(&local, modes, n, loaded, barrier, rotation, rates);
  stz_kmc_axis_rows(kmc, strip_start(d, strip), n, along);
  return stz_rates_net(&local, modes, n, loaded, barrier, rotation, axes, rates, axial);
}

// Sum of the rates of a strip; *axial, unless it is NULL, receives the second sum of stz_rates_net.
static double strip_rates(const stz_kmc *kmc, const direct *d, const stz_law *law, int strip, float *rates,
                          double *axial) {
  const size_t start = (size_t)strip * (size_t)strip_sites(d);
  const float *stress[5], *barrier = stz_glass_barrier(kmc->glass) + start;
  const uint16_t *rotation = stz_glass_rotation(kmc->glass) + start;
  const stz_modes *modes = stz_glass_modes(kmc->glass);
  for (int c = 0; c < 5; c++) stress[c] = d->stress + (size_t)c * d->stride + start;
  if (kmc->params.contrast) return contrast_rates(kmc, d, law, strip, stress, rates, axial);
  return axial ? stz_rates_net(law, modes, strip_sites(d), stress, barrier, rotation, NULL, rates, axial)
               : stz_rates_sum(law, modes, strip_sites(d), stress, barrier, rotation, rates);
}

// The main loop over sites: adds the last event's stress, evaluates every rate, sums by strips and planes. Returns the
// sum of all rates in attempt rates, and in *axial, unless it is NULL, the second sum of stz_rates_net: the same on
// every rank. Collective.
static double evaluate_all(stz_kmc *kmc, const stz_law *law, double *axial) {
  direct *d = kmc->state;
  _Alignas(64) float rates[STZ_RATES_MOST];
  const int first = stz_grid_first_plane(d->grid), planes = stz_grid_cells(d->grid)[0];
  if (kmc->params.contrast) stz_contrast_aim(kmc->params.contrast, law->stress);
  if (d->pending && stz_contrast_exact(kmc->params.contrast)) add_exact(kmc, d);
  for (int plane = 0; plane < stz_grid_planes(d->grid); plane++) {
    double one = 0.0, *net = d->plane_axial + first + plane;
    *net = 0.0;
    for (int strip = plane * d->strips; strip < (plane + 1) * d->strips; strip++) {
      if (d->pending && !stz_contrast_exact(kmc->params.contrast)) add_strip(kmc, d, strip);
      d->strip_sums[strip] = strip_rates(kmc, d, law, strip, rates, axial ? &one : NULL);
      *net += one;
    }
    d->plane_sums[first + plane] = stz_ordered_sum(d->strip_sums + plane * d->strips, d->strips);
  }
  d->pending = false;
  kmc->stats.passes++;
  stz_grid_gather_planes(d->grid, d->plane_sums, 1);
  if (axial) {
    stz_grid_gather_planes(d->grid, d->plane_axial, 1);
    *axial = stz_ordered_sum(d->plane_axial, planes);
  }
  return stz_ordered_sum(d->plane_sums, planes);
}

static void site_rates(const stz_kmc *kmc, const direct *d, const stz_law *law, int64_t site, float barrier,
                       float rates[STZ_MODES][2]) {
  float stress[5];
  const stz_law local = stz_kmc_local_law(kmc, law);
  for (int c = 0; c < 5; c++) stress[c] = d->stress[(size_t)c * d->stride + (size_t)site];
  if (kmc->params.contrast) {
    const stz_loading loading = stz_contrast_loading(law->stress, NULL);
    const int32_t one = (int32_t)site;
    stz_contrast_drive_list(kmc->params.contrast, &loading, 1, &one,
                            (float *const[5]){stress, stress + 1, stress + 2, stress + 3, stress + 4});
  }
  stz_rates_site(&local, stz_glass_modes(kmc->glass), stress, barrier, stz_glass_rotation(kmc->glass)[site], rates);
}

// On the rank that owns `plane`: finds strip, site and mode of the proposal, and accepts it with the ratio of its rate
// under `now` to the rate under `then` times `grown`; damage has recovered by `recovery` now.
static verdict judge(const stz_kmc *kmc, const direct *d, const stz_law *then, const stz_law *now, double grown,
                     double recovery, int plane, double target, double accept) {
  _Alignas(64) float rates[STZ_RATES_MOST];
  float before[STZ_MODES][2], after[STZ_MODES][2];
  const int first = (plane - stz_grid_first_plane(d->grid)) * d->strips;
  const int strip = first + stz_pick_double(d->strip_sums + first, d->strips, &target);
  (void)strip_rates(kmc, d, then, strip, rates, NULL);
  const int64_t site = (int64_t)strip * strip_sites(d) + stz_pick_float(rates, strip_sites(d), &target);
  site_rates(kmc, d, then, site, stz_glass_barrier(kmc->glass)[site], before);
  const int choice = stz_pick_float(&before[0][0], 2 * STZ_MODES, &target);
  site_rates(kmc, d, now, site, (float)stz_glass_barrier_at(kmc->glass, site, recovery), after);
  const double ratio = (&after[0][0])[choice] / ((&before[0][0])[choice] * grown);
  verdict v = {.shear = {.site = stz_grid_first_site(d->grid) + site, .mode = choice / 2, .sign = choice % 2 ? -1 : 1},
               .accepted = accept < ratio,
               .excess = ratio};
  stz_glass_locate(kmc->glass, &v.shear);
  return v;
}

// Draws a proposal at the time `mean->t0` + elapsed, and accepts or rejects it. Collective.
static verdict try_candidate(stz_kmc *kmc, const stz_law *then, const stz_law *now, double grown, double recovery,
                             double total) {
  direct *d = kmc->state;
  double target = stz_rng_uniform(&kmc->rng) * total;
  const double accept = stz_rng_uniform(&kmc->rng);
  const int plane = stz_pick_double(d->plane_sums, stz_grid_cells(d->grid)[0], &target);
  const int owner = stz_grid_owner(d->grid, plane);
  verdict v;
  memset(&v, 0, sizeof v);
  if (owner == stz_grid_rank(d->grid)) v = judge(kmc, d, then, now, grown, recovery, plane, target, accept);
  if (stz_grid_ranks(d->grid) > 1) MPI_Bcast(&v, (int)sizeof v, MPI_BYTE, owner, stz_grid_comm(d->grid));
  kmc->stats.candidates++;
  return v;
}

static double temperature_at(const stz_mean_stress *mean, double elapsed) {
  return mean->temperature_K + elapsed * mean->temperature_rate;
}

static void law_at(const stz_kmc *kmc, const stz_mean_stress *mean, double elapsed, stz_law *law) {
  double stress[6];
  for (int v = 0; v < 6; v++) stress[v] = mean->stress[v] + elapsed * mean->stress_rate[v];
  stz_law_set(law, stz_glass_stz(kmc->glass), stz_glass_modes(kmc->glass), temperature_at(mean, elapsed), stress);
}

static double recovery_at(const stz_kmc *kmc, const stz_mean_stress *mean, double elapsed) {
  return stz_glass_recovery(kmc->glass) +
         stz_glass_recovery_gain(kmc->glass, mean->temperature_K, mean->temperature_rate, elapsed);
}

static stz_err direct_next(stz_kmc *kmc, const stz_mean_stress *mean, double limit, stz_event *event, bool *found) {
  double window;
  const double before = kmc->searched;
  *found = false;
  kmc->searched = 0.0;
  for (double start = before; mean->t0 + start < limit; start += window) {
    if (start > before && stz_kmc_leaves_off(kmc, start)) return STZ_OK;
    const double temperature = temperature_at(mean, start);
    const double growth =
        stz_kmc_growth(kmc, temperature, mean->stress_rate) + stz_thermal_growth(temperature, mean->temperature_rate);
    window = growth > 0.0 ? 1.0 / growth : INFINITY; // the bound grows by e within it
    stz_law then, now;
    const double recovery = recovery_at(kmc, mean, start);
    const double recovering = stz_glass_recovery_rate(kmc->glass, temperature);
    if (recovering > 0.0) window = fmin(window, stz_glass_recovery_step(kmc->glass, recovery) / recovering);
    stz_glass_soften(kmc->glass, recovery);
    law_at(kmc, mean, start, &then);
    const double total = evaluate_all(kmc, &then, NULL);
    if (!isfinite(total)) return stz_fail(STZ_ENUMERIC, "the sum of all rates is %g at %g s", total, mean->t0 + start);
    for (double elapsed = 0.0; total > 0.0;) {
      elapsed = stz_thinning_wait(kmc->attempt * total, growth, elapsed, stz_rng_exponential(&kmc->rng));
      if (elapsed > window || mean->t0 + start + elapsed > limit || !isfinite(elapsed)) break;
      law_at(kmc, mean, start + elapsed, &now);
      const verdict v =
          try_candidate(kmc, &then, &now, stz_exp(growth * elapsed), recovery_at(kmc, mean, start + elapsed), total);
      if (v.excess > 1.001) {
        return stz_fail(STZ_ENUMERIC, "a rate exceeds its bound by the factor %g at %g s", v.excess, mean->t0 + start);
      }
      if (!v.accepted) continue;
      *event = (stz_event){.time_s = mean->t0 + start + elapsed, .shear = v.shear};
      *found = true;
      return STZ_OK;
    }
  }
  return STZ_OK;
}

static void direct_add_stress(stz_kmc *kmc, const stz_event *event, const double strain[6]) {
  direct *d = kmc->state;
  assert(!d->pending);
  double deviator[5];
  stz_dev_from_sym(strain, deviator);
  const float dress = stz_contrast_exact(kmc->params.contrast) ? 1.0f : stz_kmc_dress(kmc, event->shear.site);
  for (int c = 0; c < 5; c++) d->strain[c] = dress * (float)deviator[c];
  stz_grid_coords(d->grid, event->shear.site, d->origin);
  d->pending = true;
}

static stz_err direct_rates(stz_kmc *kmc, const stz_mean_stress *mean, double *total, double *plastic_rate) {
  const direct *d = kmc->state;
  const stz_stz_params *stz = stz_glass_stz(kmc->glass);
  double axial;
  stz_law law;
  law_at(kmc, mean, 0.0, &law);
  *total = kmc->attempt * evaluate_all(kmc, &law, &axial);
  *plastic_rate = axial * stz->gamma0 * kmc->attempt * stz->volume_nm3 / stz_grid_volume(d->grid);
  return STZ_OK;
}

// Where moduli vary the field is kept without D, which comes in here.
static const float *direct_stress(const stz_kmc *kmc, int c) {
  const direct *d = kmc->state;
  const float *stress = d->stress + (size_t)c * d->stride;
  if (!kmc->params.contrast) return stress;
  float *dressed = d->dressed + (size_t)c * d->stride;
  const int64_t first = stz_grid_first_site(d->grid);
  for (int64_t i = 0; i < stz_grid_local_sites(d->grid); i++) dressed[i] = stz_kmc_dress(kmc, first + i) * stress[i];
  return dressed;
}

static void direct_site_stress(const stz_kmc *kmc, int64_t local, float stress[5]) {
  const direct *d = kmc->state;
  const float dress = stz_kmc_dress(kmc, stz_grid_first_site(d->grid) + local);
  for (int c = 0; c < 5; c++) stress[c] = dress * d->stress[(size_t)c * d->stride + (size_t)local];
}

// One row of the kernel's table holds the event's own site.
static void direct_self_stress(const stz_kmc *kmc, int layer, double self[5][5]) {
  const int origin[3] = {0, 0, layer};
  float row[5][STZ_STRIP_SITES];
  const int length = stz_grid_cells(stz_glass_grid(kmc->glass))[2];
  float *const stress[5] = {row[0], row[1], row[2], row[3], row[4]};
  for (int d = 0; d < 5; d++) {
    float unit[5] = {0};
    unit[d] = 1.0f;
    for (int c = 0; c < 5; c++) memset(row[c], 0, (size_t)length * sizeof(float));
    stz_elastic_add_strip(kmc->elastic, origin, unit, 0, 0, 1, stress);
    for (int c = 0; c < 5; c++) self[c][d] = (double)row[c][layer];
  }
}

static double direct_bytes(const stz_kmc *kmc) {
  const direct *d = kmc->state;
  const double sites = (double)stz_grid_local_sites(d->grid);
  return 5.0 * sizeof(float) +
         ((double)stz_elastic_table_bytes(kmc->elastic) + 8.0 * d->strips * stz_grid_planes(d->grid)) / sites;
}

static const stz_fields *direct_fields(const stz_kmc *kmc) { return ((const direct *)kmc->state)->fields; }

// An event whose stress the next evaluation would add.
typedef struct direct_saved {
  int pending, origin[3];
  float strain[5];
} direct_saved;
_Static_assert(sizeof(direct_saved) <= STZ_ENGINE_SAVED_BYTES, "the engine's saved state does not fit");

static void direct_save(const stz_kmc *kmc, void *own) {
  const direct *d = kmc->state;
  direct_saved saved = {.pending = d->pending};
  memcpy(saved.origin, d->origin, sizeof saved.origin);
  memcpy(saved.strain, d->strain, sizeof saved.strain);
  memcpy(own, &saved, sizeof saved);
}

static void direct_restore(stz_kmc *kmc, const void *own) {
  direct *d = kmc->state;
  direct_saved saved;
  memcpy(&saved, own, sizeof saved);
  d->pending = saved.pending != 0;
  memcpy(d->origin, saved.origin, sizeof saved.origin);
  memcpy(d->strain, saved.strain, sizeof saved.strain);
}

static void direct_cost(double sites, int ranks, bool random, stz_engine_cost *cost) {
  const double site_s = random ? 30e-9 : 22e-9, message_s = ranks > 1 ? 2e-5 : 0.0;
  const double half = 0.5 * cbrt(sites) + 1.0, table = 60.0 * half * half * (half + 4.0); // rows are padded
  *cost = (stz_engine_cost){.event_s = sites / ranks * site_s + message_s,
                            .bytes = (double)stz_alloc_bytes((size_t)(20.0 * sites / ranks)) + table};
}

const stz_engine stz_engine_direct = {
    .cost = direct_cost,
    .create = direct_create,
    .destroy = direct_destroy,
    .remake = direct_remake,
    .next = direct_next,
    .add_stress = direct_add_stress,
    .rates = direct_rates,
    .stress = direct_stress,
    .site_stress = direct_site_stress,
    .self_stress = direct_self_stress,
    .bytes_per_site = direct_bytes,
    .fields = direct_fields,
    .save = direct_save,
    .restore = direct_restore,
};
