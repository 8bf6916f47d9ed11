// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef STZ_MICRO_PARAMS_H
#define STZ_MICRO_PARAMS_H

typedef enum stz_micro_type {
  STZ_MICRO_RANDOM_WAVES,
  STZ_MICRO_CAHN_HILLIARD,
  STZ_MICRO_LAYERS,
  STZ_MICRO_FILE,
  STZ_MICRO_UNIFORM
} stz_micro_type;
typedef enum stz_micro_profile { STZ_PROFILE_SMOOTH, STZ_PROFILE_CUT } stz_micro_profile;
typedef enum stz_micro_control {
  STZ_CONTROL_NONE,
  STZ_CONTROL_SHUFFLED,        // the same values, permuted voxel by voxel
  STZ_CONTROL_EQUAL_HISTOGRAM, // a uniform glass whose barriers have the structured one's histogram
  STZ_CONTROL_FROZEN,          // the same, but for the noise, which is drawn on top
  STZ_CONTROL_RANDOM_PHASES    // a Gaussian field of the same spectrum, without interfaces
} stz_micro_control;

typedef enum stz_micro_values {
  STZ_VALUES_AUTO,   // phases where there are no values but 0 and 1, and both; else Ni
  STZ_VALUES_NICKEL, // atomic fractions
  STZ_VALUES_PHASES  // 0 Zr-rich, 1 Ni-rich
} stz_micro_values;

typedef struct stz_micro_params {
  stz_micro_type type;
  stz_micro_profile profile; // smooth: g = tanh(sharpness f); cut: g = +-1 by the sign of f
  double wavelength_nm;      // random-waves: lambda of the shell; cahn-hilliard: the length at which it stops
  double bandwidth;          // random-waves: half width of the shell in |k|, relative
  int layer_axis;            // layers: 0, 1, 2, the axis along which they alternate
  double layer_period_nm;    // layers: thickness of a Ni-rich and a Zr-rich one together
  double layer_rich_share;   // layers: the Ni-rich one's share of it
  double nickel_fraction;  // mean atomic fraction of Ni; for cut random-waves and cahn-hilliard also the volume's share
  double nickel_amplitude; // c = nickel_fraction + nickel_amplitude (g less its mean, where it has one), in [0, 1]
  double sharpness;        // of the tanh profile
  stz_micro_control control;
  stz_micro_values values; // file: what its values are
  int axes;                // file: number of its order of axes, for stz_micro_axes
} stz_micro_params;

#endif
