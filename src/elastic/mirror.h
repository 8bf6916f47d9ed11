// SPDX-License-Identifier: GPL-3.0-or-later
//
// The near part of the images of an event in the surfaces of a film (images.h), added to rows of 8 sites (near.h): for
// events and sites whose mirror images are within STZ_IMAGE_NEAR voxels. Tables hold the upper halves of floats.
#ifndef STZ_ELASTIC_MIRROR_H
#define STZ_ELASTIC_MIRROR_H

#include "elastic/near.h"

struct stz_images;
typedef struct stz_mirror stz_mirror;

// Serial. `split` must outlive it.
stz_err stz_mirror_create(const stz_split *split, const struct stz_images *images, stz_mirror **mirror) STZ_MUST_USE;
void stz_mirror_destroy(stz_mirror **mirror);
size_t stz_mirror_bytes(const stz_mirror *mirror);

// As stz_near_add, before it: lists the rows with a slack below zero that stz_near_add does not list.
int stz_mirror_add(stz_mirror *mirror, const int origin[3], const float e[5], float scale, stz_row8 *rows8,
                   stz_exhausted **exhausted);

// Adds the sums over all sites that an event in the layer adds to, [5 c + d].
void stz_mirror_sums(const stz_mirror *mirror, int layer, double sums[25]);

#endif
