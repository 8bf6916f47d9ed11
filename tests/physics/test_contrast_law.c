// SPDX-License-Identifier: GPL-3.0-or-later
//
// contrast_model = "exact" of the multilevel engine, against the exact field of all events so far: right after the
// stress of all sites was found anew; and the distribution of the next event just before that, in total variation,
// beside what factors at both ends make of it alone ("dressed"). Creep at 3.3 GPa, the film at 32^3, N/140 events
// apart.
#include "exact_stress.h"
#include "stz/rates.h"

enum { MODES2 = 2 * STZ_MODES };

// Rates of all events under a stress of the sites; returns their sum.
static double rates_of(const kmc_setup *s, const stz_mean_stress *mean, const double *const stress[5], float *rates) {
  stz_law law;
  double sum = 0.0;
  stz_law_set(&law, stz_glass_stz(s->glass), stz_glass_modes(s->glass), mean->temperature_K, mean->stress);
  memset(law.mean, 0, sizeof law.mean);
  for (int64_t i = 0; i < stz_grid_sites(s->grid); i++) {
    double load[5];
    float drive[5], site[STZ_MODES][2];
    stz_kmc_load_at(s->kmc, i, mean->stress, load);
    for (int c = 0; c < 5; c++) drive[c] = (float)(load[c] + stress[c][i]);
    stz_rates_site(&law, stz_glass_modes(s->glass), drive, stz_glass_barrier(s->glass)[i],
                   stz_glass_rotation(s->glass)[i], site);
    memcpy(rates + MODES2 * i, site, sizeof site);
    for (int m = 0; m < MODES2; m++) sum += (double)site[m / 2][m % 2];
  }
  return sum;
}

// Half of the sum of |p - p'|.
static double variation(int64_t count, const float *a, double sum_a, const float *b, double sum_b) {
  double sum = 0.0;
  for (int64_t i = 0; i < count; i++) sum += fabs((double)a[i] / sum_a - (double)b[i] / sum_b);
  return 0.5 * sum;
}

typedef struct compared {
  double variation, ratio, rms_MPa; // ratio: of the sums of rates
} compared;

static compared compare(const kmc_setup *s, const stz_mean_stress *mean) {
  const int64_t sites = stz_grid_sites(s->grid);
  double *found = NULL, *ours[5], *exact[6], square = 0.0;
  float *rates = NULL;
  CHECK_OK(STZ_NEW(found, 11 * sites));
  CHECK_OK(STZ_NEW(rates, 2 * MODES2 * sites));
  for (int c = 0; c < 6; c++) exact[c] = found + c * sites;
  for (int c = 0; c < 5; c++) {
    ours[c] = found + (6 + c) * sites;
    const float *stress = stz_kmc_stress(s->kmc, c);
    for (int64_t i = 0; i < sites; i++) ours[c][i] = (double)stress[i];
  }
  exact_stress(s, exact);
  for (int64_t i = 0; i < 5 * sites; i++) {
    const double off = (ours[i / sites][i % sites] - exact[i / sites][i % sites]) / STZ_GPA * 1e3;
    square += off * off;
  }
  const double a = rates_of(s, mean, (const double *const *)ours, rates);
  const double b = rates_of(s, mean, (const double *const *)exact, rates + MODES2 * sites);
  const compared result = {variation(MODES2 * sites, rates, a, rates + MODES2 * sites, b), a / b,
                           sqrt(square / (double)sites)};
  stz_free(found);
  stz_free(rates);
  return result;
}

static uint64_t refreshes(const kmc_setup *s) {
  stz_kmc_stats stats;
  stz_kmc_stats_get(s->kmc, &stats);
  return stats.refreshes;
}

static void step(kmc_setup *s, stz_mean_stress *mean) {
  double strain[6];
  const stz_event event = next_event(s, mean);
  stz_kmc_fire(s->kmc, &event, strain);
  mean->t0 = event.time_s;
}

static void check(double contrast, bool quick) {
  kmc_spec spec = MULTILEVEL_FILM;
  kmc_setup s;
  stz_mean_stress mean = tension(0.0, 295.0, 3.3, 0.0);
  spec.contrast = contrast;
  spec.contrast_model = STZ_CONTRAST_EXACT;
  if (quick) spec.tolerance_MPa = 0.05; // found anew at every event
  setup_kmc(&s, MPI_COMM_SELF, &spec);
  if (quick) {
    for (int i = 0; i < 25; i++) step(&s, &mean);
    (void)next_event(&s, &mean); // finds the stress anew first
    const compared now = compare(&s, &mean);
    printf("contrast %g, found anew: %.2e MPa, %.1e in variation\n", contrast, now.rms_MPa, now.variation);
    CHECK(now.rms_MPa < 0.06, "%g MPa off", now.rms_MPa);
    close_kmc(&s);
    return;
  }
  step(&s, &mean);
  const uint64_t first = refreshes(&s);
  compared before = compare(&s, &mean);
  for (int events = 0; refreshes(&s) == first && events < 400; events++) {
    if (events % 8 == 0 && events > 220) before = compare(&s, &mean);
    step(&s, &mean);
  }
  printf("contrast %g, N/140 events after: %.4f in variation, rates %.4f, %.2f MPa\n", contrast, before.variation,
         before.ratio, before.rms_MPa);
  CHECK(before.variation < (contrast < 0.2 ? 0.03 : 0.09), "%g in variation", before.variation);
  close_kmc(&s);
}

// Never found anew: factors at both ends alone.
static void check_dressed(double contrast) {
  enum { EVENTS = 1000 };
  kmc_spec spec = MULTILEVEL_FILM;
  kmc_setup s;
  stz_mean_stress mean = tension(0.0, 295.0, 3.3, 0.0);
  spec.contrast = contrast;
  spec.contrast_model = STZ_CONTRAST_EXACT;
  spec.tolerance_MPa = 10.0;
  setup_kmc(&s, MPI_COMM_SELF, &spec);
  for (int i = 0; i < EVENTS; i++) step(&s, &mean);
  const compared now = compare(&s, &mean);
  printf("contrast %g, factors alone, after %d events: %.4f in variation, rates %.4f, %.2f MPa\n", contrast,
         (int)EVENTS, now.variation, now.ratio, now.rms_MPa);
  CHECK(now.variation < (contrast < 0.2 ? 0.06 : 0.18), "%g in variation", now.variation);
  close_kmc(&s);
}

int main(void) {
  MPI_Init(NULL, NULL);
  check(0.3, true);
  check(0.1, false);
  check(0.3, false);
  check_dressed(0.1);
  check_dressed(0.3);
  CHECK(stz_alloc_live() == 0, "%ld blocks of memory left", stz_alloc_live());
  MPI_Finalize();
  return harness_failures ? 1 : 0;
}
