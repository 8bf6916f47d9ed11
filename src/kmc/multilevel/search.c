// SPDX-License-Identifier: GPL-3.0-or-later
//
// The search for the next event, whatever chooses its proposals: the reference of the bounds, stretches of time, and
// the test of a proposal.
#include <math.h>

#include "base/mathfn.h"
#include "base/tensor.h"
#include "kmc/multilevel/multilevel.h"
#include "kmc/select.h"

static const double WIDEST = 0.4;   // ln: most that bounds may be raised by the reference
static const double WINDOW = 0.1;   // ln: they may grow so far before the waiting time is cut
static const double POOREST = 0.03; // fraction of proposals accepted below which all bounds are recomputed
enum { TRIED = 1024 };              // proposals between recomputes for poor acceptance
static const double CHANCE = 10.0;  // events that may be missed beside the share of all: their number is an estimate in
                                    // which a single rare find may count for several
static const double WARMED = 0.005; // change of temperature/that of the reference, at most: a barrier of 80 kT then
                                    // moves by 0.4 as WIDEST allows

double stz_ml_recovery_at(const stz_kmc *kmc, const stz_mean_stress *mean, double elapsed) {
  return stz_glass_recovery(kmc->glass) +
         stz_glass_recovery_gain(kmc->glass, mean->temperature_K, mean->temperature_rate, elapsed);
}

// The law; where moduli vary, `site` (in and out), the stress of a site, becomes its driving stress, and the law has
// none.
static void law_at(const stz_kmc *kmc, const stz_mean_stress *mean, double elapsed, int32_t number, float site[5],
                   stz_law *law) {
  const stz_multilevel *e = kmc->state;
  double stress[6], deviator[5], uniform[6];
  for (int c = 0; c < 5; c++) deviator[c] = stz_ml_uniform(e, c);
  stz_sym_from_dev(deviator, uniform);
  for (int v = 0; v < 6; v++) stress[v] = mean->stress[v] + elapsed * mean->stress_rate[v];
  if (kmc->params.contrast) stz_ml_load_site(kmc, e, stress, deviator, number, site);
  for (int v = 0; v < 6; v++) stress[v] += uniform[v];
  stz_law_set(law, stz_glass_stz(kmc->glass), stz_glass_modes(kmc->glass),
              mean->temperature_K + elapsed * mean->temperature_rate, stress);
  *law = stz_kmc_local_law(kmc, law);
}

double stz_ml_rates_of(const stz_kmc *kmc, const stz_mean_stress *mean, double elapsed, int32_t number, float stress[5],
                       float barrier, uint16_t rotation, float rates[STZ_MODES][2]) {
  stz_law law;
  double sum = 0.0;
  law_at(kmc, mean, elapsed, number, stress, &law);
  stz_rates_site(&law, stz_glass_modes(kmc->glass), stress, barrier, rotation, rates);
  for (int m = 0; m < STZ_MODES; m++) sum += (double)rates[m][0] + (double)rates[m][1];
  return sum;
}

// The same with the barrier and the rotation that the site has.
static double rates_under(const stz_kmc *kmc, const stz_mean_stress *mean, double elapsed, int32_t number,
                          float stress[5], float rates[STZ_MODES][2]) {
  const int64_t at = stz_ml_local(kmc->state, number);
  const double recovery = stz_ml_recovery_at(kmc, mean, elapsed);
  return stz_ml_rates_of(kmc, mean, elapsed, number, stress, (float)stz_glass_barrier_at(kmc->glass, at, recovery),
                         stz_glass_rotation(kmc->glass)[at], rates);
}

double stz_ml_exact_rates(const stz_kmc *kmc, const stz_mean_stress *mean, double elapsed, int32_t number,
                          float rates[STZ_MODES][2]) {
  float stress[5];
  stz_ml_settle(kmc);
  stz_ml_site_stress(kmc->state, number, stress);
  return rates_under(kmc, mean, elapsed, number, stress, rates);
}

double stz_ml_cached_rates(const stz_kmc *kmc, const stz_mean_stress *mean, double elapsed, int32_t number) {
  const stz_row8 *row8 = stz_ml_row8(kmc->state, number);
  float stress[5], rates[STZ_MODES][2];
  for (int c = 0; c < 5; c++) stress[c] = STZ_CACHED * (float)row8->cached[c][number % 8];
  return rates_under(kmc, mean, elapsed, number, stress, rates);
}

void stz_ml_choose(const stz_kmc *kmc, int32_t number, const float rates[STZ_MODES][2], double left, stz_shear *shear) {
  const int choice = stz_pick_float(&rates[0][0], 2 * STZ_MODES, &left);
  *shear = (stz_shear){.site = stz_ml_local(kmc->state, number), .mode = choice / 2, .sign = choice % 2 ? -1 : 1};
  stz_glass_locate(kmc->glass, shear);
}

