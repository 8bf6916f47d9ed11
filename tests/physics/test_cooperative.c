// SPDX-License-Identifier: GPL-3.0-or-later
//
// The activation volume of the cooperative law, without interactions and barrier width: from the plastic strain rate
// that the engine reports, V = kT d ln(rate)/d sigma by central differences. Held against
// S (3/2)(Q/tau_c)(1 - S sigma/tau_c)^(1/2) of the modes with the largest Schmid factor S (M = 1), and against the sum
// over all modes in double precision.
#include "kmc_setup.h"

static const double KELVIN = 295.0, TAU_C_GPA = 2.4, Q = 2.8;

static double engine_rate(kmc_setup *s, double GPa) {
  const stz_mean_stress mean = tension(0.0, KELVIN, GPa, 0.0);
  double total, rate;
  stz_kmc_rates(s->kmc, &mean, &total, &rate);
  return rate;
}

// Over both signs of all modes: P_xx exp(-B(P_xx sigma)/kT).
static double summed_rate(const kmc_setup *s, double GPa) {
  double sum = 0.0;
  for (int m = 0; m < SIGNED_MODES; m++) {
    double p[6];
    mode_tensor(s, m / 2, 0, p);
    const double axial = p[STZ_XX] * (m % 2 ? -1.0 : 1.0), left = fmax(0.0, 1.0 - axial * GPa / TAU_C_GPA);
    sum += axial * exp(-Q * left * sqrt(left) / (STZ_BOLTZMANN * KELVIN));
  }
  return sum;
}

int main(void) {
  MPI_Init(NULL, NULL);
  const kmc_spec spec = {.cells = {16, 16, 16},
                         .young_GPa = NO_INTERACTION,
                         .mean_eV = Q,
                         .redraw = STZ_REDRAW_NONE,
                         .orientation = STZ_ORIENTATION_ALIGNED,
                         .micro = STZ_MICRO_UNIFORM,
                         .seed = 41,
                         .tau_c_GPa = TAU_C_GPA};
  const double kT = STZ_BOLTZMANN * KELVIN, step = 0.02;
  kmc_setup s;
  setup_kmc(&s, MPI_COMM_SELF, &spec);
  const double schmid = stz_modes_largest_schmid(stz_glass_modes(s.glass));
  for (double GPa = 2.5; GPa < 5.6; GPa += 0.5) { // the barrier is gone at 5.9 GPa
    const double engine = kT * log(engine_rate(&s, GPa + step) / engine_rate(&s, GPa - step)) / (2.0 * step * STZ_GPA);
    const double sum = kT * log(summed_rate(&s, GPa + step) / summed_rate(&s, GPa - step)) / (2.0 * step * STZ_GPA);
    const double ruling = 1.5 * schmid * Q / (TAU_C_GPA * STZ_GPA) * sqrt(1.0 - schmid * GPa / TAU_C_GPA);
    printf("%.1f GPa: V1 = %.2f A3, sum over modes %.2f A3, ruling mode %.2f A3\n", GPa, 1e3 * engine, 1e3 * sum,
           1e3 * ruling);
    CHECK_NEAR(engine / sum, 1.0, 1e-4);
    CHECK_NEAR(engine / ruling, 1.0, 5e-3); // of the other modes
  }
  close_kmc(&s);
  CHECK(stz_alloc_live() == 0, "%ld blocks of memory left", stz_alloc_live());
  MPI_Finalize();
  return harness_failures ? 1 : 0;
}
