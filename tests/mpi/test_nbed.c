// SPDX-License-Identifier: GPL-3.0-or-later
//
// The geometry of virtual NBED: exact cases and brute-force twins, on any number of ranks. The statistics of
// homogeneous samples are in tests/physics/test_nbed.c.
#include "nbed_sample.h"

#include "observe/history.h"
#include "observe/survival.h"
#include "observe/tube.h"

static const stz_order_params ORDER = {.bragg_fraction = 0.6, .acceptance = 0.5, .cluster_radius_nm = 0.5, .loss = 0.6};

// The part X > x, Y > y of a disc against thin strips.
static void disc(void) {
  const double radius = 0.7, step = 1e-5;
  for (int i = -4; i <= 4; i++) {
    for (int j = -4; j <= 4; j++) {
      const double x = 0.21 * i, y = 0.19 * j;
      double area = 0.0;
      for (double t = fmax(x, -radius) + 0.5 * step; t < radius; t += step) {
        const double half = sqrt(fmax(0.0, radius * radius - t * t));
        area += fmax(0.0, half - fmax(y, -half)) * step;
      }
      CHECK_NEAR(stz_disc_corner(x, y, radius), area, 2e-5);
    }
  }
}

// Events at one site, near borders of the box and of ranks: the survival missing from the box is that of the sphere, (1
// - (1-d)^n) Omega.
static void survival_of_one_site(MPI_Comm comm, double spacing, int plane, uint32_t events, double loss) {
  const stz_lattice_params box = {.cells = {16, 24, 16}, .spacing_nm = spacing};
  stz_grid *grid;
  CHECK_OK(stz_grid_create(comm, &box, &grid));
  const int64_t sites = stz_grid_local_sites(grid), local = stz_grid_local(grid, stz_grid_site(grid, plane, 0, 8));
  uint32_t *count;
  float *survival;
  double *missing;
  CHECK_OK(STZ_NEW(count, sites));
  CHECK_OK(STZ_NEW(survival, sites));
  CHECK_OK(STZ_NEW(missing, sites));
  if (local >= 0) count[local] = events;
  CHECK_OK(stz_survival(grid, count, SAMPLE_VOLUME, loss, survival));
  for (int64_t i = 0; i < sites; i++) missing[i] = 1.0 - (double)survival[i];
  const double volume = stz_grid_sum(grid, missing) * pow(spacing, 3);
  const double expected = (1.0 - pow(1.0 - loss, events)) * SAMPLE_VOLUME;
  CHECK_NEAR(volume, expected, 0.004 * expected);
  stz_free(count);
  stz_free(survival);
  stz_free(missing);
  stz_grid_destroy(&grid);
}

// Random events: the mean over a voxel against 12^3 points of it, each looking for its events itself.
static void survival_twin(MPI_Comm comm) {
  const sample_spec spec = {.cells = {16, 24, 16}, .spacing = 0.58, .events_per_nm3 = 0.9, .seed = 4, .order = ORDER};
  sample s;
  sample_create(comm, &spec, &s);
  float *survival;
  CHECK_OK(STZ_NEW(survival, stz_grid_local_sites(s.grid)));
  CHECK_OK(stz_survival(s.grid, s.events, SAMPLE_VOLUME, ORDER.loss, survival));
  for (int64_t site = 0; site < stz_grid_sites(s.grid); site += 701) {
    const int64_t local = stz_grid_local(s.grid, site);
    if (local < 0) continue;
    int xyz[3];
    stz_grid_coords(s.grid, site, xyz);
    double mean = 0.0;
    for (int point = 0; point < 12 * 12 * 12; point++) {
      const double p[3] = {(xyz[0] + (point / 144 + 0.5) / 12) * spec.spacing,
                           (xyz[1] + (point / 12 % 12 + 0.5) / 12) * spec.spacing,
                           (xyz[2] + (point % 12 + 0.5) / 12) * spec.spacing};
      mean += pow(1.0 - ORDER.loss, sample_covering(&spec, s.grid, p)) / 1728.0;
    }
    CHECK_NEAR((double)survival[local], mean, 0.015);
  }
  stz_free(survival);
  sample_destroy(&s);
}

static double wrapped(double x, double period) { return x - period * floor(x / period); }

