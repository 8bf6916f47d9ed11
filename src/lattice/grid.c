// SPDX-License-Identifier: GPL-3.0-or-later
#include "lattice/grid.h"

#include <assert.h>

#include "base/comm.h"
#include "base/memory.h"
#include "base/team.h"

struct stz_grid {
  const stz_grid *whole; // whose view this is; NULL of a grid itself
  MPI_Comm comm;
  int rank, ranks;
  int cells[3];
  double spacing;
  bool film;
  int *first;                     // first plane of each rank, and nx at the end
  int *gather_counts, *gather_at; // scratch of stz_grid_gather_planes
  double *plane_sums;             // scratch of stz_grid_sum, nx
  stz_team *team;                 // may be NULL
};

stz_err stz_grid_takes(const stz_lattice_params *params, int ranks) {
  if (ranks <= params->cells[0]) return STZ_OK;
  return stz_fail(STZ_EINPUT, "%d ranks cannot share %d planes: use at most %d", ranks, params->cells[0],
                  params->cells[0]);
}

stz_err stz_grid_create(MPI_Comm comm, const stz_lattice_params *params, stz_grid **grid) {
  int ranks;
  *grid = NULL;
  MPI_Comm_size(comm, &ranks);
  STZ_TRY(stz_grid_takes(params, ranks));
  stz_grid *g = NULL;
  stz_err err = STZ_NEW(g, 1);
  if (err == STZ_OK) err = STZ_NEW(g->first, ranks + 1);
  if (err == STZ_OK) err = STZ_NEW(g->gather_counts, ranks);
  if (err == STZ_OK) err = STZ_NEW(g->gather_at, ranks);
  if (err == STZ_OK) err = STZ_NEW(g->plane_sums, params->cells[0]);
  err = stz_agree(comm, err);
  if (err != STZ_OK) return err;
  MPI_Comm_dup(comm, &g->comm);
  MPI_Comm_rank(g->comm, &g->rank);
  g->ranks = ranks;
  g->spacing = params->spacing_nm;
  g->film = params->boundary == STZ_BOUNDARY_FILM;
  for (int axis = 0; axis < 3; axis++) g->cells[axis] = params->cells[axis];
  for (int r = 0; r <= ranks; r++) g->first[r] = (int)((int64_t)r * g->cells[0] / ranks);
  *grid = g;
  return STZ_OK;
}

stz_err stz_grid_slab(const stz_grid *whole, int first, int planes, stz_grid **slab) {
  assert(whole->ranks == 1 && !whole->whole && first >= 0 && planes > 0 && first + planes <= whole->cells[0]);
  stz_grid *g = NULL;
  int *ends = NULL;
  *slab = NULL;
  STZ_TRY(STZ_NEW(ends, 2));
  const stz_err err = STZ_NEW(g, 1);
  if (err != STZ_OK) {
    stz_free(ends);
    return err;
  }
  *g = *whole;
  g->whole = whole;
  g->first = ends;
  g->first[0] = first;
  g->first[1] = first + planes;
  g->gather_counts = g->gather_at = NULL;
  g->plane_sums = NULL;
  g->team = NULL;
  *slab = g;
  return STZ_OK;
}

void stz_grid_destroy(stz_grid **grid) {
  stz_grid *g = *grid;
  if (!g) return;
  if (!g->whole) MPI_Comm_free(&g->comm);
  stz_free(g->first);
  stz_free(g->gather_counts);
  stz_free(g->gather_at);
  stz_free(g->plane_sums);
  stz_free(g);
  *grid = NULL;
}

MPI_Comm stz_grid_comm(const stz_grid *grid) { return grid->comm; }
bool stz_grid_film(const stz_grid *grid) { return grid->film; }
bool stz_grid_outside(const stz_grid *grid, int z) { return grid->film && (z < 0 || z >= grid->cells[2]); }
int stz_grid_rank(const stz_grid *grid) { return grid->rank; }
int stz_grid_ranks(const stz_grid *grid) { return grid->ranks; }
void stz_grid_employ(stz_grid *grid, stz_team *team) { grid->team = team; }
stz_team *stz_grid_team(const stz_grid *grid) { return grid->team; }
const int *stz_grid_cells(const stz_grid *grid) { return grid->cells; }
double stz_grid_spacing(const stz_grid *grid) { return grid->spacing; }

double stz_grid_volume(const stz_grid *grid) {
  return (double)stz_grid_sites(grid) * grid->spacing * grid->spacing * grid->spacing;
}

