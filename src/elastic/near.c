// SPDX-License-Identifier: GPL-3.0-or-later
#include "elastic/near.h"

#include <string.h>

#include "base/target.h"

typedef float lanes __attribute__((vector_size(32)));
typedef float loose_lanes __attribute__((vector_size(32), aligned(4), may_alias));
typedef int indices __attribute__((vector_size(32)));

enum { SPAN = STZ_NEAR_SPAN, SIDE = 2 * SPAN - 1, PADDED = 32, PARTS = 6 };

// Rows of one |x|: what is to be added along z, z = 0 being number 16, between zeros.
typedef struct strip {
  _Alignas(64) float add[2][SIDE][PARTS][PADDED]; // [x < 0][y + 7]
} strip;

// sqrt(63 - x^2 - y^2), rounded down: how far a row of the sphere reaches along z; -1: not at all.
static const signed char REACH[SPAN][SPAN] = {
    {7, 7, 7, 7, 6, 6, 5, 3},  {7, 7, 7, 7, 6, 6, 5, 3},  {7, 7, 7, 7, 6, 5, 4, 3},   {7, 7, 7, 6, 6, 5, 4, 2},
    {6, 6, 6, 6, 5, 4, 3, -1}, {6, 6, 5, 5, 4, 3, 1, -1}, {5, 5, 4, 4, 3, 1, -1, -1}, {3, 3, 3, 2, -1, -1, -1, -1},
};

#define F(x, y, sum) __builtin_fmaf(x, y, sum)

// The stress of the four mirror images (+x,+y), (-x,-y), (+x,-y), (-x,+y) of a row of the octant, z = 0..7, out of
// partial sums over the strain's components of equal parity (component 0 changes its sign with x and with y, 1 with y,
// 2 with x): 65 operations, not 100.
#define IMAGES(k, e, out)                                                                                              \
  do {                                                                                                                 \
    const float k00 = (k)[0 * 8 + l], k01 = (k)[1 * 8 + l], k02 = (k)[2 * 8 + l], k03 = (k)[3 * 8 + l],                \
                k04 = (k)[4 * 8 + l], k11 = (k)[5 * 8 + l], k12 = (k)[6 * 8 + l], k13 = (k)[7 * 8 + l],                \
                k14 = (k)[8 * 8 + l], k22 = (k)[9 * 8 + l], k23 = (k)[10 * 8 + l], k24 = (k)[11 * 8 + l],              \
                k33 = (k)[12 * 8 + l], k34 = (k)[13 * 8 + l], k44 = (k)[14 * 8 + l];                                   \
    COMPONENT(out, 0, k00 *e0, k01 *e1, k02 *e2, F(k03, e3, k04 *e4), 1.0f, 1.0f, -1.0f, -1.0f);                       \
    COMPONENT(out, 1, k01 *e0, k11 *e1, k12 *e2, F(k13, e3, k14 *e4), 1.0f, -1.0f, -1.0f, 1.0f);                       \
    COMPONENT(out, 2, k02 *e0, k12 *e1, k22 *e2, F(k23, e3, k24 *e4), 1.0f, -1.0f, 1.0f, -1.0f);                       \
    COMPONENT(out, 3, k03 *e0, k13 *e1, k23 *e2, F(k33, e3, k34 *e4), 1.0f, 1.0f, 1.0f, 1.0f);                         \
    COMPONENT(out, 4, k04 *e0, k14 *e1, k24 *e2, F(k34, e3, k44 *e4), 1.0f, 1.0f, 1.0f, 1.0f);                         \
  } while (0)
#define COMPONENT(out, c, of0, of1, of2, of34, pp, mm, pm, mp)                                                         \
  do {                                                                                                                 \
    const float t0 = (of0), t1 = (of1), t2 = (of2), t3 = (of34);                                                       \
    const float even = t3 + t0, odd = t1 + t2, cross = t3 - t0, skew = t2 - t1;                                        \
    (out)[0][c][l] = (pp) * (even + odd);                                                                              \
    (out)[1][c][l] = (mm) * (even - odd);                                                                              \
    (out)[2][c][l] = (pm) * (cross + skew);                                                                            \
    (out)[3][c][l] = (mp) * (cross - skew);                                                                            \
  } while (0)

static inline __attribute__((always_inline)) void images(const float *restrict near, const float *restrict whole,
                                                         const float e[5], float scale, float out[4][PARTS][8]) {
  const float e0 = e[0], e1 = e[1], e2 = e[2], e3 = e[3], e4 = e[4];
  _Alignas(64) float change[4][PARTS][8];
#pragma omp simd
  for (int l = 0; l < 8; l++) IMAGES(near, e, out);
#pragma omp simd
  for (int l = 0; l < 8; l++) IMAGES(whole, e, change);
  for (int image = 0; image < 4; image++) {
#pragma omp simd
    for (int l = 0; l < 8; l++) {
      const float s0 = change[image][0][l], s1 = change[image][1][l], s2 = change[image][2][l],
                  s3 = change[image][3][l], s4 = change[image][4][l];
      out[image][5][l] = -scale * __builtin_sqrtf(F(s0, s0, F(s1, s1, F(s2, s2, F(s3, s3, s4 * s4)))));
    }
  }
}

// Writes both halves of a row: `half` its z = 0..7, `other` the half of the row opposite, which is the same at -z.
static inline __attribute__((always_inline)) void put_row(float half[PARTS][8], float other[PARTS][8],
                                                          float to[PARTS][PADDED]) {
  const lanes zero = {0};
  const indices back = {8, 7, 6, 5, 4, 3, 2, 1}; // the first is z = -8, beyond the sphere
  for (int c = 0; c < PARTS; c++) {
    const lanes turned = *(const loose_lanes *)other[c];
    *(loose_lanes *)(to[c] + 8) = __builtin_shuffle(turned, zero, back);
    *(loose_lanes *)(to[c] + 16) = *(const loose_lanes *)half[c];
  }
}

