// SPDX-License-Identifier: GPL-3.0-or-later
//
// The split kernel put together again: near part and interpolated levels of single events, at every site of the box,
// against the operator by Fourier transform; and the sum rule.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <mpi.h>
#include <stdio.h>

#include "base/units.h"
#include "split_setup.h"
#include "worse.h"

typedef struct box {
  split_setup on;
  split_field field;
  stz_spectral *spectral;
  double *strain[5], *stress[6];
} box;

// A glass: modulus, volume of an STZ, spacing of the lattice, and how the box is stretched.
typedef struct glass {
  double young_GPa, volume_nm3, spacing_nm, stretch[3];
} glass;
static const glass ZR65NI35 = {72.0, 1.7, 0.58, {0}};

static void open_box_of(box *b, int nx, int ny, int nz, glass g, double strain) {
  const stz_lattice_params lattice = {.cells = {nx, ny, nz}, .spacing_nm = g.spacing_nm};
  open_split(&b->on, &lattice, g.young_GPa, g.volume_nm3, g.stretch, strain);
  open_split_field(&b->on, &b->field);
  assert_int_equal(stz_spectral_create(b->on.grid, &b->spectral), STZ_OK);
  for (int c = 0; c < 5; c++) assert_int_equal(STZ_NEW(b->strain[c], stz_grid_sites(b->on.grid)), STZ_OK);
  for (int c = 0; c < 6; c++) assert_int_equal(STZ_NEW(b->stress[c], stz_grid_sites(b->on.grid)), STZ_OK);
}

static void open_box(box *b, int nx, int ny, int nz) { open_box_of(b, nx, ny, nz, ZR65NI35, 0.0815); }

static void close_box(box *b) {
  for (int c = 0; c < 5; c++) stz_free(b->strain[c]);
  for (int c = 0; c < 6; c++) stz_free(b->stress[c]);
  stz_spectral_destroy(&b->spectral);
  close_split_field(&b->field);
  close_split(&b->on);
  assert_int_equal(stz_alloc_live(), 0);
}

static const stz_row8 *row8_of(const box *b, const int site[3]) {
  const int *cells = stz_grid_cells(b->on.grid);
  const int block = (site[0] / 8 * (cells[1] / 8) + site[1] / 8) * (cells[2] / 8) + site[2] / 8;
  return b->field.rows8 + 64 * block + 8 * (site[0] % 8) + site[1] % 8;
}

static const float SCALE = 2.0f; // of slack to stress, nm^3/eV

typedef struct errors {
  double worst, square, worst_near, whole, spread; // MPa; spread: of one site against the box
  double worst_cached, worst_cost;                 // eV/nm^3, ln: of the cached stress and the slack within the sphere
  int touched;                                     // sites beyond it with either
  int exhausted, listed;                           // sites with a slack below zero, and those that are named so
  double sum[5];                                   // of the stress made, over the box, MPa
} errors;

