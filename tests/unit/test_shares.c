// SPDX-License-Identifier: GPL-3.0-or-later
//
// What an event adds to the levels in shares, by a team: the bits of the serial call, for any number of shares and
// workers, in whatever order the shares are taken.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/team.h"
#include "rng/rng.h"
#include "split_setup.h"

enum { EVENTS = 40, MOST_WORKERS = 5 };

typedef struct box {
  split_setup on;
  split_field serial, shared;
} box;

static void open_box(box *b, const int cells[3], stz_boundary boundary) {
  static const double none[3] = {0};
  const stz_lattice_params lattice = {
      .cells = {cells[0], cells[1], cells[2]}, .spacing_nm = 0.58, .boundary = boundary};
  open_split(&b->on, &lattice, 72.0, 1.7, none, 0.0815);
  open_split_field(&b->on, &b->serial);
  open_split_field(&b->on, &b->shared);
}

static void close_box(box *b) {
  close_split_field(&b->serial);
  close_split_field(&b->shared);
  close_split(&b->on);
  assert_int_equal(stz_alloc_live(), 0);
}

// An event whose levels are shared.
typedef struct event {
  const box *b;
  int origin[3], each;
  float strain[5];
} event;

static void take_part(void *context, int64_t first, int64_t end, int worker) {
  const event *v = context;
  (void)worker;
  assert_int_equal(end, first + 1);
  stz_far_add_share(v->b->shared.far, (int)first, v->each, v->origin, v->strain);
}

static void draw(const box *b, int number, event *v) {
  stz_rng rng = stz_rng_stream(1, STZ_RNG_EVENTS, (uint64_t)number);
  *v = (event){.b = b, .each = 1 + number % 5};
  stz_grid_coords(b->on.grid, (int64_t)stz_rng_below(&rng, (uint64_t)stz_grid_sites(b->on.grid)), v->origin);
  for (int c = 0; c < 5; c++) v->strain[c] = 0.03f * (float)(2.0 * stz_rng_uniform(&rng) - 1.0);
}

static void same_field(const box *b) {
  size_t bytes;
  const void *serial = stz_far_state(b->serial.far, &bytes), *shared = stz_far_state(b->shared.far, &bytes);
  assert_true(bytes > 1000);
  assert_memory_equal(serial, shared, bytes);
}

static void add_by_team(const box *b, stz_team *team, int number) {
  event v;
  draw(b, number, &v);
  stz_far_add(b->serial.far, v.origin, v.strain);
  stz_team_post(team, stz_far_shares(b->shared.far, v.each), take_part, &v);
  stz_team_join(team);
}

static void check_box(int nx, int ny, int nz, stz_boundary boundary) {
  box b;
  open_box(&b, (const int[3]){nx, ny, nz}, boundary);
  int number = 0;
  for (int workers = 2; workers <= MOST_WORKERS; workers++) {
    stz_team *team;
    assert_int_equal(stz_team_create_local(workers, &team), STZ_OK);
    for (int i = 0; i < EVENTS; i++) add_by_team(&b, team, number++);
    stz_team_destroy(&team);
    same_field(&b);
  }
  close_box(&b);
}

static void shares_32(void **state) {
  (void)state;
  check_box(32, 40, 32, STZ_BOUNDARY_PERIODIC);
}

static void shares_64(void **state) {
  (void)state;
  check_box(64, 64, 72, STZ_BOUNDARY_PERIODIC);
}

static void shares_film(void **state) {
  (void)state;
  check_box(32, 32, 24, STZ_BOUNDARY_FILM);
}

int main(void) {
  MPI_Init(NULL, NULL);
  setenv("STZKMC_TEAM_BRISK", "1", 1);
  const struct CMUnitTest tests[] = {cmocka_unit_test(shares_32), cmocka_unit_test(shares_64),
                                     cmocka_unit_test(shares_film)};
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  MPI_Finalize();
  return failed;
}
