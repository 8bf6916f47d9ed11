// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a run will need, before it runs: sizes from the fields' own, costs from typical speeds of one core.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "observe/history.h"
#include "sim/sim.h"

// Bytes a site: the glass's fields (structure, composition, two barriers, noise, plastic strain, cell, rotations,
// counts), the engine's stress, and at set-up spectra and composition fields in double precision.
static const double RUN_BYTES = 73.0, SETUP_BYTES = 140.0;

// Axial strain range and duration that the protocol goes through, following it roughly: plastic strain sets in at the
// flow stress, relaxation turns elastic strain into plastic.
typedef struct course {
  double strain, largest, plastic;
} course;

static const double FLOW_STRESS_GPA = 3.25;

static void follow(course *c, const stz_segment *segment, const stz_elastic_params *elastic) {
  const double elastic_limit = FLOW_STRESS_GPA / elastic->young_GPa;
  double target = c->strain;
  switch (segment->type) {
  case STZ_SEGMENT_STRAIN_RATE:
    target = segment->rate_per_s > 0.0 ? INFINITY : -INFINITY;
    if (isfinite(segment->until_strain)) target = segment->until_strain;
    if (isfinite(segment->duration_s)) {
      const double end = c->strain + segment->rate_per_s * segment->duration_s;
      target = segment->rate_per_s > 0.0 ? fmin(target, end) : fmax(target, end);
    }
    if (isfinite(segment->until_stress_GPa)) {
      const double end = c->plastic + segment->until_stress_GPa / elastic->young_GPa;
      target = segment->rate_per_s > 0.0 ? fmin(target, end) : fmax(target, end);
    }
    break;
  case STZ_SEGMENT_ACTUATOR: {
    const double free = segment->mismatch_strain / (1.0 + elastic->young_GPa / segment->stiffness_GPa);
    const double flowing = segment->mismatch_strain - FLOW_STRESS_GPA / segment->stiffness_GPa;
    target = c->strain + fmax(free, flowing);
    break;
  }
  case STZ_SEGMENT_CREEP:
    if (isfinite(segment->until_strain)) target = segment->until_strain;
    if (isfinite(segment->stress_GPa)) target = fmax(target, c->plastic + segment->stress_GPa / elastic->young_GPa);
    break;
  case STZ_SEGMENT_RELAXATION:
    break;
  case STZ_SEGMENT_AGE:
    target = c->plastic;
    break;
  }
  c->strain = target;
  c->largest = fmax(c->largest, c->strain);
  c->plastic = fmax(c->plastic, c->strain - elastic_limit);
}

static course course_of(const stz_config *config) {
  course c = {0};
  for (int i = 0; i < config->segments; i++) follow(&c, &config->protocol[i], &config->elastic);
  return c;
}

void stz_sim_estimate(const stz_config *config, int ranks, stz_estimate *estimate) {
  const int *cells = config->lattice.cells;
  const double a = config->lattice.spacing_nm, sites = (double)cells[0] * cells[1] * cells[2];
  const double octant = (cells[0] / 2 + 1.0) * (cells[1] / 2 + 1.0) * (cells[2] / 2 + 16.0);
  const course c = course_of(config);
  // Events of mean Schmid factor about 0.4 carry the plastic strain; some are spent back and forth.
  const double volume = sites * a * a * a;
  const double plastic = isfinite(c.plastic) ? fmax(c.plastic, 0.005) : 0.0;
  estimate->events = 1.1 * plastic * volume / (0.4 * config->stz.gamma0 * config->stz.volume_nm3);
  const double nanoseconds = config->stz.orientation == STZ_ORIENTATION_RANDOM ? 20.0 : 15.0;
  estimate->seconds = estimate->events * (sites / ranks * nanoseconds * 1e-9 + (ranks > 1 ? 2e-5 : 0.0));
  estimate->bytes_per_rank = sites / ranks * (RUN_BYTES + SETUP_BYTES) + octant * 15.0 * sizeof(float) + 3e7;
  const double rows = 200.0 * config->segments + fmax(0.0, c.largest) / config->history.strain_step;
  estimate->file_bytes = rows * STZ_HISTORY_WIDTH * sizeof(double) + sites * 4.0 * sizeof(float) +
                         config->nbed_strains.count * config->nbed.scans * 100.0 * 18.0 +
                         (config->events ? 26.0 * estimate->events : 0.0);
}

void stz_sim_unreachable_levels(const stz_config *config, char *text, int size) {
  const course c = course_of(config);
  int at = 0;
  text[0] = 0;
  for (int i = 0; i < config->nbed_strains.count && at < size; i++) {
    if (config->nbed_strains.values[i] <= c.largest + 1e-12) continue;
    at += snprintf(text + at, (size_t)(size - at), "%s%g", at ? ", " : "", config->nbed_strains.values[i]);
  }
}
