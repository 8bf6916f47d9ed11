// SPDX-License-Identifier: GPL-3.0-or-later
//
// Cahn-Hilliard dynamics against what is known of the equation: growth rates of single waves, conservation, the rate at
// which the free energy falls, the profile and tension of a flat interface; the change of lattices; refusals. What a
// quench looks like: tests/physics/test_quench.c; the same bits on any number of ranks: tests/mpi/test_micro.c.
#include <complex.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "micro/cahn_hilliard.h"
#include "micro/quench.h"
#include "mpi/harness.h"
#include "rng/rng.h"

typedef struct box {
  stz_grid *grid;
  stz_spectral *spectral;
  stz_cahn_hilliard *ch;
} box;

// Lengths in units of xi.
static box make(MPI_Comm comm, int nx, int ny, int nz, double spacing) {
  const stz_lattice_params params = {.cells = {nx, ny, nz}, .spacing_nm = spacing};
  box b;
  CHECK_OK(stz_grid_create(comm, &params, &b.grid));
  CHECK_OK(stz_spectral_create(b.grid, &b.spectral));
  CHECK_OK(stz_cahn_hilliard_create(b.grid, b.spectral, 1.0, &b.ch));
  return b;
}

static void drop(box *b) {
  stz_cahn_hilliard_destroy(&b->ch);
  stz_spectral_destroy(&b->spectral);
  stz_grid_destroy(&b->grid);
}

// --- growth of one wave ---

// Rate at which the wave m grows on a field of mean c0, in steps of dt over a time 0.1.
static double growth(const box *b, const int m[3], double c0, double dt) {
  double complex *c = stz_cahn_hilliard_spectrum(b->ch);
  const double complex start = 1e-6 * (3.0 + 2.0 * I);
  const int steps = (int)(0.1 / dt + 0.5);
  double complex *mine = NULL, end = 0.0;
  for (size_t i = 0; i < stz_spectral_modes(b->spectral); i++) {
    int k[3];
    stz_spectral_wave(b->spectral, i, k);
    c[i] = 0.0;
    if (!k[0] && !k[1] && !k[2]) c[i] = c0 * (double)stz_grid_sites(b->grid);
    if (memcmp(k, m, sizeof k) != 0) continue;
    mine = &c[i];
    c[i] = start;
  }
  for (int step = 0; step < steps; step++) stz_cahn_hilliard_step(b->ch, dt);
  if (mine) end = *mine;
  MPI_Allreduce(MPI_IN_PLACE, &end, 2, MPI_DOUBLE, MPI_SUM, stz_grid_comm(b->grid));
  CHECK(fabs(carg(end / start)) < 1e-8, "the wave moved");
  return log(cabs(end / start)) / 0.1;
}

// k^2 (1 - 3 c0^2 - k^2), extrapolated from two widths of the step to none, the scheme being of first order.
static void dispersion(MPI_Comm comm) {
  box b = make(comm, 16, 24, 32, 1.0);
  static const int waves[5][3] = {{1, 0, 1}, {2, 1, 2}, {-2, 3, 1}, {0, -4, 4}, {1, 2, 3}};
  for (int w = 0; w < 5; w++) {
    for (int mean = 0; mean < 2; mean++) {
      const int *m = waves[w];
      const double c0 = 0.3 * mean, kx = 2 * STZ_PI * m[0] / 16, ky = 2 * STZ_PI * m[1] / 24,
                   kz = 2 * STZ_PI * m[2] / 32;
      const double k2 = kx * kx + ky * ky + kz * kz, theory = k2 * (1.0 - 3.0 * c0 * c0 - k2);
      const double coarse = growth(&b, m, c0, 0.005), fine = growth(&b, m, c0, 0.0025);
      CHECK_NEAR(2.0 * fine - coarse, theory, 1e-4 * k2 * (1.0 + k2) * (1.0 + k2));
      CHECK_NEAR(fine, theory, 0.005 * k2 * (1.0 + k2) * (1.0 + k2));
    }
  }
  drop(&b);
}

// --- free energy ---

typedef struct energies {
  double free, dissipation, mean; // F and int |grad mu|^2 over the volume, mean of c
} energies;

