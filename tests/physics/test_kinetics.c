// SPDX-License-Identifier: GPL-3.0-or-later
//
// The kinetics of the direct engine at constant stress against closed forms and the naive twin of the rates: waiting
// times, selection, Arrhenius law, activation volume. tests/statistics.h says what the limits mean.
#include <float.h>

#include "kmc_setup.h"
#include "rng/rng.h"
#include "statistics.h"

// No interactions, no width: every site is the same for ever, with the barrier 2.352 eV.
static kmc_spec alike(int n, stz_orientation orientation, uint64_t seed) {
  return (kmc_spec){.cells = {n, n, n},
                    .young_GPa = NO_INTERACTION,
                    .mean_eV = 2.352,
                    .redraw = STZ_REDRAW_NONE,
                    .orientation = orientation,
                    .micro = STZ_MICRO_UNIFORM,
                    .seed = seed};
}

static void check_waits(double *waits, int n, const char *what) {
  double mean = 0.0;
  for (int i = 0; i < n; i++) {
    mean += waits[i] / n;
    waits[i] = -expm1(-waits[i]);
  }
  const double deviate = (mean - 1.0) * sqrt(n), distance = ks_uniform(waits, n);
  printf("%s: waiting times, mean %.4f (deviate %.2f), KS %.3f\n", what, mean, deviate, distance);
  CHECK(fabs(deviate) < DEVIATE_LIMIT, "%s: the mean waiting time is %g of the expected one", what, mean);
  CHECK(distance < KS_LIMIT, "%s: waiting times are not exponential", what);
}

// H0: a chain of n = 4000 events among sites that are all the same is a Poisson process with the total rate, and the
// modes come with their shares. Three limits of one alarm in 10,000 seeds.
static void poisson(void) {
  enum { EVENTS = 4000 };
  static double waits[EVENTS];
  const kmc_spec spec = alike(16, STZ_ORIENTATION_ALIGNED, 11);
  kmc_setup s;
  setup_kmc(&s, MPI_COMM_SELF, &spec);
  const stz_mean_stress at = tension(0.0, 295.0, 3.0, 0.0);
  double shares[SIGNED_MODES], counts[SIGNED_MODES] = {0}, time = 0.0;
  const double site_rate = twin_site(&s, &at, 0, (double[5]){0}, shares);
  for (int m = 0; m < SIGNED_MODES; m++) shares[m] /= site_rate;
  for (int i = 0; i < EVENTS; i++) {
    const stz_mean_stress now = tension(time, 295.0, 3.0, 0.0);
    const stz_event event = next_event(&s, &now);
    double strain[6];
    waits[i] = (event.time_s - time) * site_rate * 4096.0;
    time = event.time_s;
    counts[2 * event.shear.mode + (event.shear.sign < 0)] += 1.0;
    stz_kmc_fire(s.kmc, &event, strain);
  }
  check_waits(waits, EVENTS, "sites alike");
  int bins;
  const double deviate = chi_square_deviate(counts, shares, SIGNED_MODES, &bins);
  printf("sites alike: modes, %d bins, deviate %.2f\n", bins, deviate);
  CHECK(bins >= 4 && fabs(deviate) < DEVIATE_LIMIT, "modes do not follow their rates");
  close_kmc(&s);
}

// Groupings of all (site, mode) pairs, for chi^2: where a sampler can go wrong.
enum { PLANES, ROWS, COLUMNS, LANES, CLASSES, RANKS, MODES, GROUPS, WIDEST = 64, CLASS_COUNT = 12 };
static const char *const GROUP_NAMES[GROUPS] = {
    "planes x", "rows y", "columns z", "lanes z mod 8", "classes of site rates", "rank of the mode in its site",
    "modes"};

typedef struct twin {
  double *site;             // rate of each site
  double total;             // of all
  double edge[CLASS_COUNT]; // largest site rate of each class
  double share[GROUPS][WIDEST];
} twin;

static int rank_of(const double rates[SIGNED_MODES], int choice) {
  int rank = 0;
  for (int m = 0; m < SIGNED_MODES; m++) rank += rates[m] > rates[choice];
  return rank;
}

