// SPDX-License-Identifier: GPL-3.0-or-later
//
// One row of an event's stress from the kernel table: the hot part of elastic.c.
#ifndef STZ_ELASTIC_ROW_H
#define STZ_ELASTIC_ROW_H

enum { STZ_PAIRS = 15 }; // independent numbers of a symmetric 5 x 5 matrix

// `table`: STZ_PAIRS rows of `length` (nz/2 + 1, padded to a multiple of 8) of the kernel's octant along z >= 0.
// f[5 c + d]: component d of the strain with the signs that the mirrors in x and y give the pair (c, d). `row`: the
// stress at z = 0..nz-1, component c in row[c * nz + z].
void stz_elastic_contract(const float *table, int length, const float f[25], int nz, float *row);

#endif
