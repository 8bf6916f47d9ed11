// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the kinetic tests share: a sample with its engine, a mean stress of their choice, and the naive twin of the
// rates: every tensor written out, double precision, libm.
#ifndef STZ_TESTS_KMC_SETUP_H
#define STZ_TESTS_KMC_SETUP_H

#include "base/tensor.h"
#include "base/units.h"
#include "kmc/kmc.h"
#include "load/load.h"
#include "mpi/harness.h"
#include "sample.h"
#include "stz/law.h"

typedef struct kmc_spec {
  int cells[3];
  double young_GPa; // of the interactions: next to nothing switches them off
  double mean_eV, width_eV, floor_eV;
  stz_redraw redraw;
  stz_orientation orientation;
  stz_micro_type micro;
  uint64_t seed;
  const stz_stz_params *stz; // barrier law with its parameters, NULL: the film's linear one
  double tau_c_GPa;          // not 0: the cooperative law
  double quenched_strain;
  double softening_eV, saturation, recovery_rate_per_s, recovery_eV; // saturation 0: 1
  stz_damage_params damage;
  double activation_fraction;     // 0: 1/2
  const stz_catalogue *catalogue; // NULL: the icosahedral one
  stz_engine_kind engine;
  double tolerance_MPa; // of the multilevel engine
  stz_boundary boundary;
  double contrast; // of shear moduli
  stz_contrast_holds contrast_holds;
  stz_contrast_model contrast_model;
  stz_team *team; // threads that share the work; NULL: none
} kmc_spec;

// The film at 32^3 with the multilevel engine.
static const kmc_spec MULTILEVEL_FILM = {.cells = {32, 32, 32},
                                         .young_GPa = 72.0,
                                         .mean_eV = 2.352,
                                         .width_eV = 0.10,
                                         .floor_eV = 0.2,
                                         .redraw = STZ_REDRAW_STZ,
                                         .orientation = STZ_ORIENTATION_RANDOM,
                                         .micro = STZ_MICRO_RANDOM_WAVES,
                                         .seed = 41,
                                         .engine = STZ_ENGINE_MULTILEVEL,
                                         .tolerance_MPa = 1.0};

typedef struct kmc_setup {
  stz_grid *grid;
  stz_spectral *spectral;
  stz_elastic *elastic;
  stz_glass *glass;
  stz_contrast *contrast; // NULL: uniform moduli
  stz_kmc *kmc;
} kmc_setup;

enum { SIGNED_MODES = 2 * STZ_MODES }; // 2 mode + (sign < 0)

#define KMC_STZ FILM.stz
static const double KMC_SPACING = 0.58, NO_INTERACTION = 1e-9;

static inline void setup_kmc(kmc_setup *s, MPI_Comm comm, const kmc_spec *spec) {
  sample_params p = FILM;
  sample_parts parts;
  memcpy(p.lattice.cells, spec->cells, sizeof p.lattice.cells);
  p.lattice.boundary = spec->boundary;
  p.elastic.young_GPa = spec->young_GPa;
  p.elastic.contrast = spec->contrast;
  p.elastic.contrast_holds = spec->contrast_holds;
  p.elastic.contrast_model = spec->contrast_model;
  p.micro.type = spec->micro;
  p.barriers.mean_eV = spec->mean_eV;
  p.barriers.width_eV = spec->width_eV;
  p.barriers.floor_eV = spec->floor_eV;
  p.barriers.softening_eV = spec->softening_eV;
  if (spec->saturation > 0.0) p.barriers.saturation = spec->saturation;
  p.barriers.damage = spec->damage;
  p.barriers.recovery_rate_per_s = spec->recovery_rate_per_s;
  p.barriers.recovery_eV = spec->recovery_eV;
  p.barriers.redraw = spec->redraw;
  if (spec->stz) p.stz = *spec->stz;
  if (spec->tau_c_GPa > 0.0) p.stz.barrier_law = STZ_LAW_COOPERATIVE, p.stz.tau_c_GPa = spec->tau_c_GPa;
  p.stz.orientation = spec->orientation;
  p.stz.quenched_strain = spec->quenched_strain;
  if (spec->activation_fraction > 0.0) p.stz.activation_fraction = spec->activation_fraction;
  if (spec->catalogue) p.stz.catalogue = *spec->catalogue;
  p.seed = spec->seed;
  make_sample(&parts, comm, &p);
  *s = (kmc_setup){.grid = parts.grid, .spectral = parts.spectral, .elastic = parts.elastic, .glass = parts.glass};
  stz_grid_employ(s->grid, spec->team);
  if (spec->contrast > 0.0) {
    CHECK_OK(stz_contrast_create(s->grid, s->elastic, &p.elastic, stz_glass_structure(s->glass), &s->contrast));
  }
  const stz_kmc_params kmc = {.engine = spec->engine, .tolerance_MPa = spec->tolerance_MPa, .contrast = s->contrast};
  CHECK_OK(stz_kmc_create(&kmc, s->glass, s->elastic, spec->seed, &s->kmc));
  stz_micro_destroy(&parts.micro);
}

