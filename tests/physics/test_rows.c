// SPDX-License-Identifier: GPL-3.0-or-later
//
// Rows of the history against naive twins that look at every site: rates, plastic rate, energy, order, participation.
// And sweeps that are put off against sweeps that are made at once: the same events to the bit.
#include "kmc/multilevel/multilevel.h"
#include "kmc_setup.h"
#include "observe/energy.h"
#include "observe/history.h"
#include "worse.h"

typedef struct rows {
  kmc_setup s;
  stz_energy *energy;
  stz_tally *tally;
  uint64_t events;
} rows;

static void open_rows(rows *r, const kmc_spec *spec) {
  *r = (rows){.events = 0};
  setup_kmc(&r->s, MPI_COMM_SELF, spec);
  CHECK_OK(stz_energy_create(r->s.grid, r->s.elastic, r->s.kmc, &r->energy));
  CHECK_OK(stz_history_tally(r->s.glass, &r->tally));
}

static void close_rows(rows *r) {
  stz_tally_destroy(&r->tally);
  stz_energy_destroy(&r->energy);
  close_kmc(&r->s);
}

// Fires an event as the record of a run does; the means of stress and strain stay out of it.
static void fire(rows *r, const stz_event *event) {
  static const double none[6] = {0};
  float internal[5];
  double strain[6];
  stz_kmc_site_stress(r->s.kmc, event->shear.site, internal);
  stz_tally_before(r->tally, event->shear.site);
  stz_kmc_fire(r->s.kmc, event, strain);
  stz_tally_after(r->tally, event->shear.site);
  stz_energy_event(r->energy, event->shear.site, strain, internal, none, none);
  r->events++;
}

// Every mode of every site, tensor by tensor in double precision.
static void check_rates(const rows *r, const stz_mean_stress *mean, double *worst) {
  double total, plastic, again[2], all = 0.0, net = 0.0, rates[SIGNED_MODES];
  stz_kmc_rates(r->s.kmc, mean, &total, &plastic);
  for (int i = 0; i < 2; i++) { // without an event since, from where the stress has been kept
    stz_kmc_rates(r->s.kmc, mean, &again[0], &again[1]);
    CHECK(again[0] == total && again[1] == plastic, "a row again: %.17g for %.17g, %.17g for %.17g", again[0], total,
          again[1], plastic);
  }
  for (int64_t i = 0; i < stz_grid_sites(r->s.grid); i++) {
    double deviator[5];
    engine_stress(&r->s, i, deviator);
    all += twin_site(&r->s, mean, i, deviator, rates);
    for (int m = 0; m < STZ_MODES; m++) {
      net += (rates[2 * m] - rates[2 * m + 1]) * axial_work(&r->s, m, stz_glass_rotation(r->s.glass)[i]);
    }
  }
  net /= KMC_STZ.activation_fraction * stz_grid_volume(r->s.grid); // axial_work: chi gamma0 Omega P_xx
  worst[0] = worse(worst[0], fabs(total / all - 1.0));
  worst[1] = worse(worst[1], fabs(plastic / net - 1.0));
}

static void check_sums(const rows *r, double *worst) {
  static const double none[6] = {0};
  const double sites = (double)stz_grid_sites(r->s.grid);
  double work, heat, running, fields, sums[3] = {0};
  int64_t count, ordered = 0;
  stz_tally *fresh;
  CHECK_OK(stz_energy_internal(r->s.glass, r->s.kmc, &fields));
  stz_energy_so_far(r->energy, none, none, &work, &heat, &running);
  worst[2] = worse(worst[2], fabs(running / fields - 1.0));
  const stz_history_sample row = stz_history_observe(r->s.glass, r->tally, r->events);
  CHECK_OK(stz_history_tally(r->s.glass, &fresh));
  const stz_history_sample anew = stz_history_observe(r->s.glass, fresh, r->events);
  stz_tally_destroy(&fresh);
  CHECK(memcmp(&row, &anew, sizeof row) == 0, "a row by running sums is not that of sums made anew");
  for (int64_t i = 0; i < stz_grid_sites(r->s.grid); i++) {
    double square = 0.0;
    for (int c = 0; c < 5; c++) square += pow((double)stz_glass_plastic(r->s.glass, c)[i], 2.0);
    sums[0] += square;
    sums[1] += square * square;
    sums[2] += stz_glass_event_count(r->s.glass)[i] > 0;
  }
  CHECK_NEAR(row.participation.ratio, sums[0] * sums[0] / (sites * sums[1]), 1e-6);
  CHECK_NEAR(row.participation.sheared, sums[2] / sites, 0.0);
  const stz_cluster *clusters = stz_glass_clusters(r->s.glass, &count);
  for (int64_t i = 0; i < count; i++) ordered += clusters[i].ordered;
  CHECK_NEAR(row.order_mean, (double)ordered / (double)count, 0.0);
  CHECK(row.order_mean < 1.0 && isfinite(row.localisation), "nothing has happened");
}

