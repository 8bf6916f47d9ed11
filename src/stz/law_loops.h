// SPDX-License-Identifier: GPL-3.0-or-later
//
// The hot loops over the rates of many sites, made once for each barrier law: its file src/stz/laws/NAME.c defines
//   float exponent_along(const stz_law *law, float y, float f)    -B/(kT ln 2) along the resolved stress, and
//   float exponent_against(const stz_law *law, float y, float f)  against it,
// both static inline, with y the exponent of the mode and f = Q/(kT ln 2), defines THIS_LAW as NAME, and includes this
// file. It then has `block` and `site` for its entry in the table of laws.
#include <stdbool.h>
#include <string.h>

#include "base/target.h"
#include "stz/exponents.h"
#include "stz/law.h"
#include "stz/power2.h"

// Functions of several versions need names of their own in the whole program: clang's linkage of them does not know
// static.
#define PASTED(name, law) name##_##law
#define PASTE(name, law) PASTED(name, law)
#define OF_LAW(name) PASTE(name, THIS_LAW)

#define ALWAYS_INLINE static inline __attribute__((always_inline))

// A rate along the stress is 2^min(0, u); one against it counts as zero below 2^-104.
static inline float along(const stz_law *law, float y, float f) {
  const float u = exponent_along(law, y, f);
  return stz_power2(u > 0.0f ? 0.0f : u);
}

static inline float against(const stz_law *law, float y, float f) {
  const float u = exponent_against(law, y, f);
  return u < STZ_LAW_AGAINST_FLOOR ? 0.0f : stz_power2(u);
}

// The hot loop: one exponential per mode and site, over sites in the cache; a few modes at a time, which share parts of
// their exponents.
ALWAYS_INLINE void rates_along(const stz_law *law, int n, float s[5][STZ_LAW_BLOCK], const float *restrict f,
                               float *restrict rates) {
  const float *restrict s0 = s[0], *restrict s1 = s[1], *restrict s2 = s[2], *restrict s3 = s[3], *restrict s4 = s[4];
  const float p0 = law->mode[0][0], p1 = law->mode[1][1], p2 = law->mode[2][2];
#pragma omp simd
  for (int z = 0; z < n; z++) {
    rates[z] = along(law, p0 * s0[z], f[z]) + along(law, p1 * s1[z], f[z]) + along(law, p2 * s2[z], f[z]);
  }
  for (int i = 3; i < STZ_MODES; i += 4) {
    const float p[5] = {law->mode[i][0], law->mode[i][1], law->mode[i][2], law->mode[i][3], law->mode[i][4]};
#pragma omp simd
    for (int z = 0; z < n; z++) {
      const stz_parts q = stz_parts_of(p, s0[z], s1[z], s2[z], s3[z], s4[z]);
      rates[z] = rates[z] + along(law, q.plus + q.sum, f[z]) + along(law, q.minus + q.difference, f[z]) +
                 along(law, q.minus - q.difference, f[z]) + along(law, q.plus - q.sum, f[z]);
    }
  }
}

// Rates against the stress, which count only where the barrier itself is small: 8 sites at a time.
ALWAYS_INLINE void add_rates_against(const stz_law *law, int n, float s[5][STZ_LAW_BLOCK], const float *restrict f,
                                     float *restrict rates) {
  for (int first = 0; first < n; first += 8) {
    float least = f[first];
    for (int l = 1; l < 8; l++) least = f[first + l] < least ? f[first + l] : least;
    if (-least < STZ_LAW_AGAINST_FLOOR) continue;
#pragma omp simd
    for (int z = first; z < first + 8; z++) {
      float sum = against(law, law->mode[0][0] * s[0][z], f[z]) + against(law, law->mode[1][1] * s[1][z], f[z]) +
                  against(law, law->mode[2][2] * s[2][z], f[z]);
      for (int i = 3; i < STZ_MODES; i += 4) {
        const stz_parts q = stz_parts_of(law->mode[i], s[0][z], s[1][z], s[2][z], s[3][z], s[4][z]);
        sum = sum + against(law, q.plus + q.sum, f[z]) + against(law, q.minus + q.difference, f[z]) +
              against(law, q.minus - q.difference, f[z]) + against(law, q.plus - q.sum, f[z]);
      }
      rates[z] += sum;
    }
  }
}

// The same for any catalogue, mode by mode.
ALWAYS_INLINE void rates_of_any(const stz_law *law, int n, float s[5][STZ_LAW_BLOCK], const float *restrict f,
                                float lowest, float *restrict rates) {
  const float *restrict s0 = s[0], *restrict s1 = s[1], *restrict s2 = s[2], *restrict s3 = s[3], *restrict s4 = s[4];
  const bool both = -lowest >= STZ_LAW_AGAINST_FLOOR;
  _Alignas(64) float back[STZ_LAW_BLOCK] = {0};
  memset(rates, 0, (size_t)n * sizeof *rates);
  for (int m = 0; m < law->modes; m++) {
    const float p[5] = {law->mode[m][0], law->mode[m][1], law->mode[m][2], law->mode[m][3], law->mode[m][4]};
#pragma omp simd
    for (int z = 0; z < n; z++) {
      rates[z] += along(law, stz_exponent_of(p, s0[z], s1[z], s2[z], s3[z], s4[z]), f[z]);
    }
    if (!both) continue;
#pragma omp simd
    for (int z = 0; z < n; z++) {
      back[z] += against(law, stz_exponent_of(p, s0[z], s1[z], s2[z], s3[z], s4[z]), f[z]);
    }
  }
  if (!both) return;
#pragma omp simd
  for (int z = 0; z < n; z++) rates[z] += back[z];
}

STZ_MULTIVERSION(static void OF_LAW(block_of_any)(const stz_law *law, int n, float s[5][STZ_LAW_BLOCK], const float *f,
                                                  float lowest, float *rates)) {
  rates_of_any(law, n, s, f, lowest, rates);
}

STZ_MULTIVERSION(static void OF_LAW(block_of_grouped)(const stz_law *law, int n, float s[5][STZ_LAW_BLOCK],
                                                      const float *f, float lowest, float *rates)) {
  rates_along(law, n, s, f, rates);
  if (-lowest >= STZ_LAW_AGAINST_FLOOR) add_rates_against(law, n, s, f, rates);
}

static void block(const stz_law *law, int n, float s[5][STZ_LAW_BLOCK], const float *f, float lowest, float *rates) {
  if (law->grouped) { // clang has no pointers to functions of several versions
    OF_LAW(block_of_grouped)(law, n, s, f, lowest, rates);
  } else {
    OF_LAW(block_of_any)(law, n, s, f, lowest, rates);
  }
}

STZ_MULTIVERSION(static void OF_LAW(site_rates)(const stz_law *law, const float y[STZ_MODES], float f,
                                                float rates[STZ_MODES][2])) {
  for (int m = 0; m < law->modes; m++) {
    rates[m][y[m] < 0.0f] = along(law, y[m], f);
    rates[m][!(y[m] < 0.0f)] = against(law, y[m], f);
  }
}

static void site(const stz_law *law, const float y[STZ_MODES], float f, float rates[STZ_MODES][2]) {
  OF_LAW(site_rates)(law, y, f, rates);
}
