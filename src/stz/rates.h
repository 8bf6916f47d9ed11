// SPDX-License-Identifier: GPL-3.0-or-later
//
// Rates (propensities) of the shear events of a site, from its barrier, its stress and its orientation: attempt *
// exp(-max(0, B)/kT), with the barrier B that the law makes of Q and the resolved stress (stz/law.h). Rates are in
// units of the attempt rate, in single precision, as powers of two. A rate below 2^-126 counts as 2^-126, and one
// against the stress below 2^-104 as zero: at 1e13 /s these are events that no sample sees.
#ifndef STZ_STZ_RATES_H
#define STZ_STZ_RATES_H

#include <stdint.h>

#include "stz/law.h"

enum { STZ_RATES_MOST = 512 }; // sites per call

// Sum over n sites of the rates of all 30 modes; n a multiple of 8, at most STZ_RATES_MOST (a longer call spends less
// on its start). `stress`: 5 components of the deviator without the mean, n numbers each, eV/nm^3; `barrier`: n, eV;
// `rotation`: n entries of the table; `rates` (out): the sum of each site. Rates are in units of the attempt rate.
double stz_rates_sum(const stz_law *law, const stz_modes *modes, int n, const float *const stress[5],
                     const float *barrier, const uint16_t *rotation, float *rates);

// The same, bits and all; *axial receives the sum of all rates with their signs times the P_xx of their modes, by which
// the mean plastic strain grows; with `axis`, 5 components of a deviator of n numbers each, times P : axis of the site.
double stz_rates_net(const stz_law *law, const stz_modes *modes, int n, const float *const stress[5],
                     const float *barrier, const uint16_t *rotation, const float *const axis[5], float *rates,
                     double *axial);

// The 30 rates (out, in units of the attempt rate) of one site, [mode][0: positive, 1: negative sign], with the same
// bits that stz_rates_sum sums; 0 for modes that a smaller catalogue does not have. `stress`, `barrier`, `rotation`: as
// there.
void stz_rates_site(const stz_law *law, const stz_modes *modes, const float stress[5], float barrier, int rotation,
                    float rates[STZ_MODES][2]);

#endif
