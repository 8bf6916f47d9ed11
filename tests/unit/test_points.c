// SPDX-License-Identifier: GPL-3.0-or-later
//
// The keyed points of the points engine: Poisson, independent, the same in whatever order one asks; and their queue.
// All limits are exceeded by right code once in 10,000 or less per check; seeds are fixed.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "kmc/points/points.h"
#include "kmc/points/queue.h"
#include "rng/philox.h"

static const uint64_t SEED = 20261;

// numpy: Philox(key=[0, 0], counter=[2^64-1]*4) and Philox(key=[5, 16], counter=[6, 7, 8, 9]), random_raw(4).
static void philox(void **state) {
  (void)state;
  static const uint64_t counters[2][4] = {{0}, {7, 7, 8, 9}}, seeds[2] = {0, 5};
  static const uint64_t expected[2][4] = {
      {0x16554d9eca36314cu, 0xdb20fe9d672d0fdcu, 0xd7e772cee186176bu, 0x7e68b68aec7ba23bu},
      {0x3e5404f8c61b1d14u, 0xc3c8a9e559c36f70u, 0x4192312b77ba5eb6u, 0x3d68613aad01c93bu}};
  for (int i = 0; i < 2; i++) {
    uint64_t words[4];
    stz_rng_block(seeds[i], (stz_purpose)(16 * i), counters[i], words);
    assert_memory_equal(words, expected[i], sizeof words);
  }
}

// A process by its number: layers of two sites, one above the other, and the grounds of two blocks. Half of their
// cells are far from the time 0.
enum { PROCESSES = 6, LAYER = 3 };
static stz_point first(int process, stz_instant after) {
  if (process >= 4) return stz_points_ground(SEED, process - 4, LAYER - 9, after);
  return stz_points_own(SEED, 7 + process / 2, LAYER + process % 2, after);
}
static double rate(int process) { return process < 4 && process % 2 == 0 ? 4.0 : 8.0; }

static int count(int process, double begin, double end) {
  const stz_instant last = stz_instant_of(end);
  int n = 0;
  for (stz_point p = first(process, stz_instant_of(begin)); p.time <= last; p = stz_points_next(SEED, &p)) n++;
  return n;
}

enum { WINDOWS = 20000, MOST = 7 };
static const double MEAN = 1.7; // points of a window, whose borders are not those of cells

static double window(int process, int i) { return (i % 2 ? 1e9 : 0.0) + (i / 2) * MEAN / rate(process); }

// Chi square over 0 .. MOST and more points: passes 33 once in 40,000 with 8 degrees of freedom less one. A density off
// by 4 % is seen nine times in ten.
static void counts(void **state) {
  (void)state;
  for (int process = 0; process < PROCESSES; process++) {
    double seen[MOST + 1] = {0}, chi2 = 0.0, left = 1.0, share = exp(-MEAN);
    for (int i = 0; i < WINDOWS; i++) {
      const int n = count(process, window(process, i), window(process, i + 2));
      seen[n < MOST ? n : MOST] += 1.0;
    }
    for (int n = 0; n <= MOST; n++, share *= MEAN / n) {
      const double expected = WINDOWS * (n < MOST ? share : left);
      chi2 += (seen[n] - expected) * (seen[n] - expected) / expected;
      left -= share;
    }
    print_message("process %d: chi square %.1f of %d\n", process, chi2, MOST);
    assert_true(chi2 < 33.0);
  }
}

// Correlation of the counts of two processes in one window, or of one in windows that follow each other: 4 / sqrt(n)
// once in 16,000. A correlation of 0.037 is seen nine times in ten.
static void check_correlation(int a, int b, int later) {
  double ab = 0.0;
  for (int i = 0; i < WINDOWS; i++) {
    const double x = count(a, window(a, i), window(a, i + 2)) - MEAN;
    ab += x * (count(b, window(b, i + later), window(b, i + later + 2)) - MEAN);
  }
  print_message("%d and %d: correlation %.4f\n", a, b, ab / (MEAN * WINDOWS));
  assert_true(fabs(ab / (MEAN * WINDOWS)) < 4.0 / sqrt(WINDOWS));
}

static void independence(void **state) {
  (void)state;
  check_correlation(0, 2, 0); // neighbouring sites
  check_correlation(0, 1, 0); // layers of a site
  check_correlation(4, 5, 0); // blocks
  check_correlation(0, 0, 2); // one window after the other
}

// Chi square of numbers in [0, 1) over 64 equal shares: 63 degrees of freedom, passes 114 once in 10,000.
typedef struct shares {
  const char *name;
  double seen[64], n;
} shares;

