// SPDX-License-Identifier: GPL-3.0-or-later
//
// The exponential of the hot loop.
#ifndef STZ_STZ_POWER2_H
#define STZ_STZ_POWER2_H

#include <stdint.h>
#include <string.h>

#include "base/units.h"

#define STZ_POWER2_LEAST (-126.0f)

// 2^u for u <= 0, relative error 2e-7; below -126 it stays at 2^-126. Branch-free, the same bits in every lane width.
static inline float stz_power2(float u) {
  const float magic = STZ_ROUNDING;
  u = u < STZ_POWER2_LEAST ? STZ_POWER2_LEAST : u;
  const float t = u + magic, r = u - (t - magic);
  float p = 0x1.5c08e4p-10f;
  p = __builtin_fmaf(p, r, 0x1.3d0c52p-7f);
  p = __builtin_fmaf(p, r, 0x1.c6b6e4p-5f);
  p = __builtin_fmaf(p, r, 0x1.ebf918p-3f);
  p = __builtin_fmaf(p, r, 0x1.62e428p-1f);
  p = __builtin_fmaf(p, r, 1.0f);
  uint32_t exponent, bits;
  memcpy(&exponent, &t, sizeof exponent);
  memcpy(&bits, &p, sizeof bits);
  bits += exponent << 23; // the magic number's own bits leave the word
  memcpy(&p, &bits, sizeof p);
  return p;
}

#endif
