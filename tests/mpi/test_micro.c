// SPDX-License-Identifier: GPL-3.0-or-later
//
// Composition fields: against a direct sum of their waves, between rank counts, between lattice spacings; the controls;
// percolation against planted structures and a brute-force twin; errors. Statistics: tests/physics.
#include <complex.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "lattice/fields.h"
#include "micro/micro.h"
#include "micro/topology.h"
#include "mpi/harness.h"
#include "rng/rng.h"

static const stz_lattice_params BOX = {.cells = {24, 16, 32}, .spacing_nm = 0.58};
static const stz_micro_params SMOOTH = {.type = STZ_MICRO_RANDOM_WAVES,
                                        .profile = STZ_PROFILE_SMOOTH,
                                        .wavelength_nm = 2.5,
                                        .bandwidth = 0.12,
                                        .nickel_fraction = 0.35,
                                        .nickel_amplitude = 0.15,
                                        .sharpness = 1.5};
static const double CUT_LEVEL = 0.38532046640756773; // of 0.35, from tables of the normal distribution

typedef struct sample {
  stz_grid *grid;
  stz_spectral *spectral;
  stz_micro *micro;
} sample;

// What a file may hold.
static double nickel_at(const int x[3]) { return 0.3 + 0.1 * sin(x[0] + 2.0 * x[1]) * cos(1.5 * x[2]); }

static sample make(MPI_Comm comm, const stz_lattice_params *box, const stz_micro_params *params) {
  sample s;
  double *given = NULL;
  CHECK_OK(stz_grid_create(comm, box, &s.grid));
  CHECK_OK(stz_spectral_create(s.grid, &s.spectral));
  if (params->type == STZ_MICRO_FILE) CHECK_OK(STZ_NEW(given, stz_grid_local_sites(s.grid)));
  for (int64_t i = 0; given && i < stz_grid_local_sites(s.grid); i++) {
    int x[3];
    stz_grid_coords(s.grid, stz_grid_first_site(s.grid) + i, x);
    given[i] = nickel_at(x);
  }
  CHECK_OK(stz_micro_create(s.grid, s.spectral, params, given, 7, &s.micro));
  stz_free(given);
  return s;
}

static void drop(sample *s) {
  stz_micro_destroy(&s->micro);
  stz_spectral_destroy(&s->spectral);
  stz_grid_destroy(&s->grid);
}

// --- the direct sum ---

typedef struct wave {
  double k[3];
  double complex amplitude;
} wave;

// Lists one wave of each pair +-m in the shell, with amplitudes drawn by the documented key.
static int list_waves(const stz_lattice_params *box, const stz_micro_params *params, wave *waves) {
  int count = 0;
  for (int x = -20; x <= 20; x++) {
    for (int y = -20; y <= 20; y++) {
      for (int z = 0; z <= 20; z++) {
        if (z == 0 && (y < 0 || (y == 0 && x <= 0))) continue;
        const double k[3] = {2 * STZ_PI * x / (box->cells[0] * box->spacing_nm),
                             2 * STZ_PI * y / (box->cells[1] * box->spacing_nm),
                             2 * STZ_PI * z / (box->cells[2] * box->spacing_nm)};
        const double relative = sqrt(k[0] * k[0] + k[1] * k[1] + k[2] * k[2]) * params->wavelength_nm / (2 * STZ_PI);
        if (fabs(relative - 1.0) > params->bandwidth) continue;
        stz_rng rng = stz_rng_stream(7, STZ_RNG_WAVES, (uint64_t)(((x + 512) * 1024 + y + 512) * 1024 + z));
        memcpy(waves[count].k, k, sizeof k);
        const double re = stz_rng_normal(&rng), im = stz_rng_normal(&rng);
        waves[count++].amplitude = re + I * im;
      }
    }
  }
  return count;
}

// f and grad f at a point, unnormalised.
static double direct(const wave *waves, int count, const double r[3], double gradient[3]) {
  double f = 0.0;
  gradient[0] = gradient[1] = gradient[2] = 0.0;
  for (int w = 0; w < count; w++) {
    const double *k = waves[w].k;
    const double complex term = 2.0 * waves[w].amplitude * cexp(I * (k[0] * r[0] + k[1] * r[1] + k[2] * r[2]));
    f += creal(term);
    for (int axis = 0; axis < 3; axis++) gradient[axis] -= k[axis] * cimag(term);
  }
  return f;
}

