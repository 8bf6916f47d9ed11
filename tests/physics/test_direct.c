// SPDX-License-Identifier: GPL-3.0-or-later
//
// The direct engine's state after 300 events of a run, against what the list of events says: the stress that it has
// added up event by event, its rates, and the mean plastic strain.
#include "kmc_setup.h"
#include "stz/rates.h"
#include "worse.h"

enum { EVENTS = 300 };
static const double KELVIN = 295.0;

typedef struct run {
  kmc_setup s;
  stz_load *load;
  stz_macro macro;
  double *strain[5], *stress[6]; // of the list of events; its stress by the operator, in double precision
  double plastic[6];             // mean
} run;

static void open_run(run *r) {
  const kmc_spec spec = {.cells = {24, 16, 32},
                         .young_GPa = 72.0,
                         .mean_eV = 2.352,
                         .width_eV = 0.10,
                         .floor_eV = 0.2,
                         .redraw = STZ_REDRAW_STZ,
                         .orientation = STZ_ORIENTATION_RANDOM,
                         .micro = STZ_MICRO_RANDOM_WAVES,
                         .seed = 41};
  stz_segment protocol[2] = {segment_of(STZ_SEGMENT_STRAIN_RATE, KELVIN, NAN),
                             segment_of(STZ_SEGMENT_RELAXATION, KELVIN, 1e12)};
  protocol[0].rate_per_s = 1e-6;
  protocol[0].until_strain = 0.05;
  memset(r, 0, sizeof *r);
  setup_kmc(&r->s, MPI_COMM_SELF, &spec);
  CHECK_OK(stz_load_create(protocol, 2, 72.0 * STZ_GPA, 0.4, &r->load));
  for (int c = 0; c < 5; c++) CHECK_OK(STZ_NEW(r->strain[c], stz_grid_sites(r->s.grid)));
  for (int c = 0; c < 6; c++) CHECK_OK(STZ_NEW(r->stress[c], stz_grid_sites(r->s.grid)));
}

static void close_run(run *r) {
  for (int c = 0; c < 5; c++) stz_free(r->strain[c]);
  for (int c = 0; c < 6; c++) stz_free(r->stress[c]);
  stz_load_destroy(&r->load);
  close_kmc(&r->s);
}

static void make_events(run *r) {
  stz_event event;
  stz_mean_stress mean;
  int last = 0; // events in the last third along x: beyond as many planes as the box has along y
  for (int events = 0; events < EVENTS;) {
    if (!load_to_event(&r->s, r->load, &event, &mean)) {
      CHECK(events > 50 && stz_load_next_segment(r->load), "%d events before the relaxation", events);
      continue;
    }
    double p[6], strain[6], deviator[5];
    mode_tensor(&r->s, event.shear.mode, event.shear.rotation, p);
    CHECK(event.shear.rotation == stz_glass_rotation(r->s.glass)[event.shear.site], "not the rotation of the site");
    load_fire(&r->s, r->load, &event, strain);
    for (int v = 0; v < 6; v++) {
      CHECK_NEAR(strain[v], event.shear.sign * KMC_STZ.gamma0 * p[v], 1e-15);
      r->plastic[v] += strain[v] * KMC_STZ.volume_nm3 / stz_grid_volume(r->s.grid);
    }
    stz_dev_from_sym(strain, deviator);
    for (int c = 0; c < 5; c++) r->strain[c][event.shear.site] += deviator[c];
    last += 3 * event.shear.site >= 2 * stz_grid_sites(r->s.grid);
    events++;
  }
  CHECK(last > EVENTS / 6, "%d of %d events in the last third of the box", last, EVENTS);
  CHECK_OK(stz_elastic_stress(r->s.elastic, r->s.spectral, (const double *const *)r->strain, r->stress));
  stz_load_state(r->load, &r->macro);
}

// The mean plastic strain of the load, and the glass's field of it, against the list; E times what it leaves of the
// held strain is the stress.
static void strains(const run *r) {
  const double a3 = KMC_SPACING * KMC_SPACING * KMC_SPACING;
  for (int v = 0; v < 6; v++) CHECK_NEAR(r->macro.plastic[v], r->plastic[v], 1e-14);
  CHECK(r->plastic[STZ_XX] > 0.005, "hardly any plastic strain: %g", r->plastic[STZ_XX]);
  CHECK_NEAR(r->macro.stress[STZ_XX] / STZ_GPA, 72.0 * (0.05 - r->plastic[STZ_XX]), 1e-9);
  double worst = 0.0;
  for (int c = 0; c < 5; c++) {
    for (int64_t i = 0; i < stz_grid_sites(r->s.grid); i++) {
      const double expected = r->strain[c][i] * KMC_STZ.volume_nm3 / a3;
      worst = worse(worst, fabs((double)stz_glass_plastic(r->s.glass, c)[i] - expected));
    }
  }
  printf("plastic strain, xx: %.5f; field against the list: %.1e of 0.5 an event\n", r->plastic[STZ_XX], worst);
  CHECK(worst < 1e-6, "the field of plastic strain is not that of the events");
}

