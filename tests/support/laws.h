// SPDX-License-Identifier: GPL-3.0-or-later
//
// The multilevel engine as it stands against the operator: its stress, the sum of its rates, the law of the next event,
// and each site's bound. For its test and the bench.
#ifndef STZ_TESTS_LAWS_H
#define STZ_TESTS_LAWS_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/units.h"
#include "kmc/multilevel/multilevel.h"
#include "worse.h"

typedef struct laws {
  double rms_MPa, worst_MPa; // error of the stress, norm of the deviator
  double own, exact;         // sums of all rates, in attempt rates
  double apart;              // total variation of the law of the next event, over sites and modes
  double above;              // sum of what rates are above their bounds
} laws;

static inline void laws_must(stz_err err) {
  if (err == STZ_OK) return;
  fprintf(stderr, "%s\n", stz_error_message());
  abort();
}

// Stress of the sample's strain by the operator, 5 + 6 components in `work`; returns the first of the stress.
static inline double *laws_exact_stress(const stz_kmc *kmc, stz_spectral *spectral, double *work) {
  const stz_grid *grid = stz_glass_grid(kmc->glass);
  const size_t sites = (size_t)stz_grid_sites(grid);
  const double a = stz_grid_spacing(grid), share = a * a * a / stz_glass_stz(kmc->glass)->volume_nm3;
  const double *strain[5];
  double *stress[6];
  for (size_t c = 0; c < 6; c++) stress[c] = work + (5 + c) * sites;
  for (size_t c = 0; c < 5; c++) {
    const float *plastic = stz_glass_plastic(kmc->glass, (int)c);
    for (size_t i = 0; i < sites; i++) work[c * sites + i] = share * (double)plastic[i];
    strain[c] = work + c * sites;
  }
  laws_must(stz_elastic_stress(kmc->elastic, spectral, strain, stress));
  return stress[0];
}

static inline double laws_site(const stz_kmc *kmc, const stz_law *law, int64_t site, const float s[5],
                               float rates[STZ_MODES][2]) {
  double sum = 0.0;
  stz_rates_site(law, stz_glass_modes(kmc->glass), s, stz_glass_barrier(kmc->glass)[site],
                 stz_glass_rotation(kmc->glass)[site], rates);
  for (int m = 0; m < 2 * STZ_MODES; m++) sum += (double)(&rates[0][0])[m];
  return sum;
}

// One look at all sites. The first gives the sums, with which the second gives how far the laws are apart.
static inline void laws_pass(const stz_kmc *kmc, const stz_mean_stress *mean, const double *exact, laws *r) {
  const stz_multilevel *e = kmc->state;
  const stz_grid *grid = stz_glass_grid(kmc->glass);
  const int64_t sites = stz_grid_sites(grid);
  const double raised = exp(stz_ml_excess(kmc, mean, 0.0));
  stz_law law;
  laws now = {.own = 0.0};
  stz_law_set(&law, stz_glass_stz(kmc->glass), stz_glass_modes(kmc->glass), mean->temperature_K, mean->stress);
  for (int64_t i = 0; i < sites; i++) {
    float s[5], p[5], own[STZ_MODES][2], other[STZ_MODES][2];
    int xyz[3];
    double square = 0.0;
    for (int c = 0; c < 5; c++) {
      const double true_stress = exact[c * sites + i];
      s[c] = stz_kmc_stress(kmc, c)[i];
      p[c] = (float)true_stress;
      square += ((double)s[c] - true_stress) * ((double)s[c] - true_stress) / (1e-6 * STZ_GPA * STZ_GPA);
    }
    now.rms_MPa += square / (double)sites;
    now.worst_MPa = worse(now.worst_MPa, sqrt(square));
    const double sum = laws_site(kmc, &law, i, s, own);
    stz_grid_coords(grid, i, xyz);
    now.above += fmax(0.0, sum - raised * (double)stz_ml_row8(e, stz_ml_number(e, xyz))->bound[xyz[2] % 8]);
    now.own += sum;
    now.exact += laws_site(kmc, &law, i, p, other);
    for (int m = 0; m < 2 * STZ_MODES && r->own > 0.0; m++) {
      now.apart += 0.5 * fabs((double)(&own[0][0])[m] / r->own - (double)(&other[0][0])[m] / r->exact);
    }
  }
  now.rms_MPa = sqrt(now.rms_MPa);
  *r = now;
}

static inline laws compare_laws(const stz_kmc *kmc, const stz_mean_stress *mean) {
  const stz_grid *grid = stz_glass_grid(kmc->glass);
  stz_spectral *spectral = NULL;
  double *work = NULL;
  laws r = {.own = 0.0};
  laws_must(stz_spectral_create(grid, &spectral));
  laws_must(STZ_NEW(work, 11 * stz_grid_sites(grid)));
  const double *exact = laws_exact_stress(kmc, spectral, work);
  laws_pass(kmc, mean, exact, &r);
  laws_pass(kmc, mean, exact, &r);
  stz_free(work);
  stz_spectral_destroy(&spectral);
  return r;
}

#endif
