// SPDX-License-Identifier: GPL-3.0-or-later
//
// Decomposition, ordered sums, transforms and the hash: the same on any number of ranks.
#include <complex.h>
#include <inttypes.h>
#include <stdbool.h>

#include "base/units.h"
#include "lattice/fields.h"
#include "lattice/grid.h"
#include "lattice/spectral.h"
#include "mpi/harness.h"
#include "rng/rng.h"

static const stz_lattice_params BOX = {.cells = {24, 16, 32}, .spacing_nm = 0.58};

static double site_value(int64_t site) {
  stz_rng rng = stz_rng_stream(5, STZ_RNG_NOISE, (uint64_t)site);
  return stz_rng_normal(&rng);
}

static void decomposition(const stz_grid *grid) {
  long long mine = stz_grid_local_sites(grid), all = 0;
  MPI_Allreduce(&mine, &all, 1, MPI_LONG_LONG, MPI_SUM, stz_grid_comm(grid));
  CHECK(all == 24 * 16 * 32 && all == stz_grid_sites(grid), "%lld sites", all);
  for (int64_t site = 0; site < stz_grid_sites(grid); site += 7) {
    int xyz[3];
    stz_grid_coords(grid, site, xyz);
    CHECK(stz_grid_site(grid, xyz[0] - 24, xyz[1] + 32, xyz[2] - 64) == site, "site %" PRId64, site);
    const bool own = stz_grid_owner(grid, xyz[0]) == stz_grid_rank(grid);
    CHECK(own == (stz_grid_local(grid, site) >= 0), "site %" PRId64, site);
  }
}

// The sum of the values in site order on one rank, and the hash of the run on one rank, must come out on all.
static void sums_and_hash(const stz_grid *grid) {
  double *values;
  CHECK_OK(STZ_NEW(values, stz_grid_local_sites(grid)));
  // Twelve sums: of one alone, the last bits may agree by chance in another order.
  for (int trial = 0; trial < 12; trial++) {
    const int64_t shift = 1000000 * (int64_t)trial;
    for (int64_t i = 0; i < stz_grid_local_sites(grid); i++) {
      values[i] = site_value(shift + stz_grid_first_site(grid) + i);
    }
    double total = 0.0;
    for (int x = 0; x < 24; x++) {
      double plane = 0.0;
      for (int i = 0; i < 16 * 32; i++) plane += site_value(shift + x * 16 * 32 + i);
      total += plane;
    }
    CHECK(stz_grid_sum(grid, values) == total, "ordered sum differs from the serial one");
  }
  stz_free(values);

  stz_fields *fields;
  float *a;
  uint16_t *b;
  const stz_field_spec first = {"a", "eV", "test", STZ_F32, 2, true}, second = {"b", "1", "test", STZ_U16, 1, true};
  CHECK_OK(stz_fields_create(grid, &fields));
  CHECK_OK(stz_fields_add(fields, &first, (void **)&a));
  CHECK_OK(stz_fields_add(fields, &second, (void **)&b));
  uint64_t expected = 0;
  for (int64_t site = 0; site < stz_grid_sites(grid); site++) {
    const float value = (float)site_value(site);
    const int64_t i = stz_grid_local(grid, site);
    if (i >= 0) {
      a[i] = value;
      a[stz_field_stride(grid) + (size_t)i] = -value;
      b[i] = (uint16_t)site;
    }
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    expected += stz_hash_mix(0, (uint64_t)site, bits) + stz_hash_mix(1, (uint64_t)site, bits ^ 0x80000000u) +
                stz_hash_mix(64, (uint64_t)site, (uint16_t)site);
  }
  CHECK(stz_fields_hash(fields) == expected, "hash depends on the decomposition");
  if (stz_grid_local_sites(grid) > 0 && stz_grid_rank(grid) == 0) a[3] = nextafterf(a[3], 10.0f);
  CHECK(stz_fields_hash(fields) != expected, "hash misses one bit");
  CHECK_NEAR(stz_fields_bytes_per_site(fields), 10.0, 0.0);
  stz_fields_destroy(&fields);
}

