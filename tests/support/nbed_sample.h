// SPDX-License-Identifier: GPL-3.0-or-later
//
// A sample for the NBED tests, made by plain rules without the glass: events at random, clusters at random, each
// cluster losing its order with probability d at every event whose sphere of volume Omega holds its centre.
#ifndef STZ_TESTS_NBED_SAMPLE_H
#define STZ_TESTS_NBED_SAMPLE_H

#include <math.h>
#include <string.h>

#include "base/units.h"
#include "mpi/harness.h"
#include "observe/nbed.h"
#include "rng/rng.h"

typedef struct sample_spec {
  int cells[3];
  double spacing;
  double events_per_nm3; // mean of a Poisson process over the sites
  double clusters_per_nm3;
  uint64_t seed;
  stz_order_params order;
  float (*composition)(const int site[3], uint64_t seed); // NULL: 0.35
} sample_spec;

typedef struct sample {
  stz_nbed_sample view;
  stz_grid *grid;
  stz_cluster *clusters;
  uint32_t *events;
  float *composition;
} sample;

#define SAMPLE_VOLUME 1.7 // Omega, nm^3

static inline uint32_t sample_events(const sample_spec *spec, int64_t site) {
  if (spec->events_per_nm3 == 0.0) return 0;
  stz_rng rng = stz_rng_stream(spec->seed, STZ_RNG_NOISE, (uint64_t)site);
  return (uint32_t)stz_rng_poisson(&rng, spec->events_per_nm3 * pow(spec->spacing, 3));
}

// Events (of the whole box) whose sphere holds the point p.
static inline uint32_t sample_covering(const sample_spec *spec, const stz_grid *grid, const double p[3]) {
  const double radius = cbrt(0.75 * SAMPLE_VOLUME / STZ_PI), a = spec->spacing;
  const int halo = (int)(radius / a + 0.5), at[3] = {(int)(p[0] / a), (int)(p[1] / a), (int)(p[2] / a)};
  uint32_t count = 0;
  for (int x = at[0] - halo; x <= at[0] + halo; x++) {
    for (int y = at[1] - halo; y <= at[1] + halo; y++) {
      for (int z = at[2] - halo; z <= at[2] + halo; z++) {
        const double d[3] = {(x + 0.5) * a - p[0], (y + 0.5) * a - p[1], (z + 0.5) * a - p[2]};
        if (d[0] * d[0] + d[1] * d[1] + d[2] * d[2] > radius * radius) continue;
        count += sample_events(spec, stz_grid_site(grid, x, y, z));
      }
    }
  }
  return count;
}

static inline void sample_make_cluster(const sample_spec *spec, const stz_grid *grid, const int site[3], int64_t id,
                                       stz_rng *rng, stz_cluster *cluster) {
  double p[3];
  for (int k = 0; k < 3; k++) {
    cluster->position_nm[k] = (float)((site[k] + stz_rng_uniform(rng)) * spec->spacing);
    p[k] = (double)cluster->position_nm[k];
  }
  cluster->id = id;
  cluster->oriented = stz_rng_uniform(rng) < spec->order.acceptance;
  cluster->ordered = true;
  const uint32_t hits = spec->events_per_nm3 > 0.0 ? sample_covering(spec, grid, p) : 0;
  for (uint32_t hit = 0; hit < hits; hit++) {
    if (stz_rng_uniform(rng) < spec->order.loss) cluster->ordered = false;
  }
}

static inline void sample_create(MPI_Comm comm, const sample_spec *spec, sample *s) {
  const stz_lattice_params box = {.cells = {spec->cells[0], spec->cells[1], spec->cells[2]},
                                  .spacing_nm = spec->spacing};
  CHECK_OK(stz_grid_create(comm, &box, &s->grid));
  const int64_t sites = stz_grid_local_sites(s->grid);
  const double mean = spec->clusters_per_nm3 * pow(spec->spacing, 3);
  const int64_t most = (int64_t)(2.0 * mean * (double)sites) + 1000;
  CHECK_OK(STZ_NEW(s->events, sites));
  CHECK_OK(STZ_NEW(s->composition, sites));
  CHECK_OK(STZ_NEW(s->clusters, most));
  int64_t count = 0;
  for (int64_t i = 0; i < sites; i++) {
    const int64_t global = stz_grid_first_site(s->grid) + i;
    int site[3];
    stz_grid_coords(s->grid, global, site);
    s->events[i] = sample_events(spec, global);
    s->composition[i] = spec->composition ? spec->composition(site, spec->seed) : 0.35f;
    stz_rng rng = stz_rng_stream(spec->seed, STZ_RNG_CLUSTERS, (uint64_t)global);
    const int here = (int)stz_rng_poisson(&rng, mean);
    for (int c = 0; c < here && count < most; c++) {
      sample_make_cluster(spec, s->grid, site, global * 256 + c, &rng, &s->clusters[count++]);
    }
  }
  CHECK(count < most, "too many clusters");
  s->view = (stz_nbed_sample){.grid = s->grid,
                              .clusters = s->clusters,
                              .cluster_count = count,
                              .event_count = s->events,
                              .composition = s->composition,
                              .cluster_density = spec->clusters_per_nm3,
                              .stz_volume_nm3 = SAMPLE_VOLUME,
                              .order = spec->order};
}

static inline void sample_destroy(sample *s) {
  stz_free(s->clusters);
  stz_free(s->events);
  stz_free(s->composition);
  stz_grid_destroy(&s->grid);
}

// lambda0 of all clusters that gives the Bragg fraction as deposited, in closed form.
static inline double sample_density(const stz_order_params *order, const stz_nbed_params *params) {
  const double reach = order->cluster_radius_nm + 0.5 * params->probe_nm;
  return -log(1.0 - order->bragg_fraction) / (order->acceptance * STZ_PI * reach * reach * params->foil_nm);
}

#endif
