// SPDX-License-Identifier: GPL-3.0-or-later
#include "observe/tube.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/units.h"

static const double FIXED_POINT = 0x1p40;

stz_err stz_columns_create(const stz_grid *grid, int beam, stz_columns *columns) {
  const int *cells = stz_grid_cells(grid);
  const int u = (beam + 1) % 3, v = (beam + 2) % 3;
  *columns =
      (stz_columns){.u = u, .v = v, .beam = beam, .nu = cells[u], .nv = cells[v], .spacing = stz_grid_spacing(grid)};
  STZ_TRY(STZ_NEW(columns->length, cells[beam]));
  STZ_TRY(STZ_NEW(columns->values, cells[u] * cells[v]));
  return STZ_NEW(columns->sums, cells[u] * cells[v]);
}

void stz_columns_destroy(stz_columns *columns) {
  stz_free(columns->length);
  stz_free(columns->values);
  stz_free(columns->sums);
  *columns = (stz_columns){0};
}

static double overlap(double a0, double a1, double b0, double b1) { return fmax(0.0, fmin(a1, b1) - fmax(a0, b0)); }

// Length of voxel k along the beam within the periodic foil.
static double length_in_foil(int k, int cells, double spacing, double begin, double thickness) {
  const double box = cells * spacing, low = k * spacing, high = low + spacing;
  const double from = begin - floor(begin / box) * box;
  return overlap(low, high, from, from + thickness) + overlap(low + box, high + box, from, from + thickness);
}

void stz_columns_fill(stz_columns *columns, const stz_grid *grid, const float *field, double begin, double thickness) {
  const int *cells = stz_grid_cells(grid);
  const int first = stz_grid_first_plane(grid), planes = stz_grid_planes(grid), count = columns->nu * columns->nv,
            along = cells[columns->beam];
  memset(columns->sums, 0, sizeof *columns->sums * (size_t)count);
  for (int k = 0; k < along; k++) columns->length[k] = length_in_foil(k, along, columns->spacing, begin, thickness);
  int site[3];
  int64_t local = 0;
  for (site[0] = first; site[0] < first + planes; site[0]++) {
    for (site[1] = 0; site[1] < cells[1]; site[1]++) {
      for (site[2] = 0; site[2] < cells[2]; site[2]++, local++) {
        const double length = columns->length[site[columns->beam]];
        if (length == 0.0) continue;
        columns->sums[site[columns->u] * columns->nv + site[columns->v]] +=
            llrint(length * (double)field[local] * FIXED_POINT);
      }
    }
  }
  MPI_Allreduce(MPI_IN_PLACE, columns->sums, count, MPI_INT64_T, MPI_SUM, stz_grid_comm(grid));
  for (int i = 0; i < count; i++) columns->values[i] = (double)columns->sums[i] / FIXED_POINT;
}

// Area of the part Y > y of the disc.
static double disc_cap(double y, double radius) {
  if (y >= radius) return 0.0;
  if (y <= -radius) return STZ_PI * radius * radius;
  return radius * radius * acos(y / radius) - y * sqrt(radius * radius - y * y);
}

// Antiderivative of sqrt(radius^2 - t^2).
static double half_disc(double t, double radius) {
  return 0.5 * (t * sqrt(fmax(0.0, radius * radius - t * t)) + radius * radius * asin(fmin(1.0, t / radius)));
}

double stz_disc_corner(double x, double y, double radius) {
  if (y < 0.0) return disc_cap(x, radius) - stz_disc_corner(x, -y, radius); // the mirror image in the axis y = 0
  if (x < 0.0) return disc_cap(y, radius) - stz_disc_corner(-x, y, radius);
  if (x * x + y * y >= radius * radius) return 0.0;
  const double edge = sqrt(radius * radius - y * y);
  return half_disc(edge, radius) - half_disc(x, radius) - y * (edge - x);
}

double stz_columns_tube(const stz_columns *columns, double u, double v, double radius) {
  const double a = columns->spacing;
  const int u0 = (int)floor((u - radius) / a), u1 = (int)floor((u + radius) / a);
  const int v0 = (int)floor((v - radius) / a), v1 = (int)floor((v + radius) / a);
  double sum = 0.0;
  for (int i = u0; i <= u1; i++) {
    for (int j = v0; j <= v1; j++) {
      const double x0 = i * a - u, x1 = (i + 1) * a - u, y0 = j * a - v, y1 = (j + 1) * a - v;
      const double area = stz_disc_corner(x0, y0, radius) - stz_disc_corner(x1, y0, radius) -
                          stz_disc_corner(x0, y1, radius) + stz_disc_corner(x1, y1, radius);
      sum += area * columns->values[stz_wrap(i, columns->nu) * columns->nv + stz_wrap(j, columns->nv)];
    }
  }
  return sum;
}