// The transform of a random field against the definition, summed by brute force at some modes; its inverse; its bits.
static void transforms(const stz_grid *grid) {
  stz_spectral *spectral;
  CHECK_OK(stz_spectral_create(grid, &spectral));
  double *field, *back;
  double complex *modes;
  const int64_t sites = stz_grid_local_sites(grid);
  CHECK_OK(STZ_NEW(field, sites));
  CHECK_OK(STZ_NEW(back, sites));
  CHECK_OK(STZ_NEW(modes, stz_spectral_modes(spectral)));
  for (int64_t i = 0; i < sites; i++) field[i] = site_value(stz_grid_first_site(grid) + i);
  stz_spectral_forward(spectral, field, modes);
  uint64_t hash = 0, total;
  for (size_t i = 0; i < stz_spectral_modes(spectral); i++) {
    int m[3];
    stz_spectral_wave(spectral, i, m);
    const uint64_t id = (uint64_t)(((m[0] + 12) * 16 + m[1] + 8) * 17 + m[2]);
    hash += stz_hash_double(0, id, creal(modes[i])) + stz_hash_double(1, id, cimag(modes[i]));
    if (i % 997 != 3) continue;
    double complex direct = 0.0;
    for (int64_t site = 0; site < stz_grid_sites(grid); site++) {
      int x[3];
      stz_grid_coords(grid, site, x);
      direct +=
          site_value(site) * cexp(-2.0 * STZ_PI * I * (m[0] * x[0] / 24.0 + m[1] * x[1] / 16.0 + m[2] * x[2] / 32.0));
    }
    CHECK(cabs(direct - modes[i]) < 1e-9, "mode %d %d %d: off by %g", m[0], m[1], m[2], cabs(direct - modes[i]));
  }
  MPI_Allreduce(&hash, &total, 1, MPI_UINT64_T, MPI_SUM, stz_grid_comm(grid));
  stz_spectral_inverse(spectral, modes, back);
  for (int64_t i = 0; i < sites; i++) {
    CHECK(fabs(back[i] - field[i]) < 1e-13, "inverse off by %g", back[i] - field[i]);
    hash += stz_hash_double(2, (uint64_t)(stz_grid_first_site(grid) + i), back[i]);
  }
  MPI_Allreduce(&hash, &total, 1, MPI_UINT64_T, MPI_SUM, stz_grid_comm(grid));
  stz_free(field);
  stz_free(back);
  stz_free(modes);
  stz_spectral_destroy(&spectral);

  // The same bits as on one rank: transform again on a grid of this rank alone.
  if (stz_grid_ranks(grid) > 1) {
    uint64_t alone = 0;
    stz_grid *single;
    CHECK_OK(stz_grid_create(MPI_COMM_SELF, &BOX, &single));
    CHECK_OK(stz_spectral_create(single, &spectral));
    CHECK_OK(STZ_NEW(field, stz_grid_sites(single)));
    CHECK_OK(STZ_NEW(modes, stz_spectral_modes(spectral)));
    for (int64_t i = 0; i < stz_grid_sites(single); i++) field[i] = site_value(i);
    stz_spectral_forward(spectral, field, modes);
    for (size_t i = 0; i < stz_spectral_modes(spectral); i++) {
      int m[3];
      stz_spectral_wave(spectral, i, m);
      const uint64_t id = (uint64_t)(((m[0] + 12) * 16 + m[1] + 8) * 17 + m[2]);
      alone += stz_hash_double(0, id, creal(modes[i])) + stz_hash_double(1, id, cimag(modes[i]));
    }
    stz_spectral_inverse(spectral, modes, field);
    for (int64_t i = 0; i < stz_grid_sites(single); i++) alone += stz_hash_double(2, (uint64_t)i, field[i]);
    CHECK(alone == total, "transforms depend on the number of ranks");
    stz_free(field);
    stz_free(modes);
    stz_spectral_destroy(&spectral);
    stz_grid_destroy(&single);
  }
}

// The octant transform against the definition.
static void octant(void) {
  const int cells[3] = {8, 16, 8}, parity[3] = {-1, 1, -1};
  double *data, *spectrum;
  CHECK_OK(STZ_NEW(data, 5 * 9 * 5));
  CHECK_OK(STZ_NEW(spectrum, 5 * 9 * 5));
  for (int i = 0; i < 5 * 9 * 5; i++) {
    const int x = i / 45, z = i % 5;
    spectrum[i] = x % 4 && z % 4 ? site_value(i) : 0.0; // odd: zero at both ends
    data[i] = spectrum[i];
  }
  CHECK_OK(stz_octant_inverse(NULL, cells, parity, data));
  for (int r = 0; r < 5 * 9 * 5; r += 3) {
    const int x[3] = {r / 45, r / 5 % 9, r % 5};
    double sum = 0.0;
    for (int m0 = -3; m0 <= 4; m0++) {
      for (int m1 = -7; m1 <= 8; m1++) {
        for (int m2 = -3; m2 <= 4; m2++) {
          const double sign = (m0 < 0 ? -1 : 1) * (m2 < 0 ? -1 : 1);
          sum += sign * spectrum[(abs(m0) * 9 + abs(m1)) * 5 + abs(m2)] * sin(STZ_PI / 4 * m0 * x[0]) *
                 cos(STZ_PI / 8 * m1 * x[1]) * sin(STZ_PI / 4 * m2 * x[2]);
        }
      }
    }
    CHECK_NEAR(data[r], sum / (8 * 16 * 8), 1e-14);
  }
  stz_free(data);
  stz_free(spectrum);
}

static void cases(MPI_Comm comm) {
  stz_grid *grid;
  CHECK_OK(stz_grid_create(comm, &BOX, &grid));
  decomposition(grid);
  sums_and_hash(grid);
  transforms(grid);
  stz_grid_destroy(&grid);
  octant();
}

int main(int argc, char **argv) { return harness_main(argc, argv, "lattice", cases); }
