// SPDX-License-Identifier: GPL-3.0-or-later
#include "elastic/split_film.h"

#include <math.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "base/tensor.h"
#include "base/units.h"
#include "elastic/film_total.h"
#include "elastic/mirror.h"
#include "elastic/quadrant.h"

enum { ENTRIES = 25, STEPS = 4 }; // STEPS: sites of a node of the widest level with tables

// --- the coarse part ---

// Between coarse nodes along z, of which the first is number -1, at a wave number along x and y: the images and the
// periodic box, whose nodes are as many.
typedef struct coarse {
  const stz_split *split;
  const stz_elastic *box;
  const stz_plate *plate;
  int nodes;
  double *fit, *work, *half; // nodes x layers; of the plate; half of the product
  double *entry;             // one entry of all pairs of layers
  double (*green)[6][5];     // of all pairs of layers
} coarse;

static double coarse_weight(const coarse *k, const int m[2]) {
  double k2 = 0.0, weight = 1.0;
  for (int axis = 0; axis < 2; axis++) {
    const double wave = 2.0 * STZ_PI * m[axis] / k->split->cells[axis], filter = stz_split_prefilter(STZ_COARSE, wave);
    k2 += wave * wave;
    weight *= filter * filter / STZ_COARSE;
  }
  return weight * stz_split_window(STZ_LEVELS + 1, 0.0, sqrt(k2));
}

// Adds the operator of the periodic box, summed over the wave numbers along z; with the factors i of stz_plate_green.
static void add_box(const coarse *k, const int m[2], double (*green)[6][5]) {
  const int n = k->nodes;
  for (int z = 0; z <= n / 2; z++) {
    const double weight = (z == 0 || 2 * z == n ? 1.0 : 2.0) / n;
    double bare[6][6];
    stz_split_coarse(&(stz_split_source){k->split, k->box}, (const int[3]){m[0], m[1], z}, bare);
    for (int pair = 0; pair < n * n; pair++) {
      const int turns = z * (pair / n - pair % n);
      const double angle = 2.0 * STZ_PI * turns / n;
      for (int entry = 0; entry < ENTRIES; entry++) {
        const int c = entry / 5, d = entry % 5, odd = stz_odd(c, 2) - stz_odd(d, 2);
        green[pair][c][d] += weight * (odd ? odd * sin(angle) : cos(angle)) * bare[c][d];
      }
    }
  }
}

static void coarse_source(void *context, const int m[2], int worker, double (*green)[6][5]) {
  (void)worker; // there is one
  const coarse *k = context;
  const int layers = k->split->layers, nodes = k->nodes;
  const double weight = coarse_weight(k, m);
  stz_plate_green(k->plate, m[0], m[1], NULL, layers, k->work, k->green);
  for (int entry = 0; entry < ENTRIES; entry++) {
    const int c = entry / 5, d = entry % 5;
    for (int pair = 0; pair < layers * layers; pair++) k->entry[pair] = k->green[pair][c][d];
    for (int node = 0; node < nodes; node++) {
      double *line = k->half + node * layers;
      memset(line, 0, (size_t)layers * sizeof *line);
      for (int z = 0; z < layers; z++) {
        const double share = weight * k->fit[node * layers + z];
        for (int from = 0; from < layers; from++) line[from] += share * k->entry[z * layers + from];
      }
    }
    for (int pair = 0; pair < nodes * nodes; pair++) {
      double sum = 0.0;
      for (int z = 0; z < layers; z++) sum += k->half[pair / nodes * layers + z] * k->fit[pair % nodes * layers + z];
      green[pair][c][d] = sum;
    }
  }
  add_box(k, m, green);
}