static void classify(const kmc_setup *s, const twin *t, int64_t site, int choice, int rank, int bin[GROUPS]) {
  int xyz[3];
  stz_grid_coords(s->grid, site, xyz);
  for (int axis = 0; axis < 3; axis++) bin[PLANES + axis] = xyz[axis];
  bin[LANES] = xyz[2] % 8;
  bin[CLASSES] = 0;
  while (bin[CLASSES] < CLASS_COUNT - 1 && t->site[site] > t->edge[bin[CLASSES]]) bin[CLASSES]++;
  bin[RANKS] = rank;
  bin[MODES] = choice;
}

// Rates of all pairs at the stress that the engine has now, classes of sites with equal shares of the total, and the
// share of each bin.
static void make_twin(const kmc_setup *s, const stz_mean_stress *mean, twin *t) {
  const int64_t sites = stz_grid_sites(s->grid);
  double *sorted, deviator[5], rates[SIGNED_MODES], sum = 0.0;
  memset(t, 0, sizeof *t);
  CHECK_OK(STZ_NEW(t->site, sites));
  CHECK_OK(STZ_NEW(sorted, sites));
  for (int64_t i = 0; i < sites; i++) {
    engine_stress(s, i, deviator);
    sorted[i] = t->site[i] = twin_site(s, mean, i, deviator, rates);
    t->total += t->site[i];
  }
  qsort(sorted, (size_t)sites, sizeof *sorted, ascending);
  for (int64_t i = 0; i < sites; i++) {
    const int bin = (int)(sum / t->total * CLASS_COUNT);
    t->edge[bin < CLASS_COUNT ? bin : CLASS_COUNT - 1] = sorted[i];
    sum += sorted[i];
  }
  for (int64_t i = 0; i < sites; i++) {
    engine_stress(s, i, deviator);
    (void)twin_site(s, mean, i, deviator, rates);
    for (int m = 0; m < SIGNED_MODES; m++) {
      if (rates[m] < 1e-9 * t->total / (double)sites) continue; // 30 such modes per site: 3e-8 of the total
      int bin[GROUPS];
      classify(s, t, i, m, rank_of(rates, m), bin);
      for (int g = 0; g < GROUPS; g++) t->share[g][bin[g]] += rates[m] / t->total;
    }
  }
  stz_free(sorted);
}

// Draws the next event `draws` times from the same state of a sample with a history (nothing is fired in between).
// H0: the pairs (site, mode) come with their rates by the naive twin. chi^2 over the groupings above; KS of the place
// that the drawn pair has in the running sum over all pairs in the order of the sites, which is uniform; and the
// waiting times. Ten limits of one alarm in 10,000 seeds each.
static void selection(const kmc_spec *spec, double kelvin, double GPa, int history, int draws) {
  static double waits[4000], places[4000];
  static double counts[GROUPS][WIDEST];
  static twin t;
  char what[64];
  kmc_setup s;
  setup_kmc(&s, MPI_COMM_SELF, spec);
  stz_mean_stress mean = tension(0.0, kelvin, GPa, 0.0);
  (void)age_kmc(&s, mean, history);
  double engine_total, plastic_rate;
  stz_kmc_rates(s.kmc, &mean, &engine_total, &plastic_rate); // brings the stress up to date
  make_twin(&s, &mean, &t);
  CHECK_NEAR(engine_total / t.total, 1.0, 1e-5);
  double *before; // running sum over the sites
  const int64_t sites = stz_grid_sites(s.grid);
  CHECK_OK(STZ_NEW(before, sites));
  for (int64_t i = 1; i < sites; i++) before[i] = before[i - 1] + t.site[i - 1];
  memset(counts, 0, sizeof counts);
  stz_rng rng = stz_rng_stream(77, STZ_RNG_SCANS, 0);
  for (int i = 0; i < draws; i++) {
    const stz_event event = next_event(&s, &mean);
    const int64_t site = event.shear.site;
    const int choice = 2 * event.shear.mode + (event.shear.sign < 0);
    double deviator[5], rates[SIGNED_MODES], place = before[site];
    int bin[GROUPS];
    engine_stress(&s, site, deviator);
    (void)twin_site(&s, &mean, site, deviator, rates);
    for (int m = 0; m < choice; m++) place += rates[m];
    places[i] = (place + stz_rng_uniform(&rng) * rates[choice]) / t.total;
    waits[i] = event.time_s * t.total;
    classify(&s, &t, site, choice, rank_of(rates, choice), bin);
    for (int g = 0; g < GROUPS; g++) counts[g][bin[g]] += 1.0;
  }
  snprintf(what, sizeof what, "selection at %d^3", spec->cells[0]);
  check_waits(waits, draws, what);
  const double distance = ks_uniform(places, draws);
  printf("%s: place in the running sum, KS %.3f\n", what, distance);
  CHECK(distance < KS_LIMIT, "%s: places are not uniform", what);
  for (int g = 0; g < GROUPS; g++) {
    int bins;
    const double deviate = chi_square_deviate(counts[g], t.share[g], WIDEST, &bins);
    printf("%s: %s, %d bins, deviate %.2f\n", what, GROUP_NAMES[g], bins, deviate);
    CHECK(bins >= 2 && fabs(deviate) < DEVIATE_LIMIT, "%s: %s do not follow their rates", what, GROUP_NAMES[g]);
  }
  stz_free(t.site);
  stz_free(before);
  close_kmc(&s);
}

