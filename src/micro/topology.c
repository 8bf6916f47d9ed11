// SPDX-License-Identifier: GPL-3.0-or-later
#include "micro/topology.h"

#include <string.h>

#include "base/comm.h"
#include "base/memory.h"

// --- area of the interface ---

stz_err stz_topology_interface(const stz_grid *grid, const double *f, double *per_nm) {
  const int *n = stz_grid_cells(grid), planes = stz_grid_planes(grid), ranks = stz_grid_ranks(grid);
  const int rank = stz_grid_rank(grid), plane = n[1] * n[2];
  double *next;
  STZ_TRY(stz_agree(stz_grid_comm(grid), STZ_NEW(next, plane)));
  MPI_Sendrecv(f, plane, MPI_DOUBLE, (rank + ranks - 1) % ranks, 0, next, plane, MPI_DOUBLE, (rank + 1) % ranks, 0,
               stz_grid_comm(grid), MPI_STATUS_IGNORE);
  long long changes = 0;
  for (int x = 0; x < planes; x++) {
    const double *here = f + (size_t)x * (size_t)plane, *beyond = x + 1 < planes ? here + plane : next;
    for (int y = 0; y < n[1]; y++) {
      for (int z = 0; z < n[2]; z++) {
        const bool rich = here[y * n[2] + z] > 0.0;
        changes += rich != (beyond[y * n[2] + z] > 0.0);
        changes += rich != (here[(y + 1) % n[1] * n[2] + z] > 0.0);
        changes += rich != (here[y * n[2] + (z + 1) % n[2]] > 0.0);
      }
    }
  }
  stz_free(next);
  MPI_Allreduce(MPI_IN_PLACE, &changes, 1, MPI_LONG_LONG, MPI_SUM, stz_grid_comm(grid));
  *per_nm = 2.0 * (double)changes / (3.0 * (double)stz_grid_sites(grid) * stz_grid_spacing(grid));
  return STZ_OK;
}

// --- percolation: clusters by union-find, each member with its shift, in boxes, from the root; a cluster winds around
// the box where a second way to the same member arrives with another shift (Machta et al., Phys. Rev. E 54, 1996) ---

typedef struct node {
  int parent, phase, shift[3]; // shift from the parent; 0 for a root
} node;

// Labels of the planes so far: nodes [0, area) are the sites of the box's plane 0, [area, 2 area) those of the last
// plane, [2 area, 3 area) are for the plane to be appended.
typedef struct clusters {
  node *nodes;
  int ny, nz, area;
  int winds[2][3]; // phase, axis
} clusters;

static int find(node *nodes, int i, int shift[3]) {
  for (int axis = 0; axis < 3; axis++) shift[axis] = 0;
  while (nodes[i].parent != i) {
    const node *parent = &nodes[nodes[i].parent]; // halve the path: the grandparent becomes the parent
    for (int axis = 0; axis < 3; axis++) {
      nodes[i].shift[axis] += parent->shift[axis];
      shift[axis] += nodes[i].shift[axis];
    }
    i = nodes[i].parent = parent->parent;
  }
  return i;
}

// Joins neighbours i and j if their phase is the same; `axis` >= 0: the step from i to j leaves the box at its upper
// end.
static void join(clusters *c, int i, int j, int axis) {
  node *nodes = c->nodes;
  if (nodes[i].phase != nodes[j].phase) return;
  int from_i[3], from_j[3];
  const int root_i = find(nodes, i, from_i), root_j = find(nodes, j, from_j);
  if (axis >= 0) from_i[axis]++;
  for (int k = 0; k < 3; k++) {
    const int difference = from_i[k] - from_j[k];
    if (root_i != root_j)
      nodes[root_j].shift[k] = difference;
    else if (difference != 0)
      c->winds[nodes[i].phase][k] = 1;
  }
  nodes[root_j].parent = root_i;
}

