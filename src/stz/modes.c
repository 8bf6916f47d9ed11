// SPDX-License-Identifier: GPL-3.0-or-later
#include "stz/modes.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/tensor.h"
#include "rng/rng.h"

static void mode_of(const double s[3], const double n[3], double p[5]) {
  const double tensor[6] = {s[0] * n[0],
                            s[1] * n[1],
                            s[2] * n[2],
                            0.5 * (s[1] * n[2] + s[2] * n[1]),
                            0.5 * (s[0] * n[2] + s[2] * n[0]),
                            0.5 * (s[0] * n[1] + s[1] * n[0])};
  stz_dev_from_sym(tensor, p);
}

static void normal_of(const double n[3], double normal[5]) {
  stz_dev_from_sym((double[6]){n[0] * n[0], n[1] * n[1], n[2] * n[2], n[1] * n[2], n[0] * n[2], n[0] * n[1]}, normal);
}

// Modes 0-2 shear along the lattice's axes: one component each. The other four frames are one frame of two-fold axes
// and its images under half turns about x, y and z, which change the signs of two components.
static void fill_catalogue(double p[STZ_MODES][5], double normal[STZ_MODES][5]) {
  static const int signs[4][3] = {{1, 1, 1}, {-1, 1, -1}, {-1, -1, 1}, {1, -1, -1}}; // of xy, yz, zx
  const double phi = 0.5 * (1.0 + sqrt(5.0)), a = 0.5, b = 0.5 / phi, c = 0.5 * phi;
  const double frame[3][3] = {{a, b, c}, {c, -a, -b}, {b, c, -a}};
  for (int i = 0; i < 3; i++) {
    p[i][i] = sqrt(0.5);
    normal_of((double[3]){i == 2, i == 0, i == 1}, normal[i]); // y, z, x
    for (int turn = 0; turn < 4; turn++) {
      double *mode = p[3 + 4 * i + turn], *plane = normal[3 + 4 * i + turn];
      mode_of(frame[i], frame[(i + 1) % 3], mode);
      normal_of(frame[(i + 1) % 3], plane);
      for (int k = 0; k < 3; k++) mode[k] *= signs[turn][k];
      for (int k = 0; k < 3; k++) plane[k] *= signs[turn][k];
    }
  }
}

// A uniformly random rotation from four normals (a uniform unit quaternion).
static void random_rotation(uint64_t seed, int entry, double r[9]) {
  stz_rng rng = stz_rng_stream(seed, STZ_RNG_ROTATIONS, (uint64_t)entry);
  double q[4], norm = 0.0;
  for (int i = 0; i < 4; i++) {
    q[i] = stz_rng_normal(&rng);
    norm += q[i] * q[i];
  }
  for (int i = 0; i < 4; i++) q[i] /= sqrt(norm);
  const double w = q[0], x = q[1], y = q[2], z = q[3];
  const double rows[9] = {1 - 2 * (y * y + z * z), 2 * (x * y - w * z),     2 * (x * z + w * y),
                          2 * (x * y + w * z),     1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
                          2 * (x * z - w * y),     2 * (y * z + w * x),     1 - 2 * (x * x + y * y)};
  memcpy(r, rows, sizeof rows);
}

// A deviator in the lattice's axes from one in those of the grain: the inverse of an orthogonal matrix is its
// transpose.
static void turn_back(const stz_modes *modes, int rotation, const double from[5], double d[5]) {
  for (int i = 0; i < 5; i++) {
    d[i] = 0.0;
    for (int j = 0; j < 5; j++) d[i] += modes->turn[rotation][5 * j + i] * from[j];
  }
}

static void fill_axial(stz_modes *modes) {
  for (int i = 0; i < modes->rotations; i++) {
    for (int m = 0; m < STZ_MODES; m++) {
      double d[5], tensor[6];
      stz_modes_deviator(modes, m, i, d);
      stz_sym_from_dev(d, tensor);
      modes->axial[i][m] = tensor[STZ_XX];
      turn_back(modes, i, modes->normal[m], d);
      stz_sym_from_dev(d, tensor);
      modes->facing[i][m] = tensor[STZ_XX] + 1.0 / 3.0;
    }
  }
}

