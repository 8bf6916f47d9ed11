// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/glass: not installed.
//
// What the files of the glass share.
#ifndef STZ_GLASS_INTERNAL_H
#define STZ_GLASS_INTERNAL_H

#include <math.h>

#include "glass/glass.h"
#include "rng/rng.h"
#include "stz/marginal.h"

// One voxel of the footprint of a redraw: its offset from the centre, and the weights of the old and the new noise.
typedef struct stz_footprint_voxel {
  int offset[3];
  double keep, draw; // sqrt(1 - q^2) and q
} stz_footprint_voxel;

// The grains of orientation: Voronoi cells of a jittered lattice, each with one orientation.
typedef struct stz_grain_lattice {
  int count[3];    // cells along each axis
  double pitch[3]; // nm
  int most;        // voxels that a cell can have
} stz_grain_lattice;

// What a voxel was before an event changed it.
typedef struct stz_voxel_before {
  float noise, barrier, damage, hard;
} stz_voxel_before;

// One shear of a part: where its entries in the lists of the journal begin, and what it found.
typedef struct stz_shear_before {
  int64_t touched, voxels, lost;
  uint16_t rotation; // of the grain that it turned
  double most;       // of the recovery
} stz_shear_before;

// Of a part: what its shears since the last settling have changed. The first of the touched sites of a shear are those
// of its voxels, one by one; the rest are those of its grain, whose voxels all have the same rotation.
typedef struct stz_journal {
  stz_grid *slab; // the part's grid
  int most, shears;
  int reach;                // planes from an event to the last that it changes, but for its grain
  int64_t first;            // local site of the whole with which the part begins
  stz_shear_before *before; // most + 1, with the ends of the lists after the last
  int64_t *touched;         // local sites of the whole
  stz_voxel_before *voxels;
  int64_t *lost;       // clusters that lost their order, each once: there are no more than the part has
  double settled_most; // of the recovery, as taken over
} stz_journal;

struct stz_glass {
  const stz_grid *grid;
  stz_stz_params stz;
  stz_barrier_params barriers;
  stz_order_params order;
  uint64_t seed;
  stz_modes modes;
  stz_marginal marginal;
  double noise_eV; // barrier per unit of the marginal's image: width_eV, or 1 where that is in eV itself
  stz_fields *fields;

  float *structure, *composition; // g, c
  float *base;                    // barrier without noise, eV
  float *noise;                   // Gaussian field
  float *barrier;                 // eV, from base, noise and damage
  float *quenched;                // 5 components; NULL without quenched-in strain
  float *damage, *hard;           // D exp(R), and the barrier without it, eV; NULL without softening
  float *plastic;                 // 5 components
  uint32_t *cell, *event_count;
  uint16_t *rotation;
  uint16_t *last_rotation; // of the last event at the site
  uint8_t *last_shear;     // 0: none yet; 1 + 2 mode + (sign < 0)

  stz_grain_lattice cells;
  stz_footprint_voxel *footprint;
  int footprint_size;
  double *folded; // of a film: the weights `draw` of its footprints, [layer of the event][voxel of the footprint]

  stz_cluster *clusters;
  int64_t cluster_count, ordered_count; // and how many of them still have their order
  int64_t
      *row_clusters; // first cluster of each local (x, y) row, and of what follows; in a part, of those of the whole
  double cluster_density;
  int64_t *touched; // by the last event, and room for one more
  int touched_count;
  stz_recovery recovery;
  double highest; // no barrier is above, eV
  uint64_t reversals;
  stz_journal *journal; // of a part, which counts `ordered_count` from 0 at each settling; else NULL
};

// part.c: begins the entries of a shear; whether it changes anything in the part; ends them.
void stz_journal_begin(stz_glass *part);
bool stz_journal_reached(const stz_glass *part, const stz_shear *shear);
void stz_journal_end(stz_glass *part);

