// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/config: not installed.
//
// What the segments of a protocol need, each by itself and after those before it.
#ifndef STZ_CONFIG_PROTOCOL_H
#define STZ_CONFIG_PROTOCOL_H

#include "config/builder.h"

// Takes the keys that a segment's type does not have out of it. Fails with STZ_EINPUT and a message that names the key.
stz_err stz_protocol_check(stz_config_builder *builder) STZ_MUST_USE;

#endif
