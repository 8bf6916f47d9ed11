// SPDX-License-Identifier: GPL-3.0-or-later
#include "load/balance.h"

#include <assert.h>
#include <string.h>

#include "base/tensor.h"

enum { NORMAL = 3 }; // the components before are normal

void stz_balance_set(stz_balance *balance) {
  const double young = balance->young, poisson = balance->poisson;
  int n = 0; // strained normal components: 1 gives Young's modulus, 2 plane stress, 3 the full stiffness
  for (int v = 0; v < NORMAL; v++) n += balance->strained[v];
  const double scale = (1.0 + poisson) * (1.0 - (n - 1) * poisson);
  const double same = young * ((1.0 - (n - 2) * poisson) / scale), other = young * (poisson / scale);
  balance->sprung = -1;
  balance->deforms = false;
  memset(balance->stiffness, 0, sizeof balance->stiffness);
  for (int u = 0; u < 6; u++) {
    if (!balance->strained[u]) continue;
    if (u >= NORMAL) balance->stiffness[u][u] = young / (1.0 + poisson); // tensor components: 2 mu
    for (int v = 0; u < NORMAL && v < NORMAL; v++) {
      if (balance->strained[v]) balance->stiffness[u][v] = u == v ? same : other;
    }
  }
}

void stz_balance_add_spring(stz_balance *balance, int component, double stiffness) {
  double *own = &balance->stiffness[component][component];
  for (int v = 0; v < 6; v++) assert(v == component || balance->stiffness[component][v] == 0.0);
  balance->sprung = component;
  balance->spring = stiffness;
  *own = stiffness / (1.0 + stiffness / *own);
}

void stz_balance_stress(const stz_balance *balance, const double imposed[6], const double plastic[6],
                        double stress[6]) {
  double elastic[6], pressed = 0.0; // sum of the imposed normal stresses
  for (int v = 0; v < NORMAL; v++) pressed += balance->strained[v] ? 0.0 : imposed[v];
  for (int v = 0; v < 6; v++) {
    elastic[v] = imposed[v] - plastic[v];
    if (v < NORMAL) elastic[v] += balance->poisson * pressed / balance->young;
  }
  for (int u = 0; u < 6; u++) {
    stress[u] = 0.0;
    for (int v = 0; v < 6; v++) stress[u] += balance->stiffness[u][v] * elastic[v];
    if (!balance->strained[u]) stress[u] = imposed[u];
  }
}

void stz_balance_strain(const stz_balance *balance, const double stress[6], const double plastic[6], double strain[6]) {
  const double young = balance->young, poisson = balance->poisson;
  const double *s = stress;
  const double lateral[NORMAL] = {s[STZ_YY] + s[STZ_ZZ], s[STZ_XX] + s[STZ_ZZ], s[STZ_XX] + s[STZ_YY]};
  for (int v = 0; v < NORMAL; v++) strain[v] = (s[v] - poisson * lateral[v]) / young + plastic[v];
  for (int v = NORMAL; v < 6; v++) strain[v] = (1.0 + poisson) * s[v] / young + plastic[v];
}
