// SPDX-License-Identifier: GPL-3.0-or-later
#include "elastic/near.h"

#include <stddef.h>
#include <string.h>

#include "base/memory.h"
#include "base/target.h"

typedef float lanes __attribute__((vector_size(32)));
typedef float loose_lanes __attribute__((vector_size(32), aligned(4), may_alias));
typedef int indices __attribute__((vector_size(32)));
typedef int16_t halves __attribute__((vector_size(16)));
typedef int16_t loose_halves __attribute__((vector_size(16), aligned(2), may_alias));

enum { SPAN = STZ_NEAR_SPAN, SIDE = 2 * SPAN - 1, PADDED = 32, PARTS = STZ_NEAR_PARTS, HALVES = STZ_FOLDED_PARTS };

// Rows of one |x|: what is to be added along z, z = 0 being number 16, between zeros.
typedef struct strip {
  float near[2 * SIDE][PARTS][PADDED]; // y + 7, and the same for x < 0
  int16_t folded[2 * SIDE][HALVES][PADDED];
} strip;

// A piece that an event adds to, and where its part of the strip begins: row of the strip, number in it.
typedef struct target {
  int32_t piece;
  int16_t row, begin;
} target;

// Memory answers some hundred cycles late: what comes AHEAD is called in now (of many calls at once a processor drops
// most).
enum { AHEAD = 10 };

struct stz_near {
  const stz_split *split;
  strip strip;
  target list[STZ_NEAR_PIECES + AHEAD];
  stz_spent spent[STZ_NEAR_PIECES];
};

stz_err stz_near_create(const stz_split *split, stz_near **near) {
  STZ_TRY(STZ_NEW(*near, 1));
  (*near)->split = split;
  return STZ_OK;
}

void stz_near_destroy(stz_near **near) {
  stz_free(*near);
  *near = NULL;
}

// Most of a slack that one event takes, in its units: more than any has but those without end, and what is left of one
// that was below zero before stays within 16 bits.
static const float MOST = 24000.0f;

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

static inline __attribute__((always_inline)) void near_images(const float *restrict near, const float e[5],
                                                              float out[4][PARTS][8]) {
  const float e0 = e[0], e1 = e[1], e2 = e[2], e3 = e[3], e4 = e[4];
#pragma omp simd
  for (int l = 0; l < 8; l++) IMAGES(near, e, out);
}

// Rounds to the nearest integers, and leaves these in the low 16 bits.
static inline __attribute__((always_inline)) halves rounded(lanes x) {
  const lanes magic = x + 12582912.0f; // 1.5 * 2^23
  indices bits;
  memcpy(&bits, &magic, sizeof bits);
  return __builtin_convertvector(bits, halves);
}

// One component of the whole stress for the four images: in fixed point into `out`, and what it adds to the squared
// norms, norm[0] +- norm[1] of the first two and norm[2] +- norm[3] of the others. of0..of34: see IMAGES.
static inline __attribute__((always_inline)) void folded_component(lanes of0, lanes of1, lanes of2, lanes of34,
                                                                   const int16_t sign[3], int c, lanes norm[4],
                                                                   int16_t out[4][HALVES][8]) {
  const lanes even = of34 + of0, odd = of1 + of2, cross = of34 - of0, skew = of2 - of1;
  const halves h_even = rounded(even), h_odd = rounded(odd), h_cross = rounded(cross), h_skew = rounded(skew);
  norm[0] += even * even + odd * odd;
  norm[1] += 2.0f * (even * odd);
  norm[2] += cross * cross + skew * skew;
  norm[3] += 2.0f * (cross * skew);
  *(halves *)out[0][c] = h_even + h_odd;
  *(halves *)out[1][c] = sign[0] * (h_even - h_odd);
  *(halves *)out[2][c] = sign[1] * (h_cross + h_skew);
  *(halves *)out[3][c] = sign[2] * (h_cross - h_skew);
}

