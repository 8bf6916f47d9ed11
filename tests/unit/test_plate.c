// SPDX-License-Identifier: GPL-3.0-or-later
//
// The plate with free surfaces: against vectors of another implementation, the infinite body, and its own symmetries.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/tensor.h"
#include "plate_field.h"

typedef struct setup {
  stz_plate *plate;
  stz_plate_params params;
  double *work;
  double (*green)[6][5]; // [mx][my][layer][source]
} setup;

static void open_plate(setup *s, int nx, int ny, int nz) {
  s->params =
      (stz_plate_params){.cells = {nx, ny, nz}, .spacing = 0.58, .volume = 1.7, .shear = 72.0 / 2.8, .poisson = 0.4};
  assert_int_equal(stz_plate_create(&s->params, &s->plate), STZ_OK);
  assert_int_equal(STZ_NEW(s->work, stz_plate_work(s->plate)), STZ_OK);
  assert_int_equal(STZ_NEW(s->green, (nx / 2 + 1) * (ny / 2 + 1) * nz * nz), STZ_OK);
  for (int m = 0; m < (nx / 2 + 1) * (ny / 2 + 1); m++) {
    stz_plate_green(s->plate, m / (ny / 2 + 1), m % (ny / 2 + 1), NULL, nz, s->work,
                    s->green + (size_t)m * (size_t)(nz * nz));
  }
}

static void close_plate(setup *s) {
  stz_plate_destroy(&s->plate);
  stz_free(s->work);
  stz_free(s->green);
}

// Stress of a strain in a layer, in the orthonormal basis, at a lateral offset.
static void stress_at(const setup *s, int layer, const double strain[5], int x, int y, int z, double stress[6]) {
  const int layers = s->params.cells[2];
  plate_stress(s->params.cells, s->green + (z * layers + layer), (size_t)(layers * layers), strain, x, y, stress);
}

static void test_vectors(void **state) {
  (void)state;
  FILE *file = fopen(STZ_TEST_DATA "/film_vectors.txt", "r");
  char line[512];
  setup s;
  int layer = 0, points = 0;
  double strain[5], worst = 0.0;
  open_plate(&s, 16, 16, 16);
  assert_non_null(file);
  for (bool event = false; fgets(line, sizeof line, file);) {
    int x, y, z;
    double given[6], stress[6], sym[6];
    if (strncmp(line, "case", 4) == 0) event = true;
    if (sscanf(line, "%d %d %d %lf %lf %lf %lf %lf %lf", &x, &y, &z, given, given + 1, given + 2, given + 3, given + 4,
               given + 5) != 9) {
      continue;
    }
    if (event) {
      layer = z;
      stz_dev_from_sym(given, strain);
      for (int c = 0; c < 5; c++) strain[c] *= 0.115;
      event = false;
      continue;
    }
    stress_at(&s, layer, strain, x, y, z, stress);
    plate_tensor(stress, sym);
    for (int v = 0; v < 6; v++) worst = fmax(worst, fabs(sym[v] - given[v]) - 5e-7 * fabs(given[v]));
    points++;
  }
  fclose(file);
  close_plate(&s);
  assert_int_equal(points, 48);
  assert_true(worst < 1e-8); // GPa, beyond their seven digits
}

// Of two layers, mirrored in the middle of the film: components odd in z change their sign. Of layers near the faces
// one side is by quadrature, the other by its transpose.
static void test_mirror(void **state) {
  (void)state;
  setup s;
  open_plate(&s, 16, 24, 8);
  const int waves = 9 * 13, n = 8;
  double worst = 0.0, largest = 0.0;
  for (int m = 0; m < waves; m++) {
    double(*green)[6][5] = s.green + (size_t)m * n * n;
    for (int pair = 0; pair < n * n; pair++) {
      const int mirrored = (n - 1 - pair / n) * n + n - 1 - pair % n;
      for (int c = 0; c < 6; c++) {
        for (int d = 0; d < 5; d++) {
          const double sign = plate_odd(c, 2) ^ plate_odd(d, 2) ? -1.0 : 1.0;
          worst = fmax(worst, fabs(green[pair][c][d] - sign * green[mirrored][c][d]));
          largest = fmax(largest, fabs(green[pair][c][d]));
        }
      }
    }
  }
  close_plate(&s);
  assert_true(worst < 1e-9 * largest);
}

