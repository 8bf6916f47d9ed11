// SPDX-License-Identifier: GPL-3.0-or-later
#include "stz/rates.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/target.h"
#include "stz/exponents.h"

typedef struct vector {
  float x, y, z;
} vector;

static inline float dot(vector a, vector b) { return __builtin_fmaf(a.x, b.x, __builtin_fmaf(a.y, b.y, a.z * b.z)); }

typedef struct deviator {
  float d[5];
} deviator;

// Exponents of all modes at one site.
static void resolve(const stz_law *law, const deviator *s, float y[STZ_MODES]) {
  if (!law->grouped) {
    for (int m = 0; m < law->modes; m++)
      y[m] = stz_exponent_of(law->mode[m], s->d[0], s->d[1], s->d[2], s->d[3], s->d[4]);
    return;
  }
  for (int m = 0; m < 3; m++) y[m] = law->mode[m][m] * s->d[m];
  for (int i = 3; i < STZ_MODES; i += 4) {
    const stz_parts q = stz_parts_of(law->mode[i], s->d[0], s->d[1], s->d[2], s->d[3], s->d[4]);
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

// Adds the mean to the fluctuation: s[c] receives component c of each site.
STZ_MULTIVERSION(static void add_mean(const float means[5], int n, const float *const stress[5],
                                      float s[5][STZ_LAW_BLOCK])) {
  for (int c = 0; c < 5; c++) {
    const float *restrict from = stress[c];
    const float mean = means[c];
    float *restrict to = s[c];
#pragma omp simd
    for (int z = 0; z < n; z++) to[z] = from[z] + mean;
  }
}

typedef float lanes __attribute__((vector_size(32)));
typedef float loose_lanes __attribute__((vector_size(32), aligned(4), may_alias));

// An 8 x 8 transpose in three steps of shuffles: row k of `from` becomes element k of 8 rows, STZ_LAW_BLOCK apart.
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
  for (int k = 0; k < 8; k++) *(loose_lanes *)(to + k * STZ_LAW_BLOCK) = rows[k];
#undef MIX
#undef LOW
#undef HIGH
#undef FIRST
#undef SECOND
#undef FRONT
#undef BACK
}

// What turns the stress of each site into the axes of its cell: axes[k] receives element k of the table.
STZ_MULTIVERSION(static void find_axes(const stz_modes *modes, int n, const uint16_t *rotation,
                                       float axes[8][STZ_LAW_BLOCK])) {
  for (int z = 0; z < n; z += 8) {
    lanes sites[8];
#pragma GCC unroll 8
    for (int l = 0; l < 8; l++) sites[l] = *(const loose_lanes *)modes->axes[rotation[z + l]];
    transpose(sites, &axes[0][z]);
  }
}

// Adds the mean and turns the stress of every site into the axes of its cell.
STZ_MULTIVERSION(static void add_mean_and_turn(const float mean[5], int n, const float *const stress[5],
                                               float axes[8][STZ_LAW_BLOCK], float s[5][STZ_LAW_BLOCK])) {
  const float *restrict s0 = stress[0], *restrict s1 = stress[1], *restrict s2 = stress[2], *restrict s3 = stress[3],
                        *restrict s4 = stress[4];
  float *restrict t0 = s[0], *restrict t1 = s[1], *restrict t2 = s[2], *restrict t3 = s[3], *restrict t4 = s[4];
  const float m0 = mean[0], m1 = mean[1], m2 = mean[2], m3 = mean[3], m4 = mean[4];
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

// The deviator of `scale` xx in the axes of each site's cell: of c c with c the first column of R.
STZ_MULTIVERSION(static void turn_axial(float scale, int n, float axes[8][STZ_LAW_BLOCK],
                                        float axis[5][STZ_LAW_BLOCK])) {
#pragma omp simd
  for (int z = 0; z < n; z++) {
    const float x = axes[0][z], y = axes[6][z], third = axes[3][z], in = scale * 0.707106781f,
                off = scale * 1.41421356f;
    axis[0][z] = off * (x * y);
    axis[1][z] = off * (y * third);
    axis[2][z] = off * (x * third);
    axis[3][z] = in * (x * x - y * y);
    axis[4][z] = scale * (1.22474487f * (third * third) - 0.408248290f); // x x + y y + z z = 1
  }
}

// `scale` times a deviator of each site in the axes of its cell.
static void turn_along(float scale, int n, const float *const along[5], float axes[8][STZ_LAW_BLOCK],
                       float axis[5][STZ_LAW_BLOCK]) {
  add_mean_and_turn((const float[5]){0}, n, along, axes, axis);
  for (int c = 0; c < 5; c++) {
    for (int z = 0; z < n; z++) axis[c][z] *= scale; // NOLINT(clang-analyzer-core.uninitialized.Assign): it is filled
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

// Sum in 8 lanes of fixed meaning, then a fixed tree: the same bits on any instruction set.
STZ_MULTIVERSION(static double lane_sum(int n, const float *rates)) {
  double lane[8] = {0};
  for (int z = 0; z < n; z += 8) {
#pragma omp simd
    for (int l = 0; l < 8; l++) lane[l] += (double)rates[z + l];
  }
  return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

// The part of a call that stays in the cache.
typedef struct part {
  _Alignas(64) float axes[8][STZ_LAW_BLOCK], s[5][STZ_LAW_BLOCK], f[STZ_LAW_BLOCK];
  int sites;
  float lowest; // of f
} part;

// Fills the part from site `at` of n on.
static void fill_part(part *p, const stz_law *law, const stz_modes *modes, int at, int n, const float *const stress[5],
                      const float *barrier, const uint16_t *rotation) {
  p->sites = n - at < STZ_LAW_BLOCK ? n - at : STZ_LAW_BLOCK;
  const float *const from[5] = {stress[0] + at, stress[1] + at, stress[2] + at, stress[3] + at, stress[4] + at};
  if (modes->rotations > 1) {
    find_axes(modes, p->sites, rotation + at, p->axes);
    add_mean_and_turn(law->mean, p->sites, from, p->axes, p->s);
  } else {
    add_mean(law->mean, p->sites, from, p->s);
  }
  p->lowest = barrier_exponents(law, p->sites, barrier + at, p->f);
}

double stz_rates_sum(const stz_law *law, const stz_modes *modes, int n, const float *const stress[5],
                     const float *barrier, const uint16_t *rotation, float *rates) {
  assert(n % 8 == 0);
  part p;
  for (int at = 0; at < n; at += STZ_LAW_BLOCK) {
    fill_part(&p, law, modes, at, n, stress, barrier, rotation);
    stz_law_kind_of(law->kind)->block(law, p.sites, p.s, p.f, p.lowest, rates + at);
  }
  return lane_sum(n, rates);
}

// The least rate is the least normal number, and the share of an axis is below 1: without this factor of the shares,
// an exact one, their products would be subnormal, which takes a processor some hundred cycles each.
static const double LIFT = 0x1p32;

double stz_rates_net(const stz_law *law, const stz_modes *modes, int n, const float *const stress[5],
                     const float *barrier, const uint16_t *rotation, const float *const along[5], float *rates,
                     double *axial) {
  assert(n % 8 == 0 && n <= STZ_RATES_MOST);
  _Alignas(64) float axis[5][STZ_LAW_BLOCK], net[STZ_RATES_MOST];
  const float scale = (float)(LIFT / law->unit);
  part p;
  for (int at = 0; at < n; at += STZ_LAW_BLOCK) {
    fill_part(&p, law, modes, at, n, stress, barrier, rotation);
    if (modes->rotations == 1) find_axes(modes, p.sites, rotation + at, p.axes); // not made for the stress
    if (along) {
      const float *const from[5] = {along[0] + at, along[1] + at, along[2] + at, along[3] + at, along[4] + at};
      turn_along(scale, p.sites, from, p.axes, axis);
    } else {
      turn_axial(scale, p.sites, p.axes, axis);
    }
    stz_law_kind_of(law->kind)->net(law, p.sites, p.s, axis, p.f, p.lowest, rates + at, net + at);
  }
  *axial = lane_sum(n, net) / LIFT;
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
  float y[STZ_MODES], w[STZ_MODES];
  resolve(law, &s, y);
  for (int m = 0; m < law->modes && law->pressed; m++)
    w[m] = law->press + stz_exponent_of(law->normal[m], s.d[0], s.d[1], s.d[2], s.d[3], s.d[4]);
  for (int m = law->modes; m < STZ_MODES; m++) rates[m][0] = rates[m][1] = 0.0f;
  stz_law_kind_of(law->kind)->site(law, y, law->pressed ? w : NULL, f, rates);
}
