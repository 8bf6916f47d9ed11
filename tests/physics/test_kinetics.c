// SPDX-License-Identifier: GPL-3.0-or-later
//
// The kinetics of the direct engine against closed forms: waiting times, selection, changing load, Arrhenius law,
// activation volume, detailed balance. Where a test is statistical, its null hypothesis is the closed form; the seeds
// are fixed, and the rate of false alarms is said.
#include <float.h>

#include "kmc_setup.h"

static const double NO_INTERACTION = 1e-9; // Young's modulus, GPa

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

// Kolmogorov-Smirnov: largest distance of the sample from the unit exponential, times sqrt(n). Exceeds 1.95 by chance
// once in a thousand seeds.
static double exponential_distance(double *sample, int n) {
  double largest = 0.0;
  qsort(sample, (size_t)n, sizeof *sample, ascending);
  for (int i = 0; i < n; i++) {
    const double expected = 1.0 - exp(-sample[i]);
    largest = fmax(largest, fmax(fabs(expected - (double)i / n), fabs((i + 1.0) / n - expected)));
  }
  return largest * sqrt(n);
}

// chi^2 of counts against expected shares, as a standard normal deviate (Wilson and Hilferty).
static double chi_square_deviate(const double *counts, const double *shares, int bins) {
  double total = 0.0, sum = 0.0;
  for (int b = 0; b < bins; b++) total += counts[b];
  for (int b = 0; b < bins; b++) {
    CHECK(total * shares[b] >= 5.0, "bin %d expects %g, too few", b, total * shares[b]);
    sum += (counts[b] - total * shares[b]) * (counts[b] - total * shares[b]) / (total * shares[b]);
  }
  const double k = 2.0 / (9.0 * (bins - 1));
  return (cbrt(sum / (bins - 1)) - (1.0 - k)) / sqrt(k);
}

// One event after the other without interactions, redraw and width: each site the same, for ever. Rates of all 30 modes
// are known, so waiting times are exponential with their sum, and the modes come with their shares.
static void poisson(void) {
  enum { EVENTS = 4000 };
  static double waits[EVENTS];
  const kmc_spec spec = {
      {16, 16, 16}, NO_INTERACTION, 0.0, STZ_REDRAW_NONE, STZ_ORIENTATION_ALIGNED, STZ_MICRO_UNIFORM, 11};
  kmc_setup s;
  setup_kmc(&s, MPI_COMM_SELF, &spec);
  const double kT = STZ_BOLTZMANN * 295.0;
  double rate[2 * STZ_MODES], total = 0.0, modes[2 * STZ_MODES] = {0}, planes[3][16] = {{0}}, time = 0.0, mean = 0.0;
  for (int m = 0; m < 2 * STZ_MODES; m++) {
    const double work = axial_work(&s, m / 2, 0) * 3.0 * STZ_GPA * (m % 2 ? -1.0 : 1.0);
    total += rate[m] = 4096 * attempt_rate() * exp(-(KMC_MEAN_BARRIER - work) / kT);
  }
  for (int i = 0; i < EVENTS; i++) {
    const stz_mean_stress stress = tension(time, 3.0, 0.0);
    stz_event event;
    bool found;
    double strain[6];
    CHECK_OK(stz_kmc_next(s.kmc, &stress, INFINITY, &event, &found));
    CHECK(found, "no event");
    waits[i] = (event.time_s - time) * total;
    mean += waits[i] / EVENTS;
    time = event.time_s;
    modes[2 * event.shear.mode + (event.shear.sign < 0)] += 1.0;
    int xyz[3];
    stz_grid_coords(s.grid, event.shear.site, xyz);
    for (int axis = 0; axis < 3; axis++) planes[axis][xyz[axis]] += 1.0;
    stz_kmc_fire(s.kmc, &event, strain);
  }
  // Mean of 4000 unit exponentials: standard error 0.0158; 4.5 of them fail once in 150,000 seeds.
  printf("waiting times: mean %.4f of the closed form, KS %.3f\n", mean, exponential_distance(waits, EVENTS));
  CHECK_NEAR(mean, 1.0, 4.5 * 0.0158);
  CHECK(exponential_distance(waits, EVENTS) < 1.95, "waiting times are not exponential");
  // Modes too rare to be counted are left out; the rest as one bin each. False alarms: 4 deviates, one in 30,000.
  double seen[2 * STZ_MODES], share[2 * STZ_MODES], left = 0.0, even[16];
  int bins = 0;
  for (int m = 0; m < 2 * STZ_MODES; m++) {
    if (EVENTS * rate[m] / total >= 8.0) {
      seen[bins] = modes[m];
      share[bins++] = rate[m] / total;
    } else {
      left += modes[m];
      CHECK(modes[m] < 40.0, "mode %d seen %g times, expected %g", m, modes[m], EVENTS * rate[m] / total);
    }
  }
  double kept = 0.0;
  for (int b = 0; b < bins; b++) kept += share[b];
  for (int b = 0; b < bins; b++) share[b] /= kept;
  printf("modes: %d bins, deviate %.2f; %g events of rare modes\n", bins, chi_square_deviate(seen, share, bins), left);
  CHECK(bins >= 4 && fabs(chi_square_deviate(seen, share, bins)) < 4.0, "modes do not follow their rates");
  for (int x = 0; x < 16; x++) even[x] = 1.0 / 16;
  for (int axis = 0; axis < 3; axis++) {
    const double deviate = chi_square_deviate(planes[axis], even, 16);
    CHECK(fabs(deviate) < 4.0, "planes along axis %d are not equal: %g", axis, deviate);
  }
  close_kmc(&s);
}

