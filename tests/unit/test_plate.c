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
#include "worse.h"

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

typedef struct event {
  int cells, layer; // of the periodic box, or the film's width
  double strain[5]; // orthonormal basis
} event;

// Reads the next point of a file of vectors, and the event before it if there is one. false: no more points.
static bool next_point(FILE *file, double gamma0, event *of, int at[3], double stress[6]) {
  char line[512];
  bool opens = false;
  while (fgets(line, sizeof line, file)) {
    double v[6];
    int x[3], events = 0;
    if (sscanf(line, "case %d %d", &of->cells, &events) == 2) {
      if (events > 1) return false; // the last case
      opens = true;
    } else if (sscanf(line, "%d %d %d %lf %lf %lf %lf %lf %lf", x, x + 1, x + 2, v, v + 1, v + 2, v + 3, v + 4,
                      v + 5) == 9) {
      if (!opens) {
        memcpy(at, x, sizeof x);
        memcpy(stress, v, sizeof v);
        return true;
      }
      of->layer = x[2];
      stz_dev_from_sym(v, of->strain);
      for (int c = 0; c < 5; c++) of->strain[c] *= gamma0;
      opens = false;
    }
  }
  return false;
}

static double largest_difference(const double found[6], const double given[6], double digits) {
  double sym[6], worst = 0.0;
  plate_tensor(found, sym);
  for (int v = 0; v < 6; v++) worst = worse(worst, fabs(sym[v] - given[v]) - digits * fabs(given[v]));
  return worst;
}

static void test_vectors(void **state) {
  (void)state;
  FILE *file = fopen(STZ_TEST_DATA "/film_vectors.txt", "r");
  setup s;
  event of;
  int points = 0, at[3];
  double worst = 0.0, given[6], stress[6];
  open_plate(&s, 16, 16, 16);
  assert_non_null(file);
  while (next_point(file, 0.115, &of, at, given)) {
    stress_at(&s, of.layer, of.strain, at[0], at[1], at[2], stress);
    worst = worse(worst, largest_difference(stress, given, 5e-7));
    points++;
  }
  fclose(file);
  close_plate(&s);
  assert_int_equal(points, 48);
  assert_true(worst < 1e-8); // GPa, beyond their seven digits
}

// In the middle of a thick film, events one above the other make the stress of the periodic box: 40 layers from the
// faces those add exp(-2 pi 40/16) = 2e-7 of it.
static void test_middle(void **state) {
  (void)state;
  enum { WIDE = 16, HALF = WIDE / 2 + 1, LAYERS = 5 * WIDE };
  const stz_plate_params params = {
      .cells = {WIDE, WIDE, LAYERS}, .spacing = 0.58, .volume = 1.7, .shear = 72.0 / 2.8, .poisson = 0.4};
  FILE *file = fopen(STZ_TEST_DATA "/elastic_vectors.txt", "r");
  stz_plate *plate = NULL;
  double *work = NULL, (*green)[6][5] = NULL, (*one)[6][5] = NULL, worst = 0.0, given[6], stress[6];
  event of;
  int points = 0, at[3];
  assert_non_null(file);
  assert_int_equal(stz_plate_create(&params, &plate), STZ_OK);
  assert_int_equal(STZ_NEW(work, stz_plate_work(plate)), STZ_OK);
  assert_int_equal(STZ_NEW(green, HALF * HALF * LAYERS), STZ_OK);
  assert_int_equal(STZ_NEW(one, LAYERS), STZ_OK);
  for (int i = 0; i < HALF * HALF * 5; i++) {
    const int m = i / 5;
    stz_plate_column(plate, m / HALF, m % HALF, WIDE / 2 + i % 5 * WIDE, LAYERS, work, one);
    for (int n = 0; n < LAYERS * 30; n++) (&green[m * LAYERS][0][0])[n] += (&one[0][0][0])[n];
  }
  while (next_point(file, 0.12, &of, at, given)) {
    if (of.cells != WIDE) continue;
    plate_stress(params.cells, green + LAYERS / 2 + at[2], LAYERS, of.strain, at[0], at[1], stress);
    worst = worse(worst, largest_difference(stress, given, 0.0));
    points++;
  }
  fclose(file);
  stz_free(work);
  stz_free(green);
  stz_free(one);
  stz_plate_destroy(&plate);
  assert_int_equal(points, 40);
  assert_true(worst < 1e-6);
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
          worst = worse(worst, fabs(green[pair][c][d] - sign * green[mirrored][c][d]));
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

// Differences of the operator that is read off a table from that which is made at each wave vector; `from`: the source,
// -1: all pairs.
static double table_off(const stz_plate_params *params, const int *layers, int count, int from, int step) {
  const int rows = params->cells[0] / 2 + 1, across = params->cells[1] / 2 + 1;
  const size_t pairs = (size_t)count * (from < 0 ? (size_t)count : 1);
  stz_plate *plate = NULL;
  stz_plate_pairs *read = NULL;
  double *work = NULL, (*green)[6][5] = NULL, worst = 0.0, largest = 0.0;
  assert_int_equal(stz_plate_create(params, &plate), STZ_OK);
  assert_int_equal(stz_plate_pairs_create(plate, NULL, layers, count, from, &read), STZ_OK);
  assert_int_equal(STZ_NEW(work, stz_plate_work(plate)), STZ_OK);
  assert_int_equal(STZ_NEW(green, 2 * pairs), STZ_OK);
  for (int m = 0; m < rows * across; m += step) {
    stz_plate_pairs_green(read, m / across, m % across, work, green);
    if (from < 0)
      stz_plate_green(plate, m / across, m % across, layers, count, work, green + pairs);
    else
      stz_plate_column(plate, m / across, m % across, from, count, work, green + pairs);
    const double *found = &green[0][0][0], *made = &green[pairs][0][0];
    for (size_t i = 0; i < 30 * pairs; i++) {
      worst = worse(worst, fabs(found[i] - made[i]));
      largest = fmax(largest, fabs(made[i]));
    }
  }
  stz_free(work);
  stz_free(green);
  stz_plate_pairs_destroy(&read);
  stz_plate_destroy(&plate);
  return worst / largest;
}

// What is read off a table is what it was made from: the plate itself, and what its surfaces add in thin and thick
// films, near the faces and far from them.
static void test_table(void **state) {
  (void)state;
  static const int layers[] = {0, 1, 2, 3, 20, 21, 60, 61};
  stz_plate_params params = {.cells = {16, 24, 8}, .spacing = 0.58, .volume = 1.7, .shear = 72.0 / 2.8, .poisson = 0.4};
  assert_true(table_off(&params, NULL, 8, -1, 1) < 1e-12);
  params.cells[0] = 256;
  params.period = 32;
  assert_true(table_off(&params, NULL, 8, -1, 53) < 1e-12);
  params.cells[2] = 64;
  params.period = 72;
  assert_true(table_off(&params, layers, 8, -1, 53) < 1e-12);
  params.smooth = true;
  assert_true(table_off(&params, NULL, 64, 1, 53) < 1e-12);
  assert_true(table_off(&params, NULL, 64, 30, 53) < 1e-12);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_vectors),     cmocka_unit_test(test_middle),
                                     cmocka_unit_test(test_mirror),      cmocka_unit_test(test_traction),
                                     cmocka_unit_test(test_reciprocity), cmocka_unit_test(test_shapes),
                                     cmocka_unit_test(test_depth),       cmocka_unit_test(test_table)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
