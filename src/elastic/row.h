// SPDX-License-Identifier: GPL-3.0-or-later
//
// One row of an event's stress from the kernel table: the hot part of elastic.c.
#ifndef STZ_ELASTIC_ROW_H
#define STZ_ELASTIC_ROW_H

enum { STZ_PAIRS = 15 }; // independent numbers of a symmetric 5 x 5 matrix

// `table`: STZ_PAIRS rows of `length` of the kernel's octant along z >= 0; length is nz/2 + 1 padded to a multiple of
// 8, and the padding goes on with the kernel's values beyond nz/2. e: the strain, g: signs of the outcome, both with
// those of the mirrors in x and y. Adds to stress[c][z], z = 0..nz-1, component c of the event at z0. nz is a multiple
// of 8, at most 512.
void stz_elastic_contract(const float *table, int length, const float e[5], const float g[5], int nz, int z0,
                          float *const stress[5]);

#endif
