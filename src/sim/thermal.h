// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/sim: not installed.
//
// How often events would come by the barriers that an input distributes, without internal stresses: for estimates
// before a run. Local.
#ifndef STZ_SIM_THERMAL_H
#define STZ_SIM_THERMAL_H

#include "sim/sim.h"

typedef struct stz_thermal stz_thermal;

// Draws the barriers' distribution from the input: that of the composition (of a file, what was found in it, or as if
// of random waves if `found` is NULL) and that of the noise. Fails with STZ_EINTERNAL when memory is out.
stz_err stz_thermal_create(const stz_config *config, const stz_field_found *found, stz_thermal **thermal) STZ_MUST_USE;
void stz_thermal_destroy(stz_thermal **thermal);

// Share of the sites whose barrier is at barriers.floor_eV.
double stz_thermal_floor(const stz_thermal *thermal);

// Rates of all events of the box (1/s) under an axial stress: `first`, of the barriers as distributed, where the lowest
// count most; `steady`, once each site has gone through the barriers that are drawn again at its place, where the
// highest count most.
void stz_thermal_rates(const stz_thermal *thermal, double temperature_K, double stress_GPa, double *first,
                       double *steady);

#endif