// Takes `scale` times the norm off the slacks.
static inline __attribute__((always_inline)) void cost_of(lanes norm2, float scale, int16_t out[8]) {
  float square[8], units[8];
  memcpy(square, &norm2, sizeof square);
#pragma omp simd
  for (int l = 0; l < 8; l++) {
    const float cost = scale * __builtin_sqrtf(square[l] > 0.0f ? square[l] : 0.0f);
    units[l] = -(cost < MOST ? cost : MOST);
  }
  lanes all;
  memcpy(&all, units, sizeof all);
  *(halves *)out = rounded(all);
}

// The whole stress in fixed point, and what it takes off the slacks; e in the units of `folded`.
static inline __attribute__((always_inline)) void folded_images(const float *restrict whole, const float e[5],
                                                                float scale, int16_t out[4][HALVES][8]) {
  static const int16_t sign[5][3] = {{1, -1, -1}, {-1, -1, 1}, {-1, 1, -1}, {1, 1, 1}, {1, 1, 1}};
  const lanes *k = (const lanes *)(const void *)whole;
  const float e0 = e[0], e1 = e[1], e2 = e[2], e3 = e[3], e4 = e[4];
  lanes norm[4] = {{0}, {0}, {0}, {0}};
  folded_component(k[0] * e0, k[1] * e1, k[2] * e2, k[3] * e3 + k[4] * e4, sign[0], 0, norm, out);
  folded_component(k[1] * e0, k[5] * e1, k[6] * e2, k[7] * e3 + k[8] * e4, sign[1], 1, norm, out);
  folded_component(k[2] * e0, k[6] * e1, k[9] * e2, k[10] * e3 + k[11] * e4, sign[2], 2, norm, out);
  folded_component(k[3] * e0, k[7] * e1, k[10] * e2, k[12] * e3 + k[13] * e4, sign[3], 3, norm, out);
  folded_component(k[4] * e0, k[8] * e1, k[11] * e2, k[13] * e3 + k[14] * e4, sign[4], 4, norm, out);
  cost_of(norm[0] + norm[1], scale, out[0][5]);
  cost_of(norm[0] - norm[1], scale, out[1][5]);
  cost_of(norm[2] + norm[3], scale, out[2][5]);
  cost_of(norm[2] - norm[3], scale, out[3][5]);
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

static inline __attribute__((always_inline)) void put_folded(int16_t half[HALVES][8], int16_t other[HALVES][8],
                                                             int16_t to[HALVES][PADDED]) {
  const halves zero = {0}, back = {8, 7, 6, 5, 4, 3, 2, 1};
  for (int c = 0; c < HALVES; c++) {
    const halves turned = *(const loose_halves *)other[c];
    *(loose_halves *)(to[c] + 8) = __builtin_shuffle(turned, zero, back);
    *(loose_halves *)(to[c] + 16) = *(const loose_halves *)half[c];
  }
}

// All rows of the planes at +x and -x.
STZ_MULTIVERSION
static void fill_strip(const float *near, const float *whole, int x, const float e[5], float scale, strip *s) {
  float units[5];
  for (int c = 0; c < 5; c++) units[c] = e[c] * (1.0f / STZ_FOLDED);
  for (int y = 0; y < SPAN && x * x + y * y < SPAN * SPAN; y++) {
    const size_t row = (size_t)(x * SPAN + y) * STZ_PAIRS * 8;
    _Alignas(64) float image[4][PARTS][8];
    _Alignas(64) int16_t folded[4][HALVES][8];
    near_images(near + row, e, image);
    folded_images(whole + row, units, scale * (STZ_FOLDED / STZ_SLACK), folded);
    put_row(image[0], image[1], s->near[SPAN - 1 + y]);
    put_row(image[1], image[0], s->near[SIDE + SPAN - 1 - y]);
    put_row(image[2], image[3], s->near[SPAN - 1 - y]);
    put_row(image[3], image[2], s->near[SIDE + SPAN - 1 + y]);
    put_folded(folded[0], folded[1], s->folded[SPAN - 1 + y]);
    put_folded(folded[1], folded[0], s->folded[SIDE + SPAN - 1 - y]);
    put_folded(folded[2], folded[3], s->folded[SPAN - 1 - y]);
    put_folded(folded[3], folded[2], s->folded[SIDE + SPAN - 1 + y]);
  }
}

static int wrap(int x, int n) { return x < 0 ? x + n : x >= n ? x - n : x; }

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
      for (int part = shift < z ? -1 : 0; part <= (shift + z > 7); part++) {
        list[count++] = (target){.piece = first + block[part + 1],
                                 .row = (int16_t)(side * SIDE + SPAN - 1 + y),
                                 .begin = (int16_t)(16 - shift + 8 * part)};
      }
    }
  }
  return count;
}

