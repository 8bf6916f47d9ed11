// SPDX-License-Identifier: GPL-3.0-or-later
#include "observe/correlation.h"

#include <math.h>
#include <stdbool.h>

#include "base/comm.h"
#include "base/memory.h"

const int stz_correlation_directions[STZ_CORRELATION_LINES][3] = {
    {1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {1, 1, 0}, {1, -1, 0}, {1, 0, 1}, {1, 0, -1}, {0, 1, 1}, {0, 1, -1}};

enum { SHELL_SUMS = 3 }; // of C, of |r|, and their number

static stz_err allocate(const stz_grid *grid, stz_correlation **made) {
  const int *cells = stz_grid_cells(grid);
  stz_correlation *c = NULL;
  stz_err err = STZ_NEW(c, 1);
  *made = c;
  if (err != STZ_OK) return err;
  for (int k = 0; k < 3; k++) {
    const int points = cells[k] / 2 + 1;
    if (k == 0 || points < c->points) c->points = points;
  }
  STZ_TRY(STZ_NEW(c->line, STZ_CORRELATION_LINES * c->points));
  STZ_TRY(STZ_NEW(c->line_nm, STZ_CORRELATION_LINES * c->points));
  STZ_TRY(STZ_NEW(c->radial, c->points));
  return STZ_NEW(c->radial_nm, c->points);
}

void stz_correlation_destroy(stz_correlation **correlation) {
  stz_correlation *c = *correlation;
  if (!c) return;
  stz_free(c->line);
  stz_free(c->line_nm);
  stz_free(c->radial);
  stz_free(c->radial_nm);
  stz_free(c);
  *correlation = NULL;
}

typedef struct squaring {
  const stz_spectral *spectral;
  double sites, width_nm;
  bool film; // averages over the shape of an STZ within its planes
  double complex *spectrum;
} squaring;

static void square_modes(void *context, int64_t first, int64_t end, int worker) {
  (void)worker;
  const squaring *s = context;
  for (int64_t i = first; i < end; i++) {
    double k[3];
    stz_spectral_wave_vector(s->spectral, (size_t)i, k);
    const double square = k[0] * k[0] + k[1] * k[1] + k[2] * k[2], re = creal(s->spectrum[i]),
                 im = cimag(s->spectrum[i]);
    const double shape = s->film ? k[0] * k[0] + k[1] * k[1] : square;
    const double kept = exp(-shape * s->width_nm * s->width_nm);
    s->spectrum[i] = square > 0.0 ? (re * re + im * im) / s->sites * kept : 0.0;
  }
}

// Turns the field into the mean product of its deviations at x and x + r, a number a local site r.
static void mean_products(const stz_grid *grid, stz_spectral *spectral, double width_nm, double complex *spectrum,
                          double *field) {
  const double sites = (double)stz_grid_sites(grid);
  stz_spectral_forward(spectral, field, spectrum);
  squaring s = {spectral, sites, width_nm, stz_grid_film(grid), spectrum};
  stz_team_run(stz_grid_team(grid), (int64_t)stz_spectral_modes(spectral), 8192, square_modes, &s);
  stz_spectral_inverse(spectral, spectrum, field);
}

// In a film a vector with a part along z leads out of it from some sites: such values are none.
static void drop_steps_across(stz_correlation *c) {
  for (int i = 0; i < STZ_CORRELATION_LINES * c->points; i++) {
    if (stz_correlation_directions[i / c->points][2] != 0 && i % c->points > 0) c->line[i] = NAN;
  }
}

// The value at a lattice vector: that of the rank that has it, and zeros, which change no sum.
static void values_along_lines(const stz_grid *grid, const double *products, stz_correlation *c) {
  for (int i = 0; i < STZ_CORRELATION_LINES * c->points; i++) {
    const int *d = stz_correlation_directions[i / c->points], step = i % c->points;
    const int64_t local = stz_grid_local(grid, stz_grid_site(grid, step * d[0], step * d[1], step * d[2]));
    c->line[i] = local >= 0 ? products[local] : 0.0;
    c->line_nm[i] = step * stz_grid_spacing(grid) * sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]);
  }
  if (stz_grid_film(grid)) drop_steps_across(c);
  MPI_Allreduce(MPI_IN_PLACE, c->line, STZ_CORRELATION_LINES * c->points, MPI_DOUBLE, MPI_SUM, stz_grid_comm(grid));
}

