// SPDX-License-Identifier: GPL-3.0-or-later
//
// The elastic energy of a list of events, summed up in Fourier space with neither the operator nor the transforms of
// the program: the eigenstrain is a sum of Gaussians of weight Omega at lattice sites, so each wave of the box, to any
// |kappa|, has its amplitude in closed form.
#ifndef STZ_TESTS_WAVE_ENERGY_H
#define STZ_TESTS_WAVE_ENERGY_H

#include <complex.h>

#include "kmc_setup.h"

enum { CELLS = 16 };
static const double YOUNG = 72.0 * STZ_GPA, POISSON = 0.4;

typedef struct inclusion {
  int xyz[3];
  double strain[6];
} inclusion;

// Elastic energy density, times 2, of the wave along `kappa` with the eigenstrain amplitude e: sigma:S:sigma* with
// sigma = -2 mu [T e T + nu/(1-nu) tr(T e T) T], T = I - kappa kappa/kappa^2, and S = (1+nu)/E - nu/E I x I.
static inline double wave_energy(const double kappa[3], const double complex e[3][3]) {
  const double k2 = kappa[0] * kappa[0] + kappa[1] * kappa[1] + kappa[2] * kappa[2],
               mu = YOUNG / (2.0 * (1.0 + POISSON));
  double t[3][3];
  double complex te[3][3] = {{0}}, tet[3][3] = {{0}}, trace = 0.0, stress_trace = 0.0;
  for (int i = 0; i < 3; i++) {
    for (int j = 0; j < 3; j++) t[i][j] = (i == j) - kappa[i] * kappa[j] / k2;
  }
  for (int i = 0; i < 9; i++) {
    for (int l = 0; l < 3; l++) te[i / 3][i % 3] += t[i / 3][l] * e[l][i % 3];
  }
  for (int i = 0; i < 9; i++) {
    for (int l = 0; l < 3; l++) tet[i / 3][i % 3] += te[i / 3][l] * t[l][i % 3];
  }
  for (int i = 0; i < 3; i++) trace += tet[i][i];
  double square = 0.0;
  for (int i = 0; i < 9; i++) {
    const double complex stress = -2.0 * mu * (tet[i / 3][i % 3] + POISSON / (1.0 - POISSON) * trace * t[i / 3][i % 3]);
    square += creal(stress * conj(stress));
    if (i % 4 == 0) stress_trace += stress;
  }
  return ((1.0 + POISSON) * square - POISSON * creal(stress_trace * conj(stress_trace))) / YOUNG;
}

// V/2 sum over all kappa != 0 of the box, where exp(-kappa^2 s^2) does not vanish, eV.
static inline double fluctuation_energy(const inclusion *list, int count) {
  const double length = CELLS * KMC_SPACING, volume = length * length * length, omega = KMC_STZ.volume_nm3;
  const double s2 = cbrt(omega * omega) / (4.0 * STZ_PI), unit = 2.0 * STZ_PI / length;
  const int reach = (int)(sqrt(40.0 / s2) / unit);
  static const int row[6] = {0, 1, 2, 1, 0, 0}, column[6] = {0, 1, 2, 2, 2, 1};
  double complex phase[CELLS];
  double sum = 0.0;
  for (int i = 0; i < CELLS; i++) phase[i] = cexp(-2.0 * STZ_PI * I * i / CELLS);
  for (int m0 = 0; m0 <= reach; m0++) {
    for (int m1 = -reach; m1 <= reach; m1++) {
      for (int m2 = -reach; m2 <= reach; m2++) {
        const double kappa[3] = {m0 * unit, m1 * unit, m2 * unit};
        const double k2 = kappa[0] * kappa[0] + kappa[1] * kappa[1] + kappa[2] * kappa[2];
        if (k2 == 0.0 || k2 * s2 > 40.0) continue;
        const double shape = omega / volume * exp(-0.5 * k2 * s2);
        double complex e[3][3] = {{0}};
        for (int i = 0; i < count; i++) {
          const int *x = list[i].xyz, turns = m0 * x[0] + m1 * x[1] + m2 * x[2];
          const double complex turn = phase[((turns % CELLS) + CELLS) % CELLS];
          for (int v = 0; v < 6; v++) e[row[v]][column[v]] += shape * turn * list[i].strain[v];
        }
        for (int i = 0; i < 3; i++) {
          for (int j = 0; j < i; j++) e[i][j] = e[j][i];
        }
        sum += (m0 == 0 ? 1.0 : 2.0) * wave_energy(kappa, (const double complex(*)[3])e); // -kappa has the same
      }
    }
  }
  return 0.5 * volume * sum;
}

#endif
