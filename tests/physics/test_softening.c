// SPDX-License-Identifier: GPL-3.0-or-later
//
// Softening and its recovery against closed forms: the fall of the barriers about one event and about several, the
// recovery through many short times and few long ones at two temperatures, and the waiting times while barriers rise.
#include "kmc_setup.h"
#include "statistics.h"
#include "worse.h"

static const double BARRIER = 1.6, SOFTENING = 0.25, FLOOR = 0.2;

static kmc_spec plain_box(double rate_per_s, double recovery_eV) {
  return (kmc_spec){.cells = {16, 16, 16},
                    .young_GPa = NO_INTERACTION,
                    .mean_eV = BARRIER,
                    .floor_eV = FLOOR,
                    .redraw = STZ_REDRAW_NONE,
                    .orientation = STZ_ORIENTATION_ALIGNED,
                    .micro = STZ_MICRO_UNIFORM,
                    .seed = 51,
                    .softening_eV = SOFTENING,
                    .recovery_rate_per_s = rate_per_s,
                    .recovery_eV = recovery_eV};
}

// q(r) = exp(-r^2/2 s_q^2), s_q = Omega^(1/3)/sqrt(2 pi), none below 0.01, between two sites of the periodic box.
static double footprint(const kmc_setup *s, int64_t a, int64_t b) {
  int x[3], y[3];
  double r2 = 0.0;
  stz_grid_coords(s->grid, a, x);
  stz_grid_coords(s->grid, b, y);
  for (int axis = 0; axis < 3; axis++) {
    const int d = abs(x[axis] - y[axis]), least = d < 16 - d ? d : 16 - d;
    r2 += least * least * KMC_SPACING * KMC_SPACING;
  }
  const double q = exp(-r2 * acos(-1.0) / pow(KMC_STZ.volume_nm3, 2.0 / 3.0));
  return q < 0.01 ? 0.0 : q;
}

static void shear_at(kmc_setup *s, int64_t site, double time_s) {
  double strain[6];
  stz_event event = {.time_s = time_s, .shear = {.site = site, .mode = 3, .sign = 1}};
  stz_glass_locate(s->glass, &event.shear);
  stz_kmc_fire(s->kmc, &event, strain);
}

// Largest deviation of the barriers, as the engine sees them at time t, from Q - softening D.
static double deviation(kmc_setup *s, double kelvin, double t, const double *damage) {
  const stz_mean_stress mean = tension(t, kelvin, 1.0, 0.0);
  double total, rate, worst = 0.0;
  stz_kmc_rates(s->kmc, &mean, &total, &rate);
  for (int64_t i = 0; i < stz_grid_sites(s->grid); i++) {
    worst = worse(worst, fabs((double)stz_glass_barrier(s->glass)[i] - (BARRIER - SOFTENING * damage[i])));
  }
  return worst;
}

// Tells the engine what holds from t on, and that nothing happens until then.
static void hold(kmc_setup *s, double kelvin, double t) {
  const stz_mean_stress mean = tension(t, kelvin, 0.0, 0.0);
  stz_event event;
  bool found;
  CHECK_OK(stz_kmc_next(s->kmc, &mean, t, &event, &found));
}

// Three overlapping events, one of them twice: D <- D + (1 - D) q. Without recovery the damage stays.
static void falls(void) {
  const kmc_spec spec = plain_box(0.0, 0.0);
  const int64_t centres[] = {0, 1, 0, 16 * 16 * 15 + 2};
  static double damage[4096];
  kmc_setup s;
  setup_kmc(&s, MPI_COMM_SELF, &spec);
  for (int e = 0; e < 4; e++) {
    hold(&s, 295.0, e);
    shear_at(&s, centres[e], 1.0 + e);
    for (int64_t i = 0; i < 4096; i++) damage[i] += (1.0 - damage[i]) * footprint(&s, i, centres[e]);
    CHECK(deviation(&s, 295.0, 1e9, damage) < 1e-6, "fall of the barriers after event %d", e);
  }
  CHECK(damage[0] == 1.0 && damage[16] > 0.3 && damage[16] < 1.0, "the events overlap");
  close_kmc(&s);
}

// exp(-nu t exp(-E/kT)) for two events at different times; the time passes in `parts`, then the rest under another
// temperature. Many parts would show rounding, each taking 1e-6 off the damage.
static void recovers(int parts) {
  const double E = 0.9, hot = 400.0, warm = 330.0, nu = 1e12;
  const kmc_spec spec = plain_box(nu, E);
  const double rate[2] = {nu * exp(-E / (STZ_BOLTZMANN * hot)), nu * exp(-E / (STZ_BOLTZMANN * warm))};
  const double first = 0.4 / rate[0], second = 1.0 / rate[0], end = second + 0.9 / rate[1];
  static double damage[4096];
  kmc_setup s;
  setup_kmc(&s, MPI_COMM_SELF, &spec);
  shear_at(&s, 0, 0.0);
  for (int i = 0; i < 4096; i++) damage[i] = footprint(&s, i, 0);
  hold(&s, hot, 0.0);
  for (int i = 1; i <= parts; i++) stz_kmc_advance(s.kmc, first * i / parts);
  shear_at(&s, 2, first);
  for (int i = 0; i < 4096; i++) {
    damage[i] *= exp(-rate[0] * first);
    damage[i] += (1.0 - damage[i]) * footprint(&s, i, 2);
  }
  CHECK(deviation(&s, hot, first, damage) < 1e-6, "%d parts: recovery up to the second event", parts);
  for (int i = 0; i < 4096; i++) damage[i] *= exp(-rate[0] * (second - first));
  CHECK(deviation(&s, hot, second, damage) < 1e-6, "%d parts: looking ahead", parts);
  stz_kmc_advance(s.kmc, second);
  hold(&s, warm, second);
  for (int i = 0; i < 4096; i++) damage[i] *= exp(-rate[1] * (end - second));
  CHECK(deviation(&s, warm, end, damage) < 1e-6, "%d parts: under another temperature", parts);
  stz_kmc_advance(s.kmc, end);
  CHECK(deviation(&s, warm, end, damage) < 1e-6, "%d parts: past R = 1", parts);
  close_kmc(&s);
}

