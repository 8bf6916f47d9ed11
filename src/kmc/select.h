// SPDX-License-Identifier: GPL-3.0-or-later
//
// Selection in proportion to weights, as in the residence-time algorithm: down a tree of sums, level by level.
#ifndef STZ_KMC_SELECT_H
#define STZ_KMC_SELECT_H

// Finds the entry in which the running sum of `count` weights passes *target, and takes from *target what lies before.
// Rounding can carry the target past the end: then the last entry with any weight is meant, and *target becomes 0.
int stz_pick_double(const double *weights, int count, double *target);
int stz_pick_float(const float *weights, int count, double *target);

#endif