static inline __attribute__((always_inline)) void prefetch_piece(const stz_piece *piece) {
  for (int line = 0; line < (int)offsetof(stz_piece, bound); line += 64)
    __builtin_prefetch((const char *)piece + line, 1);
}

// Adds a row's part within one piece; returns the lanes whose slack is below zero.
static inline __attribute__((always_inline)) uint32_t add_piece(const strip *s, const target *t, stz_piece *piece) {
  const float *restrict near = s->near[t->row][0] + t->begin;
  const int16_t *restrict folded = s->folded[t->row][0] + t->begin;
  uint32_t below = 0;
  for (int c = 0; c < PARTS; c++) {
#pragma omp simd
    for (int l = 0; l < 8; l++) piece->near[c][l] += near[c * PADDED + l];
  }
  int16_t *restrict whole = piece->folded[0]; // the slacks follow
  for (int c = 0; c < HALVES; c++) {
    halves *to = (halves *)(void *)(whole + 8 * c);
    *to += *(const loose_halves *)(folded + c * PADDED);
  }
  uint64_t bits[2];
  memcpy(bits, piece->slack, sizeof bits);
  if (((bits[0] | bits[1]) & 0x8000800080008000u) == 0) return 0;
  __builtin_prefetch(piece->bound, 1);
  for (int l = 0; l < 8; l++) below |= (uint32_t)(piece->slack[l] < 0) << l;
  return below;
}

// Adds a strip to its pieces.
STZ_MULTIVERSION
static int add_strip(const strip *s, const target *list, int targets, stz_piece *pieces, stz_spent *spent) {
  int count = 0;
  for (int i = 0; i < targets; i++) {
    prefetch_piece(&pieces[list[i + AHEAD].piece]);
    spent[count].piece = list[i].piece;
    spent[count].lanes = (uint8_t)add_piece(s, &list[i], &pieces[list[i].piece]);
    count += spent[count].lanes != 0;
  }
  return count;
}

int stz_near_add(stz_near *n, const int origin[3], const float e[5], float scale, stz_piece *pieces,
                 stz_spent **spent) {
  const int parity = (origin[0] & 1) * 4 + (origin[1] & 1) * 2 + (origin[2] & 1);
  int begin[SPAN + 1] = {0}, count = 0;
  for (int x = 0; x < SPAN; x++) {
    begin[x + 1] = begin[x] + list_targets(n->split->cells, origin, x, n->list + begin[x]);
  }
  for (int i = 0; i < AHEAD; i++) {
    n->list[begin[SPAN] + i] = n->list[begin[SPAN] - 1];
    prefetch_piece(&pieces[n->list[i].piece]);
  }
  for (int x = 0; x < SPAN; x++) {
    fill_strip(n->split->near[parity], n->split->whole, x, e, scale, &n->strip);
    count += add_strip(&n->strip, n->list + begin[x], begin[x + 1] - begin[x], pieces, n->spent + count);
  }
  *spent = n->spent;
  return count;
}
