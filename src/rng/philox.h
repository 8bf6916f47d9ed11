// SPDX-License-Identifier: GPL-3.0-or-later
//
// Random access to random numbers: the 256 bits that belong to a counter, by Philox4x64-10 (Salmon et al., Proc. SC11,
// 2011) with the key (seed, purpose). numpy's Philox gives the same for the counter before it.
#ifndef STZ_RNG_PHILOX_H
#define STZ_RNG_PHILOX_H

#include "rng/rng.h"

// The four words that belong to the four words of `counter`.
static inline void stz_rng_block(uint64_t seed, stz_purpose purpose, const uint64_t counter[4], uint64_t words[4]) {
  uint64_t key0 = seed, key1 = (uint64_t)purpose;
  uint64_t a = counter[0], b = counter[1], c = counter[2], d = counter[3];
  for (int round = 0; round < 10; round++) {
    const stz_uint128 first = (stz_uint128)a * 0xd2e7470ee14c6c93u, second = (stz_uint128)c * 0xca5a826395121157u;
    a = (uint64_t)(second >> 64) ^ b ^ key0;
    c = (uint64_t)(first >> 64) ^ d ^ key1;
    b = (uint64_t)second;
    d = (uint64_t)first;
    key0 += 0x9e3779b97f4a7c15u;
    key1 += 0xbb67ae8584caa73bu;
  }
  words[0] = a;
  words[1] = b;
  words[2] = c;
  words[3] = d;
}

#endif