// At room temperature a few sites have most of the rate; hot, a quarter of a million sites share it.
static void selections(void) {
  kmc_spec spec = {.cells = {16, 16, 16},
                   .young_GPa = 72.0,
                   .mean_eV = 2.352,
                   .width_eV = 0.10,
                   .redraw = STZ_REDRAW_STZ,
                   .orientation = STZ_ORIENTATION_RANDOM,
                   .micro = STZ_MICRO_RANDOM_WAVES,
                   .seed = 12};
  selection(&spec, 295.0, 3.0, 40, 4000);
  for (int axis = 0; axis < 3; axis++) spec.cells[axis] = 64;
  spec.width_eV = 0.03;
  spec.orientation = STZ_ORIENTATION_ALIGNED;
  spec.micro = STZ_MICRO_UNIFORM;
  selection(&spec, 700.0, 1.0, 10, 1500);
}

// The barriers, to be overwritten.
static float *barriers_of(const kmc_setup *s) {
  const stz_fields *fields = stz_glass_fields(s->glass);
  for (int i = 0; i < stz_fields_count(fields); i++) {
    if (!strcmp(stz_fields_spec(fields, i)->name, "barrier")) return stz_fields_data(fields, i);
  }
  CHECK(0, "no field of barriers");
  exit(1);
}

// Every site in turn is made so soft that it has all of the rate but 1e-10, under a stress along one of the 30 modes:
// the event must come there, and in that mode but for a few in a thousand. No site or mode is out of reach, however the
// engine cuts the box up.
static void every_site_and_mode(void) {
  kmc_spec spec = alike(16, STZ_ORIENTATION_ALIGNED, 15);
  spec.cells[2] = 24;
  kmc_setup s;
  setup_kmc(&s, MPI_COMM_SELF, &spec);
  float *barrier = barriers_of(&s);
  int wrong_sites = 0, wrong_modes = 0;
  for (int64_t site = 0; site < stz_grid_sites(s.grid); site++) {
    const int mode = (int)(site % STZ_MODES), sign = site / STZ_MODES % 2 ? -1 : 1;
    stz_mean_stress at = {.temperature_K = 295.0};
    mode_tensor(&s, mode, 0, at.stress);
    for (int v = 0; v < 6; v++) at.stress[v] *= sign * 4.0 * STZ_GPA; // resolved: 2 GPa, as |P|^2 = 1/2
    barrier[site] -= 0.85f;
    const stz_event event = next_event(&s, &at);
    barrier[site] += 0.85f;
    wrong_sites += event.shear.site != site;
    wrong_modes += event.shear.mode != mode || event.shear.sign != sign;
  }
  printf("every site made soft: %d wrong sites, %d of 6144 wrong modes\n", wrong_sites, wrong_modes);
  CHECK(wrong_sites == 0, "%d sites are not drawn", wrong_sites);
  CHECK(wrong_modes < 20, "%d modes are not drawn", wrong_modes);
  close_kmc(&s);
}

