// SPDX-License-Identifier: GPL-3.0-or-later
//
// Exact thinning: the time of the first event under a stress that moves linearly, against the survival exp(-integral of
// the hazard), in closed form for sites that are alike, numerically for an unlike, mixed sample with clamped barriers.
// On the way down the event may never come. tests/statistics.h says what the limits mean; that no rate exceeds its
// bound is checked by the engine itself, which would fail.
#include "kmc_setup.h"
#include "statistics.h"

// Integral of the hazard from time 0: a sum of rate exp(growth t), or a table over equal steps of time (three points a
// step: begin, middle, end).
typedef struct hazard {
  double rate[SIGNED_MODES], growth[SIGNED_MODES];
  int steps; // 0: closed form
  double step, table[2 * 128 + 1], before[128 + 1];
} hazard;

static double integral(const hazard *h, double t) {
  double sum = 0.0;
  for (int m = 0; m < SIGNED_MODES && h->steps == 0; m++) {
    const double g = h->growth[m];
    sum += h->rate[m] * (fabs(g * t) > 1e-12 ? expm1(g * t) / g : t);
  }
  if (h->steps == 0) return sum;
  const int i = t / h->step < h->steps - 1 ? (int)(t / h->step) : h->steps - 1;
  const double x = t / h->step - i, f0 = h->table[2 * i], f1 = h->table[2 * i + 1], f2 = h->table[2 * i + 2];
  return h->before[i] + h->step * x * (f0 + x * ((-3 * f0 + 4 * f1 - f2) / 2 + x * (2 * f0 - 4 * f1 + 2 * f2) / 3));
}

// Draws the first event before `limit` again and again. H0: it comes with the probability F = 1 - exp(-integral) by the
// limit, and its time has the distribution F(t)/F. Two limits of one alarm in 10,000 seeds.
static void first_events(const kmc_setup *s, const stz_mean_stress *mean, double limit, const hazard *h, int draws,
                         const char *what) {
  static double sample[3000];
  const double come = -expm1(-integral(h, limit));
  int events = 0;
  for (int draw = 0; draw < draws; draw++) {
    stz_event event;
    bool found;
    CHECK_OK(stz_kmc_next(s->kmc, mean, limit, &event, &found));
    if (!found) continue;
    CHECK(event.time_s <= limit, "%s: an event after the limit", what);
    sample[events++] = -expm1(-integral(h, event.time_s)) / come;
  }
  stz_kmc_stats stats;
  stz_kmc_stats_get(s->kmc, &stats);
  const double distance = ks_uniform(sample, events), share = (double)events / draws;
  printf("%s: %.4f come, expected %.4f; %.2f candidates and %.2f passes a draw, KS %.3f\n", what, share, come,
         (double)stats.candidates / draws, (double)stats.passes / draws, distance);
  CHECK(events > 1000 && distance < KS_LIMIT, "%s: times do not follow the hazard", what);
  CHECK_NEAR(share, come, DEVIATE_LIMIT * sqrt(come * (1.0 - come) / draws) + 1e-9);
}

// Sites that are all alike (aligned, no width, no interactions), tension from `from` GPa on. The stress moves by the
// range of the hazard, kT/(chi gamma0 Omega S), within `pace` mean waiting times: many windows of the engine's bound an
// event, or few. The limit is `limit` mean waiting times, or the time at which the load is reversed.
static void ramp(double kelvin, double from, double pace, double limit, int draws, uint64_t seed) {
  const kmc_spec spec = {.cells = {16, 16, 16},
                         .young_GPa = NO_INTERACTION,
                         .mean_eV = 2.352,
                         .redraw = STZ_REDRAW_NONE,
                         .orientation = STZ_ORIENTATION_ALIGNED,
                         .micro = STZ_MICRO_UNIFORM,
                         .seed = seed};
  kmc_setup s;
  char what[96];
  setup_kmc(&s, MPI_COMM_SELF, &spec);
  const double kT = STZ_BOLTZMANN * kelvin;
  hazard h = {.steps = 0};
  double work[SIGNED_MODES], total = 0.0, best = 0.0;
  for (int m = 0; m < SIGNED_MODES; m++) {
    work[m] = axial_work(&s, m / 2, 0) * (m % 2 ? -1.0 : 1.0);
    best = fmax(best, work[m]);
    total += h.rate[m] = 4096 * twin_rate(spec.mean_eV, work[m] * from * STZ_GPA, kelvin);
  }
  const double slope = kT / best * total / pace; // of the stress, eV/nm^3/s
  for (int m = 0; m < SIGNED_MODES; m++) h.growth[m] = work[m] * slope / kT;
  const stz_mean_stress mean = tension(0.0, kelvin, from, slope / STZ_GPA);
  const double reversed = -2.0 * from * STZ_GPA / slope, end = limit > 0.0 ? limit / total : reversed;
  snprintf(what, sizeof what, "from %g GPa at pace %g", from, pace);
  first_events(&s, &mean, end, &h, draws, what);
  close_kmc(&s);
}

