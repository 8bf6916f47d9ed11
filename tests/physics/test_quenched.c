// SPDX-License-Identifier: GPL-3.0-or-later
//
// Quenched-in strain and its stress: the scatter of the stress against the closed form, by Parseval's theorem and the
// averages over directions that make Eshelby's factor; zero mean; and at some sites the sum over all sites of the
// stress that an event of that strain would make, which is in equilibrium event by event.
#include "kmc_setup.h"

// Mean square of the deviator's norm for random strain of norm 1 averaged over an STZ, (2 mu)^2 left out: with
// b = nu/(1 - nu), <TeT:TeT> = 7/15 and <(tr TeT)^2> = 2/15, the tensor has 7/15 + 4 b (1 + b)/15, of which
// 2 (1 + 2 b)^2/45 belong to its trace.
static double mean_square(double poisson) {
  const double b = poisson / (1.0 - poisson);
  return 7.0 / 15.0 + 4.0 * b * (1.0 + b) / 15.0 - 2.0 * (1.0 + 2.0 * b) * (1.0 + 2.0 * b) / 45.0;
}

// The stress at `site` as the sum of the stresses of all sites' strains.
static void superposed(const kmc_setup *s, int64_t site, double stress[5]) {
  int at[3], from[3];
  stz_grid_coords(s->grid, site, at);
  for (int c = 0; c < 5; c++) stress[c] = 0.0;
  for (int64_t i = 0; i < stz_grid_sites(s->grid); i++) {
    float strain[5], row[5][64] = {{0}}, *const rows[5] = {row[0], row[1], row[2], row[3], row[4]};
    stz_grid_coords(s->grid, i, from);
    for (int c = 0; c < 5; c++) strain[c] = stz_glass_quenched(s->glass, c)[i];
    stz_elastic_add_strip(s->elastic, from, strain, at[0], at[1], 1, rows);
    for (int c = 0; c < 5; c++) stress[c] += (double)row[c][at[2]];
  }
}

// H0: the mean square is the closed form. It has 5 V/(2^1.5 Omega) independent terms within a factor of 2: its standard
// error is below 2 % at 32^3, so 6 % in it (3 % in the root) is a limit of three, and seeds are fixed.
static void scatter(double strain, uint64_t seed) {
  const kmc_spec spec = {.cells = {32, 32, 32},
                         .young_GPa = 72.0,
                         .mean_eV = 2.352,
                         .micro = STZ_MICRO_UNIFORM,
                         .seed = seed,
                         .quenched_strain = strain};
  const double shear_modulus = 72.0 * STZ_GPA / 2.8;
  kmc_setup s;
  setup_kmc(&s, MPI_COMM_SELF, &spec);
  double square = 0.0;
  for (int c = 0; c < 5; c++) {
    double mean = 0.0;
    for (int64_t i = 0; i < stz_grid_sites(s.grid); i++) {
      const double x = (double)stz_kmc_stress(s.kmc, c)[i];
      mean += x / 32768.0;
      square += x * x / 32768.0;
    }
    CHECK_NEAR(mean, 0.0, 1e-6);
  }
  const double expected = 2.0 * shear_modulus * strain * sqrt(mean_square(0.4));
  printf("strain %g: rms stress %.4f GPa, closed form %.4f GPa\n", strain, sqrt(square) / STZ_GPA, expected / STZ_GPA);
  CHECK_NEAR(sqrt(square) / expected, 1.0, 0.03);
  double rms;
  CHECK_OK(stz_kmc_stress_rms(s.kmc, &rms));
  CHECK_NEAR(rms / sqrt(square), 1.0, 1e-9);
  const int64_t sites[] = {0, 5 * 1024 + 17 * 32 + 30, 32767};
  for (int k = 0; k < 3; k++) {
    double sum[5];
    superposed(&s, sites[k], sum);
    for (int c = 0; c < 5; c++) {
      CHECK_NEAR((double)stz_kmc_stress(s.kmc, c)[sites[k]] / sqrt(square), sum[c] / sqrt(square), 1e-4);
    }
  }
  close_kmc(&s);
}

int main(void) {
  MPI_Init(NULL, NULL);
  scatter(0.01, 61);
  scatter(0.05, 62);
  CHECK(stz_alloc_live() == 0, "%ld blocks of memory left", stz_alloc_live());
  MPI_Finalize();
  return harness_failures ? 1 : 0;
}
