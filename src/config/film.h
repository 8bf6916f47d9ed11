// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/config: not installed.
//
// What a film with free surfaces allows.
#ifndef STZ_CONFIG_FILM_H
#define STZ_CONFIG_FILM_H

#include <stddef.h>

#include "config/config.h"

enum { STZ_PERIODIC_LEAST = 16, STZ_FILM_WIDTHS = 7 }; // voxels of a periodic axis; thickness over the width of an STZ

// The key that breaks a rule of the boundary, its segment or -1, and what it needs; NULL if there is none.
const char *stz_film_limits(const stz_config *config, int *segment, char *needs, size_t size);

#endif
