// SPDX-License-Identifier: GPL-3.0-or-later
//
// The first event under a temperature that moves, drawn again and again from time 0, against the closed form. A rate
// A exp(-B/kT) at T = T0 + h t has the integral
//   A/h [T exp(-x) - (B/k) E1(x)] from T0 to T,  x = B/kT,
// and with L the sum of the integrals of all rates, exp(-L(t)) is the share of draws without an event until t. The null
// hypothesis of each check is this law, the number of draws is 1500, and statistics.h tells how often a limit is passed
// by chance: less than once in 1000 seeds for this whole program.
#include "kmc_setup.h"
#include "statistics.h"

static const double BARRIER = 2.352; // eV
enum { DRAWS = 1500, SITES = 16 * 16 * 16 };

typedef struct ramp {
  double from_K, per_s, limit_s; // temperature and its rate, end of the draw
  double GPa, GPa_per_s;         // tension
  double tau_c_GPa;              // 0: the linear law, else the cooperative one
} ramp;

// exp(x) E1(x) for x > 5, by Lentz' continued fraction 1/(x + 1 - 1/(x + 3 - 4/(x + 5 - ...))).
static double scaled_e1(double x) {
  double c = 1e300, d = 1.0 / (x + 1.0), h = d;
  for (int i = 1; i < 200; i++) {
    const double a = -(double)i * i, b = x + 1.0 + 2.0 * i;
    d = 1.0 / (a * d + b);
    c = b + a / c;
    h *= c * d;
    if (fabs(c * d - 1.0) < 1e-15) break;
  }
  return h;
}

// k times the antiderivative of exp(-B/kT) over T.
static double antiderivative(double barrier, double T) {
  const double x = barrier / (STZ_BOLTZMANN * T);
  return exp(-x) * (STZ_BOLTZMANN * T - barrier * scaled_e1(x));
}

// The barrier under a stress (GPa): `work` a unit of stress, or the Schmid factor under the cooperative law.
static double height(const ramp *r, double barrier, double work, double GPa) {
  if (r->tau_c_GPa == 0.0) return barrier - work * GPa * STZ_GPA;
  return barrier * pow(fmax(0.0, 1.0 - work * GPa / r->tau_c_GPa), 1.5);
}

// Integral of exp(-B(t)/kT(t)) until t. At constant stress in closed form, under either law, else by Simpson's rule,
// which errs below 1e-6 here (checked against the closed form).
static double integral(const ramp *r, double barrier, double work, double t) {
  enum { STEPS = 400 };
  if (r->GPa_per_s == 0.0) {
    const double b = height(r, barrier, work, r->GPa);
    return (antiderivative(b, r->from_K + r->per_s * t) - antiderivative(b, r->from_K)) / (STZ_BOLTZMANN * r->per_s);
  }
  double sum = 0.0;
  for (int i = 0; i <= STEPS; i++) {
    const double u = t * i / STEPS, T = r->from_K + r->per_s * u;
    const double b = height(r, barrier, work, r->GPa + r->GPa_per_s * u);
    sum += (i == 0 || i == STEPS ? 1.0 : i % 2 ? 4.0 : 2.0) * exp(-b / (STZ_BOLTZMANN * T));
  }
  return sum * t / (3.0 * STEPS);
}

// L(t) for sites all alike, aligned.
static double all_alike(const kmc_setup *s, const ramp *r, double t) {
  double sum = 0.0;
  for (int m = 0; m < SIGNED_MODES; m++) {
    double p[6];
    mode_tensor(s, m / 2, 0, p);
    const double work = r->tau_c_GPa > 0.0 ? p[STZ_XX] : axial_work(s, m / 2, 0);
    sum += integral(r, BARRIER, work * (m % 2 ? -1.0 : 1.0), t);
  }
  return SITES * attempt_rate() * sum;
}

static bool draw(const kmc_setup *s, const ramp *r, stz_event *event) {
  stz_mean_stress mean = tension(0.0, r->from_K, r->GPa, r->GPa_per_s);
  bool found;
  mean.temperature_rate = r->per_s;
  CHECK_OK(stz_kmc_next(s->kmc, &mean, r->limit_s, event, &found));
  CHECK(!found || (event->time_s > 0.0 && event->time_s <= r->limit_s), "an event at %g s", event->time_s);
  return found;
}

// Sites that do not interact.
static kmc_spec still(double width_eV, stz_orientation orientation, uint64_t seed) {
  return (kmc_spec){.cells = {16, 16, 16},
                    .young_GPa = NO_INTERACTION,
                    .mean_eV = BARRIER,
                    .width_eV = width_eV,
                    .redraw = STZ_REDRAW_NONE,
                    .orientation = orientation,
                    .micro = STZ_MICRO_UNIFORM,
                    .seed = seed};
}

static void first_event(const char *name, const ramp *r, double least_share, double most_share) {
  static double sample[DRAWS];
  kmc_spec spec = still(0.0, STZ_ORIENTATION_ALIGNED, 41);
  kmc_setup s;
  spec.tau_c_GPa = r->tau_c_GPa;
  setup_kmc(&s, MPI_COMM_SELF, &spec);
  const double come = -expm1(-all_alike(&s, r, r->limit_s));
  int events = 0;
  for (int i = 0; i < DRAWS; i++) {
    stz_event event;
    if (!draw(&s, r, &event)) continue;
    sample[events++] = -expm1(-all_alike(&s, r, event.time_s)) / come; // uniform, given that the event comes
  }
  stz_kmc_stats stats;
  stz_kmc_stats_get(s.kmc, &stats);
  const double share = (double)events / DRAWS, ks = ks_uniform(sample, events);
  printf("%s: %.4f come, expected %.4f; %.1f candidates and %.1f passes a draw, KS %.2f\n", name, share, come,
         (double)stats.candidates / DRAWS, (double)stats.passes / DRAWS, ks);
  CHECK(come > least_share && come < most_share, "the ramp is not what the test needs: %g", come);
  CHECK(ks < KS_LIMIT, "times do not follow the law");
  CHECK_NEAR(share, come, DEVIATE_LIMIT * sqrt(come * (1.0 - come) / DRAWS) + 1e-9);
  close_kmc(&s);
}