// The sum of all rates at the mean stress `mean` moved on by `t`, and the share of it from barriers that the work has
// taken away altogether.
static double twin_total(const kmc_setup *s, const stz_mean_stress *mean, double t, double *clamped) {
  stz_mean_stress at = *mean;
  double total = 0.0, bare = 0.0;
  for (int v = 0; v < 6; v++) at.stress[v] += t * mean->stress_rate[v];
  for (int64_t i = 0; i < stz_grid_sites(s->grid); i++) {
    double deviator[5], rates[SIGNED_MODES];
    engine_stress(s, i, deviator);
    total += twin_site(s, &at, i, deviator, rates);
    for (int m = 0; m < SIGNED_MODES; m++) bare += rates[m] >= attempt_rate() ? rates[m] : 0.0;
  }
  *clamped = bare / total;
  return total;
}

// Random orientations and barriers, internal stress of some events, a mean stress with shear that turns its direction:
// it moves from `from` to `to` times GPa[6] in the time in which `expected` events come on average. Barriers are low,
// so that stress takes some away altogether: their rates stop growing.
static void mixed(double tau_c_GPa, double from, double to, double expected, int draws, uint64_t seed) {
  static const double GPa[6] = {2.6, -0.4, 0.1, 0.5, -0.8, 1.1}, offset[6] = {0.3, 0.0, 0.2, 0.4, 0.0, -0.3};
  const kmc_spec spec = {.cells = {16, 16, 16},
                         .young_GPa = 72.0,
                         .mean_eV = 0.90,
                         .width_eV = 0.10,
                         .floor_eV = 0.2,
                         .redraw = STZ_REDRAW_STZ,
                         .orientation = STZ_ORIENTATION_RANDOM,
                         .micro = STZ_MICRO_RANDOM_WAVES,
                         .seed = seed,
                         .tau_c_GPa = tau_c_GPa};
  kmc_setup s;
  char what[96];
  setup_kmc(&s, MPI_COMM_SELF, &spec);
  (void)age_kmc(&s, tension(0.0, 295.0, 1.0, 0.0), 20);
  stz_mean_stress mean = {.temperature_K = 295.0};
  for (int v = 0; v < 6; v++) {
    mean.stress[v] = (offset[v] + from * GPa[v]) * STZ_GPA;
    mean.stress_rate[v] = (to - from) * GPa[v] * STZ_GPA; // within a unit of time
  }
  double total, plastic_rate, clamped = 0.0;
  stz_kmc_rates(s.kmc, &mean, &total, &plastic_rate); // brings the stress up to date
  hazard h = {.steps = 100, .step = 0.01};
  for (int i = 0; i <= 2 * h.steps; i++) {
    double share;
    h.table[i] = twin_total(&s, &mean, 0.5 * h.step * i, &share);
    clamped = fmax(clamped, share);
  }
  for (int i = 0; i < h.steps; i++) {
    h.before[i + 1] = h.before[i] + h.step / 6 * (h.table[2 * i] + 4 * h.table[2 * i + 1] + h.table[2 * i + 2]);
  }
  const double limit = expected / h.before[h.steps]; // the unit of time, s
  for (int i = 0; i <= h.steps; i++) h.before[i] *= limit;
  h.step *= limit;
  for (int v = 0; v < 6; v++) mean.stress_rate[v] /= limit;
  snprintf(what, sizeof what, "mixed sample, %s law, load from %g to %g", tau_c_GPa > 0.0 ? "cooperative" : "linear",
           from, to);
  first_events(&s, &mean, limit, &h, draws, what);
  printf("%s: up to %.0f %% of the rate has no barrier left\n", what, 100.0 * clamped);
  CHECK(clamped > 0.2, "%s: hardly a barrier is gone", what);
  close_kmc(&s);
}

int main(void) {
  MPI_Init(NULL, NULL);
  ramp(295.0, 3.0, 1.0, 100.0, 3000, 16);
  ramp(295.0, 3.0, 0.05, 100.0, 3000, 17);
  ramp(295.0, 3.0, -1.5, 30.0, 3000, 18);
  ramp(700.0, 1.0, -1.0, 0.0, 3000, 19); // through zero, down and up
  ramp(700.0, -1.0, 1.0, 0.0, 3000, 20);
  mixed(0.0, 0.4, 1.0, 3.0, 1200, 21);
  mixed(0.0, 1.0, 0.2, 1.5, 1500, 22);
  mixed(1.6, 0.4, 1.0, 3.0, 1100, 23);
  CHECK(stz_alloc_live() == 0, "%ld blocks of memory left", stz_alloc_live());
  MPI_Finalize();
  return harness_failures ? 1 : 0;
}
