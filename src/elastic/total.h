// SPDX-License-Identifier: GPL-3.0-or-later
//
// The stress of a whole field of strain by Fourier transform (full recompute), with the operator kept in a table, for
// engines that need it many times. In single precision, within 1e-5 of the stress's rms. One rank.
#ifndef STZ_ELASTIC_TOTAL_H
#define STZ_ELASTIC_TOTAL_H

#include "elastic/elastic.h"
#include "lattice/convolution.h"

typedef struct stz_total stz_total;

// An operator at the wave numbers m of the lattice, 0 <= m_i <= n_i/2, of which the deviator components count; those
// of odd parity are zero at the Nyquist wave numbers.
typedef void stz_operator(const void *context, const int m[3], double green[6][6]);

// An operator between layers at the wave numbers m along x and y, 0 <= m_i <= n_i/2: green[layer][source layer][c][d]
// as stz_plate_green gives it (plate.h). Several calls at the same time have different workers.
typedef void stz_layer_operator(void *context, const int m[2], int worker, double (*green)[6][5]);

// The elastic operator's, for a grid of one rank and its team; and any operator's, whose `team` may be NULL.
stz_err stz_total_create(const stz_grid *grid, const stz_elastic *elastic, stz_total **total) STZ_MUST_USE;
stz_err stz_total_create_of(stz_team *team, const int cells[3], stz_operator *op, const void *context,
                            stz_total **total) STZ_MUST_USE;
void stz_total_destroy(stz_total **total);

// Stress, deviator components, of the event strains that `strain` gives one component after the other; `put` receives
// each component of the result. Nothing may be posted to the team.
void stz_total_stress(stz_total *total, stz_give_rows *strain, stz_take_rows *put, void *context);

// Work space of five numbers per site, free between two calls of stz_total_stress.
float *stz_total_work(stz_total *total);

// Multiplies rows s of spectra, 5 components of `length` numbers, by rows k of a table of the operator, STZ_PAIRS of
// them. g: signs of the components under the reflections that bring the wave numbers into the octant.
void stz_total_multiply(const float *k, int length, const float g[5], float *const s[5]);

// Memory of the table and of the work space, bytes.
size_t stz_total_table_bytes(const stz_total *total);
size_t stz_total_work_bytes(const stz_total *total);

#endif
