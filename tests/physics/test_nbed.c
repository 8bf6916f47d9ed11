// SPDX-License-Identifier: GPL-3.0-or-later
//
// The statistics of virtual NBED on homogeneous samples, against closed forms. Null hypothesis of each check: the
// sample is a Poisson process of clusters, and the closed form holds. Tolerances are 4.5 standard errors, so that a
// check fails by chance once in 150,000 seeds (two-sided normal); seeds are fixed. Where the standard error is exact
// (clusters independent of each other) it comes from the correlation of neighbouring probes, not from the binomial law.
#include "nbed_sample.h"

static const stz_order_params ORDER = {
    .bragg_fraction = 0.6, .acceptance = 0.25, .cluster_radius_nm = 0.5, .loss = 0.6};
static const double REACH = 0.7; // R + r, nm
static const double SIGMAS = 4.5;

// Area common to two discs of radius `r` whose centres are `s` apart.
static double lens(double r, double s) {
  return s >= 2.0 * r ? 0.0 : 2.0 * r * r * acos(0.5 * s / r) - 0.5 * s * sqrt(4.0 * r * r - s * s);
}

// Exact variance of the Bragg fraction of one scan: two probes both see nothing if the union of their tubes is empty.
static double scan_variance(double fraction, double probe) {
  const double dark = 1.0 - fraction, per_area = -log(dark) / (STZ_PI * REACH * REACH);
  double sum = 0.0;
  for (int p = 0; p < 100; p++) {
    for (int q = 0; q < 100; q++) {
      const double s = probe * hypot(p / 10 - q / 10, p % 10 - q % 10);
      sum += dark * dark * (exp(per_area * lens(REACH, s)) - 1.0);
    }
  }
  return sum / 1e4;
}

// As deposited: in a wide box, with 169 scans too far apart to share a cluster, for 4 seeds.
static void fresh(MPI_Comm comm) {
  const stz_nbed_params params = {.foil_nm = 15.0, .probe_nm = 0.4, .scans = 169, .beam = 2};
  const int seeds = 4, scans = seeds * params.scans;
  double mean = 0.0, variance = 0.0;
  for (int seed = 0; seed < seeds; seed++) {
    const sample_spec spec = {.cells = {128, 128, 32},
                              .spacing = 0.58,
                              .clusters_per_nm3 = sample_density(&ORDER, &params),
                              .seed = 100 + (uint64_t)seed,
                              .order = ORDER};
    sample s;
    stz_nbed *n;
    sample_create(comm, &spec, &s);
    CHECK_OK(stz_nbed_create(&s.view, &params, spec.seed, 0, &n));
    for (int p = 0; p < params.scans * 100; p++) CHECK_NEAR(n->probability[p], 0.6, 1e-9);
    CHECK_NEAR(n->bragg_expected, 0.6, 1e-9);
    mean += n->bragg_mean / seeds;
    variance += n->bragg_scatter * n->bragg_scatter / seeds;
    stz_nbed_destroy(&n);
    sample_destroy(&s);
  }
  const double exact = scan_variance(0.6, params.probe_nm), binomial = 0.6 * 0.4 / 100.0;
  printf("as deposited: Bragg fraction %.4f, expected 0.6 +- %.4f\n", mean, sqrt(exact / scans));
  printf("as deposited: scatter of scans %.4f, expected %.4f, counting noise %.4f (ratio %.2f)\n", sqrt(variance),
         sqrt(exact), sqrt(binomial), sqrt(variance / binomial));
  CHECK_NEAR(mean, 0.6, SIGMAS * sqrt(exact / scans));
  CHECK_NEAR(variance / exact, 1.0, SIGMAS * sqrt(2.0 / scans)); // the scans' fractions are close to normal
  CHECK(variance > 4.0 * binomial && variance < 9.0 * binomial, "scans scatter %.2f times the counting noise",
        sqrt(variance / binomial));
}

