// SPDX-License-Identifier: GPL-3.0-or-later
//
// Elementary functions whose results feed the trajectory. libm picks its variants by the processor at run time, so its
// last bits differ between machines; these do not. All are accurate to a few units in the last place.
#ifndef STZ_BASE_MATHFN_H
#define STZ_BASE_MATHFN_H

// e^x. Underflows to 0 below -708, saturates at the largest finite value above 709.
double stz_exp(double x);

// Natural logarithm of a positive normal number.
double stz_ln(double x);

// Hyperbolic tangent, within 2 units in the last place.
double stz_tanh(double x);

// Distribution function of the standard normal, absolute error below 1e-14 (Marsaglia, J. Stat. Softw. 11(4), 2004).
double stz_normal_cdf(double x);

// The level above which a standard normal variable lies with the probability `share`, within (0, 1).
double stz_normal_level(double share);

#endif
