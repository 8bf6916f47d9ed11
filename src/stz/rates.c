// SPDX-License-Identifier: GPL-3.0-or-later
#include "stz/rates.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/target.h"
#include "base/tensor.h"
#include "base/units.h"

static const double LN2 = 0.69314718055994530942;
static const float AGAINST_FLOOR = -104.0f;
#define LEAST (-126.0f) // exponent of the smallest rate

void stz_law_set(stz_law *law, const stz_stz_params *params, const stz_modes *modes, double temperature_K,
                 const double mean_stress[6]) {
  const double per_eV = 1.0 / (STZ_BOLTZMANN * temperature_K * LN2);
  const double work = params->activation_fraction * params->gamma0 * params->volume_nm3;
  double mean[5];
  stz_dev_from_sym(mean_stress, mean);
  for (int m = 0; m < STZ_MODES; m++) {
    for (int c = 0; c < 5; c++) law->mode[m][c] = (float)(modes->p[m][c] * work * per_eV);
  }
  for (int c = 0; c < 5; c++) law->mean[c] = (float)mean[c];
  law->per_eV = (float)per_eV;
}

double stz_attempt_rate(const stz_stz_params *params, double spacing) {
  const double share =
      params->attempt_density == STZ_ATTEMPT_VOLUME ? spacing * spacing * spacing / params->volume_nm3 : 1.0;
  return params->attempt_frequency_per_s * share;
}

double stz_rate_growth(const stz_stz_params *params, double temperature_K, const double stress_rate[6]) {
  double d[5], norm2 = 0.0;
  stz_dev_from_sym(stress_rate, d);
  for (int c = 0; c < 5; c++) norm2 += d[c] * d[c];
  const double work = params->activation_fraction * params->gamma0 * params->volume_nm3;
  return work * sqrt(0.5 * norm2) / (STZ_BOLTZMANN * temperature_K);
}

// d ln(rate)/dt = x T'/T - B'/kT with x = B/kT, the second part at most A/T with A from stz_rate_growth. Heating: x is
// at most 126 ln 2, since a rate below 2^-126 counts as that, and both parts fall as T rises. Cooling: the first part
// is negative, but A/T grows; within 1/g, g = (A + |T'|)/T, T stays above T - |T'|/g = A/g, so A/T below g.
double stz_thermal_growth(double temperature_K, double rate) {
  return (rate > 0.0 ? -LEAST * LN2 * rate : -rate) / temperature_K;
}

// 2^u for u <= 0, relative error 2e-7; below -126 it stays at 2^-126. Branch-free, the same bits in every lane width.
static inline float power2(float u) {
  const float magic = 12582912.0f; // 1.5 * 2^23: adding it rounds to the nearest integer, left in the low bits
  u = u < LEAST ? LEAST : u;
  const float t = u + magic, r = u - (t - magic);
  float p = 0x1.5c08e4p-10f;
  p = __builtin_fmaf(p, r, 0x1.3d0c52p-7f);
  p = __builtin_fmaf(p, r, 0x1.c6b6e4p-5f);
  p = __builtin_fmaf(p, r, 0x1.ebf918p-3f);
  p = __builtin_fmaf(p, r, 0x1.62e428p-1f);
  p = __builtin_fmaf(p, r, 1.0f);
  uint32_t exponent, bits;
  memcpy(&exponent, &t, sizeof exponent);
  memcpy(&bits, &p, sizeof bits);
  bits += exponent << 23; // the magic number's own bits leave the word
  memcpy(&p, &bits, sizeof p);
  return p;
}

static inline float resolved(const float p[5], float s0, float s1, float s2, float s3, float s4) {
  return __builtin_fmaf(p[0], s0,
                        __builtin_fmaf(p[1], s1, __builtin_fmaf(p[2], s2, __builtin_fmaf(p[3], s3, p[4] * s4))));
}

// Rate along the resolved stress, 2^min(0, |y| - f), and against it, 2^-(|y| + f).
static inline float along(float y, float f) {
  const float u = __builtin_fabsf(y) - f;
  return power2(u > 0.0f ? 0.0f : u);
}

