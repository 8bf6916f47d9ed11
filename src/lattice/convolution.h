// SPDX-License-Identifier: GPL-3.0-or-later
//
// Fields of five components that go through Fourier space and come back changed, in single precision and in place: what
// stress follows from what strain. One rank; a team shares the work, of a small field by components, of a large one by
// planes and rows, with the same bits.
#ifndef STZ_LATTICE_CONVOLUTION_H
#define STZ_LATTICE_CONVOLUTION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/team.h"

// Rows (x, y) first <= i < end of a field of component c, row i at field + i row, nz numbers of it in use: to be given,
// or received. Several calls at the same time have different rows, or components.
typedef void stz_give_rows(void *context, int c, int64_t first, int64_t end, int row, float *field);
typedef void stz_take_rows(void *context, int c, int64_t first, int64_t end, int row, const float *field);

typedef struct stz_convolution stz_convolution;

// `layers`: transforms along x and y alone (stz_transform_create_layers), else along all axes. `team` may be NULL.
stz_err stz_convolution_create(stz_team *team, const int cells[3], bool layers,
                               stz_convolution **convolution) STZ_MUST_USE;
void stz_convolution_destroy(stz_convolution **convolution);

// Work space of component c, free between two calls of stz_convolution_run; components lie one after the other.
float *stz_convolution_field(const stz_convolution *convolution, int c);
int stz_convolution_row(const stz_convolution *convolution); // its floats per row
size_t stz_convolution_bytes(const stz_convolution *convolution);

// Has all components given, transforms them, has `change` change the spectra in the fields at the items 0 to
// items - 1 (wave vectors, or rows of them), transforms back, and has the result taken. Nothing may be posted to the
// team.
typedef struct stz_convolution_step {
  stz_give_rows *give;
  stz_take_rows *take;
  void *context; // of both
  stz_team_task *change;
  void *changing; // its context
  int64_t items;
} stz_convolution_step;
void stz_convolution_run(const stz_convolution *convolution, const stz_convolution_step *step);

#endif
