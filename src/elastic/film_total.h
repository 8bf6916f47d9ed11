// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/elastic and the engines.
//
// As total.h, of a film: fields are transformed along x and y; at each wave number the layers have an operator of their
// own, that of the plate (plate.h). In a thin film it is a matrix of all layers (probes.h); in others an infinite body,
// which is repeated along z (body.h), and what the faces of the plate add to it (probes.h). One rank.
#ifndef STZ_ELASTIC_FILM_TOTAL_H
#define STZ_ELASTIC_FILM_TOTAL_H

#include "elastic/total.h"

typedef struct stz_film_total stz_film_total;

// For a grid of one rank, which is a film, and its team.
stz_err stz_film_total_create(const stz_grid *grid, const stz_elastic *elastic, stz_film_total **total) STZ_MUST_USE;
// Of an operator on nodes: see stz_probes_create_of. cells[2] is a multiple of 8.
stz_err stz_film_total_create_of(stz_team *team, const int cells[3], int kept, stz_layer_operator *green, void *context,
                                 stz_film_total **total) STZ_MUST_USE;
void stz_film_total_destroy(stz_film_total **total);

// As stz_total_stress and the others of total.h.
void stz_film_total_stress(stz_film_total *total, stz_give_rows *strain, stz_take_rows *put, void *context);
float *stz_film_total_work(stz_film_total *total);
size_t stz_film_total_table_bytes(const stz_film_total *total);
size_t stz_film_total_work_bytes(const stz_film_total *total);

#endif