static stz_err make_coarse(stz_split *s, const stz_elastic *film, const stz_elastic *box) {
  stz_plate *plate = NULL;
  coarse k = {.split = s, .box = box, .nodes = stz_images_nodes(s->layers, STZ_COARSE)};
  const int cells[3] = {s->cells[0] / STZ_COARSE, s->cells[1] / STZ_COARSE, (k.nodes + 7) / 8 * 8};
  stz_err err = stz_elastic_plate(film, s->cells[2], true, &plate);
  k.plate = plate;
  if (err == STZ_OK) err = stz_images_fit(s->layers, STZ_COARSE, &k.fit);
  if (err == STZ_OK) err = STZ_NEW(k.work, stz_plate_work(plate));
  if (err == STZ_OK) err = STZ_NEW(k.half, k.nodes * s->layers);
  if (err == STZ_OK) err = STZ_NEW(k.entry, s->layers * s->layers);
  if (err == STZ_OK) err = STZ_NEW(k.green, s->layers * s->layers);
  if (err == STZ_OK) err = stz_film_total_create_of(NULL, cells, k.nodes, coarse_source, &k, &s->images);
  if (err == STZ_OK) s->bytes += stz_film_total_table_bytes(s->images) + stz_film_total_work_bytes(s->images);
  stz_free(k.fit);
  stz_free(k.work);
  stz_free(k.half);
  stz_free(k.entry);
  stz_free(k.green);
  stz_plate_destroy(&plate);
  return err;
}

// --- sums ---

// What lies in the film of the near part about an event.
static void add_near(const stz_split *s, int z, int parity, double sums[ENTRIES]) {
  for (int row = 0; row < STZ_NEAR_ROWS; row++) {
    const int x = row / STZ_NEAR_SPAN, y = row % STZ_NEAR_SPAN;
    const double images = (x ? 2.0 : 1.0) * (y ? 2.0 : 1.0);
    for (int dz = 1 - STZ_NEAR_SPAN; dz < STZ_NEAR_SPAN; dz++) {
      if (z + dz < 0 || z + dz >= s->layers) continue;
      for (int entry = 0; entry < ENTRIES; entry++) {
        const int c = entry / 5, d = entry % 5;
        if (stz_odd_pair(c, d, 0) || stz_odd_pair(c, d, 1)) continue; // the images cancel
        sums[entry] +=
            images * (double)s->near[parity][((row)*STZ_PAIRS + stz_elastic_pair(c, d)) * 8 + (dz < 0 ? -dz : dz)];
      }
    }
  }
}

// How many sites of the film a node along z stands for.
static double sites_of(const stz_split *s, int h, int node) {
  double sum = 0.0;
  for (int z = h * (node - 2); z < h * (node + 2); z++) {
    float weight[4];
    const int which = node - (z >= 0 ? z / h : -1) + 1;
    if (z < 0 || z >= s->layers || which < 0 || which > 3) continue;
    stz_split_spline(h, z % h, weight);
    sum += (double)weight[which];
  }
  return sum;
}

static void add_level(const stz_split *s, const stz_level *level, const int r[2], int z, double sums[ENTRIES]) {
  const int h = level->spacing;
  double sites[STZ_LEVEL_WINDOW];
  for (int node = 0; node < STZ_LEVEL_WINDOW; node++) sites[node] = h * h * sites_of(s, h, z / h + node - 7);
  for (int i = 0; i < STZ_LEVEL_WINDOW * STZ_LEVEL_WINDOW; i++) {
    int x, y;
    if (!stz_level_offset(level, 0, r[0] % h, i / STZ_LEVEL_WINDOW, &x)) continue;
    if (!stz_level_offset(level, 1, r[1] % h, i % STZ_LEVEL_WINDOW, &y)) continue;
    const int mx = x < 0 ? -x : x, my = y < 0 ? -y : y;
    if (mx > level->reach[0] || my > level->reach[1] || mx * mx + my * my > level->range2) continue;
    const uint32_t *row = level->rows + stz_level_row(level, mx, my, stz_level_class(level, z)) * STZ_LEVEL_ROW;
    for (int entry = 0; entry < ENTRIES; entry++) {
      const int c = entry / 5, d = entry % 5;
      const double sign = (x < 0 && stz_odd_pair(c, d, 0)) != (y < 0 && stz_odd_pair(c, d, 1)) ? -1.0 : 1.0;
      for (int node = 0; node < STZ_LEVEL_WINDOW; node++) {
        if (sites[node] > 0.0) sums[entry] += sign * sites[node] * stz_level_number(row, c, d, node);
      }
    }
  }
}

