// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/elastic: not installed.
//
// An infinite body that is repeated along z, between the layers of a film, at each wave number along x and y: a
// convolution along z. Single precision; one rank.
#ifndef STZ_ELASTIC_BODY_H
#define STZ_ELASTIC_BODY_H

#include "elastic/elastic.h"

typedef struct stz_body stz_body;

// For a film of `cells`, by the operator `op` of a box of `period` voxels along z, a multiple of 8, in its place. `op`
// is needed until it returns.
stz_err stz_body_create(stz_team *team, const int cells[3], int period, const stz_elastic *op,
                        stz_body **body) STZ_MUST_USE;
void stz_body_destroy(stz_body **body);

// As stz_probes_add (probes.h), but sets `out`.
void stz_body_set(const stz_body *body, int x, int y, bool mirrored, const float *in, float *work, float *out);

size_t stz_body_work(const stz_body *body);
size_t stz_body_bytes(const stz_body *body); // of the table

#endif
