// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/config: not installed.
//
// Loads that no metallic glass bears, and values that are allowed but seldom meant.
#ifndef STZ_CONFIG_LIMITS_H
#define STZ_CONFIG_LIMITS_H

#include "config/builder.h"

#define STZ_LIMITS_STRESS_SHARE 0.2 // of Young's modulus: the largest stress

// The key of a segment by which a stress is imposed that is above a fifth of Young's modulus, where every glass has
// long failed, and in `needs` what it needs; NULL if there is none.
const char *stz_limits_stress(const stz_config *config, int segment, char *needs, size_t size);

// Notes on values that are allowed but seldom meant (keys that do nothing, temperatures in degrees Celsius, strains in
// percent), a line each. Fails with STZ_EINTERNAL when memory is out.
stz_err stz_limits_notes(const stz_config_builder *builder, FILE *out) STZ_MUST_USE;

// For a message about a value out of its range: "; 7 % is 0.07" where a strain looks like a percentage,
// "; 300 MPa are 0.3 GPa" where a load's stress looks like that, else "".
void stz_limits_hint(const stz_key *key, double value, char *hint, size_t size);

#endif