// rms and characteristic length by Parseval.
static void direct_moments(const wave *waves, int count, double *rms, double *lambda) {
  double power = 0.0, moment = 0.0;
  for (int w = 0; w < count; w++) {
    const double *k = waves[w].k, p = creal(waves[w].amplitude * conj(waves[w].amplitude));
    power += p;
    moment += p * sqrt(k[0] * k[0] + k[1] * k[1] + k[2] * k[2]);
  }
  *rms = sqrt(2.0 * power);
  *lambda = 2.0 * STZ_PI * power / moment;
}

static void check_direct(MPI_Comm comm, const stz_lattice_params *box, const stz_micro_params *params, int least) {
  static wave waves[4096];
  const int count = list_waves(box, params, waves);
  CHECK(count >= least, "%d pairs of waves", count);
  sample s = make(comm, box, params);
  double rms, lambda;
  direct_moments(waves, count, &rms, &lambda);
  const bool cut = params->profile == STZ_PROFILE_CUT;
  const double mean = cut ? stz_grid_sum(s.grid, stz_micro_g(s.micro)) / (double)stz_grid_sites(s.grid) : 0.0;
  for (int64_t i = 0; i < stz_grid_local_sites(s.grid); i += 37) {
    int x[3];
    double gradient[3];
    stz_grid_coords(s.grid, stz_grid_first_site(s.grid) + i, x);
    const double r[3] = {x[0] * box->spacing_nm, x[1] * box->spacing_nm, x[2] * box->spacing_nm};
    const double f = direct(waves, count, r, gradient) / rms - (cut ? CUT_LEVEL : 0.0);
    const double smooth = tanh(params->sharpness * f), g = !cut ? smooth : f > 0.0 ? 1.0 : -1.0;
    const double slope = sqrt(gradient[0] * gradient[0] + gradient[1] * gradient[1] + gradient[2] * gradient[2]) / rms;
    CHECK_NEAR(stz_micro_g(s.micro)[i], g, 1e-12);
    CHECK_NEAR(stz_micro_composition(s.micro)[i], 0.35 + 0.15 * (g - mean), 1e-12);
    CHECK_NEAR(stz_micro_interface(s.micro)[i], (1.0 - smooth * smooth) * slope * lambda / (2.0 * STZ_PI), 1e-11);
  }
  stz_micro_measures measures;
  CHECK_OK(stz_micro_measure(s.micro, s.spectral, &measures));
  CHECK_NEAR(measures.length_spectrum_nm, lambda, 1e-12 * lambda);
  if (cut) CHECK_NEAR(measures.nickel_fraction, 0.35, 1e-12);
  drop(&s);
}

static void direct_sums(MPI_Comm comm) {
  stz_micro_params cut = SMOOTH;
  cut.profile = STZ_PROFILE_CUT;
  check_direct(comm, &BOX, &SMOOTH, 200);
  check_direct(comm, &BOX, &cut, 200);
  // One plane wave, along the longest edge.
  stz_micro_params plane = SMOOTH;
  plane.wavelength_nm = 32 * 0.58;
  check_direct(comm, &BOX, &plane, 1);
}

// --- any number of ranks ---

typedef struct digest {
  uint64_t fields, values; // with and without the places of the values
  stz_micro_measures measures;
} digest;

static digest digest_of(MPI_Comm comm, const stz_micro_params *params) {
  digest d;
  memset(&d, 0, sizeof d); // padding too: digests are compared by their bytes
  sample s = make(comm, &BOX, params);
  uint64_t sums[2] = {0, 0};
  for (int64_t i = 0; i < stz_grid_local_sites(s.grid); i++) {
    const uint64_t site = (uint64_t)(stz_grid_first_site(s.grid) + i);
    const double w = stz_micro_interface(s.micro) ? stz_micro_interface(s.micro)[i] : 0.0;
    const uint64_t bits = stz_hash_double(1, 0, stz_micro_g(s.micro)[i]) +
                          stz_hash_double(2, 0, stz_micro_composition(s.micro)[i]) + stz_hash_double(3, 0, w);
    sums[0] += stz_hash_mix(0, site, bits);
    sums[1] += stz_hash_mix(0, 0, bits);
  }
  MPI_Allreduce(MPI_IN_PLACE, sums, 2, MPI_UINT64_T, MPI_SUM, comm);
  d.fields = sums[0];
  d.values = sums[1];
  CHECK_OK(stz_micro_measure(s.micro, s.spectral, &d.measures));
  drop(&s);
  return d;
}

