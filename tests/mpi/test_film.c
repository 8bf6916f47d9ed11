// SPDX-License-Identifier: GPL-3.0-or-later
//
// The sample of a film: zones at its surfaces are folded back, neither cut off nor wrapped to the other surface.
#include "kmc_setup.h"
#include "rng/rng.h"
#include "shear.h"

enum { SIDE = 48, LAYERS = 8, SITES = SIDE * SIDE * LAYERS };
static const kmc_spec PLATE = {.cells = {SIDE, SIDE, LAYERS},
                               .young_GPa = 72.0,
                               .mean_eV = 2.352,
                               .width_eV = 0.10,
                               .floor_eV = 0.2,
                               .redraw = STZ_REDRAW_STZ,
                               .orientation = STZ_ORIENTATION_RANDOM,
                               .micro = STZ_MICRO_UNIFORM,
                               .seed = 5,
                               .boundary = STZ_BOUNDARY_FILM};

static const void *field(const kmc_setup *s, const char *name) { return field_of(s->glass, name); }

// Mean product of the noise of two layers.
static double product(const kmc_setup *s, int z, int other) {
  const float *noise = field(s, "noise");
  double sum = 0.0;
  for (int64_t i = 0; i < stz_grid_local_sites(s->grid); i += LAYERS) {
    sum += (double)noise[i + z] * (double)noise[i + other];
  }
  MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_DOUBLE, MPI_SUM, stz_grid_comm(s->grid));
  return sum / (SIDE * SIDE);
}

// Correlation of noise in the infinite body at d voxels.
static double plain(int d) {
  const double width = cbrt(KMC_STZ.volume_nm3) / sqrt(2.0 * STZ_PI), r = d * KMC_SPACING;
  return exp(-r * r / (4.0 * width * width));
}

// The same folded at the lower surface.
static double folded(int z, int other) {
  const double both = sqrt((1.0 + plain(2 * z + 1)) * (1.0 + plain(2 * other + 1)));
  return (plain(abs(z - other)) + plain(z + other + 1)) / both;
}

// A layer has 2304/(4 pi s_q^2/a^2) = 270 independent patches: standard errors of sqrt(2/270) = 0.086 of a variance and
// of at most 0.061 of a correlation. Limits are 4.5 of them.
static void noise_is_folded(const kmc_setup *s, const char *when, double covered) {
  for (int z = 0; z < LAYERS; z++)
    CHECK(fabs(product(s, z, z) - 1.0) < 4.5 * 0.086, "%s: layer %d: %g", when, z, product(s, z, z));
  CHECK(fabs(product(s, 0, LAYERS - 1)) < 4.5 * 0.061, "%s: both surfaces: %g", when, product(s, 0, LAYERS - 1));
  CHECK(fabs(product(s, 0, 1) - folded(0, 1)) < covered, "%s: %g, not %g", when, product(s, 0, 1), folded(0, 1));
  CHECK(fabs(product(s, 3, 4) - folded(3, 4)) < covered, "%s: %g, not %g", when, product(s, 3, 4), folded(3, 4));
}

// A cell belongs to one surface; in a periodic box many have voxels at both ends.
static void cells_do_not_wrap(const kmc_setup *s) {
  const uint32_t *cell = field(s, "cell");
  const int layers = 4; // of cells: 4.64 nm over 1.19
  for (int64_t i = 0; i < stz_grid_local_sites(s->grid); i += LAYERS) {
    CHECK(cell[i] % layers < 2 && cell[i + LAYERS - 1] % layers > 1, "cells %u and %u of one column", cell[i],
          cell[i + LAYERS - 1]);
  }
}

// An event at a surface changes the noise within its reach of two voxels, its own wholly, and nothing beyond.
static void event_stays_at_its_surface(kmc_setup *s, int z, float *before) {
  const float *noise = field(s, "noise");
  const int64_t sites = stz_grid_local_sites(s->grid);
  double strain[6];
  int changed = 0;
  memcpy(before, noise, (size_t)sites * sizeof *before);
  stz_shear shear = {.site = stz_grid_site(s->grid, 7, 9, z), .mode = 3, .sign = 1};
  shear_all(s->glass, &shear, strain);
  for (int64_t i = 0; i < sites; i++) {
    if (noise[i] == before[i]) continue;
    CHECK(abs((int)(i % LAYERS) - z) <= 2, "layer %d changes by an event in layer %d", (int)(i % LAYERS), z);
    changed++;
  }
  MPI_Allreduce(MPI_IN_PLACE, &changed, 1, MPI_INT, MPI_SUM, stz_grid_comm(s->grid));
  CHECK(changed > 20 && changed < 57, "%d voxels change", changed);
}

static void cases(MPI_Comm comm) {
  kmc_setup s;
  float *before = NULL;
  double strain[6];
  setup_kmc(&s, comm, &PLATE);
  CHECK_OK(STZ_NEW(before, stz_grid_local_sites(s.grid)));
  noise_is_folded(&s, "fresh", 4.5 * 0.061);
  cells_do_not_wrap(&s);
  event_stays_at_its_surface(&s, 0, before);
  event_stays_at_its_surface(&s, LAYERS - 1, before);
  stz_rng rng = stz_rng_stream(3, 0, 0);
  for (int i = 0; i < SITES; i++) {
    stz_shear shear = {.site = (int64_t)stz_rng_below(&rng, SITES), .mode = i % STZ_MODES, .sign = i % 2 ? -1 : 1};
    shear_all(s.glass, &shear, strain);
  }
  noise_is_folded(&s, "redrawn", 0.3); // whose correlation differs a little (mpi_glass)
  stz_free(before);
  close_kmc(&s);
}

int main(int argc, char **argv) { return harness_main(argc, argv, "film", cases); }
