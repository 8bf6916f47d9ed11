// SPDX-License-Identifier: GPL-3.0-or-later
//
// The lattice of nx x ny x nz voxels, periodic, or a film with free surfaces normal to z, and its decomposition into
// slabs of whole planes along x: rank r of P owns the planes [r nx / P, (r+1) nx / P). A site's global index is (x ny +
// y) nz + z; its local index is the same with x counted from the rank's first plane. z is contiguous in memory.
#ifndef STZ_LATTICE_GRID_H
#define STZ_LATTICE_GRID_H

#include <mpi.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/team.h"
#include "lattice/params.h"

typedef struct stz_grid stz_grid;

// Whether so many ranks can share the planes of a lattice; fails with STZ_EINPUT if not. Local.
stz_err stz_grid_takes(const stz_lattice_params *params, int ranks) STZ_MUST_USE;

// Collective; duplicates `comm`. Fails with STZ_EINPUT when there are more ranks than planes.
stz_err stz_grid_create(MPI_Comm comm, const stz_lattice_params *params, stz_grid **grid) STZ_MUST_USE;
void stz_grid_destroy(stz_grid **grid); // collective

MPI_Comm stz_grid_comm(const stz_grid *grid); // the grid's own duplicate, with its ranks
int stz_grid_rank(const stz_grid *grid);      // this rank within it
int stz_grid_ranks(const stz_grid *grid);     // their number

// A view of the planes first <= x < first + planes of the lattice, as if they were this rank's, for a thread of its
// own: local indices begin at its first plane. It has the communicator of `whole`, which must outlive it and have one
// rank, and no team; sums and owners are not for it. stz_grid_destroy, local for a view, frees it. Local.
stz_err stz_grid_slab(const stz_grid *whole, int first, int planes, stz_grid **slab) STZ_MUST_USE;

// The team that shares the work over this rank's sites; NULL (at first): the rank works by itself. The team must
// outlive its use. Local.
void stz_grid_employ(stz_grid *grid, stz_team *team);
stz_team *stz_grid_team(const stz_grid *grid);

const int *stz_grid_cells(const stz_grid *grid);               // nx, ny, nz
bool stz_grid_film(const stz_grid *grid);                      // free surfaces normal to z
bool stz_grid_outside(const stz_grid *grid, int z);            // whether plane z lies outside a film's surfaces
double stz_grid_spacing(const stz_grid *grid);                 // a, nm
double stz_grid_volume(const stz_grid *grid);                  // of the box, nm^3
int64_t stz_grid_sites(const stz_grid *grid);                  // nx ny nz
double stz_grid_fraction(const stz_grid *grid, double volume); // part of the box that a volume (nm^3) has, as Omega/V
double stz_grid_voxels(const stz_grid *grid, double volume);   // a volume (nm^3) in voxels, as Omega/a^3
int64_t stz_grid_local_sites(const stz_grid *grid);            // of this rank, or of a view
int64_t stz_grid_stored_sites(const stz_grid *grid);           // of this rank, also where `grid` is a view

int stz_grid_first_plane(const stz_grid *grid);    // of this rank
int stz_grid_planes(const stz_grid *grid);         // of this rank
int64_t stz_grid_first_site(const stz_grid *grid); // global index of local site 0
bool stz_grid_meets(const stz_grid *grid, int low,
                    int count);                      // whether a plane low <= x < low + count, wrapped, is of it
int stz_grid_owner(const stz_grid *grid, int plane); // rank that owns plane x = `plane`

// The coordinate x wrapped into 0 .. n-1: for any x, and for an x that lies at most one period outside (no division).
static inline int stz_wrap(int x, int n) { return (x % n + n) % n; }
static inline int stz_wrap_once(int x, int n) { return x < 0 ? x + n : x >= n ? x - n : x; }

// Coordinates (voxels from 0) of the global index `site`, and back; coordinates outside the box are wrapped into it.
void stz_grid_coords(const stz_grid *grid, int64_t site, int xyz[3]);
int64_t stz_grid_site(const stz_grid *grid, int x, int y, int z);

// Local index of a global one, or -1 if another rank owns it.
int64_t stz_grid_local(const stz_grid *grid, int64_t site);

// Sum over all ranks of one value per site, in the fixed order site -> plane -> box, so that the result has the same
// bits on any number of ranks. Collective. `values`: one number per local site.
double stz_grid_sum(const stz_grid *grid, const double *values);

// Collective. The same of values that are made plane by plane, on any worker of the team: `fill(context, ...)` writes
// those of `count` local sites from `first` on to values[count]. *sum is the same on every rank.
typedef void stz_grid_fill(const void *context, int64_t first, int64_t count, double *values);
stz_err stz_grid_sum_of(const stz_grid *grid, stz_grid_fill *fill, const void *context, double *sum) STZ_MUST_USE;

// Collective. Gathers `width` doubles per plane from every rank. `planes` (in and out, nx x width): on entry this
// rank's own planes at their global place; on return those of all ranks.
void stz_grid_gather_planes(const stz_grid *grid, double *planes, int width);

#endif
