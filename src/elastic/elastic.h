// SPDX-License-Identifier: GPL-3.0-or-later
//
// Homogeneous isotropic elasticity of a periodic box: the driving stress that eigenstrain makes, by the Green's
// function. Stresses in eV/nm^3.
//
// An event of strain e at a site spreads the eigenstrain e (Omega/a^3) w around it, and stress is averaged with the
// same w, w^(k) = exp(-k^2 s^2/2), s = Omega^(1/3)/(2 sqrt(pi)): hence the factor exp(-k^2 s^2). With kappa = k + G
// running over the Brillouin aliases G in (2 pi/a){-1,0,1}^3, u = kappa/|kappa| and T = I - u u,
//   sigma^(k) = (Omega/a^3) sum_G -2 mu [T e T + nu/(1-nu) tr(T e T) T] exp(-kappa^2 s^2),  k != 0,
// odd components at a Nyquist wave number averaged over its two signs (T. Mura, Micromechanics of Defects in Solids,
// 1987, ch. 1; V. V. Bulatov, A. S. Argon, Modelling Simul. Mater. Sci. Eng. 2, 167, 1994). The component k = 0 is zero
// here: the mean stress belongs to the loading.
#ifndef STZ_ELASTIC_ELASTIC_H
#define STZ_ELASTIC_ELASTIC_H

#include "base/error.h"
#include "elastic/params.h"
#include "elastic/row.h"
#include "lattice/grid.h"
#include "lattice/spectral.h"

typedef struct stz_elastic stz_elastic;
struct stz_plate;

// Sets up the operator. Collective. `volume` is Omega in nm^3.
stz_err stz_elastic_create(const stz_grid *grid, const stz_elastic_params *params, double volume,
                           stz_elastic **elastic) STZ_MUST_USE;
void stz_elastic_destroy(stz_elastic **elastic); // collective

double stz_elastic_young(const stz_elastic *elastic);   // eV/nm^3
double stz_elastic_poisson(const stz_elastic *elastic); // 1
double stz_elastic_volume(const stz_elastic *elastic);  // Omega, nm^3

// Of a film on one rank: a periodic box of `period` voxels along z in its place, with its operator; the plate is what
// the film adds to it (plate.h). Destroy them.
stz_err stz_elastic_box(const stz_elastic *elastic, int period, stz_grid **box, stz_elastic **op) STZ_MUST_USE;
stz_err stz_elastic_plate(const stz_elastic *elastic, int period, bool smooth, struct stz_plate **plate) STZ_MUST_USE;

// The box from now on has edges exp(stretch) times its own along x, y and z, and the sites move with the material: the
// operator is that of the lattice at those places, with the event's shape as before, a sphere. stretch: logarithmic
// strains. A kernel table goes. Collective. Not of a film.
stz_err stz_elastic_stretch(stz_elastic *elastic, const double stretch[3]) STZ_MUST_USE;
const double *stz_elastic_stretched(const stz_elastic *elastic); // [3], as last set; 0 at first

// Makes the kernel table of one event, unless it is there: 15 numbers on one mirror octant, in single precision, kept
// once per node in shared memory. Collective.
stz_err stz_elastic_tabulate(stz_elastic *elastic) STZ_MUST_USE;
size_t stz_elastic_table_bytes(const stz_elastic *elastic); // 0 before

// The operator at wave numbers m (k_i = 2 pi m_i/(n_i a), of a stretched box over its stretch), as a symmetric 6 x 6
// matrix over the orthonormal components (deviator 0..4 of base/tensor.h, trace/sqrt3): sigma^ = green e^, `green`
// (out) in eV/nm^3. Zero at m = 0.
void stz_elastic_green(const stz_elastic *elastic, const int m[3], double green[6][6]);

// The same without the event's shape and the aliases: what a wide eigenstrain sees, (Omega/a^3) times the continuum's
// operator. A wide shape is multiplied by its transform. `m`, `green` (out, eV/nm^3) as above.
void stz_elastic_bare(const stz_elastic *elastic, const int m[3], double green[6][6]);

// The continuum's operator along the wave vector k, of any length but 0: as stz_elastic_green, in eV/nm^3, for an
// eigenstrain (nothing of the event's shape, its volume or the lattice). Local.
void stz_elastic_along(const stz_elastic *elastic, const double k[3], double green[6][6]);

// Index of the pair (c, d) of deviator components among the STZ_PAIRS numbers of a symmetric 5 x 5 matrix.
int stz_elastic_pair(int c, int d);

// Takes components of the operator on the octant of wave numbers 0 <= m_i <= n_i/2 (z fastest) to the kernel on the
// octant of sites 0 <= x_i <= n_i/2, in place: the field of one event at the origin. `cells`: voxels n_x, n_y, n_z of
// the box; `c`, `d`: components of stress and strain, 0..4; `data` (in and out): (n_x/2 + 1) (n_y/2 + 1) (n_z/2 + 1)
// numbers. Local; `team` may be NULL.
stz_err stz_elastic_octant(stz_team *team, const int cells[3], int c, int d, double *data) STZ_MUST_USE;

// Stress field of a field of event strains. Collective. `strain`: 5 deviator components, one number per local site
// each; `stress`: 6 such arrays, deviator and trace/sqrt3.
stz_err stz_elastic_stress(const stz_elastic *elastic, stz_spectral *spectral, const double *const strain[5],
                           double *const stress[6]) STZ_MUST_USE;

enum { STZ_STRIP_SITES = 512 };

// Adds the stress of one event with strain deviator e at the site `origin` to a strip: rows y..y+rows-1 of plane x, one
// after the other in stress[c], c one of the 5 deviator components. At most STZ_STRIP_SITES sites. From the table,
// which must be there; no communication.
void stz_elastic_add_strip(const stz_elastic *elastic, const int origin[3], const float e[5], int x, int y, int rows,
                           float *const stress[5]);

#endif
