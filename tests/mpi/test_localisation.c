// SPDX-License-Identifier: GPL-3.0-or-later
//
// Localisation: planted bands exactly, a twin that counts voxel by voxel, and the same bits on any number of ranks.
#include <string.h>

#include "base/tensor.h"
#include "mpi/harness.h"
#include "observe/tally.h"
#include "rng/rng.h"

// The four slab normals: the other axis (1: y, 2: z) and its sign.
static const int NORMALS[4][2] = {{1, 1}, {1, -1}, {2, 1}, {2, -1}};

// Localisation of a field given by two components of its deviator.
static double look(const stz_grid *grid, const float *d3, const float *d4) {
  float *none;
  uint32_t *events;
  stz_tally *tally;
  stz_participation participation;
  double value;
  CHECK_OK(STZ_NEW(none, stz_grid_local_sites(grid)));
  CHECK_OK(STZ_NEW(events, stz_grid_local_sites(grid)));
  const float *const plastic[5] = {none, none, none, d3, d4};
  CHECK_OK(stz_tally_create(grid, plastic, events, 0.1, &tally));
  stz_tally_look(tally, &participation, &value);
  stz_tally_destroy(&tally);
  stz_free(events);
  stz_free(none);
  return value;
}

typedef double strain_field(const int cells[3], const int site[3], const void *context);

// Localisation of a field of axial plastic strain; a pure shear in the yz plane's axes rides on it and must not count.
static double localisation(MPI_Comm comm, const int cells[3], double spacing, strain_field *field,
                           const void *context) {
  const stz_lattice_params box = {.cells = {cells[0], cells[1], cells[2]}, .spacing_nm = spacing};
  stz_grid *grid;
  CHECK_OK(stz_grid_create(comm, &box, &grid));
  const int64_t sites = stz_grid_local_sites(grid);
  float *d3, *d4;
  CHECK_OK(STZ_NEW(d3, sites));
  CHECK_OK(STZ_NEW(d4, sites));
  for (int64_t i = 0; i < sites; i++) {
    int site[3];
    stz_grid_coords(grid, stz_grid_first_site(grid) + i, site);
    const double e = field(cells, site, context), shear = 0.01 * (site[1] % 3);
    double d[5];
    stz_dev_from_sym((const double[6]){e, -0.5 * e + shear, -0.5 * e - shear, 0.02, 0.01, -0.03}, d);
    d3[i] = (float)d[3];
    d4[i] = (float)d[4];
  }
  const double value = look(grid, d3, d4);
  stz_free(d3);
  stz_free(d4);
  stz_grid_destroy(&grid);
  return value;
}

typedef struct band {
  int normal, low, layers; // the band: layers low <= (x +- t) mod n < low + layers
  double inside, outside;
} band;

static double band_strain(const int cells[3], const int site[3], const void *context) {
  const band *b = context;
  const int n = cells[0], u = site[0] + NORMALS[b->normal][1] * site[NORMALS[b->normal][0]];
  return ((u - b->low) % n + n) % n < b->layers ? b->inside : b->outside;
}

// 24 layers of 0.566 nm/sqrt2 make 8 slabs of 3 layers: a band of one slab gives 8 when it holds all strain.
static void planted(MPI_Comm comm) {
  const int cells[3] = {24, 24, 24};
  const double a = 1.2 * 1.4142135623730951 / 3; // 3 layers of a/sqrt2 are 1.2 nm
  for (int normal = 0; normal < 4; normal++) {
    for (int slab = 0; slab < 8; slab += 3) {
      band b = {.normal = normal, .low = 3 * slab, .layers = 3, .inside = 0.1};
      CHECK_NEAR(localisation(comm, cells, a, band_strain, &b), 8.0, 1e-5);
      b.layers = 1; // thinner than a slab
      CHECK_NEAR(localisation(comm, cells, a, band_strain, &b), 8.0, 1e-5);
      b.layers = 3;
      b.outside = 0.01;
      CHECK_NEAR(localisation(comm, cells, a, band_strain, &b), 0.1 / (0.1 / 8 + 0.01 * 7 / 8), 1e-5);
      b.inside = -0.1; // compression: the ratio has no sign
      b.outside = -0.01;
      CHECK_NEAR(localisation(comm, cells, a, band_strain, &b), 0.1 / (0.1 / 8 + 0.01 * 7 / 8), 1e-5);
    }
  }
  const band even = {.layers = 24, .inside = 0.1};
  CHECK_NEAR(localisation(comm, cells, a, band_strain, &even), 1.0, 1e-6);
}

