// SPDX-License-Identifier: GPL-3.0-or-later
#include "observe/tally.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/comm.h"
#include "base/memory.h"
#include "observe/localisation.h"

// Sums of a plane: those of stz_participation_of, then those of stz_localisation_of.
struct stz_tally {
  const stz_grid *grid;
  const float *plastic[5];
  const uint32_t *events;
  double strain_unit, square_unit, fourth_unit; // of the integers: of strain, of its square s, and of s^2
  int width;                                    // sums of a plane
  int64_t *sums;                                // of this rank's planes
  double *planes, *profile;                     // work space: all planes, and stz_localisation_of's
};

stz_err stz_tally_create(const stz_grid *grid, const float *const plastic[5], const uint32_t *events, double unit,
                         stz_tally **tally) {
  const int *cells = stz_grid_cells(grid), width = STZ_PARTICIPATION_SUMS + stz_localisation_width(grid);
  stz_tally *t = NULL;
  *tally = NULL;
  stz_err err = STZ_NEW(t, 1);
  if (err == STZ_OK) err = STZ_NEW(t->sums, width * stz_grid_planes(grid));
  if (err == STZ_OK) err = STZ_NEW(t->planes, (size_t)width * (size_t)cells[0]);
  if (err == STZ_OK) err = STZ_NEW(t->profile, cells[0]);
  err = stz_agree(stz_grid_comm(grid), err);
  if (err != STZ_OK) {
    stz_tally_destroy(&t);
    return err;
  }
  t->grid = grid;
  for (int c = 0; c < 5; c++) t->plastic[c] = plastic[c];
  t->events = events;
  t->strain_unit = ldexp(unit, -30);
  t->square_unit = ldexp(unit * unit, -30);
  t->fourth_unit = ldexp(unit * unit * unit * unit, -20);
  t->width = width;
  stz_tally_count(t);
  *tally = t;
  return STZ_OK;
}

void stz_tally_destroy(stz_tally **tally) {
  if (!*tally) return;
  stz_free((*tally)->sums);
  stz_free((*tally)->planes);
  stz_free((*tally)->profile);
  stz_free(*tally);
  *tally = NULL;
}

// Adds what a local site makes of the sums, or takes it off.
static void add_site(stz_tally *t, int64_t local, int sign) {
  const int *cells = stz_grid_cells(t->grid);
  const int64_t row = local / cells[2], plane = row / cells[1];
  int64_t *sums = t->sums + plane * t->width, *lines = sums + STZ_PARTICIPATION_SUMS;
  double square = 0.0;
  for (int c = 0; c < 5; c++) square += (double)t->plastic[c][local] * (double)t->plastic[c][local];
  sums[0] += sign * llrint(square / t->square_unit);
  sums[1] += sign * llrint(square * square / t->fourth_unit);
  sums[2] += sign * (t->events[local] > 0);
  const double strain = (double)t->plastic[3][local] / sqrt(2.0) - (double)t->plastic[4][local] / sqrt(6.0);
  const int64_t whole = llrint(strain / t->strain_unit);
  lines[row % cells[1]] += sign * whole;
  lines[cells[1] + local % cells[2]] += sign * whole;
  lines[cells[1] + cells[2]] += sign * (whole < 0 ? -whole : whole);
}

void stz_tally_count(stz_tally *tally) {
  memset(tally->sums, 0, (size_t)(tally->width * stz_grid_planes(tally->grid)) * sizeof *tally->sums);
  for (int64_t i = 0; i < stz_grid_local_sites(tally->grid); i++) add_site(tally, i, 1);
}

void stz_tally_before(stz_tally *tally, int64_t site) {
  const int64_t local = stz_grid_local(tally->grid, site);
  if (local >= 0) add_site(tally, local, -1);
}

void stz_tally_after(stz_tally *tally, int64_t site) {
  const int64_t local = stz_grid_local(tally->grid, site);
  if (local >= 0) add_site(tally, local, 1);
}

void stz_tally_look(stz_tally *t, stz_participation *participation, double *localisation) {
  const int planes = stz_grid_cells(t->grid)[0], own = t->width * stz_grid_planes(t->grid);
  double sums[STZ_PARTICIPATION_SUMS] = {0},
         *mine = t->planes + (size_t)t->width * (size_t)stz_grid_first_plane(t->grid);
  for (int i = 0; i < own; i++) mine[i] = (double)t->sums[i];
  stz_grid_gather_planes(t->grid, t->planes, t->width);
  for (int x = 0; x < planes; x++) {
    for (int k = 0; k < STZ_PARTICIPATION_SUMS; k++) sums[k] += t->planes[(size_t)x * (size_t)t->width + (size_t)k];
  }
  sums[0] *= t->square_unit;
  sums[1] *= t->fourth_unit;
  *participation = stz_participation_of(sums, (double)stz_grid_sites(t->grid));
  *localisation = stz_localisation_of(t->grid, t->planes + STZ_PARTICIPATION_SUMS, t->width, t->profile);
}
