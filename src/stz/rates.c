// SPDX-License-Identifier: GPL-3.0-or-later
#include "stz/rates.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/mathfn.h"
#include "base/target.h"
#include "base/tensor.h"
#include "base/units.h"
#include "stz/power2.h"

static const double LN2 = 0.69314718055994530942;
static const double LARGEST_EXPONENT = 126.0; // stz_power2's
static const float AGAINST_FLOOR = -104.0f;

void stz_law_set(stz_law *law, const stz_stz_params *params, const stz_modes *modes, double temperature_K,
                 const double mean_stress[6]) {
  const double per_eV = 1.0 / (STZ_BOLTZMANN * temperature_K * LN2);
  const double work = params->activation_fraction * params->gamma0 * params->volume_nm3;
  const bool linear = params->barrier_law == STZ_LAW_LINEAR;
  const double unit = linear ? work * per_eV : 1.0 / (params->tau_c_GPa * STZ_GPA);
  double mean[5];
  stz_dev_from_sym(mean_stress, mean);
  for (int m = 0; m < STZ_MODES; m++) {
    for (int c = 0; c < 5; c++) law->mode[m][c] = (float)(modes->p[m][c] * unit);
  }
  law->kind = params->barrier_law;
  law->modes = modes->count;
  law->grouped = modes->grouped;
  for (int c = 0; c < 5; c++) law->mean[c] = (float)mean[c];
  law->per_eV = (float)per_eV;
}

double stz_attempt_rate(const stz_stz_params *params, double spacing) {
  const double share =
      params->attempt_density == STZ_ATTEMPT_VOLUME ? spacing * spacing * spacing / params->volume_nm3 : 1.0;
  return params->attempt_frequency_per_s * share;
}

double stz_rate_growth(const stz_stz_params *params, double highest, double temperature_K,
                       const double stress_rate[6]) {
  double d[5], norm2 = 0.0;
  stz_dev_from_sym(stress_rate, d);
  for (int c = 0; c < 5; c++) norm2 += d[c] * d[c];
  const double per_eV = 1.0 / (STZ_BOLTZMANN * temperature_K), rate = sqrt(0.5 * norm2);
  if (params->barrier_law == STZ_LAW_LINEAR) {
    return params->activation_fraction * params->gamma0 * params->volume_nm3 * per_eV * rate;
  }
  const double height = highest * per_eV;
  return 1.5 * stz_exp((2.0 * stz_ln(height) + stz_ln(LARGEST_EXPONENT * LN2)) / 3.0) * rate /
         (params->tau_c_GPa * STZ_GPA);
}

// d ln(rate)/dt = x T'/T - B'/kT with x = B/kT. Heating: x is at most 126 ln 2, since a rate below 2^-126 counts as
// that, and both parts fall as T rises. Cooling: B is not negative, so exp(-B/kT) stays below exp(-B/kT0), which grows
// by the stress alone.
double stz_thermal_growth(double temperature_K, double rate) {
  return rate > 0.0 ? -STZ_POWER2_LEAST * LN2 * rate / temperature_K : 0.0;
}

#define ALWAYS_INLINE static inline __attribute__((always_inline))

// Parts of the exponents of a mode and of its three images under half turns, from the components of a stress: the four
// are plus + sum, minus + difference, minus - difference, plus - sum.
typedef struct parts {
  float plus, minus, sum, difference;
} parts;

static inline parts parts_of(const float p[5], float s0, float s1, float s2, float s3, float s4) {
  const float even = __builtin_fmaf(p[3], s3, p[4] * s4), yz = p[1] * s1;
  return (parts){__builtin_fmaf(p[0], s0, even), __builtin_fmaf(-p[0], s0, even), __builtin_fmaf(p[2], s2, yz),
                 __builtin_fmaf(-p[2], s2, yz)};
}

// Rate along the resolved stress, 2^min(0, |y| - f), and against it, 2^-(|y| + f); cooperative: 2^-(f t^1.5) with
// t = max(0, 1 - |y|) along and 1 + |y| against. In the hot loops `kind` is a constant.
static inline float along(stz_barrier_law kind, float y, float f) {
  const float t = 1.0f - __builtin_fabsf(y), left = t < 0.0f ? 0.0f : t;
  const float u = kind == STZ_LAW_LINEAR ? __builtin_fabsf(y) - f : -(f * (left * __builtin_sqrtf(left)));
  return stz_power2(u > 0.0f ? 0.0f : u);
}

