// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/elastic: not installed.
//
// Smooth functions of the wave number, read off a table: what depends on the length of a wave vector alone is made at
// some two hundred lengths, not at each of ten thousands of vectors. Polynomials through STZ_WAVE_POINTS neighbours in
// ln k; of the plate's functions (plate.h) they miss less than 1e-12 of the largest, as the test unit_plate holds.
#ifndef STZ_ELASTIC_WAVE_TABLE_H
#define STZ_ELASTIC_WAVE_TABLE_H

#include "base/error.h"
#include "base/team.h"

enum { STZ_WAVE_POINTS = 12 };

typedef struct stz_wave_table stz_wave_table;

// The functions at the wave number k, `size` numbers; `worker` of the team names scratch memory.
typedef void stz_wave_give(void *context, double k, int worker, double *numbers);

// Of `size` functions for least <= k <= most; `give` is also asked for wave numbers a quarter below and above. Local.
stz_err stz_wave_table_create(stz_team *team, double least, double most, int size, stz_wave_give *give, void *context,
                              stz_wave_table **table) STZ_MUST_USE;
void stz_wave_table_destroy(stz_wave_table **table);

// The functions `first` to first + count - 1 at k.
void stz_wave_table_read(const stz_wave_table *table, double k, int first, int count, double *numbers);

#endif