// Selection among unlike sites, in a small and in a large box: the share of each plane, row and of each class of rates
// against the rates themselves, computed here in double precision from barriers and orientations.
static void selection(int n, int events) {
  enum { CLASSES = 20 };
  const kmc_spec spec = {{n, n, n}, NO_INTERACTION, 0.03, STZ_REDRAW_NONE, STZ_ORIENTATION_RANDOM, STZ_MICRO_UNIFORM,
                         12};
  kmc_setup s;
  setup_kmc(&s, MPI_COMM_SELF, &spec);
  const double kT = STZ_BOLTZMANN * 600.0; // hot: rates differ by two decades, not by twenty
  const int64_t sites = stz_grid_sites(s.grid);
  double *rate, total = 0.0;
  CHECK_OK(STZ_NEW(rate, sites));
  double of_rotation[STZ_ROTATIONS] = {0};
  for (int r = 0; r < STZ_ROTATIONS; r++) {
    for (int m = 0; m < 2 * STZ_MODES; m++) {
      of_rotation[r] += exp(axial_work(&s, m / 2, r) * 1.5 * STZ_GPA * (m % 2 ? -1.0 : 1.0) / kT);
    }
  }
  for (int64_t i = 0; i < sites; i++) {
    const double barrier = (double)stz_glass_barrier(s.glass)[i];
    total += rate[i] = attempt_rate() * exp(-barrier / kT) * of_rotation[stz_glass_rotation(s.glass)[i]];
  }
  // Classes: sites in the order of their index, cut into CLASSES parts; within the part, high and low rate.
  double shares[2 * CLASSES] = {0}, counts[2 * CLASSES] = {0}, waits = 0.0;
  const double middle = total / (double)sites;
#define CLASS_OF(i) (2 * (int)((i)*CLASSES / sites) + (rate[i] > middle))
  for (int64_t i = 0; i < sites; i++) shares[CLASS_OF(i)] += rate[i] / total;
  stz_mean_stress stress = tension(0.0, 1.5, 0.0);
  stress.temperature_K = 600.0;
  double engine_total, plastic_rate;
  stz_kmc_rates(s.kmc, &stress, &engine_total, &plastic_rate);
  CHECK_NEAR(engine_total / total, 1.0, 1e-5);
  for (int i = 0; i < events; i++) { // not fired: the same draw again and again
    stz_event event;
    bool found;
    CHECK_OK(stz_kmc_next(s.kmc, &stress, INFINITY, &event, &found));
    waits += event.time_s * total / events;
    counts[CLASS_OF(event.shear.site)] += 1.0;
  }
#undef CLASS_OF
  const double deviate = chi_square_deviate(counts, shares, 2 * CLASSES);
  printf("selection at %d^3: deviate %.2f, waiting time %.4f of the closed form\n", n, deviate, waits);
  CHECK(fabs(deviate) < 4.0, "selection does not follow the rates"); // one alarm in 15,000 seeds
  CHECK_NEAR(waits, 1.0, 4.5 / sqrt(events));
  stz_free(rate);
  close_kmc(&s);
}

