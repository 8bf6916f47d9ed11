// SPDX-License-Identifier: GPL-3.0-or-later
//
// Composition fields: the structure of the glass before any load, and measures of it.
//
// f is the structure field, positive in the Ni-rich phase and about 1 (rms):
//   random-waves    Cahn's Gaussian random field (micro/waves.h) over its rms, for `cut` less the level
//                   xi = -Phi^-1(nickel_fraction) above which a normal variable lies with that probability (Phi:
//                   distribution function of the standard normal);
//   cahn-hilliard   a quench (micro/quench.h) over its rms, less the level above which the share nickel_fraction of the
//                   sites lies;
//   layers          2 pi/layer_period_nm times the distance to the nearest of the interfaces, which are flat;
//   file            g as given.
#ifndef STZ_MICRO_MICRO_H
#define STZ_MICRO_MICRO_H

#include <stdbool.h>
#include <stdint.h>

#include "lattice/grid.h"
#include "lattice/spectral.h"
#include "micro/params.h"

typedef struct stz_micro stz_micro;

// Checks that given[count], the values of the sites from `first` (global index) on, are atomic fractions, or phases
// where `values` says so, within rounding. `cells`: voxels of the box. Fails with STZ_EINPUT, naming the first that is
// none, by its coordinates.
stz_err stz_micro_check_given(stz_micro_values values, const int cells[3], int64_t first, int64_t count,
                              const double *given) STZ_MUST_USE;

// Order of the axes of a file's dataset, by params.axes: "" as it declares, "xyz" to "zyx".
const char *stz_micro_axes(const stz_micro_params *params);

// Which phase a value given is, 0 or 1 within rounding; -1: none.
int stz_micro_phase(double given);

// Whether values given are a map of phases, by how many are 0, 1 and in all.
bool stz_micro_are_phases(stz_micro_values values, int64_t zeros, int64_t ones, int64_t sites);

// Measures of the field of the run, i.e. of the permuted field if it is shuffled, of the uniform one with
// equal-histogram. For `uniform` all but nickel_fraction is 0.
typedef struct stz_micro_measures {
  double nickel_fraction;                // mean of c
  double g_mean_rich, g_mean_poor;       // mean of g where f > 0 and elsewhere
  double volume_fraction_rich;           // share of sites with f > 0
  double length_spectrum_nm;             // 2 pi over the first moment of the radial power spectrum of f
  double length_correlation_nm;          // from the first minimum of the radial two-point function of f: wavelength of
                                         // the thin shell that has it there (its r times 2 pi/4.4934); 0: no minimum
  double interface_per_nm;               // area of the level set f = 0 per volume (micro/topology.h)
  bool percolates_rich, percolates_poor; // winds around the box along each axis (micro/topology.h)
} stz_micro_measures;

// Collective. Makes the field from the streams of `seed`; the same bits on any number of ranks. `given`: for `file` the
// atomic fraction of Ni, one number per local site, else NULL; it is copied. `spectral` is work space. Fails with
// STZ_EINPUT if the waves' shell, the quench's length or the layers do not fit the lattice or the box, or what is given
// does not lie in [0, 1].
stz_err stz_micro_create(const stz_grid *grid, stz_spectral *spectral, const stz_micro_params *params,
                         const double *given, uint64_t seed, stz_micro **micro) STZ_MUST_USE;
void stz_micro_destroy(stz_micro **micro);

// Takes the layers 0 to nz - 1 of a field that was made on a grid as wide, on the same ranks, and taller than `grid`,
// to which it belongs from then on. Local.
void stz_micro_cut(stz_micro *micro, const stz_grid *grid);

// g, dimensionless, one number per local site. smooth: tanh(sharpness f); cut: +1 where f > 0, -1 elsewhere; uniform:
// 0; file: (c - nickel_fraction)/nickel_amplitude, or +1 and -1 in the two phases.
const double *stz_micro_g(const stz_micro *micro);

// Atomic fraction of Ni, kept in [0, 1]: c = nickel_fraction + nickel_amplitude g for smooth random waves; elsewhere,
// where g has a mean, nickel_amplitude (g - mean g), so that the mean of c is nickel_fraction; for fractions of a
// `file` as given.
const double *stz_micro_composition(const stz_micro *micro);

// |grad g| lambda/(2 pi sharpness), one number per local site: the weight of the interface term, about 1 (rms) where f
// = 0. lambda is the length_spectrum_nm of f before any shuffling, of layers their period. For `cut` it is that of the
// smooth profile about the same level, a step having no gradient; for the phases of a file that of a step as wide as
// that profile. NULL for uniform.
const double *stz_micro_interface(const stz_micro *micro);

// Whether the values given were a map of phases.
bool stz_micro_of_phases(const stz_micro *micro);

// With the controls equal-histogram and frozen, where all of the above is uniform, the structured field whose barriers'
// histogram is to be matched; else NULL. And whether the barriers without noise alone are to be (frozen).
const stz_micro *stz_micro_matched(const stz_micro *micro);
bool stz_micro_frozen(const stz_micro *micro);

// Collective. Measures the field; the same bits on any number of ranks. `spectral` is work space.
stz_err stz_micro_measure(const stz_micro *micro, stz_spectral *spectral, stz_micro_measures *measures) STZ_MUST_USE;

#endif