static double nearest_image(int x, int n) { return 2 * x > n ? x - n : x; }

typedef struct shells {
  const stz_grid *grid;
  const double *products;
  double *planes; // SHELL_SUMS numbers per shell and plane of the box
  int points;
} shells;

// Sums over shells of one plane of this rank.
static void sum_plane(void *context, int64_t plane, int64_t end, int worker) {
  (void)end, (void)worker;
  const shells *s = context;
  const int *n = stz_grid_cells(s->grid), width = SHELL_SUMS * s->points;
  const int64_t sites = (int64_t)n[1] * n[2];
  for (int64_t i = plane * sites; i < (plane + 1) * sites; i++) {
    int x[3];
    stz_grid_coords(s->grid, stz_grid_first_site(s->grid) + i, x);
    const double d[3] = {nearest_image(x[0], n[0]), nearest_image(x[1], n[1]), nearest_image(x[2], n[2])};
    if (stz_grid_film(s->grid) && x[2] > 0) continue; // vectors within the planes
    const double r = sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]);
    const int shell = (int)(r + 0.5);
    if (shell >= s->points) continue;
    double *sums = s->planes + (size_t)x[0] * (size_t)width + (size_t)SHELL_SUMS * (size_t)shell;
    sums[0] += s->products[i];
    sums[1] += r;
    sums[2] += 1.0;
  }
}

// Sums over shells by planes, then over planes in their order.
static stz_err average_shells(const stz_grid *grid, const double *products, stz_correlation *c) {
  const int *n = stz_grid_cells(grid), width = SHELL_SUMS * c->points;
  double *planes = NULL;
  STZ_TRY(stz_agree(stz_grid_comm(grid), STZ_NEW(planes, n[0] * width)));
  shells s = {grid, products, planes, c->points};
  stz_team_run(stz_grid_team(grid), stz_grid_planes(grid), 1, sum_plane, &s);
  stz_grid_gather_planes(grid, planes, width);
  for (int shell = 0; shell < c->points; shell++) {
    double sums[SHELL_SUMS] = {0};
    for (int x = 0; x < n[0]; x++) {
      for (int k = 0; k < SHELL_SUMS; k++)
        sums[k] += planes[(size_t)x * (size_t)width + (size_t)(SHELL_SUMS * shell + k)];
    }
    c->radial[shell] = sums[0] / sums[2];
    c->radial_nm[shell] = sums[1] / sums[2] * stz_grid_spacing(grid);
  }
  stz_free(planes);
  return STZ_OK;
}

static void normalise(stz_correlation *c) {
  c->variance = c->line[0];
  const double scale = c->variance > 0.0 ? 1.0 / c->variance : NAN;
  for (int i = 0; i < STZ_CORRELATION_LINES * c->points; i++) c->line[i] *= scale;
  for (int i = 0; i < c->points; i++) c->radial[i] *= scale;
}

stz_err stz_correlation_create(const stz_grid *grid, stz_spectral *spectral, double *field, double width_nm,
                               stz_correlation **correlation) {
  stz_correlation *c = NULL;
  double complex *spectrum = NULL;
  stz_err err = allocate(grid, &c);
  if (err == STZ_OK) err = STZ_NEW(spectrum, stz_spectral_modes(spectral));
  STZ_TRY_TO(done, err, stz_agree(stz_grid_comm(grid), err));
  c->mean = stz_grid_sum(grid, field) / (double)stz_grid_sites(grid);
  mean_products(grid, spectral, width_nm, spectrum, field);
  values_along_lines(grid, field, c);
  STZ_TRY_TO(done, err, average_shells(grid, field, c));
  normalise(c);
done:
  stz_free(spectrum);
  if (err != STZ_OK) stz_correlation_destroy(&c);
  *correlation = c;
  return err;
}
