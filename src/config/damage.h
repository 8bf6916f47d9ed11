// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/config: not installed.
//
// What damage at the start allows.
#ifndef STZ_CONFIG_DAMAGE_H
#define STZ_CONFIG_DAMAGE_H

#include <stddef.h>

#include "config/config.h"

// The key of `barriers` that breaks a rule, and what it needs (out, `size` bytes); NULL if there is none.
const char *stz_damage_limits(const stz_config *config, char *needs, size_t size);

#endif