static inline void close_kmc(kmc_setup *s) {
  stz_kmc_destroy(&s->kmc);
  stz_contrast_destroy(&s->contrast);
  stz_glass_destroy(&s->glass);
  stz_elastic_destroy(&s->elastic);
  stz_spectral_destroy(&s->spectral);
  stz_grid_destroy(&s->grid);
}

// Uniaxial tension of `GPa` at time t0, growing at GPa_per_s.
static inline stz_mean_stress tension(double t0, double kelvin, double GPa, double GPa_per_s) {
  return (stz_mean_stress){.t0 = t0,
                           .temperature_K = kelvin,
                           .stress = {[STZ_XX] = GPa * STZ_GPA},
                           .stress_rate = {[STZ_XX] = GPa_per_s * STZ_GPA}};
}

// The next event, which must come.
static inline stz_event next_event(kmc_setup *s, const stz_mean_stress *mean) {
  stz_event event = {0};
  bool found = false;
  CHECK_OK(stz_kmc_next(s->kmc, mean, INFINITY, &event, &found));
  CHECK(found, "no event");
  return event;
}

// Lets `count` events happen at the constant stress `mean`; returns the time of the last.
static inline double age_kmc(kmc_setup *s, stz_mean_stress mean, int count) {
  for (int i = 0; i < count; i++) {
    double strain[6];
    const stz_event event = next_event(s, &mean);
    stz_kmc_fire(s->kmc, &event, strain);
    mean.t0 = event.time_s;
  }
  return mean.t0;
}

// A segment with the one end that all runs here have; fields not given are NAN.
static inline stz_segment segment_of(stz_segment_type type, double kelvin, double duration_s) {
  return (stz_segment){.type = type,
                       .temperature_K = kelvin,
                       .temperature_end_K = NAN,
                       .rate_per_s = NAN,
                       .strain_each = NAN,
                       .stress_GPa = NAN,
                       .stiffness_GPa = NAN,
                       .mismatch_strain = NAN,
                       .release_s = NAN,
                       .duration_s = duration_s,
                       .until_strain = NAN,
                       .until_stress_GPa = NAN};
}

// Goes on along the protocol to the next event of the running segment, which does not happen yet; `mean` receives the
// mean stress and its rate at the time of the last event or break point. False at the segment's end.
static inline bool load_to_event(kmc_setup *s, stz_load *load, stz_event *event, stz_mean_stress *mean) {
  for (;;) {
    stz_drive drive = {0};
    bool found = false;
    CHECK_OK(stz_load_drive(load, &drive));
    *mean = (stz_mean_stress){
        .t0 = drive.t0, .temperature_K = drive.temperature_K, .temperature_rate = drive.temperature_rate};
    memcpy(mean->stress, drive.stress, sizeof mean->stress);
    memcpy(mean->stress_rate, drive.stress_rate, sizeof mean->stress_rate);
    if (drive.until > drive.t0) CHECK_OK(stz_kmc_next(s->kmc, mean, drive.until, event, &found));
    stz_load_advance(load, found ? event->time_s : drive.until);
    if (found || drive.ends_segment) return found;
  }
}

