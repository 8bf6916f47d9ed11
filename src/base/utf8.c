// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/utf8.h"

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

void stz_make_line(char *text) {
  for (unsigned char *c = (unsigned char *)text; *c;) {
    const int length = stz_utf8_length(c);
    if (length == 0 || *c < ' ' || *c == 127) *c = '?';
    c += length > 0 ? length : 1;
  }
}
