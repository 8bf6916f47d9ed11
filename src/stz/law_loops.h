// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/stz: not installed.
//
// The hot loops over the rates of many sites, made once for each barrier law: its file src/stz/laws/NAME.c defines
//   float exponent(const stz_law *law, float x, float f)    -B/(kT ln 2), which grows with x,
// static inline, with x the stress that drives the event in the law's unit (negative: against it) and f = Q/(kT ln 2),
// defines THIS_LAW as NAME, and includes this file. It then has `block`, `net` and `site` for its entry in the table of
// laws. x is +-|y|, y the exponent of the mode; with normal stress +-|y| + w (`pressed`).
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
  const float u = exponent(law, __builtin_fabsf(y), f);
  return stz_power2(u > 0.0f ? 0.0f : u);
}

static inline float against(const stz_law *law, float y, float f) {
  const float u = exponent(law, -__builtin_fabsf(y), f);
  return u < STZ_LAW_AGAINST_FLOOR ? 0.0f : stz_power2(u);
}

// The same with the share w of the normal stress.
static inline float pressed_along(const stz_law *law, float y, float w, float f) {
  const float u = exponent(law, __builtin_fabsf(y) + w, f);
  return stz_power2(u > 0.0f ? 0.0f : u);
}

static inline float pressed_against(const stz_law *law, float y, float w, float f) {
  const float u = exponent(law, w - __builtin_fabsf(y), f), low = u > 0.0f ? 0.0f : u;
  return u < STZ_LAW_AGAINST_FLOOR ? 0.0f : stz_power2(low);
}

// A rate of a mode with the exponent y and the share `share` of the axis, along or against the stress, with its sign.
ALWAYS_INLINE float signed_share(float rate, float y, float share) { return rate * (y < 0.0f ? -share : share); }

// The hot loop: one exponential per mode and site, over sites in the cache; a few modes at a time, which share parts of
// their exponents. `net`, unless it is NULL, receives the rates with their signs times the modes' shares of `axis`.
ALWAYS_INLINE void rates_along(const stz_law *law, int n, float s[5][STZ_LAW_BLOCK], float axis[5][STZ_LAW_BLOCK],
                               const float *restrict f, float *restrict rates, float *restrict net) {
  const float *restrict s0 = s[0], *restrict s1 = s[1], *restrict s2 = s[2], *restrict s3 = s[3], *restrict s4 = s[4];
  const float *restrict a0 = axis[0], *restrict a1 = axis[1], *restrict a2 = axis[2], *restrict a3 = axis[3],
                        *restrict a4 = axis[4];
  const float p0 = law->mode[0][0], p1 = law->mode[1][1], p2 = law->mode[2][2];
#pragma omp simd
  for (int z = 0; z < n; z++) {
    const float y[3] = {p0 * s0[z], p1 * s1[z], p2 * s2[z]};
    const float r[3] = {along(law, y[0], f[z]), along(law, y[1], f[z]), along(law, y[2], f[z])};
    rates[z] = r[0] + r[1] + r[2];
    if (net) {
      net[z] = signed_share(r[0], y[0], p0 * a0[z]) + signed_share(r[1], y[1], p1 * a1[z]) +
               signed_share(r[2], y[2], p2 * a2[z]);
    }
  }
  for (int i = 3; i < STZ_MODES; i += 4) {
    const float p[5] = {law->mode[i][0], law->mode[i][1], law->mode[i][2], law->mode[i][3], law->mode[i][4]};
#pragma omp simd
    for (int z = 0; z < n; z++) {
      const stz_parts q = stz_parts_of(p, s0[z], s1[z], s2[z], s3[z], s4[z]);
      const float y[4] = {q.plus + q.sum, q.minus + q.difference, q.minus - q.difference, q.plus - q.sum};
      const float r[4] = {along(law, y[0], f[z]), along(law, y[1], f[z]), along(law, y[2], f[z]),
                          along(law, y[3], f[z])};
      rates[z] = rates[z] + r[0] + r[1] + r[2] + r[3];
      if (net) {
        const stz_parts b = stz_parts_of(p, a0[z], a1[z], a2[z], a3[z], a4[z]);
        net[z] += signed_share(r[0], y[0], b.plus + b.sum) + signed_share(r[1], y[1], b.minus + b.difference) +
                  signed_share(r[2], y[2], b.minus - b.difference) + signed_share(r[3], y[3], b.plus - b.sum);
      }
    }
  }
}

