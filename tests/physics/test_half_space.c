// SPDX-License-Identifier: GPL-3.0-or-later
//
// Stress at the free surface above an event, by the plate, against the closed form for a half space. A force F at a
// point of the surface displaces the material below by Cerruti's solution (K. L. Johnson, Contact Mechanics, eq. 3.75).
// By reciprocity the displacement of that point along F, due to an eigenstrain e in the volume Omega, is 2 mu Omega
// e_ij du_i/dx_j of that solution at unit force (Y. Okada, Bull. Seism. Soc. Am. 75, 1135, 1985, has the derivatives
// written out). At a surface free of traction the strains along it give the stress.
//
// The plate is 56 nm thick and 18.6 nm wide, so that nothing of its other surface is seen. The closed form is summed
// over the periodic images and averaged over the event's shape; without the shape it comes near as depth^-2.
#include <gsl/gsl_integration.h>

#include "mpi/harness.h"
#include "plate_field.h"

enum { SIDE = 32, NODES = 8, STRESSES = 3 /* xx yy xy */ };
static const stz_plate_params PLATE = {
    .cells = {SIDE, SIDE, 3 * SIDE}, .spacing = 0.58, .volume = 1.7, .shear = 72.0 / 2.8, .poisson = 0.4};
static const int PLACES[][2] = {{0, 0}, {2, 0}, {0, -3}, {3, 2}, {-5, 4}, {1, 7}, {-9, -6}, {12, 5}};
enum { COUNT = sizeof PLACES / sizeof PLACES[0] };

// Displacement at r, z > 0, by a unit force on the surface at the origin along x or y.
static void cerruti(int along, const double r[3], double u[3]) {
  const double rho = sqrt(r[0] * r[0] + r[1] * r[1] + r[2] * r[2]), deep = rho + r[2];
  const double x = r[along], y = r[1 - along], share = 1.0 - 2.0 * PLATE.poisson;
  const double scale = 1.0 / (4.0 * STZ_PI * PLATE.shear * rho);
  u[along] = scale * (1.0 + x * x / (rho * rho) + share * (rho / deep - x * x / (deep * deep)));
  u[1 - along] = scale * x * y * (1.0 / (rho * rho) - share / (deep * deep));
  u[2] = scale * x * (r[2] / (rho * rho) + share / deep);
}

// Second derivative of that along the axes a (in the plane) and b.
static void bent(int along, const double r[3], int a, int b, double u[3]) {
  static const double STEP = 2e-3; // nm
  memset(u, 0, 3 * sizeof *u);
  for (int corner = 0; corner < 4; corner++) {
    double at[3] = {r[0], r[1], r[2]}, one[3];
    at[a] += corner & 1 ? STEP : -STEP;
    at[b] += corner & 2 ? STEP : -STEP;
    cerruti(along, at, one);
    for (int i = 0; i < 3; i++) u[i] += (corner == 0 || corner == 3 ? 1.0 : -1.0) * one[i] / (4.0 * STEP * STEP);
  }
}

// Adds `share` times the stress at the surface of unit volume and strain components d, at the offset (x, y) from a
// source in the depth z.
static void add_point(double share, double x, double y, double z, double stress[STRESSES][6]) {
  static const int index[6][2] = {{0, 0}, {1, 1}, {2, 2}, {1, 2}, {0, 2}, {0, 1}};
  const double r[3] = {-x, -y, z}, nu = PLATE.poisson, plane = 2.0 * PLATE.shear / (1.0 - nu);
  double second[2][2][3][3]; // [force][along the surface][derivative][component]
  for (int i = 0; i < 12; i++) bent(i / 6, r, i / 3 % 2, i % 3, second[i / 6][i / 3 % 2][i % 3]);
  for (int d = 0; d < 6; d++) {
    const int i = index[d][0], j = index[d][1];
    double slope[2][2]; // of the displacement along n, towards a: the source's place moves the other way
    for (int n = 0; n < 2; n++) {
      for (int a = 0; a < 2; a++) {
        const double both = second[n][a][j][i] + second[n][a][i][j];
        slope[n][a] = -2.0 * PLATE.shear * (i == j ? 0.5 : 1.0) * both;
      }
    }
    stress[0][d] += share * plane * (slope[0][0] + nu * slope[1][1]);
    stress[1][d] += share * plane * (slope[1][1] + nu * slope[0][0]);
    stress[2][d] += share * PLATE.shear * (slope[0][1] + slope[1][0]);
  }
}

typedef struct rule {
  double node[NODES], weight[NODES]; // of a Gaussian's average, of the standard deviation 1
} rule;

