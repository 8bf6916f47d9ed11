// SPDX-License-Identifier: GPL-3.0-or-later
//
// Moduli that vary, against vectors of another program (tests/data/contrast_*.txt), laminates, Eshelby's sphere and a
// uniform change; the same bits on any number of ranks.
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/tensor.h"
#include "base/units.h"
#include "elastic/contrast.h"
#include "mpi/harness.h"
#include "worse.h"

static const double YOUNG_GPA = 72.0, OMEGA = 1.7, GAMMA0 = 0.115, SPACING = 0.58;

typedef struct body {
  stz_grid *grid;
  stz_elastic *elastic;
  stz_contrast *contrast;
} body;

// h at the place (x, y, z) of the box, in units of its edge; contrast is 2, so that h is the structure.
typedef double h_of(double x, double y, double z);

static stz_elastic_params params_of(stz_contrast_holds holds) {
  return (stz_elastic_params){.young_GPa = YOUNG_GPA, .poisson = 0.4, .contrast = 2.0, .contrast_holds = holds};
}

static void make_of(body *b, MPI_Comm comm, int cells, stz_elastic_params params, h_of *h) {
  const stz_lattice_params lattice = {.cells = {cells, cells, cells}, .spacing_nm = SPACING};
  float *structure = NULL;
  CHECK_OK(stz_grid_create(comm, &lattice, &b->grid));
  CHECK_OK(stz_elastic_create(b->grid, &params, OMEGA, &b->elastic));
  CHECK_OK(STZ_NEW(structure, stz_grid_local_sites(b->grid)));
  for (int64_t i = 0; i < stz_grid_local_sites(b->grid); i++) {
    int at[3];
    stz_grid_coords(b->grid, stz_grid_first_site(b->grid) + i, at);
    structure[i] = (float)h((double)at[0] / cells, (double)at[1] / cells, (double)at[2] / cells);
  }
  CHECK_OK(stz_contrast_create(b->grid, b->elastic, &params, structure, &b->contrast));
  stz_free(structure);
}

static void make(body *b, MPI_Comm comm, int cells, stz_contrast_holds holds, h_of *h) {
  make_of(b, comm, cells, params_of(holds), h);
}

static void clear(body *b) {
  stz_contrast_destroy(&b->contrast);
  stz_elastic_destroy(&b->elastic);
  stz_grid_destroy(&b->grid);
}

static double h_vectors(double x, double y, double z) {
  const double turn = 2.0 * STZ_PI;
  return 0.10 * cos(3 * turn * x) * cos(2 * turn * y) + 0.06 * sin(turn * (2 * y + 3 * z)) +
         0.04 * cos(turn * (4 * x - z));
}
static double h_uniform(double x, double y, double z) { return 0.1 + 0.0 * (x + y + z); }
static double h_laminate(double x, double y, double z) { return 0.2 * cos(4.0 * STZ_PI * z) + 0.0 * (x + y); }
static double h_sphere(double x, double y, double z) {
  const double d[3] = {x - 0.5, y - 0.5, z - 0.5};
  return d[0] * d[0] + d[1] * d[1] + d[2] * d[2] < 0.2 * 0.2 ? 0.3 : 0.0;
}

static void set_mean(const char *name, double mean[6]) {
  memset(mean, 0, 6 * sizeof *mean);
  mean[!strcmp(name, "xx") ? STZ_XX : STZ_XY] = 1.0;
}

// Driving stress under load. The vectors' grid of 0.193 nm and that of 0.29 nm agree within 1e-8 GPa, the sites' own is
// 1e-3 off.
static void check_loading(const body *b, const char *held) {
  FILE *file = fopen(STZ_TEST_DATA "/contrast_loading.txt", "r");
  char line[400], name[16], mean_name[16];
  double worst = 0.0, largest = 0.0, v[6];
  int at[3], lines = 0;
  CHECK(file != NULL, "no vectors");
  while (file && fgets(line, sizeof line, file)) {
    if (line[0] == '#' || sscanf(line, "%15s %15s %d %d %d %lf %lf %lf %lf %lf %lf", name, mean_name, &at[0], &at[1],
                                 &at[2], &v[0], &v[1], &v[2], &v[3], &v[4], &v[5]) != 11)
      continue;
    if (strcmp(name, held) != 0) continue;
    double mean[6], plain[5], drive[5], expected[5];
    set_mean(mean_name, mean);
    stz_contrast_look(b->contrast, stz_grid_site(b->grid, at[0], at[1], at[2]));
    stz_contrast_load(b->contrast, stz_grid_site(b->grid, at[0], at[1], at[2]), mean, drive);
    stz_dev_from_sym(v, expected);
    stz_dev_from_sym(mean, plain);
    for (int c = 0; c < 5; c++) worst = worse(worst, fabs(drive[c] - expected[c]));
    for (int c = 0; c < 5; c++) largest = fmax(largest, fabs(plain[c] - expected[c]));
    lines++;
  }
  if (file) fclose(file);
  printf("%s held: load %.2e GPa off, of a change of %.2e\n", held, worst, largest);
  CHECK(lines == 22 && largest > 0.02, "%d vectors", lines);
  CHECK(worst < 3e-5, "%s held: %g GPa off", held, worst); // steps of 3e-5 in which B is stored
}

