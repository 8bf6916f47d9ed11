// SPDX-License-Identifier: GPL-3.0-or-later
//
// C11's CMPLX and CMPLXF, which clang has not with every C library.
#ifndef STZ_BASE_COMPLEX_H
#define STZ_BASE_COMPLEX_H

#include <complex.h>
#include <string.h>

// re + i im. Local.
static inline double complex stz_complex(double re, double im) {
  const double parts[2] = {re, im};
  double complex z;
  memcpy(&z, parts, sizeof z);
  return z;
}

// The same in single precision. Local.
static inline float complex stz_complexf(float re, float im) {
  const float parts[2] = {re, im};
  float complex z;
  memcpy(&z, parts, sizeof z);
  return z;
}

#endif
