// SPDX-License-Identifier: GPL-3.0-or-later
//
// What an event adds to sites and nodes, by slabs along x, at one site, and at the nodes about one site: the bits of
// the calls for the whole box.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rng/rng.h"
#include "split_setup.h"

enum { EVENTS = 60, MOST_SLABS = 8, MOST_LISTED = 720 };

// A box, and its slabs, slab i from begin[i] to begin[i + 1].
typedef struct box {
  split_setup on;
  split_field whole, cut;
  int slabs, begin[MOST_SLABS + 1];
  stz_far *part[MOST_SLABS];
  stz_near *near[MOST_SLABS];
} box;

typedef struct event {
  int origin[3];
  float e[5];
} event;

static void open_box(box *b, const int cells[3], const int *slabs) {
  static const double none[3] = {0};
  const stz_lattice_params lattice = {
      .cells = {cells[0], cells[1], cells[2]}, .spacing_nm = 0.58, .boundary = STZ_BOUNDARY_PERIODIC};
  *b = (box){.slabs = 0};
  open_split(&b->on, &lattice, 72.0, 1.7, none, 0.0815);
  open_split_field(&b->on, &b->whole);
  open_split_field(&b->on, &b->cut);
  for (; b->begin[b->slabs] < cells[0]; b->slabs++) {
    const int i = b->slabs, first = b->begin[i];
    b->begin[i + 1] = first + slabs[i];
    assert_int_equal(stz_far_part_create(b->cut.far, first, slabs[i], &b->part[i]), STZ_OK);
    assert_int_equal(stz_near_create(b->on.split, &b->near[i]), STZ_OK);
    stz_near_keep(b->near[i], first, slabs[i]);
  }
  assert_int_equal(b->begin[b->slabs], cells[0]);
}

static void close_box(box *b) {
  for (int i = 0; i < b->slabs; i++) {
    stz_far_part_destroy(&b->part[i]);
    assert_null(b->part[i]);
    stz_near_destroy(&b->near[i]);
  }
  close_split_field(&b->whole);
  close_split_field(&b->cut);
  close_split(&b->on);
  assert_int_equal(stz_alloc_live(), 0);
}

// A third of the events at a border of the box or next to it, along each axis.
static void draw_place(const box *b, stz_rng *rng, int place[3]) {
  for (int axis = 0; axis < 3; axis++) {
    const int n = b->on.split->cells[axis];
    const bool border = stz_rng_below(rng, 3) == 0;
    place[axis] = border ? (n - 3 + (int)stz_rng_below(rng, 6)) % n : (int)stz_rng_below(rng, (uint64_t)n);
  }
}

static event draw(const box *b, int number) {
  event v;
  stz_rng rng = stz_rng_stream(1, STZ_RNG_EVENTS, (uint64_t)number);
  draw_place(b, &rng, v.origin);
  for (int c = 0; c < 5; c++) v.e[c] = 0.03f * (float)(2.0 * stz_rng_uniform(&rng) - 1.0);
  return v;
}

static event negative(event v) {
  for (int c = 0; c < 5; c++) v.e[c] = -v.e[c];
  return v;
}

// --- near ---

static int by_row(const void *a, const void *b) {
  return ((const stz_exhausted *)a)->row8 - ((const stz_exhausted *)b)->row8;
}

static void same_lists(stz_exhausted *a, int na, stz_exhausted *b, int nb) {
  assert_int_equal(na, nb);
  qsort(a, (size_t)na, sizeof *a, by_row);
  qsort(b, (size_t)nb, sizeof *b, by_row);
  for (int i = 0; i < na; i++) {
    assert_int_equal(a[i].row8, b[i].row8);
    assert_int_equal(a[i].lanes, b[i].lanes);
  }
}

static void check_near(box *b) {
  const float scale = 2.0f;
  const size_t rows = (size_t)stz_grid_sites(b->on.grid) / 8;
  int listed = 0;
  for (size_t i = 0; i < rows; i++) {
    for (int l = 0; l < 8; l++) b->whole.rows8[i].slack[l] = (int16_t)(997 * (8 * i + (size_t)l) % 3000);
    b->cut.rows8[i] = b->whole.rows8[i];
  }
  for (int number = 0; number < EVENTS; number++) {
    const event v = draw(b, number);
    stz_exhausted *all, *some, together[MOST_LISTED];
    const int count = stz_near_add(b->whole.near, v.origin, v.e, scale, b->whole.rows8, &all);
    int of_slabs = 0;
    for (int i = 0; i < b->slabs; i++) {
      const int part = stz_near_add(b->near[i], v.origin, v.e, scale, b->cut.rows8, &some);
      assert_true(of_slabs + part <= MOST_LISTED);
      if (part > 0) memcpy(together + of_slabs, some, (size_t)part * sizeof *some);
      of_slabs += part;
    }
    same_lists(all, count, together, of_slabs);
    listed += count > 0 && count < 400;
  }
  assert_true(listed > EVENTS / 2);
  assert_memory_equal(b->whole.rows8, b->cut.rows8, rows * sizeof *b->whole.rows8);
}