static inline float against(stz_barrier_law kind, float y, float f) {
  const float t = 1.0f + __builtin_fabsf(y);
  const float u = kind == STZ_LAW_LINEAR ? -__builtin_fabsf(y) - f : -(f * (t * __builtin_sqrtf(t)));
  return u < AGAINST_FLOOR ? 0.0f : stz_power2(u);
}

typedef struct vector {
  float x, y, z;
} vector;

static inline float dot(vector a, vector b) { return __builtin_fmaf(a.x, b.x, __builtin_fmaf(a.y, b.y, a.z * b.z)); }

typedef struct deviator {
  float d[5];
} deviator;

// Exponent of one mode of any catalogue.
static inline float exponent_of(const float p[5], float s0, float s1, float s2, float s3, float s4) {
  const float even = __builtin_fmaf(p[3], s3, p[4] * s4);
  return __builtin_fmaf(p[0], s0, __builtin_fmaf(p[1], s1, __builtin_fmaf(p[2], s2, even)));
}

// Exponents of all modes at one site.
static void resolve(const stz_law *law, const deviator *s, float y[STZ_MODES]) {
  if (!law->grouped) {
    for (int m = 0; m < law->modes; m++) y[m] = exponent_of(law->mode[m], s->d[0], s->d[1], s->d[2], s->d[3], s->d[4]);
    return;
  }
  for (int m = 0; m < 3; m++) y[m] = law->mode[m][m] * s->d[m];
  for (int i = 3; i < STZ_MODES; i += 4) {
    const parts q = parts_of(law->mode[i], s->d[0], s->d[1], s->d[2], s->d[3], s->d[4]);
    y[i] = q.plus + q.sum;
    y[i + 1] = q.minus + q.difference;
    y[i + 2] = q.minus - q.difference;
    y[i + 3] = q.plus - q.sum;
  }
}

// A deviator S in the axes of its cell, R S R^T with the rows x, y, z of R: x.Sy = y.Sx, ... and yy = -xx - zz. `yx`
// and `yy` are those of the y axis; the products are made with sqrt2 S.
static inline deviator turn(deviator s, vector x, vector z, float yx, float yy) {
  const float third = 0.577350269f * s.d[4];
  const vector y = {yx, yy, __builtin_fmaf(z.x, x.y, -(z.y * x.x))};
  const vector s_x = {s.d[3] - third, s.d[0], s.d[2]}, s_y = {s.d[0], -s.d[3] - third, s.d[1]},
               s_z = {s.d[2], s.d[1], third + third};
  const vector sx = {dot(s_x, x), dot(s_y, x), dot(s_z, x)}, sz = {dot(s_x, z), dot(s_y, z), dot(s_z, z)};
  const float zsz = dot(z, sz);
  return (deviator){{dot(y, sx), dot(y, sz), dot(z, sx), __builtin_fmaf(0.5f, zsz, dot(x, sx)), 0.866025404f * zsz}};
}

enum { BLOCK = 256 }; // sites at a time, so that what is made of them stays in the first cache

// Adds the mean to the fluctuation: s[c] receives component c of each site.
STZ_MULTIVERSION(static void add_mean(const stz_law *law, int n, const float *const stress[5], float s[5][BLOCK])) {
  for (int c = 0; c < 5; c++) {
    const float *restrict from = stress[c];
    const float mean = law->mean[c];
    float *restrict to = s[c];
#pragma omp simd
    for (int z = 0; z < n; z++) to[z] = from[z] + mean;
  }
}

typedef float lanes __attribute__((vector_size(32)));
typedef float loose_lanes __attribute__((vector_size(32), aligned(4), may_alias));

