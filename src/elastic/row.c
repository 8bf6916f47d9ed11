// SPDX-License-Identifier: GPL-3.0-or-later
#include "elastic/row.h"

#include <assert.h>

#include "base/target.h"

enum { LONGEST = 512, WIDTH = 2 * LONGEST + 16 };

// The row of the octant times the strain, in parts that keep and change their sign under z -> -z, hence the stress at
// z0 + z and at z0 + nz - z: it fills b[c][z0 .. z0 + nz]. Beyond nz/2 both write the same once more.
STZ_MULTIVERSION
static void contract(const float *restrict k, int length, const float e[5], const float g[5], int nz, int z0,
                     float b[5][WIDTH]) {
  const float e0 = e[0], e1 = e[1], e2 = e[2], e3 = e[3], e4 = e[4];
  const float g0 = g[0], g1 = g[1], g2 = g[2], g3 = g[3], g4 = g[4];
  float *restrict b0 = b[0] + z0, *restrict b1 = b[1] + z0, *restrict b2 = b[2] + z0, *restrict b3 = b[3] + z0,
                  *restrict b4 = b[4] + z0;
#define K(pair) k[(pair)*length + z]
#define F(x, y, sum) __builtin_fmaf(x, y, sum)
#define FILL(to, sign, even, odd)                                                                                      \
  do {                                                                                                                 \
    const float keeps = (sign) * (even), changes = (odd);                                                              \
    (to)[z] = F(sign, changes, keeps);                                                                                 \
    (to)[nz - z] = F(-(sign), changes, keeps);                                                                         \
  } while (0)
  // Under z -> -z components 0, 3, 4 are even, 1 and 2 odd.
#pragma omp simd
  for (int z = 0; z < length; z++) {
    const float k00 = K(0), k01 = K(1), k02 = K(2), k03 = K(3), k04 = K(4), k11 = K(5), k12 = K(6), k13 = K(7),
                k14 = K(8), k22 = K(9), k23 = K(10), k24 = K(11), k33 = K(12), k34 = K(13), k44 = K(14);
    FILL(b0, g0, F(e0, k00, F(e3, k03, e4 * k04)), F(e1, k01, e2 * k02));
    FILL(b1, g1, F(e1, k11, e2 * k12), F(e0, k01, F(e3, k13, e4 * k14)));
    FILL(b2, g2, F(e1, k12, e2 * k22), F(e0, k02, F(e3, k23, e4 * k24)));
    FILL(b3, g3, F(e0, k03, F(e3, k33, e4 * k34)), F(e1, k13, e2 * k23));
    FILL(b4, g4, F(e0, k04, F(e3, k34, e4 * k44)), F(e1, k14, e2 * k24));
  }
#undef K
#undef F
#undef FILL
}

// Adds the row, which lies at b[z0 .. z0 + nz - 1], to s[0 .. nz - 1]. Where it is cut lies within 8 sites that are
// completed first, so that both parts are added in whole vectors.
STZ_MULTIVERSION
static void add(float *restrict b, int nz, int z0, float *restrict s) {
  const int whole = z0 / 8 * 8;
  for (int z = whole; z < z0; z++) b[z] = b[nz + z];
#pragma omp simd
  for (int z = 0; z < whole; z++) s[z] += b[nz + z];
#pragma omp simd
  for (int z = whole; z < nz; z++) s[z] += b[z];
}

void stz_elastic_contract(const float *table, int length, const float e[5], const float g[5], int nz, int z0,
                          float *const stress[5]) {
  _Alignas(64) float b[5][WIDTH];
  assert(nz <= LONGEST && nz % 8 == 0 && length % 8 == 0 && z0 >= 0 && z0 < nz);
  contract(table, length, e, g, nz, z0, b);
  for (int c = 0; c < 5; c++) add(b[c], nz, z0, stress[c]);
}