static inline float against(float y, float f) {
  const float u = -__builtin_fabsf(y) - f;
  return u < AGAINST_FLOOR ? 0.0f : power2(u);
}

// Turns one site's stress into the axes of its cell: the padded columns make this one 8-lane operation a column.
static inline void turn_site(const float columns[5][8], const float s[5], float turned[8]) {
#pragma omp simd
  for (int k = 0; k < 8; k++) {
    float sum = columns[4][k] * s[4];
    sum = __builtin_fmaf(columns[3][k], s[3], sum);
    sum = __builtin_fmaf(columns[2][k], s[2], sum);
    sum = __builtin_fmaf(columns[1][k], s[1], sum);
    turned[k] = __builtin_fmaf(columns[0][k], s[0], sum);
  }
}

enum { LONGEST = 512 };

// Adds the mean to the fluctuation and turns it: s[c] receives component c of each site in its own axes.
STZ_MULTIVERSION
static void prepare_row(const stz_law *law, const stz_modes *modes, int n, const float *const stress[5],
                        const uint16_t *rotation, float s[5][LONGEST]) {
  for (int c = 0; c < 5; c++) {
    const float *restrict from = stress[c];
    const float mean = law->mean[c];
    float *restrict to = s[c];
#pragma omp simd
    for (int z = 0; z < n; z++) to[z] = from[z] + mean;
  }
  if (modes->rotations == 1) return;
  for (int z = 0; z < n; z++) {
    float turned[8];
    const float site[5] = {s[0][z], s[1][z], s[2][z], s[3][z], s[4][z]};
    turn_site(modes->turn_columns[rotation[z]], site, turned);
    for (int c = 0; c < 5; c++) s[c][z] = turned[c];
  }
}

// The hot loop: 15 exponentials a site. `nearest` receives f + min |y|: where it is small, rates against the stress
// count.
STZ_MULTIVERSION
static void rates_along(const stz_law *law, int n, float s[5][LONGEST], const float *restrict barrier,
                        float *restrict rates, float *restrict nearest) {
  const float *restrict s0 = s[0], *restrict s1 = s[1], *restrict s2 = s[2], *restrict s3 = s[3], *restrict s4 = s[4];
#pragma omp simd
  for (int z = 0; z < n; z++) {
    const float f = barrier[z] * law->per_eV;
    float sum = 0.0f, least = 1e30f;
    for (int m = 0; m < STZ_MODES; m++) {
      const float y = resolved(law->mode[m], s0[z], s1[z], s2[z], s3[z], s4[z]);
      sum += along(y, f);
      const float size = __builtin_fabsf(y);
      least = size < least ? size : least;
    }
    rates[z] = sum;
    nearest[z] = least + f;
  }
}

STZ_MULTIVERSION
static void add_rates_against(const stz_law *law, int first, float s[5][LONGEST], const float *restrict barrier,
                              float *restrict rates) {
#pragma omp simd
  for (int z = first; z < first + 8; z++) {
    const float f = barrier[z] * law->per_eV;
    float sum = 0.0f;
    for (int m = 0; m < STZ_MODES; m++) {
      sum += against(resolved(law->mode[m], s[0][z], s[1][z], s[2][z], s[3][z], s[4][z]), f);
    }
    rates[z] += sum;
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

double stz_rates_row(const stz_law *law, const stz_modes *modes, int n, const float *const stress[5],
                     const float *barrier, const uint16_t *rotation, float *rates) {
  assert(n % 8 == 0 && n <= LONGEST);
  _Alignas(64) float s[5][LONGEST], nearest[LONGEST];
  prepare_row(law, modes, n, stress, rotation, s);
  rates_along(law, n, s, barrier, rates, nearest);
  for (int z = 0; z < n; z += 8) {
    float least = nearest[z];
    for (int l = 1; l < 8; l++) least = nearest[z + l] < least ? nearest[z + l] : least;
    if (-least >= AGAINST_FLOOR) add_rates_against(law, z, s, barrier, rates);
  }
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
    rates[m][y < 0.0f] = along(y, f);
    rates[m][!(y < 0.0f)] = against(y, f);
  }
}
