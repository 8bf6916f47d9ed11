// SPDX-License-Identifier: GPL-3.0-or-later
//
// The one builder of samples: a box with its composition, elasticity and glass, from parameters that the test changes
// as it likes, any barrier law included. The engine on top is in kmc_setup.h.
#ifndef STZ_TESTS_SAMPLE_H
#define STZ_TESTS_SAMPLE_H

#include "elastic/elastic.h"
#include "glass/glass.h"
#include "micro/micro.h"
#include "mpi/harness.h"

typedef struct sample_params {
  stz_lattice_params lattice;
  stz_elastic_params elastic;
  stz_micro_params micro;
  stz_stz_params stz; // barrier law, modes
  stz_barrier_params barriers;
  stz_order_params order;
  double foil_nm, probe_nm; // for the density of clusters
  uint64_t seed;
} sample_params;

// The sputtered film: what a test does not set.
static const sample_params FILM = {
    .lattice = {.cells = {32, 32, 32}, .spacing_nm = 0.58},
    .elastic = {.young_GPa = 72.0, .poisson = 0.4},
    .micro = {.type = STZ_MICRO_RANDOM_WAVES,
              .wavelength_nm = 2.5,
              .bandwidth = 0.12,
              .nickel_fraction = 0.35,
              .nickel_amplitude = 0.15,
              .sharpness = 1.5},
    .stz = {.volume_nm3 = 1.7,
            .gamma0 = 0.115,
            .activation_fraction = 0.5,
            .attempt_frequency_per_s = 1e13,
            .attempt_density = STZ_ATTEMPT_VOLUME},
    .barriers = {.mean_eV = 2.352,
                 .width_eV = 0.10,
                 .cutoff_sigma = 2.5,
                 .composition_eV = 0.25,
                 .interface_eV = 0.10,
                 .floor_eV = 0.2,
                 .saturation = 1.0,
                 .redraw = STZ_REDRAW_STZ},
    .order = {.bragg_fraction = 0.6, .acceptance = 0.1, .cluster_radius_nm = 0.5, .loss = 0.6},
    .foil_nm = 9.0,
    .probe_nm = 0.4,
    .seed = 1};

typedef struct sample_parts {
  stz_grid *grid;
  stz_spectral *spectral;
  stz_micro *micro;
  stz_elastic *elastic;
  stz_glass *glass;
} sample_parts;

// A field of a glass by its name, one number (or its components) per local site.
static inline const void *field_of(const stz_glass *glass, const char *name) {
  const stz_fields *fields = stz_glass_fields(glass);
  for (int i = 0; i < stz_fields_count(fields); i++) {
    if (!strcmp(stz_fields_spec(fields, i)->name, name)) return stz_fields_data(fields, i);
  }
  CHECK(0, "no field %s", name);
  return NULL;
}

static inline void make_sample(sample_parts *s, MPI_Comm comm, const sample_params *p) {
  CHECK_OK(stz_grid_create(comm, &p->lattice, &s->grid));
  CHECK_OK(stz_spectral_create(s->grid, &s->spectral));
  CHECK_OK(stz_elastic_create(s->grid, &p->elastic, p->stz.volume_nm3, &s->elastic));
  CHECK_OK(stz_micro_create(s->grid, s->spectral, &p->micro, NULL, p->seed, &s->micro));
  CHECK_OK(stz_glass_create(s->grid, s->spectral, s->micro, &p->stz, &p->barriers, &p->order, p->foil_nm, p->probe_nm,
                            p->seed, NULL, &s->glass));
}

static inline void free_sample(sample_parts *s) {
  stz_glass_destroy(&s->glass);
  stz_micro_destroy(&s->micro);
  stz_elastic_destroy(&s->elastic);
  stz_spectral_destroy(&s->spectral);
  stz_grid_destroy(&s->grid);
}

#endif