// A stress of some GPa made of 300 terms in single precision: errors of 1e-6 GPa.
static void stresses(const run *r) {
  double worst = 0.0, square = 0.0;
  const int64_t sites = stz_grid_sites(r->s.grid);
  for (int c = 0; c < 5; c++) {
    for (int64_t i = 0; i < sites; i++) {
      const double error = (double)stz_kmc_stress(r->s.kmc, c)[i] - r->stress[c][i];
      worst = worse(worst, fabs(error) / STZ_GPA);
      square += r->stress[c][i] * r->stress[c][i] / (STZ_GPA * STZ_GPA * (double)sites);
    }
  }
  printf("stress added up event by event: largest error %.1e GPa of %.2f GPa rms\n", worst, sqrt(square));
  CHECK(sqrt(square) > 0.5 && worst < 1e-5, "the engine's stress is not that of the events");
}

// Every rate and the sums against the twin at the stress by the operator. Rates near the least that single precision
// holds (stz/rates.h) count in the sums alone.
static void rates(run *r) {
  stz_mean_stress mean = {.t0 = r->macro.time_s, .temperature_K = KELVIN};
  memcpy(mean.stress, r->macro.stress, sizeof mean.stress);
  stz_law law;
  double total, plastic_rate, twin_sum = 0.0, twin_plastic = 0.0, worst = 0.0;
  int64_t compared = 0;
  stz_law_set(&law, stz_glass_stz(r->s.glass), stz_glass_modes(r->s.glass), KELVIN, mean.stress);
  stz_kmc_rates(r->s.kmc, &mean, &total, &plastic_rate);
  for (int64_t i = 0; i < stz_grid_sites(r->s.grid); i++) {
    float stress[5], own[STZ_MODES][2];
    double deviator[5], twin[SIGNED_MODES];
    const int rotation = stz_glass_rotation(r->s.glass)[i];
    for (int c = 0; c < 5; c++) stress[c] = stz_kmc_stress(r->s.kmc, c)[i];
    for (int c = 0; c < 5; c++) deviator[c] = r->stress[c][i];
    stz_rates_site(&law, stz_glass_modes(r->s.glass), stress, stz_glass_barrier(r->s.glass)[i], rotation, own);
    twin_sum += twin_site(&r->s, &mean, i, deviator, twin);
    for (int m = 0; m < SIGNED_MODES; m++) {
      double p[6];
      mode_tensor(&r->s, m / 2, rotation, p);
      twin_plastic +=
          twin[m] * (m % 2 ? -1.0 : 1.0) * KMC_STZ.gamma0 * p[STZ_XX] * KMC_STZ.volume_nm3 / stz_grid_volume(r->s.grid);
      if (twin[m] < 0x1p-100 * attempt_rate()) continue;
      worst = worse(worst, fabs((double)own[m / 2][m % 2] * attempt_rate() / twin[m] - 1.0));
      compared++;
    }
  }
  printf("rates: %lld, largest relative error %.1e; total %.6g /s, error %.1e; plastic rate %.6g /s, error %.1e\n",
         (long long)compared, worst, total, total / twin_sum - 1.0, plastic_rate, plastic_rate / twin_plastic - 1.0);
  CHECK(compared > 1000 && worst < 2e-4, "rates are off");
  CHECK_NEAR(total / twin_sum, 1.0, 5e-5);
  CHECK_NEAR(plastic_rate / twin_plastic, 1.0, 5e-5);
}

// Five numbers in single precision a site, the table, and a sum a strip, of which a plane has one a row at most.
static void memory(const run *r) {
  const double sites = (double)stz_grid_sites(r->s.grid), strips = 8.0 / stz_grid_cells(r->s.grid)[2];
  const double left = stz_kmc_bytes_per_site(r->s.kmc) - (double)stz_elastic_table_bytes(r->s.elastic) / sites;
  CHECK(left > 20.0 && left <= 20.0 + strips + 1e-9, "%g bytes per site besides the table", left);
}

int main(void) {
  MPI_Init(NULL, NULL);
  run r;
  open_run(&r);
  make_events(&r);
  strains(&r);
  rates(&r); // brings the engine's stress up to date
  stresses(&r);
  memory(&r);
  close_run(&r);
  CHECK(stz_alloc_live() == 0, "%ld blocks of memory left", stz_alloc_live());
  MPI_Finalize();
  return harness_failures ? 1 : 0;
}
