// SPDX-License-Identifier: GPL-3.0-or-later
#include "micro/layers.h"

#include <math.h>
#include <stdio.h>

static const double TOLERANCE = 1e-3; // so that the four digits of the message are taken

// How many periods fill the edge.
static stz_err count_periods(double edge, double a, const stz_micro_params *params, int *count) {
  const double period = params->layer_period_nm, share = params->layer_rich_share;
  *count = (int)fmax(1.0, floor(edge / period + 0.5));
  if (fabs(period * *count / edge - 1.0) > TOLERANCE) {
    const int fewer = (int)fmax(1.0, floor(edge / period)), more = fewer + (edge > period);
    char second[40] = "";
    if (more > fewer) snprintf(second, sizeof second, " and %.4g", edge / more);
    return stz_fail(STZ_EINPUT,
                    "microstructure.layer_period_nm: got %g, needs a whole number of periods in the box's %g nm; the "
                    "nearest: %.4g%s nm",
                    period, edge, edge / fewer, second);
  }
  if (fmin(share, 1.0 - share) * edge / *count >= a * (1.0 - TOLERANCE)) return STZ_OK;
  return stz_fail(STZ_EINPUT,
                  "microstructure.layer_period_nm: got %g, needs >= %.4g, for each layer to be a voxel thick", period,
                  a / fmin(share, 1.0 - share));
}

stz_err stz_layers_fill(const stz_grid *grid, const stz_micro_params *params, double *distance, double *period_nm) {
  const int n = stz_grid_cells(grid)[params->layer_axis];
  const double a = stz_grid_spacing(grid), share = params->layer_rich_share;
  int count;
  STZ_TRY(count_periods(n * a, a, params, &count));
  *period_nm = n * a / count;
  for (int64_t i = 0; i < stz_grid_local_sites(grid); i++) {
    int x[3];
    stz_grid_coords(grid, stz_grid_first_site(grid) + i, x);
    const int centre = (2 * x[params->layer_axis] + 1) * count % (2 * n); // in units of 1/2n of the period
    const double u = (double)centre / (2 * n);
    distance[i] = u < share ? fmin(u, share - u) : -fmin(u - share, 1.0 - u);
  }
  return STZ_OK;
}
