// SPDX-License-Identifier: GPL-3.0-or-later
#include "kmc/select.h"

int stz_pick_double(const double *weights, int count, double *target) {
  int last = 0;
  for (int i = 0; i < count; i++) {
    if (weights[i] <= 0) continue;
    last = i;
    if (*target < (double)weights[i]) return i;
    *target -= (double)weights[i];
  }
  *target = 0.0;
  return last;
}

int stz_pick_float(const float *weights, int count, double *target) {
  int last = 0;
  for (int i = 0; i < count; i++) {
    if (weights[i] <= 0) continue;
    last = i;
    if (*target < (double)weights[i]) return i;
    *target -= (double)weights[i];
  }
  *target = 0.0;
  return last;
}
