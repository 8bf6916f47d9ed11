// SPDX-License-Identifier: GPL-3.0-or-later
//
// Autocorrelation, participation and histograms of fields whose answers are known, and brute-force twins; the same bits
// on any number of ranks.
#include <string.h>

#include "base/units.h"
#include "kmc_setup.h"
#include "observe/correlation.h"
#include "observe/distributions.h"
#include "observe/tally.h"
#include "rng/rng.h"

typedef double site_value(const int cells[3], const int site[3], const void *context);

typedef struct lattice {
  stz_grid *grid;
  stz_spectral *spectral;
  int64_t sites;
} lattice;

static lattice open_lattice(MPI_Comm comm, const int cells[3], double spacing) {
  const stz_lattice_params box = {.cells = {cells[0], cells[1], cells[2]}, .spacing_nm = spacing};
  lattice l;
  CHECK_OK(stz_grid_create(comm, &box, &l.grid));
  CHECK_OK(stz_spectral_create(l.grid, &l.spectral));
  l.sites = stz_grid_local_sites(l.grid);
  return l;
}

static void close_lattice(lattice *l) {
  stz_spectral_destroy(&l->spectral);
  stz_grid_destroy(&l->grid);
}

static double *fill(const lattice *l, site_value *value, const void *context) {
  double *field;
  CHECK_OK(STZ_NEW(field, l->sites));
  for (int64_t i = 0; i < l->sites; i++) {
    int site[3];
    stz_grid_coords(l->grid, stz_grid_first_site(l->grid) + i, site);
    field[i] = value(stz_grid_cells(l->grid), site, context);
  }
  return field;
}

static stz_correlation *correlate(MPI_Comm comm, const int cells[3], double spacing, double width, site_value *value,
                                  const void *context) {
  lattice l = open_lattice(comm, cells, spacing);
  double *field = fill(&l, value, context);
  stz_correlation *c = NULL;
  CHECK_OK(stz_correlation_create(l.grid, l.spectral, field, width, &c));
  stz_free(field);
  close_lattice(&l);
  return c;
}

// --- autocorrelation ---

static double wave(const int cells[3], const int site[3], const void *context) {
  const int *m = context;
  double phase = 0.3;
  for (int k = 0; k < 3; k++) phase += 2.0 * STZ_PI * m[k] * site[k] / cells[k];
  return 0.7 + 0.2 * cos(phase);
}

// A plane wave has C(r) = cos(k r), whatever it is averaged with; its variance falls by exp(-k^2 s^2).
static void plane_wave(MPI_Comm comm) {
  const int cells[3] = {24, 32, 16}, m[3] = {2, -1, 1};
  const double a = 0.58;
  for (int smeared = 0; smeared < 2; smeared++) {
    const double s = smeared ? 0.5 : 0.0;
    stz_correlation *c = correlate(comm, cells, a, s, wave, m);
    double square = 0.0;
    for (int k = 0; k < 3; k++) square += pow(2.0 * STZ_PI * m[k] / (cells[k] * a), 2.0);
    CHECK_NEAR(c->mean, 0.7, 1e-12);
    CHECK_NEAR(c->variance, 0.02 * exp(-square * s * s), 1e-12);
    CHECK(c->points == 9, "%d points", c->points);
    for (int i = 0; i < STZ_CORRELATION_LINES * c->points; i++) {
      const int *d = stz_correlation_directions[i / c->points], step = i % c->points;
      double phase = 0.0, length = 0.0;
      for (int k = 0; k < 3; k++) {
        phase += 2.0 * STZ_PI * m[k] * step * d[k] / cells[k];
        length += d[k] * d[k];
      }
      CHECK_NEAR(c->line[i], cos(phase), 1e-11);
      CHECK_NEAR(c->line_nm[i], step * a * sqrt(length), 1e-12);
    }
    stz_correlation_destroy(&c);
  }
}

static double noise(const int cells[3], const int site[3], const void *context) {
  stz_rng rng = stz_rng_stream(*(const uint64_t *)context, STZ_RNG_NOISE,
                               (uint64_t)(((int64_t)site[0] * cells[1] + site[1]) * cells[2] + site[2]));
  return stz_rng_normal(&rng);
}