void stz_modes_init(stz_modes *modes, stz_orientation orientation, uint64_t seed) {
  memset(modes, 0, sizeof *modes);
  modes->count = STZ_MODES;
  modes->grouped = true;
  fill_catalogue(modes->p, modes->normal);
  modes->rotations = orientation == STZ_ORIENTATION_RANDOM ? STZ_ROTATIONS : 1;
  for (int i = 0; i < modes->rotations; i++) {
    double r[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
    if (orientation == STZ_ORIENTATION_RANDOM) random_rotation(seed, i, r);
    memcpy(modes->rotation[i], r, sizeof r);
    stz_dev_rotation(r, modes->turn[i]);
    for (int k = 0; k < 8; k++) modes->axes[i][k] = (float)r[k < 3 ? k : k < 6 ? k + 3 : k - 3];
  }
  fill_axial(modes);
}

void stz_modes_replace(stz_modes *modes, const stz_catalogue *catalogue) {
  assert(catalogue->count >= 1 && catalogue->count <= STZ_MODES);
  modes->count = catalogue->count;
  modes->grouped = false;
  memset(modes->p, 0, sizeof modes->p);
  memset(modes->normal, 0, sizeof modes->normal);
  for (int m = 0; m < modes->count; m++) {
    double axes[6];
    for (int k = 0; k < 6; k++) {
      const double *v = catalogue->axes[m] + k / 3 * 3;
      axes[k] = v[k % 3] / sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
    }
    mode_of(axes, axes + 3, modes->p[m]);
    normal_of(axes + 3, modes->normal[m]);
  }
  fill_axial(modes);
}

// One turn of Jacobi's method: makes a[i][j] of a symmetric matrix 0.
static void jacobi_turn(double a[5][5], int i, int j) {
  if (a[i][j] == 0.0) return;
  const double theta = 0.5 * (a[j][j] - a[i][i]) / a[i][j];
  const double t = (theta < 0.0 ? -1.0 : 1.0) / (fabs(theta) + sqrt(theta * theta + 1.0));
  const double c = 1.0 / sqrt(t * t + 1.0), s = t * c;
  for (int k = 0; k < 5; k++) {
    const double x = a[k][i], y = a[k][j];
    a[k][i] = c * x - s * y;
    a[k][j] = s * x + c * y;
  }
  for (int k = 0; k < 5; k++) {
    const double x = a[i][k], y = a[j][k];
    a[i][k] = c * x - s * y;
    a[j][k] = s * x + c * y;
  }
}

void stz_modes_isotropy(const stz_modes *modes, double *least, double *most) {
  enum { SWEEPS = 12 }; // far more than it takes for 5 x 5
  double a[5][5] = {{0}};
  for (int m = 0; m < modes->count; m++) {
    for (int i = 0; i < 25; i++) a[i / 5][i % 5] += modes->p[m][i / 5] * modes->p[m][i % 5];
  }
  for (int sweep = 0; sweep < SWEEPS; sweep++) {
    for (int i = 0; i < 25; i++) {
      if (i / 5 < i % 5) jacobi_turn(a, i / 5, i % 5);
    }
  }
  *least = *most = a[0][0];
  for (int i = 1; i < 5; i++) {
    *least = fmin(*least, a[i][i]);
    *most = fmax(*most, a[i][i]);
  }
}

void stz_modes_deviator(const stz_modes *modes, int mode, int rotation, double d[5]) {
  turn_back(modes, rotation, modes->p[mode], d);
}

double stz_modes_largest_schmid(const stz_modes *modes) {
  if (modes->rotations > 1) return 0.5;
  double largest = 0.0;
  for (int m = 0; m < STZ_MODES; m++) largest = fmax(largest, fabs(modes->axial[0][m]));
  return largest;
}
