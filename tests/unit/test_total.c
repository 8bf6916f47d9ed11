// SPDX-License-Identifier: GPL-3.0-or-later
//
// The single-precision stress of a whole strain field against the double-precision operator, on random fields.
#include <math.h>
#include <mpi.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/units.h"
#include "elastic/total.h"
#include "rng/rng.h"
#include "worse.h"

typedef struct fields {
  const int *cells;
  double *strain[5], *stress[6];
  double square, error; // of the stress, (eV/nm^3)^2
} fields;

static void give(void *context, int c, int64_t first, int64_t end, int row, float *field) {
  const fields *f = context;
  const int nz = f->cells[2];
  for (int64_t i = first; i < end; i++) {
    for (int z = 0; z < nz; z++) field[(size_t)i * (size_t)row + (size_t)z] = (float)f->strain[c][i * nz + z];
  }
}

static void take(void *context, int c, int64_t first, int64_t end, int row, const float *field) {
  fields *f = context;
  const int nz = f->cells[2];
  for (int64_t i = first; i < end; i++) {
    for (int z = 0; z < nz; z++) {
      const double exact = f->stress[c][i * nz + z], error = (double)field[(size_t)i * (size_t)row + (size_t)z] - exact;
      f->square += exact * exact;
      f->error = worse(f->error, fabs(error));
    }
  }
}

static void check_box(int nx, int ny, int nz) {
  const stz_lattice_params lattice = {.cells = {nx, ny, nz}, .spacing_nm = 0.58};
  const stz_elastic_params params = {.young_GPa = 72.0, .poisson = 0.4};
  stz_grid *grid;
  stz_spectral *spectral;
  stz_elastic *elastic;
  stz_total *total;
  assert_int_equal(stz_grid_create(MPI_COMM_SELF, &lattice, &grid), STZ_OK);
  assert_int_equal(stz_spectral_create(grid, &spectral), STZ_OK);
  assert_int_equal(stz_elastic_create(grid, &params, 1.7, &elastic), STZ_OK);
  assert_int_equal(stz_total_create(grid, elastic, &total), STZ_OK);
  const size_t sites = (size_t)stz_grid_sites(grid);
  fields f = {.cells = lattice.cells};
  stz_rng rng = stz_rng_stream(7, STZ_RNG_EVENTS, 0);
  for (int c = 0; c < 6; c++) assert_int_equal(STZ_NEW(f.stress[c], sites), STZ_OK);
  for (int c = 0; c < 5; c++) {
    assert_int_equal(STZ_NEW(f.strain[c], sites), STZ_OK);
    for (size_t i = 0; i < sites; i++) f.strain[c][i] = 0.1 * stz_rng_normal(&rng);
  }
  assert_int_equal(stz_elastic_stress(elastic, spectral, (const double *const *)f.strain, f.stress), STZ_OK);
  for (int again = 0; again < 2; again++) { // the work space keeps nothing
    f.square = f.error = 0.0;
    stz_total_stress(total, give, take, &f);
    const double rms = sqrt(f.square / (5.0 * (double)sites));
    printf("%d x %d x %d: stress %.3g GPa rms, largest error %.2g of it\n", nx, ny, nz, rms / STZ_GPA, f.error / rms);
    assert_true(rms > 0.1 * STZ_GPA && f.error < 1e-5 * rms);
  }
  for (int c = 0; c < 5; c++) stz_free(f.strain[c]);
  for (int c = 0; c < 6; c++) stz_free(f.stress[c]);
  stz_total_destroy(&total);
  stz_elastic_destroy(&elastic);
  stz_spectral_destroy(&spectral);
  stz_grid_destroy(&grid);
  assert_int_equal(stz_alloc_live(), 0);
}

static void total_cube(void **state) {
  (void)state;
  check_box(32, 32, 32);
}

static void total_uneven(void **state) {
  (void)state;
  check_box(40, 32, 72);
}

// As `give` and `take`, without sums: by several threads.
typedef struct raw {
  int nz;
  const float *strain[5];
  float *stress[5];
} raw;