// Note what is about to change: a voxel, which then is touched; the order of a cluster; a grain of that rotation.
static inline void stz_journal_voxel(const stz_glass *g, int64_t local) {
  stz_voxel_before *v = &g->journal->voxels[g->journal->before[g->journal->shears + 1].voxels++];
  *v = (stz_voxel_before){.noise = g->noise[local], .barrier = g->barrier[local]};
  if (!g->damage) return;
  v->damage = g->damage[local];
  v->hard = g->hard[local];
}

static inline void stz_journal_cluster(const stz_glass *g, int64_t cluster) {
  g->journal->lost[g->journal->before[g->journal->shears + 1].lost++] = cluster;
}

static inline void stz_journal_turn(const stz_glass *g, uint16_t rotation) {
  g->journal->before[g->journal->shears].rotation = rotation;
}

// orientation.c: cells, and the rotation of each at the start; a new rotation for the cell of an event.
stz_err stz_orientation_init(stz_glass *glass) STZ_MUST_USE;
void stz_orientation_turn(stz_glass *glass, const stz_shear *shear, int rotation);
bool stz_orientation_reaches(const stz_glass *glass, const stz_shear *shear); // whether it turns voxels of these planes

// noise.c: barriers' Gaussian field at the start, and its redraw by an event.
stz_err stz_noise_init(stz_glass *glass, stz_spectral *spectral) STZ_MUST_USE;
// A field of the same correlation and unit variance, or white noise, drawn from the streams of `purpose`; `field`
// (out): one number per local site. Collective.
stz_err stz_noise_draw(stz_glass *glass, stz_spectral *spectral, stz_purpose purpose, bool white,
                       double *field) STZ_MUST_USE;
void stz_noise_redraw(stz_glass *glass, int64_t site, double normal);

double stz_footprint_width(const stz_glass *glass); // nm

// fold.c: in a film, the footprint's weights folded at the surfaces, once it is made; the noise filtered along z. Both
// local.
stz_err stz_fold_footprint(stz_glass *glass) STZ_MUST_USE;
// And what the surfaces of a film do to the barriers.
void stz_surface_barriers(stz_glass *glass);
stz_err stz_fold_filter(const stz_glass *glass, double *field) STZ_MUST_USE;

// The voxel `index` of the footprint of an event in layer z0; in a film it must lie inside.
static inline stz_footprint_voxel stz_footprint_at(const stz_glass *g, int z0, int index) {
  stz_footprint_voxel v = g->footprint[index];
  const int z = z0 + v.offset[2];
  if (!g->folded || z < 0 || z >= stz_grid_cells(g->grid)[2]) return v;
  v.draw = g->folded[z0 * g->footprint_size + index];
  v.keep = sqrt(1.0 - v.draw * v.draw);
  return v;
}

// quenched.c: the quenched-in strain, if there is any.
stz_err stz_quenched_init(stz_glass *glass) STZ_MUST_USE;

// damage.c: damage at the start (`given`: of each local site, with that shape; collective), and what an event does.
void stz_damage_init(stz_glass *glass, const double *given);
void stz_damage_add(stz_glass *glass, int64_t site);

// histogram.c: gives the uniform glass the distribution of the structured one's barriers: of all of the barrier, in one
// that events draw again, or of its part without noise, which stays. Collective.
stz_err stz_histogram_match(stz_glass *glass, const stz_micro *structured) STZ_MUST_USE;
stz_err stz_histogram_freeze(stz_glass *glass, stz_spectral *spectral, const stz_micro *structured) STZ_MUST_USE;

// clusters.c: ordered clusters at the start, and the loss of their order.
stz_err stz_clusters_init(stz_glass *glass, double foil_nm, double probe_nm) STZ_MUST_USE;
void stz_clusters_shear(stz_glass *glass, const stz_shear *shear);
uint64_t stz_clusters_hash(const stz_glass *glass); // local part

#endif
