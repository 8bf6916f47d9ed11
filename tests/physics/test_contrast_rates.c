// SPDX-License-Identifier: GPL-3.0-or-later
//
// A short look at the multilevel engine where moduli vary: its stress afresh against the exact one, the rates of all
// sites against those of one after the other, and how far a change of the load may take them.
#include "exact_stress.h"
#include "kmc/multilevel/multilevel.h"
#include "worse.h"

static double off_MPa(const kmc_setup *s) {
  const int64_t sites = stz_grid_sites(s->grid);
  double *found = NULL, *exact[6], square = 0.0;
  CHECK_OK(STZ_NEW(found, 6 * sites));
  for (int c = 0; c < 6; c++) exact[c] = found + c * sites;
  exact_stress(s, exact);
  for (int c = 0; c < 5; c++) {
    const float *own = stz_kmc_stress(s->kmc, c);
    for (int64_t i = 0; i < sites; i++) square += ((double)own[i] - exact[c][i]) * ((double)own[i] - exact[c][i]);
  }
  stz_free(found);
  return sqrt(square / (double)sites) / (1e-3 * STZ_GPA);
}

// Attempt rates of all sites, one after the other; returns their sum.
static double rates_of(const kmc_setup *s, const stz_mean_stress *mean, double *rates) {
  double sum = 0.0;
  for (int32_t number = 0; number < (int32_t)stz_grid_sites(s->grid); number++) {
    float modes[STZ_MODES][2];
    sum += rates[number] = stz_ml_exact_rates(s->kmc, mean, 0.0, number, modes);
  }
  return sum;
}

int main(void) {
  MPI_Init(NULL, NULL);
  kmc_setup s;
  kmc_spec spec = MULTILEVEL_FILM;
  double total, plastic, growth = 0.0, *before = NULL, *after = NULL;
  spec.contrast = 0.3;
  spec.contrast_model = STZ_CONTRAST_EXACT;
  setup_kmc(&s, MPI_COMM_SELF, &spec);
  CHECK_OK(STZ_NEW(before, 2 * stz_grid_sites(s.grid)));
  after = before + stz_grid_sites(s.grid);
  stz_mean_stress mean = tension(0.0, 295.0, 3.3, 0.0);
  mean.t0 = age_kmc(&s, mean, 25);
  stz_ml_recompute(s.kmc);
  const double off = off_MPa(&s);
  CHECK_OK(stz_ml_rebound_all(s.kmc, 0.0, mean.t0));
  const double all = rates_of(&s, &mean, before), here = stz_ml_excess(s.kmc, &mean, 0.0);
  stz_kmc_rates(s.kmc, &mean, &total, &plastic);
  mean.stress[STZ_XX] += 0.02 * STZ_GPA;
  (void)rates_of(&s, &mean, after);
  for (int64_t i = 0; i < stz_grid_sites(s.grid); i++) growth = worse(growth, log(after[i] / before[i]));
  const double allowed = stz_ml_excess(s.kmc, &mean, 0.0) - here;
  printf("stress afresh %.2e MPa off, rates %.1e; 20 MPa more: ln(rate) grows by %.3f at most, allowed %.3f\n", off,
         total / (attempt_rate() * all) - 1.0, growth, allowed);
  CHECK(off < 0.06, "the stress afresh is %g MPa off", off);
  CHECK_NEAR(total / (attempt_rate() * all), 1.0, 2e-5);
  CHECK(here >= 0.0 && here < 0.1, "without a change of the load %g are allowed", here);
  CHECK(growth < allowed && growth > 0.5 * allowed, "ln(rate) grows by %g, allowed are %g", growth, allowed);
  stz_free(before);
  close_kmc(&s);
  CHECK(stz_alloc_live() == 0, "%ld blocks of memory left", stz_alloc_live());
  MPI_Finalize();
  return harness_failures ? 1 : 0;
}
