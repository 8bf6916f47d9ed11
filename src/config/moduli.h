// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/config: not installed.
//
// What moduli that vary, and a box that follows the strain, ask of the rest of an input.
#ifndef STZ_CONFIG_MODULI_H
#define STZ_CONFIG_MODULI_H

#include <stddef.h>

#include "config/config.h"

// The path of the key that does not fit, with what it needs as text in `needs` and its segment, or -1, in *segment;
// NULL if all fit.
const char *stz_moduli_limits(const stz_config *config, int *segment, char *needs, size_t size);

#endif