// After events at random places, 1.5 a volume Omega on average: lambda = lambda0 exp(-d n Omega), seen by the share of
// clusters that are left, by the probability and by the patterns.
static void strained(MPI_Comm comm) {
  const stz_nbed_params params = {.foil_nm = 15.0, .probe_nm = 0.4, .scans = 49, .beam = 0};
  const double per_stz = 1.5, left = exp(-ORDER.loss * per_stz);
  const int seeds = 2, scans = seeds * params.scans;
  double kept = 0.0, clusters = 0.0, density = 0.0, seen = 0.0, probable = 0.0, expected = 0.0;
  for (int seed = 0; seed < seeds; seed++) {
    const sample_spec spec = {.cells = {32, 64, 64},
                              .spacing = 0.58,
                              .events_per_nm3 = per_stz / SAMPLE_VOLUME,
                              .clusters_per_nm3 = sample_density(&ORDER, &params),
                              .seed = 200 + (uint64_t)seed,
                              .order = ORDER};
    sample s;
    stz_nbed *n;
    sample_create(comm, &spec, &s);
    CHECK_OK(stz_nbed_create(&s.view, &params, spec.seed, 0, &n));
    for (int64_t c = 0; c < s.view.cluster_count; c++) kept += s.clusters[c].ordered;
    clusters += (double)s.view.cluster_count;
    for (int p = 0; p < params.scans * 100; p++) {
      density += log1p(-n->probability[p]) / log1p(-ORDER.bragg_fraction) / (scans * 100);
      probable += n->probability[p] / (scans * 100);
    }
    seen += n->bragg_mean / seeds;
    expected += n->bragg_expected / seeds;
    stz_nbed_destroy(&n);
    sample_destroy(&s);
  }
  // The volume that an event covers is shared by all clusters in it: over a volume V the variance of the survival, in
  // units of its square, is the integral of exp(n d^2 V_common(r)) - 1 over r, below (e^x - 1)/x n d^2 Omega^2 with
  // x = n d^2 Omega, divided by V. The scans' tubes hold about (3.6 + 1.4)^2 x 15 nm^3 each.
  const double x = per_stz * ORDER.loss * ORDER.loss, volume = 25.0 * 15.0 * scans;
  const double error = sqrt(expm1(x) * SAMPLE_VOLUME / volume), lattice = 0.01;
  const double share_error = sqrt((1.0 - left) / left / clusters + error * error);
  const double fraction = -expm1(left * log1p(-ORDER.bragg_fraction));
  const double scan_error = sqrt(scan_variance(fraction, params.probe_nm) / scans);
  printf("strained: clusters left %.4f, from the probability %.4f, expected %.4f (1 +- %.4f)\n", kept / clusters,
         density, left, error);
  printf("strained: Bragg fraction %.4f of patterns, %.4f probable, %.4f over the box, closed form %.4f (+- %.4f)\n",
         seen, probable, expected, fraction, scan_error);
  // `lattice`: events sit on sites, so that the number of sites in a sphere varies with its centre (below 1 %).
  CHECK_NEAR(kept / clusters / left, 1.0, SIGMAS * share_error + lattice);
  CHECK_NEAR(density / left, 1.0, SIGMAS * error + lattice);
  CHECK_NEAR(seen, probable, SIGMAS * scan_error); // given the events, clusters are independent
  CHECK_NEAR(expected, fraction, SIGMAS * error * fraction + lattice * fraction);
  CHECK_NEAR(probable, fraction, SIGMAS * error * fraction + lattice * fraction);
}

static float domain(const int site[3], uint64_t seed) {
  stz_rng rng =
      stz_rng_stream2(seed, STZ_RNG_WAVES, (uint64_t)(site[0] / 8 * 1000 + site[1] / 8), (uint64_t)site[2] / 8);
  return stz_rng_uniform(&rng) < 0.5 ? 0.25f : 0.45f;
}

// Five domains of 2.3 nm in the foil, each rich or poor at random: the projection S/5, S = +-1, +-3, +-5, never ties,
// so that inside the mask of 50 % grey the mean is E|S|/5 and outside -E|S|/5, E|S| = 2 (10 + 3 5 + 5)/32: of the
// domains' contrast 0.375 is left, whatever the contrast was.
static void dilution(MPI_Comm comm) {
  const stz_nbed_params params = {.foil_nm = 11.6, .probe_nm = 0.4, .scans = 64, .beam = 2};
  const sample_spec spec = {.cells = {128, 128, 40}, .spacing = 0.29, .seed = 3, .order = ORDER, .composition = domain};
  sample s;
  stz_nbed *n;
  sample_create(comm, &spec, &s);
  CHECK_OK(stz_nbed_create(&s.view, &params, spec.seed, 0, &n));
  static double column[16][16];
  double sum[2] = {0}, number[2] = {0};
  for (int p = 0; p < params.scans * 100; p++) { // each column of domains once, by a probe that lies in it
    const double u = n->origin_nm[p / 100 * 3] + (p % 100 / 10 + 0.5) * 0.4,
                 v = n->origin_nm[p / 100 * 3 + 1] + (p % 10 + 0.5) * 0.4;
    const int i = (int)floor((u - 0.2) / 2.32), j = (int)floor((v - 0.2) / 2.32);
    if (i != (int)floor((u + 0.2) / 2.32) || j != (int)floor((v + 0.2) / 2.32) || column[i % 16][j % 16] != 0.0)
      continue;
    column[i % 16][j % 16] = 1.0;
    sum[n->mask[p]] += n->density[p];
    number[n->mask[p]] += 1.0;
  }
  const double columns = number[0] + number[1], left = (sum[1] / number[1] - sum[0] / number[0]) / 0.2;
  const double error = sqrt((0.2 - 0.375 * 0.375) / columns); // E S^2 = 5; half the difference of two half samples
  printf("dilution: the mask keeps %.3f of the domains' contrast, expected 0.375 +- %.3f (%g columns)\n", left, error,
         columns);
  CHECK(columns > 200, "%g columns", columns);
  CHECK_NEAR(left, 0.375, SIGMAS * error);
  stz_nbed_destroy(&n);
  sample_destroy(&s);
}

static void cases(MPI_Comm comm) {
  fresh(comm);
  strained(comm);
  dilution(comm);
}

int main(int argc, char **argv) { return harness_main(argc, argv, "nbed statistics", cases); }