static void put(shares *s, double x) {
  assert_true(x >= 0.0 && x < 1.0);
  s->seen[(int)(64.0 * x)] += 1.0;
  s->n += 1.0;
}

static void check_uniform(const shares *s) {
  double chi2 = 0.0;
  for (int i = 0; i < 64; i++) chi2 += (s->seen[i] - s->n / 64) * (s->seen[i] - s->n / 64) / (s->n / 64);
  print_message("%s: chi square %.1f of 63\n", s->name, chi2);
  assert_true(chi2 < 114.0);
}

static void places(void **state) {
  (void)state;
  shares height = {.name = "height"}, low = {.name = "height below the ground"}, site = {.name = "site"},
         mode = {.name = "mode"}, time = {.name = "time in the cell"}, joint = {.name = "height and mode"};
  for (int process = 0; process < PROCESSES; process++) {
    stz_point p = first(process, stz_instant_of(1e9));
    for (int i = 0; i < 20000; i++, p = stz_points_next(SEED, &p)) {
      const double top = ldexp(1.0, p.layer), uniform = stz_points_uniform(SEED, &p);
      const double v = p.ground ? p.height / top : 2.0 * p.height / top - 1.0;
      assert_int_equal(p.ground, process >= 4);
      put(p.ground ? &low : &height, v);
      put(&mode, uniform);
      put(&joint, (floor(8.0 * v) + uniform) / 8.0);
      put(&time, fmod(stz_instant_seconds(p.time - stz_instant_of(1e9)) * rate(process), 1.0));
      if (p.ground) put(&site, p.number % 512 / 512.0);
      assert_int_equal(p.ground ? p.number / 512 : p.number, process >= 4 ? process - 4 : 7 + process / 2);
    }
  }
  check_uniform(&height);
  check_uniform(&low);
  check_uniform(&site);
  check_uniform(&mode);
  check_uniform(&time);
  check_uniform(&joint);
}

static bool same(const stz_point *a, const stz_point *b) {
  return a->time == b->time && a->height == b->height && a->number == b->number && a->layer == b->layer &&
         a->index == b->index && a->ground == b->ground;
}

// Whoever asks from whatever time, in whatever order, finds the points of the one list.
static void any_order(void **state) {
  (void)state;
  enum { LIST = 500 };
  static stz_point list[LIST];
  stz_rng rng = stz_rng_stream(SEED, STZ_RNG_EVENTS, 0);
  for (int process = 0; process < PROCESSES; process++) {
    list[0] = first(process, 0);
    for (int i = 1; i < LIST; i++) {
      list[i] = stz_points_next(SEED, &list[i - 1]);
      assert_true(list[i].time > list[i - 1].time);
    }
    for (int i = 0; i < 2000; i++) {
      const int at = (int)stz_rng_below(&rng, LIST - 1);
      const stz_instant gap = list[at + 1].time - list[at].time;
      const stz_instant after = list[at].time + (stz_instant)(stz_rng_uniform(&rng) * (double)gap) % gap;
      const stz_point found = first(process, after), follows = first(process, list[at].time);
      assert_true(same(&found, &list[at + 1]) && same(&follows, &list[at + 1]));
    }
  }
}

// Picoseconds after 30 years: points of a layer of 2^39 /s keep their gaps, 1.8 ps on average.
static void resolution(void **state) {
  (void)state;
  enum { GAPS = 4000 };
  double sum = 0.0, squares = 0.0;
  stz_point p = stz_points_own(SEED, 1, 40, stz_instant_of(1e9));
  for (int i = 0; i < GAPS; i++) {
    const stz_point next = stz_points_next(SEED, &p);
    const double gap = stz_instant_seconds(next.time - p.time) * 0x1p39;
    sum += gap;
    squares += gap * gap;
    p = next;
  }
  assert_true(fabs(sum / GAPS - 1.0) < 4.0 / sqrt(GAPS));
  assert_true(fabs(squares / GAPS - 2.0) < 4.0 * sqrt(20.0) / sqrt(GAPS)); // E x^4 - 4 = 20
}

static void seconds(void **state) {
  (void)state;
  static const double times[] = {0.0, 1e-12, 0.1, 1.0, 12345.678, 1e9, 1e9 + 0.25, 3e16};
  for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
    assert_true(fabs(stz_instant_seconds(stz_instant_of(times[i])) - times[i]) <= 0x1p-63);
  }
  assert_true(stz_instant_of(INFINITY) == STZ_INSTANT_NEVER && stz_instant_of(1e19) == STZ_INSTANT_NEVER);
  assert_int_equal(stz_points_layer(1.0f), 0);
  assert_int_equal(stz_points_layer(1.0001f), 1);
  assert_int_equal(stz_points_layer(0.75f), 0);
  assert_int_equal(stz_points_layer(3e30f), STZ_POINTS_HIGHEST);
}

