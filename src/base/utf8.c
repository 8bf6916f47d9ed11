// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/utf8.h"

#include <stdbool.h>
#include <stdint.h>
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

// The number of a character of `length` bytes.
static uint32_t code_of(const unsigned char *c, int length) {
  uint32_t code = length == 1 ? *c : *c & (0x7fu >> length);
  for (int i = 1; i < length; i++) code = code << 6 | (c[i] & 0x3f);
  return code;
}

// Whether a character of `length` bytes, or what is none, would do more on a terminal than stand there: C0 and C1
// controls, separators of lines and paragraphs, and marks that are not seen and turn the text beside them (Unicode's
// category Cf).
static bool is_control(const unsigned char *c, int length) {
  static const uint32_t ranges[][2] = {{0, 0x1f},        {0x7f, 0x9f},     {0xad, 0xad},      {0x61c, 0x61c},
                                       {0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e},  {0x2060, 0x206f},
                                       {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f}};
  if (length == 0) return true;
  const uint32_t code = code_of(c, length);
  bool any = false;
  for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) any |= code >= ranges[i][0] && code <= ranges[i][1];
  return any;
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