// The event happens: its strain (tensor components), and what the mean stress answers.
static inline void load_fire(kmc_setup *s, stz_load *load, const stz_event *event, double strain[6]) {
  double plastic[6];
  stz_kmc_fire(s->kmc, event, strain);
  for (int v = 0; v < 6; v++) plastic[v] = strain[v] * KMC_STZ.volume_nm3 / stz_grid_volume(s->grid);
  stz_load_yield(load, plastic);
}

// P of a mode as a symmetric tensor in the lattice's axes.
static inline void mode_tensor(const kmc_setup *s, int mode, int rotation, double p[6]) {
  double d[5];
  stz_modes_deviator(stz_glass_modes(s->glass), mode, rotation, d);
  stz_sym_from_dev(d, p);
}

// chi gamma0 Omega P_xx: the work at the saddle a unit of tension, nm^3.
static inline double axial_work(const kmc_setup *s, int mode, int rotation) {
  double p[6];
  mode_tensor(s, mode, rotation, p);
  return KMC_STZ.activation_fraction * KMC_STZ.gamma0 * KMC_STZ.volume_nm3 * p[STZ_XX];
}

// Attempt rate of one mode of one voxel, 1/s.
static inline double attempt_rate(void) { return 1e13 * KMC_SPACING * KMC_SPACING * KMC_SPACING / KMC_STZ.volume_nm3; }

// Rate of an event with the work `work` (eV) at its saddle, 1/s.
static inline double twin_rate(double barrier, double work, double kelvin) {
  return attempt_rate() * exp(-fmax(0.0, barrier - work) / (STZ_BOLTZMANN * kelvin));
}

// What the resolved stress tau takes off a barrier, eV.
static inline double twin_work(const kmc_setup *s, double barrier, double tau) {
  const stz_stz_params *stz = stz_glass_stz(s->glass);
  if (stz->barrier_law == STZ_LAW_LINEAR) return stz->activation_fraction * stz->gamma0 * stz->volume_nm3 * tau;
  if (stz->barrier_law == STZ_LAW_COOPERATIVE)
    return barrier * (1.0 - pow(fmax(0.0, 1.0 - tau / (stz->tau_c_GPa * STZ_GPA)), 1.5));
  return barrier - stz_barrier_under(stz, barrier, tau); // a law that has no twin here: by its own barrier
}

// The 30 rates of a local site under the mean stress of `mean` at t0 and the fluctuation `deviator`; returns their sum.
static inline double twin_site(const kmc_setup *s, const stz_mean_stress *mean, int64_t site, const double deviator[5],
                               double rates[SIGNED_MODES]) {
  double stress[6], sum = 0.0;
  stz_sym_from_dev(deviator, stress);
  for (int v = 0; v < 6; v++) stress[v] += mean->stress[v];
  for (int m = 0; m < STZ_MODES; m++) {
    double p[6];
    mode_tensor(s, m, stz_glass_rotation(s->glass)[site], p);
    const double tau = stz_sym_dot(p, stress), barrier = (double)stz_glass_barrier(s->glass)[site];
    rates[2 * m] = twin_rate(barrier, twin_work(s, barrier, tau), mean->temperature_K);
    rates[2 * m + 1] = twin_rate(barrier, twin_work(s, barrier, -tau), mean->temperature_K);
    sum += rates[2 * m] + rates[2 * m + 1];
  }
  return sum;
}

// The engine's own fluctuation of the stress at a local site.
static inline void engine_stress(const kmc_setup *s, int64_t site, double deviator[5]) {
  for (int c = 0; c < 5; c++) deviator[c] = (double)stz_kmc_stress(s->kmc, c)[site];
}

#endif
