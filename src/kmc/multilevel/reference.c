// SPDX-License-Identifier: GPL-3.0-or-later
//
// The reference of the bounds: a mean stress and a temperature, and how far the load is from them.
#include <math.h>

#include "base/mathfn.h"
#include "base/tensor.h"
#include "kmc/multilevel/multilevel.h"

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

// A bound is its rate times a factor and the least bound. One per cent for rounding.
double stz_ml_most(const stz_multilevel *e) {
  return 1.01 * (stz_exp(stz_ml_margin() + (double)e->spare) + e->waste) * e->head->activity * stz_exp(e->head->ahead);
}

stz_err stz_ml_check_sum(double sum, double bound, double t) {
  if (sum <= bound) return STZ_OK;
  return stz_fail(STZ_ENUMERIC, "the sum of all rates exceeds its bound by the factor %.3g at %g s: events are missed",
                  sum / bound, t);
}
