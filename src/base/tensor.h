// SPDX-License-Identifier: GPL-3.0-or-later
//
// Symmetric tensors and their deviators.
//
// A symmetric tensor is 6 numbers in the order xx yy zz yz xz xy (tensor components, never engineering shears).
// A deviator is 5 numbers d_c in an orthonormal basis, so that d.d' = A:B for deviators A, B:
//   d0 = sqrt2 A_xy, d1 = sqrt2 A_yz, d2 = sqrt2 A_xz, d3 = (A_xx - A_yy)/sqrt2, d4 = (2 A_zz - A_xx - A_yy)/sqrt6.
#ifndef STZ_BASE_TENSOR_H
#define STZ_BASE_TENSOR_H

enum { STZ_XX, STZ_YY, STZ_ZZ, STZ_YZ, STZ_XZ, STZ_XY };

// Deviator of the symmetric tensor `s` (its trace is dropped).
void stz_dev_from_sym(const double s[6], double d[5]);

// The traceless symmetric tensor of the deviator `d`.
void stz_sym_from_dev(const double d[5], double s[6]);

// Double contraction A:B of two symmetric tensors.
double stz_sym_dot(const double a[6], const double b[6]);

// The 5x5 matrix M (row-major) that turns deviator components as the rotation `r` (row-major 3x3) turns the tensor:
// A' = R A R^T has components M d. M is orthogonal.
void stz_dev_rotation(const double r[9], double m[25]);

// Sign (+1 or -1) of deviator component `c` under reflection of `axis` (0, 1, 2).
int stz_dev_parity(int c, int axis);

#endif