// Every pattern again, from its axis and all images of every cluster. Each rank marks what its clusters give.
static void bragg_twin(const sample *s, const stz_nbed_params *params, const stz_nbed *nbed) {
  const int b = params->beam, u = (b + 1) % 3, v = (b + 2) % 3;
  double box[3];
  for (int k = 0; k < 3; k++) box[k] = stz_grid_cells(s->grid)[k] * stz_grid_spacing(s->grid);
  int marked = 0, wrong = 0;
  for (int p = 0; p < nbed->scans * 100; p++) {
    const double *corner = nbed->origin_nm + p / 100 * 3;
    const double pu = corner[u] + (p % 100 / 10 + 0.5) * params->probe_nm;
    const double pv = corner[v] + (p % 10 + 0.5) * params->probe_nm;
    unsigned char hit = 0, all = 0;
    for (int64_t c = 0; c < s->view.cluster_count; c++) {
      const stz_cluster *k = &s->clusters[c];
      if (!k->ordered || !k->oriented) continue;
      const double depth = wrapped((double)k->position_nm[b] - corner[b], box[b]);
      for (int image = 0; image < 25; image++) {
        const double du = (double)k->position_nm[u] + (image / 5 - 2) * box[u] - pu;
        const double dv = (double)k->position_nm[v] + (image % 5 - 2) * box[v] - pv;
        if (depth < params->foil_nm && hypot(du, dv) <= 0.7) hit = 1;
      }
    }
    MPI_Allreduce(&hit, &all, 1, MPI_UNSIGNED_CHAR, MPI_MAX, stz_grid_comm(s->grid));
    wrong += all != nbed->bragg[p];
    marked += all;
  }
  CHECK(wrong == 0, "%d of %d patterns differ from the twin", wrong, nbed->scans * 100);
  CHECK_NEAR(nbed->bragg_mean, marked / (nbed->scans * 100.0), 1e-14);
  CHECK(marked > nbed->scans * 10 && marked < nbed->scans * 90, "%d patterns: the twin sees all or nothing", marked);
}

static float rough(const int site[3], uint64_t seed) {
  stz_rng rng = stz_rng_stream2(seed, STZ_RNG_WAVES, (uint64_t)(site[0] * 1000 + site[1]), (uint64_t)site[2]);
  return (float)stz_rng_uniform(&rng);
}

// The density of some patterns by 40 x 40 x 150 points of the probe.
static void density_twin(const sample *s, const stz_nbed_params *params, uint64_t seed, const stz_nbed *nbed) {
  const int b = params->beam, u = (b + 1) % 3, v = (b + 2) % 3, *cells = stz_grid_cells(s->grid);
  const double a = stz_grid_spacing(s->grid), r = 0.5 * params->probe_nm;
  for (int p = 7; p < nbed->scans * 100; p += 331) {
    const double *corner = nbed->origin_nm + p / 100 * 3;
    double sum = 0.0, points = 0.0;
    for (int i = 0; i < 40 * 40; i++) {
      const double x = (i / 40 - 19.5) / 20 * r, y = (i % 40 - 19.5) / 20 * r;
      if (x * x + y * y > r * r) continue;
      for (int k = 0; k < 150; k++) {
        double at[3];
        at[u] = corner[u] + (p % 100 / 10 + 0.5) * params->probe_nm + x;
        at[v] = corner[v] + (p % 10 + 0.5) * params->probe_nm + y;
        at[b] = corner[b] + (k + 0.5) / 150 * params->foil_nm;
        const int site[3] = {(int)floor(at[0] / a) % cells[0], (int)floor(at[1] / a) % cells[1],
                             (int)floor(at[2] / a) % cells[2]};
        sum += (double)rough(site, seed);
        points += 1.0;
      }
    }
    CHECK_NEAR(nbed->density[p], sum / points, 3e-3);
  }
}

// Counts, mask and statistics again from the patterns.
static void sums_twin(const stz_nbed *n) {
  double low = 1e300, high = -1e300, mean = 0.0, squares = 0.0;
  for (int p = 0; p < n->scans * 100; p++) {
    if (n->density[p] < low) low = n->density[p];
    if (n->density[p] > high) high = n->density[p];
  }
  for (int s = 0; s < n->scans; s++) {
    double d[4] = {0};
    for (int p = s * 100; p < s * 100 + 100; p++) {
      const int bright = n->density[p] > (low + high) / 2;
      CHECK(n->mask[p] == bright, "mask of pattern %d", p);
      d[bright ? 1 : 3] += 1;
      d[bright ? 0 : 2] += n->bragg[p];
    }
    CHECK(memcmp(d, n->counts_by_domain + 4 * s, sizeof d) == 0, "domains of scan %d", s);
    CHECK_NEAR(n->counts[s], d[0] + d[2], 0.0);
    mean += n->counts[s] / 100 / n->scans;
  }
  for (int s = 0; s < n->scans; s++) squares += pow(n->counts[s] / 100 - mean, 2);
  CHECK_NEAR(n->bragg_mean, mean, 1e-14);
  CHECK_NEAR(n->bragg_scatter, sqrt(squares / (n->scans - 1)), 1e-12);
}