static double dress_at(const body *b, const int at[3]) {
  const int64_t site = stz_grid_site(b->grid, at[0], at[1], at[2]);
  stz_contrast_look(b->contrast, site);
  return (double)stz_contrast_dress(b->contrast, site);
}

// Square of what the series adds to the stress of an event at a site, less the vector's, which is for the moduli of
// h = 0.
static double series_off(const body *exact, const int e[3], const double strain[6], const int at[3],
                         const double change[5]) {
  const double scale = stz_contrast_scale(exact->contrast);
  double deviator[5], sum = 0.0;
  stz_dev_from_sym(strain, deviator);
  stz_contrast_event(exact->contrast, stz_grid_site(exact->grid, e[0], e[1], e[2]), deviator);
  stz_contrast_correct(exact->contrast, STZ_CONTRAST_MOST_TERMS);
  for (int c = 0; c < 5; c++) {
    const double more =
        stz_contrast_events(exact->contrast, c)[stz_grid_site(exact->grid, at[0], at[1], at[2])] / STZ_GPA;
    const double off = more / scale - change[c];
    sum += off * off;
  }
  return sum;
}

// The stress of events with factors at either end, against the exact one: in the sum of squares over the vectors, and
// at the event's own site; and by the series.
static void check_events(const body *b, const body *exact, const char *held) {
  FILE *file = fopen(STZ_TEST_DATA "/contrast_events.txt", "r");
  char line[600], name[16];
  double dressed = 0.0, plain = 0.0, series = 0.0, self = 0.0, self_plain = 0.0, s[6], v[12];
  int e[3], at[3], lines = 0;
  CHECK(file != NULL, "no vectors");
  while (file && fgets(line, sizeof line, file)) {
    int used = 0;
    if (line[0] == '#' ||
        sscanf(line, "%15s %d %d %d %lf %lf %lf %lf %lf %lf %d %d %d%n", name, &e[0], &e[1], &e[2], &s[0], &s[1], &s[2],
               &s[3], &s[4], &s[5], &at[0], &at[1], &at[2], &used) != 13 ||
        strcmp(name, held) != 0)
      continue;
    const char *rest = line + used;
    for (int i = 0; i < 12; i++) {
      int more = 0;
      CHECK(sscanf(rest, "%lf%n", &v[i], &more) == 1, "%s", line);
      rest += more;
    }
    const double factor = dress_at(b, e) * dress_at(b, at);
    double uniform[5], change[5];
    stz_dev_from_sym(v, uniform);
    stz_dev_from_sym(v + 6, change);
    const bool own = !memcmp(e, at, sizeof e);
    series += series_off(exact, e, s, at, change);
    for (int c = 0; c < 5; c++) {
      const double off = (factor - 1.0) * uniform[c] - change[c];
      dressed += off * off;
      plain += change[c] * change[c];
      if (own) self += off * off, self_plain += change[c] * change[c];
    }
    lines++;
  }
  if (file) fclose(file);
  printf("%s held: error of events %.3f of the change, at their own sites %.3f; by the series %.1e\n", held,
         sqrt(dressed / plain), sqrt(self / self_plain), sqrt(series / plain));
  CHECK(lines == 22, "%d vectors", lines);
  CHECK(series < 2.5e-5 * plain, "%s held: the series is off by %g of the change", held, sqrt(series / plain));
  CHECK(dressed < 0.45 * plain, "%s held: %g of the change's square is left", held, dressed / plain);
}

static void check_vectors(void) {
  static const char *const names[] = {"bulk", "poisson"};
  for (int k = 0; k < 2; k++) {
    body b, exact;
    stz_elastic_params params = params_of((stz_contrast_holds)k);
    make_of(&b, MPI_COMM_WORLD, 16, params, h_vectors);
    params.contrast_model = STZ_CONTRAST_EXACT;
    make_of(&exact, MPI_COMM_SELF, 16, params, h_vectors);
    check_loading(&b, names[k]);
    check_events(&b, &exact, names[k]);
    clear(&b);
    clear(&exact);
  }
}

