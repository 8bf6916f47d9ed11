// SPDX-License-Identifier: GPL-3.0-or-later
//
// A team of threads: every part once, whoever does it, and sums with the same bits for any number of workers; parts
// that are posted.
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

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

// --- what is posted ---

typedef struct posted {
  int of[STZ_TEAM_POSTED], more;
  double result[STZ_TEAM_POSTED];
  double given; // what the caller writes between two posts, for the parts of the second
} posted;

static void note_posted(void *context, int64_t first, int64_t end, int worker) {
  posted *p = context;
  (void)worker;
  if (end != first + 1) p->of[first]++;
  p->of[first]++; // not atomic: each part is one worker's
  p->result[first] = (first < p->more ? 1.0 : p->given) + (double)first;
}

static void posted_once(void **state) {
  (void)state;
  for (int workers = 2; workers <= WORKERS; workers++) {
    stz_team *team;
    assert_int_equal(stz_team_create_local(workers, &team), STZ_OK);
    for (int again = 0; again < 400; again++) {
      const int first = 1 + again % 11, second = again % (STZ_TEAM_POSTED - 10);
      posted p = {.more = first};
      assert_true(stz_team_brisk(team)); // as the environment says
      stz_team_post(team, first, note_posted, &p);
      p.given = 7.0 + again;
      if (second > 0) stz_team_post(team, second, note_posted, &p);
      if (again % 2 == 0) sched_yield();
      stz_team_join(team);
      for (int i = 0; i < STZ_TEAM_POSTED; i++) {
        assert_int_equal(p.of[i], i < first + second);
        if (i < first + second) assert_true(p.result[i] == (i < first ? 1.0 : p.given) + i);
      }
      if (again % 100 == 0) { // both kinds of work, one after the other
        count c = {.worst = 0};
        stz_team_run(team, PARTS, 3, note, &c);
        for (int i = 0; i < PARTS; i++) assert_int_equal(c.of[i], 1);
        assert_int_equal(c.heard, 0);
      }
    }
    stz_team_destroy(&team);
  }
}

// The caller goes on at once, and returns from the join only when the part of another is done.
static void join_waits(void **state) {
  (void)state;
  stz_team *team;
  static const struct timespec look = {.tv_nsec = 100000};
  slow s = {0};
  assert_int_equal(stz_team_create_local(2, &team), STZ_OK);
  stz_team_post(team, 1, take_time, &s);
  while (atomic_load(&s.begun) == 0) nanosleep(&look, NULL);
  stz_team_join(team);
  assert_int_equal(s.done, 1);
  stz_team_destroy(&team);
}

