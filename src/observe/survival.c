// SPDX-License-Identifier: GPL-3.0-or-later
#include "observe/survival.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/comm.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/target.h"
#include "base/units.h"

enum { FEWEST_POINTS = 1000, POWERS = 1024 };
static const double SPHERE_ERROR = 0.003; // relative, of the volume that the points of a sphere stand for

// The sites that cover each midpoint of a voxel, as offsets from the voxel; and the work space of the mean.
typedef struct cover {
  int cells[3], planes, halo, parts; // parts: m^3
  bool film;
  int *first; // of each part in `offset`, parts + 1
  int (*offset)[3];
  uint32_t *padded;      // counts with `halo` planes below and above, and `halo` sites on each side along z
  uint8_t *line_touched; // of each padded line: does it hold an event?
  uint32_t *covering;    // nz per worker
  double *sum;           // nz per worker
  double power[POWERS];  // (1 - d)^n
  double kept;           // 1 - d
} cover;

static int padded_length(const cover *c) { return c->cells[2] + 2 * c->halo; }
static int64_t padded_lines(const cover *c) { return (int64_t)(c->planes + 2 * c->halo) * c->cells[1]; }

static void list_offsets(cover *c, int m, double radius) {
  int count = 0, part = 0;
  for (int sx = 0; sx < m; sx++) {
    for (int sy = 0; sy < m; sy++) {
      for (int sz = 0; sz < m; sz++, part++) {
        c->first[part] = count;
        const double p[3] = {(sx + 0.5) / m - 0.5, (sy + 0.5) / m - 0.5, (sz + 0.5) / m - 0.5};
        for (int dx = -c->halo; dx <= c->halo; dx++) {
          for (int dy = -c->halo; dy <= c->halo; dy++) {
            for (int dz = -c->halo; dz <= c->halo; dz++) {
              const double x = dx - p[0], y = dy - p[1], z = dz - p[2];
              if (x * x + y * y + z * z > radius * radius) continue;
              memcpy(c->offset[count++], (int[3]){dx, dy, dz}, sizeof c->offset[0]);
            }
          }
        }
      }
    }
  }
  c->first[part] = count;
}

// Number of points whose site lies within `radius` (in units of the spacing), m^3 of them a voxel.
static int64_t points_in_sphere(int m, double radius) {
  const double limit = radius * m, shift = m % 2 ? 0.0 : 0.5; // in steps of the points, which lie about the site
  const int reach = (int)limit + 1;
  int64_t count = 0;
  for (int x = -reach; x <= reach; x++) {
    for (int y = -reach; y <= reach; y++) {
      const double left = limit * limit - (x + shift) * (x + shift) - (y + shift) * (y + shift);
      if (left < 0.0) continue;
      count += (int)floor(sqrt(left) - shift) - (int)ceil(-sqrt(left) - shift) + 1;
    }
  }
  return count;
}

// The fewest points that represent the sphere's volume well. Points of a lattice in a sphere miss its volume by a few
// per cent up or down as m grows, which would be an error of the same size in the loss of order.
static int choose_parts(double radius) {
  const double volume = 4.0 / 3.0 * STZ_PI * radius * radius * radius;
  int m = (int)ceil(cbrt(FEWEST_POINTS / volume));
  while (fabs((double)points_in_sphere(m, radius) / ((double)m * m * m) / volume - 1.0) > SPHERE_ERROR) m++;
  return m;
}

static stz_err cover_create(const stz_grid *grid, double volume, double loss, cover *c) {
  const double a = stz_grid_spacing(grid), radius = cbrt(0.75 * volume / STZ_PI) / a;
  const int m = choose_parts(radius);
  memcpy(c->cells, stz_grid_cells(grid), sizeof c->cells);
  c->planes = stz_grid_planes(grid);
  c->film = stz_grid_film(grid);
  c->halo = (int)floor(radius + 0.5);
  c->parts = m * m * m;
  c->kept = 1.0 - loss;
  c->power[0] = 1.0;
  for (int n = 1; n < POWERS; n++) c->power[n] = c->power[n - 1] * c->kept;
  const int reach = 2 * c->halo + 1;
  STZ_TRY(STZ_NEW(c->first, c->parts + 1));
  STZ_TRY(STZ_NEW(c->offset, (size_t)c->parts * (size_t)(reach * reach * reach)));
  STZ_TRY(STZ_NEW(c->padded, padded_lines(c) * padded_length(c)));
  STZ_TRY(STZ_NEW(c->line_touched, padded_lines(c)));
  const int workers = stz_team_workers(stz_grid_team(grid));
  STZ_TRY(STZ_NEW(c->covering, workers * c->cells[2]));
  STZ_TRY(STZ_NEW(c->sum, workers * c->cells[2]));
  list_offsets(c, m, radius);
  return STZ_OK;
}

static void cover_destroy(cover *c) {
  stz_free(c->first);
  stz_free(c->offset);
  stz_free(c->padded);
  stz_free(c->line_touched);
  stz_free(c->covering);
  stz_free(c->sum);
}

// Where the counts beyond the end of a line come from: periodic, or mirrored at the surfaces of a film.
static int padded_from(const cover *c, int z) {
  const int nz = c->cells[2];
  if (!c->film) return stz_wrap(z, nz);
  return z < 0 ? -1 - z : z >= nz ? 2 * nz - 1 - z : z;
}

// One plane of counts into the padded array.
static void pad_plane(cover *c, int slot, const uint32_t *plane) {
  const int ny = c->cells[1], nz = c->cells[2], length = padded_length(c);
  for (int y = 0; y < ny; y++) {
    const int64_t line = (int64_t)slot * ny + y;
    for (int z = 0; z < length; z++) {
      const uint32_t count = plane[y * nz + padded_from(c, z - c->halo)];
      c->padded[line * length + z] = count;
      if (count) c->line_touched[line] = 1;
    }
  }
}

