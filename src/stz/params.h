// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef STZ_STZ_PARAMS_H
#define STZ_STZ_PARAMS_H

// The barrier laws, each a file src/stz/laws/NAME.c; the names are those of the input.
#define STZ_BARRIER_LAWS(X)                                                                                            \
  X(LINEAR, linear)                                                                                                    \
  X(COOPERATIVE, cooperative)

#define STZ_LAW_VALUE(LAW, name) STZ_LAW_##LAW,
typedef enum stz_barrier_law { STZ_BARRIER_LAWS(STZ_LAW_VALUE) } stz_barrier_law;

typedef enum stz_distribution { STZ_GAUSSIAN, STZ_WEIBULL, STZ_UNIFORM } stz_distribution;
typedef enum stz_orientation { STZ_ORIENTATION_RANDOM, STZ_ORIENTATION_ALIGNED } stz_orientation;
typedef enum stz_attempt_density { STZ_ATTEMPT_VOLUME, STZ_ATTEMPT_VOXEL } stz_attempt_density;
// Which normal stress lowers a barrier beside the resolved one: that on the mode's plane, or the mean of three.
typedef enum stz_normal_stress { STZ_NORMAL_STRESS_PLANE, STZ_NORMAL_STRESS_PRESSURE } stz_normal_stress;
#define STZ_LAW_NAME(LAW, name) "|" #name
#define STZ_LAW_NAMES (&STZ_BARRIER_LAWS(STZ_LAW_NAME)[1]) // "linear|cooperative"

enum { STZ_MODES = 15 }; // most shear modes, and those of the icosahedral catalogue

// Shear modes that were given: along direction s on the plane with normal n, of any length. None: the icosahedral ones.
typedef struct stz_catalogue {
  int count;
  double axes[STZ_MODES][6]; // s, n
} stz_catalogue;

typedef struct stz_stz_params {
  double volume_nm3;                   // volume Omega of a shear transformation zone
  double gamma0;                       // engineering shear of one event
  double activation_fraction;          // chi: share of the work gamma0 Omega tau at the saddle
  stz_barrier_law barrier_law;         // how stress lowers the barrier
  double tau_c_GPa;                    // cooperative law: resolved stress at which no barrier is left
  double normal_coefficient;           // alpha: normal stress times this is added to the resolved one
  stz_normal_stress normal_stress;     // which
  stz_catalogue catalogue;             // shear modes
  stz_orientation orientation;         // shear modes along random axes, grain by grain, or along the lattice's
  double quenched_strain;              // rms norm of the quenched-in strain, averaged over an STZ
  double attempt_frequency_per_s;      // nu0
  stz_attempt_density attempt_density; // nu0 per volume Omega, or nu0 per voxel
} stz_stz_params;

#endif
