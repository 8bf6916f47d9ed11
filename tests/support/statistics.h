// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the statistical tests share. The null hypothesis is always a known law; the seeds are fixed, so that a test
// either always passes or always fails, and a limit says how often a right program fails with a seed taken at random.
#ifndef STZ_TESTS_STATISTICS_H
#define STZ_TESTS_STATISTICS_H

#include <math.h>
#include <stdlib.h>

#include "worse.h"

// Exceeded once in 10,000 seeds: sqrt(ln(2/1e-4)/2) by Kolmogorov's distribution, and a normal deviate of either sign.
static const double KS_LIMIT = 2.23, DEVIATE_LIMIT = 3.9;

static inline int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

// Kolmogorov-Smirnov: largest distance of the distribution of `sample`, which is sorted, from the uniform on [0, 1],
// times sqrt(n).
static inline double ks_uniform(double *sample, int n) {
  double largest = 0.0;
  qsort(sample, (size_t)n, sizeof *sample, ascending);
  for (int i = 0; i < n; i++) {
    largest = worse(worse(largest, fabs(sample[i] - (double)i / n)), fabs((i + 1.0) / n - sample[i]));
  }
  return largest * sqrt(n);
}

// chi^2 of counts against shares (which sum to 1), as a standard normal deviate (Wilson and Hilferty). Neighbouring
// bins are pooled until each expects 8. `used` receives their number; with fewer than two the deviate is NAN.
static inline double chi_square_deviate(const double *counts, const double *shares, int bins, int *used) {
  double total = 0.0, sum = 0.0, seen = 0.0, expected = 0.0, left = 0.0;
  for (int b = 0; b < bins; b++) left += shares[b];
  for (int b = 0; b < bins; b++) total += counts[b];
  *used = 0;
  for (int b = 0; b < bins; b++) {
    seen += counts[b];
    expected += total * shares[b];
    left -= shares[b];
    if (b + 1 < bins && (expected < 8.0 || total * left < 8.0)) continue;
    sum += (seen - expected) * (seen - expected) / expected;
    seen = expected = 0.0;
    (*used)++;
  }
  const double degrees = *used - 1, k = 2.0 / (9.0 * degrees);
  return *used > 1 ? (cbrt(sum / degrees) - (1.0 - k)) / sqrt(k) : NAN;
}

#endif
