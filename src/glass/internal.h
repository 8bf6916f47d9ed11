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
  int64_t *row_clusters;                // first cluster of each local (x, y) row, and the count at the end
  double cluster_density;
  int64_t *touched; // by the last event, and room for one more
  int touched_count;
  stz_recovery recovery;
  double highest; // no barrier is above, eV
  uint64_t reversals;
};

// orientation.c: cells, and the rotation of each at the start; a new rotation for the cell of an event.
stz_err stz_orientation_init(stz_glass *glass) STZ_MUST_USE;
void stz_orientation_turn(stz_glass *glass, const stz_shear *shear, int rotation);

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