// Slope of ln(total rate) against 1/T, from the engine. Without stress all modes have the barrier Q; under tension the
// best of the aligned catalogue, which are alike, have Q - chi gamma0 Omega S sigma, and the next best, 0.28 eV higher,
// weigh 2e-5.
static void arrhenius(double coldest, double GPa) {
  const kmc_spec spec = alike(16, STZ_ORIENTATION_ALIGNED, 13);
  kmc_setup s;
  setup_kmc(&s, MPI_COMM_SELF, &spec);
  double best = 0.0;
  for (int m = 0; m < STZ_MODES; m++) best = fmax(best, axial_work(&s, m, 0));
  CHECK_NEAR(best, 0.5 * 0.115 * 1.7 * (1.0 + sqrt(5.0)) / 8.0, 1e-12);
  const double expected = spec.mean_eV - best * GPa * STZ_GPA;
  double inverse[4], ln_rate[4], mean_x = 0.0, mean_y = 0.0, xy = 0.0, xx = 0.0;
  for (int i = 0; i < 4; i++) {
    const stz_mean_stress at = tension(0.0, coldest + 20.0 * i, GPa, 0.0);
    double total, plastic_rate;
    stz_kmc_rates(s.kmc, &at, &total, &plastic_rate);
    if (GPa == 0.0) CHECK(fabs(plastic_rate) < 1e-9 * total, "plastic flow without stress: %g", plastic_rate);
    mean_x += (inverse[i] = 1.0 / (STZ_BOLTZMANN * at.temperature_K)) / 4;
    mean_y += (ln_rate[i] = log(total)) / 4;
  }
  for (int i = 0; i < 4; i++) {
    xy += (inverse[i] - mean_x) * (ln_rate[i] - mean_y);
    xx += (inverse[i] - mean_x) * (inverse[i] - mean_x);
  }
  printf("Arrhenius slope at %g GPa: %.6f eV, analytic %.6f eV\n", GPa, -xy / xx, expected);
  CHECK_NEAR(-xy / xx, expected, 1e-4);
  close_kmc(&s);
}

// kT d ln(rate of plastic strain)/d(stress), M = 1: the sum over modes, and near it the analytic V = chi gamma0 Omega
// S.
static void activation_volume(stz_orientation orientation) {
  const kmc_spec spec = alike(24, orientation, 14);
  kmc_setup s;
  setup_kmc(&s, MPI_COMM_SELF, &spec);
  const double kT = STZ_BOLTZMANN * 295.0, h = 0.02;
  double rate[2], total, expected[2] = {0, 0};
  for (int i = 0; i < 2; i++) {
    const stz_mean_stress at = tension(0.0, 295.0, 3.25 + (i ? h : -h), 0.0);
    stz_kmc_rates(s.kmc, &at, &total, &rate[i]);
    for (int64_t site = 0; site < stz_grid_sites(s.grid); site++) {
      for (int m = 0; m < SIGNED_MODES; m++) {
        const double w = axial_work(&s, m / 2, stz_glass_rotation(s.glass)[site]) * (m % 2 ? -1.0 : 1.0);
        expected[i] += twin_rate(spec.mean_eV, w * at.stress[STZ_XX], 295.0) * w / KMC_STZ.activation_fraction /
                       stz_grid_volume(s.grid);
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

int main(void) {
  MPI_Init(NULL, NULL);
  poisson();
  selections();
  every_site_and_mode();
  arrhenius(480.0, 0.0); // colder, and the rates would be below 2^-126 (stz/rates.h)
  arrhenius(270.0, 3.0);
  activation_volume(STZ_ORIENTATION_ALIGNED);
  activation_volume(STZ_ORIENTATION_RANDOM);
  CHECK(stz_alloc_live() == 0, "%ld blocks of memory left", stz_alloc_live());
  MPI_Finalize();
  return harness_failures ? 1 : 0;
}