// Twins along each beam, in a box of unlike sides, with events; and the same bits as on one rank.
static void twins(MPI_Comm comm) {
  for (int beam = 0; beam < 3; beam++) {
    const stz_nbed_params params = {.foil_nm = 7.5, .probe_nm = 0.4, .scans = 8, .beam = beam};
    const sample_spec spec = {.cells = {24, 16, 32},
                              .spacing = 0.58,
                              .events_per_nm3 = 0.3,
                              .clusters_per_nm3 = 2.0 * sample_density(&ORDER, &params),
                              .seed = 11 + (uint64_t)beam,
                              .order = ORDER,
                              .composition = rough};
    sample all, one;
    stz_nbed *a, *b;
    sample_create(comm, &spec, &all);
    sample_create(MPI_COMM_SELF, &spec, &one);
    CHECK_OK(stz_nbed_create(&all.view, &params, spec.seed, 3, &a));
    CHECK_OK(stz_nbed_create(&one.view, &params, spec.seed, 3, &b));
    bragg_twin(&all, &params, a);
    density_twin(&all, &params, spec.seed, a);
    sums_twin(a);
    const size_t n = 800;
    CHECK(memcmp(a->bragg, b->bragg, n) == 0 && memcmp(a->mask, b->mask, n) == 0 &&
              memcmp(a->probability, b->probability, n * sizeof(double)) == 0 &&
              memcmp(a->density, b->density, n * sizeof(double)) == 0 &&
              memcmp(a->counts_by_domain, b->counts_by_domain, 32 * sizeof(double)) == 0 &&
              memcmp(a->origin_nm, b->origin_nm, 24 * sizeof(double)) == 0 && a->bragg_mean == b->bragg_mean &&
              a->bragg_scatter == b->bragg_scatter && a->bragg_expected == b->bragg_expected,
          "beam %d: not the same as on one rank", beam);
    stz_nbed_destroy(&a);
    stz_nbed_destroy(&b);
    sample_destroy(&all);
    sample_destroy(&one);
  }
}

// One cluster on the axis of pattern (5, 4): with R + r = 0.7 nm it is seen at steps i^2 + j^2 <= 3, nine patterns.
static void planted(MPI_Comm comm) {
  const stz_nbed_params params = {.foil_nm = 6.0, .probe_nm = 0.4, .scans = 4, .beam = 2};
  const sample_spec spec = {.cells = {24, 24, 16}, .spacing = 0.58, .order = ORDER};
  sample s;
  stz_nbed *nbed;
  sample_create(comm, &spec, &s);
  CHECK_OK(stz_nbed_create(&s.view, &params, 1, 0, &nbed));
  double at[3] = {nbed->origin_nm[0] + 5.5 * 0.4, nbed->origin_nm[1] + 4.5 * 0.4, nbed->origin_nm[2] + 5.9};
  for (int k = 0; k < 3; k++) at[k] = wrapped(at[k], spec.cells[k] * spec.spacing);
  CHECK(nbed->bragg_mean == 0.0, "Bragg reflections without clusters");
  stz_nbed_destroy(&nbed);
  s.view.cluster_count = stz_grid_rank(s.grid) == 0;
  for (int state = 0; state < 4; state++) { // seen; in the foil's other part; lost; turned away
    s.clusters[0] = (stz_cluster){
        .position_nm = {(float)at[0], (float)at[1], (float)at[2]}, .oriented = state != 3, .ordered = state != 2};
    if (state == 1) s.clusters[0].position_nm[2] = (float)wrapped(at[2] + 0.2, 16 * 0.58);
    CHECK_OK(stz_nbed_create(&s.view, &params, 1, 0, &nbed));
    int seen = 0;
    for (int p = 0; p < 400; p++) {
      const int di = p % 100 / 10 - 5, dj = p % 10 - 4, hit = p < 100 && di * di + dj * dj <= 3;
      CHECK(nbed->bragg[p] == (state == 0 && hit), "state %d, pattern %d", state, p);
      seen += nbed->bragg[p];
    }
    CHECK(seen == (state ? 0 : 9) && nbed->counts[0] == seen, "state %d: %d patterns", state, seen);
    stz_nbed_destroy(&nbed);
  }
  s.view.cluster_count = s.view.cluster_count ? 1 : 0;
  s.clusters[0].ordered = true;
  CHECK_NEAR(stz_order_mean(s.grid, s.view.cluster_count, s.view.cluster_count), 1.0, 0.0);
  CHECK(isnan(stz_order_mean(s.grid, 0, 0)), "order without clusters");
  sample_destroy(&s);
}

