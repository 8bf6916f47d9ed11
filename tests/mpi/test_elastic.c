// SPDX-License-Identifier: GPL-3.0-or-later
//
// The elastic operator against reference vectors of another implementation (tests/data/elastic_vectors.txt, in
// stretched boxes stretched_vectors.txt), and the kernel table against the transform.
#include "elastic_setup.h"
#include "rng/rng.h"

// Every case of a file, in boxes stretched one after the other as it says, or not at all.
static void vectors(MPI_Comm comm, const char *name, const double (*stretch)[3], int wanted, double tolerance) {
  FILE *file = fopen(name, "r");
  CHECK(file, "no vectors");
  char line[512];
  int cases = 0, cells, events, points;
  while (fgets(line, sizeof line, file)) {
    if (sscanf(line, "case %d %d %d", &cells, &events, &points) != 3) continue;
    elastic_setup s;
    setup_elastic(&s, comm, cells, 0.58);
    CHECK(cases < wanted, "more cases than %d", wanted);
    if (stretch) CHECK_OK(stz_elastic_stretch(s.elastic, stretch[cases]));
    int x, y, z;
    double t[6];
    for (int i = 0; i < events; i++) {
      CHECK(fscanf(file, "%d%d%d%lf%lf%lf%lf%lf%lf", &x, &y, &z, t, t + 1, t + 2, t + 3, t + 4, t + 5) == 9, "event");
      for (int v = 0; v < 6; v++) t[v] *= 0.12;
      add_event(&s, x, y, z, t);
    }
    solve_stress(&s);
    for (int i = 0; i < points; i++) {
      CHECK(fscanf(file, "%d%d%d%lf%lf%lf%lf%lf%lf", &x, &y, &z, t, t + 1, t + 2, t + 3, t + 4, t + 5) == 9, "point");
      const int64_t site = stz_grid_local(s.grid, stz_grid_site(s.grid, x, y, z));
      if (site < 0) continue;
      double stress[6];
      stress_at(&s, site, stress);
      for (int v = 0; v < 6; v++) CHECK_NEAR(stress[v], t[v], tolerance);
    }
    close_elastic(&s);
    cases++;
  }
  fclose(file);
  CHECK(cases == wanted, "%d cases", cases);
}

// The table (single precision) against the transform: every row of the box, for an event of a general deviator at
// `origin`; added to what is there.
static void table(MPI_Comm comm, stz_boundary boundary, int layers, const int origin[3]) {
  enum { N = 16, ROWS = 4, MOST = ROWS * N };
  const stz_lattice_params lattice = {.cells = {N, N, layers}, .spacing_nm = 0.58, .boundary = boundary};
  const int length = ROWS * layers;
  elastic_setup s;
  setup_elastic_in(&s, comm, &lattice);
  const double e[6] = {0.03, -0.04, 0.01, 0.005, 0.022, -0.012};
  add_event(&s, origin[0], origin[1], origin[2], e);
  solve_stress(&s);
  double d[5];
  float strain[5];
  stz_dev_from_sym(e, d);
  for (int c = 0; c < 5; c++) strain[c] = (float)d[c];
  for (int64_t first = 0; first < stz_grid_local_sites(s.grid); first += length) {
    int x[3];
    float strip[5][MOST], *const stress[5] = {strip[0], strip[1], strip[2], strip[3], strip[4]};
    for (int i = 0; i < 5 * length; i++) strip[i / length][i % length] = 0.5f;
    stz_grid_coords(s.grid, stz_grid_first_site(s.grid) + first, x);
    stz_elastic_add_strip(s.elastic, origin, strain, x[0], x[1], ROWS, stress);
    for (int i = 0; i < 5 * length; i++) {
      const double sum = ((double)strip[i / length][i % length] - 0.5) / STZ_GPA;
      CHECK_NEAR(sum, s.stress[i / length][first + i % length] / STZ_GPA, 5e-7);
    }
  }
  close_elastic(&s);
}

static void cases(MPI_Comm comm) {
  static const double stretch[4][3] = {
      {0.1, -0.05, -0.05}, {0.1, -0.05, -0.05}, {-0.06, 0.09, -0.03}, {0.14, -0.08, -0.06}};
  vectors(comm, STZ_TEST_DATA "/elastic_vectors.txt", NULL, 5, 1e-13);     // rounding: 5e-14 of the largest stress
  vectors(comm, STZ_TEST_DATA "/stretched_vectors.txt", stretch, 4, 1e-8); // 27 aliases reach so far
  table(comm, STZ_BOUNDARY_PERIODIC, 16, (int[3]){5, 14, 3});
  table(comm, STZ_BOUNDARY_PERIODIC, 16, (int[3]){15, 0, 8});
  table(comm, STZ_BOUNDARY_PERIODIC, 16, (int[3]){2, 7, 15});
  table(comm, STZ_BOUNDARY_PERIODIC, 16, (int[3]){9, 3, 0});
  table(comm, STZ_BOUNDARY_FILM, 8, (int[3]){5, 14, 3});
  table(comm, STZ_BOUNDARY_FILM, 8, (int[3]){2, 7, 0});
}

int main(int argc, char **argv) { return harness_main(argc, argv, "elastic", cases); }
