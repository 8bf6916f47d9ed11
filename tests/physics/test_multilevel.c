// SPDX-License-Identifier: GPL-3.0-or-later
//
// The multilevel engine against the operator, just before it computes the stress afresh, when its field is worst: the
// stress, the sum of all rates, the law of the next event, and the bound of every site.
#include "kmc/multilevel.h"
#include "kmc_setup.h"
#include "stz/rates.h"

typedef struct test {
  kmc_setup s;
  stz_mean_stress mean;
  double *strain[5], *stress[6]; // of the sample, and its stress by the operator
} test;

static void open_test(test *t, const kmc_spec *spec, double GPa) {
  memset(t, 0, sizeof *t);
  setup_kmc(&t->s, MPI_COMM_SELF, spec);
  t->mean = tension(0.0, 295.0, GPa, 0.0);
  for (int c = 0; c < 5; c++) CHECK_OK(STZ_NEW(t->strain[c], stz_grid_sites(t->s.grid)));
  for (int c = 0; c < 6; c++) CHECK_OK(STZ_NEW(t->stress[c], stz_grid_sites(t->s.grid)));
}

static void close_test(test *t) {
  for (int c = 0; c < 5; c++) stz_free(t->strain[c]);
  for (int c = 0; c < 6; c++) stz_free(t->stress[c]);
  close_kmc(&t->s);
}

static void exact_stress(test *t) {
  const double share = KMC_SPACING * KMC_SPACING * KMC_SPACING / KMC_STZ.volume_nm3;
  for (int c = 0; c < 5; c++) {
    const float *plastic = stz_glass_plastic(t->s.glass, c);
    for (int64_t i = 0; i < stz_grid_sites(t->s.grid); i++) t->strain[c][i] = share * (double)plastic[i];
  }
  CHECK_OK(stz_elastic_stress(t->s.elastic, t->s.spectral, (const double *const *)t->strain, t->stress));
}

// Sums of |a - b| and of b over all sites and modes, and each site against its bound at the reference.
typedef struct laws {
  double own, exact, apart, rms_MPa, worst_MPa, above;
} laws;

static double site_rates(const test *t, const stz_law *law, int64_t site, const float s[5], float rates[STZ_MODES][2]) {
  double sum = 0.0;
  stz_rates_site(law, stz_glass_modes(t->s.glass), s, stz_glass_barrier(t->s.glass)[site],
                 stz_glass_rotation(t->s.glass)[site], rates);
  for (int m = 0; m < SIGNED_MODES; m++) sum += (double)(&rates[0][0])[m];
  return sum;
}

static laws compare(test *t) {
  laws r = {0};
  const multilevel *e = t->s.kmc->state;
  stz_law law;
  exact_stress(t);
  stz_law_set(&law, stz_glass_stz(t->s.glass), stz_glass_modes(t->s.glass), t->mean.temperature_K, t->mean.stress);
  const int64_t sites = stz_grid_sites(t->s.grid);
  const double raised = exp(ml_excess(t->s.kmc, &t->mean, 0.0));
  double *own = NULL, *exact = NULL;
  CHECK_OK(STZ_NEW(own, sites * SIGNED_MODES));
  CHECK_OK(STZ_NEW(exact, sites * SIGNED_MODES));
  for (int64_t i = 0; i < sites; i++) {
    float s[5], p[5], rates[STZ_MODES][2];
    int xyz[3];
    double square = 0.0;
    for (int c = 0; c < 5; c++) {
      s[c] = stz_kmc_stress(t->s.kmc, c)[i];
      p[c] = (float)t->stress[c][i];
      square += ((double)s[c] - t->stress[c][i]) * ((double)s[c] - t->stress[c][i]) / (1e-6 * STZ_GPA * STZ_GPA);
    }
    r.rms_MPa += square / (double)sites;
    r.worst_MPa = fmax(r.worst_MPa, sqrt(square));
    const double sum = site_rates(t, &law, i, s, rates);
    r.own += sum;
    stz_grid_coords(t->s.grid, i, xyz);
    r.above += fmax(0.0, sum - raised * (double)*ml_record(e, ml_number(e, xyz), ML_BOUND));
    for (int m = 0; m < SIGNED_MODES; m++) own[i * SIGNED_MODES + m] = (double)(&rates[0][0])[m];
    r.exact += site_rates(t, &law, i, p, rates);
    for (int m = 0; m < SIGNED_MODES; m++) exact[i * SIGNED_MODES + m] = (double)(&rates[0][0])[m];
  }
  r.rms_MPa = sqrt(r.rms_MPa);
  for (int64_t i = 0; i < sites * SIGNED_MODES; i++) r.apart += 0.5 * fabs(own[i] / r.own - exact[i] / r.exact);
  stz_free(own);
  stz_free(exact);
  return r;
}

// Creep up to just before a refresh, some refreshes on. `rate`: how far the sum of all rates may be off; in a small box
// a few sites carry it.
static void before_refresh(const char *name, const kmc_spec *spec, double rate, int refreshes) {
  test t;
  open_test(&t, spec, 3.3);
  const multilevel *e = t.s.kmc->state;
  t.mean.t0 = age_kmc(&t.s, t.mean, (int)e->refresh_every * refreshes - 1);
  const laws r = compare(&t);
  stz_kmc_stats stats;
  stz_kmc_stats_get(t.s.kmc, &stats);
  printf("%s, %d events, refresh every %d: stress off by %.3f MPa rms, %.2f at most; rates %.5f of exact, laws %.5f "
         "apart; %.1e of the rates above bounds, %llu seen, %.3g events missed\n",
         name, (int)stats.events, (int)e->refresh_every, r.rms_MPa, r.worst_MPa, r.own / r.exact, r.apart,
         r.above / r.own, (unsigned long long)stats.violations, stats.missed);
  CHECK(fabs(r.own / r.exact - 1.0) < rate, "the sum of all rates is off");
  CHECK(r.apart < 0.01, "the law of the next event is off");
  CHECK(r.above < 2e-4 * r.own, "rates exceed their bounds");
  CHECK(stats.missed < 1e-3 * (double)stats.events, "events are missed");
  close_test(&t);
}

int main(void) {
  MPI_Init(NULL, NULL);
  kmc_spec spec = {.cells = {32, 32, 32},
                   .young_GPa = 72.0,
                   .mean_eV = 2.352,
                   .width_eV = 0.10,
                   .floor_eV = 0.2,
                   .redraw = STZ_REDRAW_STZ,
                   .orientation = STZ_ORIENTATION_RANDOM,
                   .micro = STZ_MICRO_RANDOM_WAVES,
                   .seed = 41,
                   .engine = STZ_ENGINE_MULTILEVEL,
                   .tolerance_MPa = 1.0};
  before_refresh("32", &spec, 2e-3, 3);
  spec.cells[0] = spec.cells[1] = spec.cells[2] = 64;
  before_refresh("64", &spec, 2e-3, 1);
  spec.cells[0] = 40;
  spec.cells[1] = 72;
  spec.cells[2] = 32;
  before_refresh("40 x 72 x 32", &spec, 4e-3, 2);
  CHECK(stz_alloc_live() == 0, "%ld blocks of memory left", stz_alloc_live());
  MPI_Finalize();
  return harness_failures ? 1 : 0;
}