static digest alike(MPI_Comm comm, const stz_micro_params *params) {
  const digest all = digest_of(comm, params), alone = digest_of(MPI_COMM_SELF, params);
  CHECK(all.fields == alone.fields, "type %d, profile %d, control %d: fields depend on the number of ranks",
        params->type, params->profile, params->control);
  CHECK(memcmp(&all.measures, &alone.measures, sizeof alone.measures) == 0,
        "type %d, profile %d, control %d: measures depend on the number of ranks", params->type, params->profile,
        params->control);
  return all;
}

static void rank_counts(MPI_Comm comm) {
  static const stz_micro_type types[5] = {STZ_MICRO_RANDOM_WAVES, STZ_MICRO_RANDOM_WAVES, STZ_MICRO_CAHN_HILLIARD,
                                          STZ_MICRO_LAYERS, STZ_MICRO_FILE};
  for (int i = 0; i < 5; i++) {
    stz_micro_params params = SMOOTH;
    params.type = types[i];
    params.profile = i == 1 ? STZ_PROFILE_CUT : STZ_PROFILE_SMOOTH;
    params.layer_axis = 0;
    params.layer_period_nm = 24 * 0.58 / 3;
    params.layer_rich_share = 0.35;
    const digest plain = alike(comm, &params);
    params.control = STZ_CONTROL_SHUFFLED;
    const digest shuffled = alike(comm, &params);
    CHECK(plain.values == shuffled.values, "shuffling changed values");
    CHECK(plain.fields != shuffled.fields, "shuffling moved nothing");
    CHECK_NEAR(plain.measures.volume_fraction_rich, shuffled.measures.volume_fraction_rich, 0.0);
    params.control = STZ_CONTROL_EQUAL_HISTOGRAM;
    CHECK_NEAR(alike(comm, &params).measures.nickel_fraction, plain.measures.nickel_fraction, 1e-13);
  }
}

// --- the box decides, not the spacing ---

static void spacings(void) {
  const stz_lattice_params coarse = {.cells = {24, 24, 24}, .spacing_nm = 0.56},
                           fine = {.cells = {32, 32, 32}, .spacing_nm = 0.42};
  sample c = make(MPI_COMM_SELF, &coarse, &SMOOTH), f = make(MPI_COMM_SELF, &fine, &SMOOTH);
  for (int i = 0; i < 512; i++) {
    const int x = i / 64, y = i / 8 % 8, z = i % 8;
    const int64_t at_c = stz_grid_site(c.grid, 3 * x, 3 * y, 3 * z), at_f = stz_grid_site(f.grid, 4 * x, 4 * y, 4 * z);
    CHECK_NEAR(stz_micro_g(c.micro)[at_c], stz_micro_g(f.micro)[at_f], 1e-12);
    CHECK_NEAR(stz_micro_interface(c.micro)[at_c], stz_micro_interface(f.micro)[at_f], 1e-11);
  }
  drop(&c);
  drop(&f);
}

// --- the shuffled control ---

// Correlation coefficient of p at a site with q at that site moved by d. Between independent sites it is normal with
// deviation 1/sqrt(12288): the bound of 4.5 of them fails by chance once in 150,000.
static double correlation(const stz_grid *grid, const double *p, const double *q, const int d[3]) {
  double sum_p = 0.0, sum_q = 0.0, pp = 0.0, qq = 0.0, pq = 0.0;
  const double n = (double)stz_grid_sites(grid);
  for (int64_t i = 0; i < stz_grid_sites(grid); i++) {
    int x[3];
    stz_grid_coords(grid, i, x);
    const double u = p[i], v = q[stz_grid_site(grid, x[0] + d[0], x[1] + d[1], x[2] + d[2])];
    sum_p += u, sum_q += v, pp += u * u, qq += v * v, pq += u * v;
  }
  return (pq - sum_p * sum_q / n) / sqrt((pp - sum_p * sum_p / n) * (qq - sum_q * sum_q / n));
}

