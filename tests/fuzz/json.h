// SPDX-License-Identifier: GPL-3.0-or-later
//
// Whether a text is one JSON value (RFC 8259), which is what readers of other languages demand.
#ifndef STZ_TESTS_FUZZ_JSON_H
#define STZ_TESTS_FUZZ_JSON_H

#include <stdbool.h>
#include <string.h>

#include "base/utf8.h"

static const char *json_value(const char *at, int depth);

static inline const char *json_blanks(const char *at) { return at + strspn(at, " \t\r\n"); }

static inline const char *json_string(const char *at) {
  for (at++; at && *at != '"';) {
    const int length = stz_utf8_length((const unsigned char *)at);
    if ((unsigned char)*at < 0x20 || length == 0) return NULL;
    if (*at != '\\') {
      at += length;
    } else if (at[1] == 'u') {
      at = strspn(at + 2, "0123456789abcdefABCDEF") >= 4 ? at + 6 : NULL;
    } else {
      at = at[1] && strchr("\"\\/bfnrt", at[1]) ? at + 2 : NULL;
    }
  }
  return at ? at + 1 : NULL;
}

static inline const char *json_number(const char *at) {
  at += *at == '-';
  const size_t whole = strspn(at, "0123456789");
  if (whole == 0 || (*at == '0' && whole > 1)) return NULL;
  at += whole;
  if (*at == '.') {
    const size_t digits = strspn(at + 1, "0123456789");
    if (digits == 0) return NULL;
    at += 1 + digits;
  }
  if (*at == 'e' || *at == 'E') {
    at += 1 + (at[1] == '+' || at[1] == '-');
    const size_t digits = strspn(at, "0123456789");
    if (digits == 0) return NULL;
    at += digits;
  }
  return at;
}

// The members of an object or the values of an array, closed by `end`.
static inline const char *json_members(const char *at, char end, int depth) {
  at = json_blanks(at + 1);
  if (*at == end) return at + 1;
  while (at) {
    if (end == '}') {
      at = *at == '"' ? json_string(at) : NULL;
      at = at && *json_blanks(at) == ':' ? json_blanks(json_blanks(at) + 1) : NULL;
    }
    at = at ? json_value(at, depth + 1) : NULL;
    if (!at) return NULL;
    at = json_blanks(at);
    if (*at == end) return at + 1;
    at = *at == ',' ? json_blanks(at + 1) : NULL;
  }
  return NULL;
}

// Behind the value that begins at `at`; NULL if none does.
static const char *json_value(const char *at, int depth) {
  static const char *const words[] = {"true", "false", "null"};
  if (depth > 100) return NULL;
  if (*at == '{' || *at == '[') return json_members(at, *at == '{' ? '}' : ']', depth);
  if (*at == '"') return json_string(at);
  for (int i = 0; i < 3; i++) {
    if (strncmp(at, words[i], strlen(words[i])) == 0) return at + strlen(words[i]);
  }
  return json_number(at);
}

static inline bool json_is_whole(const char *text) {
  const char *end = json_value(json_blanks(text), 0);
  return end && *json_blanks(end) == 0;
}

#endif