// White noise: C = 0 off the origin, with standard error 1/sqrt(N) = 0.0055, so that 5.5 of them are exceeded by one of
// some 150 values once in 150,000 seeds. Averaged with a shape of width s, C(r) = exp(-r^2/4s^2), with an error of at
// most the root of the integral of C^2 over V, (2 pi s^2)^(3/4)/V^(1/2) = 0.029.
static void white_noise(MPI_Comm comm) {
  const int cells[3] = {32, 32, 32};
  const uint64_t seed = 4;
  stz_correlation *c = correlate(comm, cells, 0.5, 0.0, noise, &seed);
  CHECK_NEAR(c->variance, 1.0, 5.0 * sqrt(2.0 / 32768.0));
  for (int i = 0; i < STZ_CORRELATION_LINES * c->points; i++) {
    CHECK_NEAR(c->line[i], i % c->points == 0 ? 1.0 : 0.0, 5.5 / sqrt(32768.0));
  }
  for (int i = 0; i < c->points; i++) CHECK_NEAR(c->radial[i], i == 0 ? 1.0 : 0.0, 5.5 / sqrt(32768.0));
  stz_correlation_destroy(&c);
  const double s = 0.6;
  c = correlate(comm, cells, 0.5, s, noise, &seed);
  for (int i = 0; i < STZ_CORRELATION_LINES * c->points; i++) {
    CHECK_NEAR(c->line[i], exp(-c->line_nm[i] * c->line_nm[i] / (4.0 * s * s)), 5.0 * 0.029);
  }
  stz_correlation_destroy(&c);
}

// Every pair of sites, in a box of three unlike edges.
static void brute_force(MPI_Comm comm) {
  enum { X = 16, Y = 24, Z = 16, N = X * Y * Z, POINTS = 9 };
  static double f[N], products[N], radial[POINTS], distance[POINTS], count[POINTS];
  const int cells[3] = {X, Y, Z};
  const uint64_t seed = 12;
  double mean = 0.0;
  for (int i = 0; i < N; i++) mean += (f[i] = noise(cells, (int[3]){i / (Y * Z), i / Z % Y, i % Z}, &seed)) / N;
  for (int r = 0; r < N; r++) {
    const int d[3] = {r / (Y * Z), r / Z % Y, r % Z};
    const int n[3] = {d[0] > X / 2 ? d[0] - X : d[0], d[1] > Y / 2 ? d[1] - Y : d[1], d[2] > Z / 2 ? d[2] - Z : d[2]};
    const double length = sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);
    for (int i = 0; i < N; i++) {
      const int j = ((i / (Y * Z) + d[0]) % X * Y + (i / Z % Y + d[1]) % Y) * Z + (i % Z + d[2]) % Z;
      products[r] += (f[i] - mean) * (f[j] - mean) / N;
    }
    for (int shell = 0; shell < POINTS; shell++) {
      if (length < shell - 0.5 || length >= shell + 0.5) continue;
      radial[shell] += products[r];
      distance[shell] += 0.4 * length;
      count[shell]++;
    }
  }
  stz_correlation *c = correlate(comm, cells, 0.4, 0.0, noise, &seed);
  stz_correlation *alone = correlate(MPI_COMM_SELF, cells, 0.4, 0.0, noise, &seed);
  CHECK_NEAR(c->variance, products[0], 1e-12);
  for (int i = 0; i < STZ_CORRELATION_LINES * POINTS; i++) {
    const int *d = stz_correlation_directions[i / POINTS], step = i % POINTS;
    const int j = ((step * d[0] + X) % X * Y + (step * d[1] + Y) % Y) * Z + (step * d[2] + Z) % Z;
    CHECK_NEAR(c->line[i], products[j] / products[0], 1e-12);
  }
  for (int i = 0; i < POINTS; i++) {
    CHECK_NEAR(c->radial[i], radial[i] / count[i] / products[0], 1e-12);
    CHECK_NEAR(c->radial_nm[i], distance[i] / count[i], 1e-12);
  }
  CHECK(memcmp(c->line, alone->line, sizeof(double[STZ_CORRELATION_LINES * POINTS])) == 0 &&
            memcmp(c->radial, alone->radial, sizeof(double[POINTS])) == 0,
        "not the same as on one rank");
  stz_correlation_destroy(&c);
  stz_correlation_destroy(&alone);
}