// One event, then the first event after it, again and again. H0: exp(-H(t)) with the hazard of all sites under barriers
// that rise by the closed form (Simpson's rule); statistics.h says what the limits mean.
static void waits(double GPa, double rate_per_s, int draws) {
  enum { STEPS = 2000 };
  kmc_spec spec = plain_box(rate_per_s, 0.0);
  spec.softening_eV = 0.6; // the one damaged place outdoes all other sites, at first
  static double before[STEPS + 1], sample[4000];
  double hazard[3] = {0};
  kmc_setup s;
  setup_kmc(&s, MPI_COMM_SELF, &spec);
  shear_at(&s, 0, 0.0);
  const double span = 3.0 / rate_per_s, step = span / STEPS;
  for (int k = 0; k <= 2 * STEPS; k++) {
    hazard[k % 2 ? 1 : 2] = 0.0;
    for (int64_t i = 0; i < 4096; i++) {
      const double q = footprint(&s, i, 0);
      if (q == 0.0) continue;
      const double barrier = BARRIER - spec.softening_eV * q * exp(-rate_per_s * 0.5 * k * step);
      for (int m = 0; m < SIGNED_MODES; m++) {
        hazard[k % 2 ? 1 : 2] += twin_rate(barrier, axial_work(&s, m / 2, 0) * (m % 2 ? -GPa : GPa) * STZ_GPA, 600.0);
      }
    }
    if (k % 2) continue;
    if (k) before[k / 2] = before[k / 2 - 1] + step / 6.0 * (hazard[0] + 4.0 * hazard[1] + hazard[2]);
    hazard[0] = hazard[2];
  }
  double rest = 0.0; // sites that no event has touched
  for (int64_t i = 0; i < 4096; i++) {
    if (footprint(&s, i, 0) > 0.0) continue;
    for (int m = 0; m < SIGNED_MODES; m++) {
      rest += twin_rate(BARRIER, axial_work(&s, m / 2, 0) * (m % 2 ? -GPa : GPa) * STZ_GPA, 600.0);
    }
  }
  for (int k = 0; k <= STEPS; k++) before[k] += rest * step * k;
  // Without recovery the same time would bring far more: what is tested is there.
  CHECK(before[STEPS] < 0.5 * (before[1] * STEPS), "recovery hardly matters");
  const double come = -expm1(-before[STEPS]);
  int events = 0;
  const stz_mean_stress mean = tension(0.0, 600.0, GPa, 0.0);
  for (int draw = 0; draw < draws; draw++) {
    stz_event event;
    bool found;
    CHECK_OK(stz_kmc_next(s.kmc, &mean, span, &event, &found));
    if (!found) continue;
    const int k = event.time_s / step < STEPS ? (int)(event.time_s / step) : STEPS - 1;
    const double x = event.time_s / step - k;
    sample[events++] = -expm1(-(before[k] + x * (before[k + 1] - before[k]))) / come;
  }
  stz_kmc_stats stats;
  stz_kmc_stats_get(s.kmc, &stats);
  const double distance = ks_uniform(sample, events), share = (double)events / draws;
  printf("%g GPa, recovery at %g /s: %.4f come, expected %.4f; %.2f candidates and %.2f passes a draw, KS %.3f\n", GPa,
         rate_per_s, share, come, (double)stats.candidates / draws, (double)stats.passes / draws, distance);
  CHECK(events > 1000 && distance < KS_LIMIT, "times do not follow the recovery");
  CHECK_NEAR(share, come, DEVIATE_LIMIT * sqrt(come * (1.0 - come) / draws));
  close_kmc(&s);
}

// Heating: the integral of nu exp(-E/kT) over a ramp, by Simpson's rule with 20,000 steps.
static void recovers_in_a_ramp(void) {
  const double E = 0.9, nu = 1e10, from = 300.0, rate = 0.5, span = 400.0;
  const kmc_spec spec = plain_box(nu, E);
  double sum = 0.0;
  kmc_setup s;
  setup_kmc(&s, MPI_COMM_SELF, &spec);
  for (int i = 0; i <= 20000; i++) {
    const double weight = i == 0 || i == 20000 ? 1.0 : i % 2 ? 4.0 : 2.0;
    sum += weight * nu * exp(-E / (STZ_BOLTZMANN * (from + rate * span * i / 20000.0)));
  }
  const double expected = sum * span / 60000.0;
  CHECK_NEAR(stz_glass_recovery_gain(s.glass, from, rate, span) / expected, 1.0, 1e-9);
  CHECK_NEAR(stz_glass_recovery_gain(s.glass, from + rate * span, -rate, span) / expected, 1.0, 1e-9);
  close_kmc(&s);
}

int main(void) {
  MPI_Init(NULL, NULL);
  falls();
  recovers(1);
  recovers(400000);
  recovers_in_a_ramp();
  waits(1.0, 3e5, 2000);
  waits(2.0, 3e7, 2000);
  CHECK(stz_alloc_live() == 0, "%ld blocks of memory left", stz_alloc_live());
  MPI_Finalize();
  return harness_failures ? 1 : 0;
}
