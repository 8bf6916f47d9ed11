// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/load: not installed.
//
// A spring that pulls a specimen which gets longer and thinner. With the true stress s, the logarithmic strain e and
// the plastic strain p of the specimen, Young's modulus E and Poisson's number nu, the spring's stiffness S and its
// free contraction c over the specimen's first length,
//   s A/A0 = S (c - (exp(e) - 1)),  e = s/E + p,  A/A0 = exp(-p - 2 nu s/E).
// The left side is the force over the first area A0: plastic strain keeps the volume, elastic strain does not.
#ifndef STZ_LOAD_MACHINE_H
#define STZ_LOAD_MACHINE_H

#include "load/balance.h"

// The true stress.
double stz_machine_stress(const stz_balance *balance, double contraction, double plastic);

// -d(stress)/d(plastic) at that contraction.
double stz_machine_stiffness(const stz_balance *balance, double contraction, double plastic);

// The contraction at which the stress is this one.
double stz_machine_contraction(const stz_balance *balance, double stress, double plastic);

#endif
