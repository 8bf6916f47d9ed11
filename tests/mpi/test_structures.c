// SPDX-License-Identifier: GPL-3.0-or-later
//
// Layers against their own geometry; fields from a file: the file as read back, and what is made of its values.
#include <hdf5.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/units.h"
#include "io/field.h"
#include "micro/micro.h"
#include "mpi/harness.h"

static const stz_lattice_params BOX = {.cells = {24, 16, 32}, .spacing_nm = 0.58};

typedef struct sample {
  stz_grid *grid;
  stz_spectral *spectral;
  stz_micro *micro;
} sample;

static sample make(MPI_Comm comm, const stz_micro_params *params, const double *given) {
  sample s;
  CHECK_OK(stz_grid_create(comm, &BOX, &s.grid));
  CHECK_OK(stz_spectral_create(s.grid, &s.spectral));
  CHECK_OK(stz_micro_create(s.grid, s.spectral, params, given, 7, &s.micro));
  return s;
}

static void drop(sample *s) {
  stz_micro_destroy(&s->micro);
  stz_spectral_destroy(&s->spectral);
  stz_grid_destroy(&s->grid);
}

// The text of the error that the params give; also that there is one, and no sample.
static void expect_error(MPI_Comm comm, const stz_micro_params *params, const double *given, const char *text) {
  sample s;
  CHECK_OK(stz_grid_create(comm, &BOX, &s.grid));
  CHECK_OK(stz_spectral_create(s.grid, &s.spectral));
  const stz_err err = stz_micro_create(s.grid, s.spectral, params, given, 7, &s.micro);
  CHECK(err == STZ_EINPUT && strstr(stz_error_message(), text), "error %d: %s", (int)err, stz_error_message());
  CHECK(s.micro == NULL, "a sample after an error");
  drop(&s);
}

// --- layers ---

static stz_micro_params layers(int axis, double period, double share, stz_micro_profile profile) {
  return (stz_micro_params){.type = STZ_MICRO_LAYERS,
                            .profile = profile,
                            .layer_axis = axis,
                            .layer_period_nm = period,
                            .layer_rich_share = share,
                            .nickel_fraction = 0.35,
                            .nickel_amplitude = 0.15,
                            .sharpness = 1.5};
}

// Ni-rich layers fill [j period, (j + share) period). The expected values come from a list of all interfaces.
static void check_layers(MPI_Comm comm, int axis, int count, double share, stz_micro_profile profile) {
  const double edge = BOX.cells[axis] * 0.58, period = edge / count;
  const stz_micro_params params = layers(axis, period * 1.0004, share, profile);
  sample s = make(comm, &params, NULL);
  const bool cut = profile == STZ_PROFILE_CUT;
  double expected[64], weight[64], mean = 0.0, rich_sites = 0.0;
  int changes = 0;
  bool rich[64];
  for (int x = 0; x < BOX.cells[axis]; x++) {
    const double at = (x + 0.5) * 0.58;
    double distance = INFINITY;
    rich[x] = false;
    for (int j = 0; j <= count; j++) {
      const double begin = j * period, end = begin + share * period;
      distance = fmin(distance, fmin(fabs(at - begin), fabs(at - end)));
      rich[x] = rich[x] || (at > begin && at < end);
    }
    const double g = tanh(1.5 * (rich[x] ? 1.0 : -1.0) * 2.0 * STZ_PI * distance / period);
    expected[x] = !cut ? g : rich[x] ? 1.0 : -1.0;
    weight[x] = 1.0 - g * g;
    mean += expected[x] / BOX.cells[axis];
    rich_sites += rich[x];
  }
  for (int x = 0; x < BOX.cells[axis]; x++) changes += rich[x] != rich[(x + 1) % BOX.cells[axis]];
  CHECK(changes == 2 * count, "%d interfaces instead of %d", changes, 2 * count);
  for (int64_t i = 0; i < stz_grid_local_sites(s.grid); i++) {
    int x[3];
    stz_grid_coords(s.grid, stz_grid_first_site(s.grid) + i, x);
    CHECK_NEAR(stz_micro_g(s.micro)[i], expected[x[axis]], 1e-12);
    CHECK_NEAR(stz_micro_interface(s.micro)[i], weight[x[axis]], 1e-12);
    CHECK_NEAR(stz_micro_composition(s.micro)[i], 0.35 + 0.15 * (expected[x[axis]] - mean), 1e-12);
  }
  stz_micro_measures m;
  CHECK_OK(stz_micro_measure(s.micro, s.spectral, &m));
  CHECK_NEAR(m.nickel_fraction, 0.35, 1e-12);
  CHECK_NEAR(m.volume_fraction_rich, rich_sites / BOX.cells[axis], 1e-12);
  CHECK_NEAR(m.interface_per_nm, 2.0 / period, 1e-12); // two planes a period
  CHECK(!m.percolates_rich && !m.percolates_poor, "layers percolate across themselves");
  drop(&s);
}

