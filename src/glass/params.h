// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef STZ_GLASS_PARAMS_H
#define STZ_GLASS_PARAMS_H

#include "stz/params.h"

typedef enum stz_redraw { STZ_REDRAW_STZ, STZ_REDRAW_CENTRE, STZ_REDRAW_NONE } stz_redraw;

typedef struct stz_barrier_params {
  double mean_eV;                // barrier of a site with g = 0 far from interfaces
  double width_eV;               // standard deviation of the noise before the cut
  double cutoff_sigma;           // the noise, of mean 0 and variance 1, is cut at +- this
  double composition_eV;         // rise of the barrier per unit of g
  double interface_eV;           // fall of the barrier on interfaces, per unit of |grad g| lambda/(2 pi sharpness)
  double floor_eV;               // lower limit of all barriers
  stz_distribution distribution; // of the noise
  double weibull_shape;
  double softening_eV;        // fall of a barrier under full damage
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

#endif