static double same(const int cells[3], const int site[3], const void *context) {
  (void)cells;
  (void)site;
  return *(const double *)context;
}

static void constant(MPI_Comm comm) {
  const double value = 0.125; // its sums are exact
  stz_correlation *c = correlate(comm, (const int[3]){16, 16, 16}, 0.58, 0.3, same, &value);
  CHECK(c->variance == 0.0 && isnan(c->line[0]) && isnan(c->radial[3]) && c->mean == value, "a constant field");
  stz_correlation_destroy(&c);
}

// --- participation ---

// Every `one`-th site has the strain e, the others `rest` of it: s = e:e on N/one sites and rest^2 s on the others.
static void shared(MPI_Comm comm, int one, double rest) {
  lattice l = open_lattice(comm, (const int[3]){24, 16, 32}, 0.58);
  float *plastic[5];
  uint32_t *events;
  static const float e[5] = {0.1f, -0.2f, 0.05f, 0.3f, -0.15f};
  CHECK_OK(STZ_NEW(events, l.sites));
  for (int c = 0; c < 5; c++) CHECK_OK(STZ_NEW(plastic[c], l.sites));
  for (int64_t i = 0; i < l.sites; i++) {
    const bool chosen = (stz_grid_first_site(l.grid) + i) % one == 0;
    const double sign = i % 2 ? -1.0 : 1.0;
    events[i] = chosen ? 3 : rest != 0.0;
    for (int c = 0; c < 5; c++) plastic[c][i] = (float)(sign * e[c] * (chosen ? 1.0 : rest));
  }
  stz_participation p;
  stz_tally *tally;
  double localisation;
  CHECK_OK(stz_tally_create(l.grid, (const float *const *)plastic, events, 0.1, &tally));
  stz_tally_look(tally, &p, &localisation);
  const double share = 1.0 / one, first = share + (1.0 - share) * rest * rest;
  CHECK_NEAR(p.ratio, first * first / (share + (1.0 - share) * pow(rest, 4.0)), 1e-6);
  CHECK_NEAR(p.sheared, rest != 0.0 ? 1.0 : share, 1e-15);
  for (int c = 0; c < 5; c++) memset(plastic[c], 0, (size_t)l.sites * sizeof(float));
  memset(events, 0, (size_t)l.sites * sizeof *events);
  stz_tally_count(tally);
  stz_tally_look(tally, &p, &localisation);
  stz_tally_destroy(&tally);
  CHECK(isnan(p.ratio) && p.sheared == 0.0, "before any event");
  for (int c = 0; c < 5; c++) stz_free(plastic[c]);
  stz_free(events);
  close_lattice(&l);
}

// --- distributions ---

// The values 0, 1, ... of a site's index, by bins of 10, in domains of every third site and the rest.
static void known_histogram(MPI_Comm comm) {
  lattice l = open_lattice(comm, (const int[3]){16, 16, 24}, 0.58);
  float *structure;
  double *values;
  CHECK_OK(STZ_NEW(structure, l.sites));
  CHECK_OK(STZ_NEW(values, l.sites));
  for (int64_t i = 0; i < l.sites; i++) {
    const int64_t site = stz_grid_first_site(l.grid) + i;
    values[i] = (double)(site / 3);
    structure[i] = site % 3 == 0 ? 0.5f : site % 3 == 1 ? 0.0f : -0.5f;
  }
  stz_histogram h;
  CHECK_OK(stz_histogram_count(l.grid, structure, values, 10.0, &h));
  CHECK(h.bins == 205 && h.width == 10.0, "%d bins", h.bins); // 6144/3 = 2048 values
  for (int b = 0; b < h.bins; b++) {
    const double there = b < 204 ? 10.0 : 8.0;
    CHECK(h.counts[b] == there && h.counts[h.bins + b] == 2.0 * there, "bin %d: %g, %g", b, h.counts[b],
          h.counts[h.bins + b]);
  }
  stz_free(h.counts);
  stz_free(values);
  stz_free(structure);
  close_lattice(&l);
}

