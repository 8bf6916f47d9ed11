// SPDX-License-Identifier: GPL-3.0-or-later
//
// The series that gives the elastic field of varying moduli under load, on one rank.
#include "elastic/contrast_solve.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "base/units.h"

static const double WIDTH_NM = 0.30; // of the Gaussian that filters h for D
static const double LAST = 1e-7;     // of the series' last term, over the first
static const double SOFTEST = 0.05;  // least 1 + h

// Two lattices of the same box, one 1.5 times finer, and fields on the finer: relative softness q = -h/(1 + h) and six
// components of an eigenstrain, which become their stress.
typedef struct stz_solving {
  const stz_elastic *elastic;
  stz_elastic_params params;
  double two_mu, three_k, volume;
  stz_grid *coarse, *fine;
  stz_spectral *from, *to;
  int64_t sites, points; // of either lattice
  size_t modes;          // of the finer
  int used;              // components that M sees: 5, or 6 with the trace
  double *h, *softness, *stress[6], *total[6];
  double complex *spectrum[6], *few;
  double *events[6]; // exact fields: strain of events, their stress
} stz_solving;

static void release(stz_solving *s) {
  for (int c = 0; c < 6; c++) {
    stz_free(s->stress[c]);
    stz_free(s->total[c]);
    stz_free(s->spectrum[c]);
    stz_free(s->events[c]);
  }
  stz_free(s->h);
  stz_free(s->softness);
  stz_free(s->few);
  stz_spectral_destroy(&s->from);
  stz_spectral_destroy(&s->to);
  stz_grid_destroy(&s->coarse);
  stz_grid_destroy(&s->fine);
}

static stz_err lattice_of(const stz_grid *grid, int times, int over, stz_grid **made) {
  stz_lattice_params params = {.spacing_nm = stz_grid_spacing(grid) * over / times};
  for (int axis = 0; axis < 3; axis++) params.cells[axis] = stz_grid_cells(grid)[axis] * times / over;
  STZ_TRY(stz_grid_create(MPI_COMM_SELF, &params, made));
  stz_grid_employ(*made, stz_grid_team(grid));
  return STZ_OK;
}

static stz_err prepare(const stz_grid *grid, stz_solving *s) {
  const double young = stz_elastic_young(s->elastic), poisson = stz_elastic_poisson(s->elastic);
  s->two_mu = young / (1.0 + poisson);
  s->three_k = young / (1.0 - 2.0 * poisson);
  s->used = s->params.contrast_holds == STZ_CONTRAST_POISSON ? 6 : 5;
  STZ_TRY(lattice_of(grid, 1, 1, &s->coarse));
  STZ_TRY(lattice_of(grid, 3, 2, &s->fine));
  STZ_TRY(stz_spectral_create(s->coarse, &s->from));
  STZ_TRY(stz_spectral_create(s->fine, &s->to));
  s->sites = stz_grid_sites(s->coarse);
  s->points = stz_grid_sites(s->fine);
  s->modes = stz_spectral_modes(s->to);
  STZ_TRY(STZ_NEW(s->h, s->sites));
  STZ_TRY(STZ_NEW(s->softness, s->points));
  STZ_TRY(STZ_NEW(s->few, stz_spectral_modes(s->from)));
  for (int c = 0; c < 6; c++) {
    if (s->params.contrast_model == STZ_CONTRAST_EXACT) STZ_TRY(STZ_NEW(s->events[c], s->sites));
    STZ_TRY(STZ_NEW(s->spectrum[c], s->modes));
    if (c >= s->used) continue;
    STZ_TRY(STZ_NEW(s->stress[c], s->points));
    STZ_TRY(STZ_NEW(s->total[c], s->points));
  }
  return STZ_OK;
}

stz_err stz_contrast_check(double contrast, double g) {
  const double modulus = 1.0 + 0.5 * contrast * g;
  if (modulus > SOFTEST) return STZ_OK;
  return stz_fail(
      STZ_EINPUT,
      "elasticity.contrast: got %g, needs less: where the structure is %.3g the shear modulus would be %.3g of "
      "the mean one",
      contrast, g, modulus);
}

// h between the sites by its Fourier series, and q there.
static stz_err interpolate(stz_solving *s) {
  stz_spectral_forward(s->from, s->h, s->few);
  STZ_TRY(stz_spectral_resample(s->from, s->few, s->to, s->spectrum[0]));
  stz_spectral_inverse(s->to, s->spectrum[0], s->softness);
  for (int64_t i = 0; i < s->points; i++) {
    const double h = s->softness[i];
    if (!(1.0 + h > SOFTEST)) {
      return stz_fail(STZ_EINPUT, "elasticity.contrast: a shear modulus between sites would be %.3g of the mean one",
                      1.0 + h);
    }
    s->softness[i] = -h / (1.0 + h);
  }
  return STZ_OK;
}

