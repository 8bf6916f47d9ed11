// SPDX-License-Identifier: GPL-3.0-or-later
//
// Avalanches: sequences made by hand, a Poisson process against closed forms, and a record that is saved half-way.
#include <stdbool.h>
#include <stdint.h>

#include "mpi/harness.h"
#include "observe/avalanches.h"
#include "rng/rng.h"

static const double SPACING = 0.5;

static stz_grid *open_grid(int x, int y, int z) {
  stz_grid *grid;
  CHECK_OK(
      stz_grid_create(MPI_COMM_SELF, &(const stz_lattice_params){.cells = {x, y, z}, .spacing_nm = SPACING}, &grid));
  return grid;
}

static stz_avalanches *open_avalanches(const stz_grid *grid, double window, double reach_nm) {
  stz_avalanches *a;
  CHECK_OK(stz_avalanches_create(grid, &(const stz_avalanche_params){window, reach_nm}, &a));
  return a;
}

// Adds an event and checks that as many avalanches are over at its time as `over` says; the last of them in *last.
static void add(stz_avalanches *a, const stz_grid *grid, double time_s, const int xyz[3], double strain, int over,
                stz_avalanche *last) {
  const stz_avalanche *list;
  const int found = stz_avalanches_over(a, time_s, &list);
  CHECK(found == over, "%d over at %g s, not %d", found, time_s, over);
  if (found > 0) *last = list[found - 1];
  CHECK_OK(stz_avalanches_add(a, &(const stz_avalanche_event){.time_s = time_s,
                                                              .site = stz_grid_site(grid, xyz[0], xyz[1], xyz[2]),
                                                              .strain = 0.01 * time_s,
                                                              .plastic_strain = strain,
                                                              .stress_drop = 10.0 * strain}));
}

// Reach 1 nm: two steps along an axis, one along each of three; 33 of 4096 sites. Events each second make the mean
// waiting time 1 s, so that the window is 4096/33 * 0.02 = 2.48 s.
static void by_hand(void) {
  stz_grid *grid = open_grid(16, 16, 16);
  stz_avalanches *a = open_avalanches(grid, 0.02, 1.0);
  stz_avalanche seen = {0};
  double centre[3];
  CHECK_NEAR(stz_avalanches_reach_fraction(a), 33.0 / 4096.0, 1e-15);
  add(a, grid, 1.0, (int[3]){8, 8, 8}, 0.5, 0, &seen); // 0: the first has no window, as no waiting time is known
  add(a, grid, 2.0, (int[3]){8, 8, 8}, 1.0, 1, &seen); // 1
  CHECK(seen.id == 0 && seen.events == 1 && seen.begin_s == 1.0 && stz_avalanche_radius(&seen) == 0.0, "the first");
  add(a, grid, 3.0, (int[3]){0, 0, 0}, 2.0, 0, &seen);   // 2
  add(a, grid, 4.0, (int[3]){8, 10, 8}, 4.0, 0, &seen);  // 1, from the second event
  add(a, grid, 5.0, (int[3]){15, 0, 15}, 8.0, 0, &seen); // 2, across the border
  add(a, grid, 6.0, (int[3]){8, 8, 8}, 16.0, 0, &seen);  // 1 by the event before: its first is over since 4.48 s
  add(a, grid, 7.0, (int[3]){8, 11, 8}, 32.0, 0, &seen); // 3: 1.5 nm from its nearest within 2.48 s, at 6 s
  add(a, grid, 8.0, (int[3]){8, 9, 8}, 64.0, 1, &seen);  // in reach of 1 and of 3: 3 is the later
  CHECK(seen.id == 2 && seen.events == 2 && seen.last_s == 5.0 && seen.plastic_strain == 10.0, "avalanche 2: %g",
        seen.plastic_strain);
  CHECK_NEAR(seen.stress_drop, 100.0, 1e-12);
  CHECK_NEAR(seen.strain, 0.03, 1e-15);
  CHECK_NEAR(stz_avalanche_radius(&seen), 0.5 * sqrt(0.5), 1e-12); // two places sqrt2 * 0.5 nm apart
  stz_avalanche_centre(grid, &seen, centre);
  CHECK_NEAR(centre[0], 0.0, 1e-12); // between voxel 15, at 7.75, and voxel 0, at 0.25
  CHECK_NEAR(centre[1], 0.25, 1e-12);
  CHECK_NEAR(fmod(centre[2] + 1.0, 8.0), 1.0, 1e-12);
  const stz_avalanche *list;
  CHECK(stz_avalanches_over(a, 8.4, &list) == 0, "too early");
  CHECK(stz_avalanches_over(a, 8.5, &list) == 1 && list[0].id == 1 && list[0].events == 3, "avalanche 1");
  CHECK(list[0].plastic_strain == 21.0 && list[0].last_s == 6.0, "avalanche 1: %g", list[0].plastic_strain);
  CHECK_NEAR(stz_avalanche_radius(&list[0]), sqrt(2.0 / 9.0), 1e-12); // 0, 0, 1 nm along y
  CHECK(stz_avalanches_over(a, INFINITY, &list) == 1 && list[0].id == 3 && list[0].events == 2, "avalanche 3");
  CHECK(stz_avalanches_over(a, INFINITY, &list) == 0, "twice");
  stz_avalanches_destroy(&a);
  stz_grid_destroy(&grid);
}

