// SPDX-License-Identifier: GPL-3.0-or-later
//
// The sample: its barriers and grains of orientation as they are made, and what an event changes, voxel by voxel; the
// same on any number of ranks.
#include <inttypes.h>

#include "kmc_setup.h"
#include "rng/rng.h"
#include "shear.h"
#include "stz/marginal.h"

static const kmc_spec BOX = {.cells = {24, 16, 32},
                             .young_GPa = 72.0,
                             .mean_eV = 2.352,
                             .width_eV = 0.10,
                             .floor_eV = 0.2,
                             .redraw = STZ_REDRAW_STZ,
                             .orientation = STZ_ORIENTATION_RANDOM,
                             .micro = STZ_MICRO_RANDOM_WAVES,
                             .seed = 21};

static const void *field(const kmc_setup *s, const char *name) { return field_of(s->glass, name); }

static double footprint_width(void) { return cbrt(KMC_STZ.volume_nm3) / sqrt(2.0 * STZ_PI); }

// Distance of a local site from the site `centre` in the periodic box, nm.
static double distance(const kmc_setup *s, int64_t local, int64_t centre) {
  int x[3], c[3];
  double r2 = 0.0;
  stz_grid_coords(s->grid, stz_grid_first_site(s->grid) + local, x);
  stz_grid_coords(s->grid, centre, c);
  for (int axis = 0; axis < 3; axis++) {
    const int n = stz_grid_cells(s->grid)[axis], d = abs(x[axis] - c[axis]), least = d < n - d ? d : n - d;
    r2 += least * least * KMC_SPACING * KMC_SPACING;
  }
  return sqrt(r2);
}

static void shear_at(kmc_setup *s, int64_t site, uint64_t number, double strain[6], stz_shear *shear) {
  *shear = (stz_shear){.site = site, .mode = (int)(number % STZ_MODES), .sign = number % 2 ? -1 : 1};
  shear_all(s->glass, shear, strain);
}

// Mean of p(site) q(site + d along z) over the box, and of their squares. Periodic; along z, which is never split.
static double correlation(const kmc_setup *s, const float *noise, int d) {
  const int nz = stz_grid_cells(s->grid)[2];
  double sums[2] = {0.0, 0.0};
  for (int64_t i = 0; i < stz_grid_local_sites(s->grid); i++) {
    const int64_t other = i - i % nz + (i % nz + d) % nz;
    sums[0] += (double)noise[i] * (double)noise[other];
    sums[1] += (double)noise[i] * (double)noise[i];
  }
  MPI_Allreduce(MPI_IN_PLACE, sums, 2, MPI_DOUBLE, MPI_SUM, stz_grid_comm(s->grid));
  return d == 0 ? sums[1] / (double)stz_grid_sites(s->grid) : sums[0] / sums[1];
}

// Footprint of a redraw at a distance r.
static double footprint(double r) {
  const double width = footprint_width(), q = exp(-0.5 * r * r / (width * width));
  return q < 0.01 ? 0.0 : q;
}

// Correlation at d voxels of white noise filtered by exp(-k^2 s_q^2/2): exp(-r^2/4 s_q^2).
static double fresh_correlation(int d) {
  const double r = d * KMC_SPACING, width = footprint_width();
  return exp(-r * r / (4.0 * width * width));
}

// Correlation at d voxels along z in a sample that events at random places have redrawn for long: an event leaves
// keep_1 keep_2 of a pair's product and adds q_1 q_2, hence sum(q_1 q_2)/sum(1 - keep_1 keep_2) over its places.
static double redrawn_correlation(int d) {
  double added = 0.0, lost = 0.0;
  for (int x = -5; x <= 5; x++) {
    for (int y = -5; y <= 5; y++) {
      for (int z = -5; z <= 5 + d; z++) {
        const double q1 = footprint(KMC_SPACING * sqrt(x * x + y * y + z * z));
        const double q2 = footprint(KMC_SPACING * sqrt(x * x + y * y + (z - d) * (z - d)));
        added += q1 * q2;
        lost += 1.0 - sqrt((1.0 - q1 * q1) * (1.0 - q2 * q2));
      }
    }
  }
  return added / lost;
}

