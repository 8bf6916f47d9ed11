// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the kinetic tests share: a sample with its engine, and a mean stress of their choice.
#ifndef STZ_TESTS_KMC_SETUP_H
#define STZ_TESTS_KMC_SETUP_H

#include "base/tensor.h"
#include "base/units.h"
#include "kmc/kmc.h"
#include "mpi/harness.h"

typedef struct kmc_spec {
  int cells[3];
  double young_GPa; // next to nothing: no interactions
  double width_eV;
  stz_redraw redraw;
  stz_orientation orientation;
  stz_micro_type micro;
  uint64_t seed;
} kmc_spec;

typedef struct kmc_setup {
  stz_grid *grid;
  stz_spectral *spectral;
  stz_elastic *elastic;
  stz_glass *glass;
  stz_kmc *kmc;
} kmc_setup;

static const stz_stz_params KMC_STZ = {.volume_nm3 = 1.7,
                                       .gamma0 = 0.115,
                                       .activation_fraction = 0.5,
                                       .attempt_frequency_per_s = 1e13,
                                       .attempt_density = STZ_ATTEMPT_VOLUME};
static const double KMC_SPACING = 0.58, KMC_MEAN_BARRIER = 2.352;

static inline void setup_kmc(kmc_setup *s, MPI_Comm comm, const kmc_spec *spec) {
  const stz_lattice_params lattice = {.cells = {spec->cells[0], spec->cells[1], spec->cells[2]},
                                      .spacing_nm = KMC_SPACING};
  const stz_elastic_params elastic = {.young_GPa = spec->young_GPa, .poisson = 0.4};
  const stz_micro_params micro = {.type = spec->micro,
                                  .wavelength_nm = 2.5,
                                  .bandwidth = 0.12,
                                  .nickel_fraction = 0.35,
                                  .nickel_amplitude = 0.15,
                                  .sharpness = 1.5};
  const stz_barrier_params barriers = {.mean_eV = KMC_MEAN_BARRIER,
                                       .width_eV = spec->width_eV,
                                       .cutoff_sigma = 2.5,
                                       .composition_eV = 0.25,
                                       .interface_eV = 0.10,
                                       .floor_eV = 0.2,
                                       .redraw = spec->redraw};
  const stz_order_params order = {.bragg_fraction = 0.6, .acceptance = 0.1, .cluster_radius_nm = 0.5, .loss = 0.6};
  stz_stz_params stz = KMC_STZ;
  stz_micro *field;
  stz.orientation = spec->orientation;
  CHECK_OK(stz_grid_create(comm, &lattice, &s->grid));
  CHECK_OK(stz_spectral_create(s->grid, &s->spectral));
  CHECK_OK(stz_elastic_create(s->grid, &elastic, stz.volume_nm3, &s->elastic));
  CHECK_OK(stz_micro_create(s->grid, s->spectral, &micro, NULL, spec->seed, &field));
  CHECK_OK(stz_glass_create(s->grid, s->spectral, field, &stz, &barriers, &order, 9.0, 0.4, spec->seed, &s->glass));
  CHECK_OK(stz_kmc_create(&(stz_kmc_params){STZ_ENGINE_DIRECT}, s->glass, s->elastic, spec->seed, &s->kmc));
  stz_micro_destroy(&field);
}

static inline void close_kmc(kmc_setup *s) {
  stz_kmc_destroy(&s->kmc);
  stz_glass_destroy(&s->glass);
  stz_elastic_destroy(&s->elastic);
  stz_spectral_destroy(&s->spectral);
  stz_grid_destroy(&s->grid);
}

// Uniaxial tension of `GPa` at time t0, growing at GPa_per_s.
static inline stz_mean_stress tension(double t0, double GPa, double GPa_per_s) {
  return (stz_mean_stress){.t0 = t0,
                           .temperature_K = 295.0,
                           .stress = {[STZ_XX] = GPa * STZ_GPA},
                           .stress_rate = {[STZ_XX] = GPa_per_s * STZ_GPA}};
}

// chi gamma0 Omega P_xx of a mode in a rotation: the work at the saddle a unit of tension, nm^3.
static inline double axial_work(const kmc_setup *s, int mode, int rotation) {
  double d[5], p[6];
  stz_modes_deviator(stz_glass_modes(s->glass), mode, rotation, d);
  stz_sym_from_dev(d, p);
  return KMC_STZ.activation_fraction * KMC_STZ.gamma0 * KMC_STZ.volume_nm3 * p[STZ_XX];
}

// Attempt rate of one mode of one voxel, 1/s.
static inline double attempt_rate(void) { return 1e13 * KMC_SPACING * KMC_SPACING * KMC_SPACING / KMC_STZ.volume_nm3; }

#endif
