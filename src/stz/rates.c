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

static inline float resolved(const float p[5], float s0, float s1, float s2, float s3, float s4) {
  return __builtin_fmaf(p[0], s0,
                        __builtin_fmaf(p[1], s1, __builtin_fmaf(p[2], s2, __builtin_fmaf(p[3], s3, p[4] * s4))));
}

// Rate along the resolved stress, 2^min(0, |y| - f), and against it, 2^-(|y| + f); cooperative: 2^-(f t^1.5) with
// t = max(0, 1 - |y|) along and 1 + |y| against. In the hot loops `kind` is a
// constant.
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

// Turns one site's stress into the axes of its cell: the padded columns make this one 8-lane operation a column.
static inline void turn_site(const float columns[5][8], const float s[5], float *restrict turned) {
#pragma omp simd
  for (int k = 0; k < 8; k++) {
    float sum = columns[4][k] * s[4];
    sum = __builtin_fmaf(columns[3][k], s[3], sum);
    sum = __builtin_fmaf(columns[2][k], s[2], sum);
    sum = __builtin_fmaf(columns[1][k], s[1], sum);
    turned[k] = __builtin_fmaf(columns[0][k], s[0], sum);
  }
}

// Adds the mean to the fluctuation: s[c] receives component c of each site.
STZ_MULTIVERSION
static void add_mean(const stz_law *law, int n, const float *const stress[5], float s[5][STZ_RATES_MOST]) {
  for (int c = 0; c < 5; c++) {
    const float *restrict from = stress[c];
    const float mean = law->mean[c];
    float *restrict to = s[c];
#pragma omp simd
    for (int z = 0; z < n; z++) to[z] = from[z] + mean;
  }
}

typedef float lanes __attribute__((vector_size(32)));

// Components 0 to 4 of 8 sites, site by site in rows of 8, to 5 rows of 8 sites, `stride` apart: an 8 x 8 transpose in
// three steps of shuffles, of which only what is needed is kept.
static inline void transpose_sites(const lanes *t, float *restrict to, size_t stride) {
#define MIX(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#define LOW(a, b) MIX(a, b, 0, 8, 1, 9, 4, 12, 5, 13)
#define HIGH(a, b) MIX(a, b, 2, 10, 3, 11, 6, 14, 7, 15)
#define FIRST(a, b) MIX(a, b, 0, 1, 8, 9, 4, 5, 12, 13)
#define SECOND(a, b) MIX(a, b, 2, 3, 10, 11, 6, 7, 14, 15)
  const lanes l0 = LOW(t[0], t[1]), l1 = LOW(t[2], t[3]), l2 = LOW(t[4], t[5]), l3 = LOW(t[6], t[7]);
  const lanes h0 = HIGH(t[0], t[1]), h1 = HIGH(t[2], t[3]), h2 = HIGH(t[4], t[5]), h3 = HIGH(t[6], t[7]);
  const lanes c04 = FIRST(l0, l1), d04 = FIRST(l2, l3), c15 = SECOND(l0, l1), d15 = SECOND(l2, l3);
  const lanes c26 = FIRST(h0, h1), d26 = FIRST(h2, h3), c37 = SECOND(h0, h1), d37 = SECOND(h2, h3);
  const lanes rows[5] = {MIX(c04, d04, 0, 1, 2, 3, 8, 9, 10, 11), MIX(c15, d15, 0, 1, 2, 3, 8, 9, 10, 11),
                         MIX(c26, d26, 0, 1, 2, 3, 8, 9, 10, 11), MIX(c37, d37, 0, 1, 2, 3, 8, 9, 10, 11),
                         MIX(c04, d04, 4, 5, 6, 7, 12, 13, 14, 15)};
  for (int c = 0; c < 5; c++) memcpy(to + (size_t)c * stride, &rows[c], sizeof rows[c]);
#undef MIX
#undef LOW
#undef HIGH
#undef FIRST
#undef SECOND
}

// Turns the stress of every site into its own axes, in place.
STZ_MULTIVERSION
static void turn_sites(const stz_modes *modes, int n, const uint16_t *rotation, float s[5][STZ_RATES_MOST]) {
  for (int z = 0; z < n; z += 8) {
    lanes turned[8];
    for (int l = 0; l < 8; l++) {
      const float site[5] = {s[0][z + l], s[1][z + l], s[2][z + l], s[3][z + l], s[4][z + l]};
      turn_site(modes->turn_columns[rotation[z + l]], site, (float *)&turned[l]);
    }
    transpose_sites(turned, &s[0][z], STZ_RATES_MOST);
  }
}