// Rates against the stress, which count only where the barrier itself is small: 8 sites at a time.
ALWAYS_INLINE void add_rates_against(const stz_law *law, int n, float s[5][STZ_LAW_BLOCK], float axis[5][STZ_LAW_BLOCK],
                                     const float *restrict f, float *restrict rates, float *restrict net) {
  for (int first = 0; first < n; first += 8) {
    float least = f[first];
    for (int l = 1; l < 8; l++) least = f[first + l] < least ? f[first + l] : least;
    if (-least < STZ_LAW_AGAINST_FLOOR) continue;
#pragma omp simd
    for (int z = first; z < first + 8; z++) {
      const float y[3] = {law->mode[0][0] * s[0][z], law->mode[1][1] * s[1][z], law->mode[2][2] * s[2][z]};
      const float r[3] = {against(law, y[0], f[z]), against(law, y[1], f[z]), against(law, y[2], f[z])};
      float sum = r[0] + r[1] + r[2], back = 0.0f;
      for (int m = 0; net && m < 3; m++) back += signed_share(r[m], y[m], law->mode[m][m] * axis[m][z]);
      for (int i = 3; i < STZ_MODES; i += 4) {
        const stz_parts q = stz_parts_of(law->mode[i], s[0][z], s[1][z], s[2][z], s[3][z], s[4][z]);
        const float v[4] = {q.plus + q.sum, q.minus + q.difference, q.minus - q.difference, q.plus - q.sum};
        const float w[4] = {against(law, v[0], f[z]), against(law, v[1], f[z]), against(law, v[2], f[z]),
                            against(law, v[3], f[z])};
        sum = sum + w[0] + w[1] + w[2] + w[3];
        if (net) {
          const stz_parts b = stz_parts_of(law->mode[i], axis[0][z], axis[1][z], axis[2][z], axis[3][z], axis[4][z]);
          back += signed_share(w[0], v[0], b.plus + b.sum) + signed_share(w[1], v[1], b.minus + b.difference) +
                  signed_share(w[2], v[2], b.minus - b.difference) + signed_share(w[3], v[3], b.plus - b.sum);
        }
      }
      rates[z] += sum;
      if (net) net[z] -= back;
    }
  }
}

// The same for any catalogue, mode by mode.
ALWAYS_INLINE void rates_of_any(const stz_law *law, int n, float s[5][STZ_LAW_BLOCK], float axis[5][STZ_LAW_BLOCK],
                                const float *restrict f, float lowest, float *restrict rates, float *restrict net) {
  const float *restrict s0 = s[0], *restrict s1 = s[1], *restrict s2 = s[2], *restrict s3 = s[3], *restrict s4 = s[4];
  const float *restrict a0 = axis[0], *restrict a1 = axis[1], *restrict a2 = axis[2], *restrict a3 = axis[3],
                        *restrict a4 = axis[4];
  const bool both = -lowest >= STZ_LAW_AGAINST_FLOOR;
  _Alignas(64) float back[STZ_LAW_BLOCK] = {0};
  memset(rates, 0, (size_t)n * sizeof *rates);
  if (net) memset(net, 0, (size_t)n * sizeof *net);
  for (int m = 0; m < law->modes; m++) {
    const float p[5] = {law->mode[m][0], law->mode[m][1], law->mode[m][2], law->mode[m][3], law->mode[m][4]};
#pragma omp simd
    for (int z = 0; z < n; z++) {
      const float y = stz_exponent_of(p, s0[z], s1[z], s2[z], s3[z], s4[z]), r = along(law, y, f[z]);
      rates[z] += r;
      if (net) net[z] += signed_share(r, y, stz_exponent_of(p, a0[z], a1[z], a2[z], a3[z], a4[z]));
    }
    if (!both) continue;
#pragma omp simd
    for (int z = 0; z < n; z++) {
      const float y = stz_exponent_of(p, s0[z], s1[z], s2[z], s3[z], s4[z]), r = against(law, y, f[z]);
      back[z] += r;
      if (net) net[z] -= signed_share(r, y, stz_exponent_of(p, a0[z], a1[z], a2[z], a3[z], a4[z]));
    }
  }
  if (!both) return;
#pragma omp simd
  for (int z = 0; z < n; z++) rates[z] += back[z];
}