// By a program of its own: fields on the lattice, derivatives by i k.
static energies measure(const box *b) {
  const size_t modes = stz_spectral_modes(b->spectral);
  const int64_t sites = stz_grid_local_sites(b->grid);
  const double volume = (double)stz_grid_sites(b->grid);
  double *c, *mu, *sum, *derivative;
  double complex *spectrum, *work;
  CHECK_OK(STZ_NEW(c, sites));
  CHECK_OK(STZ_NEW(mu, sites));
  CHECK_OK(STZ_NEW(sum, sites));
  CHECK_OK(STZ_NEW(derivative, sites));
  CHECK_OK(STZ_NEW(spectrum, modes));
  CHECK_OK(STZ_NEW(work, modes));
  energies e;
  memcpy(spectrum, stz_cahn_hilliard_spectrum(b->ch), modes * sizeof *work);
  memcpy(work, spectrum, modes * sizeof *work);
  stz_spectral_inverse(b->spectral, work, c);
  e.mean = stz_grid_sum(b->grid, c) / volume;
  for (int64_t i = 0; i < sites; i++) sum[i] = 0.25 * (c[i] * c[i] - 1.0) * (c[i] * c[i] - 1.0);
  for (int pass = 0; pass < 2; pass++) { // of c, then of mu
    for (int axis = 0; axis < 3; axis++) {
      for (size_t i = 0; i < modes; i++) {
        double k[3];
        stz_spectral_wave_vector(b->spectral, i, k);
        work[i] = I * k[axis] * spectrum[i];
      }
      stz_spectral_inverse(b->spectral, work, derivative);
      for (int64_t i = 0; i < sites; i++) sum[i] += (pass ? 1.0 : 0.5) * derivative[i] * derivative[i];
    }
    if (pass) break;
    e.free = stz_grid_sum(b->grid, sum) / volume;
    for (int64_t i = 0; i < sites; i++) {
      mu[i] = c[i] * c[i] * c[i] - c[i];
      sum[i] = 0.0;
    }
    stz_spectral_forward(b->spectral, mu, work);
    for (size_t i = 0; i < modes; i++) {
      double k[3];
      stz_spectral_wave_vector(b->spectral, i, k);
      spectrum[i] = work[i] + (k[0] * k[0] + k[1] * k[1] + k[2] * k[2]) * spectrum[i];
    }
  }
  e.dissipation = stz_grid_sum(b->grid, sum) / volume;
  stz_free(c);
  stz_free(mu);
  stz_free(sum);
  stz_free(derivative);
  stz_free(spectrum);
  stz_free(work);
  return e;
}

// Waves up to a third of the Nyquist wave number, of mean c0: the lattice holds the cube of such a field.
static void start_rough(const box *b, double c0) {
  double complex *c = stz_cahn_hilliard_spectrum(b->ch);
  double *field;
  CHECK_OK(STZ_NEW(field, stz_grid_local_sites(b->grid)));
  for (int64_t i = 0; i < stz_grid_local_sites(b->grid); i++) {
    stz_rng rng = stz_rng_stream(3, STZ_RNG_NOISE, (uint64_t)(stz_grid_first_site(b->grid) + i));
    field[i] = 3.0 * stz_rng_normal(&rng);
  }
  stz_spectral_forward(b->spectral, field, c);
  for (size_t i = 0; i < stz_spectral_modes(b->spectral); i++) {
    int m[3];
    stz_spectral_wave(b->spectral, i, m);
    if (!m[0] && !m[1] && !m[2]) c[i] = c0 * (double)stz_grid_sites(b->grid);
    if (m[0] * m[0] + m[1] * m[1] + m[2] * m[2] > 7) c[i] = 0.0;
  }
  stz_free(field);
}

// F never rises, whatever the step, and at a small one falls at the rate int |grad mu|^2; the mean of c stays.
static void energy(MPI_Comm comm) {
  box b = make(comm, 16, 16, 16, 0.9);
  static const double steps[3] = {0.1, 1.0, 10.0};
  for (int s = 0; s < 3; s++) {
    start_rough(&b, -0.3);
    energies before = measure(&b);
    for (int i = 0; i < 30; i++) {
      stz_cahn_hilliard_step(b.ch, steps[s]);
      const energies after = measure(&b);
      CHECK(after.free < before.free, "step %d of %g: F rises from %.12g to %.12g", i, steps[s], before.free,
            after.free);
      CHECK_NEAR(after.mean, -0.3, 1e-14);
      before = after;
    }
  }
  start_rough(&b, -0.3);
  const energies before = measure(&b);
  stz_cahn_hilliard_step(b.ch, 1e-5);
  const energies after = measure(&b);
  CHECK(before.dissipation > 0.01, "hardly any dissipation: %g", before.dissipation);
  CHECK_NEAR((before.free - after.free) / 1e-5, before.dissipation, 1e-3 * before.dissipation);
  drop(&b);
}

// --- a flat interface ---

