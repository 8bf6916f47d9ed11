// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef STZ_GLASS_PARAMS_H
#define STZ_GLASS_PARAMS_H

#include "base/mathfn.h"
#include "base/units.h"
#include "stz/params.h"

typedef enum stz_redraw { STZ_REDRAW_STZ, STZ_REDRAW_CENTRE, STZ_REDRAW_NONE } stz_redraw;

typedef enum stz_damage_shape {
  STZ_DAMAGE_NONE,
  STZ_DAMAGE_SLAB,   // between two planes about the middle of the box
  STZ_DAMAGE_SPHERE, // about the middle of the box
  STZ_DAMAGE_RANDOM, // each voxel by itself
  STZ_DAMAGE_FILE    // a field that was given
} stz_damage_shape;
typedef enum stz_damage_normal {
  STZ_NORMAL_X,
  STZ_NORMAL_Y,
  STZ_NORMAL_Z,
  STZ_NORMAL_XY, // (1, 1, 0)/sqrt2, and so on: the box must be as long along both axes
  STZ_NORMAL_XZ,
  STZ_NORMAL_YZ
} stz_damage_normal;

// The axes between which a normal lies; for an axis, that one twice.
static inline const int *stz_damage_axes(stz_damage_normal normal) {
  static const int axes[][2] = {{0, 0}, {1, 1}, {2, 2}, {0, 1}, {0, 2}, {1, 2}};
  return axes[normal];
}

// Damage before any event.
typedef struct stz_damage_params {
  stz_damage_shape shape;
  stz_damage_normal normal; // of the slab
  double amount;            // D within the shape
  double width_nm;          // thickness of the slab, diameter of the sphere
  double share;             // random: probability that a voxel has it
} stz_damage_params;

typedef struct stz_barrier_params {
  double mean_eV;                // barrier of a site with g = 0 far from interfaces
  double width_eV;               // standard deviation of the noise before the cut
  double cutoff_sigma;           // the noise, of mean 0 and variance 1, is cut at +- this
  double modulus_eV;             // rise per unit of g with the modulus; config sets it from modulus_scaling
  double modulus_scaling;        // share of the mean barrier that is proportional to the shear modulus
  double composition_eV;         // rise of the barrier per unit of g
  double interface_eV;           // fall of the barrier on interfaces, per unit of |grad g| lambda/(2 pi sharpness)
  double surface_eV;             // rise of the barrier at the surfaces of a film
  double surface_depth_nm;       // as deep as this; voxels on the border by their share
  double floor_eV;               // lower limit of all barriers
  stz_distribution distribution; // of the noise
  double weibull_shape;
  double softening_eV;        // fall of a barrier per unit of damage
  double saturation;          // largest damage that events do
  stz_damage_params damage;   // at the start
  double recovery_rate_per_s; // attempt rate of the recovery of damage
  double recovery_eV;         // its barrier
  stz_redraw redraw;          // what an event draws again
} stz_barrier_params;

typedef struct stz_order_params {
  double bragg_fraction;    // fraction of NBED patterns with Bragg reflections as deposited
  double acceptance;        // fraction of clusters oriented for Bragg reflection
  double cluster_radius_nm; // R
  double loss;              // d: probability that an event takes the order of a cluster within its volume
} stz_order_params;

// Clusters per nm^3 that make the fraction of patterns what it is (docs/theory.md, 10), and most per voxel that are
// taken.
static inline double stz_order_density(const stz_order_params *order, double foil_nm, double probe_nm) {
  const double reach = order->cluster_radius_nm + 0.5 * probe_nm;
  return -stz_ln(1.0 - order->bragg_fraction) / (order->acceptance * STZ_PI * reach * reach * foil_nm);
}
#define STZ_MOST_CLUSTERS 50.0

#endif
