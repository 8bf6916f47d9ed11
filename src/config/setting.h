// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/config: not installed.
//
// A value in a tree of libconfig's.
#ifndef STZ_CONFIG_SETTING_H
#define STZ_CONFIG_SETTING_H

#include <libconfig.h>
#include <stdbool.h>

// The number that a setting holds; false if it holds another thing. A finite number is also taken from an integer.
bool stz_setting_integer(const config_setting_t *setting, long long *value);
bool stz_setting_number(const config_setting_t *setting, double *value);

// How a message shows a setting.
void stz_setting_show(const config_setting_t *setting, char text[80]);

#endif
