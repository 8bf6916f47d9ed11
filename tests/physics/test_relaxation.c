// SPDX-License-Identifier: GPL-3.0-or-later
//
// Stress relaxation without interactions and barrier width, by load and engine together: sigma falls as
// sigma0 - (kT/V1) ln(1 + t/t0), with V1 = chi gamma0 Omega S the activation volume for M = 1, whatever the stiffness
// of the grips. The slope over six decades gives V1 back within 3 %. Its statistical error: an event takes d = M gamma0
// Omega S/V off the stress, M the stiffness, which makes the stress scatter by sqrt(d kT/(2 V1)), afresh every unit of
// ln t; over 13 of them the slope's error is 0.5 % of it at 72 GPa. So 3 % is six of them.
#include "kmc_setup.h"
#include "load/load.h"

static void relax(const stz_segment *segments, int count, double begin_s, double end_s, const char *name) {
  const kmc_spec spec = {{32, 32, 32}, 1e-9, 0.0, STZ_REDRAW_NONE, STZ_ORIENTATION_ALIGNED, STZ_MICRO_UNIFORM, 31};
  const double kT = STZ_BOLTZMANN * 295.0;
  kmc_setup s;
  stz_load *load;
  setup_kmc(&s, MPI_COMM_SELF, &spec);
  CHECK_OK(stz_load_create(segments, count, 72.0 * STZ_GPA, 0.4, &load));
  double sums[5] = {0}; // 1, x, y, x x, x y with x = ln t, y = stress in GPa, at equal steps of x
  double next = log(begin_s);
  bool more = true;
  while (more) {
    stz_drive drive;
    stz_macro macro;
    stz_event event = {.time_s = INFINITY};
    bool found;
    CHECK_OK(stz_load_drive(load, &drive));
    stz_mean_stress mean = {.t0 = drive.t0, .temperature_K = drive.temperature_K};
    memcpy(mean.stress, drive.stress, sizeof mean.stress);
    memcpy(mean.stress_rate, drive.stress_rate, sizeof mean.stress_rate);
    CHECK_OK(stz_kmc_next(s.kmc, &mean, drive.until, &event, &found));
    const double to = found ? event.time_s : drive.until;
    stz_load_state(load, &macro);
    for (; macro.clock_zero_s + exp(next) < to && next < log(end_s); next += 0.1) {
      stz_load_state_at(load, macro.clock_zero_s + exp(next), &macro);
      const double y = macro.stress[STZ_XX] / STZ_GPA, terms[5] = {1.0, next, y, next * next, next * y};
      for (int i = 0; i < 5; i++) sums[i] += terms[i];
    }
    stz_load_advance(load, to);
    if (found) {
      double strain[6];
      stz_kmc_fire(s.kmc, &event, strain);
      for (int v = 0; v < 6; v++) strain[v] *= KMC_STZ.volume_nm3 / stz_grid_volume(s.grid);
      stz_load_yield(load, strain);
    } else if (drive.ends_segment) {
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
  const stz_segment none = {.temperature_K = 295.0,
                            .rate_per_s = NAN,
                            .stress_GPa = NAN,
                            .stiffness_GPa = NAN,
                            .mismatch_strain = NAN,
                            .release_s = NAN,
                            .duration_s = NAN,
                            .until_strain = NAN,
                            .until_stress_GPa = NAN};
  stz_segment held[2] = {none, none}, actuator = none;
  held[0].type = STZ_SEGMENT_STRAIN_RATE; // fast enough to stay elastic: all of the relaxation is to come
  held[0].rate_per_s = 1.0;
  held[0].until_strain = 0.083;
  held[1].type = STZ_SEGMENT_RELAXATION;
  held[1].duration_s = 1.1e8;
  relax(held, 2, 100.0, 1e8, "held strain");
  actuator.type = STZ_SEGMENT_ACTUATOR;
  actuator.stiffness_GPa = 72.0;
  actuator.mismatch_strain = 0.166;
  actuator.release_s = 1e-2;
  actuator.duration_s = 1.1e8;
  relax(&actuator, 1, 100.0, 1e8, "actuator of 72 GPa");
  CHECK(stz_alloc_live() == 0, "%ld blocks of memory left", stz_alloc_live());
  MPI_Finalize();
  return harness_failures ? 1 : 0;
}
