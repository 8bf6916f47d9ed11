// SPDX-License-Identifier: GPL-3.0-or-later
#include "elastic/waves.h"

#include <math.h>
#include <string.h>

#include "base/units.h"

static const double R2 = 1.41421356237309504880;

double stz_waves_bell(double width, double z) {
  return exp(-0.5 * z * z / (width * width)) / (width * sqrt(2.0 * STZ_PI));
}

void stz_waves_half_line(double k, double width, double z, double *e, double *f) {
  const double scale = R2 * width, x = (k * width * width - z) / scale, y = z / scale;
  if (x <= 0.0) {
    *e = 0.5 * exp(0.5 * k * k * width * width - k * z) * erfc(x);
  } else {
    *e = y < -17.0 || x > 25.0 ? 0.0 : 0.5 * exp(x * x - y * y) * erfc(x);
  }
  *f = (z - k * width * width) * *e + width * width * stz_waves_bell(width, z);
}

void stz_waves_add(double k, double width, double z, double share, stz_waves *w) {
  double above, below, above1, below1;
  stz_waves_half_line(k, width, z, &above, &above1);
  stz_waves_half_line(k, width, -z, &below, &below1);
  const double even = share * (above + below), odd = share * (above - below);
  const double even1 = share * k * (above1 + below1), odd1 = share * k * (above1 - below1);
  const double one = share * stz_waves_bell(width, z);
  w->one += one;
  w->q4 += one + 0.25 * k * (even1 - 3.0 * even);
  w->q3 += 0.25 * (2.0 * odd - odd1);
  w->q2 += (even - even1) / (4.0 * k);
  w->q1 += odd1 / (4.0 * k * k);
  w->q0 += (even + even1) / (4.0 * k * k * k);
  w->p2 += one - 0.5 * k * even;
  w->p1 += 0.5 * odd;
  w->p0 += even / (2.0 * k);
}

// The functions of a source layer at a depth.
static stz_waves waves_at(const stz_waves_body *body, double k, const stz_waves_layer *from, double z) {
  stz_waves w = {0};
  for (int i = 0; i < from->images; i++) stz_waves_add(k, body->width, z - from->centre[i], 1.0, &w);
  return w;
}

void stz_waves_stress(const stz_waves_body *body, double k, const stz_waves *w, double sv[STZ_SV][STZ_SV],
                      double sh[STZ_SH][STZ_SH]) {
  const double l = body->poisson / (1.0 - body->poisson), m = 1.0 + l, s = -2.0 * body->shear, k2 = k * k;
  const double rows[STZ_SV][STZ_SV] = {
      {m * w->q4, l * w->p2, m * k2 * w->q2, R2 * m * k * w->q3},
      {l * w->p2, m * w->one, l * k2 * w->p0, R2 * l * k * w->p1},
      {m * k2 * w->q2, l * k2 * w->p0, m * k2 * k2 * w->q0, R2 * m * k2 * k * w->q1},
      {-R2 * m * k * w->q3, -R2 * l * k * w->p1, -R2 * m * k2 * k * w->q1, 2.0 * m * k2 * w->q2},
  };
  for (int a = 0; a < STZ_SV; a++) {
    for (int b = 0; b < STZ_SV; b++) sv[a][b] = s * rows[a][b];
  }
  sh[0][0] = s * w->p2;
  sh[0][1] = s * k * w->p1;
  sh[1][0] = -s * k * w->p1;
  sh[1][1] = s * k2 * w->p0;
}

void stz_waves_free(const stz_waves_body *body, double e, double f, double side, double sv[STZ_SV][2],
                    double sh[STZ_SH]) {
  const double two_mu = 2.0 * body->shear, nu = body->poisson;
  const double rows[STZ_SV][2] = {{-e, f - 2.0 * nu * e},
                                  {0.0, -2.0 * nu * e},
                                  {e, -(2.0 - 2.0 * nu) * e - f},
                                  {-R2 * side * e, R2 * side * ((1.0 - 2.0 * nu) * e + f)}};
  for (int a = 0; a < STZ_SV; a++) {
    for (int b = 0; b < 2; b++) sv[a][b] = two_mu * rows[a][b];
  }
  sh[0] = two_mu * e / R2;
  sh[1] = two_mu * side * e / R2;
}

void stz_waves_put(stz_waves_readout *r, int face, double sv[STZ_SV][2], const double sh[STZ_SH]) {
  for (int a = 0; a < STZ_SV; a++) {
    for (int b = 0; b < 2; b++) r->sv[a][2 * face + b] = sv[a][b];
  }
  for (int a = 0; a < STZ_SH; a++) r->sh[a][face] = sh[a];
}

void stz_waves_add_free(const stz_waves_readout *r, const stz_waves_source *s, double sv[STZ_SV][STZ_SV],
                        double sh[STZ_SH][STZ_SH]) {
  for (int a = 0; a < STZ_SV; a++) {
    for (int b = 0; b < STZ_SV; b++) {
      for (int i = 0; i < 4; i++) sv[a][b] += r->sv[a][i] * s->sv[i][b];
    }
  }
  for (int a = 0; a < STZ_SH; a++) {
    for (int b = 0; b < STZ_SH; b++) sh[a][b] += r->sh[a][0] * s->sh[0][b] + r->sh[a][1] * s->sh[1][b];
  }
}

