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

// What a site needs to have its driving stress: D, and (B - 1) times a unit of one component of the mean stress in
// whole numbers of a unit, the components 2 j and 2 j + 1 in the lower and the upper half of word j: shifts of words
// are fast where 16-bit lanes are not. Side by side, since single sites are asked for, and each line that is not in the
// cache counts.
typedef struct stz_answer {
  _Alignas(16) float dress;
  uint32_t pairs[3];
} stz_answer;

// B - 1 of the sites of this rank, in steps: [row of 8 sites][column][component][8], 60 bytes per site. Where one
// component of the mean stress is not 0, as in tension and shear, the sites' answers to it are kept.
struct stz_contrast {
  const stz_grid *grid;
  struct stz_solving *solving; // what exact fields need; NULL: not kept
  int terms;                   // of their series
  double scale;                // of the moduli
  double effective, most_dress, most_load, most_press;
  int16_t *load;
  int aimed; // component of the mean stress that `answers` are for; -1: none yet
  float unit;
  stz_answer *answers;
  int64_t seen; // row of the box, of 8 sites, that was looked at; -1: none
  int16_t seen_load[STZ_PACK];
  float seen_dress[8];
};

// Fills D and B - 1 of all sites (out) and what belongs to the whole of `k`, from the structure g of all sites. Local.
stz_err stz_contrast_solve(stz_contrast *k, const stz_elastic *elastic, const stz_elastic_params *params,
                           const float *g, float *dress, int16_t *load) STZ_MUST_USE;

void stz_contrast_release(stz_contrast *k); // what is kept for exact fields

#endif
