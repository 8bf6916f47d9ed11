// SPDX-License-Identifier: GPL-3.0-or-later
#include "windows.h"

#include <string.h>

#include "base/memory.h"

typedef struct list {
  stz_window_event *events;
  int count;
} list;

typedef struct tile {
  void *own;           // the caller's
  list found[2];       // its events: of this sweep and of the one before
  list foreign, heard; // the others' events that it goes by, and those of the sweep before
  stz_window_change *changes;
  int changed, most;        // their number; room for so many
  stz_instant present, end; // up to where it has run; where it wants the window to end
  uint64_t flips, redecided;
  bool moved; // its list is another than before
} tile;

struct stz_windows {
  stz_tile_calls calls;
  stz_team *team;
  tile *tiles;
  int count;
  stz_instant from, until; // the window
  int cap, sweep;
  list merged;
  stz_window_counts counts;
};

static bool same(const stz_window_event *a, const stz_window_event *b) {
  return a->time == b->time && a->number == b->number && a->mode == b->mode && a->sign == b->sign;
}

// --- lists ---

// Drops the events from `time` on.
static void cut_list(list *l, stz_instant time) {
  while (l->count > 0 && l->events[l->count - 1].time >= time) l->count--;
}

// All lists that tile `except` (-1: none) takes from the others, in the order of time.
static void merge_lists(const stz_windows *w, int which, int except, list *to) {
  int at[STZ_WINDOW_TILES] = {0};
  to->count = 0;
  for (;;) {
    int first = -1;
    for (int t = 0; t < w->count; t++) {
      const list *l = &w->tiles[t].found[which];
      if (t == except || at[t] == l->count) continue;
      if (first < 0 || l->events[at[t]].time < w->tiles[first].found[which].events[at[first]].time) first = t;
    }
    if (first < 0) return;
    to->events[to->count++] = w->tiles[first].found[which].events[at[first]++];
  }
}

// What list `b` has that `a` has not (sign 1) and the reverse, in the order of time; returns their number.
static int compare(const list *a, const list *b, stz_window_change *changes) {
  int i = 0, j = 0, count = 0;
  while (i < a->count || j < b->count) {
    const stz_window_event *x = i < a->count ? &a->events[i] : NULL, *y = j < b->count ? &b->events[j] : NULL;
    const bool gone = x && (!y || x->time <= y->time), come = y && (!x || y->time <= x->time);
    if (!(gone && come && same(x, y))) {
      if (gone) changes[count++] = (stz_window_change){*x, -1};
      if (come) changes[count++] = (stz_window_change){*y, 1};
    }
    i += gone;
    j += come;
  }
  return count;
}

// The first event of a list at or after a time.
static int find(const list *l, stz_instant time) {
  int at = l->count;
  while (at > 0 && l->events[at - 1].time >= time) at--;
  return at;
}

// --- one tile's part of a sweep ---

static void put(const stz_windows *w, tile *t, const stz_window_event *event, int sign) {
  w->calls.change(t->own, &(stz_window_change){*event, sign});
}

// The first sweep.
static void run_alone(const stz_windows *w, tile *t, list *own) {
  stz_window_event event;
  t->end = w->until;
  while (w->calls.next(t->own, &t->end, &event)) {
    put(w, t, &event, 1);
    own->events[own->count++] = event;
    if (own->count == w->cap) t->end = event.time;
    if (own->count == w->cap) break;
  }
  t->present = t->end;
}

// An own event comes or goes.
static void flip(const stz_windows *w, tile *t, list *own, const stz_window_event *event, int sign) {
  const int at = find(own, event->time), after = sign > 0 ? at : at + 1;
  memmove(own->events + after + sign, own->events + after, (size_t)(own->count - after) * sizeof *own->events);
  if (sign > 0) own->events[at] = *event;
  own->count += sign;
  put(w, t, event, sign);
  t->changes[t->changed++] = (stz_window_change){*event, sign};
  t->flips++;
  t->moved = true;
}

// Takes in what the others' lists have become.
static void repair(const stz_windows *w, tile *t, list *own) {
  t->changed = compare(&t->heard, &t->foreign, t->changes);
  if (t->changed == 0) return;
  stz_instant time = t->changes[0].event.time;
  for (int i = 0; i < t->changed; i++) w->calls.change(t->own, &t->changes[i]);
  while (w->calls.doubtful(t->own, t->changes, t->changed, t->end, &time)) {
    stz_window_event event;
    const bool happens = w->calls.decide(t->own, time, &event);
    const int at = find(own, time);
    const bool had = at < own->count && own->events[at].time == time;
    t->redecided++;
    if (had && happens && same(&own->events[at], &event)) continue;
    const stz_window_event before = had ? own->events[at] : event;
    if (had) flip(w, t, own, &before, -1);
    if (happens) flip(w, t, own, &event, 1);
    if (own->count > w->cap) t->end = own->events[--own->count - 1].time;
    if (t->changed + 2 > t->most) t->end = time;
    if (t->end <= time) return; // what follows is forgotten
  }
}