static bool pop(stz_queue *queue, stz_instant limit, stz_point *point) {
  if (stz_queue_waits(queue)) stz_queue_take_back(queue);
  const stz_queued *first = stz_queue_first(queue);
  const bool due = first && first->point.time <= limit;
  *point = due ? first->point : (stz_point){.time = STZ_INSTANT_NEVER};
  if (due) stz_queue_drop(queue);
  return due;
}

// Now and then lends the queue, with and without having it filled, or takes it back.
static void lend(stz_queue *queue, stz_rng *rng) {
  const uint64_t what = stz_rng_below(rng, 60);
  if (what == 0) stz_queue_take_back(queue);
  if (what > 2 || what == 0 || !stz_queue_lend(queue)) return;
  if (what == 1) stz_queue_fill(queue, SEED);
}

// Whether what the queue says of the point that follows its first one is so, if it says something.
static bool knows_next(stz_queue *queue) {
  if (stz_queue_waits(queue)) stz_queue_take_back(queue);
  const stz_queued *first = stz_queue_first(queue);
  if (first->next.time == 0) return false;
  const stz_point next = stz_points_next(SEED, &first->point);
  assert_true(same(&next, &first->next));
  return true;
}

// The next point of many processes, again and again, against a look at all of them; what has been taken out gives its
// memory to others, and all of it is given back.
static void queue(void **state) {
  (void)state;
  enum { SITES = 2000, POPS = 20000, ENOUGH = 2 * SITES * (int)sizeof(stz_point) + 300 * 8192 };
  static stz_point next[SITES];
  stz_queue *q;
  assert_int_equal(stz_queue_create(&q), STZ_OK);
  stz_queue_clear(q, 0);
  for (int i = 0; i < SITES; i++) {
    next[i] = stz_points_own(SEED, i, i % 20 - 10, 0);
    stz_queue_push(q, &next[i]);
  }
  stz_rng rng = stz_rng_stream(SEED, STZ_RNG_EVENTS, 2);
  int known = 0;
  for (int i = 0; i < POPS; i++) {
    int least = 0;
    stz_point p;
    lend(q, &rng);
    known += knows_next(q);
    for (int s = 1; s < SITES; s++) least = next[s].time < next[least].time ? s : least;
    assert_false(pop(q, next[least].time - 1, &p));
    assert_true(pop(q, next[least].time, &p));
    assert_true(same(&p, &next[least]));
    next[least] = stz_points_next(SEED, &p);
    stz_queue_push(q, &next[least]);
  }
  assert_in_range(known, POPS / 10, POPS);
  stz_queue_take_back(q);
  assert_int_equal(stz_queue_check(q), STZ_OK);
  assert_in_range(stz_queue_bytes(q), SITES * sizeof(stz_point), ENOUGH);
  stz_queue_clear(q, 0);
  assert_in_range(stz_queue_bytes(q), 0, SITES * sizeof(stz_point) - 1);
  stz_queue_destroy(&q);
}

// Points in any order against a list that is looked through: a third of them before the time of the last one that was
// taken out, some at the time of another.
enum { LISTED = 3000 };
typedef struct listed {
  stz_queue *queue;
  stz_point points[LISTED];
  int count;
  stz_instant now;
} listed;

static void put_in(listed *l, stz_instant time, int i) {
  const stz_point p = {.time = time, .height = i, .number = i * 37 % 997, .layer = (int16_t)(i % 61 - 30)};
  assert_true(l->count < LISTED);
  l->points[l->count++] = p;
  stz_queue_push(l->queue, &p);
}

static int first_in(const listed *l) {
  int least = 0;
  for (int i = 1; i < l->count; i++) {
    const stz_point *a = &l->points[i], *b = &l->points[least];
    const bool before = a->number != b->number ? a->number < b->number : a->layer < b->layer;
    if (a->time < b->time || (a->time == b->time && before)) least = i;
  }
  return least;
}

static void take_first(listed *l) {
  const int least = first_in(l);
  stz_point p;
  assert_true(l->count > 0);
  assert_false(pop(l->queue, l->points[least].time - 1, &p));
  assert_true(pop(l->queue, l->points[least].time, &p));
  assert_true(same(&p, &l->points[least]));
  l->points[least] = l->points[--l->count];
  l->now = p.time;
}

