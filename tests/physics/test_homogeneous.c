// SPDX-License-Identifier: GPL-3.0-or-later
//
// Homogeneous flow of uncoupled sites with one barrier, at stresses below and above kT a jump, against the closed law
//
//   rate_xx = 2 gamma0 nu0 exp(-Q/kT) sum over the 15 modes of P_xx sinh(chi gamma0 Omega P_xx sigma/kT),
//
// the transition-state expression for homogeneous flow of metallic glasses (F. Spaepen, Acta Metall. 25, 1977; A. S.
// Argon, Acta Metall. 27, 1979) summed over the modes. It is taken from the published form, not from the engine's
// rates: nu0 a volume, shape and number of sites must come out. 420 K, since in the cold rates against the stress lie
// below the engine's floor.
//
// H0: events are a Poisson process by mode and sign, so the strain within n events has the standard error
// sqrt(sum rate P^2 / sum rate) sqrt(n) gamma0 Omega/V. Limit DEVIATE_LIMIT, one alarm in 10,000 seeds a stress.
#include "kmc_setup.h"
#include "statistics.h"

enum { EVENTS = 3000 };

int main(void) {
  MPI_Init(NULL, NULL);
  const kmc_spec spec = {.cells = {16, 16, 16},
                         .young_GPa = NO_INTERACTION,
                         .mean_eV = 2.352,
                         .redraw = STZ_REDRAW_NONE,
                         .orientation = STZ_ORIENTATION_ALIGNED,
                         .micro = STZ_MICRO_UNIFORM,
                         .seed = 41};
  const double kT = STZ_BOLTZMANN * 420.0, pressures[] = {0.05, 0.3, 1.0, 3.0};
  kmc_setup s;
  setup_kmc(&s, MPI_COMM_SELF, &spec);
  const double volume = stz_grid_volume(s.grid);
  double time = 0.0;
  for (int i = 0; i < 4; i++) {
    double law = 0.0, rate = 0.0, square = 0.0, plastic = 0.0;
    const double attempts = 1e13 * exp(-2.352 / kT); // a volume Omega, 1/s
    for (int m = 0; m < STZ_MODES; m++) {
      double p[6];
      mode_tensor(&s, m, 0, p);
      const double x = 0.5 * 0.115 * 1.7 * p[STZ_XX] * pressures[i] * STZ_GPA / kT;
      law += 2.0 * 0.115 * attempts * p[STZ_XX] * sinh(x);
      rate += 2.0 * attempts * cosh(x);
      square += 2.0 * attempts * cosh(x) * p[STZ_XX] * p[STZ_XX];
    }
    stz_mean_stress mean = tension(time, 420.0, pressures[i], 0.0);
    const double begin = time;
    for (int n = 0; n < EVENTS; n++) {
      double strain[6];
      const stz_event event = next_event(&s, &mean);
      stz_kmc_fire(s.kmc, &event, strain);
      plastic += strain[STZ_XX] * 1.7 / volume;
      mean.t0 = time = event.time_s;
    }
    const double seen = plastic / (time - begin);
    const double error = sqrt(square / rate / EVENTS) * 0.115 * rate; // of the strain rate; the clock's is in it
    printf("%g GPa: %.4g /s, law %.4g /s, %.2f standard errors of %.1f %%\n", pressures[i], seen, law,
           (seen - law) / error, 100.0 * error / law);
    CHECK_NEAR(seen, law, DEVIATE_LIMIT * error);
  }
  close_kmc(&s);
  CHECK(stz_alloc_live() == 0, "%ld blocks of memory left", stz_alloc_live());
  MPI_Finalize();
  return harness_failures ? 1 : 0;
}