static void shuffling(void) {
  stz_micro_params shuffled = SMOOTH;
  shuffled.control = STZ_CONTROL_SHUFFLED;
  sample s = make(MPI_COMM_SELF, &BOX, &shuffled), plain = make(MPI_COMM_SELF, &BOX, &SMOOTH);
  static const int steps[6][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {2, 0, 0}, {0, 8, 0}, {0, 0, 16}};
  const double bound = 4.5 / sqrt(24.0 * 16.0 * 32.0), *g = stz_micro_g(s.micro), *before = stz_micro_g(plain.micro);
  for (int i = 0; i < 6; i++) CHECK_NEAR(correlation(s.grid, g, g, steps[i]), 0.0, bound);
  CHECK_NEAR(correlation(s.grid, g, before, (const int[3]){0, 0, 0}), 0.0, bound);
  CHECK(correlation(s.grid, before, before, steps[0]) > 0.5, "the field itself is uncorrelated");
  stz_micro_measures measures;
  CHECK_OK(stz_micro_measure(s.micro, s.spectral, &measures));
  // White noise: the first moment of k over the cube |k_i| < pi/a is 0.9606 pi/a.
  CHECK_NEAR(measures.length_spectrum_nm, 2.0 * 0.58 / 0.9606, 0.02);
  drop(&s);
  drop(&plain);
}

// --- percolation ---

static const stz_lattice_params SMALL = {.cells = {12, 8, 10}, .spacing_nm = 1.0};

// Phases of a planted structure at a site of SMALL.
static bool planted(int kind, const int x[3]) {
  const bool rod_x = x[1] == 2 && x[2] == 3, rod_y = x[0] == 11 && x[2] == 3, rod_z = x[0] == 4 && x[1] == 2;
  const int d[3] = {(x[0] + 6) % 12 - 6, x[1] - 4, x[2] - 5}; // a sphere across the boundary in x
  switch (kind) {
  case 0:
    return d[0] * d[0] + d[1] * d[1] + d[2] * d[2] <= 9;
  case 1:
    return rod_x;
  case 2:
    return rod_x && x[0] != 5; // spans the boundary, does not close
  case 3:
    return rod_x || rod_y || rod_z;
  case 4:
    return (rod_x && x[0] != 0) || rod_y || rod_z;
  case 5:
    return x[0] < 6; // layers
  default:
    return true;
  }
}

static void planted_structures(const stz_grid *grid) {
  static const bool rich[7] = {false, false, false, true, false, false, true};
  static const bool poor[7] = {true, true, true, true, true, false, false};
  double *f;
  CHECK_OK(STZ_NEW(f, stz_grid_local_sites(grid)));
  for (int kind = 0; kind < 7; kind++) {
    bool percolates[2];
    for (int64_t i = 0; i < stz_grid_local_sites(grid); i++) {
      int x[3];
      stz_grid_coords(grid, stz_grid_first_site(grid) + i, x);
      f[i] = planted(kind, x) ? 0.1 : -3.0;
    }
    CHECK_OK(stz_topology_percolation(grid, f, percolates));
    CHECK(percolates[1] == rich[kind] && percolates[0] == poor[kind], "planted structure %d: rich %d, poor %d", kind,
          percolates[1], percolates[0]);
    if (kind == 5) { // two interfaces, met by the lines along x alone: a third of N_L, hence 2/3 of the area
      double per_nm;
      CHECK_OK(stz_topology_interface(grid, f, &per_nm));
      CHECK_NEAR(per_nm, 2.0 / 3.0 * 2.0 / 12.0, 1e-15);
    }
  }
  stz_free(f);
}

static double noise(int seed, int64_t site) {
  stz_rng rng = stz_rng_stream((uint64_t)seed, STZ_RNG_NOISE, (uint64_t)site);
  return stz_rng_uniform(&rng);
}

// Flood fill of one phase in the covering space: a site met again at another place of it closes a winding path.
static void flood(const stz_grid *grid, const double *f, bool rich, bool winds[3]) {
  static int place[960][3], stack[960];
  static bool seen[960];
  memset(seen, 0, sizeof seen);
  for (int start = 0; start < 960; start++) {
    if (seen[start] || (f[start] > 0.0) != rich) continue;
    int depth = 0;
    stz_grid_coords(grid, start, place[start]);
    seen[start] = true;
    for (stack[depth++] = start; depth > 0;) {
      const int here = stack[--depth];
      for (int side = 0; side < 6; side++) {
        int to[3] = {place[here][0], place[here][1], place[here][2]};
        to[side / 2] += side % 2 ? 1 : -1;
        const int there = (int)stz_grid_site(grid, to[0], to[1], to[2]);
        if ((f[there] > 0.0) != rich) continue;
        if (!seen[there]) {
          seen[there] = true;
          memcpy(place[there], to, sizeof to);
          stack[depth++] = there;
        }
        for (int axis = 0; axis < 3; axis++) winds[axis] |= place[there][axis] != to[axis];
      }
    }
  }
}

