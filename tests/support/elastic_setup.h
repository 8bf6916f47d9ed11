// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the elastic tests share: a box with its operator, and the stress field of events.
#ifndef STZ_TESTS_PHYSICS_ELASTIC_SETUP_H
#define STZ_TESTS_PHYSICS_ELASTIC_SETUP_H

#include <string.h>

#include "base/tensor.h"
#include "base/units.h"
#include "elastic/elastic.h"
#include "mpi/harness.h"

typedef struct elastic_setup {
  stz_grid *grid;
  stz_spectral *spectral;
  stz_elastic *elastic;
  double *strain[5], *stress[6]; // fields, one number a local site
} elastic_setup;

static inline void setup_elastic_in(elastic_setup *s, MPI_Comm comm, const stz_lattice_params *lattice) {
  const stz_elastic_params params = {.young_GPa = 72.0, .poisson = 0.4};
  CHECK_OK(stz_grid_create(comm, lattice, &s->grid));
  CHECK_OK(stz_spectral_create(s->grid, &s->spectral));
  CHECK_OK(stz_elastic_create(s->grid, &params, 1.7, &s->elastic));
  CHECK_OK(stz_elastic_tabulate(s->elastic));
  for (int c = 0; c < 5; c++) CHECK_OK(STZ_NEW(s->strain[c], stz_grid_local_sites(s->grid)));
  for (int c = 0; c < 6; c++) CHECK_OK(STZ_NEW(s->stress[c], stz_grid_local_sites(s->grid)));
}

// A periodic cube of n voxels of edge a.
static inline void setup_elastic(elastic_setup *s, MPI_Comm comm, int n, double a) {
  const stz_lattice_params lattice = {.cells = {n, n, n}, .spacing_nm = a};
  setup_elastic_in(s, comm, &lattice);
}

static inline void close_elastic(elastic_setup *s) {
  for (int c = 0; c < 5; c++) stz_free(s->strain[c]);
  for (int c = 0; c < 6; c++) stz_free(s->stress[c]);
  stz_elastic_destroy(&s->elastic);
  stz_spectral_destroy(&s->spectral);
  stz_grid_destroy(&s->grid);
}

// Adds the event strain `e` (tensor components) at site (x, y, z).
static inline void add_event(elastic_setup *s, int x, int y, int z, const double e[6]) {
  double d[5];
  stz_dev_from_sym(e, d);
  const int64_t i = stz_grid_local(s->grid, stz_grid_site(s->grid, x, y, z));
  for (int c = 0; c < 5 && i >= 0; c++) s->strain[c][i] += d[c];
}

static inline void solve_stress(elastic_setup *s) {
  CHECK_OK(stz_elastic_stress(s->elastic, s->spectral, (const double *const *)s->strain, s->stress));
}

// Stress tensor in GPa at a local site.
static inline void stress_at(const elastic_setup *s, int64_t i, double sym[6]) {
  double d[5];
  for (int c = 0; c < 5; c++) d[c] = s->stress[c][i] / STZ_GPA;
  stz_sym_from_dev(d, sym);
  for (int v = 0; v < 3; v++) sym[v] += s->stress[5][i] / STZ_GPA / sqrt(3.0);
}

#endif