enum { FARTHEST = 4 };

// The variance is 1 and the correlation as expected at one to four voxels. With about 12288/(4 pi s_q^2/a^2)^1.5 = 500
// independent patches the variance has a standard error of sqrt(2/500) = 0.063, and a correlation C one of at most
// sqrt(1/500) (1 - C^2), at one voxel half as much. Limits are 4.5 of them: one alarm in 100,000 seeds.
static void noise_is_correlated(const kmc_setup *s, const char *when, double (*expected)(int)) {
  const float *noise = field(s, "noise");
  const double variance = correlation(s, noise, 0);
  if (stz_grid_rank(s->grid) == 0) printf("%s: variance of the noise %.3f\n", when, variance);
  CHECK_NEAR(variance, 1.0, 4.5 * 0.063);
  for (int d = 1; d <= FARTHEST; d++) {
    const double c = expected(d), found = correlation(s, noise, d);
    if (stz_grid_rank(s->grid) == 0) printf("  correlation at %d voxels %.3f, expected %.3f\n", d, found, c);
    CHECK_NEAR(found, c, 4.5 * sqrt(1.0 / 500.0) * (1.0 - c * c));
  }
}

// Q = max(floor, mean + composition g - interface |grad g| ... + width T(noise)), with the terms of a field made anew.
static void barriers_follow_their_terms(const kmc_setup *s) {
  const stz_micro_params params = {.type = STZ_MICRO_RANDOM_WAVES,
                                   .wavelength_nm = 2.5,
                                   .bandwidth = 0.12,
                                   .nickel_fraction = 0.35,
                                   .nickel_amplitude = 0.15,
                                   .sharpness = 1.5};
  static stz_marginal marginal;
  stz_micro *micro;
  CHECK_OK(stz_micro_create(s->grid, s->spectral, &params, NULL, BOX.seed, &micro));
  stz_marginal_set(&marginal, STZ_GAUSSIAN, 0.0, 2.5);
  const float *noise = field(s, "noise"), *barrier = stz_glass_barrier(s->glass);
  for (int64_t i = 0; i < stz_grid_local_sites(s->grid); i++) {
    const double expected = BOX.mean_eV + 0.25 * stz_micro_g(micro)[i] - 0.10 * stz_micro_interface(micro)[i] +
                            0.10 * stz_marginal_map(&marginal, (double)noise[i]);
    CHECK_NEAR((double)barrier[i], expected, 1e-6);
  }
  stz_micro_destroy(&micro);
}