static size_t row_of(const box *b, const int at[3]) {
  const int *cells = b->on.split->cells;
  const int block = (at[0] / 8 * (cells[1] / 8) + at[1] / 8) * (cells[2] / 8) + at[2] / 8;
  return (size_t)(STZ_BLOCK_PIECES * block + 8 * (at[0] % 8) + at[1] % 8);
}

// The event's change of a site as the rows have it, which held zeros.
static stz_near_change change_in(const stz_row8 *row8, int lane) {
  stz_near_change change;
  for (int c = 0; c < 5; c++) change.near[c] = row8->near[c][lane];
  for (int c = 0; c < 5; c++) change.cached[c] = row8->cached[c][lane];
  change.slack = row8->slack[lane];
  return change;
}

static void check_sites(box *b, int number) {
  static const stz_near_change none;
  const float scale = 2.0f;
  const int *cells = b->on.split->cells;
  const event v = draw(b, number);
  stz_exhausted *all;
  int changed = 0;
  memset(b->whole.rows8, 0, (size_t)stz_grid_sites(b->on.grid) / 8 * sizeof *b->whole.rows8);
  (void)stz_near_add(b->whole.near, v.origin, v.e, scale, b->whole.rows8, &all);
  for (int64_t site = 0; site < stz_grid_sites(b->on.grid); site++) {
    const int at[3] = {(int)(site / (cells[1] * cells[2])), (int)(site / cells[2] % cells[1]), (int)(site % cells[2])};
    const stz_near_change real = change_in(&b->whole.rows8[row_of(b, at)], at[2] % 8);
    stz_near_change change;
    memset(&change, 255, sizeof change);
    const bool any = stz_near_at(b->near[0], v.origin, v.e, scale, at, &change);
    assert_memory_equal(&change, &real, sizeof real);
    if (!any) assert_memory_equal(&change, &none, sizeof none);
    changed += any;
  }
  assert_in_range(changed, 2000, 2150); // (4/3) pi 8^3
}

// --- parts ---

static void same_state(const stz_far *a, const stz_far *b) {
  size_t bytes, others;
  const void *x = stz_far_state((stz_far *)a, &bytes), *y = stz_far_state((stz_far *)b, &others);
  assert_int_equal(bytes, others);
  assert_memory_equal(x, y, bytes);
}

static void same_stress(const stz_far *a, const stz_far *b, const int site[3]) {
  float x[5], y[5];
  stz_far_site(a, site, x);
  stz_far_site(b, site, y);
  assert_memory_equal(x, y, sizeof x);
}

// At the ends of each slab and within it.
static void same_in_slabs(const box *b, const stz_far *whole, int seed) {
  stz_rng rng = stz_rng_stream(2, STZ_RNG_EVENTS, (uint64_t)seed);
  for (int i = 0; i < b->slabs; i++) {
    for (int x = b->begin[i]; x < b->begin[i + 1]; x++) {
      for (int k = 0; k < 8; k++) {
        int site[3];
        draw_place(b, &rng, site);
        site[0] = x;
        same_stress(whole, b->part[i], site);
      }
    }
  }
}

static void add_by_parts(const box *b, const event *v) {
  for (int i = 0; i < b->slabs; i++) stz_far_add(b->part[i], v->origin, v->e);
  stz_far_add_source(b->cut.far, v->origin, v->e);
}

static void check_parts(const box *b) {
  for (int number = 0; number < EVENTS; number++) {
    const event v = draw(b, number);
    stz_far_add(b->whole.far, v.origin, v.e);
    add_by_parts(b, &v);
    if (number % 10 == 0) same_in_slabs(b, b->whole.far, number);
  }
  same_state(b->whole.far, b->cut.far);
  stz_far_converge(b->whole.far);
  stz_far_converge(b->cut.far);
  same_in_slabs(b, b->whole.far, EVENTS);
  for (int number = EVENTS - 1; number >= 0; number -= 2) {
    const event v = negative(draw(b, number));
    add_by_parts(b, &v);
  }
  for (int number = 0; number < EVENTS; number += 2) {
    const event v = negative(draw(b, number));
    add_by_parts(b, &v);
  }
  stz_far_clear(b->whole.far);
  stz_far_converge(b->cut.far);
  same_state(b->whole.far, b->cut.far);
  same_in_slabs(b, b->whole.far, EVENTS + 1);
}

