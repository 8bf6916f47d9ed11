// SPDX-License-Identifier: GPL-3.0-or-later
//
// The stress in a plate with free faces (elastic/plate.h) at points: from wave numbers to places, and along z as it is,
// not averaged over a layer.
#ifndef STZ_TEST_PLATE_FIELD_H
#define STZ_TEST_PLATE_FIELD_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/tensor.h"
#include "base/units.h"
#include "elastic/plate.h"
#include "elastic/waves.h"

// The number of times that component c (5: the trace) changes sign under reflection of the axis: 0 or 1.
static inline int plate_odd(int c, int axis) { return c < 5 && stz_dev_parity(c, axis) < 0; }

// Stress of a strain, both in the orthonormal basis, at the offset (x, y) in cells. The operator at the wave numbers
// mx, my >= 0 is green[(mx (ny/2 + 1) + my) stride].
static inline void plate_stress(const int cells[3], double (*green)[6][5], size_t stride, const double strain[5], int x,
                                int y, double stress[6]) {
  const int nx = cells[0], ny = cells[1];
  memset(stress, 0, 6 * sizeof(double));
  for (int m = 0; m < nx * ny; m++) {
    const int mx = m / ny - nx / 2 + 1, my = m % ny - ny / 2 + 1; // -n/2 + 1 .. n/2
    const size_t at = (size_t)(abs(mx) * (ny / 2 + 1) + abs(my)) * stride;
    const double phase = 2.0 * STZ_PI * ((double)mx * x / nx + (double)my * y / ny);
    for (int c = 0; c < 6; c++) {
      for (int d = 0; d < 5; d++) {
        double g = green[at][c][d] * strain[d] / (nx * ny);
        if (mx < 0 && plate_odd(c, 0) != plate_odd(d, 0)) g = -g;
        if (my < 0 && plate_odd(c, 1) != plate_odd(d, 1)) g = -g;
        if (2 * mx == nx && plate_odd(c, 0) != plate_odd(d, 0)) g = 0.0;
        if (2 * my == ny && plate_odd(c, 1) != plate_odd(d, 1)) g = 0.0;
        const int turns = plate_odd(c, 2) - plate_odd(d, 2); // of the factor i
        stress[c] += turns == 0 ? g * cos(phase) : -turns * g * sin(phase);
      }
    }
  }
}

// From the orthonormal basis to xx yy zz yz xz xy.
static inline void plate_tensor(const double stress[6], double sym[6]) {
  stz_sym_from_dev(stress, sym);
  for (int v = 0; v < 3; v++) sym[v] += stress[5] / sqrt(3.0);
}

// A layer's shape, folded at both faces.
static inline stz_waves_layer plate_layer(const stz_plate_params *p, int j) {
  const double z = (j + 0.5) * p->spacing, height = p->cells[2] * p->spacing;
  return (stz_waves_layer){.centre = {z, -z, 2.0 * height - z}, .images = 3};
}

// The operator of one wave vector at the depth z.
static inline void plate_wave(const stz_plate_params *p, double kx, double ky, int from, double z, double green[6][5]) {
  const double k = hypot(kx, ky), a = p->spacing;
  const stz_waves_body body = {p->cells[2] * a, cbrt(p->volume) / (2.0 * sqrt(STZ_PI)), p->shear, p->poisson};
  const stz_waves_layer layer = plate_layer(p, from);
  const stz_waves_source source = stz_waves_solve(&body, k, &layer);
  double sv[STZ_SV][STZ_SV], sh[STZ_SH][STZ_SH], q[6][6], one[STZ_SV][2], antiplane[STZ_SH];
  stz_waves w = {0};
  stz_waves_readout r;
  for (int i = 0; i < layer.images; i++) stz_waves_add(k, body.width, z - layer.centre[i], 1.0, &w);
  for (int face = 0; face < 2; face++) {
    const double zeta = face ? body.height - z : z, e = exp(-k * zeta);
    stz_waves_free(&body, e, k * zeta * e, face ? -1.0 : 1.0, one, antiplane);
    stz_waves_put(&r, face, one, antiplane);
  }
  stz_waves_stress(&body, k, &w, sv, sh);
  stz_waves_add_free(&r, &source, sv, sh);
  stz_waves_turn(kx / k, ky / k, q);
  stz_waves_add_turned(p->volume / (a * a) * exp(-k * k * body.width * body.width), q, sv, sh, green);
}

// The field at the depth z of the source layer `from`, averaged over the shape of an STZ along x and y alone, at the
// wave numbers mx and my of the lattice; without the layers' mean, k = 0.
static inline void plate_field(const stz_plate_params *p, int mx, int my, int from, double z, double green[6][5]) {
  memset(green, 0, 30 * sizeof(double));
  for (int alias = 0; alias < 9; alias++) {
    const double kx = 2.0 * STZ_PI / p->spacing * ((double)mx / p->cells[0] + alias / 3 - 1);
    const double ky = 2.0 * STZ_PI / p->spacing * ((double)my / p->cells[1] + alias % 3 - 1);
    if (kx != 0.0 || ky != 0.0) plate_wave(p, kx, ky, from, z, green);
  }
}

#endif
