// SPDX-License-Identifier: GPL-3.0-or-later
//
// Cooperative shear law: B = Q max(0, 1 -+ tau/tau_c)^1.5 for the two signs of a mode (W. L. Johnson, K. Samwer, Phys.
// Rev. Lett. 95, 195501, 2005), without chi.
#include <math.h>

#include "base/mathfn.h"
#include "base/units.h"
#include "stz/law.h"

static inline float exponent(const stz_law *law, float x, float f) {
  (void)law;
  const float t = 1.0f - x, left = t < 0.0f ? 0.0f : t;
  return -(f * (left * __builtin_sqrtf(left)));
}

#define THIS_LAW cooperative
#include "stz/law_loops.h"

static double set(const stz_stz_params *params, double per_eV, stz_law *law) {
  (void)per_eV;
  (void)law;
  return 1.0 / (params->tau_c_GPa * STZ_GPA);
}

// -dB/dt is at most 1.5 Q (1 - tau/tau_c)^0.5 r/tau_c = 1.5 Q^(2/3) B^(1/3) r/tau_c; where B exceeds 126 ln2 kT, the
// rate is clamped at 2^-126 and constant.
static double growth(const stz_stz_params *params, double highest, double per_eV, double rate) {
  const double height = highest * per_eV;
  return 1.5 * stz_exp((2.0 * stz_ln(height) + stz_ln(STZ_LAW_LARGEST_EXPONENT * STZ_LN2)) / 3.0) * rate /
         (params->tau_c_GPa * STZ_GPA);
}

static double barrier_under(const stz_stz_params *params, double barrier, double tau) {
  const double left = fmax(0.0, 1.0 - tau / (params->tau_c_GPa * STZ_GPA));
  return barrier * left * sqrt(left);
}

const stz_law_kind stz_law_cooperative = {
    .set = set, .growth = growth, .barrier_under = barrier_under, .block = block, .net = net, .site = site};