static int64_t plane_sites(const stz_grid *grid) { return (int64_t)grid->cells[1] * grid->cells[2]; }
int64_t stz_grid_sites(const stz_grid *grid) { return grid->cells[0] * plane_sites(grid); }
double stz_grid_fraction(const stz_grid *grid, double volume) { return volume / stz_grid_volume(grid); }

double stz_grid_voxels(const stz_grid *grid, double volume) {
  const double a = grid->spacing;
  return volume / (a * a * a);
}

int64_t stz_grid_local_sites(const stz_grid *grid) { return stz_grid_planes(grid) * plane_sites(grid); }
int64_t stz_grid_stored_sites(const stz_grid *grid) { return stz_grid_local_sites(grid->whole ? grid->whole : grid); }
int stz_grid_first_plane(const stz_grid *grid) { return grid->first[grid->rank]; }
int stz_grid_planes(const stz_grid *grid) { return grid->first[grid->rank + 1] - grid->first[grid->rank]; }
int64_t stz_grid_first_site(const stz_grid *grid) { return stz_grid_first_plane(grid) * plane_sites(grid); }

bool stz_grid_meets(const stz_grid *grid, int low, int count) {
  const int n = grid->cells[0], from = stz_wrap(low - stz_grid_first_plane(grid), n); // the first plane is 0
  return from < stz_grid_planes(grid) || from + count > n;
}

int stz_grid_owner(const stz_grid *grid, int plane) {
  assert(!grid->whole && plane >= 0 && plane < grid->cells[0]);
  int rank = (int)((int64_t)plane * grid->ranks / grid->cells[0]); // right, or one too low
  while (plane >= grid->first[rank + 1]) rank++;
  return rank;
}

void stz_grid_coords(const stz_grid *grid, int64_t site, int xyz[3]) {
  xyz[2] = (int)(site % grid->cells[2]);
  xyz[1] = (int)(site / grid->cells[2] % grid->cells[1]);
  xyz[0] = (int)(site / plane_sites(grid));
}

int64_t stz_grid_site(const stz_grid *grid, int x, int y, int z) {
  const int *n = grid->cells;
  return ((int64_t)stz_wrap(x, n[0]) * n[1] + stz_wrap(y, n[1])) * n[2] + stz_wrap(z, n[2]);
}

int64_t stz_grid_local(const stz_grid *grid, int64_t site) {
  const int64_t local = site - stz_grid_first_site(grid);
  return local >= 0 && local < stz_grid_local_sites(grid) ? local : -1;
}

// Of `values`, or of what `fill` makes plane by plane in `room`, which has a plane for each worker.
typedef struct plane_sum {
  const stz_grid *grid;
  const double *values;
  double *room;
  stz_grid_fill *fill;
  const void *context;
} plane_sum;

static void sum_plane(void *context, int64_t plane, int64_t end, int worker) {
  (void)end;
  const plane_sum *s = context;
  const int64_t sites = plane_sites(s->grid);
  const double *values = s->fill ? s->room + worker * sites : s->values + plane * sites;
  if (s->fill) s->fill(s->context, plane * sites, sites, s->room + worker * sites);
  s->grid->plane_sums[stz_grid_first_plane(s->grid) + plane] = stz_ordered_sum(values, (int)sites);
}

static double sum_planes(plane_sum *s) {
  stz_team_run(s->grid->team, stz_grid_planes(s->grid), 1, sum_plane, s);
  stz_grid_gather_planes(s->grid, s->grid->plane_sums, 1);
  return stz_ordered_sum(s->grid->plane_sums, s->grid->cells[0]);
}

double stz_grid_sum(const stz_grid *grid, const double *values) {
  return sum_planes(&(plane_sum){.grid = grid, .values = values});
}

stz_err stz_grid_sum_of(const stz_grid *grid, stz_grid_fill *fill, const void *context, double *sum) {
  plane_sum s = {.grid = grid, .fill = fill, .context = context};
  STZ_TRY(stz_agree(grid->comm, STZ_NEW(s.room, stz_team_workers(grid->team) * plane_sites(grid))));
  *sum = sum_planes(&s);
  stz_free(s.room);
  return STZ_OK;
}

void stz_grid_gather_planes(const stz_grid *grid, double *planes, int width) {
  if (grid->ranks == 1) return;
  for (int r = 0; r < grid->ranks; r++) {
    grid->gather_counts[r] = (grid->first[r + 1] - grid->first[r]) * width;
    grid->gather_at[r] = grid->first[r] * width;
  }
  MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, planes, grid->gather_counts, grid->gather_at, MPI_DOUBLE,
                 grid->comm);
}
