// SPDX-License-Identifier: GPL-3.0-or-later
//
// The kernel of one event (the Green's function with the event's shape) in parts of finite range: kernel splitting, as
// in multilevel summation. For engines that do not evaluate every site at every event.
//
//   K = near + level 1 + level 2 + coarse.
// With g_l windows of unit mass and radius R_l = 9.2 2^(l-1) voxels, the smooth part of range beyond R_l is the bare
// operator times g_l, and level l carries g_l - g_(l+1) on nodes of spacing 2^l, from which cubic B-splines
// interpolate. A window (1 - (r/R)^2)^5 (alpha + beta r^2) has the second moment of the event's own shape: since the
// elastic kernel is homogeneous of degree 0 in k, two eigenstrains of equal mass and second moment have the same field
// outside their support but for terms of fourth order, so that each part has a finite range (the idea of multilevel
// summation, R. D. Skeel, I. Tezcan, D. J. Hardy, J. Comput. Chem. 23, 673, 2002, for this kernel). near =
// full kernel minus the interpolated level-1 kernel, tabulated per parity of the source; it reaches over 8 voxels,
// where the sum is thus exact but for levels from 2 on.
//
// Boxes of up to 32 cells per axis need level 1 alone, up to 64 also level 2; larger ones have a last part on nodes of
// spacing 8, convolved now and then by Fourier transform. The last part of any box is periodic and not cut off.
// The levels' tables hold the upper 16 bits of floats (relative error 2e-3), which any processor turns back by a shift:
// half the memory to read. The near part takes level 1 off as rounded.
//
// In a film the parts are those of a periodic box that is taller by STZ_FILM_GAP, whose images are taken off with those
// of the surfaces (images.h): nodes have rows for each layer next to a face, the near part more tables (mirror.h), the
// coarse part one more operator.
// Distances in voxels, kernels in eV/nm^3 per unit of event strain.
//
// What events add to sites and nodes are whole numbers of a unit, in 32 bits: the sum does not depend on their order.
// An event's stress is below 2^22 units, so that a sum holds 500 times the largest stress of an event and more (the
// film's glass: units of 0.6 and 0.08 kPa, ranges of 1,300 and 160 GPa). Rounding adds 1e-4 of the squared error that
// interpolation makes.
#ifndef STZ_ELASTIC_SPLIT_H
#define STZ_ELASTIC_SPLIT_H

#include <stdbool.h>
#include <stdint.h>

#include "elastic/elastic.h"
#include "elastic/fixed.h"

enum {
  STZ_FILM_GAP = 24,
  STZ_NEAR_SPAN = 8,                      // the near part reaches over |r|^2 < 64
  STZ_NEAR_ROWS = 64,                     // rows (|x|, |y|) = 8 |x| + |y| of the near tables
  STZ_LEVEL_WINDOW = 16,                  // nodes of a level per axis about an event
  STZ_LEVELS = 2,                         // with tables of their own
  STZ_COARSE = 8,                         // spacing of the coarse nodes
  STZ_LEVEL_LINE = 5 * STZ_LEVEL_WINDOW,  // numbers of a row by one strain component
  STZ_LEVEL_ROW = 5 * STZ_LEVEL_LINE / 2, // words
};

// One level: the coefficients that an event adds to the nodes about it.
typedef struct stz_level {
  int spacing;        // h
  int classes;        // of events along z that have rows of their own: z mod h, and in a film the layers next to a face
  int *class_of;      // of a layer; NULL: z mod h
  int nodes[3];       // of the box
  int reach[2];       // largest |x| and |y| of a row
  double range2;      // rows beyond this squared distance are left out
  uint32_t *rows;     // upper halves of floats, two a word, [|x|][|y|][class][d][16][c], stress component c by strain
                      // component d: node j lies at h (j - 7) - (z mod h) from the event. Of 16 numbers the words
                      // have the first 8 in their lower halves, the others in the upper ones.
  uint8_t (*span)[2]; // first and last node of each row that is not zero
  double (*sums)[STZ_PAIRS]; // over all nodes and the sites that they stand for, [x mod h][y mod h][z mod h]; not of a
                             // film
  float spline[8][4];        // weights of the 4 nodes about a site, [x mod h]
} stz_level;

