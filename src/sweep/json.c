// SPDX-License-Identifier: GPL-3.0-or-later
#include "sweep/json.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"

void stz_json_text(FILE *out, const char *text) {
  fputc('"', out);
  for (const unsigned char *c = (const unsigned char *)text; *c;) {
    const int length = stz_utf8_length(c);
    if (*c == '"' || *c == '\\') {
      fprintf(out, "\\%c", *c);
    } else if (*c == '\n') {
      fputs("\\n", out);
    } else if (*c < 0x20) {
      fprintf(out, "\\u%04x", *c);
    } else if (length == 0) {
      fputc('?', out);
    } else {
      fwrite(c, 1, (size_t)length, out);
    }
    c += length > 0 ? length : 1;
  }
  fputc('"', out);
}

void stz_json_number(FILE *out, double value) {
  if (isfinite(value)) {
    fprintf(out, "%.10g", value);
  } else {
    fputs("null", out);
  }
}

const char *stz_json_find(const char *line, const char *name) {
  char member[64];
  // Within a text the quotes would be escaped, so this is found nowhere else.
  const int length = snprintf(member, sizeof member, "\"%s\":", name);
  const char *found = strstr(line, member);
  return found ? found + length : NULL;
}

stz_err stz_json_copy(const char *value, char **text) {
  *text = NULL;
  if (!value || *value != '"') return stz_fail(STZ_EIO, "no text");
  STZ_TRY(STZ_NEW(*text, strlen(value)));
  char *to = *text;
  for (const char *c = value + 1; *c && *c != '"'; c++) {
    if (*c == '\\' && c[1] == 'u') {
      char digits[5] = "";
      memcpy(digits, c + 2, strnlen(c + 2, 4));
      *to++ = (char)strtol(digits, NULL, 16);
      c += 1 + strlen(digits);
    } else if (*c == '\\' && c[1]) {
      c++;
      *to++ = *c == 'n' ? '\n' : *c;
    } else {
      *to++ = *c;
    }
  }
  return STZ_OK;
}

int stz_json_count(const char *value) {
  char *end;
  const long count = value ? strtol(value, &end, 10) : -1;
  return value && end > value && count >= 0 && count < INT_MAX ? (int)count : -1;
}

bool stz_json_is(const char *value, const char *word) {
  const size_t length = strlen(word);
  return value && value[0] == '"' && strncmp(value + 1, word, length) == 0 && value[length + 1] == '"';
}
