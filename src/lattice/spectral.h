// SPDX-License-Identifier: GPL-3.0-or-later
//
// Discrete Fourier transforms over the distributed lattice: planes of FFTW transforms in (y, z), a transpose, lines
// along x; each plan handles one plane or one line whatever the rank count, so that the result has the same bits on any
// number of ranks.
//
// Spectrum layout: the rank owns ky in [first, first + count) of ny; mode index = (ky_local * (nz/2+1) + kz) * nx + kx.
#ifndef STZ_LATTICE_SPECTRAL_H
#define STZ_LATTICE_SPECTRAL_H

#include <complex.h>
#include <stddef.h>

#include "lattice/grid.h"

typedef struct stz_spectral stz_spectral;

// Collective. Plans transforms of the grid, which must outlive them.
stz_err stz_spectral_create(const stz_grid *grid, stz_spectral **spectral) STZ_MUST_USE;
void stz_spectral_destroy(stz_spectral **spectral);

size_t stz_spectral_modes(const stz_spectral *spectral); // complex numbers a spectrum has on this rank

// Signed wave numbers m of local mode `index`: k_i = 2 pi m_i / (n_i a), -n/2 < m_i <= n/2, 0 <= m_z <= n_z/2.
void stz_spectral_wave(const stz_spectral *spectral, size_t index, int m[3]);

// The same as a wave vector, rad/nm.
void stz_spectral_wave_vector(const stz_spectral *spectral, size_t index, double k[3]);

// F(m) = sum_x f(x) exp(-2 pi i m.x/n). Collective. `real`: local sites; `spectrum`: stz_spectral_modes numbers.
void stz_spectral_forward(stz_spectral *spectral, const double *real, double complex *spectrum);

// f(x) = 1/N sum_m F(m) exp(+...). Collective. Overwrites `spectrum`.
void stz_spectral_inverse(stz_spectral *spectral, double complex *spectrum, double *real);

// Takes the waves below both lattices' Nyquist wave numbers from one lattice's spectrum to another's, of the same box
// and the same ranks, cells even; `out` (stz_spectral_modes(to) numbers) is 0 elsewhere. Collective.
stz_err stz_spectral_resample(const stz_spectral *from, const double complex *spectrum, const stz_spectral *to,
                              double complex *out) STZ_MUST_USE;

// Local. Inverse transform of a real field with mirror parity: `data` holds the octant 0 <= m_i <= n_i/2 of the
// spectrum, z fastest, (n_i/2 + 1) per axis, and receives the octant 0 <= x_i <= n_i/2 of the field
//   f(x) = 1/N sum_m F(m) prod_i t_i,  t_i = cos(2 pi m_i x_i/n_i), or sin where parity[i] is -1,
// the sum running over all m of the box, with F continued by its parity. `team` may be NULL.
stz_err stz_octant_inverse(stz_team *team, const int cells[3], const int parity[3], double *data) STZ_MUST_USE;

#endif
