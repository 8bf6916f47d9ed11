// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/elastic: not installed.
//
// Elasticity of a plate 0 < z < h with traction-free faces, periodic along x and y: the driving stress that eigenstrain
// in one layer of voxels makes in another, by the wave number along x and y. Exact, in double precision.
//
// For each wave vector k in the plane the stress is that of the infinite body (elastic.h), in closed form along z, and
// six solutions without sources, (1 | kz | antiplane) exp(-kz) from either face, which take the tractions away. At k =
// 0 a layer is in plane stress; its mean over the plate belongs to the loading. The shape of an STZ is folded back at
// the faces, in the event and in the average: it keeps its integral, and the shapes of all sites add up to 1 up to the
// surface.
#ifndef STZ_ELASTIC_PLATE_H
#define STZ_ELASTIC_PLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/team.h"

typedef struct stz_plate stz_plate;

typedef struct stz_plate_params {
  int cells[3]; // of the film: h = cells[2] spacing
  double spacing, volume, shear, poisson;
  int period;  // 0: the plate itself. Else what it adds to an infinite body of sources repeated every `period` cells of
               // z
  bool smooth; // and that without stz_plate_local
} stz_plate_params;

// Local. The plate must be thicker than STZ_PLATE_LEAST widths of an STZ's shape.
enum { STZ_PLATE_LEAST = 7 };
stz_err stz_plate_create(const stz_plate_params *params, stz_plate **plate) STZ_MUST_USE;
void stz_plate_destroy(stz_plate **plate);

// The operator at the wave numbers mx, my >= 0 of the lattice (k = 2 pi m/(n a)), its Brillouin aliases summed.
// Of `count` layers (all if `layers` is NULL), green[layer][source layer][c][d] takes the strain of component d in the
// source layer to the stress of component c, both of the orthonormal basis of elastic.h (c = 5: trace/sqrt3), with the
// factor i (-i) where c alone (d alone) is odd in z. Real, and the transpose of itself under exchange of c, d and of
// the layers. `work` has stz_plate_work numbers.
void stz_plate_green(const stz_plate *plate, int mx, int my, const int *layers, int count, double *work,
                     double (*green)[6][5]);
// The same of one source layer, in the layers 0 to count - 1: green[layer][c][d].
void stz_plate_column(const stz_plate *plate, int mx, int my, int from, int count, double *work, double (*green)[6][5]);

// The same at many wave vectors: of all pairs of the layers if from < 0, else of the source layer `from`. Read off a
// table (wave_table.h), whose making `team` shares. `plate` and `layers` must outlive it. Local.
typedef struct stz_plate_pairs stz_plate_pairs;
stz_err stz_plate_pairs_create(const stz_plate *plate, stz_team *team, const int *layers, int count, int from,
                               stz_plate_pairs **pairs) STZ_MUST_USE;
void stz_plate_pairs_destroy(stz_plate_pairs **pairs);
// As stz_plate_green or stz_plate_column.
void stz_plate_pairs_green(const stz_plate_pairs *pairs, int mx, int my, double *work, double (*green)[6][5]);

// Whether the shape of layer `j` reaches over a face; others see the faces through exp(-kz) and kz exp(-kz) alone.
bool stz_plate_near(const stz_plate *plate, int j);
size_t stz_plate_work(const stz_plate *plate);

// Of what the plate adds, the part that does not fall off along z as exp(-kz) at small k: the stress of the folded half
// of a source where it is, in the plane. Adds it at the offset (x, y) in cells: green[c][d].
void stz_plate_local(const stz_plate *plate, int to, int from, int x, int y, double green[6][5]);

// The weight that layer `j` has at the depth z (1/nm): its folded shape.
double stz_plate_shape(const stz_plate *plate, int j, double z);

#endif