// Up to 2^40 s away, most of them much nearer, with the highest bit anywhere.
static stz_instant away(stz_rng *rng) {
  const stz_instant most = (stz_instant)1 << (1 + stz_rng_below(rng, 103));
  return 1 + (stz_instant)(stz_rng_uniform(rng) * (double)most);
}

static void any_time(listed *l, stz_rng *rng, int i) {
  const uint64_t kind = stz_rng_below(rng, 9);
  const stz_instant by = away(rng);
  if (kind < 3)
    put_in(l, by < l->now ? l->now - by : 1, i);
  else if (kind < 4 && l->count)
    put_in(l, l->points[stz_rng_below(rng, (uint64_t)l->count)].time, i);
  else
    put_in(l, l->now + by, i);
}

static void queue_early(void **state) {
  (void)state;
  enum { STEPS = 20000, EARLY = 1000, LATER = 100, SIZE = (EARLY + LATER) * (int)sizeof(stz_point) };
  static listed l;
  const long live = stz_alloc_live();
  stz_rng rng = stz_rng_stream(SEED, STZ_RNG_EVENTS, 1);
  assert_int_equal(stz_queue_create(&l.queue), STZ_OK);
  l.now = stz_instant_of(1e9);
  stz_queue_clear(l.queue, l.now);
  const size_t empty = stz_queue_bytes(l.queue);
  for (int i = 0; i < STEPS; i++) {
    lend(l.queue, &rng);
    if (l.count == 0 || (l.count < 1000 && stz_rng_below(&rng, 100) < 52))
      any_time(&l, &rng, i);
    else
      take_first(&l);
  }
  assert_true(l.count > 100); // this can go wrong
  stz_queue_take_back(l.queue);
  while (l.count) take_first(&l);
  assert_false(pop(l.queue, STZ_INSTANT_NEVER, &(stz_point){0}));

  // Many of them, which are in memory once or twice; and all of it comes back.
  for (int i = 0; i < LATER; i++) put_in(&l, l.now + away(&rng), i);
  while (l.count > LATER / 2) take_first(&l);
  const stz_instant now = l.now;
  for (int i = 0; i < EARLY; i++) put_in(&l, now / EARLY * (stz_instant)(1 + i * 7 % EARLY), i);
  assert_in_range(stz_queue_bytes(l.queue), empty + EARLY * sizeof(stz_point), empty + 2 * SIZE + 64 * 8192);
  while (l.count > EARLY / 2) take_first(&l);
  assert_int_equal(stz_queue_check(l.queue), STZ_OK);

  // Those that are left go with all others: of what follows, nothing is before them.
  stz_queue_clear(l.queue, stz_instant_of(1.0));
  assert_true(stz_queue_bytes(l.queue) == empty);
  assert_false(pop(l.queue, STZ_INSTANT_NEVER, &(stz_point){0}));
  l.count = 0;
  l.now = stz_instant_of(1.0);
  for (int i = 0; i < LATER; i++) any_time(&l, &rng, i);
  while (l.count > LATER / 2) take_first(&l);
  stz_queue_destroy(&l.queue);
  assert_int_equal(stz_alloc_live(), live);
}

// A borrower that finds as many points as a run has room for, and more after them: 32, then one and 32 more.
static void queue_full(void **state) {
  (void)state;
  enum { FIRST = 32, SECOND = 33, LATER = 40, ALL = FIRST + SECOND + LATER };
  stz_queue *q;
  stz_point p;
  assert_int_equal(stz_queue_create(&q), STZ_OK);
  stz_queue_clear(q, 0);
  for (int i = 0; i < ALL; i++) {
    const stz_instant one = (stz_instant)1, begin = i < FIRST            ? one << 30
                                                    : i < FIRST + SECOND ? one << 50
                                                                         : 3 * (one << 49);
    stz_queue_push(q, &(stz_point){.time = begin + (stz_instant)i, .number = i, .layer = 1});
  }
  assert_true(stz_queue_lend(q));
  stz_queue_fill(q, SEED);
  for (int i = 0; i < ALL; i++) {
    assert_true(pop(q, STZ_INSTANT_NEVER, &p));
    assert_int_equal(p.number, i);
  }
  assert_int_equal(stz_queue_check(q), STZ_OK);
  stz_queue_destroy(&q);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(philox),     cmocka_unit_test(counts),    cmocka_unit_test(independence),
      cmocka_unit_test(places),     cmocka_unit_test(any_order), cmocka_unit_test(resolution),
      cmocka_unit_test(seconds),    cmocka_unit_test(queue),     cmocka_unit_test(queue_early),
      cmocka_unit_test(queue_full),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
