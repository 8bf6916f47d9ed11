// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the tests of moduli that vary share: the exact stress of a sample.
#ifndef STZ_TESTS_EXACT_STRESS_H
#define STZ_TESTS_EXACT_STRESS_H

#include "kmc_setup.h"

// The driving stress of all sites without the load's, exact, from the strain of all events.
static inline void exact_stress(const kmc_setup *s, double *const stress[6]) {
  const int64_t sites = stz_grid_sites(s->grid);
  for (int c = 0; c < 5; c++) {
    for (int64_t i = 0; i < sites; i++)
      stz_contrast_events(s->contrast, c)[i] = (double)stz_glass_plastic(s->glass, c)[i];
  }
  CHECK_OK(stz_contrast_whole(s->contrast, stress));
}

#endif
