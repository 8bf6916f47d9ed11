// SPDX-License-Identifier: GPL-3.0-or-later
//
// The effect of an event on the multilevel engine: its stress, and the sites and blocks whose bounds are recomputed.
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/target.h"
#include "kmc/multilevel/multilevel.h"

enum { SCAN = 32 }; // events between checks of all blocks

static int periodic_distance(int d, int n) {
  if (d > n / 2) return d - n;
  return d < -n / 2 ? d + n : d;
}

// Marks the sites whose barrier or rotation has changed as exhausted. Those that no other function lists are appended
// to the list; returns its length. These are the ones beyond the near sphere and, if the near part was added
// before, those whose slack it has left.
static int mark_touched(const stz_kmc *kmc, stz_multilevel *e, const int origin[3], bool added, const int64_t *touched,
                        int count) {
  int listed = 0, xyz[3] = {0};
  const double recovery = stz_glass_recovery(kmc->glass);
  for (int i = 0; i < count; i++) {
    if (i > 0 && touched[i] == touched[i - 1] + 1 && xyz[2] + 1 < e->cells[2]) {
      xyz[2]++;
    } else {
      stz_grid_coords(e->grid, touched[i], xyz); // one rank: local is global
    }
    int r2 = 0;
    for (int axis = 0; axis < 3; axis++) {
      const int along = xyz[axis] - origin[axis];
      const int d = axis == 2 && e->split->film ? along : periodic_distance(along, e->cells[axis]);
      r2 += d * d;
    }
    const int32_t number = stz_ml_number(e, xyz);
    stz_row8 *row8 = stz_ml_row8(e, number);
    int16_t *slack = &row8->slack[number % 8];
    const bool near = r2 < STZ_NEAR_SPAN * STZ_NEAR_SPAN;
    if (near ? added && *slack >= 0 : *slack > STZ_ML_TOUCHED) e->list->sites[listed++] = number;
    *slack = STZ_ML_TOUCHED;
    // Not the glass's own field, which is of the time of the last evaluation of all sites.
    row8->barrier[number % 8] = (float)stz_glass_barrier_at(kmc->glass, touched[i], recovery);
  }
  return listed;
}

int stz_ml_list_exhausted(stz_ml_list *list, const stz_exhausted *exhausted, int rows8, int listed) {
  for (int i = 0; i < rows8; i++) {
    for (uint32_t lanes = exhausted[i].lanes; lanes; lanes &= lanes - 1) {
      list->sites[listed++] = 8 * exhausted[i].row8 + __builtin_ctz(lanes);
    }
  }
  return listed;
}

STZ_MULTIVERSION(void stz_ml_cached_of_list(const stz_multilevel *e, stz_ml_list *list, int n)) {
  for (int i = 0; i < n; i++) {
    const stz_row8 *row8 = stz_ml_row8(e, list->sites[i]);
    for (int c = 0; c < 5; c++) list->units[c][i] = row8->cached[c][list->sites[i] % 8];
  }
  for (int c = 0; c < 5; c++) {
    for (int at = 0; at < n; at += 8) {
      stz_from_fixed(list->units[c] + at, list->s[c] + at);
      for (int l = at; l < at + 8; l++) list->s[c][l] *= STZ_CACHED;
    }
  }
}

// What the parts of the kernel of an event come to over all sites, at its residues: [5 c + d].
static void sums_of(const stz_split *s, const int origin[3], double sums[25]) {
  const int parity = (origin[0] & 1) * 4 + (origin[1] & 1) * 2 + (origin[2] & 1);
  if (s->film) {
    memcpy(sums, s->sums[16 * origin[2] + 4 * (origin[0] % 4) + origin[1] % 4], 25 * sizeof *sums);
    return;
  }
  double pairs[STZ_PAIRS];
  memcpy(pairs, s->near_sums[parity], sizeof pairs);
  for (int l = 0; l < s->levels; l++) {
    const int h = s->level[l].spacing, at = (origin[0] % h * h + origin[1] % h) * h + origin[2] % h;
    for (int pair = 0; pair < STZ_PAIRS; pair++) pairs[pair] += s->level[l].sums[at][pair];
  }
  for (int entry = 0; entry < 25; entry++) sums[entry] = pairs[stz_elastic_pair(entry / 5, entry % 5)];
}

// Zero-mean correction: the uniform stress that removes the truncated kernels' net sum over the lattice.
void stz_ml_add_uniform(stz_multilevel *e, const int origin[3], const float strain[5]) {
  double sums[25];
  sums_of(e->split, origin, sums);
  for (int c = 0; c < 5; c++) {
    double sum = 0.0;
    for (int d = 0; d < 5; d++) sum += sums[5 * c + d] * (double)strain[d];
    e->head->uniform[c] -= stz_to_fine(sum / (double)stz_grid_sites(e->grid));
  }
}

