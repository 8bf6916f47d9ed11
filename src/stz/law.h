// SPDX-License-Identifier: GPL-3.0-or-later
//
// Barrier laws: how the resolved stress lowers a barrier. Each law is a file of its own, src/stz/laws/NAME.c, and an
// entry of STZ_BARRIER_LAWS in stz/params.h; everything else goes over that list. Only the files of the laws and
// rates.c look inside; kmc and observe use the functions below.
#ifndef STZ_STZ_LAW_H
#define STZ_STZ_LAW_H

#include <stdbool.h>

#include "base/units.h"
#include "stz/modes.h"
#include "stz/params.h"

#define STZ_LAW_LARGEST_EXPONENT 126.0  // stz_power2's: a rate below 2^-126 counts as that
#define STZ_LAW_AGAINST_FLOOR (-104.0f) // a rate against the stress below 2^-104 counts as zero

// The law at one temperature and mean stress.
typedef struct stz_law {
  stz_barrier_law kind;
  int modes;                         // in use
  bool grouped;                      // their catalogue is the icosahedral one, whose symmetry saves work
  bool pressed;                      // barriers depend on the normal stress: else the next three are 0
  float normal[STZ_MODES][5], press; // alpha unit (n n) of each mode; alpha unit (trace of the mean)/3
  float steepest;                    // no |normal| is above
  float mode[STZ_MODES][5];          // p_m times the law's own unit: the exponent y of a mode per unit of stress
  double unit;                       // that unit
  float own[4];                      // numbers of the law's own, for its exponents; filled by its `set`
  float per_eV;                      // 1/(kT ln 2)
  float mean[5];                     // deviator of the mean stress, eV/nm^3
  double stress[6];                  // the mean stress
} stz_law;

enum { STZ_LAW_BLOCK = 256 }; // sites at a time, so that what is made of them stays in the first cache

// The functions of a law. The exponent of a mode is y = unit p_m.s, that of a barrier f = Q/(kT ln 2). Where barriers
// depend on normal stress, w = alpha unit sigma_n is added to the resolved stress of both signs of a mode.
typedef struct stz_law_kind {
  // Fills law->own and returns the unit of y; per_eV = 1/(kT ln 2).
  double (*set)(const stz_stz_params *params, double per_eV, stz_law *law);
  // Largest relative growth rate (1/s) of any event rate while the resolved stress changes by up to `rate` (eV/nm^3/s),
  // with no barrier above `highest` (eV); per_eV = 1/kT.
  double (*growth)(const stz_stz_params *params, double highest, double per_eV, double rate);
  // The barrier (eV) of a mode with resolved stress `tau` (eV/nm^3), along it.
  double (*barrier_under)(const stz_stz_params *params, double barrier, double tau);
  // Rates of n sites (a multiple of 8, at most STZ_LAW_BLOCK) in attempt rates: stress s in the axes of each site's
  // cell, f, and the lowest f.
  void (*block)(const stz_law *law, int n, float s[5][STZ_LAW_BLOCK], const float *f, float lowest, float *rates);
  // The same rates, and for each site the sum of its rates with their signs times y of the tensor `axis`, in the axes
  // of the site's cell.
  void (*net)(const stz_law *law, int n, float s[5][STZ_LAW_BLOCK], float axis[5][STZ_LAW_BLOCK], const float *f,
              float lowest, float *rates, float *net);
  // The rates of one site's modes, [mode][0: positive, 1: negative sign]; `w` is NULL without normal stress.
  void (*site)(const stz_law *law, const float y[STZ_MODES], const float *w, float f, float rates[STZ_MODES][2]);
} stz_law_kind;

const stz_law_kind *stz_law_kind_of(stz_barrier_law law); // the entry of a law in the list

// Prepares the law of `params` for `modes` at one temperature and mean stress (eV/nm^3).
void stz_law_set(stz_law *law, const stz_stz_params *params, const stz_modes *modes, double temperature_K,
                 const double mean_stress[6]);

// Attempt rate of one mode of one voxel of edge `spacing`, 1/s: nu0 a^3/Omega, or nu0.
double stz_attempt_rate(const stz_stz_params *params, double spacing);

// Largest relative growth rate (1/s) of any event rate while the mean stress changes at `stress_rate`, whatever the
// stress, with no barrier above `highest` (eV). A resolved stress changes by up to r = |dev(stress_rate)|/sqrt2, as
// |p| = 1/sqrt2 in any orientation; with alpha times the stress normal to its plane added, |p + alpha dev(n n)|^2 =
// 1/2 + 2/3 alpha^2, as n is normal to s, and |alpha trace|/3 comes on top.
double stz_rate_growth(const stz_stz_params *params, double highest, double temperature_K, const double stress_rate[6]);

// What the temperature adds to that bound when it moves on from `temperature_K` at `rate` (K/s), as long as it does; 0
// when it falls.
double stz_thermal_growth(double temperature_K, double rate);

// The barrier (eV) that is left of `barrier` for a mode with resolved stress `tau` (eV/nm^3), alpha times the normal
// stress included.
double stz_barrier_under(const stz_stz_params *params, double barrier, double tau);

#endif
