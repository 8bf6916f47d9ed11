// SPDX-License-Identifier: GPL-3.0-or-later
#include "kmc/points/queue.h"

#include <string.h>

#include "base/memory.h"

enum { BUCKETS = 129, WORDS = 3 };   // bucket 0 is that of the base itself
enum { FEW = 12 };                   // points that are left together until they are taken out
enum { FIRST = 16, KEPT = 1 << 15 }; // points for which a bucket first gets memory, and keeps it when it is empty

typedef struct bucket {
  stz_point *points;
  size_t count, room;
} bucket;

struct stz_queue {
  stz_instant base;       // not after any point; buckets count from it
  uint64_t filled[WORDS]; // bits of the buckets that have points
  bool short_of_memory;
  bucket buckets[BUCKETS];
};

stz_err stz_queue_create(stz_queue **queue) { return STZ_NEW(*queue, 1); }

void stz_queue_destroy(stz_queue **queue) {
  for (int b = 0; *queue && b < BUCKETS; b++) stz_free((*queue)->buckets[b].points);
  stz_free(*queue);
  *queue = NULL;
}

void stz_queue_clear(stz_queue *queue, stz_instant now) {
  for (int b = 0; b < BUCKETS; b++) queue->buckets[b].count = 0;
  memset(queue->filled, 0, sizeof queue->filled);
  queue->base = now;
}

static void empty(bucket *b) {
  stz_free(b->points);
  *b = (bucket){0};
}

static bool has_room(bucket *b) {
  if (b->count < b->room) return true;
  const size_t room = b->room ? b->room + b->room / 2 : FIRST;
  stz_point *points;
  if (STZ_NEW(points, room) != STZ_OK) return false;
  if (b->count) memcpy(points, b->points, b->count * sizeof *points);
  stz_free(b->points);
  b->points = points;
  b->room = room;
  return true;
}

static int bucket_of(const stz_queue *queue, stz_instant time) {
  const stz_instant differs = time ^ queue->base;
  const uint64_t high = (uint64_t)(differs >> 64), low = (uint64_t)differs;
  if (high) return 128 - __builtin_clzll(high);
  return low ? 64 - __builtin_clzll(low) : 0;
}

void stz_queue_push(stz_queue *queue, const stz_point *point) {
  if (point->time >= STZ_INSTANT_NEVER) return;
  const int index = bucket_of(queue, point->time);
  bucket *b = &queue->buckets[index];
  if (has_room(b)) {
    b->points[b->count++] = *point;
    queue->filled[index / 64] |= (uint64_t)1 << index % 64;
  } else {
    queue->short_of_memory = true;
  }
}

static bool precedes(const stz_point *a, const stz_point *b) {
  if (a->time != b->time) return a->time < b->time;
  return a->number != b->number ? a->number < b->number : a->layer < b->layer;
}

static size_t first_of(const bucket *b) {
  size_t first = 0;
  for (size_t i = 1; i < b->count; i++) {
    if (precedes(&b->points[i], &b->points[first])) first = i;
  }
  return first;
}

bool stz_queue_pop(stz_queue *queue, stz_instant limit, stz_point *point) {
  int word = 0;
  while (word < WORDS && !queue->filled[word]) word++;
  if (word == WORDS) return false;
  const int index = 64 * word + __builtin_ctzll(queue->filled[word]);
  bucket *b = &queue->buckets[index];
  const size_t first = first_of(b);
  *point = b->points[first];
  if (point->time > limit) return false;
  b->points[first] = b->points[--b->count];
  const size_t count = b->count;
  if (index == 0 || count <= FEW) {
    if (count == 0) queue->filled[word] &= queue->filled[word] - 1;
    return true;
  }
  queue->base = point->time; // all of them go to buckets below
  queue->filled[word] &= queue->filled[word] - 1;
  b->count = 0;
  for (size_t i = 0; i < count; i++) stz_queue_push(queue, &b->points[i]);
  if (b->room > KEPT) empty(b);
  return true;
}

stz_err stz_queue_check(const stz_queue *queue) {
  return queue->short_of_memory ? stz_fail(STZ_EINTERNAL, "out of memory for the points of the sites") : STZ_OK;
}

size_t stz_queue_bytes(const stz_queue *queue) {
  size_t bytes = sizeof *queue;
  for (int b = 0; b < BUCKETS; b++) bytes += queue->buckets[b].room * sizeof(stz_point);
  return bytes;
}
