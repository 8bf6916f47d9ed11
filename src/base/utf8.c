// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/utf8.h"

#include <stdbool.h>
#include <string.h>

int stz_utf8_length(const unsigned char *text) {
  const int length = text[0] < 0x80 ? 1 : text[0] >= 0xf0 && text[0] < 0xf5 ? 4 : text[0] >= 0xe0 ? 3 : 2;
  if (text[0] >= 0x80 && (text[0] < 0xc2 || text[0] >= 0xf5)) return 0;
  for (int i = 1; i < length; i++) {
    if ((text[i] & 0xc0) != 0x80) return 0;
  }
  if ((text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] >= 0xa0)) return 0; // overlong, surrogate
  if ((text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] >= 0x90)) return 0; // overlong, too large
  return length;
}

// Whether a character of `length` bytes, or what is none, would do more on a terminal than stand there: C0 and C1
// controls, separators of lines and paragraphs.
static bool is_control(const unsigned char *c, int length) {
  return length == 0 || *c < ' ' || *c == 127 || (length == 2 && c[0] == 0xc2 && c[1] < 0xa0) ||
         (length == 3 && c[0] == 0xe2 && c[1] == 0x80 && (c[2] == 0xa8 || c[2] == 0xa9));
}

void stz_make_lines(char *text) {
  unsigned char *to = (unsigned char *)text;
  for (const unsigned char *c = to; *c;) {
    const int length = stz_utf8_length(c), step = length > 0 ? length : 1;
    if (*c != '\n' && is_control(c, length)) {
      *to++ = '?';
    } else {
      memmove(to, c, (size_t)step);
      to += step;
    }
    c += step;
  }
  *to = 0;
}

void stz_make_line(char *text) {
  for (char *c = text; *c; c++) {
    if (*c == '\n') *c = '?';
  }
  stz_make_lines(text);
}
