// SPDX-License-Identifier: GPL-3.0-or-later
//
// The points one after the other: from the queues of all tiles, or of one, without those whose layer was closed. Each
// brings the one that follows it in its process.
#include "kmc/points/inside.h"

enum { FETCHED = 4 }; // points ahead that memory is asked for

static void fill_queues(void *context, int64_t first, int64_t end, int worker) {
  const stz_points *x = context;
  (void)first;
  (void)end;
  (void)worker;
  for (int t = 0; t < x->tiles; t++) stz_queue_fill(x->queue[t], x->seed);
}

void stz_points_lend(stz_points *x) {
  bool any = false;
  if (x->lent) return;
  for (int t = 0; t < x->tiles; t++) any |= stz_queue_lend(x->queue[t]);
  if (any) stz_team_aside(stz_grid_team(x->e->grid), fill_queues, x);
  x->lent = any;
}

void stz_points_take_back(stz_points *x) {
  if (!x->lent) return;
  stz_team_recall(stz_grid_team(x->e->grid));
  for (int t = 0; t < x->tiles; t++) stz_queue_take_back(x->queue[t]);
  x->lent = false;
}

// What the points that come soon will ask for.
static void fetch_coming(const stz_points *x, const stz_queue *queue) {
  const stz_queued *coming = stz_queue_coming(queue, FETCHED);
  if (!coming) return;
  const stz_row8 *row8 = stz_ml_row8(x->e, coming->point.number);
  __builtin_prefetch(&x->open[coming->point.number]);
  __builtin_prefetch(row8->slack);
  __builtin_prefetch(row8->bound);
}

// Takes out the first point of all tiles, or of one, if it is not after `end`.
static bool pop(stz_points *x, stz_instant end, stz_queued *point) {
  const int begin = x->tile < 0 ? 0 : x->tile, last = x->tile < 0 ? x->tiles - 1 : x->tile;
  const stz_queued *first = NULL;
  stz_queue *of = NULL;
  for (int t = begin; t <= last; t++) {
    if (stz_queue_waits(x->queue[t])) stz_points_take_back(x);
    const stz_queued *its = stz_queue_first(x->queue[t]);
    if (!its || (first && !stz_point_precedes(&its->point, &first->point))) continue;
    first = its;
    of = x->queue[t];
  }
  if (!first || first->point.time > end) return false;
  *point = *first;
  stz_queue_drop(of);
  fetch_coming(x, of);
  return true;
}

bool stz_points_take(stz_points *x, stz_instant end, stz_point *point) {
  stz_queued its;
  while (pop(x, end, &its)) {
    *point = its.point;
    if (point->time <= x->at.now) continue; // the same one was there twice
    if (!stz_points_is_open(x, point)) continue;
    if (its.next.time == 0) its.next = stz_points_next(x->seed, point);
    stz_queue_push(stz_points_queue(x, point->number), &its.next);
    x->at.now = point->time;
    x->at.below += point->ground;
    x->at.dry += point->ground;
    return true;
  }
  if (end < STZ_INSTANT_NEVER && end > x->at.now) x->at.now = end;
  return false;
}
