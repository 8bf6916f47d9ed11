// SPDX-License-Identifier: GPL-3.0-or-later
//
// Texts from outside, such as names of files, which may hold any bytes.
#ifndef STZ_BASE_UTF8_H
#define STZ_BASE_UTF8_H

// Length of the UTF-8 character at `text`, 0 if there is none.
int stz_utf8_length(const unsigned char *text);

// Makes a text one that a terminal shows as one line: control characters and what is no UTF-8 become "?".
void stz_make_line(char *text);

#endif
