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

#include "base/memory.h"
#include "kmc/multilevel/multilevel.h"
#include "kmc/select.h"
#include "stz/power2.h"

static const double TOLD = 1.001; // factor: margin of the squeeze test over the error of a slack (a logarithm to 2e-4)
static const double LOOSE = 0.02; // rate/bound of a site below which its bound is computed anew: left as it is, it
                                  // would take 50 proposals per event
enum { MEMORY = 256 };            // proposals of the running mean of those accepted

// The site of a proposal, by its number.
static int32_t pick_site(const stz_multilevel *e, double target) {
  const int group = stz_pick_double(e->group_sum, e->groups, &target), first = group * STZ_ML_GROUP;
  const int left = e->blocks - first < STZ_ML_GROUP ? e->blocks - first : STZ_ML_GROUP;
  const int block = first + stz_pick_double(e->block_sum + first, left, &target);
  const float *rows = e->row_sum + (size_t)block * STZ_BLOCK_PIECES;
  const int32_t row = STZ_ML_SITES * block + 8 * stz_pick_float(rows, STZ_BLOCK_PIECES, &target);
  return row + stz_pick_float(stz_ml_row8(e, row)->bound, 8, &target);
}

// Goes on to the next proposal of the stretch.
static stz_err propose(stz_kmc *kmc, const stz_mean_stress *mean, const stz_ml_stretch *s, double limit,
                       stz_ml_proposal *p) {
  const stz_multilevel *e = kmc->state;
  const double exponential = stz_rng_exponential(&kmc->rng), attempts = kmc->attempt * s->raised, from = p->within;
  p->within = INFINITY;
  if (e->head->put_off) {
    const double most = stz_ml_most(e);
    if (stz_ml_is_over(s, limit, stz_thinning_wait(attempts * most, s->growth, from, exponential))) return STZ_OK;
    STZ_TRY(stz_ml_rebound_all(kmc, stz_ml_recovery_at(kmc, mean, s->start), s->begin));
    STZ_TRY(stz_ml_check_sum(e->head->total, most, s->begin));
  }
  const double next = stz_thinning_wait(attempts * e->head->total, s->growth, from, exponential);
  if (stz_ml_is_over(s, limit, next)) return STZ_OK;
  const double target = stz_rng_uniform(&kmc->rng) * e->head->total, accept = stz_rng_uniform(&kmc->rng);
  *p = (stz_ml_proposal){.number = pick_site(e, target),
                         .accept = accept,
                         .within = next,
                         .elapsed = s->start + next,
                         .time_s = s->begin + next};
  return STZ_OK;
}

// Accepts or rejects a proposal; bounds are raised by the factor `raised`. True if it is an event.
static bool consider(stz_kmc *kmc, const stz_mean_stress *mean, double raised, const stz_ml_proposal *p,
                     stz_shear *shear) {
  stz_multilevel *e = kmc->state;
  stz_ml_head *h = e->head;
  const int32_t number = p->number;
  const double accept = p->accept;
  const stz_row8 *row8 = stz_ml_row8(e, number);
  const double bound = (double)row8->bound[number % 8], slack = (double)STZ_SLACK * row8->slack[number % 8];
  kmc->stats.candidates++;
  h->tried++;
  h->accepted -= h->accepted / MEMORY;
  const double spare = slack + stz_ml_margin() - stz_ml_drift_estimate(e, number);
  if (slack > 0.0 && bound < stz_ml_largest() && accept > TOLD * (double)stz_power2((float)(-STZ_LOG2_E * spare))) {
    kmc->stats.squeezed++;
    return false;
  }
  float rates[STZ_MODES][2];
  const double sum = stz_ml_exact_rates(kmc, mean, p->elapsed, number, rates);
  const double ratio = sum / (bound * raised);
  if (ratio > 1.0) {
    kmc->stats.violations++;
    kmc->stats.missed += ratio - 1.0;
    stz_ml_bound_site(kmc, number);
  }
  const double left = accept * bound * raised;
  if (!(left < sum)) {
    if (ratio < LOOSE) stz_ml_bound_site(kmc, number);
    return false;
  }
  h->accepted += 1.0 / MEMORY;
  stz_ml_choose(kmc, number, (const float(*)[2])rates, left, shear);
  return true;
}

static stz_err stz_ml_next(stz_kmc *kmc, const stz_mean_stress *mean, double limit, stz_event *event, bool *found) {
  return stz_ml_search(kmc, mean, limit, propose, consider, event, found);
}

static void stz_ml_save(const stz_kmc *kmc, void *own) {
  (void)kmc;
  (void)own; // all of it is in the blocks
}

const stz_engine stz_engine_multilevel = {
    .cost = stz_ml_cost,
    .create = stz_ml_create,
    .destroy = stz_ml_destroy,
    .remake = stz_ml_remake,
    .next = stz_ml_next,
    .begin = stz_ml_begin,
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
