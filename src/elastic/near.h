// SPDX-License-Identifier: GPL-3.0-or-later
//
// The near part of an event's stress (split.h), added to rows of 8 sites, in blocks of 8 x 8 x 8 sites.
//
// A row of 8 (stz_row8) lies along z. Row `row` of block `block` is number 64 block + row, row = 8 (x mod 8) + (y mod
// 8), block = (x/8 by + y/8) bz + z/8.
#ifndef STZ_ELASTIC_NEAR_H
#define STZ_ELASTIC_NEAR_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "elastic/split.h"

enum { STZ_BLOCK_PIECES = 64, STZ_NEAR_PIECES = 3 * 225 + 1, STZ_NEAR_PARTS = 5, STZ_FOLDED_PARTS = 6 };

// `near` is in the split's units: a sum that no order of events changes. `cached` (cached stress) and `slack` serve
// bounds only, in 16 bits: this halves the memory that an event moves. `bound` and `barrier` are the caller's own and
// not touched here.
typedef struct stz_row8 {
  int32_t near[STZ_NEAR_PARTS][8]; // stress by the near part
  int16_t cached[5][8];            // cached: stress at the last update and nearby events since, units of STZ_CACHED
  int16_t slack[8];                // units of STZ_SLACK; cached and slack are updated as one array
  float bound[8], barrier[8];
} stz_row8;

#define STZ_CACHED (1.0f / 256) // eV/nm^3: 0.6 MPa, so that a sum of hundreds is good to 10; the range is 20 GPa
#define STZ_SLACK (1.0f / 256)  // of ln(rate)

// The lanes of a row's slacks that are below zero, by bits.
static inline __attribute__((always_inline)) uint32_t stz_below_zero(const int16_t slack[8]) {
  uint64_t bits[2];
  uint32_t below = 0;
  memcpy(bits, slack, sizeof bits);
  if (((bits[0] | bits[1]) & 0x8000800080008000u) == 0) return 0;
  for (int half = 0; half < 2; half++) { // the four sign bits to the top, by one multiplication
    const uint64_t sign = bits[half] >> 15 & 0x0001000100010001u;
    below |= (uint32_t)(sign * 0x0001000200040008u >> 48 & 15) << (4 * half);
  }
  return below;
}

// Brings the parts of a row that an event changes into the cache.
static inline __attribute__((always_inline)) void stz_prefetch_row8(const stz_row8 *row8) {
  for (int line = 0; line < (int)offsetof(stz_row8, bound); line += 64)
    __builtin_prefetch((const char *)row8 + line, 1);
}

// Eight stresses or slacks, in units, to fixed point (rounded, within its range) and back. Vectors by hand: compilers
// halve the width of loops that mix 16 and 32 bits.
static inline __attribute__((always_inline)) void stz_to_fixed(const float units[8], int16_t fixed[8]) {
  typedef int32_t wide __attribute__((vector_size(32)));
  typedef int16_t narrow __attribute__((vector_size(16)));
  int32_t whole[8];
#pragma omp simd
  for (int l = 0; l < 8; l++) {
    const float most = 32767.0f, low = units[l] < -most ? -most : units[l], x = low > most ? most : low;
    whole[l] = (int32_t)(x + 65536.5f) - 65536;
  }
  wide all;
  memcpy(&all, whole, sizeof all);
  const narrow half = __builtin_convertvector(all, narrow);
  memcpy(fixed, &half, sizeof half);
}

static inline __attribute__((always_inline)) void stz_from_fixed(const int16_t fixed[8], float units[8]) {
  typedef int32_t wide __attribute__((vector_size(32)));
  typedef int16_t narrow __attribute__((vector_size(16)));
  int32_t whole[8];
  narrow half;
  memcpy(&half, fixed, sizeof half);
  const wide all = __builtin_convertvector(half, wide);
  memcpy(whole, &all, sizeof whole);
#pragma omp simd
  for (int l = 0; l < 8; l++) units[l] = (float)whole[l];
}

// A row of 8 with slacks below zero: bit l of `lanes` for site l.
typedef struct stz_exhausted {
  int32_t row8;
  uint8_t lanes;
} stz_exhausted;

// Adds the near part of events to the rows about them, and lists the rows with a slack below zero.
typedef struct stz_near stz_near;

// Serial. `split` must outlive it.
stz_err stz_near_create(const stz_split *split, stz_near **near) STZ_MUST_USE;
void stz_near_destroy(stz_near **near);

// Adds the stress of an event with the strain deviator e (1) at the site `origin` to rows8[...] (in and out): its near
// part to `near`, its full stress to `cached`; subtracts `scale` times the norm of the latter from the slacks. Returns
// the number of rows with a slack below zero; *exhausted lists them until the next call.
int stz_near_add(stz_near *near, const int origin[3], const float e[5], float scale, stz_row8 *rows8,
                 stz_exhausted **exhausted);

// From here on stz_near_add touches only the rows of 8 at first <= x < first + planes, with the same bits there;
// before, all.
void stz_near_keep(stz_near *near, int first, int planes);

// What an event adds at one site: to `near`, to `cached`, and to `slack` (0 or less).
typedef struct stz_near_change {
  int32_t near[STZ_NEAR_PARTS];
  int16_t cached[5], slack;
} stz_near_change;

// What stz_near_add of an event adds at the site (voxels from 0), kept or not, with the same bits. False, and zeros,
// where it adds nothing.
bool stz_near_at(stz_near *near, const int origin[3], const float e[5], float scale, const int site[3],
                 stz_near_change *change);

// Whether stz_near_add looks at a row of 8 in the block of layers `block`, (x, y) away from an event in the layer z.
bool stz_near_covers(int x, int y, int z, int block);

#endif