// Random sites at densities about the percolation threshold 0.3116 of the simple cubic lattice.
static void random_sites(const stz_grid *grid) {
  static double all[960];
  double *f;
  stz_grid *alone;
  int percolating = 0;
  CHECK_OK(stz_grid_create(MPI_COMM_SELF, &SMALL, &alone));
  CHECK_OK(STZ_NEW(f, stz_grid_local_sites(grid)));
  for (int trial = 0; trial < 60; trial++) {
    const double density = 0.28 + 0.002 * trial;
    for (int64_t site = 0; site < 960; site++) {
      all[site] = density - noise(trial, site);
      if (trial % 2) all[site] *= -1.0;
      if (stz_grid_local(grid, site) >= 0) f[stz_grid_local(grid, site)] = all[site];
    }
    bool percolates[2];
    CHECK_OK(stz_topology_percolation(grid, f, percolates));
    for (int phase = 0; phase < 2; phase++) {
      bool winds[3] = {false, false, false};
      flood(alone, all, phase, winds);
      CHECK(percolates[phase] == (winds[0] && winds[1] && winds[2]), "trial %d, phase %d", trial, phase);
      percolating += percolates[phase];
    }
  }
  CHECK(percolating > 70 && percolating < 110, "%d of 120 percolate: the trials decide nothing", percolating);
  stz_free(f);
  stz_grid_destroy(&alone);
}

// --- errors, uniform ---

static void expect_error(MPI_Comm comm, double wavelength, double bandwidth, const char *text) {
  sample s;
  stz_micro_params params = SMOOTH;
  params.wavelength_nm = wavelength;
  params.bandwidth = bandwidth;
  CHECK_OK(stz_grid_create(comm, &BOX, &s.grid));
  CHECK_OK(stz_spectral_create(s.grid, &s.spectral));
  const stz_err err = stz_micro_create(s.grid, s.spectral, &params, NULL, 7, &s.micro);
  CHECK(err == STZ_EINPUT && strstr(stz_error_message(), text), "error %d: %s", (int)err, stz_error_message());
  CHECK(s.micro == NULL, "a sample after an error");
  drop(&s);
}

static void errors(MPI_Comm comm) {
  expect_error(comm, 1.2, 0.12, "needs > 2 spacing_nm (1 + bandwidth) = 1.2992 nm");
  expect_error(comm, 60.0, 0.12, "the nearest wavelengths that fit: 18.56 nm");
  expect_error(comm, 16.0, 0.01, "the nearest wavelengths that fit: 13.92 and 18.56 nm");
}

static void uniform(MPI_Comm comm) {
  stz_micro_params params = SMOOTH;
  params.type = STZ_MICRO_UNIFORM;
  sample s = make(comm, &BOX, &params);
  CHECK(stz_micro_interface(s.micro) == NULL, "an interface in a uniform glass");
  for (int64_t i = 0; i < stz_grid_local_sites(s.grid); i++) {
    CHECK(stz_micro_g(s.micro)[i] == 0.0 && stz_micro_composition(s.micro)[i] == 0.35, "site %" PRId64, i);
  }
  drop(&s);
}

// With the control of equal histogram the glass is uniform, and the structured field is at hand.
static void matched(MPI_Comm comm) {
  stz_micro_params params = SMOOTH;
  sample plain = make(comm, &BOX, &params);
  params.control = STZ_CONTROL_EQUAL_HISTOGRAM;
  sample s = make(comm, &BOX, &params);
  const stz_micro *structured = stz_micro_matched(s.micro);
  CHECK(stz_micro_matched(plain.micro) == NULL && stz_micro_interface(s.micro) == NULL, "roles are mixed up");
  for (int64_t i = 0; structured && i < stz_grid_local_sites(s.grid); i++) {
    CHECK(stz_micro_g(s.micro)[i] == 0.0, "site %" PRId64, i);
    CHECK_NEAR(stz_micro_composition(s.micro)[i], 0.35, 0.01);
    CHECK(stz_micro_g(structured)[i] == stz_micro_g(plain.micro)[i], "site %" PRId64, i);
    CHECK(stz_micro_interface(structured)[i] == stz_micro_interface(plain.micro)[i], "site %" PRId64, i);
  }
  drop(&plain);
  drop(&s);
}