// The first event under a ramp of the stress, drawn again and again from time 0. The hazard of each mode is A exp(b t),
// with an integral L in closed form, and the event has come by t with the probability F = 1 - exp(-L). The stress moves
// by kT/work of the best mode within `pace` mean waiting times: many windows of the engine's bound an event, or few. On
// the way down the event may never come: then no event must be found before the limit as often as 1 - F(limit).
static void ramps(double pace, double limit, uint64_t seed) {
  enum { DRAWS = 3000 };
  static double sample[DRAWS];
  const kmc_spec spec = {{16, 16, 16}, NO_INTERACTION, 0.0, STZ_REDRAW_NONE, STZ_ORIENTATION_ALIGNED, STZ_MICRO_UNIFORM,
                         seed};
  kmc_setup s;
  setup_kmc(&s, MPI_COMM_SELF, &spec);
  const double kT = STZ_BOLTZMANN * 295.0, from = 3.0 * STZ_GPA;
  double work[2 * STZ_MODES], rate[2 * STZ_MODES], total = 0.0, best = 0.0;
  for (int m = 0; m < 2 * STZ_MODES; m++) {
    work[m] = axial_work(&s, m / 2, 0) * (m % 2 ? -1.0 : 1.0);
    best = fmax(best, work[m]);
    total += rate[m] = 4096 * attempt_rate() * exp(-(KMC_MEAN_BARRIER - work[m] * from) / kT);
  }
  const double slope = kT / best * total / pace; // of the stress, eV/nm^3/s
  const stz_mean_stress stress = tension(0.0, 3.0, slope / STZ_GPA);
  double come = 1.0; // F at the limit, then of each event
  int events = 0;
  for (int draw = -1; draw < DRAWS; draw++) {
    stz_event event = {.time_s = limit / total};
    bool found = true;
    if (draw >= 0) CHECK_OK(stz_kmc_next(s.kmc, &stress, limit / total, &event, &found));
    if (!found) continue;
    CHECK(event.time_s <= limit / total, "an event after the limit");
    double integral = 0.0;
    for (int m = 0; m < 2 * STZ_MODES; m++) {
      const double b = work[m] * slope / kT;
      integral += rate[m] * (fabs(b * event.time_s) > 1e-12 ? expm1(b * event.time_s) / b : event.time_s);
    }
    if (draw < 0) {
      come = -expm1(-integral);
    } else {
      sample[events++] = -log1p(expm1(-integral) / come); // unit exponential, given that the event comes
    }
  }
  stz_kmc_stats stats;
  stz_kmc_stats_get(s.kmc, &stats);
  const double distance = exponential_distance(sample, events), share = (double)events / DRAWS;
  printf("ramp of %g waiting times: %.4f come, expected %.4f; %.2f candidates and %.2f passes a draw, KS %.3f\n", pace,
         share, come, (double)stats.candidates / DRAWS, (double)stats.passes / DRAWS, distance);
  CHECK(distance < 1.95, "times under a ramp do not follow the hazard"); // one alarm in 1000 seeds
  CHECK_NEAR(share, come, 4.5 * sqrt(come * (1.0 - come) / DRAWS) + 1e-9);
  close_kmc(&s);
}