// An 8 x 8 transpose in three steps of shuffles: row k of `from` becomes element k of 8 rows, BLOCK apart.
static inline void transpose(const lanes from[8], float *restrict to) {
#define MIX(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#define LOW(a, b) MIX(a, b, 0, 8, 1, 9, 4, 12, 5, 13)
#define HIGH(a, b) MIX(a, b, 2, 10, 3, 11, 6, 14, 7, 15)
#define FIRST(a, b) MIX(a, b, 0, 1, 8, 9, 4, 5, 12, 13)
#define SECOND(a, b) MIX(a, b, 2, 3, 10, 11, 6, 7, 14, 15)
#define FRONT(a, b) MIX(a, b, 0, 1, 2, 3, 8, 9, 10, 11)
#define BACK(a, b) MIX(a, b, 4, 5, 6, 7, 12, 13, 14, 15)
  const lanes *t = from;
  const lanes l0 = LOW(t[0], t[1]), l1 = LOW(t[2], t[3]), l2 = LOW(t[4], t[5]), l3 = LOW(t[6], t[7]);
  const lanes h0 = HIGH(t[0], t[1]), h1 = HIGH(t[2], t[3]), h2 = HIGH(t[4], t[5]), h3 = HIGH(t[6], t[7]);
  const lanes a = FIRST(l0, l1), b = FIRST(l2, l3), c = SECOND(l0, l1), d = SECOND(l2, l3);
  const lanes e = FIRST(h0, h1), f = FIRST(h2, h3), g = SECOND(h0, h1), h = SECOND(h2, h3);
  const lanes rows[8] = {FRONT(a, b), FRONT(c, d), FRONT(e, f), FRONT(g, h),
                         BACK(a, b),  BACK(c, d),  BACK(e, f),  BACK(g, h)};
#pragma GCC unroll 8
  for (int k = 0; k < 8; k++) *(loose_lanes *)(to + k * BLOCK) = rows[k];
#undef MIX
#undef LOW
#undef HIGH
#undef FIRST
#undef SECOND
#undef FRONT
#undef BACK
}

// Adds the mean and turns the stress of every site into the axes of its cell.
STZ_MULTIVERSION(static void add_mean_and_turn(const stz_law *law, const stz_modes *modes, int n,
                                               const float *const stress[5], const uint16_t *rotation,
                                               float s[5][BLOCK])) {
  _Alignas(64) float axes[8][BLOCK];
  for (int z = 0; z < n; z += 8) {
    lanes sites[8];
#pragma GCC unroll 8
    for (int l = 0; l < 8; l++) sites[l] = *(const loose_lanes *)modes->axes[rotation[z + l]];
    transpose(sites, &axes[0][z]);
  }
  const float *restrict s0 = stress[0], *restrict s1 = stress[1], *restrict s2 = stress[2], *restrict s3 = stress[3],
                        *restrict s4 = stress[4];
  float *restrict t0 = s[0], *restrict t1 = s[1], *restrict t2 = s[2], *restrict t3 = s[3], *restrict t4 = s[4];
  const float m0 = law->mean[0], m1 = law->mean[1], m2 = law->mean[2], m3 = law->mean[3], m4 = law->mean[4];
#pragma omp simd
  for (int z = 0; z < n; z++) {
    const deviator site = {{s0[z] + m0, s1[z] + m1, s2[z] + m2, s3[z] + m3, s4[z] + m4}};
    const vector x = {axes[0][z], axes[1][z], axes[2][z]}, third = {axes[3][z], axes[4][z], axes[5][z]};
    const deviator turned = turn(site, x, third, axes[6][z], axes[7][z]);
    t0[z] = turned.d[0];
    t1[z] = turned.d[1];
    t2[z] = turned.d[2];
    t3[z] = turned.d[3];
    t4[z] = turned.d[4];
  }
}

// The barriers in exponents; returns the lowest.
STZ_MULTIVERSION(static float barrier_exponents(const stz_law *law, int n, const float *restrict barrier,
                                                float *restrict f)) {
  float lowest = __FLT_MAX__;
#pragma omp simd reduction(min : lowest)
  for (int z = 0; z < n; z++) {
    f[z] = barrier[z] * law->per_eV;
    lowest = f[z] < lowest ? f[z] : lowest;
  }
  return lowest;
}

