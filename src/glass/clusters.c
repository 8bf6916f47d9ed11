// SPDX-License-Identifier: GPL-3.0-or-later
//
// Ordered clusters: a Poisson process in space, the same in both domains. Only the product of their density and of the
// share that is Bragg-oriented follows from the measured fraction of patterns with Bragg reflections.
#include <math.h>

#include "base/comm.h"
#include "base/interrupt.h"
#include "base/mathfn.h"
#include "base/memory.h"
#include "base/units.h"
#include "glass/internal.h"

// The clusters of one site, in `list` unless it is NULL; returns their number.
static int clusters_of_site(const stz_glass *g, int64_t site, stz_cluster *list) {
  const double a = stz_grid_spacing(g->grid);
  stz_rng rng = stz_rng_stream(g->seed, STZ_RNG_CLUSTERS, (uint64_t)site);
  const int count = (int)stz_rng_poisson(&rng, g->cluster_density * a * a * a);
  if (!list) return count;
  int xyz[3];
  stz_grid_coords(g->grid, site, xyz);
  for (int i = 0; i < count; i++) {
    for (int axis = 0; axis < 3; axis++) list[i].position_nm[axis] = (xyz[axis] + stz_rng_uniform(&rng)) * a;
    list[i].oriented = stz_rng_uniform(&rng) < g->order.acceptance;
    list[i].ordered = true;
    list[i].id = site * 256 + i;
  }
  return count;
}

enum { ROWS = 64 };

// The number of clusters of each row, at the place after its own.
static void count_rows(void *context, int64_t first, int64_t end, int worker) {
  (void)worker;
  stz_glass *g = context;
  const int nz = stz_grid_cells(g->grid)[2];
  for (int64_t row = first; row < end; row++) {
    const int64_t site = stz_grid_first_site(g->grid) + row * nz;
    for (int z = 0; z < nz; z++) g->row_clusters[row + 1] += clusters_of_site(g, site + z, NULL);
  }
}

static void fill_rows(void *context, int64_t first, int64_t end, int worker) {
  (void)worker;
  stz_glass *g = context;
  const int nz = stz_grid_cells(g->grid)[2];
  for (int64_t row = first; row < end; row++) {
    const int64_t site = stz_grid_first_site(g->grid) + row * nz;
    int64_t at = g->row_clusters[row];
    for (int z = 0; z < nz; z++) at += clusters_of_site(g, site + z, g->clusters + at);
  }
}

stz_err stz_clusters_init(stz_glass *g, double foil_nm, double probe_nm) {
  const double a = stz_grid_spacing(g->grid);
  g->cluster_density = stz_order_density(&g->order, foil_nm, probe_nm);
  if (g->cluster_density * a * a * a > STZ_MOST_CLUSTERS) {
    return stz_fail(STZ_EINPUT,
                    "order: %.3g clusters per voxel are too many: raise order.acceptance or cluster_radius_nm",
                    g->cluster_density * a * a * a);
  }
  const int64_t rows = stz_grid_local_sites(g->grid) / stz_grid_cells(g->grid)[2];
  stz_team *team = stz_grid_team(g->grid);
  STZ_TRY(stz_agree(stz_grid_comm(g->grid), STZ_NEW(g->row_clusters, rows + 1)));
  stz_err err = stz_stage_run(team, 0.0, 0.5, rows, ROWS, count_rows, g);
  for (int64_t row = 0; row < rows; row++) g->row_clusters[row + 1] += g->row_clusters[row];
  g->cluster_count = g->ordered_count = g->row_clusters[rows];
  if (err == STZ_OK) err = STZ_NEW(g->clusters, g->cluster_count);
  if (err == STZ_OK) err = stz_stage_run(team, 0.5, 1.0, rows, ROWS, fill_rows, g);
  return stz_agree(stz_grid_comm(g->grid), err);
}

static double periodic_distance(double x, double y, double length) {
  const double d = fabs(x - y);
  return d < 0.5 * length ? d : length - d;
}