// With normal stress, mode by mode; those against the stress wherever one of them might count.
ALWAYS_INLINE void rates_of_pressed(const stz_law *law, int n, float s[5][STZ_LAW_BLOCK], float axis[5][STZ_LAW_BLOCK],
                                    const float *restrict f, float lowest, float *restrict rates, float *restrict net) {
  const float *restrict s0 = s[0], *restrict s1 = s[1], *restrict s2 = s[2], *restrict s3 = s[3], *restrict s4 = s[4];
  const float *restrict a0 = axis[0], *restrict a1 = axis[1], *restrict a2 = axis[2], *restrict a3 = axis[3],
                        *restrict a4 = axis[4];
  float most = -__FLT_MAX__; // of w
#pragma omp simd reduction(max : most)
  for (int z = 0; z < n; z++) {
    const float norm2 = s0[z] * s0[z] + s1[z] * s1[z] + s2[z] * s2[z] + s3[z] * s3[z] + s4[z] * s4[z];
    const float w = __builtin_fmaf(law->steepest, __builtin_sqrtf(norm2), law->press);
    most = w > most ? w : most;
  }
  const bool both = exponent(law, most, lowest) >= STZ_LAW_AGAINST_FLOOR;
  _Alignas(64) float back[STZ_LAW_BLOCK] = {0};
  memset(rates, 0, (size_t)n * sizeof *rates);
  if (net) memset(net, 0, (size_t)n * sizeof *net);
  for (int m = 0; m < law->modes; m++) {
    float p[5], q[5];
    memcpy(p, law->mode[m], sizeof p);
    memcpy(q, law->normal[m], sizeof q);
#pragma omp simd
    for (int z = 0; z < n; z++) {
      const float y = stz_exponent_of(p, s0[z], s1[z], s2[z], s3[z], s4[z]);
      const float w = law->press + stz_exponent_of(q, s0[z], s1[z], s2[z], s3[z], s4[z]);
      const float r = pressed_along(law, y, w, f[z]), b = both ? pressed_against(law, y, w, f[z]) : 0.0f;
      rates[z] += r;
      back[z] += b;
      if (net) net[z] += signed_share(r - b, y, stz_exponent_of(p, a0[z], a1[z], a2[z], a3[z], a4[z]));
    }
  }
#pragma omp simd
  for (int z = 0; z < n; z++) rates[z] += back[z];
}

ALWAYS_INLINE void rates_of_grouped(const stz_law *law, int n, float s[5][STZ_LAW_BLOCK], float axis[5][STZ_LAW_BLOCK],
                                    const float *restrict f, float lowest, float *restrict rates, float *restrict net) {
  rates_along(law, n, s, axis, f, rates, net);
  if (-lowest >= STZ_LAW_AGAINST_FLOOR) add_rates_against(law, n, s, axis, f, rates, net);
}