// The hot loop: one exponential a mode and site, over sites in the cache; a few modes at a time, which share parts of
// their exponents.
ALWAYS_INLINE void rates_along(stz_barrier_law kind, const stz_law *law, int n, float s[5][BLOCK],
                               const float *restrict f, float *restrict rates) {
  const float *restrict s0 = s[0], *restrict s1 = s[1], *restrict s2 = s[2], *restrict s3 = s[3], *restrict s4 = s[4];
  const float p0 = law->mode[0][0], p1 = law->mode[1][1], p2 = law->mode[2][2];
#pragma omp simd
  for (int z = 0; z < n; z++) {
    rates[z] = along(kind, p0 * s0[z], f[z]) + along(kind, p1 * s1[z], f[z]) + along(kind, p2 * s2[z], f[z]);
  }
  for (int i = 3; i < STZ_MODES; i += 4) {
    const float p[5] = {law->mode[i][0], law->mode[i][1], law->mode[i][2], law->mode[i][3], law->mode[i][4]};
#pragma omp simd
    for (int z = 0; z < n; z++) {
      const parts q = parts_of(p, s0[z], s1[z], s2[z], s3[z], s4[z]);
      rates[z] = rates[z] + along(kind, q.plus + q.sum, f[z]) + along(kind, q.minus + q.difference, f[z]) +
                 along(kind, q.minus - q.difference, f[z]) + along(kind, q.plus - q.sum, f[z]);
    }
  }
}

// Rates against the stress, which count only where the barrier itself is small: 8 sites at a time.
ALWAYS_INLINE void add_rates_against(stz_barrier_law kind, const stz_law *law, int n, float s[5][BLOCK],
                                     const float *restrict f, float *restrict rates) {
  for (int first = 0; first < n; first += 8) {
    float least = f[first];
    for (int l = 1; l < 8; l++) least = f[first + l] < least ? f[first + l] : least;
    if (-least < AGAINST_FLOOR) continue;
#pragma omp simd
    for (int z = first; z < first + 8; z++) {
      float sum = against(kind, law->mode[0][0] * s[0][z], f[z]) + against(kind, law->mode[1][1] * s[1][z], f[z]) +
                  against(kind, law->mode[2][2] * s[2][z], f[z]);
      for (int i = 3; i < STZ_MODES; i += 4) {
        const parts q = parts_of(law->mode[i], s[0][z], s[1][z], s[2][z], s[3][z], s[4][z]);
        sum = sum + against(kind, q.plus + q.sum, f[z]) + against(kind, q.minus + q.difference, f[z]) +
              against(kind, q.minus - q.difference, f[z]) + against(kind, q.plus - q.sum, f[z]);
      }
      rates[z] += sum;
    }
  }
}

// The same for any catalogue, mode by mode.
ALWAYS_INLINE void rates_of_any(stz_barrier_law kind, const stz_law *law, int n, float s[5][BLOCK],
                                const float *restrict f, float lowest, float *restrict rates) {
  const float *restrict s0 = s[0], *restrict s1 = s[1], *restrict s2 = s[2], *restrict s3 = s[3], *restrict s4 = s[4];
  const bool both = -lowest >= AGAINST_FLOOR;
  _Alignas(64) float back[BLOCK] = {0};
  memset(rates, 0, (size_t)n * sizeof *rates);
  for (int m = 0; m < law->modes; m++) {
    const float p[5] = {law->mode[m][0], law->mode[m][1], law->mode[m][2], law->mode[m][3], law->mode[m][4]};
#pragma omp simd
    for (int z = 0; z < n; z++) {
      rates[z] += along(kind, exponent_of(p, s0[z], s1[z], s2[z], s3[z], s4[z]), f[z]);
    }
    if (!both) continue;
#pragma omp simd
    for (int z = 0; z < n; z++) {
      back[z] += against(kind, exponent_of(p, s0[z], s1[z], s2[z], s3[z], s4[z]), f[z]);
    }
  }
  if (!both) return;
#pragma omp simd
  for (int z = 0; z < n; z++) rates[z] += back[z];
}

