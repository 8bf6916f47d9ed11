// SPDX-License-Identifier: GPL-3.0-or-later
//
// How alike two words are, to guess what was meant.
#ifndef STZ_BASE_EDIT_H
#define STZ_BASE_EDIT_H

// Levenshtein's edit distance of two texts: the fewest insertions, deletions and exchanges of a byte that make one the
// other. `b` is shorter than 256 bytes.
int stz_edit_distance(const char *a, const char *b);

#endif