// A row of events that goes once around the box: along the tree it is as long as it is, not folded back.
static void around_the_box(void) {
  stz_grid *grid = open_grid(16, 16, 16);
  stz_avalanches *a = open_avalanches(grid, 1.0, 0.5);
  const stz_avalanche *list;
  stz_avalanche none;
  for (int i = 0; i < 16; i++) add(a, grid, 1.0 + i, (int[3]){3, 3, 3 + i}, 1.0, i == 1, &none);
  CHECK(stz_avalanches_over(a, INFINITY, &list) == 1 && list[0].events == 15, "%d", (int)list[0].events);
  CHECK_NEAR(stz_avalanche_radius(&list[0]), 0.5 * sqrt((15.0 * 15.0 - 1.0) / 12.0), 1e-12);
  stz_avalanches_destroy(&a);
  stz_grid_destroy(&grid);
}

typedef struct tally {
  double avalanches, singles, events;
} tally;

static void count(tally *t, const stz_avalanche *list, int found) {
  for (int i = 0; i < found; i++) {
    t->avalanches++;
    t->singles += list[i].events == 1;
    t->events += (double)list[i].events;
  }
}

// `events` events that fall independently, in time and place; saved, and restored into another record, after every
// thousand if `restart`.
static tally poisson(const stz_grid *grid, double window, double reach_nm, int events, uint64_t seed, bool restart) {
  stz_avalanches *a = open_avalanches(grid, window, reach_nm);
  stz_rng rng = stz_rng_stream(seed, STZ_RNG_EVENTS, 0);
  const stz_avalanche *list;
  tally t = {0};
  double time = 0.0;
  for (int e = 0; e < events; e++) {
    time += 3.0 * stz_rng_exponential(&rng);
    count(&t, list, stz_avalanches_over(a, time, &list));
    const int64_t site = (int64_t)stz_rng_below(&rng, (uint64_t)stz_grid_sites(grid));
    CHECK_OK(stz_avalanches_add(a, &(const stz_avalanche_event){.time_s = time, .site = site}));
    if (!restart || e % 1000 != 999) continue;
    void *saved;
    const size_t bytes = stz_avalanches_saved_bytes(a);
    CHECK_OK(stz_alloc(bytes, 1, &saved));
    stz_avalanches_save(a, saved);
    stz_avalanches_destroy(&a);
    a = open_avalanches(grid, window, reach_nm);
    CHECK_OK(stz_avalanches_restore(a, saved, bytes));
    stz_free(saved);
  }
  count(&t, list, stz_avalanches_over(a, INFINITY, &list));
  stz_avalanches_destroy(&a);
  CHECK(t.events == events, "%g events of %d", t.events, events);
  return t;
}

// Null hypothesis: events fall independently. Then an event has a Poisson number of mean `window` of possible parents,
// and the share exp(-window) begins an avalanche. If the reach is the whole box, an avalanche goes on until a gap is
// longer than the window: its size is geometric, and exp(-window) of the avalanches are single events. The mean waiting
// time is estimated with a relative deviation of 1/sqrt(2 * 20 - 1) = 0.16, that of the share's exponent, which adds
// 0.16^2 window^2/2 in the mean; the shares are of `events`, with 1.5 times the binomial error, as neighbours have
// windows in common. 4.5 standard errors: once in 150,000 seeds for each of the eight numbers.
static void independent_events(void) {
  enum { EVENTS = 20000 };
  stz_grid *grid = open_grid(16, 24, 16);
  for (int whole = 0; whole < 2; whole++) {
    for (int k = 0; k < 2; k++) {
      const double window = k ? 0.5 : 0.1, reach = whole ? 100.0 : 1.5;
      const double expected = exp(-window) * (1.0 + 0.5 * window * window / 39.0);
      const tally t = poisson(grid, window, reach, EVENTS, 31 + (uint64_t)(2 * whole + k), false);
      const double error = 1.5 * sqrt(expected * (1.0 - expected) / EVENTS);
      printf("window %g, reach %g nm: %.4f of the events begin one, expected %.4f +- %.4f; %.4f of them single\n",
             window, reach, t.avalanches / EVENTS, expected, error, t.singles / t.avalanches);
      CHECK_NEAR(t.avalanches / EVENTS, expected, 4.5 * error);
      if (whole) CHECK_NEAR(t.singles / t.avalanches, expected, 4.5 * error * sqrt(EVENTS / t.avalanches));
      const tally again = poisson(grid, window, reach, EVENTS, 31 + (uint64_t)(2 * whole + k), true);
      CHECK(memcmp(&t, &again, sizeof t) == 0, "not the same when saved and restored");
    }
  }
  stz_grid_destroy(&grid);
}

// Windows that are open by the thousand: more than there is room for at the start. The reach is a site alone, of 8192,
// so that a window lasts for 4096 events; the first 4096 find fewer before them, and (1 - exp(-w))/w of them begin one.
static void crowded(void) {
  stz_grid *grid = open_grid(32, 16, 16);
  const tally t = poisson(grid, 0.5, 0.4, 20000, 5, true);
  const double expected = (4096.0 * (1.0 - exp(-0.5)) / 0.5 + 15904.0 * exp(-0.5)) / 20000.0;
  CHECK_NEAR(t.avalanches / 20000.0, expected, 4.5 * 1.5 * sqrt(0.24 / 20000.0));
  stz_grid_destroy(&grid);
}

int main(void) {
  MPI_Init(NULL, NULL);
  by_hand();
  around_the_box();
  independent_events();
  crowded();
  CHECK(stz_alloc_live() == 0, "%ld blocks of memory left", stz_alloc_live());
  MPI_Finalize();
  return harness_failures ? 1 : 0;
}