// The eigenstrain b = M stress, in place, is added to the sum; returns the sum of its squares.
static double polarise(stz_solving *s) {
  double sum = 0.0;
  for (int c = 0; c < s->used; c++) {
    const double unit = 1.0 / (c < 5 ? s->two_mu : s->three_k);
    for (int64_t i = 0; i < s->points; i++) {
      const double b = s->softness[i] * unit * s->stress[c][i];
      s->stress[c][i] = b;
      s->total[c][i] += b;
      sum += b * b;
    }
  }
  return sum;
}

typedef struct product {
  const stz_solving *s;
  bool shaped; // by the shape of an event
  int found;   // components of the stress
} product;

static void multiply(void *context, int64_t first, int64_t end, int worker) {
  (void)worker;
  const product *p = context;
  const stz_solving *s = p->s;
  const double width2 = cbrt(s->volume * s->volume) / (4.0 * STZ_PI);
  for (int64_t i = first; i < end; i++) {
    int m[3];
    double k[3], green[6][6] = {{0}}, shape = 1.0;
    double complex in[6] = {0};
    stz_spectral_wave(s->to, (size_t)i, m);
    stz_spectral_wave_vector(s->to, (size_t)i, k);
    bool nyquist = false; // of the finer lattice: left out
    for (int axis = 0; axis < 3; axis++) nyquist |= 2 * abs(m[axis]) == stz_grid_cells(s->fine)[axis];
    const double k2 = k[0] * k[0] + k[1] * k[1] + k[2] * k[2];
    if (k2 > 0.0 && !nyquist) stz_elastic_along(s->elastic, k, green);
    if (p->shaped) shape = exp(-0.5 * k2 * width2);
    for (int d = 0; d < s->used; d++) in[d] = s->spectrum[d][i];
    for (int c = 0; c < p->found; c++) {
      s->spectrum[c][i] = 0.0;
      for (int d = 0; d < s->used; d++) s->spectrum[c][i] += shape * green[c][d] * in[d];
    }
  }
}

static void multiply_all(const stz_solving *s, bool shaped, int found) {
  stz_team_run(stz_grid_team(s->fine), (int64_t)s->modes, 1024, multiply, &(product){s, shaped, found});
}

static void apply(stz_solving *s, double *const strain[6], bool shaped, int found) {
  for (int c = 0; c < s->used; c++) stz_spectral_forward(s->to, strain[c], s->spectrum[c]);
  multiply_all(s, shaped, found);
}

static void stress_back(stz_solving *s) {
  for (int c = 0; c < s->used; c++) stz_spectral_inverse(s->to, s->spectrum[c], s->stress[c]);
}

// The eigenstrain under the uniform stress 1 of component `column`, into s->total.
static stz_err sum_series(stz_solving *s, int column) {
  enum { MOST = 60 };
  double first = 0.0, last = 0.0;
  for (int c = 0; c < s->used; c++) {
    memset(s->total[c], 0, (size_t)s->points * sizeof(double));
    for (int64_t i = 0; i < s->points; i++) s->stress[c][i] = c == column;
  }
  for (int term = 0; term < MOST; term++) {
    last = polarise(s);
    if (term == 0) first = last;
    if (last <= LAST * LAST * first) return STZ_OK;
    STZ_TRY(stz_stage_on((column + term / (double)MOST) / s->used));
    apply(s, s->stress, false, s->used);
    stress_back(s);
  }
  return stz_fail(STZ_EINPUT,
                  "elasticity.contrast: got %g, needs less, as the field under load does not converge: the last of %d "
                  "terms is %.2g of the first",
                  s->params.contrast, (int)MOST, sqrt(last / first));
}

