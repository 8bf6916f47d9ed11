// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/sweep: not installed.
//
// Sobol's sequence (I. M. Sobol', USSR Comput. Math. Math. Phys. 7(4), 86, 1967), in Gray-code order (I. A. Antonov,
// V. M. Saleev, ibid. 19(1), 252, 1979), with the direction numbers of S. Joe and F. Y. Kuo, SIAM J. Sci. Comput. 30,
// 2635 (2008), file new-joe-kuo-6.21201.
#ifndef STZ_SWEEP_SOBOL_H
#define STZ_SWEEP_SOBOL_H

#include <stdint.h>

enum { STZ_SOBOL_DIMENSIONS = 16 };

// Coordinate `dimension` of point `index`, times 2^32.
uint32_t stz_sobol(int dimension, uint32_t index);

#endif
