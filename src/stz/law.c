// SPDX-License-Identifier: GPL-3.0-or-later
#include "stz/law.h"

#include <math.h>
#include <string.h>

#include "base/tensor.h"
#include "base/units.h"

#define DECLARE(LAW, name) extern const stz_law_kind stz_law_##name;
STZ_BARRIER_LAWS(DECLARE)

#define ENTRY(LAW, name) [STZ_LAW_##LAW] = &stz_law_##name,
static const stz_law_kind *const kinds[] = {STZ_BARRIER_LAWS(ENTRY)};

const stz_law_kind *stz_law_kind_of(stz_barrier_law law) { return kinds[law]; }

void stz_law_set(stz_law *law, const stz_stz_params *params, const stz_modes *modes, double temperature_K,
                 const double mean_stress[6]) {
  const double per_eV = 1.0 / (STZ_BOLTZMANN * temperature_K * STZ_LN2);
  const double unit = kinds[params->barrier_law]->set(params, per_eV, law);
  double mean[5];
  stz_dev_from_sym(mean_stress, mean);
  const double alpha = params->normal_coefficient * unit;
  const double plane = params->normal_stress == STZ_NORMAL_STRESS_PLANE ? alpha : 0.0;
  for (int m = 0; m < STZ_MODES; m++) {
    for (int c = 0; c < 5; c++) {
      law->mode[m][c] = (float)(modes->p[m][c] * unit);
      law->normal[m][c] = (float)(modes->normal[m][c] * plane);
    }
  }
  law->pressed = params->normal_coefficient != 0.0;
  law->press = (float)(alpha * (mean_stress[STZ_XX] + mean_stress[STZ_YY] + mean_stress[STZ_ZZ]) / 3.0);
  law->steepest = (float)(fabs(plane) * sqrt(2.0 / 3.0) * (1.0 + 1e-6));
  law->unit = unit;
  law->kind = params->barrier_law;
  law->modes = modes->count;
  law->grouped = modes->grouped && !law->pressed;
  for (int c = 0; c < 5; c++) law->mean[c] = (float)mean[c];
  memcpy(law->stress, mean_stress, sizeof law->stress);
  law->per_eV = (float)per_eV;
}

double stz_attempt_rate(const stz_stz_params *params, double spacing) {
  const double share =
      params->attempt_density == STZ_ATTEMPT_VOLUME ? spacing * spacing * spacing / params->volume_nm3 : 1.0;
  return params->attempt_frequency_per_s * share;
}

double stz_rate_growth(const stz_stz_params *params, double highest, double temperature_K,
                       const double stress_rate[6]) {
  double d[5], norm2 = 0.0;
  stz_dev_from_sym(stress_rate, d);
  for (int c = 0; c < 5; c++) norm2 += d[c] * d[c];
  const double per_eV = 1.0 / (STZ_BOLTZMANN * temperature_K), alpha = fabs(params->normal_coefficient);
  const double plane = params->normal_stress == STZ_NORMAL_STRESS_PLANE ? alpha : 0.0;
  const double pressing = alpha * fabs(stress_rate[STZ_XX] + stress_rate[STZ_YY] + stress_rate[STZ_ZZ]) / 3.0;
  const double rate = sqrt((0.5 + plane * plane * 2.0 / 3.0) * norm2) + pressing;
  return kinds[params->barrier_law]->growth(params, highest, per_eV, rate);
}

// d ln(rate)/dt = x T'/T - B'/kT with x = B/kT. Heating: x is at most 126 ln 2, since a rate below 2^-126 counts as
// that, and both parts fall as T rises. Cooling: B is not negative, so exp(-B/kT) stays below exp(-B/kT0), which grows
// by the stress alone.
double stz_thermal_growth(double temperature_K, double rate) {
  return rate > 0.0 ? STZ_LAW_LARGEST_EXPONENT * STZ_LN2 * rate / temperature_K : 0.0;
}

double stz_barrier_under(const stz_stz_params *params, double barrier, double tau) {
  return kinds[params->barrier_law]->barrier_under(params, barrier, tau);
}
