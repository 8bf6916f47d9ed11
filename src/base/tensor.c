// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/tensor.h"

static const double SQRT2 = 1.41421356237309504880;
static const double SQRT6 = 2.44948974278317809820;

void stz_dev_from_sym(const double s[6], double d[5]) {
  d[0] = SQRT2 * s[STZ_XY];
  d[1] = SQRT2 * s[STZ_YZ];
  d[2] = SQRT2 * s[STZ_XZ];
  d[3] = (s[STZ_XX] - s[STZ_YY]) / SQRT2;
  d[4] = (2.0 * s[STZ_ZZ] - s[STZ_XX] - s[STZ_YY]) / SQRT6;
}

void stz_sym_from_dev(const double d[5], double s[6]) {
  s[STZ_XX] = d[3] / SQRT2 - d[4] / SQRT6;
  s[STZ_YY] = -d[3] / SQRT2 - d[4] / SQRT6;
  s[STZ_ZZ] = 2.0 * d[4] / SQRT6;
  s[STZ_YZ] = d[1] / SQRT2;
  s[STZ_XZ] = d[2] / SQRT2;
  s[STZ_XY] = d[0] / SQRT2;
}

double stz_sym_dot(const double a[6], const double b[6]) {
  double diagonal = a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
  return diagonal + 2.0 * (a[3] * b[3] + a[4] * b[4] + a[5] * b[5]);
}

void stz_dev_rotation(const double r[9], double m[25]) {
  for (int column = 0; column < 5; column++) {
    double unit[5] = {0}, s[6], turned[6], d[5];
    unit[column] = 1.0;
    stz_sym_from_dev(unit, s);
    const double a[3][3] = {{s[0], s[5], s[4]}, {s[5], s[1], s[3]}, {s[4], s[3], s[2]}};
    static const int row_of[6] = {0, 1, 2, 1, 0, 0}, column_of[6] = {0, 1, 2, 2, 2, 1};
    for (int v = 0; v < 6; v++) {
      turned[v] = 0.0;
      for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) turned[v] += r[3 * row_of[v] + i] * a[i][j] * r[3 * column_of[v] + j];
      }
    }
    stz_dev_from_sym(turned, d);
    for (int row = 0; row < 5; row++) m[5 * row + column] = d[row];
  }
}

int stz_dev_parity(int c, int axis) {
  static const int parity[5][3] = {{-1, -1, 1}, {1, -1, -1}, {-1, 1, -1}, {1, 1, 1}, {1, 1, 1}};
  return parity[c][axis];
}
