// SPDX-License-Identifier: GPL-3.0-or-later
//
// Units inside the program: nm, eV, s, K; stress in eV/nm^3. And the constants of mathematics that it uses.
#ifndef STZ_BASE_UNITS_H
#define STZ_BASE_UNITS_H

#define STZ_GPA 6.2415091                // eV/nm^3 in 1 GPa
#define STZ_MJ_PER_M3 (STZ_GPA / 1000.0) // eV/nm^3 in 1 MJ/m^3, which is 1 MPa
#define STZ_BOLTZMANN 8.617333262e-5     // eV/K (CODATA 2018)

#define STZ_PI 3.14159265358979323846
#define STZ_LN2 0.69314718055994530942
#define STZ_LN10 2.302585092994045684
#define STZ_LOG2_E 1.44269504088896340736 // 1/ln 2
#define STZ_ROUNDING 12582912.0f          // 1.5 2^23: adding it to a float leaves the nearest integer in the low bits

#endif