// An event at `origin`; errors over the whole box.
static errors errors_of(box *b, const int origin[3], const float e[5]) {
  stz_exhausted *exhausted;
  errors r = {0};
  const int64_t sites = stz_grid_sites(b->on.grid);
  const int *cells = stz_grid_cells(b->on.grid);
  for (int c = 0; c < 5; c++) memset(b->strain[c], 0, (size_t)sites * sizeof(double));
  for (int c = 0; c < 5; c++) b->strain[c][stz_grid_site(b->on.grid, origin[0], origin[1], origin[2])] = (double)e[c];
  memset(b->field.rows8, 0, (size_t)sites / 8 * sizeof *b->field.rows8);
  stz_far_clear(b->field.far);
  assert_int_equal(stz_elastic_stress(b->on.elastic, b->spectral, (const double *const *)b->strain, b->stress), STZ_OK);
  const int rows8 = stz_near_add(b->field.near, origin, e, SCALE, b->field.rows8, &exhausted);
  for (int i = 0; i < 8 * rows8; i++) {
    if (exhausted[i / 8].lanes >> i % 8 & 1)
      r.listed += b->field.rows8[exhausted[i / 8].row8].slack[i % 8] < 0 ? 1 : -1;
  }
  stz_far_add(b->field.far, origin, e);
  stz_far_converge(b->field.far);
  for (int x = 0; x < cells[0]; x += 8) {
    for (int y = 0; y < cells[1]; y += 8) {
      for (int z = 0; z < cells[2]; z += 8) {
        static float far[5][512];
        stz_far_box(b->field.far, (const int[3]){x, y, z}, far);
        for (int i = 0; i < 512; i++) {
          const int at[3] = {x + i / 64, y + i / 8 % 8, z + i % 8};
          const stz_row8 *row8 = row8_of(b, at);
          float one[5], own[5];
          if (i % 37 == 0) stz_far_site(b->field.far, at, one);
          double square = 0.0, norm2 = 0.0, cached2 = 0.0, r2 = 0.0;
          for (int c = 0; c < 5; c++) {
            const double exact = b->stress[c][stz_grid_site(b->on.grid, at[0], at[1], at[2])];
            own[c] = far[c][i] + b->on.split->near_unit * (float)row8->near[c][at[2] % 8];
            const double error = (own[c] - exact) / (1e-3 * STZ_GPA);
            if (i % 37 == 0) r.spread = worse(r.spread, fabs((double)(one[c] - far[c][i])) / (1e-3 * STZ_GPA));
            const double apart = (double)(STZ_CACHED * (float)row8->cached[c][at[2] % 8]) - exact;
            square += error * error;
            norm2 += exact * exact;
            cached2 = worse(cached2, apart * apart);
            r.sum[c] += (double)own[c] / (1e-3 * STZ_GPA);
            r.whole += exact * exact / (1e-6 * STZ_GPA * STZ_GPA);
          }
          r.exhausted += row8->slack[at[2] % 8] < 0;
          for (int axis = 0; axis < 3; axis++) {
            int d = abs(at[axis] - origin[axis]);
            if (d > cells[axis] / 2) d = cells[axis] - d;
            r2 += d * d;
          }
          r.square += square;
          r.worst = worse(r.worst, sqrt(square));
          if (r2 < STZ_NEAR_SPAN * STZ_NEAR_SPAN) {
            const double cost = -(double)(STZ_SLACK * (float)row8->slack[at[2] % 8]);
            r.worst_cached = worse(r.worst_cached, sqrt(cached2));
            r.worst_cost = worse(r.worst_cost, fabs(cost - SCALE * sqrt(norm2)));
          } else {
            r.touched += row8->slack[at[2] % 8] != 0;
          }
          if (r2 < 36) r.worst_near = worse(r.worst_near, sqrt(square));
        }
      }
    }
  }
  return r;
}

// What the tables say that the stress of an event sums to, MPa: the coarse part and the true kernel have no sum.
static void told_sums(const box *b, const int origin[3], const float e[5], double told[5]) {
  const stz_split *s = b->on.split;
  const double *near = s->near_sums[(origin[0] & 1) * 4 + (origin[1] & 1) * 2 + (origin[2] & 1)];
  memset(told, 0, 5 * sizeof *told);
  for (int i = 0; i < 25; i++) {
    const int pair = stz_elastic_pair(i / 5, i % 5);
    double sum = near[pair];
    for (int l = 0; l < s->levels; l++) {
      const int h = s->level[l].spacing, r[3] = {origin[0] % h, origin[1] % h, origin[2] % h};
      sum += s->level[l].sums[(r[0] * h + r[1]) * h + r[2]][pair];
    }
    told[i / 5] += sum * (double)e[i % 5] / (1e-3 * STZ_GPA);
  }
}

static void check_box(int nx, int ny, int nz) {
  static const float strain[2][5] = {{0.115f * 0.70710678f, 0, 0, 0, 0},
                                     {0.0115f, -0.0230f, 0.0345f, 0.0460f, 0.0516f}};
  const int origins[5][3] = {{0, 0, 0}, {3, 5, nz - 1}, {nx - 7, 14, 9}, {2, ny - 4, 17}, {13, 12, 11}};
  box b;
  open_box(&b, nx, ny, nz);
  for (int i = 0; i < 5; i++) {
    const errors r = errors_of(&b, origins[i], strain[i % 2]);
    printf("%d x %d x %d, event %d: largest error %.3f MPa, within 6 voxels %.3f; sum of squares %.1f of %.3g MPa^2\n",
           nx, ny, nz, i, r.worst, r.worst_near, r.square, r.whole);
    double told[5], apart = 0.0, norm = 0.0;
    told_sums(&b, origins[i], strain[i % 2], told);
    for (int c = 0; c < 5; c++) {
      apart += (r.sum[c] - told[c]) * (r.sum[c] - told[c]);
      norm += told[c] * told[c];
    }
    printf("  sum over the box %.1f MPa, told within %.2f\n", sqrt(norm), sqrt(apart));
    assert_true(sqrt(apart) < 0.005 * sqrt(norm) + (b.on.split->levels == 1 ? 0.05 : 0.3)); // rounded nodes
    assert_true(r.whole > 2e7 && r.spread < 1e-3);
    assert_true(r.worst_cached < 1.8 * STZ_CACHED && r.worst_cost < 0.51 * STZ_SLACK && r.touched == 0);
    assert_true(r.exhausted > 1500 && r.listed == r.exhausted);
    assert_true(r.worst < 1.0 && r.square < 300.0);
    assert_true(r.worst_near < (b.on.split->levels == 1 ? 4e-3 : 0.35));
  }
  printf("tables %.2f MB\n", (double)b.on.split->bytes * 1e-6);
  close_box(&b);
}

