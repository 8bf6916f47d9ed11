// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/cache.h"

#include <string.h>

#include "base/comm.h"
#include "base/memory.h"

struct stz_cache {
  MPI_Comm comm;
  stz_team *team;
  stz_lattice_params lattice; // for which the rest was made
  stz_elastic_params elasticity;
  double volume_nm3;
  stz_grid *grid;
  stz_elastic *elastic;
};

stz_err stz_cache_create(MPI_Comm comm, stz_team *team, stz_cache **cache) {
  stz_cache *c = NULL;
  *cache = NULL;
  STZ_TRY(stz_agree(comm, STZ_NEW(c, 1)));
  c->comm = comm;
  c->team = team;
  *cache = c;
  return STZ_OK;
}

static void empty(stz_cache *c) {
  stz_elastic_destroy(&c->elastic);
  stz_grid_destroy(&c->grid);
}

void stz_cache_destroy(stz_cache **cache) {
  if (!*cache) return;
  empty(*cache);
  stz_free(*cache);
  *cache = NULL;
}

static bool same_lattice(const stz_cache *c, const stz_config *config) {
  return c->grid && memcmp(c->lattice.cells, config->lattice.cells, sizeof c->lattice.cells) == 0 &&
         c->lattice.spacing_nm == config->lattice.spacing_nm && c->lattice.boundary == config->lattice.boundary;
}

static bool same_elasticity(const stz_cache *c, const stz_config *config) {
  return c->elastic && c->elasticity.young_GPa == config->elastic.young_GPa &&
         c->elasticity.poisson == config->elastic.poisson && c->volume_nm3 == config->stz.volume_nm3;
}

static stz_err fill(stz_cache *c, const stz_config *config) {
  const bool film = config->lattice.boundary == STZ_BOUNDARY_FILM;
  if (!same_lattice(c, config)) {
    empty(c);
    c->lattice = config->lattice;
    STZ_TRY(stz_grid_create(c->comm, &c->lattice, &c->grid));
    stz_grid_employ(c->grid, c->team);
  }
  // An earlier run may have left a stretched box.
  if (same_elasticity(c, config)) return film ? STZ_OK : stz_elastic_stretch(c->elastic, (const double[3]){0.0});
  stz_elastic_destroy(&c->elastic);
  c->elasticity = config->elastic;
  c->volume_nm3 = config->stz.volume_nm3;
  return stz_elastic_create(c->grid, &c->elasticity, c->volume_nm3, &c->elastic);
}

stz_err stz_cache_fill(stz_cache *cache, const stz_config *config) {
  const stz_err err = fill(cache, config);
  if (err != STZ_OK) empty(cache);
  return err;
}

stz_grid *stz_cache_grid(const stz_cache *cache) { return cache->grid; }
stz_elastic *stz_cache_elastic(const stz_cache *cache) { return cache->elastic; }