// The values of a field on the sites from its spectrum on the finer lattice: wave numbers beyond those of the sites
// count as what they look like there.
static void sample(stz_solving *s, const double complex *spectrum, double *values) {
  const int *n = stz_grid_cells(s->coarse), half = n[2] / 2 + 1;
  memset(s->few, 0, stz_spectral_modes(s->from) * sizeof *s->few);
  const double scale = (double)s->sites / (double)s->points;
  for (size_t i = 0; i < s->modes; i++) {
    int m[3];
    stz_spectral_wave(s->to, i, m);
    // The half spectrum holds kz >= 0 alone; what falls beyond is the conjugate of what falls within.
    for (int sign = 1; sign >= -1; sign -= 2) {
      if (sign < 0 && (m[2] == 0 || 2 * m[2] == stz_grid_cells(s->fine)[2])) continue;
      const int x = stz_wrap(sign * m[0], n[0]), y = stz_wrap(sign * m[1], n[1]), z = stz_wrap(sign * m[2], n[2]);
      if (z >= half) continue;
      s->few[((size_t)y * (size_t)half + (size_t)z) * (size_t)n[0] + (size_t)x] +=
          scale * (sign > 0 ? spectrum[i] : conj(spectrum[i]));
    }
  }
  stz_spectral_inverse(s->from, s->few, values);
}

static double mean_of(const double *values, int64_t count) {
  double sum = 0.0;
  for (int64_t i = 0; i < count; i++) sum += values[i];
  return sum / (double)count;
}

// Stores a column of B - 1 of all sites; false if a number is out of range.
static bool store(int64_t sites, int column, int component, const double *values, int16_t *load) {
  for (int64_t i = 0; i < sites; i++) {
    const double steps = values[i] / STZ_LOAD_STEP;
    if (!(fabs(steps) < 32767.0)) return false;
    load[i / 8 * STZ_PACK + (column * 5 + component) * 8 + i % 8] = (int16_t)lrint(steps);
  }
  return true;
}

// B, and the effective moduli over those of h = 0.
static stz_err load_sites(stz_solving *s, double *values, int16_t *load, double *shear, double *bulk) {
  double softer = 0.0;
  *bulk = 1.0;
  for (int column = 0; column < s->used; column++) {
    STZ_TRY(sum_series(s, column));
    const double strain = mean_of(s->total[column], s->points);
    if (column < 5) softer += s->two_mu * strain / 5.0;
    if (column == 5) *bulk = 1.0 / (1.0 + s->three_k * strain);
    apply(s, s->total, true, s->used);
    for (int c = 0; c < 5; c++) {
      sample(s, s->spectrum[c], values);
      if (!store(s->sites, column, c, values, load)) {
        return stz_fail(STZ_ENUMERIC, "elasticity.contrast: the stress concentration at a site is above 2");
      }
    }
  }
  *shear = 1.0 / (1.0 + softer);
  return STZ_OK;
}

// D from h, the scale that makes the effective Young's modulus right, and the filter.
static stz_err dress_sites(stz_solving *s, stz_contrast *k, double *values, double shear, double bulk, float *dress) {
  const double mu = 0.5 * s->two_mu, third = s->three_k / 3.0, plain = 9.0 * third * mu / (3.0 * third + mu);
  const double m = shear * mu, v = bulk * third, scale = plain / (9.0 * v * m / (3.0 * v + m));
  stz_spectral_forward(s->from, s->h, s->few);
  for (size_t i = 0; i < stz_spectral_modes(s->from); i++) {
    double w[3];
    stz_spectral_wave_vector(s->from, i, w);
    s->few[i] *= exp(-0.5 * (w[0] * w[0] + w[1] * w[1] + w[2] * w[2]) * WIDTH_NM * WIDTH_NM);
  }
  stz_spectral_inverse(s->from, s->few, values);
  for (int64_t i = 0; i < s->sites; i++) {
    if (!(1.0 + values[i] > SOFTEST)) {
      return stz_fail(STZ_EINPUT, "elasticity.contrast: a shear modulus would be %.3g of the mean one",
                      1.0 + values[i]);
    }
    dress[i] = (float)sqrt(scale * (1.0 + values[i]));
  }
  k->effective = shear;
  k->scale = scale;
  return STZ_OK;
}

// --- exact fields ---

// The strain of events in s->events, with the events' shape, into the spectra of the finer lattice: beyond the wave
// numbers of the sites their spectrum repeats itself.
static void spread_events(stz_solving *s) {
  const int *n = stz_grid_cells(s->coarse), half = n[2] / 2 + 1;
  const double width2 = cbrt(s->volume * s->volume) / (4.0 * STZ_PI), scale = (double)s->points / (double)s->sites;
  memset(s->spectrum[5], 0, s->modes * sizeof *s->spectrum[5]);
  for (int c = 0; c < 5; c++) {
    stz_spectral_forward(s->from, s->events[c], s->few);
    for (size_t i = 0; i < s->modes; i++) {
      int m[3];
      double k[3];
      stz_spectral_wave(s->to, i, m);
      stz_spectral_wave_vector(s->to, i, k);
      const bool beyond = stz_wrap(m[2], n[2]) >= half; // there the conjugate of the opposite wave is kept
      const int sign = beyond ? -1 : 1;
      const int x = stz_wrap(sign * m[0], n[0]), y = stz_wrap(sign * m[1], n[1]), z = stz_wrap(sign * m[2], n[2]);
      const double complex f = s->few[((size_t)y * (size_t)half + (size_t)z) * (size_t)n[0] + (size_t)x];
      const double shape = exp(-0.5 * (k[0] * k[0] + k[1] * k[1] + k[2] * k[2]) * width2);
      s->spectrum[c][i] = scale * shape * (beyond ? conj(f) : f);
    }
  }
}

