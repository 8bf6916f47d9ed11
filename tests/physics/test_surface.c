// SPDX-License-Identifier: GPL-3.0-or-later
//
// The full recompute of a film's stress, in single precision, against the plate
// itself, all pairs of layers one by one.
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "elastic/film_total.h"
#include "mpi/harness.h"
#include "rng/rng.h"
#include "worse.h"

typedef struct fields {
  int cells[3];
  double *strain[5], *stress[6]; // of the plate
  float *found[5];
} fields;

static void give(void *context, int c, int64_t first, int64_t end, int row, float *field) {
  const fields *f = context;
  const int nz = f->cells[2];
  for (int64_t i = first; i < end; i++) {
    for (int z = 0; z < nz; z++) field[i * row + z] = (float)f->strain[c][i * nz + z];
  }
}

static void take(void *context, int c, int64_t first, int64_t end, int row, const float *field) {
  const fields *f = context;
  const int nz = f->cells[2];
  for (int64_t i = first; i < end; i++) {
    for (int z = 0; z < nz; z++) f->found[c][i * nz + z] = field[i * row + z];
  }
}

static void film(int nx, int ny, int nz, double spacing) {
  const stz_lattice_params lattice = {.cells = {nx, ny, nz}, .spacing_nm = spacing, .boundary = STZ_BOUNDARY_FILM};
  const stz_elastic_params params = {.young_GPa = 72.0, .poisson = 0.4};
  const int64_t sites = (int64_t)nx * ny * nz;
  stz_grid *grid = NULL;
  stz_elastic *elastic = NULL;
  stz_film_total *total = NULL;
  fields f = {.cells = {nx, ny, nz}};
  CHECK_OK(stz_grid_create(MPI_COMM_SELF, &lattice, &grid));
  CHECK_OK(stz_elastic_create(grid, &params, 1.7, &elastic));
  CHECK_OK(stz_film_total_create(grid, elastic, &total));
  stz_rng rng = stz_rng_stream(7, 0, 0);
  for (int c = 0; c < 6; c++) CHECK_OK(STZ_NEW(f.stress[c], sites));
  for (int c = 0; c < 5; c++) {
    CHECK_OK(STZ_NEW(f.strain[c], sites));
    CHECK_OK(STZ_NEW(f.found[c], sites));
    double mean = 0.0; // the stress of a mean strain belongs to the loading
    for (int64_t i = 0; i < sites; i++) mean += (f.strain[c][i] = stz_rng_uniform(&rng)) / (double)sites;
    for (int64_t i = 0; i < sites; i++) f.strain[c][i] -= mean;
  }
  CHECK_OK(stz_elastic_stress(elastic, NULL, (const double *const *)f.strain, f.stress));
  stz_film_total_stress(total, give, take, &f);
  double worst = 0.0, square = 0.0;
  for (int c = 0; c < 5; c++) {
    for (int64_t i = 0; i < sites; i++) {
      worst = worse(worst, fabs((double)f.found[c][i] - f.stress[c][i]));
      square += f.stress[c][i] * f.stress[c][i] / (5.0 * (double)sites);
    }
  }
  const double all = 4.0 * (nx / 2 + 1) * (ny / 2 + 1) * 12.5 * nz * nz; // bytes of matrices of all layers
  const double used = (double)stz_film_total_table_bytes(total) / all;
  printf("%d x %d x %d: off by %.2g of the rms; memory %.2f of that of all layers\n", nx, ny, nz, worst / sqrt(square),
         used);
  CHECK(nz <= 16 || used < 0.5, "%g of the memory of all layers: each stands for itself", used);
  CHECK(worst < 2e-5 * sqrt(square), "off by %g of the rms", worst / sqrt(square));
  for (int c = 0; c < 6; c++) {
    stz_free(f.stress[c]);
    stz_free(c < 5 ? (void *)f.strain[c] : NULL);
    stz_free(c < 5 ? (void *)f.found[c] : NULL);
  }
  stz_film_total_destroy(&total);
  stz_elastic_destroy(&elastic);
  stz_grid_destroy(&grid);
}

int main(void) {
  MPI_Init(NULL, NULL);
  film(16, 16, 8, 0.58);
  film(16, 24, 16, 0.58);
  film(32, 16, 40, 0.5);
  film(64, 16, 24, 0.8);
  CHECK(stz_alloc_live() == 0, "%ld blocks of memory left", stz_alloc_live());
  MPI_Finalize();
  return harness_failures ? 1 : 0;
}