// The first cluster of a local row, whose clusters are in the order of their sites, at site z of it or beyond.
static int64_t first_from(const stz_glass *g, int64_t row, int z) {
  const int64_t id = (stz_grid_first_site(g->grid) + row * stz_grid_cells(g->grid)[2] + z) * 256;
  int64_t low = g->row_clusters[row], high = g->row_clusters[row + 1];
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (g->clusters[middle].id < id) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

// A cluster that the sphere covers twice, as what lies beyond a surface is folded back, loses its order twice as well.
static double loss_in_film(const stz_glass *g, const stz_cluster *cluster, const double centre[3], double r2,
                           double radius) {
  const double height = stz_grid_cells(g->grid)[2] * stz_grid_spacing(g->grid), z = cluster->position_nm[2];
  const double kept = 1.0 - g->order.loss, lateral2 = r2 - (z - centre[2]) * (z - centre[2]);
  const double below = z + centre[2], above = 2.0 * height - below, mirrored = fmin(below, above);
  return lateral2 + mirrored * mirrored <= radius * radius ? 1.0 - kept * kept : g->order.loss;
}

// Takes the order of clusters at the sites first to last - 1 of a row that lie within the sphere of volume Omega about
// `centre`, the centre of the event.
static void shear_row(stz_glass *g, int64_t row, int first, int last, const double centre[3], double radius,
                      const stz_shear *shear) {
  const int *cells = stz_grid_cells(g->grid);
  const double a = stz_grid_spacing(g->grid);
  const int64_t end = (stz_grid_first_site(g->grid) + row * cells[2] + last) * 256;
  for (int64_t i = first_from(g, row, first); i < g->row_clusters[row + 1] && g->clusters[i].id < end; i++) {
    stz_cluster *cluster = &g->clusters[i];
    double r2 = 0.0;
    for (int axis = 0; axis < 3; axis++) {
      const double d = periodic_distance(cluster->position_nm[axis], centre[axis], cells[axis] * a);
      r2 += d * d;
    }
    if (!cluster->ordered || r2 > radius * radius) continue;
    const double loss = stz_grid_film(g->grid) ? loss_in_film(g, cluster, centre, r2, radius) : g->order.loss;
    stz_rng rng = stz_rng_stream3(g->seed, STZ_RNG_LOSS, (uint64_t)shear->site, shear->number, (uint64_t)cluster->id);
    if (stz_rng_uniform(&rng) >= loss) continue;
    if (g->journal) stz_journal_cluster(g, i);
    cluster->ordered = false;
    g->ordered_count--;
  }
}

void stz_clusters_shear(stz_glass *g, const stz_shear *shear) {
  const int *cells = stz_grid_cells(g->grid);
  const double a = stz_grid_spacing(g->grid), radius = cbrt(3.0 * g->stz.volume_nm3 / (4.0 * STZ_PI));
  int xyz[3], last[2];
  stz_grid_coords(g->grid, shear->site, xyz);
  const double centre[3] = {(xyz[0] + 0.5) * a, (xyz[1] + 0.5) * a, (xyz[2] + 0.5) * a};
  const int reach = (int)floor(radius / a + 0.5), nz = cells[2]; // voxels that the sphere may touch
  // Along z: what lies within the row, and what goes around its end.
  int low = xyz[2] - reach, high = xyz[2] + reach + 1;
  if (high - low >= nz) low = 0, high = nz;
  for (int axis = 0; axis < 2; axis++) last[axis] = 2 * reach < cells[axis] ? 2 * reach : cells[axis] - 1;
  for (int dx = 0; dx <= last[0]; dx++) {
    for (int dy = 0; dy <= last[1]; dy++) {
      const int64_t at = stz_grid_local(g->grid, stz_grid_site(g->grid, xyz[0] - reach + dx, xyz[1] - reach + dy, 0));
      if (at < 0) continue;
      const int64_t row = at / nz;
      shear_row(g, row, low > 0 ? low : 0, high < nz ? high : nz, centre, radius, shear);
      if (stz_grid_film(g->grid)) continue;
      if (low < 0) shear_row(g, row, low + nz, nz, centre, radius, shear);
      if (high > nz) shear_row(g, row, 0, high - nz, centre, radius, shear);
    }
  }
}

uint64_t stz_clusters_hash(const stz_glass *g) {
  uint64_t sum = 0;
  for (int64_t i = 0; i < g->cluster_count; i++) {
    sum += stz_hash_mix(1000, (uint64_t)g->clusters[i].id, g->clusters[i].ordered);
  }
  return sum;
}