STZ_MULTIVERSION(static void any_linear(const stz_law *law, int n, float s[5][BLOCK], const float *f, float lowest,
                                        float *rates)) {
  rates_of_any(STZ_LAW_LINEAR, law, n, s, f, lowest, rates);
}

STZ_MULTIVERSION(static void any_cooperative(const stz_law *law, int n, float s[5][BLOCK], const float *f, float lowest,
                                             float *rates)) {
  rates_of_any(STZ_LAW_COOPERATIVE, law, n, s, f, lowest, rates);
}

// All rates of a block: s and f as above, `lowest` of f.
STZ_MULTIVERSION(static void rates_linear(const stz_law *law, int n, float s[5][BLOCK], const float *f, float lowest,
                                          float *rates)) {
  rates_along(STZ_LAW_LINEAR, law, n, s, f, rates);
  if (-lowest >= AGAINST_FLOOR) add_rates_against(STZ_LAW_LINEAR, law, n, s, f, rates);
}

STZ_MULTIVERSION(static void rates_cooperative(const stz_law *law, int n, float s[5][BLOCK], const float *f,
                                               float lowest, float *rates)) {
  rates_along(STZ_LAW_COOPERATIVE, law, n, s, f, rates);
  if (-lowest >= AGAINST_FLOOR) add_rates_against(STZ_LAW_COOPERATIVE, law, n, s, f, rates);
}

// Sum in 8 lanes of fixed meaning, then a fixed tree: the same bits on any instruction set.
STZ_MULTIVERSION(static double lane_sum(int n, const float *rates)) {
  double lane[8] = {0};
  for (int z = 0; z < n; z += 8) {
#pragma omp simd
    for (int l = 0; l < 8; l++) lane[l] += (double)rates[z + l];
  }
  return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

static void rates_of_block(const stz_law *law, int n, float s[5][BLOCK], const float *f, float lowest, float *rates) {
  const bool linear = law->kind == STZ_LAW_LINEAR; // clang has no pointers to functions of several versions
  if (linear && law->grouped) {
    rates_linear(law, n, s, f, lowest, rates);
  } else if (linear) {
    any_linear(law, n, s, f, lowest, rates);
  } else if (law->grouped) {
    rates_cooperative(law, n, s, f, lowest, rates);
  } else {
    any_cooperative(law, n, s, f, lowest, rates);
  }
}

double stz_rates_sum(const stz_law *law, const stz_modes *modes, int n, const float *const stress[5],
                     const float *barrier, const uint16_t *rotation, float *rates) {
  assert(n % 8 == 0);
  _Alignas(64) float s[5][BLOCK], f[BLOCK];
  for (int at = 0; at < n; at += BLOCK) {
    const int sites = n - at < BLOCK ? n - at : BLOCK;
    const float *const from[5] = {stress[0] + at, stress[1] + at, stress[2] + at, stress[3] + at, stress[4] + at};
    if (modes->rotations > 1) {
      add_mean_and_turn(law, modes, sites, from, rotation + at, s);
    } else {
      add_mean(law, sites, from, s);
    }
    const float lowest = barrier_exponents(law, sites, barrier + at, f);
    rates_of_block(law, sites, s, f, lowest, rates + at);
  }
  return lane_sum(n, rates);
}

STZ_MULTIVERSION(void stz_rates_site(const stz_law *law, const stz_modes *modes, const float stress[5], float barrier,
                                     int rotation, float rates[STZ_MODES][2])) {
  deviator s;
  for (int c = 0; c < 5; c++) s.d[c] = stress[c] + law->mean[c];
  if (modes->rotations > 1) {
    const float *a = modes->axes[rotation];
    s = turn(s, (vector){a[0], a[1], a[2]}, (vector){a[3], a[4], a[5]}, a[6], a[7]);
  }
  const float f = barrier * law->per_eV;
  float y[STZ_MODES];
  resolve(law, &s, y);
  for (int m = law->modes; m < STZ_MODES; m++) rates[m][0] = rates[m][1] = 0.0f;
  for (int m = 0; m < law->modes; m++) {
    rates[m][y[m] < 0.0f] = along(law->kind, y[m], f);
    rates[m][!(y[m] < 0.0f)] = against(law->kind, y[m], f);
  }
}
