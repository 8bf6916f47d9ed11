// SPDX-License-Identifier: GPL-3.0-or-later
#include "elastic/row.h"

#include <string.h>

#include "base/target.h"

// The row of the octant times the strain, in parts that keep and change their sign under z -> -z, hence the stress at z
// and at nz - z. Beyond nz/2 both write the same once more.
STZ_MULTIVERSION(void stz_elastic_contract(const float *restrict k, int length, const float e[5], const float g[5],
                                           int nz, float *restrict row, size_t stride)) {
  const float e0 = e[0], e1 = e[1], e2 = e[2], e3 = e[3], e4 = e[4];
  const float g0 = g[0], g1 = g[1], g2 = g[2], g3 = g[3], g4 = g[4];
  float *restrict r0 = row, *restrict r1 = row + stride, *restrict r2 = row + 2 * stride,
                  *restrict r3 = row + 3 * stride, *restrict r4 = row + 4 * stride;
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
    FILL(r0, g0, F(e0, k00, F(e3, k03, e4 * k04)), F(e1, k01, e2 * k02));
    FILL(r1, g1, F(e1, k11, e2 * k12), F(e0, k01, F(e3, k13, e4 * k14)));
    FILL(r2, g2, F(e1, k12, e2 * k22), F(e0, k02, F(e3, k23, e4 * k24)));
    FILL(r3, g3, F(e0, k03, F(e3, k33, e4 * k34)), F(e1, k13, e2 * k23));
    FILL(r4, g4, F(e0, k04, F(e3, k34, e4 * k44)), F(e1, k14, e2 * k24));
  }
#undef K
#undef F
#undef FILL
  for (int c = 0; c < 5; c++)
    memcpy(row + (size_t)c * stride + nz, row + (size_t)c * stride, STZ_ROW_MARGIN * sizeof *row);
}

// By vectors of the sum: where one runs over the row's end, it goes on in the margin.
STZ_MULTIVERSION(void stz_elastic_add_turned(const float *restrict row, int nz, int z0, float *restrict s)) {
  const int turned = (z0 + STZ_ROW_MARGIN - 1) / STZ_ROW_MARGIN * STZ_ROW_MARGIN;
#pragma omp simd
  for (int z = 0; z < turned; z++) s[z] += row[nz - z0 + z];
#pragma omp simd
  for (int z = turned; z < nz; z++) s[z] += row[z - z0];
}
