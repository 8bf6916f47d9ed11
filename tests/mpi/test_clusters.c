// SPDX-License-Identifier: GPL-3.0-or-later
//
// Ordered clusters: a Poisson process in space of the stated density, and the loss of their order, cluster by cluster;
// the same on any number of ranks. Statistics are made on a sample that each rank holds whole; seeds are fixed, and a
// right program fails with one seed in 10,000 at each check.
#include "kmc_setup.h"
#include "rng/rng.h"
#include "shear.h"
#include "statistics.h"

enum { NX = 24, NY = 16, NZ = 32, SITES = NX * NY * NZ };
static const kmc_spec BOX = {.cells = {NX, NY, NZ},
                             .young_GPa = 72.0,
                             .mean_eV = 2.352,
                             .width_eV = 0.10,
                             .floor_eV = 0.2,
                             .redraw = STZ_REDRAW_STZ,
                             .orientation = STZ_ORIENTATION_ALIGNED,
                             .micro = STZ_MICRO_UNIFORM,
                             .seed = 5};
static const double LENGTH[3] = {NX * 0.58, NY * 0.58, NZ * 0.58};

// -ln(1 - 0.6)/(acceptance pi (R + r)^2 foil): so that 0.6 of the probe's cylinders meet an oriented cluster.
static void density_is_poisson(const kmc_setup *s) {
  int64_t count;
  const stz_cluster *clusters = stz_glass_clusters(s->glass, &count);
  const double density = -log(0.4) / (0.1 * STZ_PI * 0.7 * 0.7 * 9.0), expected = density * stz_grid_volume(s->grid);
  CHECK_NEAR(stz_glass_cluster_density(s->glass), density, 1e-12 * density);
  CHECK_NEAR((double)count, expected, DEVIATE_LIMIT * sqrt(expected));

  // Counts of single voxels have a variance equal to their mean, within sqrt(2/sites + 1/(mean sites)).
  int *counts, oriented = 0;
  double squares = 0.0;
  CHECK_OK(STZ_NEW(counts, SITES));
  for (int64_t i = 0; i < count; i++) {
    const double *x = clusters[i].position_nm;
    counts[stz_grid_site(s->grid, (int)(x[0] / KMC_SPACING), (int)(x[1] / KMC_SPACING), (int)(x[2] / KMC_SPACING))]++;
    oriented += clusters[i].oriented;
    CHECK(clusters[i].ordered, "a fresh cluster without order");
  }
  const double mean = (double)count / SITES;
  for (int i = 0; i < SITES; i++) squares += (counts[i] - mean) * (counts[i] - mean);
  CHECK_NEAR(squares / SITES / mean, 1.0, DEVIATE_LIMIT * sqrt(2.0 / SITES + 1.0 / (mean * SITES)));
  CHECK_NEAR((double)oriented, 0.1 * (double)count, DEVIATE_LIMIT * sqrt(0.09 * (double)count));
  stz_free(counts);
}

// Positions are uniform over the box and within their voxel, axis by axis.
static void positions_are_uniform(const kmc_setup *s) {
  int64_t count;
  const stz_cluster *clusters = stz_glass_clusters(s->glass, &count);
  double *in_box, *in_voxel;
  CHECK_OK(STZ_NEW(in_box, count));
  CHECK_OK(STZ_NEW(in_voxel, count));
  for (int axis = 0; axis < 3; axis++) {
    for (int64_t i = 0; i < count; i++) {
      const double x = clusters[i].position_nm[axis], voxel = x / KMC_SPACING;
      CHECK(x >= 0.0 && x <= LENGTH[axis], "a cluster at %g nm", x);
      in_box[i] = x / LENGTH[axis];
      in_voxel[i] = voxel - floor(voxel);
    }
    const double box = ks_uniform(in_box, (int)count), voxel = ks_uniform(in_voxel, (int)count);
    CHECK(box < KS_LIMIT && voxel < KS_LIMIT, "axis %d: KS %g in the box, %g in the voxel", axis, box, voxel);
  }
  stz_free(in_box);
  stz_free(in_voxel);
}

static double distance(const double a[3], const double b[3]) {
  double r2 = 0.0;
  for (int axis = 0; axis < 3; axis++) {
    const double d = fabs(a[axis] - b[axis]), least = fmin(d, LENGTH[axis] - d);
    r2 += least * least;
  }
  return sqrt(r2);
}

static void shear_at(kmc_setup *s, int64_t site) {
  stz_shear shear = {.site = site, .mode = 2, .sign = 1};
  double strain[6];
  shear_all(s->glass, &shear, strain);
}

static int64_t site_of(uint64_t number) {
  // Corners of the box first, then the first plane and anywhere in turn.
  stz_rng rng = stz_rng_stream(9, STZ_RNG_EVENTS, number);
  return number < 2 ? (int64_t)number * (SITES - 1)
                    : (int64_t)stz_rng_below(&rng, number % 2 ? NY * NZ : (uint64_t)SITES);
}

// Whether two places are nearest to each other across the border of the box.
static bool across_border(const double a[3], const double b[3]) {
  for (int axis = 0; axis < 3; axis++) {
    if (fabs(a[axis] - b[axis]) > 0.5 * LENGTH[axis]) return true;
  }
  return false;
}

