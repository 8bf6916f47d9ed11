// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef STZ_ELASTIC_PARAMS_H
#define STZ_ELASTIC_PARAMS_H

// What stays uniform where moduli vary.
typedef enum stz_contrast_holds { STZ_CONTRAST_BULK, STZ_CONTRAST_POISSON } stz_contrast_holds;
typedef enum stz_contrast_model { STZ_CONTRAST_NONE, STZ_CONTRAST_DRESSED, STZ_CONTRAST_EXACT } stz_contrast_model;

// Largest contrast between sharp borders: their Fourier series overshoots, and beyond, the series of the field under
// load does not converge.
#define STZ_CONTRAST_SHARP 0.45

// What takes notice of large strains: the load (actuators, load/machine.h), or the box with it, whose sites interact
// where the plastic strain has taken them.
typedef enum stz_finite_strain { STZ_FINITE_LOAD, STZ_FINITE_BOX } stz_finite_strain;

typedef struct stz_elastic_params {
  double young_GPa; // Young's modulus
  double poisson;   // Poisson's ratio
  double contrast;  // shear moduli are mu (1 + contrast/2 g); young_GPa is the effective one
  stz_contrast_holds contrast_holds;
  stz_contrast_model contrast_model;
  stz_finite_strain finite_strain;
  double rebuild_strain; // with STZ_FINITE_BOX: change of the box's plastic strain at which interactions are remade
} stz_elastic_params;

// Bytes of the kernel table of a film of cells[0] x cells[1] x cells[2] voxels: on a quadrant of offsets along x and y,
// 25 numbers in single precision for each pair of layers.
static inline double stz_film_table_bytes(const int cells[3]) {
  const int offsets = (cells[0] / 2 + 1) * (cells[1] / 2 + 1);
  return 25.0 * offsets * cells[2] * cells[2] * sizeof(float);
}
#define STZ_FILM_MOST_MB 1000.0 // larger tables are refused

#endif
