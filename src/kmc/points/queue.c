// SPDX-License-Identifier: GPL-3.0-or-later
#include "kmc/points/queue.h"

#include <assert.h>
#include <string.h>

#include "base/memory.h"

enum { BUCKETS = 129, WORDS = 3 }; // bucket 0 stays empty: it is that of the base itself
enum { CHUNK = 255 };              // points of a piece of memory, of 8 KB
enum { BATCH = 32 };               // points that are put in order together, at most
enum { AHEAD = 64 };               // points that a borrower puts in order, at least

// Points go from bucket to bucket, all of one at once, so that memory which grew and shrank with each bucket would be
// cleared and copied all the time: buckets are lists of chunks, and chunks that become empty are used again.
typedef struct chunk {
  struct chunk *next;
  size_t count;
  stz_point points[CHUNK];
} chunk;

// All chunks but the first are full.
typedef struct bucket {
  chunk *first;
  size_t count;
} bucket;

// Points in order, the first one last, so that it is cheap to take out and to put others near it.
typedef struct run {
  stz_queued *all;
  size_t count, room;
  bool short_of_memory;
} run;

struct stz_queue {
  // Of the borrower while it is lent.
  stz_instant base;       // before all points of the buckets, which count from it
  uint64_t filled[WORDS]; // bits of the buckets that have points
  bucket buckets[BUCKETS];
  chunk *spare;  // empty ones
  size_t chunks; // all that there are
  bool no_chunk; // for want of memory
  run soon;      // points up to the base, but for those of `now`; none while `now` goes up to the base

  // Of the owner, always.
  stz_instant until; // `now` has all points up to there
  run now, late;     // `late`: those for later that were put in while it was lent, in any order
  bool lent;
};

stz_err stz_queue_create(stz_queue **queue) { return STZ_NEW(*queue, 1); }

static void free_list(chunk *first) {
  while (first) {
    chunk *next = first->next;
    stz_free(first);
    first = next;
  }
}

static void free_run(run *r) {
  stz_free(r->all);
  *r = (run){0};
}

void stz_queue_clear(stz_queue *queue, stz_instant now) {
  assert(!queue->lent);
  for (int b = 0; b < BUCKETS; b++) {
    free_list(queue->buckets[b].first);
    queue->buckets[b] = (bucket){0};
  }
  free_list(queue->spare);
  queue->spare = NULL;
  queue->chunks = 0;
  free_run(&queue->now);
  free_run(&queue->soon);
  free_run(&queue->late);
  memset(queue->filled, 0, sizeof queue->filled);
  queue->base = queue->until = now;
}

void stz_queue_destroy(stz_queue **queue) {
  if (*queue) stz_queue_clear(*queue, 0);
  stz_free(*queue);
  *queue = NULL;
}

// Gives a bucket an empty chunk; false without memory.
static bool add_chunk(stz_queue *queue, bucket *b) {
  chunk *c = queue->spare;
  if (c) {
    queue->spare = c->next;
  } else {
    if (STZ_NEW(c, 1) != STZ_OK) return false;
    queue->chunks++;
  }
  c->next = b->first;
  c->count = 0;
  b->first = c;
  return true;
}

// Takes the first chunk off a bucket.
static void drop_chunk(stz_queue *queue, bucket *b) {
  chunk *c = b->first;
  b->first = c->next;
  c->next = queue->spare;
  queue->spare = c;
}

static int bucket_of(const stz_queue *queue, stz_instant time) {
  const stz_instant differs = time ^ queue->base;
  const uint64_t high = (uint64_t)(differs >> 64), low = (uint64_t)differs;
  if (high) return 128 - __builtin_clzll(high);
  return low ? 64 - __builtin_clzll(low) : 0;
}

bool stz_point_precedes(const stz_point *a, const stz_point *b) {
  if (a->time != b->time) return a->time < b->time;
  return a->number != b->number ? a->number < b->number : a->layer < b->layer;
}

static bool has_room(run *r, size_t count) {
  if (count <= r->room) return true;
  stz_queued *more = NULL;
  const size_t room = r->room ? 2 * r->room : 2 * BATCH;
  if (STZ_NEW(more, room) != STZ_OK) {
    r->short_of_memory = true;
    return false;
  }
  if (r->count) memcpy(more, r->all, r->count * sizeof *more);
  stz_free(r->all);
  r->all = more;
  r->room = room;
  return true;
}

static stz_queued alone(const stz_point *point) { return (stz_queued){.point = *point, .next = {.time = 0}}; }

static void insert(run *r, const stz_point *point) {
  if (!has_room(r, r->count + 1)) return;
  size_t at = r->count++;
  for (; at > 0 && stz_point_precedes(&r->all[at - 1].point, point); at--) r->all[at] = r->all[at - 1];
  r->all[at] = alone(point);
}

static void append(run *r, const stz_point *point) {
  if (has_room(r, r->count + 1)) r->all[r->count++] = alone(point);
}

// Puts a point after `until` in: among those up to the base, or into its bucket.
static void put(stz_queue *queue, run *r, const stz_point *point) {
  if (point->time <= queue->base) {
    insert(r, point);
    return;
  }
  const int index = bucket_of(queue, point->time);
  bucket *b = &queue->buckets[index];
  if ((!b->first || b->first->count == CHUNK) && !add_chunk(queue, b)) {
    queue->no_chunk = true;
    return;
  }
  b->first->points[b->first->count++] = *point;
  b->count++;
  queue->filled[index / 64] |= (uint64_t)1 << index % 64;
}

