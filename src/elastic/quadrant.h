// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/elastic: not installed.
//
// Fields of a plate (plate.h) on the quadrant of wave numbers and of offsets along x and y: what mirror images and odd
// components make of them.
#ifndef STZ_ELASTIC_QUADRANT_H
#define STZ_ELASTIC_QUADRANT_H

#include "base/tensor.h"

// Whether component c (5: the trace) changes its sign under reflection of the axis: 0 or 1.
static inline int stz_odd(int c, int axis) { return c < 5 && stz_dev_parity(c, axis) < 0; }

// Whether the pair of components does.
static inline int stz_odd_pair(int c, int d, int axis) { return stz_odd(c, axis) ^ stz_odd(d, axis); }

// Sign of the spectrum of a pair of components on the quadrant: what i and the odd sines make of it.
static inline double stz_quadrant_sign(int c, int d) {
  const int turns = stz_odd(c, 2) - stz_odd(d, 2); // of the factor i
  const int sines = stz_odd_pair(c, d, 0) + stz_odd_pair(c, d, 1);
  if (sines == 2) return -1.0;
  return sines == 1 ? -turns : 1.0;
}

// Weight of a wave of the quadrant in a sum over all: inner ones stand for their mirror images too.
static inline double stz_quadrant_weight(const int cells[3], const int m[2]) {
  double weight = 1.0 / ((double)cells[0] * cells[1]);
  for (int axis = 0; axis < 2; axis++) weight *= m[axis] == 0 || 2 * m[axis] == cells[axis] ? 1.0 : 2.0;
  return weight;
}

#endif
