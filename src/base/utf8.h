// SPDX-License-Identifier: GPL-3.0-or-later
//
// Texts from outside, such as names of files, which may hold any bytes.
#ifndef STZ_BASE_UTF8_H
#define STZ_BASE_UTF8_H

// Length of the UTF-8 character at `text`, 0 if there is none.
int stz_utf8_length(const unsigned char *text);

// Replaces control characters, separators of lines, marks that are not seen (as those that turn the direction of what
// follows) and bytes that are no UTF-8 by "?", so that a terminal shows `text` (in and out), which does not become
// longer, as one line; stz_make_lines leaves ends of lines.
void stz_make_line(char *text);
void stz_make_lines(char *text);

#endif
