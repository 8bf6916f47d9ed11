// SPDX-License-Identifier: GPL-3.0-or-later
//
// Sums over events in fixed point: whole numbers of a power of two, so that the sum is the same in any order of the
// events, and zero once all are taken off again.
#ifndef STZ_ELASTIC_FIXED_H
#define STZ_ELASTIC_FIXED_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/units.h"

typedef float stz_lanes __attribute__((vector_size(32)));
typedef uint32_t stz_words __attribute__((vector_size(32)));

enum { STZ_WHOLE_BIAS = 0x4b400000 }; // the bits of 1.5 * 2^23

// Rounds |x| < 2^22 to the nearest whole number n, halves to the even one, so that -x gives -n; returns the bits
// STZ_WHOLE_BIAS + n.
static inline __attribute__((always_inline)) stz_words stz_biased(stz_lanes x) {
  const stz_lanes magic = x + STZ_ROUNDING;
  stz_words bits;
  memcpy(&bits, &magic, sizeof bits);
  return bits;
}

// Any float to the nearest whole number, at the end of the range if it lies beyond.
static inline __attribute__((always_inline)) int32_t stz_whole(float x) {
  const float most = 2147483520.0f, low = x < -most ? -most : x, within = low > most ? most : low;
  return (int32_t)(within + __builtin_copysignf(0.5f, within));
}

// The unit in which the stress of an event of the norm `strain` is below 2^22, and so any sum over some of its
// components; `largest`: norm of a row of the kernel.
static inline float stz_fixed_unit(double largest, double strain) {
  int exponent;
  (void)frexp(1.01 * largest * strain, &exponent); // tables are rounded
  return (float)ldexp(1.0, exponent - 22);
}

// Sums that are few have 64 bits and this unit: 10^-12, the range is 8 10^6.
#define STZ_FINE 0x1p-40

// A number as whole units of STZ_FINE, rounded to the nearest, and back.
static inline int64_t stz_to_fine(double x) { return llrint(x * (1.0 / STZ_FINE)); }
static inline double stz_from_fine(int64_t x) { return STZ_FINE * (double)x; }

// The upper half of a float, rounded (relative error 2e-3), and the float that it stands for.
static inline uint16_t stz_half_of(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}
static inline float stz_float_of_half(uint16_t half) {
  const uint32_t bits = (uint32_t)half << 16;
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

#endif
