// SPDX-License-Identifier: GPL-3.0-or-later
//
// What runs of the same lattice share: the grid, and the elastic operator with its kernel table of one event. Runs that
// follow each other on the same ranks hand it on, so that short ones need not make it again. It keeps what the last run
// needed, no more.
#ifndef STZ_SIM_CACHE_H
#define STZ_SIM_CACHE_H

#include "config/config.h"
#include "elastic/elastic.h"
#include "lattice/grid.h"

typedef struct stz_cache stz_cache;

// Collective over the ranks whose runs share it. `team` works for the runs; it may be NULL.
stz_err stz_cache_create(MPI_Comm comm, stz_team *team, stz_cache **cache) STZ_MUST_USE;
void stz_cache_destroy(stz_cache **cache);

// Collective. Fills the cache with what `config` needs. On failure it is empty.
stz_err stz_cache_fill(stz_cache *cache, const stz_config *config) STZ_MUST_USE;

// Its contents; valid until it is filled for another lattice or elasticity.
stz_grid *stz_cache_grid(const stz_cache *cache);
stz_elastic *stz_cache_elastic(const stz_cache *cache);

#endif
