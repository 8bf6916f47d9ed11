// SPDX-License-Identifier: GPL-3.0-or-later
#include "observe/localisation.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/comm.h"

// Below this share of the sum of their magnitudes, what is left of the voxels' strains is what forth and back happened
// to leave over: no scale for a slab's strain.
static const double LEAST_NET = 0.05;

static int divisor(int a, int b) { return b ? divisor(b, a % b) : a; }

// The largest of the slabs' sums along x + sign * t, t in 0..nt-1 counting the lines of a plane, as a share of a slab's
// part of `total`. `period`: of x + sign * t. `profile`: work space, nx.
static double largest_fraction(const double *lines, int nx, int stride, int nt, int period, int sign, double spacing,
                               double total, double *profile) {
  const int wanted = (int)lround(period * spacing / (sqrt(2.0) * STZ_SLAB_NM));
  const int slabs = wanted > 1 ? wanted : 1;
  memset(profile, 0, sizeof *profile * (size_t)period);
  for (int x = 0; x < nx; x++) {
    for (int t = 0; t < nt; t++) profile[stz_wrap(x + sign * t, period)] += lines[(int64_t)x * stride + t];
  }
  // In units of spacing/slabs, layer k is [k slabs, (k + 1) slabs) and slab b is [b period, (b + 1) period).
  double largest = -INFINITY;
  for (int b = 0; b < slabs; b++) {
    double sum = 0.0;
    for (int k = b * period / slabs; k < period && k * slabs < (b + 1) * period; k++) {
      const int low = k * slabs > b * period ? k * slabs : b * period;
      const int high = (k + 1) * slabs < (b + 1) * period ? (k + 1) * slabs : (b + 1) * period;
      sum += (high - low) * profile[k];
    }
    largest = fmax(largest, sum / total); // (sum/slabs) / (total/slabs): a slab is 1/slabs of the box
  }
  return largest;
}

int stz_localisation_width(const stz_grid *grid) { return stz_grid_cells(grid)[1] + stz_grid_cells(grid)[2] + 1; }

double stz_localisation_of(const stz_grid *grid, const double *lines, int stride, double *profile) {
  const int *cells = stz_grid_cells(grid), nx = cells[0];
  const double a = stz_grid_spacing(grid);
  double total = 0.0, magnitudes = 0.0, largest = 1.0;
  for (int x = 0; x < nx; x++) {
    total += stz_ordered_sum(lines + (int64_t)x * stride, cells[1]);
    magnitudes += lines[(int64_t)x * stride + cells[1] + cells[2]];
  }
  if (total == 0.0 || fabs(total) < LEAST_NET * magnitudes) return NAN;
  const int y_period = divisor(nx, cells[1]), z_period = stz_grid_film(grid) ? nx : divisor(nx, cells[2]);
  for (int sign = -1; sign <= 1; sign += 2) {
    const double y = largest_fraction(lines, nx, stride, cells[1], y_period, sign, a, total, profile);
    const double z = largest_fraction(lines + cells[1], nx, stride, cells[2], z_period, sign, a, total, profile);
    largest = fmax(largest, fmax(y, z));
  }
  return largest;
}
