// SPDX-License-Identifier: GPL-3.0-or-later
#include "kmc/points/points.h"

#include <string.h>

#include "base/units.h"
#include "rng/philox.h"

enum { SECOND = 64, BLOCK = 9, SITES = 1 << BLOCK }; // bits of a second; of the number of a site in its block
enum { CELL = 1, GROUND_CELL = 4 };                  // 2^CELL points per cell on average

// A process, and its name.
typedef struct process {
  int32_t owner; // site or block
  int16_t layer;
  bool ground;
  int gap, cell; // mean time between its points and length of its cells, 2^gap and 2^cell units of time
} process;

// Density x heights x sites x mean gap = 1.
static process own(int32_t number, int layer) {
  return (process){.owner = number,
                   .layer = (int16_t)layer,
                   .ground = false,
                   .gap = SECOND - (layer - 1),
                   .cell = SECOND - (layer - 1) + CELL};
}

static process ground_of(int32_t block, int ground) {
  return (process){.owner = block,
                   .layer = (int16_t)ground,
                   .ground = true,
                   .gap = SECOND - BLOCK - ground,
                   .cell = SECOND - BLOCK - ground + GROUND_CELL};
}

static process process_of(const stz_point *point) {
  return point->ground ? ground_of(point->number / SITES, point->layer) : own(point->number, point->layer);
}

// Random words of a point: gap before it, height, site (high bits) and free uniform (low bits), and one to spare.
static void words_of(uint64_t seed, const process *p, stz_instant cell, int index, uint64_t words[4]) {
  const uint64_t name =
      (uint64_t)(uint32_t)p->owner << 32 | (uint64_t)(uint16_t)p->layer << 16 | (uint64_t)p->ground << 8;
  const uint64_t counter[4] = {name | (uint64_t)index, (uint64_t)cell, (uint64_t)(cell >> 64), 0};
  stz_rng_block(seed, STZ_RNG_POINTS, counter, words);
}

static double unit(uint64_t bits53) { return (double)bits53 * 0x1p-53; }

// -ln x of a number in (0, 1], within 1e-10 of itself and 2e-16: the same on every machine, as stz_ln, in a third of
// its time.
static inline double minus_ln(double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  const int64_t exponent = (int64_t)(bits - 0x3fe6a09e667f3bcdu) >> 52; // of x over a mantissa from 0.707 to 1.414
  double m;
  bits -= (uint64_t)exponent << 52;
  memcpy(&m, &bits, sizeof m);
  const double s = (m - 1.0) / (m + 1.0), s2 = s * s, s4 = s2 * s2; // ln m = 2 (s + s^3/3 + s^5/5 + ...), |s| < 0.172
  const double series = (1.0 / 3 + s2 * (1.0 / 5)) + s4 * ((1.0 / 7 + s2 * (1.0 / 9)) + s4 * (1.0 / 11));
  return -(double)exponent * STZ_LN2 - (2.0 * s + 2.0 * s * s2 * series);
}

// An exponential time of mean 2^gap.
static stz_instant gap_of(uint64_t word, int gap) {
  const uint64_t bits = (uint64_t)(0x1p52 * minus_ln(1.0 - unit(word >> 11))); // below 2^58
  return gap < 52 ? (stz_instant)(bits >> (52 - gap)) : (stz_instant)bits << (gap - 52);
}

double stz_points_power(int k) {
  const uint64_t bits = (uint64_t)(1023 + k) << 52;
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static stz_point make(const process *p, stz_instant time, int index, const uint64_t words[4]) {
  const double share = unit(words[1] >> 11);
  return (stz_point){.time = time,
                     .height = p->ground ? share * stz_points_power(p->layer)
                                         : (1.0 + share) * stz_points_power(p->layer - 1),
                     .number = p->ground ? p->owner * SITES + (int32_t)(words[2] >> (64 - BLOCK)) : p->owner,
                     .layer = p->layer,
                     .index = (uint8_t)index,
                     .ground = p->ground};
}

// The first point after `after`, which is in the cell of point number index - 1, at `time` (or of none, at the begin of
// the cell). An exponential time has no memory, so that each cell begins anew.
static stz_point first_after(uint64_t seed, const process *p, stz_instant time, int index, stz_instant after) {
  const int bits = p->cell;
  for (stz_instant cell = time >> bits; cell < STZ_INSTANT_NEVER >> bits;) {
    uint64_t words[4];
    words_of(seed, p, cell, index, words);
    time += gap_of(words[0], p->gap);
    if (time >= (cell + 1) << bits) {
      time = ++cell << bits;
      index = 0;
    } else if (time > after) {
      return make(p, time, index, words);
    } else {
      index++;
    }
  }
  return (stz_point){.time = STZ_INSTANT_NEVER};
}

// The begin of the cell of a time.
static stz_instant begin_of(const process *p, stz_instant time) { return time >> p->cell << p->cell; }

stz_point stz_points_own(uint64_t seed, int32_t number, int layer, stz_instant after) {
  const process p = own(number, layer);
  return first_after(seed, &p, begin_of(&p, after), 0, after);
}

stz_point stz_points_ground(uint64_t seed, int32_t block, int ground, stz_instant after) {
  const process p = ground_of(block, ground);
  return first_after(seed, &p, begin_of(&p, after), 0, after);
}

// Nearly always it is the next one of its cell or the first of the cell that follows. Where both are likely they are
// made side by side.
stz_point stz_points_next(uint64_t seed, const stz_point *point) {
  const process p = process_of(point);
  const stz_instant cell = point->time >> p.cell, end = (cell + 1) << p.cell;
  uint64_t here[4], beyond[4];
  words_of(seed, &p, cell, point->index + 1, here);
  if (!p.ground) words_of(seed, &p, cell + 1, 0, beyond);
  const stz_instant next = point->time + gap_of(here[0], p.gap);
  if (next < end && next > point->time) return make(&p, next, point->index + 1, here);
  if (p.ground) words_of(seed, &p, cell + 1, 0, beyond);
  const stz_instant first = end + gap_of(beyond[0], p.gap);
  if (next >= end && first > end && (first - end) >> p.cell == 0 && first < STZ_INSTANT_NEVER)
    return make(&p, first, 0, beyond);
  return first_after(seed, &p, point->time, point->index + 1, point->time);
}

double stz_points_uniform(uint64_t seed, const stz_point *point) {
  const process p = process_of(point);
  uint64_t words[4];
  words_of(seed, &p, point->time >> p.cell, point->index, words);
  return unit(words[2] & (((uint64_t)1 << 53) - 1));
}

stz_instant stz_instant_of(double s) {
  if (!(s < 0x1p63)) return STZ_INSTANT_NEVER;
  const uint64_t whole = (uint64_t)s;
  return (stz_instant)whole << 64 | (uint64_t)((s - (double)whole) * 0x1p64);
}

double stz_instant_seconds(stz_instant time) {
  return (double)(uint64_t)(time >> 64) + (double)(uint64_t)time * 0x1p-64;
}