// After some events, against the twin of the rates: every tensor written out.
static void twin_distributions(MPI_Comm comm, double tau_c_GPa) {
  const kmc_spec spec = {.cells = {16, 24, 16},
                         .young_GPa = 72.0,
                         .mean_eV = tau_c_GPa > 0.0 ? 3.5 : 2.352,
                         .width_eV = 0.10,
                         .redraw = STZ_REDRAW_STZ,
                         .orientation = STZ_ORIENTATION_RANDOM,
                         .micro = STZ_MICRO_RANDOM_WAVES,
                         .tau_c_GPa = tau_c_GPa,
                         .seed = 6};
  kmc_setup s;
  setup_kmc(&s, comm, &spec);
  stz_mean_stress mean = tension(0.0, 600.0, 2.0, 0.0);
  double total, plastic_rate, *expected[STZ_DISTRIBUTIONS];
  const double widths[STZ_DISTRIBUTIONS] = {0.02, 0.05 * STZ_GPA, 0.02};
  age_kmc(&s, mean, 30);
  stz_kmc_rates(s.kmc, &mean, &total, &plastic_rate);
  enum { MOST = 400 };
  stz_distributions *d;
  CHECK_OK(stz_distributions_create(s.glass, s.kmc, mean.stress, &d));
  for (int k = 0; k < STZ_DISTRIBUTIONS; k++) CHECK_OK(STZ_NEW(expected[k], 2 * MOST));
  for (int64_t i = 0; i < stz_grid_local_sites(s.grid); i++) {
    double deviator[5], stress[6], largest = 0.0;
    engine_stress(&s, i, deviator);
    stz_sym_from_dev(deviator, stress);
    for (int v = 0; v < 6; v++) stress[v] += mean.stress[v];
    for (int m = 0; m < STZ_MODES; m++) {
      double p[6];
      mode_tensor(&s, m, stz_glass_rotation(s.glass)[i], p);
      largest = fmax(largest, fabs(stz_sym_dot(p, stress)));
    }
    const double q = (double)stz_glass_barrier(s.glass)[i];
    const double values[STZ_DISTRIBUTIONS] = {q, largest, fmax(0.0, q - twin_work(&s, q, largest))};
    const int domain = stz_glass_structure(s.glass)[i] > 0.0f ? 0 : 1;
    for (int k = 0; k < STZ_DISTRIBUTIONS; k++) expected[k][domain * MOST + (int)(values[k] / widths[k])] += 1.0;
  }
  for (int k = 0; k < STZ_DISTRIBUTIONS; k++) {
    const stz_histogram *h = &d->histogram[k];
    double sum = 0.0, wrong = 0.0;
    MPI_Allreduce(MPI_IN_PLACE, expected[k], 2 * MOST, MPI_DOUBLE, MPI_SUM, comm);
    CHECK(h->bins < MOST && h->width == widths[k], "%d bins of %g", h->bins, h->width);
    for (int b = 0; b < h->bins; b++) {
      for (int domain = 0; domain < 2; domain++) {
        sum += h->counts[domain * h->bins + b];
        wrong += fabs(h->counts[domain * h->bins + b] - expected[k][domain * MOST + b]);
      }
    }
    CHECK(sum == (double)stz_grid_sites(s.grid), "%g sites", sum);
    CHECK(wrong <= 2.0, "distribution %d: %g counts differ", k, wrong); // a value on an edge may round to either side
    stz_free(expected[k]);
  }
  stz_distributions_destroy(&d);
  close_kmc(&s);
}

static void cases(MPI_Comm comm) {
  plane_wave(comm);
  white_noise(comm);
  brute_force(comm);
  constant(comm);
  shared(comm, 1, 0.0);
  shared(comm, 8, 0.0);
  shared(comm, 12288, 0.0);
  shared(comm, 16, 0.25);
  known_histogram(comm);
  twin_distributions(comm, 0.0);
  twin_distributions(comm, 6.0);
}

int main(int argc, char **argv) { return harness_main(argc, argv, "statistics", cases); }
