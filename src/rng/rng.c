// SPDX-License-Identifier: GPL-3.0-or-later
#include "rng/rng.h"

#include <math.h>

#include "base/mathfn.h"

// The 64-bit ("cheap") multiplier of the DXSM variant, and the 128-bit one with which numpy seeds every PCG64.
static const uint64_t MULTIPLIER = 0xda942042e4dd58b5u;
static const stz_uint128 SEED_MULTIPLIER = (stz_uint128)0x2360ed051fc65da4u << 64 | 0x4385df649fccf645u;

uint64_t stz_rng_next(stz_rng *rng) {
  uint64_t high = (uint64_t)(rng->state >> 64);
  const uint64_t low = (uint64_t)rng->state | 1u;
  rng->state = rng->state * MULTIPLIER + rng->increment;
  high ^= high >> 32;
  high *= MULTIPLIER;
  high ^= high >> 48;
  return high * low;
}

void stz_rng_advance(stz_rng *rng, stz_uint128 steps) {
  // Composes the affine map x -> a x + c with itself by repeated squaring (Brown, Trans. Am. Nucl. Soc. 71, 1994).
  stz_uint128 factor = MULTIPLIER, offset = rng->increment, total_factor = 1, total_offset = 0;
  for (; steps > 0; steps >>= 1) {
    if (steps & 1) {
      total_factor *= factor;
      total_offset = total_offset * factor + offset;
    }
    offset *= factor + 1;
    factor *= factor;
  }
  rng->state = total_factor * rng->state + total_offset;
}

// --- seeding: numpy's SeedSequence with its pool of four words (after O'Neill's randutils::seed_seq_fe) ---

enum { POOL = 4 };

static uint32_t hash_in(uint32_t value, uint32_t *constant) {
  value ^= *constant;
  *constant *= 0x931e8875u;
  value *= *constant;
  return value ^ value >> 16;
}

static uint32_t mix(uint32_t x, uint32_t y) {
  const uint32_t value = 0xca01f9ddu * x - 0x4973f715u * y;
  return value ^ value >> 16;
}

stz_rng stz_rng_from_entropy(const uint32_t *entropy, int entropy_words, const uint32_t *spawn_key, int spawn_words) {
  // With a spawn key, the entropy is padded with zeros to the size of the pool before the key follows.
  const int padded = spawn_words > 0 && entropy_words < POOL ? POOL : entropy_words;
  const int words = padded + spawn_words;
  uint32_t pool[POOL], constant = 0x43b0d7e5u;
#define WORD(i) ((i) < entropy_words ? entropy[i] : (i) < padded ? 0u : (i) < words ? spawn_key[(i)-padded] : 0u)
  for (int i = 0; i < POOL; i++) pool[i] = hash_in(WORD(i), &constant);
  for (int from = 0; from < POOL; from++) {
    for (int to = 0; to < POOL; to++) {
      if (from != to) pool[to] = mix(pool[to], hash_in(pool[from], &constant));
    }
  }
  for (int i = POOL; i < words; i++) {
    for (int to = 0; to < POOL; to++) pool[to] = mix(pool[to], hash_in(WORD(i), &constant));
  }
#undef WORD
  uint32_t out[8], output_constant = 0x8b51f9ddu;
  for (int i = 0; i < 8; i++) {
    uint32_t value = pool[i % POOL] ^ output_constant;
    output_constant *= 0x58f38dedu;
    value *= output_constant;
    out[i] = value ^ value >> 16;
  }
  uint64_t seed[4];
  for (int i = 0; i < 4; i++) seed[i] = (uint64_t)out[2 * i] | (uint64_t)out[2 * i + 1] << 32;
  const stz_uint128 initial = (stz_uint128)seed[0] << 64 | seed[1], sequence = (stz_uint128)seed[2] << 64 | seed[3];
  stz_rng rng = {.state = 0, .increment = sequence << 1 | 1u};
  rng.state = (rng.increment + initial) * SEED_MULTIPLIER + rng.increment;
  return rng;
}

// Words of a 64-bit number as numpy writes an integer: low word first, no leading zero word, 0 as one word.
static int split(uint64_t value, uint32_t *words) {
  words[0] = (uint32_t)value;
  words[1] = (uint32_t)(value >> 32);
  return words[1] ? 2 : 1;
}

enum { MOST_INDICES = 3 };

static stz_rng stream_of(uint64_t seed, stz_purpose purpose, const uint64_t *indices, int count) {
  uint32_t entropy[2], key[1 + 2 * MOST_INDICES] = {(uint32_t)purpose};
  const int entropy_words = split(seed, entropy);
  int words = 1;
  for (int i = 0; i < count; i++) words += split(indices[i], key + words);
  return stz_rng_from_entropy(entropy, entropy_words, key, words);
}

stz_rng stz_rng_stream(uint64_t seed, stz_purpose purpose, uint64_t index) {
  return stream_of(seed, purpose, &index, 1);
}

stz_rng stz_rng_stream2(uint64_t seed, stz_purpose purpose, uint64_t index, uint64_t sub) {
  return stream_of(seed, purpose, (const uint64_t[]){index, sub}, 2);
}

stz_rng stz_rng_stream3(uint64_t seed, stz_purpose purpose, uint64_t index, uint64_t sub, uint64_t part) {
  return stream_of(seed, purpose, (const uint64_t[]){index, sub, part}, 3);
}

// --- distributions ---

double stz_rng_uniform(stz_rng *rng) { return (double)(stz_rng_next(rng) >> 11) * 0x1.0p-53; }

double stz_rng_exponential(stz_rng *rng) { return -stz_ln(1.0 - stz_rng_uniform(rng)); }

double stz_rng_normal(stz_rng *rng) {
  for (;;) {
    const double x = 2.0 * stz_rng_uniform(rng) - 1.0, y = 2.0 * stz_rng_uniform(rng) - 1.0;
    const double r2 = x * x + y * y;
    if (r2 > 0.0 && r2 < 1.0) return x * sqrt(-2.0 * stz_ln(r2) / r2);
  }
}

uint64_t stz_rng_below(stz_rng *rng, uint64_t n) {
  const uint64_t reject_below = -n % n; // 2^64 mod n
  for (;;) {
    const uint64_t bits = stz_rng_next(rng);
    if (bits >= reject_below) return bits % n;
  }
}

uint64_t stz_rng_poisson(stz_rng *rng, double mean) {
  const double limit = stz_exp(-mean);
  uint64_t count = 0;
  for (double product = 1.0 - stz_rng_uniform(rng); product > limit; product *= 1.0 - stz_rng_uniform(rng)) count++;
  return count;
}
