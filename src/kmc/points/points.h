// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/kmc: not installed.
//
// The random points from which the points engine makes its events (Harris, Adv. Math. 9, 66, 1972). Each site has a
// Poisson process of unit density in the plane of time (s) and height (1/s): an event happens at a point if and only if
// its height is below the rate of its site at that time. Every point is a function of the seed and of where it lies, so
// that it does not matter in which order, by whom or how often points are looked at.
//
// Layers. Heights are cut at powers of two: layer k of a site holds the heights from 2^(k-1) to 2^k. Below a ground at
// 2^g all sites of a block of 512 share one process; a ground at another height is another process. Layer k above the
// ground is the same whatever the ground.
//
// Cells. The time of each of these processes is cut in cells of 2/rate, a power of two of a second: from the begin of
// each cell exponential times, from random numbers that belong to the process, the cell and the number of the point in
// it, lead from point to point until the cell ends.
#ifndef STZ_KMC_POINTS_H
#define STZ_KMC_POINTS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "rng/rng.h"

// Times count in units of 2^-64 s: 5e-20 s, whatever the age.
typedef stz_uint128 stz_instant;

// No point is later: 3e11 years.
#define STZ_INSTANT_NEVER ((stz_instant)1 << 127)

// Layers and grounds that exist.
enum { STZ_POINTS_LOWEST = -56, STZ_POINTS_HIGHEST = 60 };

typedef struct stz_point {
  stz_instant time; // STZ_INSTANT_NEVER: there is none
  double height;    // 1/s
  int32_t number;   // of its site: 512 block + site of the block
  int16_t layer;    // k or g
  uint8_t index;    // in its cell
  bool ground;
} stz_point;

// The first point of layer `layer` of the site `number` after the time `after`. A pure function.
stz_point stz_points_own(uint64_t seed, int32_t number, int layer, stz_instant after);

// The first point of the block `block` below the ground `ground` after the time `after`. A pure function.
stz_point stz_points_ground(uint64_t seed, int32_t block, int ground, stz_instant after);

// The point that follows in the same process.
stz_point stz_points_next(uint64_t seed, const stz_point *point);

// The uniform number, [0, 1), that belongs to a point beside its place.
double stz_points_uniform(uint64_t seed, const stz_point *point);

// The layer or ground that holds all heights up to `height` (1/s), at most STZ_POINTS_HIGHEST.
static inline int stz_points_layer(float height) {
  uint32_t bits;
  memcpy(&bits, &height, sizeof bits);
  const int layer = (int)((bits + 0x7fffffu) >> 23) - 127; // the power of two at or above
  return layer < STZ_POINTS_HIGHEST ? layer : STZ_POINTS_HIGHEST;
}

double stz_points_power(int k); // 2^k

// Seconds, not negative, to the unit below, at most STZ_INSTANT_NEVER; and back.
stz_instant stz_instant_of(double s);
double stz_instant_seconds(stz_instant time);

#endif