// What the coarse part of an event in the layer z comes to, by the waves without x and y: near part and levels would
// come to the opposite if they were not cut off.
static void add_coarse(const stz_split *s, const stz_elastic *box, const double (*column)[6][5], int z,
                       double sums[ENTRIES]) {
  const int n = s->cells[2];
  for (int to = 0; to < s->layers; to++) {
    for (int entry = 0; entry < ENTRIES; entry++) sums[entry] += column[to][entry / 5][entry % 5];
  }
  for (int m = 1; m <= n / 2; m++) {
    const double k = 2.0 * STZ_PI * m / n, twice = (2 * m == n ? 1.0 : 2.0) / n;
    double bare[6][6], cosines = 0.0;
    stz_elastic_bare(box, (const int[3]){0, 0, m}, bare);
    for (int to = 0; to < s->layers; to++) cosines += cos(k * (to - z));
    const double weight = twice * cosines * stz_split_window(STZ_LEVELS + 1, s->variance, k);
    for (int entry = 0; entry < ENTRIES; entry++) sums[entry] += weight * bare[entry / 5][entry % 5];
  }
}

typedef struct summing {
  stz_split *s;
  const double (*coarse)[ENTRIES]; // by layer
} summing;

static void sum_layers(void *context, int64_t first, int64_t end, int worker) {
  (void)worker;
  const summing *t = context;
  const stz_split *s = t->s;
  for (int i = (int)first; i < (int)end; i++) {
    const int z = i / (STEPS * STEPS), r[2] = {i / STEPS % STEPS, i % STEPS};
    double *sums = s->sums[i];
    memcpy(sums, t->coarse[z], ENTRIES * sizeof *sums);
    add_near(s, z, (r[0] & 1) * 4 + (r[1] & 1) * 2 + (z & 1), sums);
    stz_mirror_sums(s->mirror, z, sums);
    for (int l = 0; l < s->levels; l++) add_level(s, &s->level[l], r, z, sums);
  }
}

static stz_err make_sums(stz_split *s, const stz_elastic *film, const stz_elastic *box) {
  stz_plate *plate = NULL;
  double(*column)[6][5] = NULL, (*parts)[ENTRIES] = NULL, *work = NULL;
  stz_err err = stz_elastic_plate(film, s->cells[2], true, &plate);
  if (err == STZ_OK) err = STZ_NEW(column, s->layers);
  if (err == STZ_OK) err = STZ_NEW(parts, s->layers);
  if (err == STZ_OK) err = STZ_NEW(work, stz_plate_work(plate));
  if (err == STZ_OK) err = STZ_NEW(s->sums, s->layers * STEPS * STEPS);
  for (int z = 0; z < s->layers && s->coarse && err == STZ_OK; z++) {
    stz_plate_column(plate, 0, 0, z, s->layers, work, column);
    add_coarse(s, box, (const double(*)[6][5])column, z, parts[z]);
  }
  if (err == STZ_OK) {
    err = stz_look_run(stz_grid_team(s->grid), s->layers * STEPS * STEPS, 1, sum_layers,
                       &(summing){s, (const double(*)[ENTRIES])parts});
  }
  stz_free(column);
  stz_free(parts);
  stz_free(work);
  stz_plate_destroy(&plate);
  return err;
}

static stz_err make_self(stz_split *s, const stz_images *images) {
  STZ_TRY(STZ_NEW(s->self, s->layers));
  for (int z = 0; z < s->layers; z++) {
    const int number = stz_images_number(s->layers, z);
    for (int entry = 0; entry < ENTRIES; entry++) {
      const int c = entry / 5, d = entry % 5;
      s->self[z][c][d] = (double)s->whole[8 * stz_elastic_pair(c, d)] + (number < 0 ? 0.0 : images->self[number][c][d]);
    }
  }
  return STZ_OK;
}

stz_err stz_split_film(stz_split *split, const stz_elastic *film, const stz_elastic *box, const stz_images *images) {
  STZ_TRY(stz_mirror_create(split, images, &split->mirror));
  split->bytes += stz_mirror_bytes(split->mirror);
  if (split->coarse) STZ_TRY(make_coarse(split, film, box));
  STZ_TRY(make_self(split, images));
  STZ_TRY(make_sums(split, film, box));
  split->bytes += (size_t)split->layers * STEPS * STEPS * sizeof *split->sums;
  return STZ_OK;
}