// A sine along z turns into two interfaces tanh(z/sqrt2) of the energy 2 sqrt2/3 each.
static void flat_interface(MPI_Comm comm) {
  box b = make(comm, 8, 8, 64, 0.5);
  double complex *c = stz_cahn_hilliard_spectrum(b.ch), *work;
  double *field;
  CHECK_OK(STZ_NEW(work, stz_spectral_modes(b.spectral)));
  CHECK_OK(STZ_NEW(field, stz_grid_local_sites(b.grid)));
  for (size_t i = 0; i < stz_spectral_modes(b.spectral); i++) {
    int m[3];
    stz_spectral_wave(b.spectral, i, m);
    c[i] = !m[0] && !m[1] && m[2] == 1 ? -0.4 * I * (double)stz_grid_sites(b.grid) : 0.0; // 0.8 sin(2 pi z/L)
  }
  for (int step = 0; step < 600; step++) stz_cahn_hilliard_step(b.ch, 0.5);
  memcpy(work, c, stz_spectral_modes(b.spectral) * sizeof *work);
  stz_spectral_inverse(b.spectral, work, field);
  for (int64_t i = 0; i < stz_grid_local_sites(b.grid); i++) {
    const double z = 0.5 * (double)(i % 64), near = z < 8.0 ? z : z < 24.0 ? 16.0 - z : z - 32.0;
    CHECK_NEAR(field[i], tanh(near / sqrt(2.0)), 1e-3);
  }
  CHECK_NEAR(measure(&b).free * 32.0, 2.0 * 2.0 * sqrt(2.0) / 3.0, 1e-3);
  stz_free(work);
  stz_free(field);
  drop(&b);
}

// --- from one lattice to another ---

static const int KEPT[4][3] = {{0, 0, 0}, {3, -7, 5}, {-11, 2, 0}, {11, 7, 15}};
static const int LOST[3][3] = {{12, 1, 1}, {0, 8, 3}, {1, 1, 16}};

// Sum of cosines at a point, given in shares of the box.
static double waves_at(const double r[3], bool all) {
  double sum = 0.0;
  for (int w = 0; w < (all ? 7 : 4); w++) {
    const int *m = w < 4 ? KEPT[w] : LOST[w - 4];
    sum += (1.0 + 0.3 * w) * cos(2.0 * STZ_PI * (m[0] * r[0] + m[1] * r[1] + m[2] * r[2]) + 0.4 * w);
  }
  return sum;
}

static void fill(const stz_grid *grid, bool all, double *field) {
  const int *n = stz_grid_cells(grid);
  for (int64_t i = 0; i < stz_grid_local_sites(grid); i++) {
    int x[3];
    stz_grid_coords(grid, stz_grid_first_site(grid) + i, x);
    const double r[3] = {(double)x[0] / n[0], (double)x[1] / n[1], (double)x[2] / n[2]};
    field[i] = waves_at(r, all);
  }
}

// There and back between 24 x 16 x 32 and 36 x 24 x 48 sites; waves from the smaller one's Nyquist on are dropped.
static void lattices(MPI_Comm comm) {
  box fine = make(comm, 36, 24, 48, 2.0 / 3.0), coarse = make(comm, 24, 16, 32, 1.0);
  double complex *f = stz_cahn_hilliard_spectrum(fine.ch), *c = stz_cahn_hilliard_spectrum(coarse.ch);
  double *expected, *found;
  CHECK_OK(STZ_NEW(expected, stz_grid_local_sites(fine.grid)));
  CHECK_OK(STZ_NEW(found, stz_grid_local_sites(fine.grid)));
  fill(fine.grid, true, expected);
  stz_spectral_forward(fine.spectral, expected, f);
  CHECK_OK(stz_spectral_resample(fine.spectral, f, coarse.spectral, c));
  CHECK_OK(stz_spectral_resample(coarse.spectral, c, fine.spectral, f));
  fill(fine.grid, false, expected);
  stz_spectral_inverse(fine.spectral, f, found);
  for (int64_t i = 0; i < stz_grid_local_sites(fine.grid); i++) CHECK_NEAR(found[i], expected[i], 1e-12);
  fill(coarse.grid, false, expected);
  stz_spectral_inverse(coarse.spectral, c, found);
  for (int64_t i = 0; i < stz_grid_local_sites(coarse.grid); i++) CHECK_NEAR(found[i], expected[i], 1e-12);
  stz_free(expected);
  stz_free(found);
  drop(&fine);
  drop(&coarse);
}

// --- refusals ---

static void expect_error(MPI_Comm comm, double wavelength) {
  const stz_micro_params params = {
      .type = STZ_MICRO_CAHN_HILLIARD, .wavelength_nm = wavelength, .nickel_fraction = 0.35};
  box b = make(comm, 24, 16, 32, 0.58);
  const stz_err err = stz_quench_fill(b.grid, b.spectral, &params, 7, stz_cahn_hilliard_spectrum(b.ch));
  CHECK(err == STZ_EINPUT &&
            strstr(stz_error_message(), "needs > 1.74, 3 spacing_nm, and <= 3.093, a third of the box"),
        "error %d: %s", (int)err, stz_error_message());
  drop(&b);
}

static void cases(MPI_Comm comm) {
  dispersion(comm);
  energy(comm);
  flat_interface(comm);
  lattices(comm);
  expect_error(comm, 1.7);
  expect_error(comm, 3.1);
}

int main(int argc, char **argv) { return harness_main(argc, argv, "quench", cases); }
