// SPDX-License-Identifier: GPL-3.0-or-later
#include "elastic/row.h"

#include <assert.h>

#include "base/target.h"

// Contracts one row of the octant with the strain: `even` and `odd` are the parts that keep and change their sign under
// z -> -z, so that the row follows at z and at -z. f[5 c + d] is the strain with the signs of the mirrors in x and y.
STZ_MULTIVERSION
static void contract(const float *restrict k, int length, const float *restrict f, float *restrict even,
                     float *restrict odd) {
#define K(c, d) k[PAIR(c, d) * length + z]
#define PAIR(c, d) ((c) == 0 ? (d) : (c) == 1 ? 4 + (d) : (c) == 2 ? 7 + (d) : (c) == 3 ? 9 + (d) : 14)
#define F(c, d, x) __builtin_fmaf(f[5 * (c) + (d)], x,
  // z-even components: 0, 3, 4; z-odd: 1, 2.
#pragma omp simd
  for (int z = 0; z < length; z++) {
    const float k00 = K(0, 0), k01 = K(0, 1), k02 = K(0, 2), k03 = K(0, 3), k04 = K(0, 4), k11 = K(1, 1), k12 = K(1, 2),
                k13 = K(1, 3), k14 = K(1, 4), k22 = K(2, 2), k23 = K(2, 3), k24 = K(2, 4), k33 = K(3, 3), k34 = K(3, 4),
                k44 = K(4, 4);
    even[z] = F(0, 0, k00) F(0, 3, k03) f[4] * k04));
    even[length + z] = F(1, 1, k11) f[7] * k12);
    even[2 * length + z] = F(2, 1, k12) f[12] * k22);
    even[3 * length + z] = F(3, 0, k03) F(3, 3, k33) f[19] * k34));
    even[4 * length + z] = F(4, 0, k04) F(4, 3, k34) f[24] * k44));
    odd[z] = F(0, 1, k01) f[2] * k02);
    odd[length + z] = F(1, 0, k01) F(1, 3, k13) f[9] * k14));
    odd[2 * length + z] = F(2, 0, k02) F(2, 3, k23) f[14] * k24));
    odd[3 * length + z] = F(3, 1, k13) f[17] * k23);
    odd[4 * length + z] = F(4, 1, k14) f[22] * k24);
  }
#undef K
#undef PAIR
#undef F
}

// row[z] = even + odd for z up to half the box, even - odd at its mirror image.
STZ_MULTIVERSION
static void unfold(const float *restrict even, const float *restrict odd, int length, int nz, float *restrict row) {
  for (int c = 0; c < 5; c++) {
    const float *restrict e = even + c * length, *restrict o = odd + c * length;
    float *restrict r = row + c * nz;
#pragma omp simd
    for (int z = 0; z <= nz / 2; z++) r[z] = e[z] + o[z];
#pragma omp simd
    for (int z = 1; z < nz / 2; z++) r[nz - z] = e[z] - o[z];
  }
}

void stz_elastic_contract(const float *table, int length, const float f[25], int nz, float *row) {
  enum { LONGEST = 264 }; // 512/2 + 1, padded
  _Alignas(64) float even[5 * LONGEST], odd[5 * LONGEST];
  assert(length <= LONGEST);
  contract(table, length, f, even, odd);
  unfold(even, odd, length, nz, row);
}
