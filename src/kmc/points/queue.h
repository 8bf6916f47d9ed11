// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/kmc: not installed.
//
// Points in the order of their times. A radix heap (Ahuja, Mehlhorn, Orlin, Tarjan, J. ACM 37, 213, 1990): time only
// moves on, so that points may lie in buckets by the highest bit in which their time differs from the time now; those
// of the first buckets are put in order. Memory is read and written in order, which a heap of many points does not do.
#ifndef STZ_KMC_QUEUE_H
#define STZ_KMC_QUEUE_H

#include <stddef.h>

#include "base/error.h"
#include "kmc/points/points.h"

typedef struct stz_queue stz_queue;

stz_err stz_queue_create(stz_queue **queue) STZ_MUST_USE;
void stz_queue_destroy(stz_queue **queue);

// Takes all points out of a queue that is not lent; time is `now` from here on.
void stz_queue_clear(stz_queue *queue, stz_instant now);

// Puts a point in; STZ_INSTANT_NEVER: none. Those before points that were taken out must be few. Without memory the
// point is lost, and stz_queue_check fails from then on.
void stz_queue_push(stz_queue *queue, const stz_point *point);

typedef struct stz_queued {
  stz_point point, next; // `next`, which follows it in its process, if it is known: else its time is 0
} stz_queued;

// The first point, NULL if there is none; of several at one time, the one of the least site and layer. And takes it
// out.
const stz_queued *stz_queue_first(stz_queue *queue);
void stz_queue_drop(stz_queue *queue);

// The i-th after it, NULL if it is not known yet: a few are put in order together.
const stz_queued *stz_queue_coming(const stz_queue *queue, size_t i);

// Another thread can put the points of some time ahead in order, and find those that follow them, while the owner takes
// points out and puts others in. Lends the queue, if there is something to do: true. The borrower calls stz_queue_fill
// once, or not at all. Then, when it does not run, the owner takes the queue back; it has to, where stz_queue_waits,
// before it asks for a point. Of a queue that is not lent the other two do nothing.
bool stz_queue_lend(stz_queue *queue);
void stz_queue_fill(stz_queue *queue, uint64_t seed);
bool stz_queue_waits(const stz_queue *queue);
void stz_queue_take_back(stz_queue *queue);

// Whether a comes before b.
bool stz_point_precedes(const stz_point *a, const stz_point *b);

stz_err stz_queue_check(const stz_queue *queue) STZ_MUST_USE;

// The memory of a queue that is not lent.
size_t stz_queue_bytes(const stz_queue *queue);

#endif
