// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/config: not installed.
//
// What an input that breaks a rule is told.
#ifndef STZ_CONFIG_VIOLATION_H
#define STZ_CONFIG_VIOLATION_H

#include "config/builder.h"

enum { STZ_PLACE_SIZE = 1024 };

// Where a key of `segment` (-1: none) is set, as messages begin: "in.cfg:7: protocol[0].rate_per_s". Of a key that is
// not there: the line on which its group begins.
void stz_key_place(const stz_config_builder *builder, const stz_key *key, int segment, char place[STZ_PLACE_SIZE]);

// Fails with "where: path: got VALUE, needs ..." for a key of `segment` (-1: none); the format says what is needed.
// `pattern`: the key's path, with "protocol[]." for a segment.
stz_err stz_violated(const stz_config_builder *builder, int segment, const char *pattern, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

// Whether that key has a value.
bool stz_is_given(const stz_config_builder *builder, int segment, const char *pattern);

#endif
