// SPDX-License-Identifier: GPL-3.0-or-later
#include "sweep/design.h"

#include <stdio.h>
#include <string.h>

#include "base/mathfn.h"
#include "base/memory.h"
#include "rng/rng.h"
#include "sweep/sobol.h"

struct stz_design {
  const stz_sweep_spec *spec;
  int points, dimensions;
  int dimension[STZ_SWEEP_AXES]; // of each axis
  int first[STZ_SWEEP_AXES];     // axis of each dimension
  double *unit;                  // of a sampled design: coordinates in [0, 1), points x dimensions
};

static void find_dimensions(stz_design *d) {
  for (int a = 0; a < d->spec->axis_count; a++) {
    int same = 0;
    while (same < a && !(d->spec->axes[a].zip[0] && strcmp(d->spec->axes[a].zip, d->spec->axes[same].zip) == 0)) same++;
    if (same == a) d->first[d->dimensions] = a;
    d->dimension[a] = same < a ? d->dimension[same] : d->dimensions++;
  }
}

static void latin_hypercube(stz_design *d) {
  for (int k = 0; k < d->dimensions; k++) {
    stz_rng rng = stz_rng_stream(d->spec->seed, STZ_RNG_DESIGN, (uint64_t)k);
    double *u = d->unit + k;
    const size_t step = (size_t)d->dimensions;
    for (int p = 0; p < d->points; p++) { // a random permutation, grown by one
      const size_t other = (size_t)stz_rng_below(&rng, (uint64_t)p + 1);
      u[(size_t)p * step] = u[other * step];
      u[other * step] = p;
    }
    for (int p = 0; p < d->points; p++) {
      u[(size_t)p * step] = (u[(size_t)p * step] + stz_rng_uniform(&rng)) / d->points;
    }
  }
}

static void sobol(stz_design *d) {
  for (int k = 0; k < d->dimensions; k++) {
    stz_rng rng = stz_rng_stream(d->spec->seed, STZ_RNG_DESIGN, (uint64_t)k);
    const uint32_t shift = (uint32_t)(stz_rng_next(&rng) >> 32);
    for (int p = 0; p < d->points; p++) {
      d->unit[(size_t)p * (size_t)d->dimensions + (size_t)k] = (stz_sobol(k, (uint32_t)p) ^ shift) * 0x1p-32;
    }
  }
}

static stz_err fill(stz_design *d) {
  const stz_sweep_spec *spec = d->spec;
  find_dimensions(d);
  double points = 1.0;
  for (int k = 0; k < d->dimensions; k++) points *= spec->axes[d->first[k]].count;
  if (spec->design != STZ_DESIGN_GRID) points = spec->points;
  if (points * spec->replicas > STZ_SWEEP_RUNS) {
    return stz_fail(STZ_EINPUT, "%s: got %.0f points of %d replicas, needs at most %d runs", spec->path, points,
                    spec->replicas, STZ_SWEEP_RUNS);
  }
  d->points = (int)points;
  if (spec->design == STZ_DESIGN_GRID) return STZ_OK;
  STZ_TRY(STZ_NEW(d->unit, (size_t)d->points * (size_t)d->dimensions));
  if (spec->design == STZ_DESIGN_SOBOL) {
    sobol(d);
  } else {
    latin_hypercube(d);
  }
  return STZ_OK;
}

stz_err stz_design_create(const stz_sweep_spec *spec, stz_design **design) {
  stz_design *d = NULL;
  *design = NULL;
  STZ_TRY(STZ_NEW(d, 1));
  d->spec = spec;
  const stz_err err = fill(d);
  if (err != STZ_OK) {
    stz_design_destroy(&d);
    return err;
  }
  *design = d;
  return STZ_OK;
}

void stz_design_destroy(stz_design **design) {
  if (!*design) return;
  stz_free((*design)->unit);
  stz_free(*design);
  *design = NULL;
}

int stz_design_points(const stz_design *d) { return d->points; }
int stz_design_dimensions(const stz_design *d) { return d->dimensions; }
int stz_design_dimension_of(const stz_design *d, int axis) { return d->dimension[axis]; }
int stz_design_size(const stz_design *d, int dimension) { return d->spec->axes[d->first[dimension]].count; }

const char *stz_design_dimension_name(const stz_design *d, int dimension) {
  const stz_axis *axis = &d->spec->axes[d->first[dimension]];
  return axis->zip[0] ? axis->zip : axis->name;
}

void stz_design_index(const stz_design *d, int point, int index[STZ_SWEEP_AXES]) {
  for (int k = d->dimensions - 1; k >= 0; k--) {
    index[k] = point % stz_design_size(d, k);
    point /= stz_design_size(d, k);
  }
}

// The value of a range at u in [0, 1], to 12 digits: the same text, hence the same run, everywhere.
static void print_at(const stz_axis *axis, double u, char number[STZ_NUMBER_SIZE]) {
  const double value = axis->logarithmic ? stz_exp(stz_ln(axis->from) + u * (stz_ln(axis->to) - stz_ln(axis->from)))
                                         : axis->from + u * (axis->to - axis->from);
  snprintf(number, STZ_NUMBER_SIZE, "%.12g", value);
}

const char *stz_design_value(const stz_design *d, int point, int axis, char number[STZ_NUMBER_SIZE]) {
  const stz_axis *a = &d->spec->axes[axis];
  const int k = d->dimension[axis];
  if (d->unit) {
    const double u = d->unit[(size_t)point * (size_t)d->dimensions + (size_t)k];
    if (a->values) return a->values[(int)(u * a->count)];
    print_at(a, u, number);
    return number;
  }
  int index[STZ_SWEEP_AXES];
  stz_design_index(d, point, index);
  if (a->values) return a->values[index[k]];
  print_at(a, (double)index[k] / (a->count - 1), number);
  return number;
}