STZ_MULTIVERSION(static void OF_LAW(block_of_any)(const stz_law *law, int n, float s[5][STZ_LAW_BLOCK], const float *f,
                                                  float lowest, float *rates)) {
  rates_of_any(law, n, s, s, f, lowest, rates, NULL);
}

STZ_MULTIVERSION(static void OF_LAW(block_of_grouped)(const stz_law *law, int n, float s[5][STZ_LAW_BLOCK],
                                                      const float *f, float lowest, float *rates)) {
  rates_of_grouped(law, n, s, s, f, lowest, rates, NULL);
}

STZ_MULTIVERSION(static void OF_LAW(net_of_any)(const stz_law *law, int n, float s[5][STZ_LAW_BLOCK],
                                                float axis[5][STZ_LAW_BLOCK], const float *f, float lowest,
                                                float *rates, float *net)) {
  rates_of_any(law, n, s, axis, f, lowest, rates, net);
}

STZ_MULTIVERSION(static void OF_LAW(net_of_grouped)(const stz_law *law, int n, float s[5][STZ_LAW_BLOCK],
                                                    float axis[5][STZ_LAW_BLOCK], const float *f, float lowest,
                                                    float *rates, float *net)) {
  rates_of_grouped(law, n, s, axis, f, lowest, rates, net);
}

STZ_MULTIVERSION(static void OF_LAW(block_of_pressed)(const stz_law *law, int n, float s[5][STZ_LAW_BLOCK],
                                                      const float *f, float lowest, float *rates)) {
  rates_of_pressed(law, n, s, s, f, lowest, rates, NULL);
}

STZ_MULTIVERSION(static void OF_LAW(net_of_pressed)(const stz_law *law, int n, float s[5][STZ_LAW_BLOCK],
                                                    float axis[5][STZ_LAW_BLOCK], const float *f, float lowest,
                                                    float *rates, float *net)) {
  rates_of_pressed(law, n, s, axis, f, lowest, rates, net);
}

// clang has no pointers to functions of several versions.
static void block(const stz_law *law, int n, float s[5][STZ_LAW_BLOCK], const float *f, float lowest, float *rates) {
  if (law->pressed) {
    OF_LAW(block_of_pressed)(law, n, s, f, lowest, rates);
  } else if (law->grouped) {
    OF_LAW(block_of_grouped)(law, n, s, f, lowest, rates);
  } else {
    OF_LAW(block_of_any)(law, n, s, f, lowest, rates);
  }
}

static void net(const stz_law *law, int n, float s[5][STZ_LAW_BLOCK], float axis[5][STZ_LAW_BLOCK], const float *f,
                float lowest, float *rates, float *sums) {
  if (law->pressed) {
    OF_LAW(net_of_pressed)(law, n, s, axis, f, lowest, rates, sums);
  } else if (law->grouped) {
    OF_LAW(net_of_grouped)(law, n, s, axis, f, lowest, rates, sums);
  } else {
    OF_LAW(net_of_any)(law, n, s, axis, f, lowest, rates, sums);
  }
}

STZ_MULTIVERSION(static void OF_LAW(site_rates)(const stz_law *law, const float y[STZ_MODES], const float w[STZ_MODES],
                                                float f, float rates[STZ_MODES][2])) {
  for (int m = 0; m < law->modes && w; m++) {
    rates[m][y[m] < 0.0f] = pressed_along(law, y[m], w[m], f);
    rates[m][!(y[m] < 0.0f)] = pressed_against(law, y[m], w[m], f);
  }
  for (int m = 0; m < law->modes && !w; m++) {
    rates[m][y[m] < 0.0f] = along(law, y[m], f);
    rates[m][!(y[m] < 0.0f)] = against(law, y[m], f);
  }
}

static void site(const stz_law *law, const float y[STZ_MODES], const float *w, float f, float rates[STZ_MODES][2]) {
  OF_LAW(site_rates)(law, y, w, f, rates);
}
