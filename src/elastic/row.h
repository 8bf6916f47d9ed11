// SPDX-License-Identifier: GPL-3.0-or-later
//
// The stress of one event along rows of sites, from the kernel table: the hot part of elastic.c.
#ifndef STZ_ELASTIC_ROW_H
#define STZ_ELASTIC_ROW_H

#include <stddef.h>

enum { STZ_PAIRS = 15, STZ_ROW_MARGIN = 8 }; // independent numbers of a symmetric 5 x 5 matrix; sites repeated

// `table`: STZ_PAIRS rows of `length` of the kernel's octant along z >= 0; length is nz/2 + 1 padded to a multiple of
// 8, and the padding goes on with the kernel's values beyond nz/2. e: the strain, g: signs of the outcome, both with
// those of the mirrors in x and y. Component c of the stress of an event at z = 0 goes to row[c * stride + z], z =
// 0..nz-1, and its first STZ_ROW_MARGIN sites again to what follows. nz is a multiple of 8.
void stz_elastic_contract(const float *table, int length, const float e[5], const float g[5], int nz, float *row,
                          size_t stride);

// Adds such a row, of one component, to s[0..nz-1], for an event at z0.
void stz_elastic_add_turned(const float *row, int nz, int z0, float *s);

#endif