static void all_layers(MPI_Comm comm) {
  check_layers(comm, 0, 3, 0.5, STZ_PROFILE_SMOOTH);
  check_layers(comm, 1, 1, 0.25, STZ_PROFILE_SMOOTH);
  check_layers(comm, 2, 5, 0.35, STZ_PROFILE_SMOOTH);
  check_layers(comm, 2, 4, 0.5, STZ_PROFILE_CUT);
  check_layers(comm, 0, 2, 0.7, STZ_PROFILE_CUT);
  // Along z the box has 18.56 nm.
  stz_micro_params params = layers(2, 5.0, 0.5, STZ_PROFILE_SMOOTH);
  expect_error(comm, &params, NULL,
               "microstructure.layer_period_nm: got 5, needs a whole number of periods in the box's 18.56 nm; the "
               "nearest: 6.187 and 4.64 nm");
  params.layer_period_nm = 20.0;
  expect_error(comm, &params, NULL, "the nearest: 18.56 nm");
  params = layers(2, 2.32, 0.8, STZ_PROFILE_SMOOTH);
  expect_error(comm, &params, NULL, "got 2.32, needs >= 2.9, for each layer to be a voxel thick");
}

// --- fields that are given ---

static stz_micro_params from_file(void) {
  return (stz_micro_params){.type = STZ_MICRO_FILE,
                            .profile = STZ_PROFILE_SMOOTH,
                            .nickel_fraction = 0.4,
                            .nickel_amplitude = 0.2,
                            .sharpness = 1.5};
}

// Two flat slabs as phases, 0 and 1: composition, and the interface's weight, which is 1 at a flat interface: the step
// is smoothed to the slope that the smooth profile has there. The largest of the two planes beside an interface is half
// a voxel from it: exp(-a^2/(8 width^2)), width = sqrt(2/pi) lambda/(2 pi sharpness).
static void slabs(MPI_Comm comm) {
  const stz_micro_params params = from_file();
  stz_grid *grid;
  double *given, highest = 0.0, expected;
  CHECK_OK(stz_grid_create(comm, &BOX, &grid));
  CHECK_OK(STZ_NEW(given, stz_grid_local_sites(grid)));
  for (int64_t i = 0; i < stz_grid_local_sites(grid); i++) {
    int x[3];
    stz_grid_coords(grid, stz_grid_first_site(grid) + i, x);
    given[i] = x[2] < 8; // a quarter of the 32 planes
  }
  sample s = make(comm, &params, given);
  stz_micro_measures measures;
  CHECK_OK(stz_micro_measure(s.micro, s.spectral, &measures));
  CHECK(stz_micro_of_phases(s.micro), "no map of phases");
  CHECK_NEAR(measures.volume_fraction_rich, 0.25, 1e-12);
  const double width = sqrt(2.0 / STZ_PI) * measures.length_spectrum_nm / (2.0 * STZ_PI * 1.5);
  expected = exp(-0.125 * 0.58 * 0.58 / (width * width));
  for (int64_t i = 0; i < stz_grid_local_sites(grid); i++) {
    CHECK_NEAR(stz_micro_g(s.micro)[i], given[i] > 0.5 ? 1.0 : -1.0, 0.0);
    CHECK_NEAR(stz_micro_composition(s.micro)[i], given[i] > 0.5 ? 0.7 : 0.3, 1e-12); // 0.4 + 0.2 (g + 0.5)
    highest = fmax(highest, stz_micro_interface(s.micro)[i]);
  }
  MPI_Allreduce(MPI_IN_PLACE, &highest, 1, MPI_DOUBLE, MPI_MAX, comm);
  CHECK(width > 0.58, "narrower than a voxel: %g nm", width);
  CHECK_NEAR(highest, expected, 0.04); // the step lies on a lattice
  drop(&s);
  stz_micro_params said = params;
  said.values = STZ_VALUES_NICKEL;
  s = make(comm, &said, given);
  CHECK(!stz_micro_of_phases(s.micro), "fractions taken for phases");
  for (int64_t i = 0; i < stz_grid_local_sites(grid); i++) CHECK_NEAR(stz_micro_composition(s.micro)[i], given[i], 0.0);
  drop(&s);
  said.values = STZ_VALUES_PHASES;
  const int64_t bad = stz_grid_local(grid, stz_grid_site(grid, 23, 4, 30));
  if (bad >= 0) given[bad] = 0.5;
  expect_error(comm, &said, given, "got 0.5 at voxel [23, 4, 30], needs 0 or 1 with values = \"phases\"");
  stz_free(given);
  stz_grid_destroy(&grid);
}

