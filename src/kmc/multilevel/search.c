// SPDX-License-Identifier: GPL-3.0-or-later
//
// The search for the next event, whatever chooses its proposals: the reference of the bounds, stretches of time, and
// the test of a proposal.
#include <math.h>

#include "base/mathfn.h"
#include "base/tensor.h"
#include "kmc/multilevel/multilevel.h"
#include "kmc/select.h"
#include "stz/power2.h"

static const double WIDEST = 0.4;    // ln: most that bounds may be raised by the reference
static const double WINDOW = 0.1;    // ln: they may grow so far before the waiting time is cut
static const double POOREST = 0.03;  // fraction of proposals accepted below which all bounds are recomputed
enum { MEMORY = 256, TRIED = 1024 }; // proposals: of the running mean; between recomputes for poor acceptance
static const double MISSED = 1e-3, CHANCE = 10.0; // fraction of events that may be missed, and some more: it is an
                                                  // estimate in which a single rare find may count for several
static const double TOLD = 1.001; // factor: margin of the squeeze test over the error of a slack (a logarithm to 2e-4)
static const double LOOSE = 0.02; // rate/bound of a site below which its bound is computed anew: left as it is, it
                                  // would take 50 proposals per event
static const double WARMED = 0.005; // change of temperature/that of the reference, at most: a barrier of 80 kT then
                                    // moves by 0.4 as WIDEST allows

double stz_ml_recovery_at(const stz_kmc *kmc, const stz_mean_stress *mean, double elapsed) {
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

double stz_ml_exact_rates(const stz_kmc *kmc, const stz_mean_stress *mean, double elapsed, int32_t number,
                          float rates[STZ_MODES][2]) {
  const stz_multilevel *e = kmc->state;
  const int64_t at = stz_ml_local(e, number);
  const double recovery = stz_ml_recovery_at(kmc, mean, elapsed);
  stz_law law;
  float stress[5];
  double sum = 0.0;
  law_at(kmc, mean, elapsed, &law);
  stz_ml_site_stress(e, number, stress);
  stz_rates_site(&law, stz_glass_modes(kmc->glass), stress, (float)stz_glass_barrier_at(kmc->glass, at, recovery),
                 stz_glass_rotation(kmc->glass)[at], rates);
  for (int m = 0; m < STZ_MODES; m++) sum += (double)rates[m][0] + (double)rates[m][1];
  return sum;
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
  double left = accept * bound * raised;
  if (!(left < sum)) {
    if (ratio < LOOSE) stz_ml_bound_site(kmc, number);
    return false;
  }
  h->accepted += 1.0 / MEMORY;
  if (p->mode >= 0.0) left = p->mode * sum;
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
  if (h->stale) {
    STZ_TRY(stz_ml_check_nodes(e, mean->t0 + elapsed));
    stz_ml_recompute(kmc);
  }
  h->stale = 0;
  stz_ml_refer(kmc, mean, elapsed);
  return h->put_off ? STZ_OK : stz_ml_rebound_all(kmc, stz_ml_recovery_at(kmc, mean, elapsed), mean->t0 + elapsed);
}

static stz_ml_stretch stretch_from(const stz_kmc *kmc, const stz_mean_stress *mean, double start) {
  const stz_stz_params *stz = stz_glass_stz(kmc->glass);
  const double temperature = mean->temperature_K + start * mean->temperature_rate;
  const double growth = stz_rate_growth(stz, stz_glass_highest_barrier(kmc->glass), temperature, mean->stress_rate) +
                        stz_thermal_growth(temperature, mean->temperature_rate);
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
  if (kmc->stats.missed <= MISSED * (double)kmc->stats.events + CHANCE) return STZ_OK;
  return stz_fail(STZ_ENUMERIC, "rates exceed their bounds: about %.3g of %.0f events are missed at %g s",
                  kmc->stats.missed, (double)kmc->stats.events, t);
}

stz_err stz_ml_search(stz_kmc *kmc, const stz_mean_stress *mean, double limit, stz_ml_propose *propose,
                      stz_event *event, bool *found) {
  const stz_multilevel *e = kmc->state;
  double length;
  const double before = kmc->searched;
  *found = false;
  kmc->searched = 0.0;
  for (double start = before; mean->t0 + start < limit; start += length) {
    if (start > before && stz_kmc_leaves_off(kmc, start)) return STZ_OK;
    const double excess = e->head->stale ? 0.0 : stz_ml_excess(kmc, mean, start);
    if (sweep_due(kmc, mean, start, excess)) STZ_TRY(set_reference(kmc, mean, start, excess));
    const stz_ml_stretch s = stretch_from(kmc, mean, start);
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
