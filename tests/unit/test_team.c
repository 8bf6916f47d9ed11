// SPDX-License-Identifier: GPL-3.0-or-later
//
// A team of threads: every part once, whoever does it, and sums with the same bits for any number of workers.
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/comm.h"
#include "base/memory.h"
#include "base/team.h"
#include "rng/rng.h"

enum { PARTS = 1000, WORKERS = 7, ITEMS = 100003, SIZE = 512 };

typedef struct count {
  atomic_int of[PARTS];
  atomic_int worst; // highest worker
  atomic_int heard; // signals that a worker would take
} count;

static void note(void *context, int64_t first, int64_t end, int worker) {
  count *c = context;
  for (int64_t i = first; i < end; i++) atomic_fetch_add(&c->of[i], 1);
  int worst = atomic_load(&c->worst);
  while (worker > worst && !atomic_compare_exchange_weak(&c->worst, &worst, worker)) {
  }
  sigset_t blocked;
  pthread_sigmask(SIG_BLOCK, NULL, &blocked);
  if (worker > 0 && !sigismember(&blocked, SIGTERM)) atomic_fetch_add(&c->heard, 1);
}

static void each_part_once(void **state) {
  (void)state;
  for (int workers = 1; workers <= WORKERS; workers++) {
    stz_team *team;
    assert_int_equal(stz_team_create_local(workers, &team), STZ_OK);
    assert_int_equal(stz_team_workers(team), workers);
    for (int64_t items = 0; items <= PARTS; items = 3 * items + 1) {
      for (int again = 0; again < 50; again++) { // jobs that end before the sleepers are up
        count c = {.worst = 0};
        stz_team_run(team, items, 1 + again % 5, note, &c);
        for (int i = 0; i < PARTS; i++) assert_int_equal(c.of[i], i < items);
        assert_true(c.worst < workers);
        assert_int_equal(c.heard, 0);
      }
    }
    stz_team_destroy(&team);
    assert_null(team);
  }
}

typedef struct slow {
  atomic_int begun, done; // parts of other workers
} slow;

// The caller's part ends once another worker has begun one, which takes its time.
static void take_time(void *context, int64_t first, int64_t end, int worker) {
  (void)first, (void)end;
  slow *s = context;
  static const struct timespec nap = {.tv_nsec = 20000000}, look = {.tv_nsec = 100000};
  if (worker > 0) {
    atomic_fetch_add(&s->begun, 1);
    nanosleep(&nap, NULL);
    atomic_fetch_add(&s->done, 1);
  }
  while (worker == 0 && atomic_load(&s->begun) == 0) nanosleep(&look, NULL);
}

static void waits_for_all(void **state) {
  (void)state;
  stz_team *team;
  slow s = {0};
  assert_int_equal(stz_team_create_local(3, &team), STZ_OK);
  stz_team_run(team, 3, 1, take_time, &s);
  assert_true(s.begun > 0);
  assert_int_equal(s.done, s.begun);
  stz_team_destroy(&team);
}

typedef struct sums {
  const double *values;
  double *of;
} sums;

static void add_up(void *context, int64_t first, int64_t end, int worker) {
  (void)worker;
  const sums *s = context;
  double sum = 0.0;
  for (int64_t i = first; i < end; i++) sum += s->values[i];
  s->of[first / SIZE] = sum;
}

static void same_bits(void **state) {
  (void)state;
  static double values[ITEMS];
  stz_rng rng = stz_rng_from_entropy((const uint32_t[]){5}, 1, NULL, 0);
  for (int i = 0; i < ITEMS; i++) values[i] = 1e10 * (stz_rng_uniform(&rng) - 0.5);
  const int64_t parts = stz_team_parts(ITEMS, SIZE);
  double one = 0.0;
  for (int workers = 1; workers <= WORKERS; workers++) {
    double of[(ITEMS + SIZE - 1) / SIZE];
    stz_team *team;
    assert_int_equal(stz_team_create_local(workers, &team), STZ_OK);
    stz_team_run(team, ITEMS, SIZE, add_up, &(sums){values, of});
    const double sum = stz_ordered_sum(of, (int)parts);
    if (workers == 1) one = sum;
    assert_memory_equal(&sum, &one, sizeof one);
    stz_team_destroy(&team);
  }
}

// Signals go to the thread that knows what they mean, and no memory is left.
static void nothing_left(void **state) {
  (void)state;
  const long before = stz_alloc_live();
  for (int i = 0; i < 20; i++) {
    stz_team *team;
    assert_int_equal(stz_team_create_local(4, &team), STZ_OK);
    stz_team_destroy(&team);
  }
  stz_team *none = NULL;
  stz_team_destroy(&none);
  assert_int_equal(stz_team_workers(none), 1);
  assert_int_equal(stz_alloc_live(), before);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_part_once),
      cmocka_unit_test(waits_for_all),
      cmocka_unit_test(same_bits),
      cmocka_unit_test(nothing_left),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
