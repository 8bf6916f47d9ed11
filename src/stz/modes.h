// SPDX-License-Identifier: GPL-3.0-or-later
//
// The catalogue of shear modes and the table of random orientations.
//
// Modes: P = (s n + n s)/2 from the five orthogonal frames of two-fold axes of the icosahedron, three a frame: 15, each
// with two signs. Over the 15, sum P x P = (3/2) times the identity on deviators: no direction of shear is preferred.
// Modes 0-2 are xy, yz and zx of the lattice's axes; mode 3 + 4 i + k is the i-th of another frame, for k = 1, 2, 3
// after a half turn about x, y, z: the same components but for the signs of xy and zx, xy and yz, yz and zx. Another
// catalogue, of at most as many modes, may take its place.
#ifndef STZ_STZ_MODES_H
#define STZ_STZ_MODES_H

#include <stdbool.h>
#include <stdint.h>

#include "stz/params.h"

enum { STZ_ROTATIONS = 512 };

typedef struct stz_modes {
  int count;                               // of modes in use; the rest of each table is 0
  bool grouped;                            // in the order and with the symmetry said above
  double p[STZ_MODES][5];                  // deviator components of each mode; |p|^2 = 1/2
  double normal[STZ_MODES][5];             // deviator of n n, n the normal of the mode's plane
  int rotations;                           // entries in use: 1 (aligned: the identity) or 512
  double rotation[STZ_ROTATIONS][9];       // 3x3 by rows: the grain's axes x, y, z in those of the lattice
  double turn[STZ_ROTATIONS][25];          // 5x5, turns a deviator from the lattice's axes into those of the grain
  double axial[STZ_ROTATIONS][STZ_MODES];  // P_xx of each mode in the lattice's axes
  double facing[STZ_ROTATIONS][STZ_MODES]; // n_x^2 of its plane there
  float axes[STZ_ROTATIONS][8];            // of the grain in those of the lattice: x, z, then x and y of its y axis
} stz_modes;

// Fills the catalogue; the random rotations (uniform unit quaternions) come from streams of `seed`.
void stz_modes_init(stz_modes *modes, stz_orientation orientation, uint64_t seed);

// Replaces the icosahedral modes by a catalogue of one mode or more; `modes` (in and out) was initialised.
void stz_modes_replace(stz_modes *modes, const stz_catalogue *catalogue);

// Smallest and largest eigenvalue (out) of the sum of p p^T over the modes: equal if no direction of shear is
// preferred; 0 if there are shears that no mode has a part in.
void stz_modes_isotropy(const stz_modes *modes, double *least, double *most);

// Deviator d (out) of mode `mode`, in the lattice's axes, in a grain with rotation `rotation` (entry of the table).
void stz_modes_deviator(const stz_modes *modes, int mode, int rotation, double d[5]);

// Largest P_xx: of the catalogue as it stands (aligned), or 1/2 (random).
double stz_modes_largest_schmid(const stz_modes *modes);

#endif