static void sweep_tiles(void *context, int64_t first, int64_t end, int worker) {
  const stz_windows *w = context;
  (void)worker;
  for (int i = (int)first; i < (int)end; i++) {
    tile *t = &w->tiles[i];
    list *now = &t->found[w->sweep % 2];
    const list *before = &t->found[1 - w->sweep % 2], heard = t->heard;
    t->moved = w->sweep == 0;
    if (w->sweep == 0) {
      now->count = t->foreign.count = 0;
      run_alone(w, t, now);
      continue;
    }
    t->heard = t->foreign;
    t->foreign = heard;
    merge_lists(w, 1 - w->sweep % 2, i, &t->foreign);
    now->count = before->count;
    memcpy(now->events, before->events, (size_t)before->count * sizeof *now->events);
    repair(w, t, now);
  }
}

// --- windows ---

static void cut_tiles(void *context, int64_t first, int64_t end, int worker) {
  stz_windows *w = context;
  (void)worker;
  for (int i = (int)first; i < (int)end; i++) {
    tile *t = &w->tiles[i];
    if (t->present > w->until) w->calls.back(t->own, w->until + 1);
    t->present = w->until;
    t->end = w->until;
    cut_list(&t->found[0], w->until + 1);
    cut_list(&t->found[1], w->until + 1);
    cut_list(&t->foreign, w->until + 1);
  }
}

// Ends the window where the tiles want it.
static bool cut_window(stz_windows *w) {
  stz_instant end = w->until;
  for (int i = 0; i < w->count; i++) end = w->tiles[i].end < end ? w->tiles[i].end : end;
  if (end == w->until) return false;
  w->until = end;
  stz_team_run(w->team, w->count, 1, cut_tiles, w);
  return true;
}

stz_instant stz_windows_run(stz_windows *w, stz_instant until, const stz_window_event **events, int *count) {
  bool moved = true;
  w->until = until;
  for (int i = 0; i < w->count; i++) w->tiles[i].present = w->from;
  for (w->sweep = 0; moved; w->sweep++) {
    stz_team_run(w->team, w->count, 1, sweep_tiles, w);
    moved = false;
    for (int i = 0; i < w->count; i++) moved |= w->tiles[i].moved;
    w->counts.cut += cut_window(w);
    moved &= w->count > 1;
    w->counts.sweeps++;
  }
  merge_lists(w, (w->sweep - 1) % 2, -1, &w->merged);
  w->counts.windows++;
  *events = w->merged.events;
  *count = w->merged.count;
  return w->until;
}

stz_instant stz_windows_now(const stz_windows *w) { return w->from; }

void stz_windows_start(stz_windows *w, stz_instant time) { w->from = time; }

static void commit_tiles(void *context, int64_t first, int64_t end, int worker) {
  const stz_windows *w = context;
  (void)worker;
  for (int i = (int)first; i < (int)end; i++) w->calls.commit(w->tiles[i].own, w->from);
}

void stz_windows_commit(stz_windows *w, stz_instant time) {
  if (time < w->until) {
    w->until = time;
    stz_team_run(w->team, w->count, 1, cut_tiles, w);
    cut_list(&w->merged, time + 1);
  }
  w->from = time;
  w->counts.events += (uint64_t)w->merged.count;
  stz_team_run(w->team, w->count, 1, commit_tiles, w);
}

stz_window_counts stz_windows_counts(const stz_windows *w) {
  stz_window_counts counts = w->counts;
  for (int i = 0; i < w->count; i++) {
    counts.flips += w->tiles[i].flips;
    counts.redecided += w->tiles[i].redecided;
  }
  return counts;
}

static stz_err make_list(int most, list *l) { return STZ_NEW(l->events, most); }

static stz_err make_tile(void *own, int cap, int others, tile *t) {
  t->own = own;
  STZ_TRY(make_list(cap + 1, &t->found[0]));
  STZ_TRY(make_list(cap + 1, &t->found[1]));
  STZ_TRY(make_list(others, &t->foreign));
  STZ_TRY(make_list(others, &t->heard));
  t->most = 2 * others + 8 * cap;
  return STZ_NEW(t->changes, t->most);
}

stz_err stz_windows_create(const stz_tile_calls *calls, void *const *tiles, int count, int cap, stz_team *team,
                           stz_windows **windows) {
  stz_windows *w = NULL;
  *windows = NULL;
  STZ_TRY(STZ_NEW(w, 1));
  *w = (stz_windows){.calls = *calls, .team = team, .count = count, .cap = cap};
  stz_err err = STZ_NEW(w->tiles, count);
  if (err == STZ_OK) err = make_list(count * cap, &w->merged);
  for (int i = 0; i < count && err == STZ_OK; i++) err = make_tile(tiles[i], cap, count * cap, &w->tiles[i]);
  if (err != STZ_OK) stz_windows_destroy(&w);
  *windows = w;
  return err;
}

void stz_windows_destroy(stz_windows **windows) {
  stz_windows *w = *windows;
  if (!w) return;
  for (int i = 0; w->tiles && i < w->count; i++) {
    tile *t = &w->tiles[i];
    stz_free(t->found[0].events);
    stz_free(t->found[1].events);
    stz_free(t->foreign.events);
    stz_free(t->heard.events);
    stz_free(t->changes);
  }
  stz_free(w->tiles);
  stz_free(w->merged.events);
  stz_free(w);
  *windows = NULL;
}