// One event, which may lie near a corner of the box or a border of ranks: noise mixed with the footprint and nowhere
// else, a new rotation in its cell alone, the eigenstrain at its site alone.
static void one_event(kmc_setup *s, uint64_t number, int64_t centre) {
  const int64_t sites = stz_grid_local_sites(s->grid);
  const float *noise = field(s, "noise");
  const uint16_t *rotation = stz_glass_rotation(s->glass);
  const uint32_t *cell = field(s, "cell");
  float *old_noise, *old_plastic;
  uint16_t *old_rotation;
  CHECK_OK(STZ_NEW(old_noise, sites));
  CHECK_OK(STZ_NEW(old_plastic, 5 * sites));
  CHECK_OK(STZ_NEW(old_rotation, sites));
  memcpy(old_noise, noise, (size_t)sites * sizeof *noise);
  for (int c = 0; c < 5; c++) {
    memcpy(old_plastic + c * sites, stz_glass_plastic(s->glass, c), (size_t)sites * sizeof *old_plastic);
  }
  memcpy(old_rotation, rotation, (size_t)sites * sizeof *rotation);
  stz_shear shear;
  double strain[6], deviator[5], drawn = 0.0;
  shear_at(s, centre, number, strain, &shear);
  stz_dev_from_sym(strain, deviator);
  CHECK_NEAR(stz_sym_dot(strain, strain), 0.5 * 0.115 * 0.115, 1e-12);
  const int64_t own = stz_grid_local(s->grid, centre);
  if (own >= 0) drawn = (double)noise[own]; // q = 1: the fresh normal itself
  MPI_Allreduce(MPI_IN_PLACE, &drawn, 1, MPI_DOUBLE, MPI_SUM, stz_grid_comm(s->grid));
  long changed[3] = {0, 0, 0}; // voxels redrawn beyond the footprint, rotated, in the cell
  for (int64_t i = 0; i < sites; i++) {
    const double q = footprint(distance(s, i, centre));
    CHECK_NEAR((double)noise[i], sqrt(1.0 - q * q) * (double)old_noise[i] + q * drawn, 1e-6);
    changed[0] += (noise[i] != old_noise[i]) - (q > 0.0);
    changed[1] += rotation[i] != old_rotation[i];
    changed[2] += cell[i] == shear.cell;
    CHECK(rotation[i] == old_rotation[i] || cell[i] == shear.cell, "a rotation changed in another cell");
    CHECK(old_rotation[i] == shear.rotation || cell[i] != shear.cell, "two rotations in a cell");
    for (int c = 0; c < 5; c++) {
      const double density = KMC_STZ.volume_nm3 / (KMC_SPACING * KMC_SPACING * KMC_SPACING);
      const double added = (double)stz_glass_plastic(s->glass, c)[i] - (double)old_plastic[c * sites + i];
      CHECK_NEAR(added, i == own ? density * deviator[c] : 0.0, 1e-7);
    }
  }
  MPI_Allreduce(MPI_IN_PLACE, changed, 3, MPI_LONG, MPI_SUM, stz_grid_comm(s->grid));
  CHECK(changed[0] == 0, "%ld voxels too many redrawn", changed[0]);
  CHECK(changed[1] == changed[2] && changed[2] > 0, "%ld of the cell's %ld voxels turned", changed[1], changed[2]);
  stz_free(old_noise);
  stz_free(old_plastic);
  stz_free(old_rotation);
}

// Cells have a volume of about Omega: pitches are the box over round(box/Omega^(1/3)), here 12 x 8 x 16 cells.
static void cells_are_zones(const kmc_setup *s) {
  const uint32_t *cell = field(s, "cell");
  enum { CELLS = 12 * 8 * 16 };
  int *size;
  CHECK_OK(STZ_NEW(size, CELLS));
  for (int64_t i = 0; i < stz_grid_local_sites(s->grid); i++) {
    CHECK(cell[i] < CELLS, "cell %u", cell[i]);
    if (cell[i] < CELLS) size[cell[i]]++;
  }
  MPI_Allreduce(MPI_IN_PLACE, size, CELLS, MPI_INT, MPI_SUM, stz_grid_comm(s->grid));
  int empty = 0, largest = 0;
  for (int c = 0; c < CELLS; c++) {
    empty += size[c] == 0;
    largest = size[c] > largest ? size[c] : largest;
  }
  CHECK(empty < CELLS / 20 && largest < 40, "%d cells without a voxel, largest %d of 8 on average", empty, largest);
  stz_free(size);
}

