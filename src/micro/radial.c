// SPDX-License-Identifier: GPL-3.0-or-later
#include "micro/radial.h"

#include <math.h>

#include "base/comm.h"
#include "base/memory.h"
#include "base/units.h"

static const double FIRST_MINIMUM = 4.49340945790906418; // smallest positive root of tan x = x

// Bin of a wave number at `ratio` >= 1 to the lower end: 64 equal parts of each octave. frexp is exact, so that the
// bins, and with them the order of the sums, are the same on any machine.
static int bin_of(double ratio) {
  int exponent;
  const double mantissa = frexp(ratio, &exponent); // [0.5, 1)
  return 64 * (exponent - 1) + (int)(128.0 * (mantissa - 0.5));
}

typedef struct adding {
  const stz_grid *grid;
  const stz_spectral *spectral;
  const double complex *spectrum;
  double lowest; // wave number
  double *sums;
} adding;

// Adds up |F|^2 and k |F|^2 by bin, over the rows ky of this rank.
static void add_rows(void *context, int64_t first, int64_t end, int worker) {
  (void)worker;
  const adding *a = context;
  const int *n = stz_grid_cells(a->grid);
  const int64_t row_modes = (int64_t)n[0] * (n[2] / 2 + 1);
  for (int64_t i = first * row_modes; i < end * row_modes; i++) {
    int m[3];
    double v[3];
    stz_spectral_wave(a->spectral, (size_t)i, m);
    stz_spectral_wave_vector(a->spectral, (size_t)i, v);
    const double re = creal(a->spectrum[i]), im = cimag(a->spectrum[i]);
    const double twice = m[2] > 0 && 2 * m[2] < n[2] ? 2.0 : 1.0; // the half spectrum leaves out those with kz < 0
    const double power = twice * (re * re + im * im), k = sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
    if (power == 0.0 || k == 0.0) continue;
    const int row = m[1] < 0 ? m[1] + n[1] : m[1];
    double *sum = a->sums + 2 * ((size_t)row * STZ_RADIAL_BINS + (size_t)bin_of(k / a->lowest));
    sum[0] += power;
    sum[1] += k * power;
  }
}

// The sums of each row ky. Rows of other ranks stay 0, so that the reduction adds nothing but zeros to each number and
// cannot depend on its order.
static void sum_rows(const stz_grid *grid, const stz_spectral *spectral, const double complex *spectrum, double *sums) {
  const int *n = stz_grid_cells(grid);
  const int longest = n[0] > n[1] ? (n[0] > n[2] ? n[0] : n[2]) : (n[1] > n[2] ? n[1] : n[2]);
  adding a = {grid, spectral, spectrum, 0.9 * 2.0 * STZ_PI / (longest * stz_grid_spacing(grid)), sums};
  const int64_t rows = (int64_t)stz_spectral_modes(spectral) / ((int64_t)n[0] * (n[2] / 2 + 1));
  stz_team_run(stz_grid_team(grid), rows, 1, add_rows, &a);
  for (int row = 0; row < n[1]; row++) {
    MPI_Allreduce(MPI_IN_PLACE, sums + 2 * (size_t)row * STZ_RADIAL_BINS, 2 * STZ_RADIAL_BINS, MPI_DOUBLE, MPI_SUM,
                  stz_grid_comm(grid));
  }
}

stz_err stz_radial_create(const stz_grid *grid, const stz_spectral *spectral, const double complex *spectrum,
                          stz_radial **radial) {
  const int rows = stz_grid_cells(grid)[1];
  double *sums = NULL;
  *radial = NULL;
  stz_err err = STZ_NEW(sums, 2 * (size_t)rows * STZ_RADIAL_BINS);
  if (err == STZ_OK) err = STZ_NEW(*radial, 1);
  err = stz_agree(stz_grid_comm(grid), err);
  if (err != STZ_OK) {
    stz_free(sums);
    stz_radial_destroy(radial);
    return err;
  }
  sum_rows(grid, spectral, spectrum, sums);
  for (int bin = 0; bin < STZ_RADIAL_BINS; bin++) {
    double power = 0.0, moment = 0.0;
    for (int row = 0; row < rows; row++) {
      power += sums[2 * (row * STZ_RADIAL_BINS + bin)];
      moment += sums[2 * (row * STZ_RADIAL_BINS + bin) + 1];
    }
    (*radial)->power[bin] = power;
    (*radial)->wave_number[bin] = power > 0.0 ? moment / power : 0.0;
  }
  stz_free(sums);
  return STZ_OK;
}

void stz_radial_destroy(stz_radial **radial) {
  stz_free(*radial);
  *radial = NULL;
}

double stz_radial_length(const stz_radial *radial) {
  double power = 0.0, moment = 0.0;
  for (int bin = 0; bin < STZ_RADIAL_BINS; bin++) {
    power += radial->power[bin];
    moment += radial->power[bin] * radial->wave_number[bin];
  }
  return power > 0.0 ? 2.0 * STZ_PI * power / moment : 0.0;
}

double stz_radial_correlation(const stz_radial *radial, double r) {
  double sum = 0.0, power = 0.0;
  for (int bin = 0; bin < STZ_RADIAL_BINS; bin++) {
    if (radial->power[bin] == 0.0) continue;
    const double x = radial->wave_number[bin] * r;
    power += radial->power[bin];
    sum += radial->power[bin] * (x > 0.0 ? sin(x) / x : 1.0);
  }
  return power > 0.0 ? sum / power : 0.0;
}

double stz_radial_correlation_length(const stz_radial *radial, double limit) {
  const double step = stz_radial_length(radial) / 256.0;
  if (step == 0.0) return 0.0;
  double before = 1.0, here = stz_radial_correlation(radial, step);
  for (int i = 2; i * step < limit; i++) {
    const double after = stz_radial_correlation(radial, i * step);
    if (here < before && here <= after) { // the vertex of the parabola through the three points
      const double vertex = 0.5 * (before - after) / (before - 2.0 * here + after);
      return 2.0 * STZ_PI / FIRST_MINIMUM * (i - 1 + vertex) * step;
    }
    before = here;
    here = after;
  }
  return 0.0;
}