static double noise(const int cells[3], const int site[3], const void *context) {
  (void)context;
  const int64_t index = ((int64_t)site[0] * cells[1] + site[1]) * cells[2] + site[2];
  stz_rng rng = stz_rng_stream(3, STZ_RNG_NOISE, (uint64_t)index);
  return 0.01 + 0.05 * stz_rng_uniform(&rng);
}

// The twin cuts each voxel's layer into `slabs` leaves, so that every leaf lies in one slab.
static double twin(const int cells[3], double spacing) {
  double largest = 0.0;
  for (int n = 0; n < 4; n++) {
    int period = cells[0];
    while (cells[0] % period || cells[NORMALS[n][0]] % period) period--;
    int slabs = (int)floor(period * spacing / (1.2 * sqrt(2.0)) + 0.5);
    if (slabs < 1) slabs = 1;
    double sum[64] = {0}, total = 0.0;
    for (int x = 0; x < cells[0]; x++) {
      for (int y = 0; y < cells[1]; y++) {
        for (int z = 0; z < cells[2]; z++) {
          const int site[3] = {x, y, z}, u = x + NORMALS[n][1] * site[NORMALS[n][0]] + 64 * period;
          const double e = noise(cells, site, NULL);
          for (int leaf = 0; leaf < slabs; leaf++) sum[(u % period * slabs + leaf) / period] += e / slabs;
          total += e;
        }
      }
    }
    for (int s = 0; s < slabs; s++) largest = fmax(largest, sum[s] * slabs / total);
  }
  return largest;
}

static void against_twin(MPI_Comm comm) {
  const struct {
    int cells[3];
    double spacing;
  } boxes[] = {{{24, 16, 32}, 0.58}, {{16, 16, 16}, 0.58}, {{32, 24, 16}, 0.387}, {{16, 24, 40}, 0.2}};
  for (int b = 0; b < 4; b++) {
    const double value = localisation(comm, boxes[b].cells, boxes[b].spacing, noise, NULL);
    CHECK_NEAR(value, twin(boxes[b].cells, boxes[b].spacing), 1e-6);
    const double alone = localisation(MPI_COMM_SELF, boxes[b].cells, boxes[b].spacing, noise, NULL);
    CHECK(memcmp(&value, &alone, sizeof value) == 0, "%.17g on all ranks, %.17g on one", value, alone);
  }
}

static void edges(MPI_Comm comm) {
  const int cells[3] = {16, 24, 40}; // greatest common divisors 8: 1.6 nm, a single slab
  CHECK_NEAR(localisation(comm, cells, 0.2, noise, NULL), 1.0, 1e-12);
  stz_grid *grid;
  CHECK_OK(stz_grid_create(comm, &(const stz_lattice_params){.cells = {16, 16, 16}, .spacing_nm = 0.58}, &grid));
  float *zero;
  CHECK_OK(STZ_NEW(zero, stz_grid_local_sites(grid)));
  const double value = look(grid, zero, zero);
  CHECK(isnan(value), "%g before any plastic strain", value);
  stz_free(zero);
  stz_grid_destroy(&grid);
}

// Strain in one half of the box and nearly its opposite in the other, as cyclic loading leaves it: `outside` is taken
// back. The net is (0.1 + outside)/2 of (0.1 - outside)/2.
static void taken_back(MPI_Comm comm) {
  const int cells[3] = {24, 24, 24};
  const double a = 1.2 * 1.4142135623730951 / 3;
  band b = {.low = 0, .layers = 12, .inside = 0.1, .outside = -0.092}; // 4.2 % are left
  CHECK(isnan(localisation(comm, cells, a, band_strain, &b)), "a ratio to what is left over");
  b.outside = -0.08; // 11 %
  CHECK_NEAR(localisation(comm, cells, a, band_strain, &b), 10.0, 1e-4);
}

static void cases(MPI_Comm comm) {
  planted(comm);
  against_twin(comm);
  edges(comm);
  taken_back(comm);
}

int main(int argc, char **argv) { return harness_main(argc, argv, "localisation", cases); }
