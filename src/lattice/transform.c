// SPDX-License-Identifier: GPL-3.0-or-later
#include "lattice/transform.h"

#include <complex.h>
#include <fftw3.h>
#include <stdbool.h>

#include "base/memory.h"

enum { PLANS = 6, COLUMNS = 16 }; // lines along x that are transformed side by side, two cache lines of each row

struct stz_transform {
  stz_team *team;
  int planes;
  size_t plane, columns; // numbers of a plane, and its lines along x
  bool layers;           // no transform along z
  fftwf_plan plane_forward, plane_inverse, lines_forward, lines_inverse;
  fftwf_plan last_forward, last_inverse; // fewer lines, if any are left over
};

static fftwf_plan plan_lines(const stz_transform *t, int count, fftwf_complex *spectrum, int sign) {
  if (count == 0) return NULL;
  const int n = t->planes, stride = (int)t->columns;
  return fftwf_plan_many_dft(1, &n, count, spectrum, NULL, stride, 1, spectrum, NULL, stride, 1, sign, FFTW_ESTIMATE);
}

// Plans of a plane, forward and back.
typedef struct planes {
  fftwf_plan forward, inverse;
} planes;

// All but what happens within a plane. FFTW_ESTIMATE alone chooses the same algorithm in every run.
static stz_err create(stz_team *team, const int cells[3], size_t columns, planes plane, float *field,
                      stz_transform **transform) {
  fftwf_complex *spectrum = (fftwf_complex *)(void *)field;
  stz_transform *t = NULL;
  const stz_err err = STZ_NEW(t, 1);
  *transform = t;
  if (err != STZ_OK) {
    if (plane.forward) fftwf_destroy_plan(plane.forward);
    if (plane.inverse) fftwf_destroy_plan(plane.inverse);
    return err;
  }
  t->team = team;
  t->planes = cells[0];
  t->columns = columns;
  t->plane = 2 * columns;
  t->plane_forward = plane.forward;
  t->plane_inverse = plane.inverse;
  const int left = (int)(t->columns % COLUMNS);
  t->lines_forward = plan_lines(t, COLUMNS, spectrum, FFTW_FORWARD);
  t->lines_inverse = plan_lines(t, COLUMNS, spectrum, FFTW_BACKWARD);
  t->last_forward = plan_lines(t, left, spectrum, FFTW_FORWARD);
  t->last_inverse = plan_lines(t, left, spectrum, FFTW_BACKWARD);
  if (t->plane_forward && t->plane_inverse && t->lines_forward && t->lines_inverse &&
      (!left || (t->last_forward && t->last_inverse)))
    return STZ_OK;
  stz_transform_destroy(transform);
  return stz_fail(STZ_EINTERNAL, "FFTW could not plan a transform of %d x %d x %d in single precision", cells[0],
                  cells[1], cells[2]);
}

stz_err stz_transform_create(stz_team *team, const int cells[3], float *field, stz_transform **transform) {
  fftwf_complex *spectrum = (fftwf_complex *)(void *)field;
  const size_t columns = (size_t)cells[1] * (size_t)(cells[2] / 2 + 1);
  // A plane after the first may lie off a cache line.
  const unsigned flags = 2 * columns % 16 == 0 ? FFTW_ESTIMATE : FFTW_ESTIMATE | FFTW_UNALIGNED;
  const planes plane = {fftwf_plan_dft_r2c_2d(cells[1], cells[2], field, spectrum, flags),
                        fftwf_plan_dft_c2r_2d(cells[1], cells[2], spectrum, field, flags)};
  return create(team, cells, columns, plane, field, transform);
}

static fftwf_plan plan_plane(const int cells[3], fftwf_complex *spectrum, int sign) {
  const int pairs = cells[2] / 2;
  return fftwf_plan_many_dft(1, &cells[1], pairs, spectrum, NULL, pairs, 1, spectrum, NULL, pairs, 1, sign,
                             FFTW_ESTIMATE);
}

stz_err stz_transform_create_layers(stz_team *team, const int cells[3], float *field, stz_transform **transform) {
  fftwf_complex *spectrum = (fftwf_complex *)(void *)field;
  const planes plane = {plan_plane(cells, spectrum, FFTW_FORWARD), plan_plane(cells, spectrum, FFTW_BACKWARD)};
  STZ_TRY(create(team, cells, (size_t)cells[1] * (size_t)cells[2] / 2, plane, field, transform));
  (*transform)->layers = true;
  return STZ_OK;
}

