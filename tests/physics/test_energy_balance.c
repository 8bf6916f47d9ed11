// SPDX-License-Identifier: GPL-3.0-or-later
//
// The balance of energy along protocols: work = change of elastic energy + heat, each found by itself, and the elastic
// energy against a sum over waves from the list of events (wave_energy.h) and the means.
#include "observe/energy.h"
#include "physics/wave_energy.h"

enum { SEGMENTS = 3, MOST = 200 };

typedef struct protocol {
  const char *name;
  stz_segment segments[SEGMENTS];
  int events[SEGMENTS]; // of each segment
  double quenched_strain;
} protocol;

static const double HOT = 600.0, ACTUATOR_GPa = 40.0;

static stz_segment pulled(double rate) {
  stz_segment segment = segment_of(STZ_SEGMENT_STRAIN_RATE, HOT, NAN);
  segment.rate_per_s = rate;
  segment.until_strain = 0.5;
  return segment;
}

static stz_segment crept(double GPa) {
  stz_segment segment = segment_of(STZ_SEGMENT_CREEP, HOT, 1e9);
  segment.stress_GPa = GPa;
  return segment;
}

static stz_segment released(void) {
  stz_segment segment = segment_of(STZ_SEGMENT_ACTUATOR, HOT, 1e9);
  segment.stiffness_GPa = ACTUATOR_GPa;
  segment.mismatch_strain = 0.01;
  segment.release_s = 1e-3;
  return segment;
}

static stz_segment sheared(double rate) {
  stz_segment segment = pulled(rate);
  segment.mode = STZ_MODE_SHEAR;
  return segment;
}

typedef struct run {
  kmc_setup s;
  stz_load *load;
  stz_energy *energy;
  inclusion list[MOST];
  int count;
  double work_by_hand; // of the load on the box, eV
  double start;        // elastic energy at the start, eV/nm^3
} run;

static void one_event(run *r) {
  stz_event event;
  stz_mean_stress mean;
  stz_macro before, after;
  double strain[6];
  float internal[5];
  CHECK(load_to_event(&r->s, r->load, &event, &mean), "no event");
  stz_load_state(r->load, &before);
  for (int c = 0; c < 5; c++) internal[c] = stz_kmc_stress(r->s.kmc, c)[event.shear.site];
  inclusion *made = &r->list[r->count++];
  stz_grid_coords(r->s.grid, event.shear.site, made->xyz);
  mode_tensor(&r->s, event.shear.mode, event.shear.rotation, made->strain);
  for (int v = 0; v < 6; v++) made->strain[v] *= event.shear.sign * KMC_STZ.gamma0;
  load_fire(&r->s, r->load, &event, strain);
  stz_load_state(r->load, &after);
  stz_energy_move(r->energy, before.stress, before.strain);
  stz_energy_event(r->energy, event.shear.site, strain, internal, after.stress, after.strain);
}

// The sum rule, and the elastic energy by waves, now. Limits: of the sum, as of one event in test_energy.c, 4e-6 eV,
// with up to MOST events whose errors of rounding have either sign. Of the energy by waves, 1e-5: the operator leaves
// out the aliases of k = 0, which are exp(-(2 pi s/a)^2) = 2e-6 of the square of the mean plastic strain's own stress.
static void check(run *r, const char *name) {
  stz_macro macro;
  double work, heat, internal, carried, total, rate;
  const double volume = stz_grid_volume(r->s.grid);
  stz_load_state(r->load, &macro);
  stz_mean_stress mean = {.t0 = macro.time_s, .temperature_K = HOT};
  memcpy(mean.stress, macro.stress, sizeof mean.stress);
  stz_kmc_rates(r->s.kmc, &mean, &total, &rate);
  CHECK_OK(stz_energy_internal(r->s.glass, r->s.kmc, &internal));
  stz_energy_so_far(r->energy, macro.stress, macro.strain, &work, &heat, &carried);
  const double elastic = internal + stz_energy_of_mean(r->energy, macro.stress);
  const double open = volume * (work - heat - (elastic - r->start));
  const double waves = fluctuation_energy(r->list, r->count);
  printf("%s, %d events: work %.6f eV, heat %.6f, elastic %.6f, of it internal %.6f; open %.1e", name, r->count,
         volume * work, volume * heat, volume * (elastic - r->start), volume * internal, open);
  if (r->start == 0.0) printf("; internal by waves %.1e apart", volume * internal - waves);
  printf("\n");
  CHECK(fabs(open) < 2e-5, "%s: the balance is open by %g eV", name, open);
  CHECK(fabs(volume * (carried - internal)) < 2e-5, "%s: carried on, %g eV of %g", name, volume * carried,
        volume * internal);
  if (r->start == 0.0) CHECK(fabs(volume * internal - waves) < 1e-5 * waves, "%s: %g eV by waves", name, waves);
  // By Hooke's law written out.
  double trace = macro.stress[STZ_XX] + macro.stress[STZ_YY] + macro.stress[STZ_ZZ], hooke = 0.0;
  for (int v = 0; v < 6; v++) {
    const double normal = v < 3 ? POISSON * trace : 0.0;
    hooke += (v < 3 ? 0.5 : 1.0) * macro.stress[v] * ((1.0 + POISSON) * macro.stress[v] - normal) / YOUNG;
  }
  CHECK_NEAR(stz_energy_of_mean(r->energy, macro.stress), hooke, 1e-12);
}

