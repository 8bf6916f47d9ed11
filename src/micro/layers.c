// SPDX-License-Identifier: GPL-3.0-or-later
#include "micro/layers.h"

#include <math.h>
#include <stdio.h>

static const double TOLERANCE = 1e-3; // so that the four digits of the message are taken

// How many periods fill the edge; 0: the thickness of a film, which they need not fill.
static stz_err count_periods(double edge, double a, bool open, const stz_micro_params *params, int *count) {
  const double period = params->layer_period_nm, share = params->layer_rich_share;
  const int nearest = (int)fmax(1.0, floor(edge / period + 0.5));
  const bool fits = fabs(period * nearest / edge - 1.0) <= TOLERANCE;
  *count = fits ? nearest : 0;
  if (!fits && !open) {
    const int fewer = (int)fmax(1.0, floor(edge / period)), more = fewer + (edge > period);
    char second[40] = "";
    if (more > fewer) snprintf(second, sizeof second, " and %.4g", edge / more);
    return stz_fail(STZ_EINPUT,
                    "microstructure.layer_period_nm: got %g, needs a whole number of periods in the box's %g nm; the "
                    "nearest: %.4g%s nm",
                    period, edge, edge / fewer, second);
  }
  if (fmin(share, 1.0 - share) * (fits ? edge / nearest : period) >= a * (1.0 - TOLERANCE)) return STZ_OK;
  return stz_fail(STZ_EINPUT,
                  "microstructure.layer_period_nm: got %g, needs >= %.4g, for each layer to be a voxel thick", period,
                  a / fmin(share, 1.0 - share));
}

// The place of a voxel in its period, from 0 to 1. A whole number of periods in n voxels is counted in whole numbers.
static double place_of(int x, int n, int count, double period) {
  return count > 0 ? (double)((2 * x + 1) * count % (2 * n)) / (2 * n) : fmod((x + 0.5) / period, 1.0);
}

stz_err stz_layers_fill(const stz_grid *grid, const stz_micro_params *params, double *distance, double *period_nm) {
  const int n = stz_grid_cells(grid)[params->layer_axis];
  const double a = stz_grid_spacing(grid), share = params->layer_rich_share;
  int count;
  STZ_TRY(count_periods(n * a, a, stz_grid_film(grid) && params->layer_axis == 2, params, &count));
  *period_nm = count > 0 ? n * a / count : params->layer_period_nm;
  for (int64_t i = 0; i < stz_grid_local_sites(grid); i++) {
    int x[3];
    stz_grid_coords(grid, stz_grid_first_site(grid) + i, x);
    const double u = place_of(x[params->layer_axis], n, count, *period_nm / a);
    distance[i] = u < share ? fmin(u, share - u) : -fmin(u - share, 1.0 - u);
  }
  return STZ_OK;
}