// Amplitudes of the waves of g about its mean, one per local mode of `s`.
static double *amplitudes(const sample *s) {
  const int64_t sites = stz_grid_local_sites(s->grid);
  double *g = NULL, *size = NULL;
  double complex *spectrum = NULL;
  CHECK_OK(STZ_NEW(g, sites));
  CHECK_OK(STZ_NEW(size, stz_spectral_modes(s->spectral)));
  CHECK_OK(STZ_NEW(spectrum, stz_spectral_modes(s->spectral)));
  memcpy(g, stz_micro_g(s->micro), (size_t)sites * sizeof *g);
  stz_spectral_forward(s->spectral, g, spectrum);
  for (size_t i = 0; i < stz_spectral_modes(s->spectral); i++) size[i] = cabs(spectrum[i]);
  stz_free(g);
  stz_free(spectrum);
  return size;
}

static double kurtosis(const sample *s) {
  const double *g = stz_micro_g(s->micro), n = (double)stz_grid_sites(s->grid);
  double mean = 0.0, second = 0.0, fourth = 0.0;
  for (int64_t i = 0; i < stz_grid_local_sites(s->grid); i++) mean += g[i] / n;
  for (int64_t i = 0; i < stz_grid_local_sites(s->grid); i++) {
    second += (g[i] - mean) * (g[i] - mean) / n;
    fourth += pow(g[i] - mean, 4) / n;
  }
  return fourth / second / second;
}

// The control of random phases: wave by wave the amplitudes of the structured field, but a Gaussian field, unrelated to
// it, with a constant interface weight of the same mean. A sharp field of domains has a kurtosis near 1, a Gaussian one
// 3; at some 100 independent zones 1.5 stands between them by three standard errors of either.
static void phases(MPI_Comm comm) {
  stz_micro_params params = SMOOTH;
  params.sharpness = 6.0;
  sample plain = make(comm, &BOX, &params);
  params.control = STZ_CONTROL_RANDOM_PHASES;
  sample s = make(comm, &BOX, &params), alone = make(MPI_COMM_SELF, &BOX, &params);
  double *before = amplitudes(&plain), *after = amplitudes(&s), weight[2] = {0.0, 0.0};
  for (size_t i = 0; i < stz_spectral_modes(s.spectral); i++) CHECK_NEAR(after[i], before[i], 1e-9 * (1.0 + before[i]));
  for (int64_t i = 0; i < stz_grid_local_sites(s.grid); i++) {
    const int64_t site = stz_grid_first_site(s.grid) + i;
    CHECK(stz_micro_g(s.micro)[i] == stz_micro_g(alone.micro)[site], "ranks disagree at %" PRId64, site);
    CHECK(stz_micro_interface(s.micro)[i] == stz_micro_interface(s.micro)[0], "the weight varies");
    weight[0] += stz_micro_interface(plain.micro)[i];
    weight[1] += stz_micro_interface(s.micro)[i];
  }
  MPI_Allreduce(MPI_IN_PLACE, weight, 2, MPI_DOUBLE, MPI_SUM, comm);
  CHECK_NEAR(weight[1], weight[0], 1e-9 * weight[0]);
  params.control = STZ_CONTROL_NONE;
  sample domains = make(MPI_COMM_SELF, &BOX, &params);
  CHECK(kurtosis(&domains) < 1.5 && kurtosis(&alone) > 1.5, "kurtosis %g and %g", kurtosis(&domains), kurtosis(&alone));
  CHECK_NEAR(correlation(s.grid, stz_micro_g(alone.micro), stz_micro_g(domains.micro), (const int[3]){0, 0, 0}), 0.0,
             0.3);
  stz_free(before);
  stz_free(after);
  drop(&plain);
  drop(&s);
  drop(&alone);
  drop(&domains);
}

static void cases(MPI_Comm comm) {
  stz_grid *grid;
  direct_sums(comm);
  rank_counts(comm);
  spacings();
  shuffling();
  CHECK_OK(stz_grid_create(comm, &SMALL, &grid));
  planted_structures(grid);
  random_sites(grid);
  stz_grid_destroy(&grid);
  errors(comm);
  uniform(comm);
  matched(comm);
  phases(comm);
}

int main(int argc, char **argv) { return harness_main(argc, argv, "micro", cases); }