static int cores(void) {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

// What is put aside, by a worker that comes from a part, is done when the caller has called it back, or never.
static void aside_done_or_never(void **state) {
  (void)state;
  enum { TURNS = 40 };
  stz_team *team;
  static const struct timespec look = {.tv_nsec = 100000}, wait = {.tv_nsec = 1000000};
  int taken = 0;
  assert_int_equal(stz_team_create_local(2, &team), STZ_OK);
  for (int turn = 0; turn < TURNS; turn++) {
    slow part = {0}, aside = {0};
    if (turn % 2) {
      stz_team_post(team, 1, take_time, &part);
      while (atomic_load(&part.begun) == 0) nanosleep(&look, NULL);
    }
    stz_team_aside(team, take_time, &aside);
    if (turn % 2) stz_team_join(team);
    if (turn % 4 == 1) nanosleep(&wait, NULL);
    stz_team_recall(team);
    const int begun = aside.begun, done = aside.done;
    assert_int_equal(begun, done);
    nanosleep(&wait, NULL);
    assert_int_equal(aside.begun, begun);
    taken += done;
  }
  assert_true(taken > 0 || cores() < 2); // a worker without a core of its own goes to sleep after its part
  stz_team_destroy(&team);
}

// Posts one part that is late; returns how many times the team refuses after it.
static int refusals(stz_team *team) {
  static const struct timespec look = {.tv_nsec = 100000};
  slow s = {0};
  int refused = 0;
  stz_team_post(team, 1, take_time, &s);
  while (atomic_load(&s.begun) == 0) nanosleep(&look, NULL);
  stz_team_join(team);
  while (refused < 1000 && !stz_team_brisk(team)) refused++;
  return refused;
}

// Part 0 lasts until `go`, or ten seconds; the others note their turn.
typedef struct turns {
  atomic_bool begun, go, over;
  atomic_int count, turn[8];
} turns;

static void take_turn(void *context, int64_t first, int64_t end, int worker) {
  turns *t = context;
  (void)end;
  (void)worker;
  if (first > 0) {
    atomic_store(&t->turn[first], atomic_fetch_add(&t->count, 1));
    return;
  }
  const time_t begin = time(NULL);
  atomic_store(&t->begun, true);
  while (!atomic_load(&t->go) && time(NULL) < begin + 10) sched_yield();
  atomic_store(&t->over, true);
}

// The join of urgent parts leaves the others alone, which are posted before or after them; a worker takes urgent ones
// first.
static void urgent_first(void **state) {
  stz_team *team;
  (void)state;
  assert_int_equal(stz_team_create_local(2, &team), STZ_OK);
  for (int again = 0; again < 20; again++) {
    turns t = {.begun = false};
    stz_team_post(team, 1, take_turn, &t);
    while (!atomic_load(&t.begun)) sched_yield(); // by the worker, as the caller has not joined
    const bool before = again % 4 < 2;
    if (before) stz_team_post(team, 3, take_turn, &t);
    stz_team_post_urgent(team, 2, take_turn, &t);
    if (!before) stz_team_post(team, 3, take_turn, &t);
    if (again % 2) {
      stz_team_join_urgent(team);
      assert_int_equal(t.count, 2);
      assert_false(t.over);
      atomic_store(&t.go, true);
    } else {
      atomic_store(&t.go, true);
      while (atomic_load(&t.count) < 5) sched_yield(); // all by the worker
    }
    stz_team_join(team);
    assert_true(t.over);
    assert_int_equal(t.count, 5);
    for (int part = 1; part < 6; part++) {
      const bool urgent = before ? part > 3 : part < 3;
      assert_true(urgent ? t.turn[part] < 2 : t.turn[part] >= 2);
    }
  }
  stz_team_destroy(&team);
}

#ifdef __GLIBC__
// In place of the library's own, which calls this one: counts what is to be called at a copy of the process.
extern int __register_atfork(void (*)(void), void (*)(void), void (*)(void), void *);
static int registered;
int pthread_atfork(void (*before)(void), void (*after)(void), void (*in_copy)(void)) {
  registered++;
  return __register_atfork(before, after, in_copy, NULL);
}
#endif

// However many teams come and go, as in a sweep one per run, a copy calls what is for all of them once.
static void registered_once(void **state) {
  (void)state;
#ifdef __GLIBC__
  for (int i = 0; i < 4; i++) {
    stz_team *team;
    assert_int_equal(stz_team_create_local(2, &team), STZ_OK);
    stz_team_destroy(&team);
  }
  assert_int_equal(registered, 1);
#endif
}

// A copy of the process finds all parts done.
static void done_before_copy(void **state) {
  stz_team *team, *other;
  (void)state;
  assert_int_equal(stz_team_create_local(2, &team), STZ_OK);
  assert_int_equal(stz_team_create_local(2, &other), STZ_OK);
  turns t = {.go = true};
  stz_team_post(team, 6, take_turn, &t);
  slow aside = {0};
  stz_team_aside(team, take_time, &aside);
  const pid_t copy = fork();
  if (copy == 0) _exit(t.over && t.count == 5 && aside.begun == aside.done ? 0 : 1);
  int status = -1;
  assert_int_equal(waitpid(copy, &status, 0), copy);
  assert_int_equal(status, 0);
  stz_team_join(team);
  stz_team_recall(team);
  assert_int_equal(t.count, 5);
  stz_team_destroy(&team);
  stz_team_destroy(&other);
}

static double clock_s(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// The context has the seconds that each part takes.
static void take_seconds(void *context, int64_t first, int64_t end, int worker) {
  const double until = clock_s() + ((const double *)context)[first];
  (void)end, (void)worker;
  while (clock_s() < until) stz_team_pause();
}

// Posts two parts again and again, in time.
static void in_time(stz_team *team, int posts, double seconds[2]) {
  for (int turn = 0, all = 0; turn < posts && all < 1000 * posts; turn++, all++) {
    if (!stz_team_brisk(team)) turn = 0; // another process had the core
    stz_team_post(team, 2, take_seconds, seconds);
    stz_team_join(team);
  }
}

// A part of 0.2 ms, which tells that it has begun.
static void take_briefly(void *context, int64_t first, int64_t end, int worker) {
  const double until = clock_s() + 2e-4;
  (void)first, (void)end, (void)worker;
  atomic_store((atomic_bool *)context, true);
  while (clock_s() < until) stz_team_pause();
}

// Waits for what is aside, some times in a row, from its begin to its end.
static void wait_shortly(stz_team *team) {
  for (int i = 0; i < 30; i++) {
    atomic_bool begun = false;
    const double until = clock_s() + 1e-2; // a worker may sleep
    stz_team_aside(team, take_briefly, &begun);
    while (!atomic_load(&begun) && clock_s() < until) stz_team_pause();
    stz_team_recall(team);
  }
}

// Whether the team is brisk after work that is not late, in one of some attempts, as another process may take the core.
static bool stays_brisk(stz_team *team, void (*before)(stz_team *team), double seconds[2]) {
  double even[2] = {2e-5, 2e-5};
  for (int attempt = 0; attempt < 20; attempt++) {
    in_time(team, 1, even);
    if (before) before(team);
    stz_team_post(team, 2, take_seconds, seconds);
    stz_team_join(team);
    if (stz_team_brisk(team)) return true;
  }
  return false;
}

// Without a core for each worker, or after a part that was late, nothing should be posted; the next late part counts
// more, unless those in time have gained more than it cost. One for which the caller waits no longer than it was busy
// is not late, nor are short waits.
static void brisk_where_it_pays(void **state) {
  (void)state;
  stz_team *team;
  assert_false(stz_team_brisk(NULL));
  setenv("STZKMC_TEAM_BRISK", "3", 1); // as races and cli_team have it
  assert_int_equal(stz_team_create_local(2, &team), STZ_OK);
  for (int i = 1; i < 10; i++) assert_true(stz_team_brisk(team) == (i % 3 > 0));
  stz_team_destroy(&team);
  unsetenv("STZKMC_TEAM_BRISK");
  assert_int_equal(stz_team_create_local(cores() + 1, &team), STZ_OK);
  assert_false(stz_team_brisk(team));
  stz_team_destroy(&team);
  if (cores() > 1) {
    assert_int_equal(stz_team_create_local(2, &team), STZ_OK);
    assert_true(stz_team_brisk(team));
    const int once = refusals(team), twice = refusals(team);
    assert_in_range(once, 2, 20);
    assert_in_range(twice, 3 * once / 2, 300);
    double even[2] = {2e-5, 2e-5}, uneven[2] = {0.11, 0.1};
    in_time(team, 10000, even);
    assert_in_range(refusals(team), once, once);
    assert_in_range(refusals(team), twice, twice);
    in_time(team, 10, even);
    assert_in_range(refusals(team), 3 * twice / 2, 600);
    assert_true(stays_brisk(team, NULL, uneven));
    assert_true(stays_brisk(team, wait_shortly, even));
    stz_team_destroy(&team);
  }
  setenv("STZKMC_TEAM_BRISK", "1", 1);
}

// Workers with nothing to do sleep.
static void burns_nothing(void **state) {
  (void)state;
  stz_team *team;
  posted p = {.more = 4};
  struct timespec begin, end;
  static const struct timespec nap = {.tv_nsec = 300000000};
  unsetenv("STZKMC_TEAM_BRISK");
  assert_int_equal(stz_team_create_local(cores() > 1 ? 2 : 3, &team), STZ_OK);
  stz_team_post(team, 4, note_posted, &p);
  stz_team_join(team);
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
  nanosleep(&nap, NULL);
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
  const double used = (double)(end.tv_sec - begin.tv_sec) + 1e-9 * (double)(end.tv_nsec - begin.tv_nsec);
  assert_true(used < 0.02);
  stz_team_destroy(&team);
  setenv("STZKMC_TEAM_BRISK", "1", 1);
}

int main(void) {
  setenv("STZKMC_TEAM_BRISK", "1", 1); // on a machine with two cores, too
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_part_once), cmocka_unit_test(waits_for_all),   cmocka_unit_test(same_bits),
      cmocka_unit_test(posted_once),    cmocka_unit_test(join_waits),      cmocka_unit_test(brisk_where_it_pays),
      cmocka_unit_test(urgent_first),   cmocka_unit_test(registered_once), cmocka_unit_test(done_before_copy),
      cmocka_unit_test(burns_nothing),  cmocka_unit_test(nothing_left),    cmocka_unit_test(aside_done_or_never),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
