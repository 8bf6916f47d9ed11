// SPDX-License-Identifier: GPL-3.0-or-later
//
// Zones at the surfaces of a film: what of a zone lies outside is folded back, neither cut off nor brought in again at
// the other surface. Correlations and footprints g(z - z') become g(z - z') + g(z + z') (z from the surface), over the
// square roots of that at z' = z at both ends: noise keeps its variance, an event draws its own voxel wholly.
#include <math.h>

#include "base/mathfn.h"
#include "base/memory.h"
#include "base/units.h"
#include "glass/internal.h"

void stz_surface_barriers(stz_glass *g) {
  const int n = stz_grid_cells(g->grid)[2];
  const double depth = g->barriers.surface_depth_nm / stz_grid_spacing(g->grid); // voxels
  if (!stz_grid_film(g->grid) || g->barriers.surface_eV == 0.0) return;
  for (int64_t i = 0; i < stz_grid_local_sites(g->grid); i++) {
    const int z = (int)(i % n), layer = z < n - 1 - z ? z : n - 1 - z; // from the nearer surface
    g->base[i] += (float)(g->barriers.surface_eV * fmin(1.0, fmax(0.0, depth - layer)));
  }
}

// The footprint along z between two layers, with its images.
static double image_sum(const stz_glass *g, int z, int z0, double width) {
  const double a = stz_grid_spacing(g->grid) / width;
  const int n = stz_grid_cells(g->grid)[2], distance[3] = {z - z0, z + z0 + 1, 2 * n - 1 - z - z0};
  double sum = 0.0;
  for (int i = 0; i < 3; i++) sum += stz_exp(-0.5 * (double)distance[i] * distance[i] * a * a);
  return sum;
}

// The weight `draw` of a voxel of layer z for an event in layer z0.
static double folded(const stz_glass *g, int z, int z0, double draw) {
  const double width = stz_footprint_width(g), a = stz_grid_spacing(g->grid) / width;
  const double plain = stz_exp(-0.5 * (double)(z - z0) * (z - z0) * a * a);
  const double both = sqrt(image_sum(g, z, z, width) * image_sum(g, z0, z0, width));
  return fmin(1.0, draw / plain * image_sum(g, z, z0, width) / both);
}

stz_err stz_fold_footprint(stz_glass *g) {
  const int n = stz_grid_cells(g->grid)[2], size = g->footprint_size;
  if (!stz_grid_film(g->grid) || size == 1) return STZ_OK;
  STZ_TRY(STZ_NEW(g->folded, n * size));
  for (int at = 0; at < n * size; at++) {
    const stz_footprint_voxel *v = &g->footprint[at % size];
    const int z = at / size + v->offset[2];
    if (!stz_grid_outside(g->grid, z)) g->folded[at] = folded(g, z, at / size, v->draw);
  }
  return STZ_OK;
}

// The filter exp(-k^2 w^2/2) over the cosines that have no slope at the surfaces: rows of unit length. `waves` has room
// for a row more.
static void fill_filter(const stz_glass *g, double *filter, double *waves) {
  const int n = stz_grid_cells(g->grid)[2];
  const double step = STZ_PI / (n * stz_grid_spacing(g->grid)), width = stz_footprint_width(g);
  double *share = waves + n * n;
  for (int z = 0; z < n; z++) {
    for (int m = 0; m < n; m++) waves[z * n + m] = cos(STZ_PI * m * (z + 0.5) / n);
  }
  for (int m = 1; m < n; m++) share[m] = 2.0 * stz_exp(-0.5 * (m * step * width) * (m * step * width));
  for (int z = 0; z < n; z++) {
    double square = 0.0;
    for (int from = 0; from < n; from++) {
      double sum = 1.0;
      for (int m = 1; m < n; m++) sum += share[m] * (waves[z * n + m] * waves[from * n + m]);
      filter[z * n + from] = sum / n;
      square += filter[z * n + from] * filter[z * n + from];
    }
    for (int from = 0; from < n; from++) filter[z * n + from] /= sqrt(square);
  }
}

typedef struct folding {
  int layers;
  const double *filter;
  double *field, *rows; // rows: a row per worker
} folding;

static void filter_rows(void *context, int64_t first, int64_t end, int worker) {
  const folding *f = context;
  const int n = f->layers;
  double *row = f->rows + (size_t)worker * (size_t)n;
  for (int64_t i = first; i < end; i++) {
    double *field = f->field + i * n;
    for (int z = 0; z < n; z++) {
      row[z] = 0.0;
      for (int from = 0; from < n; from++) row[z] += f->filter[z * n + from] * field[from];
    }
    for (int z = 0; z < n; z++) field[z] = row[z];
  }
}

stz_err stz_fold_filter(const stz_glass *g, double *field) {
  stz_team *team = stz_grid_team(g->grid);
  const int n = stz_grid_cells(g->grid)[2];
  double *filter = NULL, *waves = NULL, *rows = NULL;
  stz_err err = STZ_NEW(filter, n * n);
  if (err == STZ_OK) err = STZ_NEW(waves, n * (n + 1));
  if (err == STZ_OK) err = STZ_NEW(rows, stz_team_workers(team) * n);
  if (err == STZ_OK) {
    fill_filter(g, filter, waves);
    stz_team_run(team, stz_grid_local_sites(g->grid) / n, 64, filter_rows, &(folding){n, filter, field, rows});
  }
  stz_free(filter);
  stz_free(waves);
  stz_free(rows);
  return err;
}
