// SPDX-License-Identifier: GPL-3.0-or-later
//
// A text that is printed into a stream. That of open_memstream is cut off without a word where glibc finds no memory
// for its growth: neither the stream's error nor fclose tells.
#ifndef STZ_BASE_TEXT_H
#define STZ_BASE_TEXT_H

#include <stdio.h>

#include "base/error.h"

typedef struct stz_text stz_text;

// Begins a text; `out` takes it. Fails with STZ_EINTERNAL when memory is out.
stz_err stz_text_begin(stz_text **text, FILE **out) STZ_MUST_USE;

// Ends it and closes its stream, after success and failure alike; NULL is allowed, then there was none. `printed`
// (free it with stz_free) is the whole of it, closed by 0, or NULL: where `err`, of whoever printed, is a failure,
// which is returned as it is, and where memory was out.
stz_err stz_text_end(stz_text **text, stz_err err, char **printed) STZ_MUST_USE;

#endif