static rule gaussian(void) {
  rule r;
  gsl_integration_fixed_workspace *w =
      gsl_integration_fixed_alloc(gsl_integration_fixed_hermite, NODES, 0.0, 0.5, 0, 0);
  for (int i = 0; i < NODES; i++) {
    r.node[i] = gsl_integration_fixed_nodes(w)[i];
    r.weight[i] = gsl_integration_fixed_weights(w)[i] / sqrt(2.0 * STZ_PI);
  }
  gsl_integration_fixed_free(w);
  return r;
}

// Of an event with its Gaussian shape, read with such a shape along x and y; `wide`: 0 for a point.
static void add_shape(const rule *g, double wide, double x, double y, double z, double stress[STRESSES][6]) {
  const double along = wide * cbrt(PLATE.volume) / (2.0 * sqrt(STZ_PI)), across = sqrt(2.0) * along;
  for (int i = 0; i < NODES * NODES * NODES; i++) {
    const int n[3] = {i % NODES, i / NODES % NODES, i / NODES / NODES};
    const double share = g->weight[n[0]] * g->weight[n[1]] * g->weight[n[2]];
    add_point(share, x + across * g->node[n[0]], y + across * g->node[n[1]], z + along * g->node[n[2]], stress);
  }
}

// With the images within `reach` boxes.
static void sum_images(const rule *g, double wide, int reach, const int place[2], double z,
                       double stress[STRESSES][6]) {
  memset(stress, 0, STRESSES * 6 * sizeof(double));
  for (int i = -reach; i <= reach; i++) {
    for (int j = -reach; j <= reach; j++) {
      const double x = (place[0] + i * SIDE) * PLATE.spacing, y = (place[1] + j * SIDE) * PLATE.spacing;
      if (wide > 0.0 && abs(i) <= 1 && abs(j) <= 1) {
        add_shape(g, wide, x, y, z, stress);
      } else {
        add_point(1.0, x, y, z, stress);
      }
    }
  }
}

// Closed form. What lies beyond a square falls off as one over its side.
static void expected(const rule *g, double wide, const int place[2], int layer, double stress[STRESSES][6]) {
  static const int NEAR = 12, FAR = 25;
  const double z = (layer + 0.5) * PLATE.spacing;
  double near[STRESSES][6];
  sum_images(g, wide, NEAR, place, z, near);
  sum_images(g, wide, FAR, place, z, stress);
  for (int i = 0; i < STRESSES * 6; i++) {
    const double more = stress[i / 6][i % 6] - near[i / 6][i % 6];
    stress[i / 6][i % 6] = PLATE.volume * (stress[i / 6][i % 6] + more * (NEAR + 0.5) / (FAR - NEAR));
  }
}

// Root mean square of the stresses at the surface, plate less closed form, over that of the closed form.
static double difference(const rule *g, double wide, int layer) {
  enum { WAVES = SIDE / 2 + 1 };
  static double green[WAVES * WAVES][6][5];
  static const int component[STRESSES] = {0, 1, 5};
  double square = 0.0, off = 0.0;
  for (int m = 0; m < WAVES * WAVES; m++) plate_field(&PLATE, m / WAVES, m % WAVES, layer, 0.0, green[m]);
  for (int place = 0; place < COUNT; place++) {
    double closed[STRESSES][6];
    expected(g, wide, PLACES[place], layer, closed);
    for (int d = 0; d < 5; d++) {
      double strain[5] = {0}, sym[6], stress[6], found[6];
      strain[d] = 1.0;
      stz_sym_from_dev(strain, sym);
      plate_stress(PLATE.cells, green, 1, strain, PLACES[place][0], PLACES[place][1], stress);
      plate_tensor(stress, found);
      for (int s = 0; s < STRESSES; s++) {
        double form = 0.0;
        for (int v = 0; v < 6; v++) form += closed[s][v] * sym[v];
        off += pow(found[component[s]] - form, 2.0);
        square += form * form;
      }
    }
  }
  return sqrt(off / square);
}

int main(void) {
  static const struct {
    int layer;
    double tolerance; // what the sum over images leaves of a field that gets weaker
  } CASES[] = {{4, 1e-4}, {9, 1e-4}, {19, 1e-3}};
  const rule g = gaussian();
  const double width2 = pow(PLATE.volume, 2.0 / 3.0) / (4.0 * STZ_PI);
  for (int i = 0; i < 3; i++) {
    const double depth = (CASES[i].layer + 0.5) * PLATE.spacing, shaped = difference(&g, 1.0, CASES[i].layer);
    const double point = difference(&g, 0.0, CASES[i].layer) * depth * depth / width2;
    printf("%.2f nm below: plate off by %.2g of the closed form with the shape, by %.3g (s/depth)^2 of a point's\n",
           depth, shaped, point);
    CHECK(shaped < CASES[i].tolerance, "layer %d: off by %g", CASES[i].layer, shaped);
    CHECK(point > 12.0 && point < 19.0, "layer %d: a point's off by %g (s/depth)^2", CASES[i].layer, point);
  }
  return harness_failures ? 1 : 0;
}
