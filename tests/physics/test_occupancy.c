// SPDX-License-Identifier: GPL-3.0-or-later
//
// Boltzmann occupancy under the linear law with redraw = "none". Sites that do not interact have one mode; the strain
// of the box is held, so that N shears, less those back, leave the stress sigma(N) = E (strain - N p), p = gamma0 P_xx
// Omega/V, and the elastic energy U(N) = V sigma(N)^2/2E. With chi = 1/2 the chain N -> N +- 1 is in detailed balance
// with U, and N is found with the probability exp(-U(N)/kT)/Z. The null hypothesis is that; N is looked at DRAWS times,
// ten relaxation times apart, and chi^2 passes its limit once in 10,000 seeds. The same with chi = 1, which balances
// twice that energy, must fail.
#include "kmc_setup.h"
#include "statistics.h"

enum { DRAWS = 700, MOST = 20 }; // |N| counts up to MOST
static const double KELVIN = 295.0, BARRIER = 1.0, YOUNG_GPA = 72.0;
static const stz_catalogue ONE_MODE = {.count = 1, .axes = {{1, 1, 0, 1, -1, 0}}}; // P_xx = 1/2

typedef struct ladder {
  double volume, step, strain; // nm^3, p, held
} ladder;

static double stress_GPa(const ladder *l, int n) { return YOUNG_GPA * (l->strain - n * l->step); }

static double energy(const ladder *l, int n) {
  const double stress = stress_GPa(l, n) * STZ_GPA;
  return 0.5 * l->volume * stress * stress / (YOUNG_GPA * STZ_GPA);
}

static double occupancy_deviate(double fraction, int *bins) {
  const kmc_spec spec = {.cells = {16, 16, 16},
                         .young_GPa = NO_INTERACTION,
                         .mean_eV = BARRIER,
                         .redraw = STZ_REDRAW_NONE,
                         .orientation = STZ_ORIENTATION_ALIGNED,
                         .micro = STZ_MICRO_UNIFORM,
                         .seed = 51,
                         .activation_fraction = fraction,
                         .catalogue = &ONE_MODE};
  kmc_setup s;
  setup_kmc(&s, MPI_COMM_SELF, &spec);
  const double volume = stz_grid_volume(s.grid), kT = STZ_BOLTZMANN * KELVIN;
  const double step = KMC_STZ.gamma0 * 0.5 * KMC_STZ.volume_nm3 / volume;
  const ladder l = {.volume = volume, .step = step, .strain = 0.3 * step};
  const double attempts = 1e13 * pow(KMC_SPACING, 3.0) / KMC_STZ.volume_nm3 * 16.0 * 16.0 * 16.0;
  const double stiffness = volume * YOUNG_GPA * STZ_GPA * step * step; // U''
  const double between = 10.0 * kT / stiffness / (attempts * exp(-BARRIER / kT));
  double counts[2 * MOST + 1] = {0}, shares[2 * MOST + 1], sum = 0.0, look = between;
  for (int n = -MOST; n <= MOST; n++) sum += shares[n + MOST] = exp(-energy(&l, n) / kT);
  for (int n = -MOST; n <= MOST; n++) shares[n + MOST] /= sum;
  int n = 0, looks = 0;
  double t = 0.0;
  while (looks < DRAWS) {
    const stz_mean_stress mean = tension(t, KELVIN, stress_GPa(&l, n), 0.0);
    double strain[6];
    const stz_event event = next_event(&s, &mean);
    for (t = event.time_s; look < t && looks < DRAWS; look += between, looks++) counts[n + MOST]++;
    stz_kmc_fire(s.kmc, &event, strain);
    CHECK_NEAR(fabs(strain[STZ_XX]), 0.5 * KMC_STZ.gamma0, 1e-12);
    n += strain[STZ_XX] > 0.0 ? 1 : -1;
    CHECK(abs(n) <= MOST, "%d shears", n);
    if (abs(n) > MOST) break;
  }
  close_kmc(&s);
  return chi_square_deviate(counts, shares, 2 * MOST + 1, bins);
}

int main(void) {
  MPI_Init(NULL, NULL);
  int bins;
  const double half = occupancy_deviate(0.5, &bins);
  printf("chi = 1/2: chi^2 over %d states, as a normal deviate, %.2f\n", bins, half);
  CHECK(bins >= 8, "%d states are too few", bins);
  CHECK(fabs(half) < DEVIATE_LIMIT, "not Boltzmann's occupancy");
  const double whole = occupancy_deviate(1.0, &bins);
  printf("chi = 1: %.2f\n", whole);
  CHECK(whole > DEVIATE_LIMIT, "the test does not tell chi = 1 from 1/2");
  CHECK(stz_alloc_live() == 0, "%ld blocks of memory left", stz_alloc_live());
  MPI_Finalize();
  return harness_failures ? 1 : 0;
}
