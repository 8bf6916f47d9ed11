// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/elastic: not installed.
//
// The plate's operator (plate.h) on the sites of a film: the kernel table of one event, and the stress of a whole
// field.
//
// The table holds, on a mirror quadrant of offsets along x and y, for each layer of the event a row of layers for each
// of the 25 pairs of components: no two layers are alike.
#ifndef STZ_ELASTIC_FILM_H
#define STZ_ELASTIC_FILM_H

#include "elastic/params.h"
#include "elastic/plate.h"
#include "lattice/grid.h"

typedef struct stz_film stz_film;

stz_err stz_film_create(const stz_grid *grid, const stz_plate_params *params, stz_film **film) STZ_MUST_USE; // local
void stz_film_destroy(stz_film **film);

// Fills the table with the team of the grid. Local, not collective.
stz_err stz_film_fill(const stz_film *film, float *table) STZ_MUST_USE;

// Adds the stress of an event with strain e in layer `layer` to a row of layers at the offset (dx, dy), |dx| <= nx/2,
// |dy| <= ny/2: component c at stress[c] + at.
void stz_film_add_row(const stz_film *film, const float *table, int dx, int dy, int layer, const float e[5],
                      float *const stress[5], int at);

// As stz_elastic_stress. Collective.
stz_err stz_film_stress(const stz_film *film, const double *const strain[5], double *const stress[6]) STZ_MUST_USE;

#endif
