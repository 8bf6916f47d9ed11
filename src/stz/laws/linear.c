// SPDX-License-Identifier: GPL-3.0-or-later
//
// Linear law: a mode with resolved stress tau has the barrier B = Q -+ chi gamma0 Omega tau for its two signs
// (V. V. Bulatov, A. S. Argon, Modelling Simul. Mater. Sci. Eng. 2, 167, 1994; E. R. Homer, C. A. Schuh, Acta Mater.
// 57, 2823, 2009).
#include <math.h>

#include "stz/law.h"

static inline float exponent(const stz_law *law, float x, float f) {
  (void)law;
  return x - f;
}

#define THIS_LAW linear
#include "stz/law_loops.h"

// Work at the saddle per stress, eV/(eV/nm^3).
static double work(const stz_stz_params *p) { return p->activation_fraction * p->gamma0 * p->volume_nm3; }

static double set(const stz_stz_params *params, double per_eV, stz_law *law) {
  (void)law;
  return work(params) * per_eV;
}

// With |p| = 1/sqrt2 in any orientation, tau grows by no more than `rate`.
static double growth(const stz_stz_params *params, double highest, double per_eV, double rate) {
  (void)highest;
  return work(params) * per_eV * rate;
}

static double barrier_under(const stz_stz_params *params, double barrier, double tau) {
  return fmax(0.0, barrier - work(params) * tau);
}

const stz_law_kind stz_law_linear = {
    .set = set, .growth = growth, .barrier_under = barrier_under, .block = block, .net = net, .site = site};