void stz_transform_destroy(stz_transform **transform) {
  stz_transform *t = *transform;
  if (!t) return;
  fftwf_plan const plans[PLANS] = {t->plane_forward, t->plane_inverse, t->lines_forward,
                                   t->lines_inverse, t->last_forward,  t->last_inverse};
  for (int i = 0; i < PLANS; i++) {
    if (plans[i]) fftwf_destroy_plan(plans[i]);
  }
  stz_free(t);
  *transform = NULL;
}

int stz_transform_row(const int cells[3]) { return 2 * (cells[2] / 2 + 1); }

typedef struct work {
  const stz_transform *t;
  float *field;
  fftwf_plan whole, rest;
} work;

static void planes_forward(void *context, int64_t first, int64_t end, int worker) {
  (void)end, (void)worker;
  const work *w = context;
  float *plane = w->field + (size_t)first * w->t->plane;
  fftwf_complex *spectrum = (fftwf_complex *)(void *)plane;
  if (w->t->layers)
    fftwf_execute_dft(w->t->plane_forward, spectrum, spectrum);
  else
    fftwf_execute_dft_r2c(w->t->plane_forward, plane, spectrum);
}

static void planes_inverse(void *context, int64_t first, int64_t end, int worker) {
  (void)end, (void)worker;
  const work *w = context;
  float *plane = w->field + (size_t)first * w->t->plane;
  fftwf_complex *spectrum = (fftwf_complex *)(void *)plane;
  if (w->t->layers)
    fftwf_execute_dft(w->t->plane_inverse, spectrum, spectrum);
  else
    fftwf_execute_dft_c2r(w->t->plane_inverse, spectrum, plane);
}

static void lines(void *context, int64_t first, int64_t end, int worker) {
  (void)worker;
  const work *w = context;
  fftwf_complex *line = (fftwf_complex *)(void *)w->field + first;
  fftwf_execute_dft(end - first == COLUMNS ? w->whole : w->rest, line, line);
}

void stz_transform_forward(const stz_transform *t, float *field) {
  work w = {t, field, t->lines_forward, t->last_forward};
  stz_team_run(t->team, t->planes, 1, planes_forward, &w);
  stz_team_run(t->team, (int64_t)t->columns, COLUMNS, lines, &w);
}

void stz_transform_inverse(const stz_transform *t, float *field) {
  work w = {t, field, t->lines_inverse, t->last_inverse};
  stz_team_run(t->team, (int64_t)t->columns, COLUMNS, lines, &w);
  stz_team_run(t->team, t->planes, 1, planes_inverse, &w);
}

struct stz_lines {
  fftwf_plan forward, inverse;
};

static fftwf_plan plan_line(int length, int count, fftwf_complex *at, int sign) {
  return fftwf_plan_many_dft(1, &length, count, at, NULL, 1, length, at, NULL, 1, length, sign, FFTW_ESTIMATE);
}

stz_err stz_lines_create(int length, int count, float *field, stz_lines **lines) {
  fftwf_complex *at = (fftwf_complex *)(void *)field;
  stz_lines *c = NULL;
  *lines = NULL;
  STZ_TRY(STZ_NEW(c, 1));
  c->forward = plan_line(length, count, at, FFTW_FORWARD);
  c->inverse = plan_line(length, count, at, FFTW_BACKWARD);
  *lines = c;
  if (c->forward && c->inverse) return STZ_OK;
  stz_lines_destroy(lines);
  return stz_fail(STZ_EINTERNAL, "FFTW could not plan a transform of %d numbers in single precision", length);
}

void stz_lines_destroy(stz_lines **lines) {
  stz_lines *c = *lines;
  if (!c) return;
  if (c->forward) fftwf_destroy_plan(c->forward);
  if (c->inverse) fftwf_destroy_plan(c->inverse);
  stz_free(c);
  *lines = NULL;
}

void stz_lines_forward(const stz_lines *lines, float *field) {
  fftwf_complex *at = (fftwf_complex *)(void *)field;
  fftwf_execute_dft(lines->forward, at, at);
}

void stz_lines_inverse(const stz_lines *lines, float *field) {
  fftwf_complex *at = (fftwf_complex *)(void *)field;
  fftwf_execute_dft(lines->inverse, at, at);
}