// Slope of ln(rate) against 1/T: without stress and width the barrier itself, in any orientation.
static void arrhenius(void) {
  const kmc_spec spec = {{16, 16, 16}, 72.0, 0.0, STZ_REDRAW_STZ, STZ_ORIENTATION_RANDOM, STZ_MICRO_UNIFORM, 13};
  kmc_setup s;
  setup_kmc(&s, MPI_COMM_SELF, &spec);
  double total[2], plastic_rate;
  const double temperature[2] = {500.0, 520.0};
  for (int i = 0; i < 2; i++) {
    stz_mean_stress stress = tension(0.0, 0.0, 0.0);
    stress.temperature_K = temperature[i];
    stz_kmc_rates(s.kmc, &stress, &total[i], &plastic_rate);
    const double expected = 30.0 * 4096.0 * attempt_rate() * exp(-KMC_MEAN_BARRIER / (STZ_BOLTZMANN * temperature[i]));
    CHECK_NEAR(total[i] / expected, 1.0, 2e-5);
    CHECK(fabs(plastic_rate) < 1e-9 * total[i], "plastic flow without stress: %g", plastic_rate);
  }
  const double slope = STZ_BOLTZMANN * log(total[0] / total[1]) / (1.0 / temperature[1] - 1.0 / temperature[0]);
  printf("Arrhenius slope: %.5f eV, barrier %.5f eV\n", slope, KMC_MEAN_BARRIER);
  CHECK_NEAR(slope, KMC_MEAN_BARRIER, 1e-3);
  close_kmc(&s);
}

// kT d ln(plastic rate)/d(stress), M = 1: the exact sum over modes, and near it the analytic V = chi gamma0 Omega S.
static void activation_volume(stz_orientation orientation) {
  const kmc_spec spec = {{24, 24, 24}, 72.0, 0.0, STZ_REDRAW_STZ, orientation, STZ_MICRO_UNIFORM, 14};
  kmc_setup s;
  setup_kmc(&s, MPI_COMM_SELF, &spec);
  const double kT = STZ_BOLTZMANN * 295.0, h = 0.02;
  double rate[2], total, expected[2] = {0, 0};
  for (int i = 0; i < 2; i++) {
    const stz_mean_stress stress = tension(0.0, 3.25 + (i ? h : -h), 0.0);
    stz_kmc_rates(s.kmc, &stress, &total, &rate[i]);
    for (int64_t site = 0; site < stz_grid_sites(s.grid); site++) {
      for (int m = 0; m < 2 * STZ_MODES; m++) {
        const double w = axial_work(&s, m / 2, stz_glass_rotation(s.glass)[site]) * (m % 2 ? -1.0 : 1.0);
        expected[i] += attempt_rate() * exp((w * stress.stress[STZ_XX] - KMC_MEAN_BARRIER) / kT) * w /
                       KMC_STZ.activation_fraction / stz_grid_volume(s.grid);
      }
    }
    CHECK_NEAR(rate[i] / expected[i], 1.0, 1e-4);
  }
  const double volume = kT * log(rate[1] / rate[0]) / (2.0 * h * STZ_GPA);
  const double exact = kT * log(expected[1] / expected[0]) / (2.0 * h * STZ_GPA);
  const double schmid = stz_modes_largest_schmid(stz_glass_modes(s.glass)), limit = 0.5 * 0.115 * 1.7 * schmid;
  printf("activation volume, S = %.4f: %.2f A3, sum over modes %.2f, chi gamma0 Omega S = %.2f A3\n", schmid,
         1e3 * volume, 1e3 * exact, 1e3 * limit);
  CHECK_NEAR(volume / exact, 1.0, 1e-3);
  CHECK_NEAR(volume / limit, 1.0, 0.03);
  close_kmc(&s);
}

// Elastic energy of all events so far plus the work of the constant mean stress, eV: from the eigenstrain kept by the
// glass and the operator in double precision, -1/2 sum over sites of Omega e:sigma.
static double enthalpy(const kmc_setup *s, const double mean[6]) {
  const double a = stz_grid_spacing(s->grid), density = KMC_STZ.volume_nm3 / (a * a * a);
  double *strain[5], *stress[6], deviator[5], energy = 0.0;
  for (int c = 0; c < 5; c++) {
    CHECK_OK(STZ_NEW(strain[c], stz_grid_sites(s->grid)));
    for (int64_t i = 0; i < stz_grid_sites(s->grid); i++) {
      strain[c][i] = (double)stz_glass_plastic(s->glass, c)[i] / density;
    }
  }
  for (int c = 0; c < 6; c++) CHECK_OK(STZ_NEW(stress[c], stz_grid_sites(s->grid)));
  CHECK_OK(stz_elastic_stress(s->elastic, s->spectral, (const double *const *)strain, stress));
  stz_dev_from_sym(mean, deviator);
  for (int c = 0; c < 5; c++) {
    for (int64_t i = 0; i < stz_grid_sites(s->grid); i++) {
      energy -= KMC_STZ.volume_nm3 * strain[c][i] * (0.5 * stress[c][i] + deviator[c]);
    }
  }
  for (int c = 0; c < 5; c++) stz_free(strain[c]);
  for (int c = 0; c < 6; c++) stz_free(stress[c]);
  return energy;
}

