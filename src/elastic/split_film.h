// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/elastic: not installed.
#ifndef STZ_ELASTIC_SPLIT_FILM_H
#define STZ_ELASTIC_SPLIT_FILM_H

#include "elastic/images.h"
#include "elastic/split.h"

// What a film has beside levels and near tables: near and coarse images, sums, self-stress. `box`: the operator of the
// periodic box.
stz_err stz_split_film(stz_split *split, const stz_elastic *film, const stz_elastic *box,
                       const stz_images *images) STZ_MUST_USE;

#endif
