// SPDX-License-Identifier: GPL-3.0-or-later
#include "kmc/points/queue.h"

#include <string.h>

#include "base/memory.h"

enum { BUCKETS = 129, WORDS = 3 }; // bucket 0 stays empty: it is that of the base itself
enum { CHUNK = 255 };              // points of a piece of memory, of 8 KB
enum { BATCH = 32 };               // points that are put in order together, at most

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

struct stz_queue {
  stz_instant base;       // before all points of the buckets, which count from it
  uint64_t filled[WORDS]; // bits of the buckets that have points
  bool short_of_memory;
  bucket buckets[BUCKETS];
  chunk *spare;  // empty ones
  size_t chunks; // all that there are
  // The points that are not after the base, in order, the first one last.
  stz_point *early;
  size_t early_count, early_room;
};

stz_err stz_queue_create(stz_queue **queue) { return STZ_NEW(*queue, 1); }

static void free_list(chunk *first) {
  while (first) {
    chunk *next = first->next;
    stz_free(first);
    first = next;
  }
}

void stz_queue_clear(stz_queue *queue, stz_instant now) {
  for (int b = 0; b < BUCKETS; b++) {
    free_list(queue->buckets[b].first);
    queue->buckets[b] = (bucket){0};
  }
  free_list(queue->spare);
  queue->spare = NULL;
  queue->chunks = 0;
  stz_free(queue->early);
  queue->early = NULL;
  queue->early_count = queue->early_room = 0;
  memset(queue->filled, 0, sizeof queue->filled);
  queue->base = now;
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

static bool has_early_room(stz_queue *queue, size_t count) {
  if (count <= queue->early_room) return true;
  stz_point *more = NULL;
  const size_t room = queue->early_room ? 2 * queue->early_room : CHUNK;
  if (STZ_NEW(more, room) != STZ_OK) {
    queue->short_of_memory = true;
    return false;
  }
  if (queue->early_count) memcpy(more, queue->early, queue->early_count * sizeof *more);
  stz_free(queue->early);
  queue->early = more;
  queue->early_room = room;
  return true;
}

static void push_early(stz_queue *queue, const stz_point *point) {
  if (!has_early_room(queue, queue->early_count + 1)) return;
  size_t at = queue->early_count++;
  for (; at > 0 && stz_point_precedes(&queue->early[at - 1], point); at--) queue->early[at] = queue->early[at - 1];
  queue->early[at] = *point;
}

void stz_queue_push(stz_queue *queue, const stz_point *point) {
  if (point->time >= STZ_INSTANT_NEVER) return;
  if (point->time <= queue->base) {
    push_early(queue, point);
    return;
  }
  const int index = bucket_of(queue, point->time);
  bucket *b = &queue->buckets[index];
  if ((!b->first || b->first->count == CHUNK) && !add_chunk(queue, b)) {
    queue->short_of_memory = true;
    return;
  }
  b->first->points[b->first->count++] = *point;
  b->count++;
  queue->filled[index / 64] |= (uint64_t)1 << index % 64;
}

static stz_instant begin_of(const bucket *b) {
  stz_instant least = STZ_INSTANT_NEVER;
  for (const chunk *c = b->first; c; c = c->next) {
    for (size_t i = 0; i < c->count; i++) least = c->points[i].time < least ? c->points[i].time : least;
  }
  return least;
}

// The points of the first bucket go to buckets below, for their first time is the base from here on.
static void spread(stz_queue *queue, int index) {
  bucket *b = &queue->buckets[index];
  queue->base = begin_of(b);
  queue->filled[index / 64] &= ~((uint64_t)1 << index % 64);
  for (b->count = 0; b->first; drop_chunk(queue, b)) {
    for (size_t i = 0; i < b->first->count; i++) stz_queue_push(queue, &b->first->points[i]);
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

// Finds the first points, some at once, where none are at hand.
static void refill(stz_queue *queue) {
  stz_point batch[BATCH];
  size_t count = 0;
  if (!has_early_room(queue, BATCH)) return;
  for (int index = first_bucket(queue); index < BUCKETS; index = first_bucket(queue)) {
    const size_t all = queue->early_count + count + queue->buckets[index].count;
    if (all <= BATCH)
      count = gather(queue, index, batch, count);
    else if (all == queue->buckets[index].count)
      spread(queue, index);
    else
      break;
  }
  if (count == 0) return;
  memmove(queue->early + count, queue->early, queue->early_count * sizeof *queue->early);
  for (size_t i = 0; i < count; i++) queue->early[count - 1 - i] = batch[i];
  queue->early_count += count;
}

const stz_point *stz_queue_first(stz_queue *queue) {
  if (queue->early_count == 0) refill(queue);
  return stz_queue_coming(queue, 0);
}

const stz_point *stz_queue_coming(const stz_queue *queue, size_t i) {
  return i < queue->early_count ? &queue->early[queue->early_count - 1 - i] : NULL;
}

void stz_queue_drop(stz_queue *queue) { queue->early_count--; }

stz_err stz_queue_check(const stz_queue *queue) {
  return queue->short_of_memory ? stz_fail(STZ_EINTERNAL, "out of memory for the points of the sites") : STZ_OK;
}

size_t stz_queue_bytes(const stz_queue *queue) {
  return sizeof *queue + queue->chunks * sizeof(chunk) + queue->early_room * sizeof *queue->early;
}
