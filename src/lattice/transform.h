// SPDX-License-Identifier: GPL-3.0-or-later
//
// Fourier transforms of whole fields in single precision and in place, for engines that hold the whole lattice and do
// them again and again: planes (y, z), then lines along x, so that a team can share them. One rank; the same bits in
// every run, whatever the team.
//
// A field is nx ny rows of `stz_transform_row` floats, nz of them in use; its spectrum has the same rows of nz/2 + 1
// complex numbers, real and imaginary parts in turns, rows in the order of the wave numbers 0, 1, ..., -1.
#ifndef STZ_LATTICE_TRANSFORM_H
#define STZ_LATTICE_TRANSFORM_H

#include <stddef.h>

#include "base/error.h"
#include "base/team.h"

typedef struct stz_transform stz_transform;

// Plans for fields like `field`, which must be aligned as STZ_NEW does and is overwritten. `team` may be NULL.
stz_err stz_transform_create(stz_team *team, const int cells[3], float *field, stz_transform **transform) STZ_MUST_USE;

// The same along x and y alone, for fields of nx ny rows of nz floats (nz a multiple of 8): two layers that follow each
// other, 2j and 2j + 1, are the real and the imaginary part of one transform.
stz_err stz_transform_create_layers(stz_team *team, const int cells[3], float *field,
                                    stz_transform **transform) STZ_MUST_USE;
void stz_transform_destroy(stz_transform **transform);

int stz_transform_row(const int cells[3]); // floats of a row: 2 (nz/2 + 1)

// F(m) = sum_x f(x) exp(-2 pi i m.x/n), and f(x) = sum_m F(m) exp(+...), without 1/N.
void stz_transform_forward(const stz_transform *transform, float *field);
void stz_transform_inverse(const stz_transform *transform, float *field);

// Lines of `length` complex numbers, `count` of them one after the other, in place: forward and back, without
// 1/length. Made for lines that are aligned as `field`, which is overwritten. Local.
typedef struct stz_lines stz_lines;
stz_err stz_lines_create(int length, int count, float *field, stz_lines **lines) STZ_MUST_USE;
void stz_lines_destroy(stz_lines **lines);
void stz_lines_forward(const stz_lines *lines, float *field);
void stz_lines_inverse(const stz_lines *lines, float *field);

#endif