static void split_32(void **state) {
  (void)state;
  check_box(32, 32, 32);
}

static void split_64(void **state) {
  (void)state;
  check_box(64, 64, 64);
}

static void split_uneven(void **state) {
  (void)state;
  check_box(40, 32, 72);
}

// kmc.tolerance means the same in any glass: the error of an event that it counts with is the measured one, at twice
// the modulus, other volumes and other spacings.
static void split_error_of_any_glass(void **state) {
  static const glass glasses[] = {{72.0, 1.7, 0.58, {0}},  {144.0, 1.7, 0.58, {0}}, {72.0, 3.4, 0.58, {0}},
                                  {90.0, 1.0, 0.486, {0}}, {72.0, 1.7, 0.45, {0}},  {72.0, 1.0, 0.58, {0}}};
  static const int origins[3][3] = {{5, 9, 12}, {6, 11, 15}, {7, 13, 18}};
  (void)state;
  for (size_t i = 0; i < sizeof glasses / sizeof *glasses; i++) {
    box b;
    double square = 0.0;
    open_box_of(&b, 32, 32, 32, glasses[i], sqrt(0.5));
    for (int k = 0; k < 15; k++) {
      float e[5] = {0}; // of unit engineering shear
      e[k % 5] = (float)sqrt(0.5);
      square += errors_of(&b, origins[k / 5], e).square / 15.0;
    }
    const double told = stz_split_error2(b.on.elastic, b.on.grid) / (1e-6 * STZ_GPA * STZ_GPA);
    printf("%g GPa, %g nm^3, %g nm: %.4g MPa^2 at a shear of 0.115, counted with %.4g\n", glasses[i].young_GPa,
           glasses[i].volume_nm3, glasses[i].spacing_nm, square * 0.115 * 0.115, told * 0.115 * 0.115);
    assert_true(told > 1.05 * square && told < 1.35 * square);
    close_box(&b);
  }
}

// In a stretched box the parts still make up the whole, which tests/mpi/test_elastic.c checks, with errors that kmc
// counts with.
static void split_stretched(void **state) {
  static const struct stretched {
    int cells;
    glass g;
  } boxes[] = {{32, {72.0, 1.7, 0.58, {0.1, -0.05, -0.05}}},
               {32, {72.0, 1.7, 0.58, {-0.07, 0.14, -0.07}}},
               {32, {72.0, 1.7, 0.58, {-0.1, 0.05, 0.05}}},
               {64, {72.0, 1.7, 0.58, {0.1, -0.05, -0.05}}}};
  static const int origins[2][3] = {{5, 9, 12}, {6, 11, 15}};
  (void)state;
  for (size_t k = 0; k < sizeof boxes / sizeof *boxes; k++) {
    const int n = boxes[k].cells;
    const double *stretch = boxes[k].g.stretch;
    box b;
    double square = 0.0, near = 0.0;
    open_box_of(&b, n, n, n, boxes[k].g, 0.0815);
    for (int i = 0; i < 10; i++) {
      float e[5] = {0};
      e[i % 5] = (float)(0.115 * sqrt(0.5));
      const errors r = errors_of(&b, origins[i / 5], e);
      square += r.square / 10.0;
      near = worse(near, r.worst_near);
    }
    const double told = stz_split_error2(b.on.elastic, b.on.grid) / (1e-6 * STZ_GPA * STZ_GPA) * 0.115 * 0.115;
    printf("%d per axis, stretch %g %g %g: sum of squares %.1f MPa^2, counted with %.1f, within 6 voxels %.4f MPa\n", n,
           stretch[0], stretch[1], stretch[2], square, told, near);
    assert_true(told > 0.95 * square && told < 1.6 * square && near < (n == 32 ? 4e-3 : 0.6));
    close_box(&b);
  }
}

int main(void) {
  MPI_Init(NULL, NULL);
  const struct CMUnitTest tests[] = {cmocka_unit_test(split_32), cmocka_unit_test(split_64),
                                     cmocka_unit_test(split_uneven), cmocka_unit_test(split_error_of_any_glass),
                                     cmocka_unit_test(split_stretched)};
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  MPI_Finalize();
  return failed;
}