// All rows of the planes at +x and -x.
STZ_MULTIVERSION
static void fill_strip(const float *near, const float *whole, int x, const float e[5], float scale, strip *s) {
  for (int y = 0; y < SPAN && x * x + y * y < SPAN * SPAN; y++) {
    const size_t row = (size_t)(x * SPAN + y) * STZ_PAIRS * 8;
    _Alignas(64) float image[4][PARTS][8];
    images(near + row, whole + row, e, scale, image);
    put_row(image[0], image[1], s->add[0][SPAN - 1 + y]);
    put_row(image[1], image[0], s->add[1][SPAN - 1 - y]);
    put_row(image[2], image[3], s->add[0][SPAN - 1 - y]);
    put_row(image[3], image[2], s->add[1][SPAN - 1 + y]);
  }
}

static int wrap(int x, int n) { return x < 0 ? x + n : x >= n ? x - n : x; }

// Adds a row's part within one piece; true if a sixth number is below zero.
static inline __attribute__((always_inline)) uint32_t add_piece(const float *restrict add, float *restrict piece) {
  uint32_t below = 0;
  for (int c = 0; c < PARTS; c++) {
#pragma omp simd
    for (int l = 0; l < 8; l++) piece[c * 8 + l] += add[c * PADDED + l];
  }
  uint64_t bits[4];
  memcpy(bits, piece + 40, sizeof bits);
  if (((bits[0] | bits[1] | bits[2] | bits[3]) & 0x8000000080000000u) == 0) return 0;
  for (int l = 0; l < 8; l++) below |= (uint32_t)(piece[40 + l] < 0.0f) << l;
  return below;
}

// A piece that an event adds to: how it would be listed, and where its part of the strip begins.
typedef struct target {
  stz_spent piece;
  int32_t part;
} target;

// The pieces of the rows at +x and -x; returns their count.
static int list_targets(const int *cells, const int origin[3], int x, target *list) {
  const int by = cells[1] / 8, bz = cells[2] / 8, z_block = origin[2] / 8, shift = origin[2] % 8;
  int count = 0, block[3];
  for (int part = -1; part < 2; part++) block[part + 1] = wrap(z_block + part, bz) * STZ_BLOCK_PIECES;
  for (int side = 0; side < (x ? 2 : 1); side++) {
    const int px = wrap(origin[0] + (side ? -x : x), cells[0]);
    for (int y = 1 - SPAN; y < SPAN; y++) {
      const int z = REACH[x][y < 0 ? -y : y], py = wrap(origin[1] + y, cells[1]);
      if (z < 0) continue;
      const int first = (px / 8 * by + py / 8) * bz * STZ_BLOCK_PIECES + 8 * (px % 8) + py % 8;
      const int row = (side * SIDE + SPAN - 1 + y) * PARTS * PADDED + 16 - shift;
      for (int part = shift < z ? -1 : 0; part <= (shift + z > 7); part++) {
        const int8_t offset[3] = {(int8_t)(side ? -x : x), (int8_t)y, (int8_t)(8 * part - shift)};
        list[count++] = (target){{first + block[part + 1], 0, {offset[0], offset[1], offset[2]}}, row + 8 * part};
      }
    }
  }
  return count;
}

// All of a record but its last line, which is the caller's own.
static inline __attribute__((always_inline)) void prefetch_piece(const float *records, const target *t) {
  const float *at = records + (size_t)t->piece.piece * STZ_PIECE;
  for (int line = 0; line < 48; line += 16) __builtin_prefetch(at + line, 1);
}

// Adds a strip to its pieces. Memory answers some hundred cycles late: what comes AHEAD is called in now (of many calls
// at once a processor drops most).
enum { AHEAD = 10 };

STZ_MULTIVERSION
static int add_strip(const strip *s, const target *list, int targets, int count, float *records, stz_spent *spent) {
  for (int i = 0; i < targets; i++) {
    prefetch_piece(records, &list[i + AHEAD]);
    const float *add = (const float *)s + list[i].part;
    const uint32_t below = add_piece(add, records + (size_t)list[i].piece.piece * STZ_PIECE);
    spent[count] = list[i].piece;
    spent[count].lanes = (uint8_t)below;
    count += below != 0;
  }
  return count;
}

int stz_near_add(const stz_split *split, const int origin[3], const float e[5], float scale, float *records,
                 stz_spent *spent) {
  const int parity = (origin[0] & 1) * 4 + (origin[1] & 1) * 2 + (origin[2] & 1);
  target list[STZ_NEAR_PIECES + AHEAD];
  int begin[SPAN + 1] = {0}, count = 0;
  for (int x = 0; x < SPAN; x++) begin[x + 1] = begin[x] + list_targets(split->cells, origin, x, list + begin[x]);
  for (int i = 0; i < AHEAD; i++) {
    list[begin[SPAN] + i] = list[begin[SPAN] - 1];
    prefetch_piece(records, &list[i]);
  }
  strip s;
  memset(&s, 0, sizeof s);
  for (int x = 0; x < SPAN; x++) {
    fill_strip(split->near[parity], split->whole, x, e, scale, &s);
    count = add_strip(&s, list + begin[x], begin[x + 1] - begin[x], count, records, spent);
  }
  return count;
}
