// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/elastic: not installed.
//
// What the files of the contrast share: contrast.c applies it, contrast_solve.c finds it.
#ifndef STZ_ELASTIC_CONTRAST_SOLVE_H
#define STZ_ELASTIC_CONTRAST_SOLVE_H

#include <stdint.h>

#include "elastic/contrast.h"

enum { STZ_COLUMNS = 6, STZ_PACK = 8 * 5 * STZ_COLUMNS }; // of B: five deviators and the pressure; of a row of 8 sites
#define STZ_LOAD_STEP (1.0 / 32768)                       // of the stored B - 1

// What a row of 8 sites needs to have its driving stress: D, and B times a mean stress.
typedef struct stz_answer {
  float dress[8], s[5][8];
} stz_answer;

// dress: of each site; load: B - 1 in steps, [row of 8][column][component][8]. The load of all sites is some 60 bytes
// each; where one component of the mean stress is not 0, as in tension and shear, the answers to it are kept.
struct stz_contrast {
  const stz_grid *grid;
  struct stz_solving *solving; // what exact fields need; NULL: not kept
  int terms;                   // of their series
  double scale;                // of the moduli
  double effective, most_dress, most_load, most_press;
  float *dress;
  int16_t *load;
  int aimed;        // component of the mean stress
  stz_answer *kept; // the local sites' answers to a unit of it, by rows of 8
};

// Fills dress, load and effective, of all sites, from the structure g of all sites. Local.
stz_err stz_contrast_solve(stz_contrast *k, const stz_elastic *elastic, const stz_elastic_params *params,
                           const float *g) STZ_MUST_USE;

void stz_contrast_release(stz_contrast *k); // what is kept for exact fields

#endif
