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

// Takes all points out; time is `now` from here on.
void stz_queue_clear(stz_queue *queue, stz_instant now);

// Puts a point in; STZ_INSTANT_NEVER: none. Those before points that were taken out must be few. Without memory the
// point is lost, and stz_queue_check fails from then on.
void stz_queue_push(stz_queue *queue, const stz_point *point);

// The first point, NULL if there is none; of several at one time, the one of the least site and layer. And takes it
// out.
const stz_point *stz_queue_first(stz_queue *queue);
void stz_queue_drop(stz_queue *queue);

// The i-th after it, NULL if it is not known yet: a few are put in order together.
const stz_point *stz_queue_coming(const stz_queue *queue, size_t i);

// Whether a comes before b.
bool stz_point_precedes(const stz_point *a, const stz_point *b);

stz_err stz_queue_check(const stz_queue *queue) STZ_MUST_USE;
size_t stz_queue_bytes(const stz_queue *queue);

#endif