// One plane wave g = 0.7 sin(k.r), whose gradient and length are known.
static void plane_wave(MPI_Comm comm) {
  const stz_micro_params params = from_file();
  const double kx = 2.0 * STZ_PI * 3 / 24, ky = 2.0 * STZ_PI / 16, kz = 2.0 * STZ_PI * 5 / 32;
  const double k = sqrt(kx * kx + ky * ky + kz * kz) / 0.58;
  stz_grid *grid;
  double *given;
  CHECK_OK(stz_grid_create(comm, &BOX, &grid));
  CHECK_OK(STZ_NEW(given, stz_grid_local_sites(grid)));
  for (int64_t i = 0; i < stz_grid_local_sites(grid); i++) {
    int x[3];
    stz_grid_coords(grid, stz_grid_first_site(grid) + i, x);
    given[i] = 0.4 + 0.2 * 0.7 * sin(kx * x[0] + ky * x[1] + kz * x[2]);
  }
  sample s = make(comm, &params, given);
  for (int64_t i = 0; i < stz_grid_local_sites(grid); i++) {
    int x[3];
    stz_grid_coords(grid, stz_grid_first_site(grid) + i, x);
    const double phase = kx * x[0] + ky * x[1] + kz * x[2];
    CHECK(stz_micro_composition(s.micro)[i] == given[i], "the composition is not the file's");
    CHECK_NEAR(stz_micro_g(s.micro)[i], 0.7 * sin(phase), 1e-12);
    CHECK_NEAR(stz_micro_interface(s.micro)[i], 0.7 * k * fabs(cos(phase)) * (2.0 * STZ_PI / k) / (2.0 * STZ_PI * 1.5),
               1e-11);
  }
  drop(&s);
  // One bad value, on the last rank.
  const int64_t bad = stz_grid_local(grid, stz_grid_site(grid, 23, 4, 30));
  const double old = bad >= 0 ? given[bad] : 0.0;
  if (bad >= 0) given[bad] = 1.00001;
  expect_error(comm, &params, given, "got 1.00001 at voxel [23, 4, 30], needs 0 to 1, atomic fractions");
  if (bad >= 0) given[bad] = NAN;
  expect_error(comm, &params, given, "got nan at voxel [23, 4, 30]");
  if (bad >= 0) given[bad] = old;
  stz_free(given);
  stz_grid_destroy(&grid);
}

// --- the file itself ---

static char path[64];

