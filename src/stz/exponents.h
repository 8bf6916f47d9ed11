// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/stz: not installed.
//
// Exponents y_m = p_m.s of the modes, shared by the loops over many sites and by the one for a single site, so that
// both have the same bits.
#ifndef STZ_STZ_EXPONENTS_H
#define STZ_STZ_EXPONENTS_H

#include "stz/law.h"

// Parts of the exponents of a mode and of its three images under half turns, from the components of a stress: the four
// are plus + sum, minus + difference, minus - difference, plus - sum.
typedef struct stz_parts {
  float plus, minus, sum, difference;
} stz_parts;

static inline stz_parts stz_parts_of(const float p[5], float s0, float s1, float s2, float s3, float s4) {
  const float even = __builtin_fmaf(p[3], s3, p[4] * s4), yz = p[1] * s1;
  return (stz_parts){__builtin_fmaf(p[0], s0, even), __builtin_fmaf(-p[0], s0, even), __builtin_fmaf(p[2], s2, yz),
                     __builtin_fmaf(-p[2], s2, yz)};
}

// Exponent of one mode of any catalogue.
static inline float stz_exponent_of(const float p[5], float s0, float s1, float s2, float s3, float s4) {
  const float even = __builtin_fmaf(p[3], s3, p[4] * s4);
  return __builtin_fmaf(p[0], s0, __builtin_fmaf(p[1], s1, __builtin_fmaf(p[2], s2, even)));
}

#endif