// Every voxel belongs to the cell whose point is nearest, of all the cells and their images: points by brute force.
static void voxels_belong_to_the_nearest(const kmc_setup *s) {
  enum { CELLS = 12 * 8 * 16 };
  const int count[3] = {12, 8, 16}, *n = stz_grid_cells(s->grid);
  const uint32_t *cell = field(s, "cell");
  double(*points)[3];
  CHECK_OK(STZ_NEW(points, CELLS));
  for (int c = 0; c < CELLS; c++) {
    stz_rng rng = stz_rng_stream(BOX.seed, STZ_RNG_GRAINS, (uint64_t)c);
    const int index[3] = {c / 128, c / 16 % 8, c % 16};
    for (int axis = 0; axis < 3; axis++) {
      points[c][axis] = (index[axis] + stz_rng_uniform(&rng)) * n[axis] * KMC_SPACING / count[axis];
    }
  }
  for (int64_t i = 0; i < stz_grid_local_sites(s->grid); i++) {
    int x[3], nearest = -1;
    double least = INFINITY;
    stz_grid_coords(s->grid, stz_grid_first_site(s->grid) + i, x);
    for (int c = 0; c < CELLS; c++) {
      double r2 = 0.0;
      for (int axis = 0; axis < 3; axis++) {
        const double length = n[axis] * KMC_SPACING, d = fabs((x[axis] + 0.5) * KMC_SPACING - points[c][axis]);
        r2 += fmin(d, length - d) * fmin(d, length - d);
      }
      if (r2 < least) nearest = c;
      least = fmin(least, r2);
    }
    CHECK((int)cell[i] == nearest, "cell %u, the nearest is %d", cell[i], nearest);
  }
  stz_free(points);
}

// Noise of 0.5 eV about 0.9 eV, cut at 2.5 deviations and floored at 0.5 eV: no barrier outside [0.5, 2.15], and as
// many on the floor as the cut normal law has below -0.8: 0.209, of ~500 patches, standard error 0.018.
static void barriers_keep_their_bounds(MPI_Comm comm) {
  kmc_spec spec = BOX;
  kmc_setup s;
  spec.mean_eV = 0.9;
  spec.width_eV = 0.5;
  spec.floor_eV = 0.5;
  spec.micro = STZ_MICRO_UNIFORM;
  setup_kmc(&s, comm, &spec);
  for (int round = 0; round < 2; round++) {
    double floored = 0.0;
    for (int64_t i = 0; i < stz_grid_local_sites(s.grid); i++) {
      const double barrier = (double)stz_glass_barrier(s.glass)[i];
      CHECK(barrier >= 0.5 && barrier <= 0.9 + 2.5 * 0.5 + 1e-6, "barrier %g", barrier);
      floored += barrier == 0.5;
    }
    MPI_Allreduce(MPI_IN_PLACE, &floored, 1, MPI_DOUBLE, MPI_SUM, comm);
    const double outside = 0.5 * erfc(2.5 / sqrt(2.0)), below = 0.5 * erfc(0.8 / sqrt(2.0));
    CHECK_NEAR(floored / (24 * 16 * 32), (below - outside) / (1.0 - 2.0 * outside), 4.5 * 0.018);
    for (uint64_t number = 0; round == 0 && number < 2000; number++) {
      double strain[6];
      stz_shear shear;
      shear_at(&s, (int64_t)(number * 2741 % (24 * 16 * 32)), number, strain, &shear);
    }
  }
  close_kmc(&s);
}

// Sites whose noise an event at `centre` changed, and sites that it turned.
static void count_changes(kmc_setup *s, int64_t centre, long changed[2]) {
  const int64_t sites = stz_grid_local_sites(s->grid);
  const float *noise = field(s, "noise");
  float *old;
  uint16_t *old_rotation;
  CHECK_OK(STZ_NEW(old, sites));
  CHECK_OK(STZ_NEW(old_rotation, sites));
  memcpy(old, noise, (size_t)sites * sizeof *old);
  memcpy(old_rotation, stz_glass_rotation(s->glass), (size_t)sites * sizeof *old_rotation);
  double strain[6];
  stz_shear shear;
  shear_at(s, centre, 0, strain, &shear);
  changed[0] = changed[1] = 0;
  for (int64_t i = 0; i < sites; i++) {
    changed[0] += noise[i] != old[i];
    changed[1] += stz_glass_rotation(s->glass)[i] != old_rotation[i];
  }
  MPI_Allreduce(MPI_IN_PLACE, changed, 2, MPI_LONG, MPI_SUM, stz_grid_comm(s->grid));
  stz_free(old);
  stz_free(old_rotation);
}

