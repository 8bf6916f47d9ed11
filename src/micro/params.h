// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef STZ_MICRO_PARAMS_H
#define STZ_MICRO_PARAMS_H

#include <stdbool.h>

typedef enum stz_micro_type { STZ_MICRO_RANDOM_WAVES, STZ_MICRO_UNIFORM } stz_micro_type;
typedef enum stz_micro_profile { STZ_PROFILE_SMOOTH, STZ_PROFILE_CUT } stz_micro_profile;

typedef struct stz_micro_params {
  stz_micro_type type;
  stz_micro_profile profile; // smooth: g = tanh(sharpness f/rms f); cut: g = +-1 by a level set of f
  double wavelength_nm;      // lambda of the waves' shell
  double bandwidth;          // half width of the shell in |k|, relative
  double nickel_fraction;    // mean atomic fraction of Ni where g averages 0; for `cut` also the volume fraction
  double nickel_amplitude;   // c = nickel_fraction + nickel_amplitude g, kept in [0, 1]
  double sharpness;          // of the tanh profile
  bool shuffled;             // the control: the same values, permuted voxel by voxel
} stz_micro_params;

#endif