static void along(const protocol *p, uint64_t seed) {
  static run r;
  const kmc_spec spec = {.cells = {CELLS, CELLS, CELLS},
                         .young_GPa = 72.0,
                         .mean_eV = 2.352,
                         .width_eV = 0.10,
                         .redraw = STZ_REDRAW_STZ,
                         .orientation = STZ_ORIENTATION_RANDOM,
                         .micro = STZ_MICRO_RANDOM_WAVES,
                         .quenched_strain = p->quenched_strain,
                         .seed = seed};
  stz_macro macro;
  double total, rate;
  r = (run){.count = 0};
  setup_kmc(&r.s, MPI_COMM_SELF, &spec);
  CHECK_OK(stz_load_create(p->segments, SEGMENTS, YOUNG, POISSON, &r.load));
  CHECK_OK(stz_energy_create(r.s.grid, r.s.elastic, r.s.kmc, &r.energy));
  stz_mean_stress none = {.temperature_K = HOT};
  stz_kmc_rates(r.s.kmc, &none, &total, &rate);
  CHECK_OK(stz_energy_internal(r.s.glass, r.s.kmc, &r.start));
  stz_energy_anchor(r.energy, r.start);
  CHECK((r.start > 0.0) == (p->quenched_strain > 0.0), "%g at the start", r.start);
  for (int segment = 0; segment < SEGMENTS; segment++) {
    for (int e = 0; e < p->events[segment]; e++) {
      one_event(&r);
      if (e == p->events[segment] / 2) check(&r, p->name); // and with a load that moved on
    }
    check(&r, p->name);
    CHECK(segment + 1 == SEGMENTS || stz_load_next_segment(r.load), "no segment %d", segment + 1);
  }
  stz_load_state(r.load, &macro);
  // Saved and restored, it goes on as it was.
  stz_energy *other;
  double *saved, work[2], heat[2], internal[2];
  CHECK_OK(stz_alloc(stz_energy_saved_bytes(r.energy), 1, (void **)&saved));
  CHECK_OK(stz_energy_create(r.s.grid, r.s.elastic, r.s.kmc, &other));
  stz_energy_save(r.energy, saved);
  stz_energy_restore(other, saved);
  stz_energy_so_far(r.energy, macro.stress, macro.strain, &work[0], &heat[0], &internal[0]);
  stz_energy_so_far(other, macro.stress, macro.strain, &work[1], &heat[1], &internal[1]);
  CHECK(work[0] == work[1] && heat[0] == heat[1] && internal[0] == internal[1], "restored: %.17g for %.17g", work[1],
        work[0]);
  stz_free(saved);
  stz_energy_destroy(&other);
  stz_energy_destroy(&r.energy);
  stz_load_destroy(&r.load);
  close_kmc(&r.s);
}

int main(void) {
  MPI_Init(NULL, NULL);
  const stz_segment held = segment_of(STZ_SEGMENT_RELAXATION, HOT, 1e9);
  const protocol protocols[] = {
      {"tension, relaxation, creep", {pulled(1e-1), held, crept(2.0)}, {60, 40, 30}, 0.0},
      {"creep, actuator, relaxation", {crept(2.5), released(), held}, {40, 60, 30}, 0.0},
      {"shear, tension, creep", {sheared(1e-1), pulled(1e-1), crept(3.0)}, {40, 40, 20}, 0.0},
      {"quenched-in strain: tension, actuator, creep", {pulled(1e-1), released(), crept(2.0)}, {50, 30, 20}, 0.01},
  };
  for (int i = 0; i < 4; i++) along(&protocols[i], 51 + (uint64_t)i);
  CHECK(stz_alloc_live() == 0, "%ld blocks of memory left", stz_alloc_live());
  MPI_Finalize();
  return harness_failures ? 1 : 0;
}
