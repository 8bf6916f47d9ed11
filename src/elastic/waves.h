// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/elastic: not installed.
//
// One wave vector k in the plane of a plate 0 < z < h with traction-free faces: the stress of a layer of eigenstrain as
// functions of z, in the infinite body, and the solutions without sources that take the tractions away (plate.h). In
// the frame along k: components kk, tt, zz, sqrt2 kz/i (two dimensions: SV) and sqrt2 kt, sqrt2 tz/i (antiplane: SH).
#ifndef STZ_ELASTIC_WAVES_H
#define STZ_ELASTIC_WAVES_H

#include <stdbool.h>

enum {
  STZ_SV = 4,
  STZ_SH = 2,
  STZ_WAVES_IMAGES = 3, // of a layer's centre: itself, and mirrored at either face
};

typedef struct stz_waves_body {
  double height, width; // h; of a shape's Gaussian
  double shear, poisson;
} stz_waves_body;

// The shape of a layer along z: the sum of Gaussians about its centres.
typedef struct stz_waves_layer {
  double centre[STZ_WAVES_IMAGES];
  int images;
  bool near; // its shape reaches over a face
} stz_waves_layer;

// Functions of z that the powers of the wave number q along z stand for, over K = k^2 + q^2; odd powers over i.
typedef struct stz_waves {
  double q4, q3, q2, q1, q0; // q^n/K^2
  double p2, p1, p0;         // q^n/K
  double one;                // 1
} stz_waves;

// A source layer and a layer read.
typedef struct stz_waves_source {
  double sv[4][STZ_SV], sh[2][STZ_SH]; // amplitudes of the solutions without sources per strain
} stz_waves_source;
typedef struct stz_waves_readout {
  double sv[STZ_SV][4], sh[STZ_SH][2]; // stress per amplitude
} stz_waves_readout;

// Gaussian of unit integral.
double stz_waves_bell(double width, double z);
// Integrals over z' > 0 of a Gaussian about z with exp(-k z') and z' exp(-k z').
void stz_waves_half_line(double k, double width, double z, double *e, double *f);

// Adds to `w` (in and out) `share` times the functions of a source of that width at the distance z.
void stz_waves_add(double k, double width, double z, double share, stz_waves *w);
// The stress of the infinite body.
void stz_waves_stress(const stz_waves_body *body, double k, const stz_waves *w, double sv[STZ_SV][STZ_SV],
                      double sh[STZ_SH][STZ_SH]);

// Stress of the solutions without sources from one face; e, f: exp(-k zeta) and k zeta exp(-k zeta) at the distance
// zeta from it, or their averages; side: 1 at z = 0, -1 at z = h.
void stz_waves_free(const stz_waves_body *body, double e, double f, double side, double sv[STZ_SV][2],
                    double sh[STZ_SH]);
// Makes it the part of `face` (0: z = 0) of a readout.
void stz_waves_put(stz_waves_readout *r, int face, double sv[STZ_SV][2], const double sh[STZ_SH]);
// The amplitudes that take the tractions zz, kz and tz of a source layer away from both faces.
stz_waves_source stz_waves_solve(const stz_waves_body *body, double k, const stz_waves_layer *from);
// Adds the solutions with a source's amplitudes to its stress in the infinite body.
void stz_waves_add_free(const stz_waves_readout *r, const stz_waves_source *s, double sv[STZ_SV][STZ_SV],
                        double sh[STZ_SH][STZ_SH]);

// For a wave vector along (c, s), c^2 + s^2 = 1. Rows: the components of the frame, kk tt zz kz kt tz; columns: the
// orthonormal basis of elastic.h. Orthogonal.
void stz_waves_turn(double c, double s, double q[6][6]);
// green += share q^T b q, b made of both blocks.
void stz_waves_add_turned(double share, double q[6][6], double sv[STZ_SV][STZ_SV], double sh[STZ_SH][STZ_SH],
                          double green[6][5]);

#endif