// A uniform change is another homogeneous glass, which has the same effective modulus: nothing changes.
static void check_uniform(void) {
  body b;
  make(&b, MPI_COMM_WORLD, 16, STZ_CONTRAST_POISSON, h_uniform);
  const double mean[6] = {1.0, 0.2, -0.3, 0.4, 0.5, 0.6};
  double drive[5], plain[5];
  stz_dev_from_sym(mean, plain);
  CHECK_NEAR(stz_contrast_effective(b.contrast), 1.1, 1e-6);
  for (int64_t i = 0; i < stz_grid_sites(b.grid); i += 37) {
    stz_contrast_look(b.contrast, i);
    stz_contrast_load(b.contrast, i, mean, drive);
    for (int c = 0; c < 5; c++) CHECK_NEAR(drive[c], plain[c], 1e-7);
    CHECK_NEAR(stz_contrast_dress(b.contrast, i), 1.0, 1e-6);
  }
  clear(&b);
}

// Layers along z: xz and yz are in series, stress the same everywhere; xy and xx - yy in parallel (with the bulk
// modulus held in-plane strains of a pure shear keep their place), stress as the modulus, over its mean. As averaged
// over an STZ.
static void check_laminate(void) {
  body b;
  make(&b, MPI_COMM_WORLD, 16, STZ_CONTRAST_BULK, h_laminate);
  const double k = 4.0 * STZ_PI / (16 * SPACING), width2 = cbrt(OMEGA * OMEGA) / (4.0 * STZ_PI);
  for (int z = 0; z < 16; z++) {
    const int64_t site = stz_grid_site(b.grid, 3, 5, z);
    const double h = 0.2 * cos(4.0 * STZ_PI * z / 16) * exp(-0.5 * k * k * width2);
    double drive[5], e[6];
    stz_contrast_look(b.contrast, site);
    stz_contrast_load(b.contrast, site, (double[6]){[STZ_XZ] = 1.0}, drive);
    CHECK_NEAR(drive[2], sqrt(2.0), 5e-5);
    stz_contrast_load(b.contrast, site, (double[6]){[STZ_XY] = 1.0}, drive);
    CHECK_NEAR(drive[0], sqrt(2.0) * (1.0 + h), 5e-5);
    stz_contrast_load(b.contrast, site, (double[6]){1.0, -1.0}, drive);
    CHECK_NEAR(drive[3], sqrt(2.0) * (1.0 + h), 5e-5);
    stz_contrast_mean_strain(b.contrast, site, (double[6]){[STZ_XY] = 0.5 * GAMMA0}, e);
    CHECK_NEAR(e[STZ_XY], 0.5 * GAMMA0 * (1.0 + h), 1e-5);
  }
  clear(&b);
}

// A stiff sphere: within it the stress is r/(1 + beta (r - 1)) of that far away, r = mu1/mu0, beta = 2 (4 - 5 nu)/15
// (1 - nu) (J. D. Eshelby, Proc. R. Soc. A 241, 376, 1957). Its images, as large as its share of the box, 3 %, count
// less than that; it is seen at its centre.
static void check_sphere(void) {
  body b;
  make(&b, MPI_COMM_WORLD, 32, STZ_CONTRAST_POISSON, h_sphere);
  const double beta = 2.0 * (4.0 - 5.0 * 0.4) / (15.0 * 0.6), expected = 1.3 / (1.0 + beta * 0.3);
  double drive[5];
  stz_contrast_look(b.contrast, stz_grid_site(b.grid, 16, 16, 16));
  stz_contrast_load(b.contrast, stz_grid_site(b.grid, 16, 16, 16), (double[6]){[STZ_XY] = 1.0}, drive);
  printf("sphere: %.4f, alone %.4f\n", drive[0] / sqrt(2.0), expected);
  CHECK_NEAR(drive[0] / sqrt(2.0), expected, 0.02);
  clear(&b);
}