// An event takes order within the sphere of volume Omega about it with probability 0.6, nowhere else, for good; across
// the border of the box as elsewhere.
static void order_is_lost_within_the_zone(kmc_setup *s, uint64_t events) {
  int64_t count;
  const stz_cluster *clusters = stz_glass_clusters(s->glass, &count);
  const double radius = cbrt(3.0 * 1.7 / (4.0 * STZ_PI));
  double tried[2] = {0.0}, lost[2] = {0.0}; // [1]: across the border
  uint8_t *before;
  CHECK_OK(STZ_NEW(before, count));
  for (uint64_t number = 0; number < events; number++) {
    int xyz[3];
    stz_grid_coords(s->grid, site_of(number), xyz);
    const double centre[3] = {(xyz[0] + 0.5) * KMC_SPACING, (xyz[1] + 0.5) * KMC_SPACING, (xyz[2] + 0.5) * KMC_SPACING};
    stz_glass_save_order(s->glass, before);
    shear_at(s, site_of(number));
    for (int64_t i = 0; i < count; i++) {
      const bool within = distance(clusters[i].position_nm, centre) <= radius;
      const int across = across_border(clusters[i].position_nm, centre);
      CHECK(clusters[i].ordered == (bool)before[i] || (within && before[i]), "a cluster changed that should not");
      tried[across] += within && before[i];
      lost[across] += before[i] && !clusters[i].ordered;
    }
  }
  for (int across = 0; across < 2; across++) {
    printf("%.0f of %.0f clusters lost their order%s\n", lost[across], tried[across],
           across ? " across the border" : "");
    CHECK(tried[across] > 40.0, "only %g clusters met", tried[across]);
    CHECK_NEAR(lost[across], 0.6 * tried[across], DEVIATE_LIMIT * sqrt(0.24 * tried[across]));
  }
  stz_free(before);
}

// What outlives one event is drawn anew at the next one of the same site: of some twenty clusters in the zones, one
// outlives 16 events with a probability of 20 0.4^16 = 9e-6.
static void every_event_draws_anew(kmc_setup *s) {
  enum { ZONES = 20, EVENTS = 16 };
  int64_t count;
  const stz_cluster *clusters = stz_glass_clusters(s->glass, &count);
  const double radius = cbrt(3.0 * 1.7 / (4.0 * STZ_PI));
  int met = 0, left = 0;
  for (int zone = 0; zone < ZONES; zone++) {
    const int64_t site = zone * 611;
    int xyz[3];
    stz_grid_coords(s->grid, site, xyz);
    const double centre[3] = {(xyz[0] + 0.5) * KMC_SPACING, (xyz[1] + 0.5) * KMC_SPACING, (xyz[2] + 0.5) * KMC_SPACING};
    for (int64_t i = 0; i < count; i++) {
      met += clusters[i].ordered && distance(clusters[i].position_nm, centre) <= radius;
    }
    for (int i = 0; i < EVENTS; i++) shear_at(s, site);
    for (int64_t i = 0; i < count; i++) {
      left += clusters[i].ordered && distance(clusters[i].position_nm, centre) <= radius;
    }
  }
  printf("%d clusters met, %d left\n", met, left);
  CHECK(met >= 5 && left == 0, "%d of %d clusters outlived all events", left, met);
}

// The clusters of this rank are those of the whole sample in its slab, with the same order left.
static void ranks_share_one_sample(const kmc_setup *s, const kmc_setup *whole) {
  int64_t count, all, at = 0, total;
  const stz_cluster *mine = stz_glass_clusters(s->glass, &count), *every = stz_glass_clusters(whole->glass, &all);
  for (int64_t i = 0; i < count; i++) {
    while (at < all && every[at].id != mine[i].id) at++;
    CHECK(at < all, "cluster %lld is not in the whole sample", (long long)mine[i].id);
    if (at == all) break;
    CHECK(!memcmp(mine[i].position_nm, every[at].position_nm, sizeof mine[i].position_nm), "at another place");
    CHECK(mine[i].oriented == every[at].oriented && mine[i].ordered == every[at].ordered, "in another state");
  }
  MPI_Allreduce(&count, &total, 1, MPI_INT64_T, MPI_SUM, stz_grid_comm(s->grid));
  CHECK(total == all, "%lld clusters on all ranks, %lld in one sample", (long long)total, (long long)all);
}

static void cases(MPI_Comm comm) {
  enum { EVENTS = 600 };
  kmc_setup s, whole;
  setup_kmc(&s, comm, &BOX);
  setup_kmc(&whole, MPI_COMM_SELF, &BOX);
  density_is_poisson(&whole);
  positions_are_uniform(&whole);
  ranks_share_one_sample(&s, &whole);
  order_is_lost_within_the_zone(&whole, EVENTS);
  for (uint64_t number = 0; number < EVENTS; number++) shear_at(&s, site_of(number));
  ranks_share_one_sample(&s, &whole);
  every_event_draws_anew(&whole);
  close_kmc(&s);
  close_kmc(&whole);
}

int main(int argc, char **argv) { return harness_main(argc, argv, "clusters", cases); }