void stz_queue_push(stz_queue *queue, const stz_point *point) {
  if (point->time >= STZ_INSTANT_NEVER) return;
  if (point->time <= queue->until)
    insert(&queue->now, point);
  else if (queue->lent)
    append(&queue->late, point);
  else
    put(queue, &queue->soon, point);
}

static stz_instant begin_of(const bucket *b) {
  stz_instant least = STZ_INSTANT_NEVER;
  for (const chunk *c = b->first; c; c = c->next) {
    for (size_t i = 0; i < c->count; i++) least = c->points[i].time < least ? c->points[i].time : least;
  }
  return least;
}

// The points of the first bucket go to buckets below, for their first time is the base from here on.
static void spread(stz_queue *queue, int index, run *r) {
  bucket *b = &queue->buckets[index];
  queue->base = begin_of(b);
  queue->filled[index / 64] &= ~((uint64_t)1 << index % 64);
  for (b->count = 0; b->first; drop_chunk(queue, b)) {
    for (size_t i = 0; i < b->first->count; i++) put(queue, r, &b->first->points[i]);
  }
}

static int first_bucket(const stz_queue *queue) {
  int word = 0;
  while (word < WORDS && !queue->filled[word]) word++;
  return word == WORDS ? BUCKETS : 64 * word + __builtin_ctzll(queue->filled[word]);
}

// The points of the first bucket, which are few, go to a batch in order; no other point is before the bucket's end.
static size_t gather(stz_queue *queue, int index, stz_point *batch, size_t count) {
  bucket *b = &queue->buckets[index];
  queue->base |= ((stz_instant)2 << (index - 1)) - 1;
  queue->filled[index / 64] &= ~((uint64_t)1 << index % 64);
  for (b->count = 0; b->first; drop_chunk(queue, b)) {
    for (size_t i = 0; i < b->first->count; i++) {
      const stz_point *point = &b->first->points[i];
      size_t at = count++;
      for (; at > 0 && stz_point_precedes(point, &batch[at - 1]); at--) batch[at] = batch[at - 1];
      batch[at] = *point;
    }
  }
  return count;
}

// Puts the first points in order, some at once, after those of a run.
static void refill(stz_queue *queue, run *r) {
  stz_point batch[BATCH];
  size_t count = 0;
  for (int index = first_bucket(queue); index < BUCKETS; index = first_bucket(queue)) {
    const size_t all = count + queue->buckets[index].count;
    if (all <= BATCH)
      count = gather(queue, index, batch, count);
    else if (all == queue->buckets[index].count)
      spread(queue, index, r);
    else
      break;
  }
  if (count == 0 || !has_room(r, r->count + count)) return;
  memmove(r->all + count, r->all, r->count * sizeof *r->all);
  for (size_t i = 0; i < count; i++) r->all[count - 1 - i] = alone(&batch[i]);
  r->count += count;
  assert(r->count <= r->room);
}

bool stz_queue_waits(const stz_queue *queue) { return queue->lent && queue->now.count == 0; }

const stz_queued *stz_queue_first(stz_queue *queue) {
  assert(!stz_queue_waits(queue));
  if (queue->now.count == 0) {
    const run empty = queue->now;
    queue->now = queue->soon;
    queue->soon = empty;
    if (queue->now.count == 0) refill(queue, &queue->now);
    queue->until = queue->base;
  }
  return stz_queue_coming(queue, 0);
}

const stz_queued *stz_queue_coming(const stz_queue *queue, size_t i) {
  return i < queue->now.count ? &queue->now.all[queue->now.count - 1 - i] : NULL;
}

void stz_queue_drop(stz_queue *queue) { queue->now.count--; }

bool stz_queue_lend(stz_queue *queue) {
  if (queue->soon.count == 0) queue->lent = true;
  return queue->lent;
}

void stz_queue_fill(stz_queue *queue, uint64_t seed) {
  if (!queue->lent) return;
  run *soon = &queue->soon;
  while (soon->count < AHEAD && first_bucket(queue) < BUCKETS && !soon->short_of_memory) refill(queue, soon);
  for (size_t i = 0; i < soon->count; i++) {
    stz_queued *q = &soon->all[i];
    q->next = stz_points_next(seed, &q->point);
  }
}

void stz_queue_take_back(stz_queue *queue) {
  if (!queue->lent) return;
  queue->lent = false;
  if (queue->soon.count == 0) queue->until = queue->base;
  for (size_t i = 0; i < queue->late.count; i++) stz_queue_push(queue, &queue->late.all[i].point);
  queue->late.count = 0;
}

stz_err stz_queue_check(const stz_queue *queue) {
  const bool is_short = queue->now.short_of_memory || queue->late.short_of_memory ||
                        (!queue->lent && (queue->no_chunk || queue->soon.short_of_memory));
  return is_short ? stz_fail(STZ_EINTERNAL, "out of memory for the points of the sites") : STZ_OK;
}

size_t stz_queue_bytes(const stz_queue *queue) {
  assert(!queue->lent);
  const size_t room = queue->now.room + queue->soon.room + queue->late.room;
  return sizeof *queue + queue->chunks * sizeof(chunk) + room * sizeof(stz_queued);
}
