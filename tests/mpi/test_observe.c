// SPDX-License-Identifier: GPL-3.0-or-later
//
// The observers on a real glass: events are applied to it, and every observer must see just them.
#include <stdbool.h>
#include <string.h>

#include "base/units.h"
#include "mpi/harness.h"
#include "observe/history.h"
#include "observe/nbed.h"
#include "rng/rng.h"
#include "sample.h"
#include "shear.h"

static const stz_nbed_params NBED = {.foil_nm = 13.0, .probe_nm = 0.4, .scans = 6, .beam = 2};

typedef struct bench {
  sample_parts parts;
  const stz_grid *grid;
  stz_glass *glass;
  stz_tally *tally;
} bench;

static void bench_create(MPI_Comm comm, bench *b) {
  sample_params p = FILM;
  p.lattice = (stz_lattice_params){.cells = {24, 32, 24}, .spacing_nm = 0.58};
  p.stz.orientation = STZ_ORIENTATION_ALIGNED;
  p.barriers = (stz_barrier_params){
      .mean_eV = 2.35, .width_eV = 0.1, .cutoff_sigma = 2.5, .floor_eV = 0.1, .redraw = STZ_REDRAW_NONE};
  p.order.acceptance = 0.05;
  p.foil_nm = NBED.foil_nm;
  p.seed = 9;
  make_sample(&b->parts, comm, &p);
  b->grid = b->parts.grid;
  b->glass = b->parts.glass;
  CHECK_OK(stz_history_tally(b->glass, &b->tally));
}

static void bench_destroy(bench *b) {
  stz_tally_destroy(&b->tally);
  free_sample(&b->parts);
}

static void fire(bench *b, int64_t site, int mode, int sign) {
  double strain[6];
  stz_shear shear = {.site = site, .mode = mode, .sign = sign};
  stz_tally_before(b->tally, site);
  shear_all(b->glass, &shear, strain);
  stz_tally_after(b->tally, site);
}

// 2,400 events at random sites, about 0.6 a volume Omega; the observers on all ranks against those on one.
static void random_events(MPI_Comm comm) {
  bench all, one;
  bench_create(comm, &all);
  bench_create(MPI_COMM_SELF, &one);
  const int events = 2400;
  stz_rng rng = stz_rng_stream(77, STZ_RNG_EVENTS, 0);
  for (int e = 0; e < events; e++) {
    const int64_t site = (int64_t)stz_rng_below(&rng, (uint64_t)stz_grid_sites(all.grid));
    const int mode = (int)stz_rng_below(&rng, 15), sign = stz_rng_uniform(&rng) < 0.5 ? 1 : -1;
    fire(&all, site, mode, sign);
    fire(&one, site, mode, sign);
  }
  const stz_history_sample a = stz_history_observe(all.glass, all.tally, (uint64_t)events),
                           b = stz_history_observe(one.glass, one.tally, (uint64_t)events);
  CHECK(memcmp(&a, &b, sizeof a) == 0, "history: not the same as on one rank");
  stz_tally_count(all.tally);
  const stz_history_sample anew = stz_history_observe(all.glass, all.tally, (uint64_t)events);
  CHECK(memcmp(&a, &anew, sizeof a) == 0, "history: running sums are not those of the fields");
  CHECK_NEAR(a.stz_per_box, FILM.stz.volume_nm3 / (24 * 32 * 24 * 0.58 * 0.58 * 0.58), 1e-12);

  const stz_nbed_sample sample = stz_nbed_sample_of(all.glass), alone = stz_nbed_sample_of(one.glass);
  stz_nbed *n, *m;
  CHECK_OK(stz_nbed_create(&sample, &NBED, 9, 0, &n));
  CHECK_OK(stz_nbed_create(&alone, &NBED, 9, 0, &m));
  const size_t count = (size_t)NBED.scans * 100;
  CHECK(memcmp(n->bragg, m->bragg, count) == 0 && memcmp(n->mask, m->mask, count) == 0 &&
            memcmp(n->density, m->density, count * sizeof(double)) == 0 &&
            memcmp(n->probability, m->probability, count * sizeof(double)) == 0 &&
            n->bragg_expected == m->bragg_expected,
        "NBED: not the same as on one rank");

  // Closed forms. Some 23,000 clusters: a share of exp(-d n Omega) is left. Standard errors: of the clusters' losses
  // 0.003, of the events' places 0.6 % (as in tests/physics/test_nbed.c, V = 3596 nm^3: 1.8 %); 4.5 of them.
  const double reach = 0.7, left = exp(-FILM.order.loss * events * a.stz_per_box);
  CHECK_NEAR(sample.cluster_density, -log(0.4) / (0.05 * STZ_PI * reach * reach * 13.0), 1e-12);
  CHECK_NEAR(a.order_mean / left, 1.0, 0.04);
  const double expected = 1.0 - pow(0.4, left);
  CHECK_NEAR(n->bragg_expected / expected, 1.0, 0.05);
  stz_nbed_destroy(&n);
  stz_nbed_destroy(&m);
  bench_destroy(&all);
  bench_destroy(&one);
}

// Events in one slab, each undone in half of the cases: localisation and share of reversals are known.
static void planned_events(MPI_Comm comm) {
  bench b;
  bench_create(comm, &b);
  const stz_history_sample before = stz_history_observe(b.glass, b.tally, 0);
  CHECK(isnan(before.localisation) && before.reversal_share == 0.0 && before.order_mean == 1.0, "before any event");
  const uint64_t events = 64;
  int mode = 0; // the one with the largest share of axial strain
  double best = 0.0, d[5];
  for (int k = 0; k < 15; k++) {
    stz_modes_deviator(stz_glass_modes(b.glass), k, 0, d);
    const double axial = d[3] / sqrt(2.0) - d[4] / sqrt(6.0);
    if (axial > best) best = axial, mode = k;
  }
  for (int y = 0; y < 32; y++) {
    fire(&b, stz_grid_site(b.grid, -y, y, 5 * y), mode, 1); // x + y = 0, and z all over
  }
  for (int y = 0; y < 16; y++) { // elsewhere, without a net strain
    fire(&b, stz_grid_site(b.grid, 3 + y, y, 2), mode, 1);
    fire(&b, stz_grid_site(b.grid, 3 + y, y, 2), mode, -1);
  }
  const stz_history_sample after = stz_history_observe(b.glass, b.tally, events);
  CHECK_NEAR(after.reversal_share, 16.0 / 64.0, 1e-15);
  CHECK_NEAR(after.localisation, 3.0, 1e-5); // x + y: the period is 8 voxels, 4.64 nm, cut into 3 slabs
  bench_destroy(&b);
}

static void cases(MPI_Comm comm) {
  random_events(comm);
  planned_events(comm);
}

int main(int argc, char **argv) { return harness_main(argc, argv, "observe", cases); }
