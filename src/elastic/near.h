// SPDX-License-Identifier: GPL-3.0-or-later
//
// The near part of an event's stress (split.h), added to records in blocks of 8 x 8 x 8 sites.
//
// A piece is a row of 8 sites along z: STZ_PIECE floats, the 5 stress components, a sixth number, and two of the
// caller's own that are not touched here, 8 of each. Piece
// (block, row) is number 64 block + row, row = 8 (x mod 8) + (y mod 8), block = (x/8 by + y/8) bz + z/8.
#ifndef STZ_ELASTIC_NEAR_H
#define STZ_ELASTIC_NEAR_H

#include <stdint.h>

#include "elastic/split.h"

enum { STZ_PIECE = 64, STZ_BLOCK_PIECES = 64, STZ_NEAR_PIECES = 3 * 225 + 1 };

// A piece some of whose sixth numbers have fallen below zero: bit l of `lanes` for site l. Its first site lies at
// `offset` from the event.
typedef struct stz_spent {
  int32_t piece;
  uint8_t lanes;
  int8_t offset[3];
} stz_spent;

// Adds what an event with the strain deviator e at `origin` makes of the near part, and takes `scale` times the norm of
// its whole stress change off the sixth numbers. Lists the pieces about the event with a sixth number below zero (room
// for STZ_NEAR_PIECES); returns their count.
int stz_near_add(const stz_split *split, const int origin[3], const float e[5], float scale, float *records,
                 stz_spent *spent);

#endif