double *stz_contrast_events(const stz_contrast *contrast, int c) { return contrast->solving->events[c]; }

void stz_contrast_event(const stz_contrast *contrast, int64_t site, const double strain[5]) {
  const stz_solving *s = contrast->solving;
  const double density = stz_grid_voxels(contrast->grid, s->volume);
  for (int c = 0; c < 5; c++) {
    memset(s->events[c], 0, (size_t)s->sites * sizeof(double));
    s->events[c][site] = density * strain[c];
  }
}

// Plus sum of `terms` of the series M + M S M + ...: linear, and symmetric for any number of terms.
void stz_contrast_correct(const stz_contrast *contrast, int terms) {
  stz_solving *s = contrast->solving;
  spread_events(s);
  multiply_all(s, false, s->used);
  stress_back(s);
  for (int c = 0; c < s->used; c++) memset(s->total[c], 0, (size_t)s->points * sizeof(double));
  for (int term = 0; term < terms; term++) {
    if (term > 0) {
      apply(s, s->stress, false, s->used);
      stress_back(s);
    }
    (void)polarise(s);
  }
  apply(s, s->total, true, 6);
  for (int c = 0; c < 6; c++) {
    sample(s, s->spectrum[c], s->events[c]);
    for (int64_t i = 0; i < s->sites; i++) s->events[c][i] *= contrast->scale;
  }
}

stz_err stz_contrast_whole(const stz_contrast *contrast, double *const stress[6]) {
  const stz_solving *s = contrast->solving;
  const double *const strain[5] = {s->events[0], s->events[1], s->events[2], s->events[3], s->events[4]};
  const double density = stz_grid_voxels(contrast->grid, s->volume); // stz_elastic_stress has it of its own
  STZ_TRY(stz_elastic_stress(s->elastic, s->from, strain, stress));
  stz_contrast_correct(contrast, STZ_CONTRAST_MOST_TERMS);
  for (int c = 0; c < 6; c++) {
    for (int64_t i = 0; i < s->sites; i++) {
      stress[c][i] = contrast->scale / density * stress[c][i] + s->events[c][i];
    }
  }
  return STZ_OK;
}

void stz_contrast_release(stz_contrast *k) {
  if (k->solving) release(k->solving);
  stz_free(k->solving);
  k->solving = NULL;
}

// Terms that leave less than the factor D between two exact fields.
static int terms_for(double contrast) { return contrast <= 0.1 ? 2 : contrast <= 0.3 ? 3 : 4; }

stz_err stz_contrast_solve(stz_contrast *k, const stz_elastic *elastic, const stz_elastic_params *params,
                           const float *g, float *dress, int16_t *load) {
  double *values = NULL, shear = 1.0, bulk = 1.0;
  STZ_TRY(STZ_NEW(k->solving, 1));
  stz_solving *s = k->solving;
  *s = (stz_solving){.elastic = elastic, .params = *params, .volume = stz_elastic_volume(elastic)};
  stz_err err = prepare(k->grid, s);
  if (err == STZ_OK) err = STZ_NEW(values, s->sites);
  double least = 0.0;
  for (int64_t i = 0; i < s->sites && err == STZ_OK; i++) {
    s->h[i] = 0.5 * params->contrast * (double)g[i];
    least = fmin(least, (double)g[i]);
  }
  if (err == STZ_OK) err = stz_contrast_check(params->contrast, least);
  if (err == STZ_OK) err = interpolate(s);
  if (err == STZ_OK) err = load_sites(s, values, load, &shear, &bulk);
  if (err == STZ_OK) err = dress_sites(s, k, values, shear, bulk, dress);
  k->terms = terms_for(params->contrast);
  stz_free(values);
  if (err != STZ_OK || params->contrast_model != STZ_CONTRAST_EXACT) stz_contrast_release(k);
  return err;
}
