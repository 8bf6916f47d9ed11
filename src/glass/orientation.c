// SPDX-License-Identifier: GPL-3.0-or-later
//
// Grains of orientation: Voronoi cells of a lattice of pitch L/round(L/Omega^(1/3)) per axis, its points jittered by
// one uniform number per axis and cell. A cell, not a voxel, has a rotation: that makes the glass independent of the
// spacing.
#include <math.h>

#include "base/comm.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "glass/internal.h"

// Index of cell (i, j, k), any integers, and its point in the frame of those integers (not wrapped into the box), nm.
static uint32_t cell_point(const stz_glass *g, int i, int j, int k, double point[3]) {
  const int *n = g->cells.count;
  const uint32_t cell = (uint32_t)((stz_wrap(i, n[0]) * n[1] + stz_wrap(j, n[1])) * n[2] + stz_wrap(k, n[2]));
  stz_rng rng = stz_rng_stream(g->seed, STZ_RNG_GRAINS, cell);
  const int index[3] = {i, j, k};
  for (int axis = 0; axis < 3; axis++) point[axis] = (index[axis] + stz_rng_uniform(&rng)) * g->cells.pitch[axis];
  return cell;
}

// The points of all cells that a plane of voxels can belong to: two layers to either side of the plane's own.
enum { LAYERS = 5 };
typedef struct cell_layers {
  bool filled;
  int first; // layer index of the first
  double (*points)[3];
  uint32_t *cells;
} cell_layers;

