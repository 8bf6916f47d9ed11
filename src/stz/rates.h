// SPDX-License-Identifier: GPL-3.0-or-later
//
// Rates of the shear events of a site, from its barrier, its stress and its orientation.
//
// Linear law: a mode m with resolved stress tau_m = p_m.s has the barrier B = Q -+ chi gamma0 Omega tau_m for its two
// signs, and the rate attempt * exp(-max(0, B)/kT) (V. V. Bulatov, A. S. Argon, Modelling Simul. Mater. Sci. Eng. 2,
// 167, 1994; E. R. Homer, C. A. Schuh, Acta Mater. 57, 2823, 2009). Cooperative law: B = Q max(0, 1 -+ tau_m/tau_c)^1.5
// (W. L. Johnson, K. Samwer, Phys. Rev. Lett. 95, 195501, 2005), without chi. Rates are handled in units of the attempt
// rate, in single precision, as powers of two. A rate below 2^-126 counts as 2^-126, and one against the stress below
// 2^-104 as zero: at 1e13 /s these are events that no sample sees.
#ifndef STZ_STZ_RATES_H
#define STZ_STZ_RATES_H

#include <stdbool.h>
#include <stdint.h>

#include "stz/modes.h"
#include "stz/params.h"

// The law at one temperature and mean stress.
typedef struct stz_law {
  stz_barrier_law kind;
  int modes;    // in use
  bool grouped; // their catalogue is the icosahedral one, whose symmetry saves work
  float mode[STZ_MODES]
            [5]; // p_m chi gamma0 Omega/(kT ln 2): exponent of a mode a unit of stress; cooperative: p_m/tau_c
  float per_eV;  // 1/(kT ln 2)
  float mean[5]; // deviator of the mean stress, eV/nm^3
} stz_law;

void stz_law_set(stz_law *law, const stz_stz_params *params, const stz_modes *modes, double temperature_K,
                 const double mean_stress[6]);

// Attempt rate of one mode of one voxel of edge `spacing`, 1/s: nu0 a^3/Omega, or nu0.
double stz_attempt_rate(const stz_stz_params *params, double spacing);

// Largest relative growth rate (1/s) of any event rate while the mean stress changes at `stress_rate`, whatever the
// stress, with no barrier above `highest` (eV). With r = |dev(stress_rate)|/sqrt2, as |p| = 1/sqrt2 in any orientation:
// linear, chi gamma0 Omega r/kT. Cooperative: -dB/dt is at most 1.5 Q (1 - tau/tau_c)^0.5 r/tau_c
// = 1.5 Q^(2/3) B^(1/3) r/tau_c, and where B exceeds 126 ln2 kT, the rate is the smallest there is and does not grow.
double stz_rate_growth(const stz_stz_params *params, double highest, double temperature_K, const double stress_rate[6]);

// What the temperature adds to that bound when it moves on from `temperature_K` at `rate` (K/s), as long as it does; 0
// when it falls.
double stz_thermal_growth(double temperature_K, double rate);

enum { STZ_RATES_MOST = 512 }; // sites a call

// Sum over n sites of the rates of all 30 modes; n a multiple of 8, at most STZ_RATES_MOST (a longer call spends less
// on its start). `stress`: 5 components of the deviator without the mean; `rotation`: entries of the table; `rates`
// receives the sum of each site.
double stz_rates_sum(const stz_law *law, const stz_modes *modes, int n, const float *const stress[5],
                     const float *barrier, const uint16_t *rotation, float *rates);

// The 30 rates of one site, [mode][0: positive, 1: negative sign], with the same bits that stz_rates_sum sums; 0 for
// modes that a smaller catalogue does not have.
void stz_rates_site(const stz_law *law, const stz_modes *modes, const float stress[5], float barrier, int rotation,
                    float rates[STZ_MODES][2]);

#endif