// Do two intervals of length `side` overlap around the period?
static int overlap(double a, double b, double side, double period) {
  const double d = fabs(a - b - period * rint((a - b) / period));
  return d < side - 1e-9;
}

// Where scans fit side by side they do not overlap, and share one foil; else foils are displaced by equal parts of the
// box and scans overlap only across foils.
static void places(MPI_Comm comm) {
  const struct {
    int cells[3], beam, scans, displaced, foils;
  } boxes[] = {{{32, 32, 32}, 2, 8, 0, 1}, {{32, 32, 32}, 2, 16, 0, 1}, {{32, 32, 32}, 0, 17, 1, 2},
               {{16, 16, 16}, 1, 8, 1, 2}, {{32, 16, 24}, 2, 8, 0, 1},  {{16, 16, 24}, 2, 9, 1, 3}};
  for (int b = 0; b < 6; b++) {
    const stz_nbed_params params = {.foil_nm = 6.0, .probe_nm = 0.4, .scans = boxes[b].scans, .beam = boxes[b].beam};
    sample_spec spec = {.spacing = 0.58, .order = ORDER};
    memcpy(spec.cells, boxes[b].cells, sizeof spec.cells);
    sample s;
    stz_nbed *n;
    sample_create(comm, &spec, &s);
    CHECK_OK(stz_nbed_create(&s.view, &params, 7, (uint64_t)b, &n));
    CHECK(n->displaced == boxes[b].displaced, "box %d: displaced %d", b, n->displaced);
    double largest = 0.0;
    for (int i = 0; i < n->scans; i++) {
      for (int j = 0; j < i; j++) {
        const double *p = n->origin_nm + 3 * i, *q = n->origin_nm + 3 * j;
        int meet = 1;
        double depth = 0.0;
        for (int k = 0; k < 3; k++) {
          const double side = spec.cells[k] * spec.spacing;
          if (k == params.beam)
            depth = wrapped(p[k] - q[k], side) / side * boxes[b].foils;
          else
            meet = meet && overlap(p[k], q[k], 4.0, side);
        }
        CHECK_NEAR(depth, rint(depth), 1e-9);
        const int other = (int)rint(depth) % boxes[b].foils;
        CHECK(!meet || other, "box %d: scans %d and %d overlap", b, i, j);
        largest = fmax(largest, other);
      }
    }
    CHECK(largest == boxes[b].foils - 1, "box %d: %g foils", b, largest + 1);
    stz_nbed_destroy(&n);
    sample_destroy(&s);
  }
}

static void refusals(MPI_Comm comm) {
  const struct {
    stz_nbed_params params;
    double radius;
    const char *says;
  } bad[] = {{{9.3, 0.4, 8, 2}, 0.5, "nbed.foil_nm: got 9.3, needs at most 9.28"},
             {{6.0, 0.93, 8, 2}, 0.5, "nbed.probe_nm: got 0.93, needs at most 0.928"},
             {{6.0, 1e-5, 8, 2}, 0.5, "nbed.probe_nm: got 1e-05, needs at least 0.002268"},
             {{6.0, 0.4, 8, 2}, 4.5, "order.cluster_radius_nm: got 4.5, needs at most 4.44"}};
  const sample_spec spec = {.cells = {16, 16, 16}, .spacing = 0.58, .order = ORDER};
  sample s;
  sample_create(comm, &spec, &s);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    stz_nbed *nbed;
    s.view.order.cluster_radius_nm = bad[i].radius;
    CHECK(stz_nbed_create(&s.view, &bad[i].params, 1, 0, &nbed) == STZ_EINPUT && !nbed, "case %zu accepted", i);
    CHECK(strncmp(stz_error_message(), bad[i].says, strlen(bad[i].says)) == 0, "%s", stz_error_message());
  }
  sample_destroy(&s);
}