// Solves a x = b for `columns` right-hand sides, in place of b: Gauss with pivots.
static void solve(int n, double a[4][4], int columns, double b[4][STZ_SV]) {
  for (int i = 0; i < n; i++) {
    int pivot = i;
    for (int j = i + 1; j < n; j++) pivot = fabs(a[j][i]) > fabs(a[pivot][i]) ? j : pivot;
    for (int c = 0; c < 4; c++) {
      const double va = a[i][c], vb = b[i][c];
      a[i][c] = a[pivot][c];
      a[pivot][c] = va;
      b[i][c] = b[pivot][c];
      b[pivot][c] = vb;
    }
    for (int j = 0; j < n; j++) {
      const double factor = j == i ? 0.0 : a[j][i] / a[i][i];
      for (int c = i; c < n && j != i; c++) a[j][c] -= factor * a[i][c];
      for (int c = 0; c < columns; c++) b[j][c] -= factor * b[i][c];
    }
  }
  for (int i = 0; i < n; i++) {
    for (int c = 0; c < columns; c++) b[i][c] /= a[i][i];
  }
}

stz_waves_source stz_waves_solve(const stz_waves_body *body, double k, const stz_waves_layer *from) {
  static const int traction[2] = {2, 3};
  double m[4][4] = {{0}}, t[4][STZ_SV] = {{0}}, m2[4][4] = {{0}}, t2[4][STZ_SV] = {{0}};
  stz_waves_source s;
  for (int face = 0; face < 2; face++) {
    double sv[STZ_SV][STZ_SV], sh[STZ_SH][STZ_SH];
    const stz_waves w = waves_at(body, k, from, face ? body->height : 0.0);
    stz_waves_stress(body, k, &w, sv, sh);
    for (int a = 0; a < 2; a++) {
      for (int b = 0; b < STZ_SV; b++) t[2 * face + a][b] = -sv[traction[a]][b];
    }
    for (int b = 0; b < STZ_SH; b++) t2[face][b] = -sh[1][b];
    for (int other = 0; other < 2; other++) {
      const double zeta = other == face ? 0.0 : body->height, e = exp(-k * zeta);
      double from_face[STZ_SV][2], antiplane[STZ_SH];
      stz_waves_free(body, e, k * zeta * e, other ? -1.0 : 1.0, from_face, antiplane);
      for (int a = 0; a < 2; a++) {
        for (int b = 0; b < 2; b++) m[2 * face + a][2 * other + b] = from_face[traction[a]][b];
      }
      m2[face][other] = antiplane[1];
    }
  }
  solve(4, m, STZ_SV, t);
  solve(2, m2, STZ_SH, t2);
  memcpy(s.sv, t, sizeof s.sv);
  for (int a = 0; a < 2; a++) {
    for (int b = 0; b < STZ_SH; b++) s.sh[a][b] = t2[a][b];
  }
  return s;
}

void stz_waves_turn(double c, double s, double q[6][6]) {
  static const double r2 = 0.70710678118654752440, r3 = 0.57735026918962576451, r6 = 0.40824829046386301637;
  const double rows[6][6] = {
      {R2 * c * s, 0, 0, r2 * (c * c - s * s), -r6, r3},
      {-R2 * c * s, 0, 0, r2 * (s * s - c * c), -r6, r3},
      {0, 0, 0, 0, 2.0 * r6, r3},
      {0, s, c, 0, 0, 0},
      {c * c - s * s, 0, 0, -2.0 * c * s, 0, 0},
      {0, c, -s, 0, 0, 0},
  };
  memcpy(q, rows, sizeof rows);
}

// Of the basis, 0 and 3 have components kk, tt and kt, 1 and 2 kz and tz, 4 and 5 kk, tt and zz: all other numbers of q
// are zero.
void stz_waves_add_turned(double share, double q[6][6], double sv[STZ_SV][STZ_SV], double sh[STZ_SH][STZ_SH],
                          double green[6][5]) {
  static const int parts[6][3] = {{0, 1, 4}, {3, 5}, {3, 5}, {0, 1, 4}, {0, 1, 2}, {0, 1, 2}},
                   count[6] = {3, 2, 2, 3, 3, 3};
  double half[6][5];
  for (int a = 0; a < STZ_SV; a++) {
    double weighed[STZ_SV];
    for (int b = 0; b < STZ_SV; b++) weighed[b] = share * sv[a][b];
    for (int d = 0; d < 5; d++) {
      half[a][d] =
          d == 1 || d == 2 ? weighed[3] * q[3][d] : weighed[0] * q[0][d] + weighed[1] * q[1][d] + weighed[2] * q[2][d];
    }
  }
  for (int a = 0; a < STZ_SH; a++) {
    for (int d = 0; d < 5; d++) half[STZ_SV + a][d] = share * (sh[a][0] * q[STZ_SV][d] + sh[a][1] * q[STZ_SV + 1][d]);
  }
  for (int c = 0; c < 6; c++) {
    for (int i = 0; i < count[c]; i++) {
      const int a = parts[c][i];
      for (int d = 0; d < 5; d++) green[c][d] += q[a][c] * half[a][d];
    }
  }
}
