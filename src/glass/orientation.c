// SPDX-License-Identifier: GPL-3.0-or-later
//
// Orientation cells: Voronoi cells of a lattice of pitch L/round(L/Omega^(1/3)) an axis, its points jittered by one
// uniform number an axis and cell. A cell, not a voxel, has a rotation: that makes the glass independent of the
// spacing.
#include <math.h>

#include "base/comm.h"
#include "base/memory.h"
#include "glass/internal.h"

static int wrap(int i, int n) { return (i % n + n) % n; }

// Index of cell (i, j, k), any integers, and its point in the frame of those integers (not wrapped into the box), nm.
static uint32_t cell_point(const stz_glass *g, int i, int j, int k, double point[3]) {
  const int *n = g->cells.count;
  const uint32_t cell = (uint32_t)((wrap(i, n[0]) * n[1] + wrap(j, n[1])) * n[2] + wrap(k, n[2]));
  stz_rng rng = stz_rng_stream(g->seed, STZ_RNG_CELLS, cell);
  const int index[3] = {i, j, k};
  for (int axis = 0; axis < 3; axis++) point[axis] = (index[axis] + stz_rng_uniform(&rng)) * g->cells.pitch[axis];
  return cell;
}

// The points of all cells that a plane of voxels can belong to: two layers to either side of the plane's own.
enum { LAYERS = 5 };
typedef struct cell_layers {
  int first; // layer index of the first
  double (*points)[3];
  uint32_t *cells;
} cell_layers;

static void fill_layers(const stz_glass *g, int middle, cell_layers *layers) {
  const int *n = g->cells.count;
  layers->first = middle - LAYERS / 2;
  for (int i = 0; i < LAYERS; i++) {
    for (int j = 0; j < n[1]; j++) {
      for (int k = 0; k < n[2]; k++) {
        const int at = (i * n[1] + j) * n[2] + k;
        layers->cells[at] = cell_point(g, layers->first + i, j, k, layers->points[at]);
      }
    }
  }
}

// The cell whose point is nearest to `x`. A point is at most sqrt3 pitches away, hence within two cells an axis.
static uint32_t nearest_cell(const stz_glass *g, const cell_layers *layers, const double x[3]) {
  const int *n = g->cells.count;
  const double *pitch = g->cells.pitch;
  const int j0 = (int)(x[1] / pitch[1]), k0 = (int)(x[2] / pitch[2]);
  double least = 1e300;
  uint32_t nearest = 0;
  for (int i = 0; i < LAYERS; i++) {
    for (int j = j0 - 2; j <= j0 + 2; j++) {
      for (int k = k0 - 2; k <= k0 + 2; k++) {
        const int at = (i * n[1] + wrap(j, n[1])) * n[2] + wrap(k, n[2]);
        const double *p = layers->points[at];
        const double dx = p[0] - x[0];
        const double dy = p[1] + (j - wrap(j, n[1])) * pitch[1] - x[1];
        const double dz = p[2] + (k - wrap(k, n[2])) * pitch[2] - x[2];
        const double r2 = dx * dx + dy * dy + dz * dz;
        if (r2 < least) {
          least = r2;
          nearest = layers->cells[at];
        }
      }
    }
  }
  return nearest;
}

static void assign_cells(stz_glass *g, cell_layers *layers) {
  const double a = stz_grid_spacing(g->grid);
  int filled = -1000;
  for (int64_t i = 0; i < stz_grid_local_sites(g->grid); i++) {
    int xyz[3];
    stz_grid_coords(g->grid, stz_grid_first_site(g->grid) + i, xyz);
    const double x[3] = {(xyz[0] + 0.5) * a, (xyz[1] + 0.5) * a, (xyz[2] + 0.5) * a};
    const int layer = (int)(x[0] / g->cells.pitch[0]);
    if (layer != filled) fill_layers(g, layer, layers);
    filled = layer;
    g->cell[i] = nearest_cell(g, layers, x);
    stz_rng rng = stz_rng_stream(g->seed, STZ_RNG_ORIENTATION, g->cell[i]);
    g->rotation[i] = (uint16_t)stz_rng_below(&rng, (uint64_t)g->modes.rotations);
  }
}

stz_err stz_orientation_init(stz_glass *g) {
  const double size = cbrt(g->stz.volume_nm3);
  for (int axis = 0; axis < 3; axis++) {
    const double length = stz_grid_cells(g->grid)[axis] * stz_grid_spacing(g->grid);
    const int count = (int)floor(length / size + 0.5);
    g->cells.count[axis] = count > 1 ? count : 1;
    g->cells.pitch[axis] = length / g->cells.count[axis];
  }
  if (g->modes.rotations == 1) return STZ_OK;
  const double widest = fmax(g->cells.pitch[0], fmax(g->cells.pitch[1], g->cells.pitch[2]));
  const int across = 2 * (int)ceil(sqrt(3.0) * widest / stz_grid_spacing(g->grid)) + 2; // see stz_orientation_turn
  g->cells.most = across * across * across;
  cell_layers layers = {0};
  const int points = LAYERS * g->cells.count[1] * g->cells.count[2];
  stz_err err = STZ_NEW(layers.points, points);
  if (err == STZ_OK) err = STZ_NEW(layers.cells, points);
  err = stz_agree(stz_grid_comm(g->grid), err);
  if (err == STZ_OK) assign_cells(g, &layers);
  stz_free(layers.points);
  stz_free(layers.cells);
  return err;
}

void stz_orientation_turn(stz_glass *g, const stz_shear *shear, int rotation) {
  if (g->modes.rotations == 1) return;
  const double a = stz_grid_spacing(g->grid);
  const int *n = g->cells.count, *cells = stz_grid_cells(g->grid);
  const int cell = (int)shear->cell;
  double point[3];
  (void)cell_point(g, cell / (n[1] * n[2]), cell / n[2] % n[1], cell % n[2], point);
  // Every voxel of the cell lies within sqrt3 pitches of its point.
  int low[3], high[3];
  for (int axis = 0; axis < 3; axis++) {
    const double reach = sqrt(3.0) * fmax(g->cells.pitch[0], fmax(g->cells.pitch[1], g->cells.pitch[2]));
    low[axis] = (int)floor((point[axis] - reach) / a);
    high[axis] = (int)ceil((point[axis] + reach) / a);
    if (high[axis] - low[axis] >= cells[axis]) high[axis] = low[axis] + cells[axis] - 1;
  }
  for (int x = low[0]; x <= high[0]; x++) {
    const int64_t plane = stz_grid_local(g->grid, stz_grid_site(g->grid, x, 0, 0));
    if (plane < 0) continue;
    for (int y = low[1]; y <= high[1]; y++) {
      const int64_t row = plane + (int64_t)wrap(y, cells[1]) * cells[2];
      int at = wrap(low[2], cells[2]);
      for (int z = low[2]; z <= high[2]; z++, at = at + 1 < cells[2] ? at + 1 : 0) {
        if (g->cell[row + at] != shear->cell) continue;
        g->rotation[row + at] = (uint16_t)rotation;
        g->touched[g->touched_count++] = row + at;
      }
    }
  }
}