// Creep over several computations of the stress afresh, a row every 20 events. The sums of rates are in single
// precision: measured, within 7e-6. The energy carried on has the errors of
// the engine's field at the events.
static void rows_of(const char *name, const kmc_spec *spec, int events) {
  rows r;
  stz_mean_stress mean = tension(0.0, 295.0, 3.3, 0.0);
  double worst[3] = {0};
  open_rows(&r, spec);
  for (int e = 1; e <= events; e++) {
    const stz_event event = next_event(&r.s, &mean);
    fire(&r, &event);
    mean.t0 = event.time_s;
    if (e % 20 != 0) continue;
    check_rates(&r, &mean, worst);
    if (e > 20) check_sums(&r, worst);
  }
  printf("%s: rates within %.1e, plastic rate %.1e, internal energy %.1e\n", name, worst[0], worst[1], worst[2]);
  CHECK(worst[0] < 2e-5 && worst[1] < 2e-5, "rates off by %g, the plastic rate by %g", worst[0], worst[1]);
  CHECK(worst[2] < 1e-4, "the energy of the internal stress is off by %g", worst[2]);
  close_rows(&r);
}

static stz_multilevel *engine_of(const rows *r) { return r->s.kmc->state; }

// One step of a load, with its events, in a sample whose sweeps are put off and in one whose sweeps are made as soon as
// they are put off; the steps are short. The same random numbers, the same events.
static void step(rows r[2], stz_mean_stress *mean, double until) {
  for (;;) {
    stz_event event[2];
    bool found[2];
    for (int i = 0; i < 2; i++) {
      memset(&event[i], 0, sizeof event[i]);
      CHECK_OK(stz_kmc_next(r[i].s.kmc, mean, until, &event[i], &found[i]));
    }
    if (engine_of(&r[1])->head->put_off) CHECK_OK(stz_ml_rebound_all(r[1].s.kmc, 0.0, until));
    CHECK(found[0] == found[1] && event[0].time_s == event[1].time_s && event[0].shear.site == event[1].shear.site &&
              event[0].shear.mode == event[1].shear.mode && event[0].shear.sign == event[1].shear.sign,
          "another event: at %.17g s and %.17g s", event[0].time_s, event[1].time_s);
    if (!found[0] || !found[1]) break;
    for (int i = 0; i < 2; i++) fire(&r[i], &event[i]);
    const double passed = event[0].time_s - mean->t0;
    for (int v = 0; v < 6; v++) mean->stress[v] += passed * mean->stress_rate[v];
    mean->temperature_K += passed * mean->temperature_rate;
    mean->t0 = event[0].time_s;
  }
  for (int v = 0; v < 6; v++) mean->stress[v] += (until - mean->t0) * mean->stress_rate[v];
  mean->temperature_K += (until - mean->t0) * mean->temperature_rate;
  mean->t0 = until;
}

// Up to flow, down to nothing while it cools, and up again, at 72 kPa/s: a step of 18 MPa moves ln(rate) by 0.25 at
// most.
static void put_off(const kmc_spec *spec) {
  enum { STEP_S = 250 };
  rows r[2];
  uint64_t first[2] = {0}, last = 0;
  const double rates[3] = {72e-6, -144e-6, 72e-6}, kelvins[3] = {0.0, -5e-3, 5e-3};
  stz_mean_stress mean = tension(0.0, 295.0, 0.0, 0.0);
  for (int i = 0; i < 2; i++) open_rows(&r[i], spec);
  for (int leg = 0; leg < 3; leg++) {
    mean.stress_rate[STZ_XX] = rates[leg] * STZ_GPA;
    mean.temperature_rate = kelvins[leg];
    const uint64_t before = r[0].events;
    for (double t = mean.t0; !harness_failures && (leg == 1 ? mean.stress[STZ_XX] > 0.0 : r[0].events < before + 40);) {
      step(r, &mean, t += STEP_S);
      for (int i = 0; i < 2 && r[0].events == 0; i++) first[i] = r[i].s.kmc->stats.passes;
    }
    last = r[0].events - before;
    printf("leg %d: %.3g GPa, %.0f K, %d events; %d sweeps put off, %d made at once\n", leg,
           mean.stress[STZ_XX] / STZ_GPA, mean.temperature_K, (int)last, (int)r[0].s.kmc->stats.passes,
           (int)r[1].s.kmc->stats.passes);
  }
  // With damage, whose recovery moves barriers, sweeps are put off only before the first event.
  CHECK(first[0] <= 8 && first[1] >= 40, "%d and %d sweeps before the first event", (int)first[0], (int)first[1]);
  CHECK(last >= 40, "too few events");
  CHECK(stz_kmc_hash(r[0].s.kmc) == stz_kmc_hash(r[1].s.kmc), "other random numbers");
  CHECK(stz_glass_hash(r[0].s.glass) == stz_glass_hash(r[1].s.glass), "another glass");
  for (int i = 0; i < 2; i++) close_rows(&r[i]);
}

int main(void) {
  MPI_Init(NULL, NULL);
  kmc_spec spec = MULTILEVEL_FILM;
  rows_of("multilevel", &spec, 400);
  put_off(&spec);
  kmc_spec softened = spec;
  softened.softening_eV = 0.3;
  softened.recovery_rate_per_s = 1e6;
  softened.recovery_eV = 0.6;
  put_off(&softened);
  spec.engine = STZ_ENGINE_DIRECT;
  spec.cells[0] = 16;
  spec.cells[1] = spec.cells[2] = 24; // more sites in a plane than there are rates in a call
  rows_of("direct", &spec, 60);
  spec.cells[1] = spec.cells[2] = 16;
  spec.tau_c_GPa = 12.0;
  spec.orientation = STZ_ORIENTATION_ALIGNED;
  rows_of("direct, cooperative law, aligned", &spec, 60);
  CHECK(stz_alloc_live() == 0, "%ld blocks of memory left", stz_alloc_live());
  MPI_Finalize();
  return harness_failures ? 1 : 0;
}