// For rank 0: one dataset of a type, values as `memory`.
static void write_dataset(hid_t file, const char *name, hid_t type, hid_t memory, int rank, const hsize_t *dims,
                          const void *values) {
  const hid_t space = H5Screate_simple(rank, dims, NULL);
  const hid_t dataset = H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  CHECK(H5Dwrite(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0, "%s", name);
  H5Dclose(dataset);
  H5Sclose(space);
}

static double value_at(int64_t site) { return (double)(site * 7919 % 12289) / 16384.0; } // exact in single precision

static void write_file(void) {
  const hsize_t dims[3] = {24, 16, 32}, turned[3] = {32, 16, 24}, flat[1] = {12288};
  static double values[12288];
  static int small[12288];
  for (int i = 0; i < 12288; i++) {
    values[i] = value_at(i);
    small[i] = i % 2;
  }
  const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  write_dataset(file, "double", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 3, dims, values);
  write_dataset(file, "big_endian_float", H5T_IEEE_F32BE, H5T_NATIVE_DOUBLE, 3, dims, values);
  write_dataset(file, "byte", H5T_STD_U8LE, H5T_NATIVE_INT, 3, dims, small);
  write_dataset(file, "turned", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 3, turned, values);
  write_dataset(file, "flat", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 1, flat, values);
  H5Fclose(file);
}

static void refused(const stz_grid *grid, const char *file, const char *dataset, stz_err code, const char *text) {
  double *local;
  CHECK_OK(STZ_NEW(local, stz_grid_local_sites(grid)));
  const stz_field field = {file, dataset, ""};
  const stz_err err = stz_field_read(grid, &field, local);
  CHECK(err == code && strstr(stz_error_message(), text), "error %d: %s", (int)err, stz_error_message());
  CHECK(stz_field_check(&field, BOX.cells, NULL, NULL, NULL) == code, "another error without reading");
  stz_free(local);
}

static void files(MPI_Comm comm) {
  stz_grid *grid;
  int rank;
  MPI_Comm_rank(comm, &rank);
  const char *base = getenv("TMPDIR");
  snprintf(path, sizeof path, "%.30s/stz-field-XXXXXX", base ? base : "/tmp");
  if (rank == 0) {
    const int made = mkstemp(path);
    CHECK(made >= 0 && close(made) == 0, "%s", path);
    write_file();
  }
  MPI_Bcast(path, (int)sizeof path, MPI_CHAR, 0, comm);
  CHECK_OK(stz_grid_create(comm, &BOX, &grid));
  double *local;
  CHECK_OK(STZ_NEW(local, stz_grid_local_sites(grid)));
  static const char *const names[3] = {"double", "/big_endian_float", "byte"};
  for (int n = 0; n < 3; n++) {
    const stz_field field = {path, names[n], ""};
    CHECK_OK(stz_field_check(&field, BOX.cells, NULL, NULL, NULL));
    CHECK_OK(stz_field_read(grid, &field, local));
    for (int64_t i = 0; i < stz_grid_local_sites(grid); i++) {
      const int64_t site = stz_grid_first_site(grid) + i;
      CHECK_NEAR(local[i], n < 2 ? value_at(site) : (double)(site % 2), 0.0);
    }
  }
  refused(grid, path, "turned", STZ_EINPUT, "turned: got 32 x 16 x 24 values, needs 24 x 16 x 32, the lattice's cells");
  refused(grid, path, "flat", STZ_EINPUT, "flat: got 12288 values, needs 24 x 16 x 32");
  refused(grid, path, "missing", STZ_EINPUT, "missing: got no dataset of this name");
  refused(grid, path, "/", STZ_EINPUT, "/: got no dataset of this name");
  refused(grid, "/nowhere/field.h5", "double", STZ_EIO, "/nowhere/field.h5: cannot open: No such file or directory");
  MPI_Barrier(comm);
  if (rank == 0) unlink(path);
  stz_free(local);
  stz_grid_destroy(&grid);
}

static void cases(MPI_Comm comm) {
  all_layers(comm);
  plane_wave(comm);
  slabs(comm);
  files(comm);
}

int main(int argc, char **argv) { return harness_main(argc, argv, "structures", cases); }
