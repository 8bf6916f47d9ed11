// SPDX-License-Identifier: GPL-3.0-or-later
//
// Units inside the program: nm, eV, s, K; stress in eV/nm^3.
#ifndef STZ_BASE_UNITS_H
#define STZ_BASE_UNITS_H

#define STZ_GPA 6.2415091                // eV/nm^3 in 1 GPa
#define STZ_MJ_PER_M3 (STZ_GPA / 1000.0) // eV/nm^3 in 1 MJ/m^3, which is 1 MPa
#define STZ_BOLTZMANN 8.617333262e-5     // eV/K (CODATA 2018)
#define STZ_PI 3.14159265358979323846

#endif