// How many of the sites at the ends of slabs have another stress in the part than in the whole.
static int stale(const box *b) {
  int count = 0;
  for (int i = 0; i < b->slabs; i++) {
    const int ends[2] = {b->begin[i], b->begin[i + 1] - 1};
    for (int k = 0; k < 2; k++) {
      for (int y = 0; y < b->on.split->cells[1]; y++) {
        float x[5], z[5];
        const int site[3] = {ends[k], y, 7 * y % b->on.split->cells[2]};
        stz_far_site(b->cut.far, site, x);
        stz_far_site(b->part[i], site, z);
        count += memcmp(x, z, sizeof x) != 0;
      }
    }
  }
  return count;
}

static void check_refill(const box *b) {
  for (int number = 0; number < 5; number++) {
    const event v = draw(b, number);
    stz_far_add(b->cut.far, v.origin, v.e);
  }
  if (b->slabs > 1) assert_true(stale(b) > 0);
  for (int i = 0; i < b->slabs; i++) stz_far_part_refill(b->part[i]);
  assert_int_equal(stale(b), 0);
  same_in_slabs(b, b->cut.far, 0);
}

// --- stencils ---

enum { STENCILS = 48, ADDED = 6 };

// Sites at corners and ends and anywhere.
static void place_stencil(const box *b, int i, stz_rng *rng, int site[3]) {
  const int *cells = b->on.split->cells;
  draw_place(b, rng, site);
  if (i < 16) site[2] = i < 8 ? i : cells[2] - 16 + i;
  for (int axis = 0; axis < 3 && i >= 40; axis++) site[axis] = i >> axis & 1 ? cells[axis] - 1 : 0;
}

static int slab_of(const box *b, int x) {
  int i = 0;
  while (x >= b->begin[i + 1]) i++;
  return i;
}

static void same_stencils(const box *b, const stz_far_stencil *s, int count) {
  for (int i = 0; i < count; i++) {
    float x[5], y[5];
    stz_far_site(b->whole.far, s[i].site, x);
    stz_far_stencil_stress(b->whole.far, &s[i], y);
    assert_memory_equal(x, y, sizeof x);
  }
}

// Whole and parts hold the same when this begins, and when it ends.
static void check_stencils(const box *b, int round) {
  stz_far_stencil of_whole[STENCILS], of_part[STENCILS];
  stz_rng rng = stz_rng_stream(3, STZ_RNG_EVENTS, (uint64_t)round);
  for (int i = 0; i < STENCILS; i++) {
    int site[3];
    place_stencil(b, i, &rng, site);
    stz_far_read(b->whole.far, site, &of_whole[i]);
    stz_far_read(b->part[slab_of(b, site[0])], site, &of_part[i]);
  }
  same_stencils(b, of_whole, STENCILS);
  for (int k = 0; k < ADDED; k++) {
    const event v = draw(b, 1000 + ADDED * round + k);
    stz_far_add(b->whole.far, v.origin, v.e);
    add_by_parts(b, &v);
    for (int i = 0; i < STENCILS; i++) {
      stz_far_stencil_add(b->whole.far, v.origin, v.e, &of_whole[i]);
      stz_far_stencil_add(b->part[slab_of(b, of_part[i].site[0])], v.origin, v.e, &of_part[i]);
    }
    same_stencils(b, of_whole, STENCILS);
    same_stencils(b, of_part, STENCILS);
  }
}

static void check_box(int nx, int ny, int nz, const int *slabs) {
  box b;
  open_box(&b, (const int[3]){nx, ny, nz}, slabs);
  check_near(&b);
  for (int number = 0; number < 6; number++) check_sites(&b, number);
  check_parts(&b); // leaves zeros
  for (int round = 0; round < 12; round++) {
    check_stencils(&b, round);
    if (round != 5) continue;
    stz_far_converge(b.whole.far); // coarse nodes that are not zero
    stz_far_converge(b.cut.far);
  }
  same_state(b.whole.far, b.cut.far);
  check_refill(&b);
  close_box(&b);
}

static void parts_32(void **state) {
  (void)state;
  check_box(32, 32, 32, (const int[]){32});
  check_box(32, 32, 32, (const int[]){24, 8});
  check_box(32, 32, 40, (const int[]){8, 8, 8, 8});
}

static void parts_64(void **state) {
  (void)state;
  check_box(64, 32, 48, (const int[]){32, 32});
  check_box(64, 32, 48, (const int[]){16, 8, 24, 16});
}

static void parts_coarse(void **state) {
  (void)state;
  check_box(72, 32, 32, (const int[]){40, 32});
  check_box(32, 40, 80, (const int[]){8, 16, 8});
}

int main(void) {
  MPI_Init(NULL, NULL);
  const struct CMUnitTest tests[] = {cmocka_unit_test(parts_32), cmocka_unit_test(parts_64),
                                     cmocka_unit_test(parts_coarse)};
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  MPI_Finalize();
  return failed;
}