// The hot loop: one exponential a mode and site. Mode by mode over sites in the cache, so that its constants stay in
// registers.
static inline __attribute__((always_inline)) void rates_along(stz_barrier_law kind, const stz_law *law, int n,
                                                              float s[5][STZ_RATES_MOST], const float *restrict f,
                                                              float *restrict rates) {
  const float *restrict s0 = s[0], *restrict s1 = s[1], *restrict s2 = s[2], *restrict s3 = s[3], *restrict s4 = s[4];
  for (int m = 0; m < STZ_MODES; m++) {
    const float p[5] = {law->mode[m][0], law->mode[m][1], law->mode[m][2], law->mode[m][3], law->mode[m][4]};
#pragma omp simd
    for (int z = 0; z < n; z++) rates[z] += along(kind, resolved(p, s0[z], s1[z], s2[z], s3[z], s4[z]), f[z]);
  }
}

STZ_MULTIVERSION
static void rates_linear(const stz_law *law, int n, float s[5][STZ_RATES_MOST], const float *restrict f,
                         float *restrict rates) {
  rates_along(STZ_LAW_LINEAR, law, n, s, f, rates);
}

STZ_MULTIVERSION
static void rates_cooperative(const stz_law *law, int n, float s[5][STZ_RATES_MOST], const float *restrict f,
                              float *restrict rates) {
  rates_along(STZ_LAW_COOPERATIVE, law, n, s, f, rates);
}

static inline __attribute__((always_inline)) void add_against(stz_barrier_law kind, const stz_law *law, int first,
                                                              float s[5][STZ_RATES_MOST], const float *restrict f,
                                                              float *restrict rates) {
#pragma omp simd
  for (int z = first; z < first + 8; z++) {
    float sum = 0.0f;
    for (int m = 0; m < STZ_MODES; m++) {
      sum += against(kind, resolved(law->mode[m], s[0][z], s[1][z], s[2][z], s[3][z], s[4][z]), f[z]);
    }
    rates[z] += sum;
  }
}

STZ_MULTIVERSION
static void against_linear(const stz_law *law, int first, float s[5][STZ_RATES_MOST], const float *restrict f,
                           float *restrict rates) {
  add_against(STZ_LAW_LINEAR, law, first, s, f, rates);
}

STZ_MULTIVERSION
static void against_cooperative(const stz_law *law, int first, float s[5][STZ_RATES_MOST], const float *restrict f,
                                float *restrict rates) {
  add_against(STZ_LAW_COOPERATIVE, law, first, s, f, rates);
}

// Rates against the stress count only where the barrier itself is small.
static void rates_against(const stz_law *law, int n, float s[5][STZ_RATES_MOST], const float *f, float *rates) {
  const bool linear = law->kind == STZ_LAW_LINEAR;
  for (int z = 0; z < n; z += 8) {
    float least = f[z];
    for (int l = 1; l < 8; l++) least = f[z + l] < least ? f[z + l] : least;
    if (-least < AGAINST_FLOOR) continue;
    if (linear) {
      against_linear(law, z, s, f, rates);
    } else {
      against_cooperative(law, z, s, f, rates);
    }
  }
}

// Sum in 8 lanes of fixed meaning, then a fixed tree: the same bits on any instruction set.
static double lane_sum(int n, const float *rates) {
  double lane[8] = {0};
  for (int z = 0; z < n; z += 8) {
    for (int l = 0; l < 8; l++) lane[l] += rates[z + l];
  }
  return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

double stz_rates_sum(const stz_law *law, const stz_modes *modes, int n, const float *const stress[5],
                     const float *barrier, const uint16_t *rotation, float *rates) {
  assert(n % 8 == 0 && n <= STZ_RATES_MOST);
  _Alignas(64) float s[5][STZ_RATES_MOST], f[STZ_RATES_MOST];
  add_mean(law, n, stress, s);
  if (modes->rotations > 1) turn_sites(modes, n, rotation, s);
  for (int z = 0; z < n; z++) {
    f[z] = barrier[z] * law->per_eV;
    rates[z] = 0.0f;
  }
  if (law->kind == STZ_LAW_LINEAR) {
    rates_linear(law, n, s, f, rates);
  } else {
    rates_cooperative(law, n, s, f, rates);
  }
  rates_against(law, n, s, f, rates);
  return lane_sum(n, rates);
}

STZ_MULTIVERSION
void stz_rates_site(const stz_law *law, const stz_modes *modes, const float stress[5], float barrier, int rotation,
                    float rates[STZ_MODES][2]) {
  float s[8];
  for (int c = 0; c < 5; c++) s[c] = stress[c] + law->mean[c];
  if (modes->rotations > 1) {
    const float site[5] = {s[0], s[1], s[2], s[3], s[4]};
    turn_site(modes->turn_columns[rotation], site, s);
  }
  const float f = barrier * law->per_eV;
  for (int m = 0; m < STZ_MODES; m++) {
    const float y = resolved(law->mode[m], s[0], s[1], s[2], s[3], s[4]);
    rates[m][y < 0.0f] = along(law->kind, y, f);
    rates[m][!(y < 0.0f)] = against(law->kind, y, f);
  }
}