// No traction at either face by the field itself, whatever the layer of the event; inside there is.
static void test_traction(void **state) {
  (void)state;
  const stz_plate_params params = {
      .cells = {16, 16, 8}, .spacing = 0.58, .volume = 1.7, .shear = 72.0 / 2.8, .poisson = 0.4};
  double worst = 0.0, inside = 0.0;
  for (int i = 0; i < 81 * 8; i++) {
    for (int place = 0; place < 3; place++) { // lower face, upper face, between
      double green[6][5];
      plate_field(&params, i / 8 / 9, i / 8 % 9, i % 8, (place == 0 ? 0.0 : place == 1 ? 8.0 : 3.3) * 0.58, green);
      for (int d = 0; d < 5; d++) {
        const double zz = 2.0 / sqrt(6.0) * green[4][d] + green[5][d] / sqrt(3.0);
        const double largest = fmax(fabs(zz), fmax(fabs(green[1][d]), fabs(green[2][d])));
        *(place < 2 ? &worst : &inside) = fmax(place < 2 ? worst : inside, largest);
      }
    }
  }
  assert_true(worst < 1e-10 * inside);
}

// The work of an event on another is that of the other on it.
static void test_reciprocity(void **state) {
  (void)state;
  static const double a[5] = {0.3, -0.2, 0.5, 0.1, -0.7}, b[5] = {-0.1, 0.6, 0.2, -0.4, 0.3};
  static const int layers[][2] = {{0, 1}, {0, 0}, {1, 9}, {5, 9}, {0, 15}};
  setup s;
  open_plate(&s, 16, 16, 16);
  for (int i = 0; i < 5; i++) {
    double on_b[6], on_a[6], first = 0.0, second = 0.0;
    stress_at(&s, layers[i][0], a, 3, -2, layers[i][1], on_b);
    stress_at(&s, layers[i][1], b, -3, 2, layers[i][0], on_a);
    for (int c = 0; c < 5; c++) {
      first += on_b[c] * b[c];
      second += on_a[c] * a[c];
    }
    assert_true(fabs(first - second) < 1e-9);
  }
  close_plate(&s);
}

// Folded shapes of all layers add up to one a spacing, up to the surface.
static void test_shapes(void **state) {
  (void)state;
  const stz_plate_params params = {
      .cells = {16, 16, 32}, .spacing = 0.29, .volume = 1.7, .shear = 25.0, .poisson = 0.3};
  stz_plate *plate = NULL;
  assert_int_equal(stz_plate_create(&params, &plate), STZ_OK);
  for (int i = 0; i <= 320; i++) {
    double sum = 0.0;
    for (int j = 0; j < 32; j++) sum += stz_plate_shape(plate, j, i * 0.029);
    assert_true(fabs(sum * 0.29 - 1.0) < 1e-9);
  }
  stz_plate_destroy(&plate);
}

// Of both faces of the film in test_depth.
static double image_share(int z) {
  const double below = (z + 0.5) * 0.58, above = 24 * 0.58 - below;
  return 0.10 * 1.7 * (pow(below, -3.0) + pow(above, -3.0));
}

// Far from the faces the self-stress is that of the infinite body, Eshelby's sphere's averaged; towards them it falls
// short as depth^-3: of the mean over modes 0.10 Omega/d^3.
static void test_depth(void **state) {
  (void)state;
  setup s;
  open_plate(&s, 24, 24, 24);
  double mean[12], deep = 0.0;
  for (int z = 0; z < 12; z++) {
    mean[z] = 0.0;
    for (int d = 0; d < 5; d++) {
      double unit[5] = {0}, stress[6];
      unit[d] = 1.0;
      stress_at(&s, z, unit, 0, 0, z, stress);
      mean[z] += stress[d] / 5.0;
    }
  }
  deep = mean[11];
  for (int z = 3; z < 7; z++) {
    const double expected = image_share(z) - image_share(11), found = 1.0 - mean[z] / deep;
    assert_true(fabs(found - expected) < 0.1 * expected);
  }
  close_plate(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_vectors),  cmocka_unit_test(test_mirror),
                                     cmocka_unit_test(test_traction), cmocka_unit_test(test_reciprocity),
                                     cmocka_unit_test(test_shapes),   cmocka_unit_test(test_depth)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
