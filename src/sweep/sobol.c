// SPDX-License-Identifier: GPL-3.0-or-later
#include "sweep/sobol.h"

#include <assert.h>

// A primitive polynomial over GF(2) of degree `degree`, x^degree + ... + 1 with the inner coefficients as bits, and the
// odd numbers that begin its recurrence. The first dimension, van der Corput's sequence, has none.
static const struct {
  int degree;
  uint32_t inner, first[6];
} polynomials[STZ_SOBOL_DIMENSIONS - 1] = {
    {1, 0, {1}},
    {2, 1, {1, 3}},
    {3, 1, {1, 3, 1}},
    {3, 2, {1, 1, 1}},
    {4, 1, {1, 1, 3, 3}},
    {4, 4, {1, 3, 5, 13}},
    {5, 2, {1, 1, 5, 5, 17}},
    {5, 4, {1, 1, 5, 5, 5}},
    {5, 7, {1, 1, 7, 11, 19}},
    {5, 11, {1, 1, 5, 1, 1}},
    {5, 13, {1, 1, 1, 3, 11}},
    {5, 14, {1, 3, 5, 5, 31}},
    {6, 1, {1, 3, 3, 9, 7, 49}},
    {6, 13, {1, 1, 1, 15, 21, 21}},
    {6, 16, {1, 3, 1, 13, 27, 49}},
};

static void directions(int dimension, uint32_t v[32]) {
  if (dimension == 0) {
    for (int i = 0; i < 32; i++) v[i] = UINT32_C(1) << (31 - i);
    return;
  }
  const int s = polynomials[dimension - 1].degree;
  const uint32_t inner = polynomials[dimension - 1].inner;
  for (int i = 0; i < 32; i++) {
    if (i < s) {
      v[i] = polynomials[dimension - 1].first[i] << (31 - i);
      continue;
    }
    v[i] = v[i - s] ^ (v[i - s] >> s);
    for (int k = 1; k < s; k++) {
      if (inner >> (s - 1 - k) & 1) v[i] ^= v[i - k];
    }
  }
}

uint32_t stz_sobol(int dimension, uint32_t index) {
  assert(dimension >= 0 && dimension < STZ_SOBOL_DIMENSIONS);
  uint32_t v[32], x = 0;
  directions(dimension, v);
  const uint32_t gray = index ^ (index >> 1);
  for (int i = 0; i < 32; i++) {
    if (gray >> i & 1) x ^= v[i];
  }
  return x;
}
