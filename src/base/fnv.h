// SPDX-License-Identifier: GPL-3.0-or-later
//
// FNV-1a of 64 bits (Fowler, Noll and Vo): a checksum of some bytes, one after the other.
#ifndef STZ_BASE_FNV_H
#define STZ_BASE_FNV_H

#include <stddef.h>
#include <stdint.h>

#define STZ_FNV_OF_NOTHING UINT64_C(0xcbf29ce484222325)

// Of the bytes whose checksum is `sum`, followed by these.
static inline uint64_t stz_fnv(uint64_t sum, const void *bytes, size_t count) {
  const unsigned char *at = bytes;
  for (size_t i = 0; i < count; i++) sum = (sum ^ at[i]) * UINT64_C(0x100000001b3);
  return sum;
}

#endif
