// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/sweep: not installed.
//
// The little of JSON that the manifest needs. Local.
#ifndef STZ_SWEEP_JSON_H
#define STZ_SWEEP_JSON_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"

// Writes a text in quotes; bytes that are no UTF-8 become `?`.
void stz_json_text(FILE *out, const char *text);

// Writes a number, null for one that is not finite.
void stz_json_number(FILE *out, double value);

// The value of the member `name` in a line that is one object as this program writes it: where it begins; NULL if there
// is none. Only members of the object itself that stand before any nested one are sure to be found.
const char *stz_json_find(const char *line, const char *name);

// A copy of the text that begins at `value`, to be freed by stz_free. Fails with STZ_EIO if none begins there.
stz_err stz_json_copy(const char *value, char **text) STZ_MUST_USE;

// The whole number, from 0 on, that begins at `value`; -1 for what is none, NULL among it, or is far too large.
int stz_json_count(const char *value);

// Whether the text that begins at `value` is `word`.
bool stz_json_is(const char *value, const char *word);

#endif
