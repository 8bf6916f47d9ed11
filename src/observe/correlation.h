// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/observe: not installed.
//
// Autocorrelation of a field over the periodic lattice,
//   C(r) = <(f(x) - mean)(f(x + r) - mean)>/variance,
// by Fourier transform (Wiener and Khinchin). The field may be averaged with the shape of an STZ first.
#ifndef STZ_OBSERVE_CORRELATION_H
#define STZ_OBSERVE_CORRELATION_H

#include "lattice/grid.h"
#include "lattice/spectral.h"

enum { STZ_CORRELATION_LINES = 9 };

// The lattice directions along which it is followed: the axes, and the diagonals of the planes xy, xz, yz.
extern const int stz_correlation_directions[STZ_CORRELATION_LINES][3];

typedef struct stz_correlation {
  double mean, variance; // of the field
  int points;            // of each of what follows: half the shortest edge of the box, and one
  double *line;          // STZ_CORRELATION_LINES x points: C at i steps along each direction
  double *line_nm;       // STZ_CORRELATION_LINES x points: those distances
  double *radial;        // points: mean of C over all lattice vectors with (i - 1/2) a <= |r| < (i + 1/2) a
  double *radial_nm;     // points: mean |r| of those
} stz_correlation;

// `field`: one number per local site (in and out: overwritten). `width_nm`: s of the shape exp(-k^2 s^2/2) that it is
// averaged with first; 0: none. C is NaN for a field without variance. Collective; the same bits on any number of
// ranks.
stz_err stz_correlation_create(const stz_grid *grid, stz_spectral *spectral, double *field, double width_nm,
                               stz_correlation **correlation) STZ_MUST_USE;
void stz_correlation_destroy(stz_correlation **correlation);

#endif
