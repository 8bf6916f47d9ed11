// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/config: not installed.
//
// The words of an input, and what is wrong with one that libconfig calls a syntax error.
#ifndef STZ_CONFIG_SYNTAX_H
#define STZ_CONFIG_SYNTAX_H

#include <stdbool.h>
#include <stddef.h>

// Where the comment or text in quotes, the name, or the number that begins at `at` ends (behind its last character);
// `at` itself if none begins there. *integer tells which kind a number is.
const char *stz_skip_opaque(const char *at);
const char *stz_skip_name(const char *at);
const char *stz_skip_number(const char *at, bool *integer);

// Explains the first error of grammar: "found `)` behind a comma, needs ...", and its line; false if it finds none.
bool stz_syntax_explain(const char *text, int *line, char *told, size_t size);

// Names the key of this line that its group has already, and the line where; false if there is none.
bool stz_syntax_duplicate(const char *text, int line, char *told, size_t size);

#endif