// Rate of the shear `shear` where it stands, from the engine's own stress, in double precision with libm.
static double rate_of(const kmc_setup *s, const stz_shear *shear, const double mean[6], double *tau) {
  double d[5], deviator[5];
  stz_dev_from_sym(mean, deviator);
  stz_modes_deviator(stz_glass_modes(s->glass), shear->mode, shear->rotation, d);
  *tau = 0.0;
  for (int c = 0; c < 5; c++)
    *tau += shear->sign * d[c] * (deviator[c] + (double)stz_kmc_stress(s->kmc, c)[shear->site]);
  const double barrier = (double)stz_glass_barrier(s->glass)[shear->site];
  return exp(-(barrier - 0.5 * KMC_STZ.gamma0 * KMC_STZ.volume_nm3 * *tau) / (STZ_BOLTZMANN * 295.0));
}

// Between the states before and after an event of a sample with a history: forward rate over the reversal's rate is
// exp(-dE/kT), dE = -1/2 gamma0 Omega (tau_before + tau_after) and the difference of the enthalpies. Single precision
// of the stress leaves 1e-5 eV of several eV.
static void detailed_balance(void) {
  const kmc_spec spec = {{16, 16, 16}, 72.0, 0.10, STZ_REDRAW_NONE, STZ_ORIENTATION_RANDOM, STZ_MICRO_RANDOM_WAVES, 15};
  kmc_setup s;
  setup_kmc(&s, MPI_COMM_SELF, &spec);
  const double kT = STZ_BOLTZMANN * 295.0;
  double worst = 0.0, before = enthalpy(&s, (double[6]){0});
  double time = 0.0;
  for (int i = 0; i < 25; i++) {
    const stz_mean_stress stress = tension(time, 3.0, 0.0);
    stz_event event;
    bool found;
    double strain[6], tau_before, tau_after, total, plastic_rate;
    CHECK_OK(stz_kmc_next(s.kmc, &stress, INFINITY, &event, &found));
    time = event.time_s;
    const double forward = rate_of(&s, &event.shear, stress.stress, &tau_before);
    stz_kmc_fire(s.kmc, &event, strain);
    stz_kmc_rates(s.kmc, &stress, &total, &plastic_rate); // brings the stress up to date
    stz_shear back = event.shear;
    back.sign = -back.sign;
    const double backward = rate_of(&s, &back, stress.stress, &tau_after); // tau_after: along the way back
    const double after = enthalpy(&s, stress.stress), by_ratio = -kT * log(forward / backward);
    const double by_stress = -0.5 * KMC_STZ.gamma0 * KMC_STZ.volume_nm3 * (tau_before - tau_after);
    worst = fmax(worst, fmax(fabs(by_ratio - (after - before)), fabs(by_stress - (after - before))));
    before = after;
  }
  printf("detailed balance: largest error of an energy %.2e eV\n", worst);
  CHECK(worst < 2e-5, "energies disagree by %g eV", worst);
  close_kmc(&s);
}

int main(void) {
  MPI_Init(NULL, NULL);
  poisson();
  selection(16, 8000);
  selection(64, 1000);
  ramps(1.0, 100.0, 16);
  ramps(0.05, 100.0, 17);
  ramps(-1.5, 30.0, 18);
  arrhenius();
  activation_volume(STZ_ORIENTATION_ALIGNED);
  activation_volume(STZ_ORIENTATION_RANDOM);
  detailed_balance();
  CHECK(stz_alloc_live() == 0, "%ld blocks of memory left", stz_alloc_live());
  MPI_Finalize();
  return harness_failures ? 1 : 0;
}