// `centre`: white noise (12,288 sites: standard error 0.009 of a correlation), one voxel redrawn; `none`: all kept.
static void other_redraws(MPI_Comm comm) {
  kmc_spec spec = BOX;
  kmc_setup s;
  long changed[2];
  spec.redraw = STZ_REDRAW_CENTRE;
  setup_kmc(&s, comm, &spec);
  CHECK_NEAR(correlation(&s, field(&s, "noise"), 0), 1.0, 4.5 * sqrt(2.0 / 12288));
  for (int d = 1; d <= FARTHEST; d++) CHECK_NEAR(correlation(&s, field(&s, "noise"), d), 0.0, 4.5 / sqrt(12288));
  count_changes(&s, 12 * 512 + 77, changed);
  CHECK(changed[0] == 1 && changed[1] > 0, "%ld voxels redrawn, %ld turned", changed[0], changed[1]);
  close_kmc(&s);

  spec.redraw = STZ_REDRAW_NONE;
  setup_kmc(&s, comm, &spec);
  count_changes(&s, 12 * 512 + 77, changed);
  CHECK(changed[0] == 0 && changed[1] == 0, "%ld voxels redrawn, %ld turned", changed[0], changed[1]);
  close_kmc(&s);
}

// An event that undoes the one before at its site is a reversal; one in another mode, or elsewhere, is not.
static void reversals_are_counted(MPI_Comm comm) {
  static const struct {
    int64_t site;
    int mode, sign;
    uint64_t reversals; // counted after it
  } events[] = {{6000, 3, 1, 0}, {6000, 3, -1, 1}, {6000, 3, -1, 1}, {6000, 4, 1, 1}, {6001, 4, -1, 1},
                {6000, 3, 1, 1}, {6000, 3, -1, 2}, {6001, 4, 1, 3},  {100, 4, -1, 3}};
  kmc_spec spec = BOX;
  kmc_setup s;
  spec.redraw = STZ_REDRAW_NONE; // orientations stay
  setup_kmc(&s, comm, &spec);
  for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
    stz_shear shear = {.site = events[i].site, .mode = events[i].mode, .sign = events[i].sign};
    double strain[6];
    shear_all(s.glass, &shear, strain);
    CHECK(stz_glass_reversals(s.glass) == events[i].reversals, "after event %zu", i);
  }
  close_kmc(&s);
}

// What an event draws belongs to it, not to its turn: events far apart leave the same sample in any order, on any
// number of ranks; the second event of a site draws anew.
static void any_order(MPI_Comm comm) {
  enum { SITES = 24, ROUNDS = 3 };
  kmc_setup s[2];
  for (int way = 0; way < 2; way++) {
    setup_kmc(&s[way], way ? MPI_COMM_SELF : comm, &BOX);
    for (int i = 0; i < SITES * ROUNDS; i++) {
      const int place = way ? i * 7 % SITES : i / ROUNDS;
      const int64_t site = stz_grid_site(s[way].grid, 4 + place / 8 * 8, 4 + place / 4 % 2 * 8, 4 + place % 4 * 8);
      stz_shear shear;
      double strain[6];
      shear_at(&s[way], site, (uint64_t)place, strain, &shear);
      CHECK((int)shear.number == (way ? i / SITES : i % ROUNDS), "event %d of its site", (int)shear.number);
    }
  }
  CHECK(stz_glass_hash(s[0].glass) == stz_glass_hash(s[1].glass), "the sample depends on the order of distant events");
  for (int way = 0; way < 2; way++) close_kmc(&s[way]);
}

