// SPDX-License-Identifier: GPL-3.0-or-later
#include "observe/participation.h"

#include <math.h>

#include "base/comm.h"
#include "base/memory.h"

enum { SUMS = 3 }; // of s, of s^2, of sheared sites

static void plane_sums(const float *const plastic[5], const uint32_t *events, int64_t first, int64_t count,
                       double sums[SUMS]) {
  for (int64_t i = first; i < first + count; i++) {
    double square = 0.0;
    for (int c = 0; c < 5; c++) square += (double)plastic[c][i] * (double)plastic[c][i];
    sums[0] += square;
    sums[1] += square * square;
    sums[2] += events[i] > 0;
  }
}

stz_err stz_participation_find(const stz_grid *grid, const float *const plastic[5], const uint32_t *events,
                               stz_participation *participation) {
  const int *cells = stz_grid_cells(grid);
  const int64_t plane = (int64_t)cells[1] * cells[2];
  double *planes = NULL, sums[SUMS] = {0};
  STZ_TRY(stz_agree(stz_grid_comm(grid), STZ_NEW(planes, SUMS * cells[0])));
  for (int p = 0; p < stz_grid_planes(grid); p++) {
    plane_sums(plastic, events, p * plane, plane, planes + (size_t)SUMS * (size_t)(stz_grid_first_plane(grid) + p));
  }
  stz_grid_gather_planes(grid, planes, SUMS);
  for (int x = 0; x < cells[0]; x++) {
    for (int k = 0; k < SUMS; k++) sums[k] += planes[SUMS * x + k];
  }
  stz_free(planes);
  const double sites = (double)stz_grid_sites(grid);
  participation->ratio = sums[1] > 0.0 ? sums[0] * sums[0] / (sites * sums[1]) : NAN;
  participation->sheared = sums[2] / sites;
  return STZ_OK;
}
