// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the tests of the multilevel engine share: it is held against the operator just before it computes the stress
// afresh, when its field is worst.
#ifndef STZ_TESTS_BEFORE_RECOMPUTE_H
#define STZ_TESTS_BEFORE_RECOMPUTE_H

#include "kmc_setup.h"
#include "laws.h"
#include "worse.h"

// The sums by which candidates are drawn, against the bounds themselves: each row's within rounding, the others by what
// all bounds come to.
static inline void check_sums(const stz_multilevel *e) {
  double all = 0.0, worst_row = 0.0, worst_block = 0.0, groups = 0.0;
  for (int b = 0; b < e->blocks; b++) {
    double block = 0.0;
    for (int row = STZ_BLOCK_PIECES * b; row < STZ_BLOCK_PIECES * (b + 1); row++) {
      double sum = 0.0;
      for (int l = 0; l < 8; l++) sum += (double)e->rows8[row].bound[l];
      worst_row = worse(worst_row, fabs((double)e->row_sum[row] - sum) / sum);
      block += sum;
    }
    worst_block = worse(worst_block, fabs(e->block_sum[b] - block));
    all += block;
  }
  for (int g = 0; g < e->groups; g++) groups += e->group_sum[g];
  CHECK(worst_row < 1e-6, "the sum of a row's bounds is off by %g of it", worst_row);
  CHECK(worst_block < 1e-6 * all && fabs(groups - all) < 1e-6 * all && fabs(e->head->total - all) < 1e-6 * all,
        "sums of bounds are off: %g in a block, %g of groups, %g in all", worst_block, groups / all - 1.0,
        e->head->total / all - 1.0);
}

// The largest component of the mean of the engine's stress, MPa, which belongs to the load: what events bring to their
// neighbourhood is taken off everywhere.
static inline double mean_MPa(const kmc_setup *s) {
  const int64_t sites = stz_grid_sites(s->grid);
  double most = 0.0;
  for (int c = 0; c < 5; c++) {
    const float *stress = stz_kmc_stress(s->kmc, c);
    double sum = 0.0;
    for (int64_t i = 0; i < sites; i++) sum += (double)stress[i];
    most = worse(most, fabs(sum) / (double)sites / (1e-3 * STZ_GPA));
  }
  return most;
}

static unsigned long long above_bounds = 0; // proposals of all creep runs whose rate was above its bound
static const double MOST_OFF = 1.8;         // MPa: one and a half times the tolerance

// Creep at the mean stress `mean` (in and out: its time) up to just before a refresh, some refreshes on. `rate`: how
// far the sum of all rates may be off; in a small box a few sites carry it. Returns that sum over the exact one.
static inline double creep_to_recompute(const char *name, kmc_setup *s, stz_mean_stress *mean, double rate,
                                        int refreshes) {
  stz_kmc_stats stats;
  const stz_multilevel *e = s->kmc->state;
  mean->t0 = age_kmc(s, *mean, (int)e->recompute_every * refreshes - 1);
  const laws r = compare_laws(s->kmc, mean);
  stz_kmc_stats_get(s->kmc, &stats);
  printf("%s, %d events, refresh every %d: stress off by %.3f MPa rms, %.2f at most; rates %.5f of exact, laws %.5f "
         "apart; %.1e of the rates above bounds, %llu seen, %.3g events missed\n",
         name, (int)stats.events, (int)e->recompute_every, r.rms_MPa, r.worst_MPa, r.own / r.exact, r.apart,
         r.above / r.own, (unsigned long long)stats.violations, stats.missed);
  above_bounds += stats.violations;
  CHECK(fabs(r.own / r.exact - 1.0) < rate, "the sum of all rates is off");
  CHECK(r.rms_MPa < MOST_OFF, "the stress is off by %g MPa rms", r.rms_MPa);
  CHECK(r.apart < 0.01, "the law of the next event is off");
  CHECK(r.above < 2e-4 * r.own, "rates exceed their bounds");
  CHECK(stats.missed < 1e-3 * (double)stats.events, "events are missed");
  check_sums(e);
  const double mean_stress = mean_MPa(s); // with a coarse part what its nodes leave
  printf("  mean stress %.2g MPa\n", mean_stress);
  CHECK(mean_stress < (e->split->coarse ? 0.06 : 0.01), "the stress has a mean of %g MPa", mean_stress);
  return r.own / r.exact;
}

// The stress afresh.
static inline void recompute(const kmc_setup *s, const stz_mean_stress *mean) {
  stz_ml_recompute(s->kmc);
  const laws fresh = compare_laws(s->kmc, mean);
  CHECK(fresh.rms_MPa < 0.01 && fresh.apart < 1e-4, "the stress afresh is off by %g MPa, the law by %g", fresh.rms_MPa,
        fresh.apart);
}

#endif