// Makes fresh nodes from `first` on for the sites of a plane and joins them with each other.
static void add_plane(clusters *c, int first, const double *f) {
  for (int i = 0; i < c->area; i++) c->nodes[first + i] = (node){.parent = first + i, .phase = f[i] > 0.0};
  for (int y = 0; y < c->ny; y++) {
    for (int z = 0; z < c->nz; z++) {
      const int i = first + y * c->nz + z, y1 = (y + 1) % c->ny, z1 = (z + 1) % c->nz;
      join(c, i, first + y1 * c->nz + z, y1 == 0 ? 1 : -1);
      join(c, i, first + y * c->nz + z1, z1 == 0 ? 2 : -1);
    }
  }
}

// Forgets the last plane and puts the new one in its place. A cluster whose root goes gets a new one among its members
// that stay; until then, the old root names it and keeps its shift.
static void drop_last_plane(clusters *c) {
  node *nodes = c->nodes;
  const int area = c->area;
  for (int i = 0; i < 3 * area; i++) {
    if (i >= area && i < 2 * area) continue;
    int shift[3];
    const int root = find(nodes, i, shift);
    nodes[i].parent = root;
    memcpy(nodes[i].shift, shift, sizeof shift);
  }
  for (int i = 0; i < 3 * area; i++) {
    const int root = nodes[i].parent;
    if ((i >= area && i < 2 * area) || root < area || root >= 2 * area) continue;
    node *old = &nodes[root];
    if (old->parent == root) {
      old->parent = i;
      memcpy(old->shift, nodes[i].shift, sizeof old->shift);
    }
    nodes[i].parent = old->parent;
    for (int axis = 0; axis < 3; axis++) nodes[i].shift[axis] -= old->shift[axis];
  }
  memcpy(nodes + area, nodes + 2 * area, (size_t)area * sizeof *nodes);
  for (int i = 0; i < 2 * area; i++) {
    if (nodes[i].parent >= 2 * area) nodes[i].parent -= area;
  }
}

static void append_slab(clusters *c, const stz_grid *grid, const double *f) {
  const int rank = stz_grid_rank(grid), ranks = stz_grid_ranks(grid), area = c->area;
  const int bytes = 2 * area * (int)sizeof *c->nodes;
  int x = 0;
  if (rank == 0) {
    add_plane(c, 0, f);
    for (int i = 0; i < area; i++) c->nodes[area + i] = (node){.parent = i, .phase = c->nodes[i].phase};
    x = 1;
  } else {
    MPI_Recv(c->nodes, bytes, MPI_BYTE, rank - 1, 0, stz_grid_comm(grid), MPI_STATUS_IGNORE);
    MPI_Recv(c->winds, 6, MPI_INT, rank - 1, 1, stz_grid_comm(grid), MPI_STATUS_IGNORE);
  }
  for (; x < stz_grid_planes(grid); x++) {
    add_plane(c, 2 * area, f + (size_t)x * (size_t)area);
    for (int i = 0; i < area; i++) join(c, area + i, 2 * area + i, -1);
    drop_last_plane(c);
  }
  if (rank + 1 < ranks) {
    MPI_Send(c->nodes, bytes, MPI_BYTE, rank + 1, 0, stz_grid_comm(grid));
    MPI_Send(c->winds, 6, MPI_INT, rank + 1, 1, stz_grid_comm(grid));
  } else {
    for (int i = 0; i < area; i++) join(c, area + i, i, 0);
  }
}

stz_err stz_topology_percolation(const stz_grid *grid, const double *f, bool percolates[2]) {
  const int *n = stz_grid_cells(grid);
  clusters c = {.ny = n[1], .nz = n[2], .area = n[1] * n[2]};
  STZ_TRY(stz_agree(stz_grid_comm(grid), STZ_NEW(c.nodes, 3 * c.area)));
  append_slab(&c, grid, f);
  MPI_Bcast(c.winds, 6, MPI_INT, stz_grid_ranks(grid) - 1, stz_grid_comm(grid));
  for (int phase = 0; phase < 2; phase++) {
    percolates[phase] = c.winds[phase][0] && c.winds[phase][1] && c.winds[phase][2];
  }
  stz_free(c.nodes);
  return STZ_OK;
}
