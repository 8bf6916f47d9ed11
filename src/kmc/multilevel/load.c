// SPDX-License-Identifier: GPL-3.0-or-later
//
// What moduli that vary make of the stress of sites: D times that of events, and the load's by a tensor of each site.
#include <math.h>

#include "base/tensor.h"
#include "kmc/multilevel/multilevel.h"

// What acts at the reference: the mean stress, and the uniform part that removes the truncated kernels' net sum.
static stz_loading loading_of(const stz_multilevel *e) {
  double applied[5], uniform[5];
  stz_dev_from_sym(e->head->applied, applied);
  for (int c = 0; c < 5; c++) uniform[c] = e->head->mean[c] - applied[c];
  return stz_contrast_loading(e->head->applied, uniform);
}

void stz_ml_load_block(const stz_kmc *kmc, const stz_multilevel *e, int block, float s[5][STZ_ML_SITES]) {
  const stz_loading loading = loading_of(e);
  for (int x = 0; x < 8; x++) {
    float *const to[5] = {s[0] + 64 * x, s[1] + 64 * x, s[2] + 64 * x, s[3] + 64 * x, s[4] + 64 * x};
    const int64_t first = stz_ml_local(e, STZ_ML_SITES * block + 64 * x);
    stz_contrast_drive_rows(kmc->params.contrast, &loading, first, e->cells[2], 8, (const float *const *)to, to);
  }
}

void stz_ml_load_list(const stz_kmc *kmc, const stz_multilevel *e, stz_ml_list *list, int n) {
  const stz_loading loading = loading_of(e);
  float *const s[5] = {list->s[0], list->s[1], list->s[2], list->s[3], list->s[4]};
  stz_contrast_drive_list(kmc->params.contrast, &loading, n, list->places, s);
}

void stz_ml_load_site(const stz_kmc *kmc, const stz_multilevel *e, const double mean[6], const double uniform[5],
                      int32_t number, float stress[5]) {
  const stz_loading loading = stz_contrast_loading(mean, uniform);
  const int32_t site = (int32_t)stz_ml_local(e, number);
  float *const s[5] = {stress, stress + 1, stress + 2, stress + 3, stress + 4};
  stz_contrast_drive_list(kmc->params.contrast, &loading, 1, &site, s);
}

double stz_ml_furthest(const stz_kmc *kmc, const double mean[6], const double total[5]) {
  const stz_ml_head *h = ((const stz_multilevel *)kmc->state)->head;
  const stz_contrast *contrast = kmc->params.contrast;
  double moved[6], d[5], uniform2 = 0.0;
  for (int v = 0; v < 6; v++) moved[v] = mean[v] - h->applied[v];
  stz_dev_from_sym(moved, d);
  for (int c = 0; c < 5; c++) uniform2 += (total[c] - h->mean[c] - d[c]) * (total[c] - h->mean[c] - d[c]);
  return stz_contrast_most_dress(contrast) * sqrt(uniform2) + stz_contrast_most(contrast, moved);
}