static bool poor(const stz_ml_head *h) { return h->accepted < POOREST && h->tried > TRIED; }

void stz_ml_tire(stz_multilevel *e) {
  e->head->accepted = 0.0;
  e->head->tried = TRIED + 1;
}

bool stz_ml_sweep_due(const stz_kmc *kmc, const stz_mean_stress *mean, double elapsed, double excess) {
  const stz_ml_head *h = ((const stz_multilevel *)kmc->state)->head;
  const double kelvin = mean->temperature_K + elapsed * mean->temperature_rate;
  return h->stale || excess > WIDEST || poor(h) || fabs(kelvin - h->kelvin) > WARMED * h->kelvin;
}

// Moves the reference to `elapsed`, `excess` away, and sets all bounds, unless that may be put off.
static stz_err set_reference(stz_kmc *kmc, const stz_mean_stress *mean, double elapsed, double excess) {
  const stz_multilevel *e = kmc->state;
  stz_ml_head *h = e->head;
  const bool undamaged = stz_glass_recovery_state(kmc->glass).most == 0.0; // else barriers change without events
  h->put_off = !h->stale && h->rebounded == kmc->stats.events && undamaged;
  h->ahead += excess;
  h->tried = 0;
  stz_ml_settle(kmc);
  if (h->stale) {
    STZ_TRY(stz_ml_check_nodes(e, mean->t0 + elapsed));
    stz_ml_recompute(kmc);
  }
  h->stale = 0;
  stz_ml_refer(kmc, mean, elapsed);
  return h->put_off ? STZ_OK : stz_ml_rebound_all(kmc, stz_ml_recovery_at(kmc, mean, elapsed), mean->t0 + elapsed);
}

stz_ml_stretch stz_ml_stretch_from(const stz_kmc *kmc, const stz_mean_stress *mean, double start) {
  const double temperature = mean->temperature_K + start * mean->temperature_rate;
  const double growth =
      stz_kmc_growth(kmc, temperature, mean->stress_rate) + stz_thermal_growth(temperature, mean->temperature_rate);
  return (stz_ml_stretch){.start = start,
                          .begin = mean->t0 + start,
                          .length = growth > 0.0 ? WINDOW / growth : INFINITY,
                          .raised = stz_exp(stz_ml_excess(kmc, mean, start)),
                          .growth = growth};
}

bool stz_ml_is_over(const stz_ml_stretch *s, double limit, double elapsed) {
  return elapsed > s->length || s->begin + elapsed > limit || !isfinite(elapsed);
}

// Whether more events are missed than may be.
static stz_err check_missed(const stz_kmc *kmc, double t) {
  const double share = ((const stz_multilevel *)kmc->state)->missed;
  if (kmc->stats.missed <= share * (double)kmc->stats.events + CHANCE) return STZ_OK;
  return stz_fail(STZ_ENUMERIC, "rates exceed their bounds: about %.3g of %.0f events are missed at %g s",
                  kmc->stats.missed, (double)kmc->stats.events, t);
}

stz_err stz_ml_search(stz_kmc *kmc, const stz_mean_stress *mean, double limit, stz_ml_propose *propose,
                      stz_ml_consider *consider, stz_event *event, bool *found) {
  const stz_multilevel *e = kmc->state;
  double length;
  const double before = kmc->searched;
  *found = false;
  kmc->searched = 0.0;
  for (double start = before; mean->t0 + start < limit; start += length) {
    if (start > before && stz_kmc_leaves_off(kmc, start)) return STZ_OK;
    const double excess = e->head->stale ? 0.0 : stz_ml_excess(kmc, mean, start);
    if (stz_ml_sweep_due(kmc, mean, start, excess)) STZ_TRY(set_reference(kmc, mean, start, excess));
    const stz_ml_stretch s = stz_ml_stretch_from(kmc, mean, start);
    length = s.length;
    for (stz_ml_proposal p = {.within = 0.0};;) {
      STZ_TRY(propose(kmc, mean, &s, limit, &p));
      if (isinf(p.within)) break;
      if (consider(kmc, mean, stz_ml_raised(&s, p.within), &p, &event->shear)) {
        event->time_s = p.time_s;
        *found = true;
        return STZ_OK;
      }
      STZ_TRY(check_missed(kmc, s.begin));
      if (poor(e->head)) {
        length = p.within; // continue from here with new bounds
        break;
      }
    }
  }
  return STZ_OK;
}