// All ranks together find the bits of each for itself; rows are as single sites; the bounds hold; events and loads are
// reciprocal.
static void check_rows(void) {
  body all, own;
  make(&all, MPI_COMM_WORLD, 16, STZ_CONTRAST_POISSON, h_vectors);
  make(&own, MPI_COMM_SELF, 16, STZ_CONTRAST_POISSON, h_vectors);
  const double mean[6] = {1.0, 0.2, -0.3, 0.4, 0.5, 0.6}, event[6] = {0.1, -0.3, 0.2, 0.05, -0.07, 0.11};
  const double uniform[5] = {0.1, 0.2, 0.3, -0.1, -0.2};
  const stz_loading loading = stz_contrast_loading(mean, uniform);
  const double most = stz_contrast_most(own.contrast, mean);
  double e[5], nearest = 0.0;
  stz_dev_from_sym(event, e);
  for (int64_t first = 0; first < stz_grid_sites(own.grid); first += 8) {
    float s[5][8];
    float *const rows[5] = {s[0], s[1], s[2], s[3], s[4]};
    for (int i = 0; i < 40; i++) s[i / 8][i % 8] = (float)i;
    stz_contrast_drive_rows(own.contrast, &loading, first, 8, 1, (const float *const *)rows, rows);
    stz_contrast_look(all.contrast, first);
    for (int l = 0; l < 8; l++) {
      double drive[5], other[5], strain[6], work = 0.0, norm2 = 0.0;
      const float dress = stz_contrast_dress(own.contrast, first + l);
      stz_contrast_load(own.contrast, first + l, mean, drive);
      stz_contrast_load(all.contrast, first + l, mean, other);
      CHECK(!memcmp(drive, other, sizeof drive), "another load on several ranks");
      CHECK(dress == stz_contrast_dress(all.contrast, first + l), "another factor on several ranks");
      CHECK((double)dress <= stz_contrast_most_dress(own.contrast), "a factor above its bound");
      for (int c = 0; c < 5; c++) {
        CHECK_NEAR(s[c][l], (double)dress * (8 * c + l + uniform[c]) + drive[c], 1e-5);
        work += e[c] * drive[c];
        norm2 += drive[c] * drive[c];
      }
      stz_contrast_mean_strain(own.contrast, first + l, event, strain);
      CHECK_NEAR(stz_sym_dot(strain, mean), work, 1e-6);
      nearest = worse(nearest, sqrt(norm2) / most);
    }
  }
  CHECK(nearest <= 1.0 && nearest > 0.85, "%g of the bound", nearest);
  clear(&all);
  clear(&own);
}

enum { ROWS = 3, LISTED = 13 };
static const int32_t LIST[LISTED] = {5, 3, 700, 701, 703, 4095, 0, 8, 16, 17, 4000, 9, 1}; // no multiple of 8

// What rows and a list of sites make of stresses of their own.
typedef struct driven {
  float rows[5][8 * ROWS], list[5][LISTED + 1];
} driven;

static void drive(const stz_contrast *contrast, const stz_loading *loading, driven *d) {
  float *rows[5], *list[5];
  for (int c = 0; c < 5; c++) {
    rows[c] = d->rows[c];
    list[c] = d->list[c];
    for (int i = 0; i < 8 * ROWS; i++) rows[c][i] = (float)(c + i);
    for (int i = 0; i <= LISTED; i++) list[c][i] = (float)(c - i);
  }
  stz_contrast_drive_rows(contrast, loading, 64, 16, ROWS, (const float *const *)rows, rows);
  stz_contrast_drive_list(contrast, loading, LISTED, LIST, list);
}

// Under a mean stress of one component what is kept of it changes no bit, and rows and lists are as single sites.
static void check_kept(void) {
  body b;
  make(&b, MPI_COMM_SELF, 16, STZ_CONTRAST_POISSON, h_vectors);
  const double mean[6] = {[STZ_YY] = -1.7}, uniform[5] = {0.1, 0.2, 0.3, -0.1, -0.2};
  const stz_loading loading = stz_contrast_loading(mean, uniform);
  driven before, kept;
  drive(b.contrast, &loading, &before);
  stz_contrast_aim(b.contrast, mean);
  stz_contrast_aim(b.contrast, (double[6]){1.0, 1.0}); // of several components nothing is kept
  drive(b.contrast, &loading, &kept);
  CHECK(!memcmp(&before, &kept, sizeof kept), "other bits where they are kept");
  for (int i = 0; i < 8 * ROWS + LISTED; i++) {
    const int l = i - 8 * ROWS;
    const int64_t site = l < 0 ? 64 + 16 * (i / 8) + i % 8 : LIST[l];
    double load[5];
    stz_contrast_load(b.contrast, site, mean, load);
    for (int c = 0; c < 5; c++) {
      const double whole =
          (double)stz_contrast_dress(b.contrast, site) * ((l < 0 ? c + i : c - l) + uniform[c]) + load[c];
      CHECK_NEAR(l < 0 ? kept.rows[c][i] : kept.list[c][l], whole, 1e-5);
    }
  }
  for (int c = 0; c < 5; c++) CHECK(kept.list[c][LISTED] == (float)(c - LISTED), "a site beyond the list");
  clear(&b);
}

static void cases(MPI_Comm comm) {
  (void)comm;
  check_vectors();
  check_uniform();
  check_laminate();
  check_sphere();
  check_rows();
  check_kept();
}

int main(int argc, char **argv) { return harness_main(argc, argv, "contrast", cases); }