static void fill_layers(const stz_glass *g, int middle, cell_layers *layers) {
  const int *n = g->cells.count;
  layers->filled = true;
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

// Square of the distance of x from layer number i of an axis: no point of the layer is nearer, up to rounding.
static double gap2(double x, int i, double pitch) {
  const double below = i * pitch - x, above = x - (i + 1) * pitch;
  const double gap = below > above ? below : above;
  return gap > 0.0 ? gap * gap * (1.0 - 1e-12) : 0.0;
}

// Square of the distance of `x` from the point of the cell with layer number i of `layers`, and j and k, any integers.
static double distance2(const stz_glass *g, const cell_layers *layers, int i, int j, int k, const double x[3],
                        int *at) {
  const int *n = g->cells.count, cell[2] = {stz_wrap(j, n[1]), stz_wrap(k, n[2])};
  *at = (i * n[1] + cell[0]) * n[2] + cell[1];
  const double *p = layers->points[*at], *pitch = g->cells.pitch;
  const double dx = p[0] - x[0];
  const double dy = p[1] + (j - cell[0]) * pitch[1] - x[1];
  const double dz = p[2] + (k - cell[1]) * pitch[2] - x[2];
  return dx * dx + dy * dy + dz * dz;
}

// The cell whose point is nearest to `x`, the first of several. A point is at most sqrt3 pitches away, hence within two
// cells per axis; those that are all farther than the point of the cell about `x`, or than the nearest so far, are left
// out.
static uint32_t nearest_cell(const stz_glass *g, const cell_layers *layers, const double x[3]) {
  const int *n = g->cells.count;
  const double *pitch = g->cells.pitch;
  const int j0 = (int)(x[1] / pitch[1]), k0 = (int)(x[2] / pitch[2]);
  int at, nearest = 0;
  double least = 1e300, known = distance2(g, layers, LAYERS / 2, j0, k0, x, &at);
  for (int i = 0; i < LAYERS; i++) {
    const double gap_i = gap2(x[0], layers->first + i, pitch[0]);
    for (int j = j0 - 2; j <= j0 + 2 && gap_i <= known; j++) {
      const double gap_ij = gap_i + gap2(x[1], j, pitch[1]);
      for (int k = k0 - 2; k <= k0 + 2 && gap_ij <= known; k++) {
        if (stz_grid_film(g->grid) && (k < 0 || k >= n[2])) continue;
        if (gap_ij + gap2(x[2], k, pitch[2]) > known) continue;
        const double r2 = distance2(g, layers, i, j, k, x, &at);
        if (r2 >= least) continue;
        least = r2;
        nearest = at;
        known = least < known ? least : known;
      }
    }
  }
  return layers->cells[nearest];
}

typedef struct assignment {
  stz_glass *g;
  cell_layers *layers; // one per worker
} assignment;

// The cells and rotations of the voxels of one plane.
static void assign_plane(void *context, int64_t plane, int64_t end, int worker) {
  (void)end;
  const assignment *t = context;
  stz_glass *g = t->g;
  cell_layers *layers = &t->layers[worker];
  const double a = stz_grid_spacing(g->grid);
  const int *n = stz_grid_cells(g->grid), x0 = stz_grid_first_plane(g->grid) + (int)plane;
  const int layer = (int)((x0 + 0.5) * a / g->cells.pitch[0]);
  if (!layers->filled || layer - LAYERS / 2 != layers->first) fill_layers(g, layer, layers);
  for (int y = 0; y < n[1]; y++) {
    for (int z = 0; z < n[2]; z++) {
      const double x[3] = {(x0 + 0.5) * a, (y + 0.5) * a, (z + 0.5) * a};
      const int64_t i = (plane * n[1] + y) * n[2] + z;
      g->cell[i] = nearest_cell(g, layers, x);
      if (z > 0 && g->cell[i] == g->cell[i - 1]) {
        g->rotation[i] = g->rotation[i - 1];
        continue;
      }
      stz_rng rng = stz_rng_stream(g->seed, STZ_RNG_ORIENTATION, g->cell[i]);
      g->rotation[i] = (uint16_t)stz_rng_below(&rng, (uint64_t)g->modes.rotations);
    }
  }
}

static stz_err assign_cells(stz_glass *g) {
  const int workers = stz_team_workers(stz_grid_team(g->grid)), points = LAYERS * g->cells.count[1] * g->cells.count[2];
  assignment t = {.g = g};
  stz_err err = STZ_NEW(t.layers, workers);
  for (int w = 0; w < workers && err == STZ_OK; w++) {
    err = STZ_NEW(t.layers[w].points, points);
    if (err == STZ_OK) err = STZ_NEW(t.layers[w].cells, points);
  }
  err = stz_agree(stz_grid_comm(g->grid), err);
  if (err == STZ_OK) {
    err = stz_stage_run(stz_grid_team(g->grid), 0.0, 1.0, stz_grid_planes(g->grid), 1, assign_plane, &t);
    err = stz_agree(stz_grid_comm(g->grid), err);
  }
  for (int w = 0; t.layers && w < workers; w++) {
    stz_free(t.layers[w].points);
    stz_free(t.layers[w].cells);
  }
  stz_free(t.layers);
  return err;
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
  return assign_cells(g);
}

// Adds the voxels of a piece of a row that belong to `cell` to the touched ones, without branches: their borders cannot
// be foreseen. It writes one place beyond the last.
static void touch_cell(stz_glass *g, int64_t first, int64_t end, uint32_t cell) {
  int64_t *list = g->touched;
  int count = g->touched_count;
  for (int64_t at = first; at < end; at++) {
    list[count] = at;
    count += g->cell[at] == cell;
  }
  g->touched_count = count;
}

// What of the layers from `low` on lies within a film of n.
static void cut_row(int n, int *begin, int *count, int low) {
  const int end = low + *count < n ? low + *count : n;
  *begin = low > 0 ? low : 0;
  *count = end - *begin;
}

bool stz_orientation_reaches(const stz_glass *g, const stz_shear *shear) {
  if (g->modes.rotations == 1) return false;
  const int *n = g->cells.count, cell = (int)shear->cell;
  const double *pitch = g->cells.pitch, a = stz_grid_spacing(g->grid);
  const double reach = sqrt(3.0) * fmax(pitch[0], fmax(pitch[1], pitch[2])) / a;
  double point[3];
  (void)cell_point(g, cell / (n[1] * n[2]), cell / n[2] % n[1], cell % n[2], point);
  const int low = (int)floor(point[0] / a - reach), high = (int)ceil(point[0] / a + reach);
  return stz_grid_meets(g->grid, low, high - low + 1);
}

void stz_orientation_turn(stz_glass *g, const stz_shear *shear, int rotation) {
  if (g->modes.rotations == 1) return;
  const int *n = g->cells.count, *cells = stz_grid_cells(g->grid);
  const int cell = (int)shear->cell, before = g->touched_count;
  double at[3]; // of the cell's point, in voxels
  (void)cell_point(g, cell / (n[1] * n[2]), cell / n[2] % n[1], cell % n[2], at);
  for (int axis = 0; axis < 3; axis++) at[axis] /= stz_grid_spacing(g->grid);
  // Every voxel of the cell lies within sqrt3 pitches of its point: unless the box is so small that images overlap,
  // rows beyond are left out.
  const double *pitch = g->cells.pitch;
  const double reach = sqrt(3.0) * fmax(pitch[0], fmax(pitch[1], pitch[2])) / stz_grid_spacing(g->grid);
  double reach2 = reach * reach;
  int low[3], count[3], begin[3];
  for (int axis = 0; axis < 3; axis++) {
    low[axis] = (int)floor(at[axis] - reach);
    begin[axis] = stz_wrap(low[axis], cells[axis]);
    count[axis] = (int)ceil(at[axis] + reach) - low[axis] + 1;
    if (axis == 2 && stz_grid_film(g->grid)) cut_row(cells[2], &begin[2], &count[2], low[2]);
    if (count[axis] <= cells[axis]) continue;
    count[axis] = cells[axis];
    reach2 = INFINITY;
  }
  const int end = begin[2] + count[2];
  for (int i = 0; i < count[0]; i++) {
    const double dx = low[0] + i + 0.5 - at[0];
    const int64_t plane = stz_grid_local(g->grid, stz_grid_site(g->grid, low[0] + i, 0, 0));
    if (plane < 0) continue;
    for (int j = 0, y = begin[1]; j < count[1]; j++, y = y + 1 < cells[1] ? y + 1 : 0) {
      const double dy = low[1] + j + 0.5 - at[1];
      if (dx * dx + dy * dy > reach2) continue;
      const int64_t row = plane + (int64_t)y * cells[2];
      touch_cell(g, row + begin[2], row + (end < cells[2] ? end : cells[2]), shear->cell);
      if (end > cells[2]) touch_cell(g, row, row + end - cells[2], shear->cell);
    }
  }
  if (g->journal && g->touched_count > before) stz_journal_turn(g, g->rotation[g->touched[before]]);
  for (int i = before; i < g->touched_count; i++) g->rotation[g->touched[i]] = (uint16_t)rotation;
}