static void give_raw(void *context, int c, int64_t first, int64_t end, int row, float *field) {
  const raw *r = context;
  const size_t n = (size_t)r->nz;
  for (size_t i = (size_t)first; i < (size_t)end; i++)
    memcpy(field + i * (size_t)row, r->strain[c] + i * n, n * sizeof *field);
}

static void take_raw(void *context, int c, int64_t first, int64_t end, int row, const float *field) {
  const raw *r = context;
  const size_t n = (size_t)r->nz;
  for (size_t i = (size_t)first; i < (size_t)end; i++)
    memcpy(r->stress[c] + i * n, field + i * (size_t)row, n * sizeof *field);
}

static void box_of(int nx, int ny, int nz, stz_team *team, const raw *r) {
  const stz_lattice_params lattice = {.cells = {nx, ny, nz}, .spacing_nm = 0.58};
  const stz_elastic_params params = {.young_GPa = 72.0, .poisson = 0.4};
  stz_grid *grid;
  stz_elastic *elastic;
  stz_total *total;
  assert_int_equal(stz_grid_create(MPI_COMM_SELF, &lattice, &grid), STZ_OK);
  stz_grid_employ(grid, team);
  assert_int_equal(stz_elastic_create(grid, &params, 1.7, &elastic), STZ_OK);
  assert_int_equal(stz_total_create(grid, elastic, &total), STZ_OK);
  for (int again = 0; again < 10; again++) stz_total_stress(total, give_raw, take_raw, (void *)(uintptr_t)r);
  stz_total_destroy(&total);
  stz_elastic_destroy(&elastic);
  stz_grid_destroy(&grid);
}

// A team of three, brisk or not, that shares the components of a small box and the rows of another: no bit differs.
static void total_team(void **state) {
  (void)state;
  static const int boxes[3][3] = {{32, 32, 32}, {64, 48, 8}, {40, 32, 72}};
  for (int b = 0; b < 3; b++) {
    const int *n = boxes[b];
    const size_t sites = (size_t)n[0] * (size_t)n[1] * (size_t)n[2];
    raw alone = {.nz = n[2]}, shared;
    float *strain;
    stz_rng rng = stz_rng_stream(8, STZ_RNG_EVENTS, (uint64_t)b);
    assert_int_equal(STZ_NEW(strain, 5 * sites), STZ_OK);
    for (size_t i = 0; i < 5 * sites; i++) strain[i] = (float)(0.1 * stz_rng_normal(&rng));
    for (int c = 0; c < 5; c++) alone.strain[c] = strain + (size_t)c * sites;
    shared = alone;
    for (int c = 0; c < 5; c++) assert_int_equal(STZ_NEW(alone.stress[c], sites), STZ_OK);
    box_of(n[0], n[1], n[2], NULL, &alone);
    for (int every = 1; every <= 3; every++) {
      char brisk[2] = {(char)('0' + every), '\0'};
      stz_team *team;
      assert_int_equal(setenv("STZKMC_TEAM_BRISK", brisk, 1), 0);
      assert_int_equal(stz_team_create_local(3, &team), STZ_OK);
      for (int c = 0; c < 5; c++) assert_int_equal(STZ_NEW(shared.stress[c], sites), STZ_OK);
      box_of(n[0], n[1], n[2], team, &shared);
      for (int c = 0; c < 5; c++) assert_memory_equal(shared.stress[c], alone.stress[c], sites * sizeof(float));
      for (int c = 0; c < 5; c++) stz_free(shared.stress[c]);
      stz_team_destroy(&team);
    }
    for (int c = 0; c < 5; c++) stz_free(alone.stress[c]);
    stz_free(strain);
  }
  assert_int_equal(stz_alloc_live(), 0);
}

int main(void) {
  MPI_Init(NULL, NULL);
  const struct CMUnitTest tests[] = {cmocka_unit_test(total_cube), cmocka_unit_test(total_uneven),
                                     cmocka_unit_test(total_team)};
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  MPI_Finalize();
  return failed;
}
