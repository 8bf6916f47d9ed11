// SPDX-License-Identifier: GPL-3.0-or-later
//
// Stress relaxation without interactions and barrier width, by load and engine together: sigma falls as
// sigma0 - (kT/V1) ln(1 + t/t0), with V1 = chi gamma0 Omega S the activation volume for M = 1, whatever the stiffness
// of the grips. The slope over six decades gives V1 back within 3 %. Its statistical error: an event takes d = M gamma0
// Omega S/V off the stress, M the stiffness, which makes the stress scatter by sqrt(d kT/(2 V1)), afresh every unit of
// ln t; over 13 of them the slope's error is 0.5 % of it at 72 GPa. So 3 % is six of them.
#include "kmc_setup.h"

static void relax(const stz_segment *segments, int count, double begin_s, double end_s, const char *name) {
  const kmc_spec spec = {.cells = {32, 32, 32},
                         .young_GPa = NO_INTERACTION,
                         .mean_eV = 2.352,
                         .redraw = STZ_REDRAW_NONE,
                         .orientation = STZ_ORIENTATION_ALIGNED,
                         .micro = STZ_MICRO_UNIFORM,
                         .seed = 31};
  const double kT = STZ_BOLTZMANN * 295.0;
  kmc_setup s;
  stz_load *load;
  setup_kmc(&s, MPI_COMM_SELF, &spec);
  CHECK_OK(stz_load_create(segments, count, 72.0 * STZ_GPA, 0.4, &load));
  double sums[5] = {0}; // 1, x, y, x x, x y with x = ln t, y = stress in GPa, at equal steps of x
  double next = log(begin_s);
  bool more = true;
  while (more) {
    stz_mean_stress mean;
    stz_macro macro;
    stz_event event;
    double strain[6];
    const bool found = load_to_event(&s, load, &event, &mean);
    stz_load_state(load, &macro); // the stress has not moved since the last event
    for (; macro.clock_zero_s + exp(next) < macro.time_s && next < log(end_s); next += 0.1) {
      const double y = macro.stress[STZ_XX] / STZ_GPA, terms[5] = {1.0, next, y, next * next, next * y};
      for (int i = 0; i < 5; i++) sums[i] += terms[i];
    }
    if (found) {
      load_fire(&s, load, &event, strain);
    } else {
      more = stz_load_next_segment(load);
    }
  }
  const double slope = (sums[0] * sums[4] - sums[1] * sums[2]) / (sums[0] * sums[3] - sums[1] * sums[1]);
  const double volume = kT / (-slope * STZ_GPA), schmid = stz_modes_largest_schmid(stz_glass_modes(s.glass));
  const double analytic = 0.5 * 0.115 * 1.7 * schmid;
  stz_kmc_stats stats;
  stz_kmc_stats_get(s.kmc, &stats);
  printf("%s: %llu events, %g points, V1 = %.2f A3, analytic %.2f A3\n", name, (unsigned long long)stats.events,
         sums[0], 1e3 * volume, 1e3 * analytic);
  CHECK(sums[0] > 100 && stats.events > 500, "too little happens");
  CHECK_NEAR(volume / analytic, 1.0, 0.03);
  stz_load_destroy(&load);
  close_kmc(&s);
}

int main(void) {
  MPI_Init(NULL, NULL);
  stz_segment held[2] = {segment_of(STZ_SEGMENT_STRAIN_RATE, 295.0, NAN),
                         segment_of(STZ_SEGMENT_RELAXATION, 295.0, 1.1e8)};
  stz_segment actuator = segment_of(STZ_SEGMENT_ACTUATOR, 295.0, 1.1e8);
  held[0].rate_per_s = 1.0; // fast enough to stay elastic: all of the relaxation is to come
  held[0].until_strain = 0.083;
  relax(held, 2, 100.0, 1e8, "held strain");
  actuator.stiffness_GPa = 72.0;
  actuator.mismatch_strain = 0.166;
  actuator.release_s = 1e-2;
  relax(&actuator, 1, 100.0, 1e8, "actuator of 72 GPa");
  CHECK(stz_alloc_live() == 0, "%ld blocks of memory left", stz_alloc_live());
  MPI_Finalize();
  return harness_failures ? 1 : 0;
}