// Event after event at one site, damage at its centre, where q = 1, goes to D_s (1 - (1 - 1/D_s)^n).
static void damage_saturates(MPI_Comm comm) {
  kmc_spec spec = BOX;
  kmc_setup s;
  spec.softening_eV = 0.1;
  spec.saturation = 5.0;
  setup_kmc(&s, comm, &spec);
  const int64_t centre = stz_grid_site(s.grid, 12, 7, 15), at = stz_grid_local(s.grid, centre);
  for (int n = 0; n < 30; n++) {
    double strain[6];
    stz_shear shear;
    if (at >= 0) CHECK_NEAR(((const float *)field(&s, "damage"))[at], 5.0 * (1.0 - pow(0.8, n)), 1e-5);
    if (at >= 0) {
      const double left = ((const float *)field(&s, "barrier_undamaged"))[at] - stz_glass_barrier(s.glass)[at];
      CHECK_NEAR(left, 0.5 * (1.0 - pow(0.8, n)), 1e-5);
    }
    shear_at(&s, centre, (uint64_t)n, strain, &shear);
  }
  close_kmc(&s);
}

// The recovery of a temperature ramp against the trapezoidal rule of nu exp(-E/kT) with libm.
static void recovery_on_a_ramp(MPI_Comm comm) {
  enum { STEPS = 20000 };
  static const double ramps[][3] = {{300.0, 2.0, 100.0}, {500.0, -1.5, 120.0}, {295.0, 1e-3, 1.0}}; // K, K/s, s
  kmc_spec spec = BOX;
  kmc_setup s;
  spec.softening_eV = 0.1;
  spec.recovery_rate_per_s = 1e9;
  spec.recovery_eV = 0.8;
  setup_kmc(&s, comm, &spec);
  for (size_t k = 0; k < sizeof ramps / sizeof *ramps; k++) {
    const double *ramp = ramps[k], step = ramp[2] / STEPS;
    double sum = 0.0;
    for (int i = 0; i <= STEPS; i++) {
      const double rate = 1e9 * exp(-0.8 / (STZ_BOLTZMANN * (ramp[0] + ramp[1] * step * i)));
      sum += rate * step * (i == 0 || i == STEPS ? 0.5 : 1.0);
    }
    CHECK_NEAR(stz_glass_recovery_gain(s.glass, ramp[0], ramp[1], ramp[2]) / sum, 1.0, 1e-6);
  }
  close_kmc(&s);
}

// Voxels that are damaged at the start, counted by the definition: the distance to the nearest image of the middle.
static bool within(const kmc_setup *s, const stz_damage_params *d, int64_t local) {
  static const double normal[][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {1, 1, 0}, {1, 0, 1}, {0, 1, 1}};
  const int *n = stz_grid_cells(s->grid);
  int xyz[3];
  double least = INFINITY, length = 0.0;
  stz_grid_coords(s->grid, stz_grid_first_site(s->grid) + local, xyz);
  for (int axis = 0; axis < 3; axis++) length += normal[d->normal][axis];
  for (int image = 0; image < 27; image++) {
    const int shift[3] = {image % 3 - 1, image / 3 % 3 - 1, image / 9 - 1};
    double along = 0.0, square = 0.0;
    for (int axis = 0; axis < 3; axis++) {
      const double x = KMC_SPACING * (xyz[axis] + 0.5 - 0.5 * n[axis] + shift[axis] * n[axis]);
      along += x * normal[d->normal][axis] / sqrt(length);
      square += x * x;
    }
    least = fmin(least, d->shape == STZ_DAMAGE_SPHERE ? sqrt(square) : fabs(along));
  }
  return least < 0.5 * d->width_nm;
}

