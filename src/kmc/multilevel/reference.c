// SPDX-License-Identifier: GPL-3.0-or-later
//
// The reference of the bounds: a mean stress and a temperature, and how far the load is from them.
#include <math.h>

#include "base/mathfn.h"
#include "base/tensor.h"
#include "kmc/multilevel/multilevel.h"

static void mean_at(const stz_mean_stress *mean, double elapsed, double stress[6]) {
  for (int v = 0; v < 6; v++) stress[v] = mean->stress[v] + elapsed * mean->stress_rate[v];
}

static void total_mean(const stz_multilevel *e, const double stress[6], double d[5]) {
  stz_dev_from_sym(stress, d);
  for (int c = 0; c < 5; c++) d[c] += stz_ml_uniform(e, c);
}

static double trace_of(const double stress[6]) { return stress[STZ_XX] + stress[STZ_YY] + stress[STZ_ZZ]; }

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
  const double third = (trace - trace_of(h->applied)) / 3.0, stress[6] = {third, third, third};
  return fmax(growth_at(kmc, kelvin, stress), growth_at(kmc, h->kelvin, stress));
}

double stz_ml_excess(const stz_kmc *kmc, const stz_mean_stress *mean, double elapsed) {
  const stz_multilevel *e = kmc->state;
  double stress[6], d[5], norm2 = 0.0;
  mean_at(mean, elapsed, stress);
  total_mean(e, stress, d);
  for (int c = 0; c < 5; c++) norm2 += (d[c] - e->head->mean[c]) * (d[c] - e->head->mean[c]);
  const double kelvin = mean->temperature_K + elapsed * mean->temperature_rate, warmer = kelvin - e->head->kelvin;
  const double slope = fmax(e->slope, slope_at(kmc, kelvin));
  const double pressing = e->law.pressed ? pressing_of(kmc, trace_of(stress), kelvin) : 0.0;
  const double moved = kmc->params.contrast ? stz_ml_furthest(kmc, stress, d) : sqrt(norm2);
  return slope * moved + pressing + (warmer > 0.0 ? stz_thermal_growth(e->head->kelvin, warmer) : 0.0);
}

void stz_ml_set_law(const stz_kmc *kmc, stz_multilevel *e) {
  double stress[6];
  stz_sym_from_dev(e->head->mean, stress);
  const bool pressed = stz_glass_stz(kmc->glass)->normal_coefficient != 0.0;
  for (int v = STZ_XX; v <= STZ_ZZ && pressed; v++) stress[v] += trace_of(e->head->applied) / 3.0;
  stz_law_set(&e->law, stz_glass_stz(kmc->glass), stz_glass_modes(kmc->glass), e->head->kelvin, stress);
  e->law = stz_kmc_local_law(kmc, &e->law);
  e->slope = slope_at(kmc, e->head->kelvin);
}

void stz_ml_refer(stz_kmc *kmc, const stz_mean_stress *mean, double elapsed) {
  stz_multilevel *e = kmc->state;
  mean_at(mean, elapsed, e->head->applied);
  total_mean(e, e->head->applied, e->head->mean);
  e->head->kelvin = mean->temperature_K + elapsed * mean->temperature_rate;
  stz_ml_set_law(kmc, e);
}

// A bound is its rate times a factor and the least bound. One per cent for rounding.
double stz_ml_most(const stz_multilevel *e) {
  return 1.01 * (stz_exp(stz_ml_margin() + (double)e->spare) + e->waste) * e->head->activity * stz_exp(e->head->ahead);
}

stz_err stz_ml_check_sum(double sum, double bound, double t) {
  if (sum <= bound) return STZ_OK;
  return stz_fail(STZ_ENUMERIC, "the sum of all rates exceeds its bound by the factor %.3g at %g s: events are missed",
                  sum / bound, t);
}
