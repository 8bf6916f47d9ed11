// SPDX-License-Identifier: GPL-3.0-or-later
//
// The stress of a whole field of strain by Fourier transform, with the operator kept in a table: for engines that need
// it again and again. Serial: the grid has one rank.
#ifndef STZ_ELASTIC_TOTAL_H
#define STZ_ELASTIC_TOTAL_H

#include <stdbool.h>

#include "elastic/elastic.h"

typedef struct stz_total stz_total;

stz_err stz_total_create(const stz_grid *grid, const stz_elastic *elastic, stz_total **total) STZ_MUST_USE;
void stz_total_destroy(stz_total **total);

// Stress, deviator components, of the event strains that `strain` gives one component after the other (a number a
// site); `put` receives each component of the result.
void stz_total_stress(stz_total *total, void (*strain)(void *context, int c, double *field),
                      void (*put)(void *context, int c, const double *field), void *context);

// Memory of the table, and of the fields and spectra that are worked on.
size_t stz_total_table_bytes(const stz_total *total);
size_t stz_total_work_bytes(const stz_total *total);

#endif