int stz_ml_add_drift(stz_multilevel *e, const int origin[3], int sign, int first, int end, int32_t *near) {
  const float slope = stz_ml_slope(e), beyond = (float)stz_ml_drift_beyond(e);
  const float grain = e->selection.bounded ? STZ_ML_GRAIN : 0.0f;
  int count[3], blocks = 0;
  if (sign > 0) e->head->everywhere += stz_ml_drift_beyond(e);
  int place[3][STZ_ML_SPREAD], distance[3][STZ_ML_SPREAD];
  for (int axis = 0; axis < 3; axis++) {
    const int n = e->count[axis];
    const bool open = axis == 2 && e->split->film; // as many blocks on both sides; the few of a box are seen once each
    count[axis] = n < STZ_ML_SPREAD && !open ? n : STZ_ML_SPREAD;
    for (int i = 0; i < count[axis]; i++) {
      const int d = i - (count[axis] - 1) / 2, block = origin[axis] / 8 + d;
      const bool outside = open && (block < 0 || block >= n);
      place[axis][i] = outside ? -1 : (block + n) % n;
      distance[axis][i] = abs(d);
    }
  }
  for (int i = 0; i < count[0]; i++) {
    if (place[0][i] < first || place[0][i] >= end) continue;
    for (int j = 0; j < count[1]; j++) {
      const int row = (place[0][i] * e->count[1] + place[1][j]) * e->count[2];
      const float *spread = e->spread[distance[0][i]][distance[1][j]];
      for (int k = 0; k < count[2]; k++) {
        const int block = row + place[2][k];
        if (place[2][k] < 0) continue;
        e->drift[block] += (float)sign * ((slope * spread[distance[2][k]] - beyond + grain) - grain);
        if (e->selection.bounded && stz_ml_used(e, block)) e->due = true;
        near[blocks++] = block;
      }
    }
  }
  return blocks;
}

// Adds to the drift estimates, and updates the blocks about the event that are above their limit, and now and then all
// such; not for a selection of its own.
static void follow_drift(stz_kmc *kmc, stz_multilevel *e, const int origin[3]) {
  int32_t near[STZ_ML_SPREAD * STZ_ML_SPREAD * STZ_ML_SPREAD];
  const int blocks = stz_ml_add_drift(e, origin, 1, 0, e->count[0], near);
  stz_ml_rebound_due(kmc, near, blocks);
  if (kmc->stats.events < e->head->scanned + SCAN) return;
  e->head->scanned = kmc->stats.events;
  stz_ml_rebound_due(kmc, NULL, e->blocks);
}

// Recomputes the bounds of the first n sites of the list.
static void bound_first(stz_kmc *kmc, int n) {
  stz_multilevel *e = kmc->state;
  if (n == 0) return;
  stz_ml_cached_of_list(e, e->list, n);
  stz_ml_bound_list(kmc, n);
}

// The near part of an event and the sites that it has exhausted, or the glass has touched; returns how many of them are
// in the list, where they are still to be bounded.
static int take_near(stz_kmc *kmc, stz_multilevel *e, const int origin[3], const float strain[5]) {
  stz_ml_list *list = e->list;
  stz_exhausted *exhausted, *mirrored = NULL;
  int count;
  if (stz_ml_is_early(e)) {
    const int rows8 = stz_ml_add_event(kmc, origin, strain, &exhausted);
    stz_ml_await_glass(kmc);
    const int64_t *sites = stz_glass_touched(kmc->glass, &count);
    return stz_ml_list_exhausted(list, exhausted, rows8, mark_touched(kmc, e, origin, true, sites, count));
  }
  const int64_t *touched = stz_glass_touched(kmc->glass, &count);
  const int listed = mark_touched(kmc, e, origin, false, touched, count);
  const int images =
      e->split->film ? stz_mirror_add(e->split->mirror, origin, strain, stz_ml_slope(e), e->rows8, &mirrored) : 0;
  const int rows8 = stz_ml_add_event(kmc, origin, strain, &exhausted);
  if (images > 0) {
    stz_ml_loosen_rows(e, images, mirrored);
    stz_ml_sum_loosened(e, images, mirrored);
  }
  return stz_ml_list_exhausted(list, mirrored, images, stz_ml_list_exhausted(list, exhausted, rows8, listed));
}

int stz_ml_put_part(stz_kmc *kmc, const int origin[3], const float strain[5], const int64_t *touched, int count) {
  stz_multilevel *e = kmc->state;
  stz_exhausted *exhausted;
  int n = mark_touched(kmc, e, origin, false, touched, count);
  const int rows8 = stz_near_add(e->near, origin, strain, stz_ml_slope(e), e->rows8, &exhausted);
  stz_ml_loosen_rows(e, rows8, exhausted);
  stz_far_add(e->far, origin, strain);
  n = stz_ml_list_exhausted(e->list, exhausted, rows8, n);
  bound_first(kmc, n);
  stz_ml_sum_changed(e);
  return n;
}

void stz_ml_take_event(stz_kmc *kmc, const int origin[3], const float strain[5]) {
  stz_multilevel *e = kmc->state;
  stz_ml_head *h = e->head;
  assert(!h->put_off); // its candidate was drawn from bounds
  int32_t near[STZ_ML_SPREAD * STZ_ML_SPREAD * STZ_ML_SPREAD];
  const bool told = e->selection.bounded != NULL;
  stz_ml_add_uniform(e, origin, strain);
  if (told) (void)stz_ml_add_drift(e, origin, 1, 0, e->count[0], near);
  const int n = take_near(kmc, e, origin, strain);
  if (!told && kmc->stats.events + 1 >= h->converged + e->converge_every) {
    stz_ml_settle(kmc);
    stz_far_converge(e->far);
    h->converged = kmc->stats.events + 1;
  }
  bound_first(kmc, n);
  if (!told) follow_drift(kmc, e, origin);
  stz_ml_sum_changed(e);
  h->stale = kmc->stats.events + 1 >= h->recomputed + e->recompute_every;
}
