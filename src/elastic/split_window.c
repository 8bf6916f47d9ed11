// SPDX-License-Identifier: GPL-3.0-or-later
#include "elastic/split.h"

#include <math.h>

#include "base/tensor.h"
#include "base/units.h"

static const double FIRST_RADIUS = 9.2; // voxels
enum { POWER = 5 };

// Transform of (1 - r^2)^p, normalised: Lambda_p(q) = Gamma(p+5/2) (2/q)^(p+3/2) J_(p+3/2)(q), by its series.
static double bump_series(int p, double q) {
  double term = 1.0, sum = 1.0;
  for (int m = 1; m < 80 && fabs(term) > 1e-18; m++) {
    term *= -0.25 * q * q / (m * (p + 1.5 + m));
    sum += term;
  }
  return sum;
}

// The same by spherical Bessel functions, (2p+3)!! j_(p+1)(q)/q^(p+1), upwards from the first two.
static double bump_bessel(int p, double q) {
  double before = sin(q) / q, now = (before - cos(q)) / q, factor = 3.0 / q;
  for (int n = 1; n <= p; n++) {
    const double next = (2 * n + 1) / q * now - before;
    before = now;
    now = next;
    factor *= (2 * n + 3) / q;
  }
  return factor * now;
}

static double bump(int p, double q) { return q < 9.0 ? bump_series(p, q) : bump_bessel(p, q); }

double stz_split_window(int l, double variance, double k) {
  const double radius = FIRST_RADIUS * (double)(1 << (l - 1)), q = k * radius;
  const double one = 0.25 / (POWER + 2.5), other = 0.25 / (POWER + 3.5);
  const double share = (0.5 * variance / (radius * radius) - other) / (one - other);
  return share * bump(POWER, q) + (1.0 - share) * bump(POWER + 1, q);
}

double stz_split_window_along(const stz_split *split, int l, const double k[3]) {
  double k2 = 0.0;
  for (int axis = 0; axis < 3; axis++) k2 += k[axis] / split->edge[axis] * (k[axis] / split->edge[axis]);
  return stz_split_window(l, split->variance, sqrt(k2));
}

// Transform of the cubic B-spline of spacing h sampled on the lattice, over h.
static double spline_transform(int h, double k) {
  double sum = 2.0 / 3.0;
  for (int j = 1; j < 2 * h; j++) {
    const double t = (double)j / h, far = 2.0 - t;
    const double value = t < 1.0 ? 2.0 / 3.0 - t * t * (1.0 - 0.5 * t) : far * far * far / 6.0;
    sum += 2.0 * value * cos(k * j);
  }
  return sum / h;
}

double stz_split_prefilter(int h, double k) {
  double squares = 0.0;
  for (int g = 0; g < h; g++) {
    const double b = spline_transform(h, k + 2.0 * STZ_PI * g / h);
    squares += b * b;
  }
  return spline_transform(h, k) / squares;
}

// Between coarse nodes: the bare operator times the last window, with the splines' filter at both ends.
void stz_split_coarse(const void *context, const int m[3], double green[6][6]) {
  const stz_split_source *k = context;
  double wave[3], weight = 1.0 / ((double)STZ_COARSE * STZ_COARSE * STZ_COARSE);
  for (int axis = 0; axis < 3; axis++) {
    wave[axis] = 2.0 * STZ_PI * m[axis] / k->split->cells[axis];
    const double filter = stz_split_prefilter(STZ_COARSE, wave[axis]);
    weight *= filter * filter;
  }
  weight *= stz_split_window_along(k->split, STZ_LEVELS + 1, wave);
  stz_elastic_bare(k->elastic, m, green);
  for (int c = 0; c < 5; c++) {
    for (int d = 0; d < 5; d++) {
      bool odd = false; // at a Nyquist wave number of the nodes
      for (int axis = 0; axis < 3; axis++) {
        odd |=
            2 * STZ_COARSE * m[axis] == k->split->cells[axis] && stz_dev_parity(c, axis) * stz_dev_parity(d, axis) < 0;
      }
      green[c][d] = odd ? 0.0 : weight * green[c][d];
    }
  }
}

void stz_split_spline(int h, int residue, float weight[4]) {
  const double t = (double)residue / h, s = 1.0 - t;
  weight[0] = (float)(s * s * s / 6.0);
  weight[1] = (float)(2.0 / 3.0 - t * t * (1.0 - 0.5 * t));
  weight[2] = (float)(2.0 / 3.0 - s * s * (1.0 - 0.5 * s));
  weight[3] = (float)(t * t * t / 6.0);
}
