// SPDX-License-Identifier: GPL-3.0-or-later
#include "micro/shuffle.h"

#include "base/comm.h"
#include "base/memory.h"
#include "lattice/fields.h"
#include "rng/rng.h"

enum { ROUNDS = 8 };

typedef struct permutation {
  uint64_t sites, key[ROUNDS];
  int half; // the network permutes the numbers of 2 half bits
} permutation;

static permutation make_permutation(uint64_t seed, uint64_t sites) {
  permutation p = {.sites = sites, .half = 1};
  stz_rng rng = stz_rng_stream(seed, STZ_RNG_SHUFFLE, 0);
  for (int round = 0; round < ROUNDS; round++) p.key[round] = stz_rng_next(&rng);
  while ((uint64_t)1 << 2 * p.half < sites) p.half++;
  return p;
}

static uint64_t image(const permutation *p, uint64_t site) {
  const uint64_t mask = ((uint64_t)1 << p->half) - 1;
  do {
    uint64_t left = site >> p->half, right = site & mask;
    for (int round = 0; round < ROUNDS; round++) {
      const uint64_t mixed = left ^ (stz_hash_mix(p->key[round], right, 0) & mask);
      left = right;
      right = mixed;
    }
    site = left << p->half | right;
  } while (site >= p->sites);
  return site;
}

// What one rank sends and receives. Values go in the order of their new owners, beside their new places.
typedef struct exchange {
  int *counts_out, *at_out, *counts_in, *at_in; // one per rank
  int *order;                                   // local site of each value sent
  int64_t *place_out, *place_in;                // its new global index
  double *out, *in;
} exchange;

static stz_err allocate(exchange *e, const stz_grid *grid) {
  const int64_t sites = stz_grid_local_sites(grid);
  const int ranks = stz_grid_ranks(grid);
  STZ_TRY(STZ_NEW(e->counts_out, ranks));
  STZ_TRY(STZ_NEW(e->at_out, ranks));
  STZ_TRY(STZ_NEW(e->counts_in, ranks));
  STZ_TRY(STZ_NEW(e->at_in, ranks));
  STZ_TRY(STZ_NEW(e->order, sites));
  STZ_TRY(STZ_NEW(e->place_out, sites));
  STZ_TRY(STZ_NEW(e->place_in, sites));
  STZ_TRY(STZ_NEW(e->out, sites));
  return STZ_NEW(e->in, sites);
}

static void release(exchange *e) {
  stz_free(e->counts_out);
  stz_free(e->at_out);
  stz_free(e->counts_in);
  stz_free(e->at_in);
  stz_free(e->order);
  stz_free(e->place_out);
  stz_free(e->place_in);
  stz_free(e->out);
  stz_free(e->in);
}

static void plan(exchange *e, const stz_grid *grid, const permutation *p) {
  const int *n = stz_grid_cells(grid), ranks = stz_grid_ranks(grid), sites = (int)stz_grid_local_sites(grid);
  int64_t *to = e->place_in; // free until the exchange
  for (int i = 0; i < sites; i++) {
    to[i] = (int64_t)image(p, (uint64_t)(stz_grid_first_site(grid) + i));
    e->counts_out[stz_grid_owner(grid, (int)(to[i] / n[2] / n[1]))]++;
  }
  for (int r = 1; r < ranks; r++) e->at_out[r] = e->at_out[r - 1] + e->counts_out[r - 1];
  for (int i = 0; i < sites; i++) {
    const int slot = e->at_out[stz_grid_owner(grid, (int)(to[i] / n[2] / n[1]))]++;
    e->order[slot] = i;
    e->place_out[slot] = to[i];
  }
  for (int r = 0; r < ranks; r++) e->at_out[r] -= e->counts_out[r];
  MPI_Alltoall(e->counts_out, 1, MPI_INT, e->counts_in, 1, MPI_INT, stz_grid_comm(grid));
  for (int r = 1; r < ranks; r++) e->at_in[r] = e->at_in[r - 1] + e->counts_in[r - 1];
  MPI_Alltoallv(e->place_out, e->counts_out, e->at_out, MPI_INT64_T, e->place_in, e->counts_in, e->at_in, MPI_INT64_T,
                stz_grid_comm(grid));
}

stz_err stz_shuffle(const stz_grid *grid, uint64_t seed, int count, double *const fields[]) {
  exchange e = {0};
  const stz_err err = stz_agree(stz_grid_comm(grid), allocate(&e, grid));
  if (err == STZ_OK) {
    const permutation p = make_permutation(seed, (uint64_t)stz_grid_sites(grid));
    const int64_t sites = stz_grid_local_sites(grid), first = stz_grid_first_site(grid);
    plan(&e, grid, &p);
    for (int k = 0; k < count; k++) {
      for (int64_t i = 0; i < sites; i++) e.out[i] = fields[k][e.order[i]];
      MPI_Alltoallv(e.out, e.counts_out, e.at_out, MPI_DOUBLE, e.in, e.counts_in, e.at_in, MPI_DOUBLE,
                    stz_grid_comm(grid));
      for (int64_t i = 0; i < sites; i++) fields[k][e.place_in[i] - first] = e.in[i];
    }
  }
  release(&e);
  return err;
}
