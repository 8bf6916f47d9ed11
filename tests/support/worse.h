// SPDX-License-Identifier: GPL-3.0-or-later
//
// The largest error of many. fmax() leaves out what is not a number: a field of NaN would be off by nothing.
#ifndef STZ_TESTS_WORSE_H
#define STZ_TESTS_WORSE_H

#include <math.h>

// `off`, which is >= 0, or what was the worst before; infinity once any is not a number.
static inline double worse(double worst, double off) { return isnan(off) ? INFINITY : fmax(worst, off); }

#endif
