// SPDX-License-Identifier: GPL-3.0-or-later
#include "observe/localisation.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/comm.h"
#include "base/memory.h"

// Below this share of the sum of their magnitudes, what is left of the voxels' strains is what forth and back happened
// to leave over: no scale for a slab's strain.
static const double LEAST_NET = 0.05;

// Sums of the axial plastic strain over the lines of a plane: ny sums along z, then nz sums along y, then the sum of
// the magnitudes.
static void line_sums(const int cells[3], const float *d3, const float *d4, double *lines) {
  memset(lines, 0, sizeof *lines * (size_t)(cells[1] + cells[2] + 1));
  for (int y = 0; y < cells[1]; y++) {
    for (int z = 0; z < cells[2]; z++) {
      const int site = y * cells[2] + z;
      const double strain = (double)d3[site] / sqrt(2.0) - (double)d4[site] / sqrt(6.0);
      lines[y] += strain;
      lines[cells[1] + z] += strain;
      lines[cells[1] + cells[2]] += fabs(strain);
    }
  }
}

static int divisor(int a, int b) { return b ? divisor(b, a % b) : a; }

// The largest of the slabs' sums along x + sign * t, t in 0..nt-1 counting the lines of a plane, as a share of a slab's
// part of `total`. `profile`: work space, nx.
static double largest_share(const double *lines, int nx, int width, int nt, int sign, double spacing, double total,
                            double *profile) {
  const int period = divisor(nx, nt), wanted = (int)lround(period * spacing / (sqrt(2.0) * STZ_SLAB_NM));
  const int slabs = wanted > 1 ? wanted : 1;
  memset(profile, 0, sizeof *profile * (size_t)period);
  for (int x = 0; x < nx; x++) {
    for (int t = 0; t < nt; t++) profile[stz_wrap(x + sign * t, period)] += lines[(int64_t)x * width + t];
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

stz_err stz_localisation(const stz_grid *grid, const float *d3, const float *d4, double *localisation) {
  const int *cells = stz_grid_cells(grid), nx = cells[0], width = cells[1] + cells[2] + 1;
  double *lines = NULL, *profile = NULL;
  stz_err err = STZ_NEW(lines, nx * width);
  if (err == STZ_OK) err = STZ_NEW(profile, nx);
  STZ_TRY_TO(done, err, stz_agree(stz_grid_comm(grid), err));
  for (int plane = 0; plane < stz_grid_planes(grid); plane++) {
    const int64_t site = (int64_t)plane * cells[1] * cells[2];
    line_sums(cells, d3 + site, d4 + site, lines + (int64_t)(stz_grid_first_plane(grid) + plane) * width);
  }
  stz_grid_gather_planes(grid, lines, width);
  double total = 0.0, magnitudes = 0.0;
  for (int x = 0; x < nx; x++) {
    total += stz_ordered_sum(lines + (int64_t)x * width, cells[1]);
    magnitudes += lines[(int64_t)x * width + width - 1];
  }
  *localisation = NAN;
  if (total != 0.0 && fabs(total) >= LEAST_NET * magnitudes) {
    *localisation = 1.0;
    for (int sign = -1; sign <= 1; sign += 2) {
      const double a = stz_grid_spacing(grid);
      const double y = largest_share(lines, nx, width, cells[1], sign, a, total, profile);
      const double z = largest_share(lines + cells[1], nx, width, cells[2], sign, a, total, profile);
      *localisation = fmax(*localisation, fmax(y, z));
    }
  }
done:
  stz_free(profile);
  stz_free(lines);
  return err;
}
