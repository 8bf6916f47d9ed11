// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/kmc: not installed.
//
// Selection in proportion to weights, as in the residence-time (BKL) algorithm: down a tree of sums, level by level.
#ifndef STZ_KMC_SELECT_H
#define STZ_KMC_SELECT_H

// Returns the first entry at which the running sum of weights[count] exceeds *target (in and out), and subtracts from
// *target the sum of the entries before it. Rounding can carry the target past the end: then the last entry with any
// weight is returned, and *target becomes 0.
int stz_pick_double(const double *weights, int count, double *target);
int stz_pick_float(const float *weights, int count, double *target);

#endif