// Without stress and far from the temperature of the first events there are none; there, they come.
static void nothing_while_cold(void) {
  const ramp cold = {300.0, 1.0, 190.0, 0.0, 0.0, 0.0}, warm = {300.0, 1.0, 500.0, 0.0, 0.0, 0.0};
  const kmc_spec spec = still(0.0, STZ_ORIENTATION_ALIGNED, 41);
  kmc_setup s;
  stz_event event;
  setup_kmc(&s, MPI_COMM_SELF, &spec);
  CHECK(all_alike(&s, &cold, cold.limit_s) < 1e-4 && all_alike(&s, &warm, warm.limit_s) > 100.0, "not so cold or warm");
  for (int i = 0; i < 5; i++) {
    CHECK(!draw(&s, &cold, &event), "an event at %g s", event.time_s);
    CHECK(draw(&s, &warm, &event) && event.time_s > 190.0, "an event at %g s", event.time_s);
  }
  close_kmc(&s);
}

// Sites with barriers of their own, without stress: times as before; and the barrier of the site that shears, whose
// mean and variance at the event's time follow from the rates then. By the rates at the begin of the ramp it would be
// lower by a tenth of an eV.
static void unlike_barriers(void) {
  enum { FEWER = DRAWS / 3 };
  double sample[FEWER];
  const kmc_spec spec = still(0.1, STZ_ORIENTATION_RANDOM, 42);
  const ramp r = {400.0, 5.0, 80.0, 0.0, 0.0, 0.0};
  kmc_setup s;
  setup_kmc(&s, MPI_COMM_SELF, &spec);
  const float *barrier = stz_glass_barrier(s.glass);
  double excess = 0.0, variance = 0.0;
  for (int i = 0; i < FEWER; i++) {
    stz_event event;
    CHECK(draw(&s, &r, &event), "no event");
    double sums[3] = {0}, all = 0.0;
    for (int site = 0; site < SITES; site++) {
      const double q = (double)barrier[site], k = exp(-q / (STZ_BOLTZMANN * (r.from_K + r.per_s * event.time_s)));
      all += integral(&r, q, 0.0, event.time_s);
      sums[0] += k;
      sums[1] += k * q;
      sums[2] += k * q * q;
    }
    sample[i] = exp(-30.0 * attempt_rate() * all);
    const double mean = sums[1] / sums[0];
    excess += (double)barrier[event.shear.site] - mean;
    variance += sums[2] / sums[0] - mean * mean;
  }
  const double ks = ks_uniform(sample, FEWER), deviate = excess / sqrt(variance);
  printf("unlike barriers: KS %.2f, barriers of the events off by %.2f standard errors of %.1e eV\n", ks, deviate,
         sqrt(variance) / FEWER);
  CHECK(ks < KS_LIMIT, "times do not follow the law");
  CHECK(fabs(deviate) < DEVIATE_LIMIT, "sites are not chosen by their rates at the time");
  close_kmc(&s);
}

int main(void) {
  MPI_Init(NULL, NULL);
  const ramp slow = {620.0, 0.2, 500.0, 0.0, 0.0, 0.0}, fast = {620.0, 50.0, 10.0, 0.0, 0.0, 0.0};
  const ramp cooling = {660.0, -2.0, 200.0, 0.0, 0.0, 0.0}, loaded = {500.0, 2.0, 60.0, 2.0, 0.02, 0.0};
  const ramp unloaded = {500.0, 1.0, 40.0, 2.6, -0.015, 0.0}, cold_pull = {430.0, -0.1, 200.0, 2.9, 0.005, 0.0};
  const ramp probe = {500.0, 2.0, 60.0, 2.0, 0.0, 0.0}, by_simpson = {500.0, 2.0, 60.0, 2.0, 1e-300, 0.0};
  const ramp held = {350.0, 2.0, 100.0, 1.8, 0.0, 2.4}, pulled = {350.0, 1.0, 100.0, 1.8, 0.01, 2.4};
  const ramp chilled = {398.0, -1.0, 100.0, 1.8, 0.0, 2.4};
  CHECK_NEAR(integral(&by_simpson, 2.352, 0.02, 60.0) / integral(&probe, 2.352, 0.02, 60.0), 1.0, 1e-6);
  first_event("slow heating", &slow, 0.99, 1.01);
  first_event("fast heating", &fast, 0.99, 1.01);
  first_event("cooling", &cooling, 0.2, 0.98);
  first_event("heating under a growing load", &loaded, 0.99, 1.01);
  first_event("heating under a falling load", &unloaded, 0.2, 0.98);
  first_event("cooling under a growing load", &cold_pull, 0.99, 1.01);
  first_event("cooperative law, heating", &held, 0.99, 1.01);
  first_event("cooperative law, heating under a growing load", &pulled, 0.99, 1.01);
  first_event("cooperative law, cooling", &chilled, 0.2, 0.98);
  nothing_while_cold();
  unlike_barriers();
  CHECK(stz_alloc_live() == 0, "%ld blocks of memory left", stz_alloc_live());
  MPI_Finalize();
  return harness_failures ? 1 : 0;
}