typedef struct stz_split {
  const stz_grid *grid;
  bool film;
  int layers;                  // of the grid
  int cells[3];                // of the periodic box: of a film's tables, taller
  double variance;             // of the event's shape along one axis, in units squared
  double edge[3];              // of a voxel in units, which are voxels; in a stretched box they are shorter
  double strain;               // largest norm of an event's strain deviator
  float near_unit, level_unit; // of the stress at sites and at nodes, eV/nm^3: powers of two
  int levels;                  // that have tables
  stz_level level[STZ_LEVELS];
  bool coarse;
  float *near[8]; // a parity 4 (x & 1) + 2 (y & 1) + (z & 1) of the event: [row][pair][8], z = 0..7
  float *whole;   // the whole kernel, the same way
  double near_sums[8][STZ_PAIRS];
  struct stz_mirror *mirror;     // of a film
  struct stz_film_total *images; // and the coarse part, of box and images, on nodes from -1 on
  double (*sums)[25];   // of a film: of near part and levels over all sites less what they should be, [z][x mod 4]
                        // [y mod 4]
  double (*self)[5][5]; // of a film: stress of an event at its own site, by layer
  size_t bytes;
} stz_split;

// Builds the tables, for events whose strain deviator has the norm `strain` at most. Serial: the grid has one rank and
// at least 32 cells per axis, multiples of 8; a film's z from 8 on.
stz_err stz_split_create(const stz_grid *grid, const stz_elastic *elastic, double strain,
                         stz_split **split) STZ_MUST_USE;
void stz_split_destroy(stz_split **split);

// Whether an event is not too strong for the units.
static inline bool stz_split_takes(const stz_split *split, const float e[5]) {
  double norm2 = 0.0;
  for (int c = 0; c < 5; c++) norm2 += (double)e[c] * (double)e[c];
  return norm2 <= 1.001 * split->strain * split->strain;
}

// Squared error of one event's stress as the parts give it, the deviator's norm, summed over all sites of the box, per
// squared engineering shear of the event; (eV/nm^3)^2. A fit to measured errors of one level, good to 10 % from 5 to 30
// voxels per STZ volume; two levels have about 1.5 times as much, which counts in a stretched box alone.
double stz_split_error2(const stz_elastic *elastic, const stz_grid *grid);

// Transform of window g_l at the wave vector k (rad a voxel), l = 1, 2, ...; `variance`: of the event's shape along one
// axis, 2 s^2, in voxels.
double stz_split_window(int l, double variance, double k);

// The same at the wave vector k (rad per voxel along each axis) of a box that may be stretched: a window is a sphere
// there. Were it one on the lattice, its fourth moments would not have a field of finite range.
double stz_split_window_along(const stz_split *split, int l, const double k[3]);

// B/sum B^2 of the cubic B-spline of spacing h at the wave number k (rad a voxel) along one axis: the coefficient whose
// interpolation comes nearest to exp(i k x).
double stz_split_prefilter(int h, double k);

// The operator between coarse nodes at their wave number m (total.h); `context`: a stz_split_source.
typedef struct stz_split_source {
  const stz_split *split;
  const stz_elastic *elastic;
} stz_split_source;
void stz_split_coarse(const void *context, const int m[3], double green[6][6]);

// Weights of the 4 nodes about a site with x mod h = residue.
void stz_split_spline(int h, int residue, float weight[4]);

// Number of a row of a level's tables; the class of an event in the layer z.
size_t stz_level_row(const stz_level *level, int x, int y, int class);
static inline int stz_level_class(const stz_level *level, int z) {
  return level->class_of ? level->class_of[z] : z % level->spacing;
}

// A number of a row.
double stz_level_number(const uint32_t *row, int c, int d, int node);

// Signed offset along `axis` from an event with x mod h = residue to node j = 0..15 of its window, in the box's least
// image (of a film's z: as it is); false if the window has no such node.
bool stz_level_offset(const stz_level *level, int axis, int residue, int node, int *offset);

#endif