// The same sample with its axes turned and the beam with them: no beam is special.
static void turned(MPI_Comm comm) {
  const int cells[3] = {16, 32, 24}; // along u, v, beam
  stz_nbed *seen[3];
  for (int beam = 0; beam < 3; beam++) {
    const stz_nbed_params params = {.foil_nm = 9.0, .probe_nm = 0.4, .scans = 6, .beam = beam};
    sample_spec spec = {.spacing = 0.58, .order = ORDER};
    for (int k = 0; k < 3; k++) spec.cells[(beam + 1 + k) % 3] = cells[k];
    sample s;
    sample_create(comm, &spec, &s);
    for (int64_t i = 0; i < stz_grid_local_sites(s.grid); i++) {
      int site[3], turn[3];
      stz_grid_coords(s.grid, stz_grid_first_site(s.grid) + i, site);
      for (int k = 0; k < 3; k++) turn[k] = site[(beam + 1 + k) % 3];
      s.composition[i] = rough(turn, 5);
      s.events[i] = rough(turn, 6) < 0.2f;
    }
    s.view.cluster_count = 0;
    s.view.cluster_density = 0.1;
    for (int c = 0; c < 150; c++) { // dealt to the ranks in turn, wherever they lie
      stz_rng rng = stz_rng_stream(5, STZ_RNG_CLUSTERS, (uint64_t)c);
      stz_cluster cluster = {.oriented = true, .ordered = true};
      for (int k = 0; k < 3; k++) {
        cluster.position_nm[(beam + 1 + k) % 3] = (float)(stz_rng_uniform(&rng) * cells[k] * spec.spacing);
      }
      if (c % stz_grid_ranks(s.grid) == stz_grid_rank(s.grid)) s.clusters[s.view.cluster_count++] = cluster;
    }
    CHECK_OK(stz_nbed_create(&s.view, &params, 21, 0, &seen[beam]));
    sample_destroy(&s);
  }
  for (int beam = 1; beam < 3; beam++) {
    CHECK(memcmp(seen[0]->bragg, seen[beam]->bragg, 600) == 0, "beam %d: other patterns", beam);
    CHECK(memcmp(seen[0]->density, seen[beam]->density, 600 * sizeof(double)) == 0, "beam %d: other density", beam);
    for (int p = 0; p < 600; p++) CHECK_NEAR(seen[beam]->probability[p], seen[0]->probability[p], 1e-7);
    CHECK_NEAR(seen[beam]->bragg_expected, seen[0]->bragg_expected, 1e-7);
  }
  CHECK(seen[0]->bragg_mean > 0.1 && seen[0]->bragg_mean < 0.9, "mean %g", seen[0]->bragg_mean);
  for (int beam = 0; beam < 3; beam++) stz_nbed_destroy(&seen[beam]);
}

static float layer_z(const int site[3], uint64_t seed) {
  (void)seed;
  return site[2] / 4 % 2 ? 0.6f : 0.1f;
}

// Nanolayers of 4 voxels: along the beam nothing is left of their contrast; edge on, the probes within a layer see all.
static void layers(MPI_Comm comm) {
  for (int beam = 1; beam < 3; beam++) {
    const stz_nbed_params params = {.foil_nm = 9.28, .probe_nm = 0.4, .scans = 4, .beam = beam};
    const sample_spec spec = {.cells = {24, 16, 16}, .spacing = 0.58, .order = ORDER, .composition = layer_z};
    sample s;
    stz_nbed *n;
    sample_create(comm, &spec, &s);
    CHECK_OK(stz_nbed_create(&s.view, &params, 3, 0, &n));
    int within = 0;
    for (int p = 0; p < 400; p++) {
      if (beam == 2) {
        CHECK_NEAR(n->density[p], 0.35, 1e-7);
        continue;
      }
      const double z = n->origin_nm[p / 100 * 3 + 2] + (p % 100 / 10 + 0.5) * 0.4; // beam y: u is z, v is x
      const int low = (int)floor((z - 0.2) / 2.32), high = (int)floor((z + 0.2) / 2.32);
      if (low != high) continue;
      within++;
      CHECK_NEAR(n->density[p], low % 2 ? 0.6 : 0.1, 1e-7);
      CHECK(n->mask[p] == low % 2, "pattern %d", p);
    }
    CHECK(beam == 2 || within > 200, "%d patterns within a layer", within);
    stz_nbed_destroy(&n);
    sample_destroy(&s);
  }
}

static void cases(MPI_Comm comm) {
  disc();
  survival_of_one_site(comm, 0.77, 15, 1, 0.6);
  survival_of_one_site(comm, 0.58, 0, 1, 0.6);
  for (int plane = 0; plane < 16; plane++) survival_of_one_site(comm, 0.29, plane, 3, 0.5);
  survival_of_one_site(comm, 0.58, 8, 2000, 1e-3);
  survival_of_one_site(comm, 0.58, 7, 2, 1.0);
  survival_twin(comm);
  twins(comm);
  planted(comm);
  places(comm);
  refusals(comm);
  turned(comm);
  layers(comm);
}

int main(int argc, char **argv) { return harness_main(argc, argv, "nbed", cases); }
