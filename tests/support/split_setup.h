// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the tests of the split kernel share: a box with its operator in parts, and the field of events by these parts.
#ifndef STZ_TESTS_SUPPORT_SPLIT_SETUP_H
#define STZ_TESTS_SUPPORT_SPLIT_SETUP_H

#include "base/memory.h"
#include "elastic/far.h"
#include "elastic/near.h"

typedef struct split_setup {
  stz_grid *grid;
  stz_elastic *elastic;
  stz_split *split;
} split_setup;

typedef struct split_field {
  stz_far *far;
  stz_near *near;
  stz_row8 *rows8;
} split_field;

// `stretch`: logarithmic, of the axes; `strain`: of an event, by its norm.
static inline void open_split(split_setup *s, const stz_lattice_params *lattice, double young_GPa, double volume_nm3,
                              const double stretch[3], double strain) {
  const stz_elastic_params elastic = {.young_GPa = young_GPa, .poisson = 0.4};
  assert_int_equal(stz_grid_create(MPI_COMM_SELF, lattice, &s->grid), STZ_OK);
  assert_int_equal(stz_elastic_create(s->grid, &elastic, volume_nm3, &s->elastic), STZ_OK);
  if (lattice->boundary != STZ_BOUNDARY_FILM) assert_int_equal(stz_elastic_stretch(s->elastic, stretch), STZ_OK);
  assert_int_equal(stz_split_create(s->grid, s->elastic, strain, &s->split), STZ_OK);
}

static inline void close_split(split_setup *s) {
  stz_split_destroy(&s->split);
  stz_elastic_destroy(&s->elastic);
  stz_grid_destroy(&s->grid);
}

static inline void open_split_field(const split_setup *s, split_field *f) {
  assert_int_equal(stz_far_create(NULL, s->split, s->elastic, &f->far), STZ_OK);
  assert_int_equal(stz_near_create(s->split, &f->near), STZ_OK);
  assert_int_equal(STZ_NEW(f->rows8, stz_grid_sites(s->grid) / 8), STZ_OK);
}

static inline void close_split_field(split_field *f) {
  stz_free(f->rows8);
  stz_near_destroy(&f->near);
  stz_far_destroy(&f->far);
}

#endif