// Fills the halo planes from the ranks that own them: every rank walks the same list of (receiver, plane), hence no two
// transfers can wait for each other.
static void exchange(const stz_grid *grid, const uint32_t *event_count, uint32_t *plane, cover *c) {
  const int nx = c->cells[0], sites = c->cells[1] * c->cells[2];
  const int me = stz_grid_rank(grid), start_of_mine = stz_grid_first_plane(grid);
  for (int p = 0; p < c->planes; p++) pad_plane(c, c->halo + p, event_count + (int64_t)p * sites);
  for (int start = 0; start < nx;) {
    const int receiver = stz_grid_owner(grid, start);
    int end = start;
    while (end < nx && stz_grid_owner(grid, end) == receiver) end++;
    for (int k = 0; k < 2 * c->halo; k++) {
      const int at = k < c->halo ? start - c->halo + k : end + k - c->halo, from = stz_wrap(at, nx);
      const int sender = stz_grid_owner(grid, from);
      if (me != sender && me != receiver) continue;
      const uint32_t *counts = plane;
      if (me == sender) counts = event_count + (int64_t)(from - start_of_mine) * sites;
      if (me != sender) {
        MPI_Recv(plane, sites, MPI_UINT32_T, sender, k, stz_grid_comm(grid), MPI_STATUS_IGNORE);
      } else if (me != receiver) {
        MPI_Send(counts, sites, MPI_UINT32_T, receiver, k, stz_grid_comm(grid));
      }
      if (me == receiver) pad_plane(c, at - start + c->halo, counts);
    }
    start = end;
  }
}

static bool line_untouched(const cover *c, int x, int y) {
  for (int dx = 0; dx <= 2 * c->halo; dx++) {
    for (int dy = -c->halo; dy <= c->halo; dy++) {
      if (c->line_touched[(int64_t)(x + dx) * c->cells[1] + stz_wrap(y + dy, c->cells[1])]) return false;
    }
  }
  return true;
}

STZ_MULTIVERSION(static void add_counts(int n, const uint32_t *restrict from, uint32_t *restrict to)) {
#pragma omp simd
  for (int z = 0; z < n; z++) to[z] += from[z];
}

// Adds (1 - d)^n to each voxel's sum, n its count.
STZ_MULTIVERSION(static void add_powers(const cover *c, int voxels, const uint32_t *restrict covering,
                                        double *restrict sum)) {
  const double *restrict power = c->power;
  uint32_t most = 0;
#pragma omp simd reduction(max : most)
  for (int z = 0; z < voxels; z++) most = covering[z] > most ? covering[z] : most;
  if (most < POWERS) {
#pragma omp simd
    for (int z = 0; z < voxels; z++) sum[z] += power[covering[z]];
    return;
  }
  for (int z = 0; z < voxels; z++) sum[z] += covering[z] < POWERS ? power[covering[z]] : pow(c->kept, covering[z]);
}

// Adds to the sums of every voxel of the line (x, y) what has survived at one midpoint, x counted from the rank's first
// plane.
static void add_part(const cover *c, int part, int x, int y, uint32_t *covering, double *sum) {
  const int nz = c->cells[2], length = padded_length(c);
  memset(covering, 0, sizeof *covering * (size_t)nz);
  for (int o = c->first[part]; o < c->first[part + 1]; o++) {
    const int *d = c->offset[o];
    const int64_t line = (int64_t)(x + c->halo + d[0]) * c->cells[1] + stz_wrap(y + d[1], c->cells[1]);
    add_counts(nz, c->padded + line * length + c->halo + d[2], covering);
  }
  add_powers(c, nz, covering, sum);
}

// The mean over every voxel of the line (x, y); `covering` and `sum` are scratch.
static void line_survival(const cover *c, int x, int y, uint32_t *covering, double *sum, float *survival) {
  const int nz = c->cells[2];
  for (int z = 0; z < nz; z++) survival[z] = 1.0f;
  if (line_untouched(c, x, y)) return;
  memset(sum, 0, sizeof *sum * (size_t)nz);
  for (int part = 0; part < c->parts; part++) add_part(c, part, x, y, covering, sum);
  for (int z = 0; z < nz; z++) survival[z] = (float)(sum[z] / c->parts);
}

typedef struct lines {
  const cover *c;
  float *survival;
} lines;

// The lines number x ny + y.
static void survive(void *context, int64_t first, int64_t end, int worker) {
  const lines *l = context;
  const cover *c = l->c;
  const int ny = c->cells[1], nz = c->cells[2];
  for (int64_t line = first; line < end; line++) {
    line_survival(c, (int)(line / ny), (int)(line % ny), c->covering + worker * nz, c->sum + worker * nz,
                  l->survival + line * nz);
  }
}

stz_err stz_survival(const stz_grid *grid, const uint32_t *event_count, double volume_nm3, double loss,
                     float *survival) {
  cover c = {0};
  uint32_t *plane = NULL;
  stz_err err = cover_create(grid, volume_nm3, loss, &c);
  if (err == STZ_OK) err = STZ_NEW(plane, c.cells[1] * c.cells[2]);
  err = stz_agree(stz_grid_comm(grid), err);
  if (err == STZ_OK) {
    exchange(grid, event_count, plane, &c);
    const int64_t count = (int64_t)c.planes * c.cells[1];
    err = stz_look_run(stz_grid_team(grid), count, 16, survive, &(lines){&c, survival});
    err = stz_agree(stz_grid_comm(grid), err);
  }
  cover_destroy(&c);
  stz_free(plane);
  return err;
}