static void damage_at_the_start(MPI_Comm comm) {
  const stz_damage_params starts[] = {{STZ_DAMAGE_SLAB, STZ_NORMAL_Y, 0.7, 3.0, 0.0},
                                      {STZ_DAMAGE_SLAB, STZ_NORMAL_XZ, 0.7, 4.0, 0.0},
                                      {STZ_DAMAGE_SPHERE, STZ_NORMAL_X, 1.0, 6.0, 0.0},
                                      {STZ_DAMAGE_RANDOM, STZ_NORMAL_X, 0.5, 1.0, 0.2}};
  for (size_t k = 0; k < sizeof starts / sizeof *starts; k++) {
    kmc_spec spec = BOX;
    kmc_setup s;
    double damaged = 0.0;
    spec.softening_eV = 0.1;
    spec.damage = starts[k];
    spec.cells[2] = spec.cells[0];
    setup_kmc(&s, comm, &spec);
    const float *damage = field(&s, "damage");
    for (int64_t i = 0; i < stz_grid_local_sites(s.grid); i++) {
      CHECK(damage[i] == 0.0f || damage[i] == (float)starts[k].amount, "damage %g", (double)damage[i]);
      damaged += damage[i] > 0.0f;
      if (starts[k].shape == STZ_DAMAGE_RANDOM) continue;
      CHECK((damage[i] > 0.0f) == within(&s, &starts[k], i), "shape %zu, site %" PRId64, k, i);
    }
    MPI_Allreduce(MPI_IN_PLACE, &damaged, 1, MPI_DOUBLE, MPI_SUM, comm);
    const double sites = (double)stz_grid_sites(s.grid);
    CHECK(damaged > 0.0, "nothing is damaged");
    if (starts[k].shape == STZ_DAMAGE_RANDOM) CHECK_NEAR(damaged / sites, 0.2, 4.5 * sqrt(0.16 / sites));
    close_kmc(&s);
  }
}

static void cases(MPI_Comm comm) {
  kmc_setup s, alone;
  setup_kmc(&s, comm, &BOX);
  setup_kmc(&alone, MPI_COMM_SELF, &BOX);
  CHECK(stz_glass_hash(s.glass) == stz_glass_hash(alone.glass), "the fresh sample depends on the decomposition");
  cells_are_zones(&s);
  voxels_belong_to_the_nearest(&s);
  noise_is_correlated(&s, "fresh", fresh_correlation);
  barriers_follow_their_terms(&s);
  one_event(&s, 7, stz_grid_site(s.grid, 23, 0, 31)); // a corner
  one_event(&s, 8, stz_grid_site(s.grid, 12, 7, 15)); // a border of two and of four ranks
  one_event(&s, 9, stz_grid_site(s.grid, 8, 15, 0));  // a border of three
  close_kmc(&s);
  close_kmc(&alone);

  // 6000 events, 0.5 a voxel: each voxel has been redrawn many times, and nothing of the first noise is left.
  setup_kmc(&s, comm, &BOX);
  setup_kmc(&alone, MPI_COMM_SELF, &BOX);
  stz_rng rng = stz_rng_stream(3, STZ_RNG_EVENTS, 0);
  for (uint64_t number = 0; number < 6000; number++) {
    const int64_t site = (int64_t)stz_rng_below(&rng, 24 * 16 * 32);
    stz_shear shear;
    double strain[6];
    shear_at(&s, site, number, strain, &shear);
    shear_at(&alone, site, number, strain, &shear);
  }
  noise_is_correlated(&s, "after 6000 events", redrawn_correlation);
  barriers_follow_their_terms(&s);
  CHECK(stz_glass_hash(s.glass) == stz_glass_hash(alone.glass), "the sheared sample depends on the decomposition");
  close_kmc(&s);
  close_kmc(&alone);

  any_order(comm);
  barriers_keep_their_bounds(comm);
  other_redraws(comm);
  reversals_are_counted(comm);
  damage_saturates(comm);
  recovery_on_a_ramp(comm);
  damage_at_the_start(comm);
}

int main(int argc, char **argv) { return harness_main(argc, argv, "glass", cases); }
