// SPDX-License-Identifier: GPL-3.0-or-later
//
// A tile's own events: found, put in, taken off.
#include "kmc/points/tile_inside.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mathfn.h"
#include "base/memory.h"
#include "base/team.h"
#include "base/tensor.h"

enum { REACH = 10 };            // of the levels' nodes, from which an event's part is zero
enum { PATIENCE = 50000 };      // how long a tile waits for the others in a window, in all
static const double SAFE = 1.5; // factor: of the largest stress at a distance over that of a few sites

void stz_tile_note_high(stz_tile_raises *raises, int32_t row8) {
  if (raises->high < STZ_TILE_RAISED) raises->row8[raises->high++] = row8;
}

void stz_tile_note(stz_tile_raises *raises, stz_instant time, int32_t number, int before, int after) {
  if (raises->count == STZ_TILE_RAISED)
    raises->full = true;
  else
    raises->all[raises->count++] = (stz_tile_raised){time, number, before, after};
}

// The largest norm of the kernel's rows, times the cube of the distance, near the end of the near part.
static double strength_of(const stz_split *split) {
  double most = 0.0;
  for (int i = 0; i < 512; i++) {
    const int x = i / 64, y = i / 8 % 8, z = i % 8, r2 = x * x + y * y + z * z;
    double norm2 = 0.0;
    if (r2 < 25 || r2 >= 64) continue;
    for (int c = 0; c < 5; c++) {
      for (int d = 0; d < 5; d++) {
        const double k = (double)split->whole[((x * 8 + y) * STZ_PAIRS + stz_elastic_pair(c, d)) * 8 + z];
        norm2 += k * k;
      }
    }
    most = fmax(most, norm2 * r2 * r2 * r2);
  }
  return SAFE * sqrt(most);
}

stz_err stz_tile_create(stz_points *x, int number, int first, int planes, stz_tile **tile) {
  stz_tile *t = NULL;
  *tile = NULL;
  STZ_TRY(STZ_NEW(t, 1));
  t->engine = x;
  t->number = number;
  t->first = first;
  t->planes = planes;
  const stz_split *split = x->e->split;
  t->strength = strength_of(split) * stz_glass_stz(x->kmc->glass)->gamma0 * sqrt(0.5);
  t->reach = REACH * split->level[split->levels - 1].spacing;
  for (int axis = 0; axis < 3; axis++) {
    if (x->e->cells[axis] < 2 * (int)t->reach) t->strength *= 2.0; // two images may be as near
  }
  t->close = (int)fmax(STZ_NEAR_SPAN, ceil(stz_glass_reach(x->kmc->glass)));
  stz_err err = STZ_NEW(t->events, STZ_TILE_EVENTS);
  if (err == STZ_OK) err = STZ_NEW(t->look, STZ_TILE_LOOKS);
  if (err == STZ_OK) err = stz_glass_part_create(x->kmc->glass, first, planes, STZ_TILE_WINDOW, &t->glass);
  stz_near *near = NULL;
  stz_far *far = NULL;
  if (err == STZ_OK) err = stz_near_create(split, &near);
  if (err == STZ_OK) err = stz_far_part_create(x->e->far, first, planes, &far);
  t->e.near = near;
  t->e.far = far;
  if (err != STZ_OK) {
    stz_tile_destroy(&t);
    return err;
  }
  stz_near_keep(near, first, planes);
  *tile = t;
  return STZ_OK;
}

void stz_tile_destroy(stz_tile **tile) {
  stz_tile *t = *tile;
  if (!t) return;
  stz_near_destroy(&t->e.near);
  stz_far_part_destroy(&t->e.far);
  stz_glass_part_destroy(&t->glass);
  stz_free(t->events);
  stz_free(t->look);
  stz_free(t);
  *tile = NULL;
}

void stz_tile_refill(stz_tile *t) { stz_far_part_refill(t->e.far); }

const stz_tile_event *stz_tile_events(const stz_tile *t, int *count) {
  *count = t->count;
  return t->events;
}

uint64_t stz_tile_again(const stz_tile *t) { return t->again; }

// Takes over what the engine has.
static void begin(stz_tile *t) {
  stz_near *near = t->e.near;
  stz_far *far = t->e.far;
  stz_points *x = t->engine;
  t->head = *x->e->head;
  t->e = *x->e;
  t->e.near = near;
  t->e.far = far;
  t->e.head = &t->head;
  t->e.list = &t->list;
  t->e.shared = (stz_ml_shared){0};
  t->e.selection.count = 0;
  t->e.selection.rows8 = t->x.told;
  t->e.selection.context = &t->x;
  // Not as a whole: the list of rows told of is long.
  t->x.at = x->at;
  t->x.ways = x->ways;
  t->x.ways.kept = STZ_POINTS_HIGHEST - STZ_POINTS_LOWEST; // nothing closes in a window
  t->x.seed = x->seed;
  t->x.attempt = x->attempt;
  t->x.kmc = &t->kmc;
  t->x.e = &t->e;
  t->x.scale = x->scale;
  t->x.open = x->open;
  t->x.tall = x->tall;
  t->x.short_of_memory = false;
  t->x.tiles = x->tiles;
  t->x.tile = t->number;
  memcpy(t->x.queue, x->queue, sizeof t->x.queue);
  memcpy(t->x.tile_blocks, x->tile_blocks, sizeof t->x.tile_blocks);
  t->x.raises = &t->raises;
  t->kmc = *x->kmc;
  t->kmc.state = &t->e;
  t->kmc.stats = (stz_kmc_stats){0};
  t->raises.count = t->raises.high = t->count = t->looks = t->foreign = 0;
  t->raises.full = t->full = false;
  t->patience = PATIENCE;
  t->dry = 0;
}

// --- the tile's own events ---

static void keep_look(stz_tile *t, const stz_point *point, const stz_points_verdict *v) {
  t->look[t->looks++] = (stz_tile_look){.point = *point, .room = v->room, .margin = v->margin, .kind = v->kind};
}

// Events before at the same site of this window are counted when they are final.
static uint32_t number_at(const stz_tile *t, const stz_shear *shear) {
  uint32_t number = shear->number;
  for (int i = 0; i < t->count; i++) number += t->events[i].event.shear.site == shear->site;
  return number;
}

// Notes an event as its site is before it.
static void note_event(stz_tile *t, const stz_point *point, const stz_ml_proposal *p, const stz_shear *shear) {
  stz_tile_event *e = &t->events[t->count];
  const stz_row8 *row8 = stz_ml_row8(&t->e, p->number);
  const int64_t at = shear->site; // one rank: global is local
  double d[5];
  e->time = point->time;
  e->event = (stz_event){.time_s = p->time_s, .shear = *shear};
  e->event.shear.number = number_at(t, shear);
  e->number = p->number;
  e->height = p->height;
  e->mode = p->mode;
  e->margin = t->look[t->looks - 1].margin;
  stz_grid_coords(t->e.grid, at, e->origin);
  stz_glass_strain(t->kmc.glass, &e->event.shear, e->strain);
  stz_dev_from_sym(e->strain, d);
  for (int c = 0; c < 5; c++) {
    e->d[c] = (float)d[c];
    e->near[c] = row8->near[c][p->number % 8];
    e->cached[c] = row8->cached[c][p->number % 8];
  }
  e->barrier = (float)stz_glass_barrier_at(t->kmc.glass, at, stz_glass_recovery(t->kmc.glass));
  e->rotation = stz_glass_rotation(t->kmc.glass)[at];
  stz_far_read(t->e.far, e->origin, &e->nodes);
}

// The drift of the slab's blocks, which is the engine's own, has the tile's events as long as it runs.
static void put_drift(stz_tile *t, const stz_tile_event *e, int sign) {
  int32_t near[STZ_ML_SPREAD * STZ_ML_SPREAD * STZ_ML_SPREAD];
  (void)stz_ml_add_drift(&t->e, e->origin, sign, t->first / 8, (t->first + t->planes) / 8, near);
}

stz_instant stz_tile_drift(stz_tile *t, const stz_tile_window *w, double everywhere) {
  t->head.everywhere = everywhere;
  t->e.due = false;
  for (t->drifted = 0; t->drifted < w->count && !t->e.due; t->drifted++) put_drift(t, w->events[t->drifted], 1);
  return t->e.due ? w->events[t->drifted - 1]->time : STZ_INSTANT_NEVER;
}

void stz_tile_drift_off(stz_tile *t, const stz_tile_window *w, stz_instant time) {
  for (; t->drifted > 0 && w->events[t->drifted - 1]->time > time; t->drifted--) {
    put_drift(t, w->events[t->drifted - 1], -1);
  }
}

// Puts the tile's last event in.
static void put_own(stz_tile *t) {
  stz_tile_event *e = &t->events[t->count];
  double strain[6];
  int touched;
  stz_glass_shear(t->glass, &e->event.shear, strain);
  const int64_t *sites = stz_glass_part_touched(t->glass, t->count, &touched);
  stz_ml_add_uniform(&t->e, e->origin, e->d);
  put_drift(t, e, 1);
  e->bounded = stz_ml_put_part(&t->kmc, e->origin, e->d, sites, touched);
  if (e->bounded > STZ_TILE_BOUNDED)
    t->full = true;
  else
    memcpy(e->sites, t->list.sites, (size_t)e->bounded * sizeof *e->sites);
  t->count++;
  memcpy(t->uniform[t->count], t->head.uniform, sizeof t->head.uniform);
}

// How many of a tile's events are before a time.
static int count_until(const struct stz_tile_runner *r, int count, stz_instant time) {
  while (count > 0 && r->time[count - 1] > time) count--;
  return count;
}

static uint64_t place_of(const stz_tile_race *race, stz_instant time) {
  return (uint64_t)((time - race->from) >> race->shift);
}

// Whether so many events as wanted have happened until a time, as far as the tiles know; or are likely to have when
// those that are behind it are there, of which there are some.
static bool is_enough(const stz_tile_race *race, stz_instant time, bool likely) {
  const uint64_t now = place_of(race, time);
  double sum = 0.0, coming = 0.0;
  for (int t = 0; t < race->tiles; t++) {
    const struct stz_tile_runner *r = &race->runner[t];
    const uint64_t its = atomic_load_explicit(&r->now, memory_order_relaxed);
    sum += atomic_load_explicit(&r->count, memory_order_relaxed);
    if (its < now) coming += race->per_time * (double)(now - its);
  }
  if (!likely) coming = 0.0;
  if (sum + coming < race->wanted || (likely && !(coming > 0.0))) return false;
  for (int t = 0; t < race->tiles; t++) {
    const struct stz_tile_runner *r = &race->runner[t];
    const int count = atomic_load_explicit(&r->count, memory_order_acquire);
    sum = (t ? sum : 0.0) + count_until(r, count, time);
  }
  return sum + coming >= race->wanted;
}

// No tile needs to go on beyond a time.
static void end_at(stz_tile_race *race, stz_instant time) {
  const uint64_t end = place_of(race, time);
  uint64_t before = atomic_load_explicit(&race->end, memory_order_relaxed);
  while (end < before &&
         !atomic_compare_exchange_weak_explicit(&race->end, &before, end, memory_order_relaxed, memory_order_relaxed)) {
  }
}

// Whether to stop at a time. A tile that is as far as the window is likely to go waits a little for those behind it:
// what it found beyond would be taken off again.
static bool must_stop(stz_tile *t, stz_tile_race *race, stz_instant time) {
  const uint64_t now = place_of(race, time);
  atomic_store_explicit(&race->runner[t->number].now, now, memory_order_relaxed);
  if (now > atomic_load_explicit(&race->end, memory_order_relaxed)) return true;
  for (; t->patience > 0 && is_enough(race, time, true); t->patience--) {
    if (is_enough(race, time, false) || now > atomic_load_explicit(&race->end, memory_order_relaxed)) return true;
    stz_team_pause();
  }
  return is_enough(race, time, false);
}

// So many points below the ground a tile may look at without an event: those of all tiles are fewer than bring the
// engine to set all bounds anew.
static int driest(const stz_tile *t) { return (STZ_POINTS_DRY - STZ_AHEAD_DRIEST) / t->x.tiles - 1; }

// Looks at points from the present time until `end` up to the first event; true if there is one. Else *end (in and out)
// is up to where it has looked; if what counts of a site's rate is not sure, it is before that point.
static bool find_own(stz_tile *t, const stz_mean_stress *mean, const stz_ml_stretch *s, stz_tile_race *race,
                     stz_instant *end, stz_point *point, stz_ml_proposal *p, stz_shear *shear) {
  while (t->looks + 1 < STZ_TILE_LOOKS && t->dry < driest(t) && stz_points_take(&t->x, *end, point)) {
    stz_points_verdict v;
    if (t->looks % 8 == 0 && must_stop(t, race, point->time)) {
      keep_look(t, point, &(stz_points_verdict){.kind = STZ_POINT_UNSURE});
      *end = point->time - 1; // the point is not looked at
      return false;
    }
    *p = stz_points_proposal(&t->x, mean, s, point);
    stz_points_judge(&t->kmc, mean, stz_ml_raised(s, p->within), p, &v);
    keep_look(t, point, &v);
    t->dry += point->ground;
    if (v.kind == STZ_POINT_UNSURE) {
      *end = point->time - 1;
      return false;
    }
    if (v.kind != STZ_POINT_HAPPENS) continue;
    stz_ml_choose(&t->kmc, p->number, (const float(*)[2])v.rates, p->mode * v.sum, shear);
    return true;
  }
  if (t->looks + 1 >= STZ_TILE_LOOKS || t->dry >= driest(t)) *end = t->x.at.now;
  return false;
}

static stz_instant run(stz_tile *t, const stz_kmc_load *load, stz_tile_race *race, stz_instant until) {
  struct stz_tile_runner *own = &race->runner[t->number];
  double limit;
  begin(t);
  memcpy(t->uniform[0], t->head.uniform, sizeof t->head.uniform);
  if (!load->begin(load->context, t->number, &t->mean[0], &limit)) return t->x.at.now;
  for (;;) {
    const stz_mean_stress *mean = &t->mean[t->count];
    const stz_ml_stretch s = stz_ml_stretch_from(&t->kmc, mean, 0.0);
    if (stz_points_most_ahead(&s) > t->x.at.ahead) return t->x.at.now;
    stz_instant end = stz_points_instant(&t->x, fmin(limit, s.begin + s.length));
    if (end > until) end = until;
    stz_point point;
    stz_ml_proposal p;
    stz_shear shear;
    if (!find_own(t, mean, &s, race, &end, &point, &p, &shear)) return end;
    note_event(t, &point, &p, &shear);
    const stz_tile_event *e = &t->events[t->count];
    put_own(t);
    t->dry = 0;
    own->time[t->count - 1] = point.time;
    atomic_store_explicit(&own->count, t->count, memory_order_release);
    if (is_enough(race, point.time, false)) return point.time;
    const bool goes_on = load->yield(load->context, t->number, &e->event, e->strain, &t->mean[t->count], &limit);
    if (!goes_on || t->e.due || t->full || t->raises.count > STZ_TILE_RAISED / 2 || t->count == STZ_TILE_EVENTS)
      return t->events[t->count - 1].time;
  }
}

stz_instant stz_tile_run(stz_tile *t, const stz_kmc_load *load, stz_tile_race *race, stz_instant until) {
  const stz_instant end = run(t, load, race, until);
  end_at(race, end);
  for (int i = 0; i < t->count; i++) put_drift(t, &t->events[i], -1);
  return end;
}

// --- taking off ---

// Takes points after a time back into the queue. The ones that follow them are there: they come twice.
static void return_points(stz_tile *t, stz_instant time) {
  while (t->looks > 0 && t->look[t->looks - 1].point.time > time) {
    stz_queue_push(t->x.queue[t->number], &t->look[--t->looks].point);
  }
}

// Levels stay where they were raised after `time`: their layers are then open from there on, with the points that come
// before those in the queue.
static void open_earlier(stz_tile *t, stz_instant time) {
  for (int i = 0; i < t->raises.count; i++) {
    stz_tile_raised *r = &t->raises.all[i];
    if (r->time <= time) continue;
    for (int k = r->before + 1; k <= r->after; k++) {
      const stz_point first = stz_points_own(t->x.seed, r->number, t->x.at.ground + k, time);
      if (first.time <= r->time) stz_queue_push(t->x.queue[t->number], &first);
    }
    r->time = time;
  }
}

// Takes the last event off the glass, and if it is after `time` its stress off the slab.
static void take_off(stz_tile *t, const stz_tile_event *e, stz_instant time) {
  int touched;
  float d[5];
  const int64_t *sites = stz_glass_part_touched(t->glass, stz_glass_part_shears(t->glass) - 1, &touched);
  memcpy(t->touched, sites, (size_t)touched * sizeof *sites);
  stz_glass_part_take_back(t->glass, 1);
  if (e->time <= time) return;
  for (int c = 0; c < 5; c++) d[c] = -e->d[c];
  (void)stz_ml_put_part(&t->kmc, e->origin, d, t->touched, touched);
}

// The glass takes back what comes last: the others' events before the own ones, and those of them until `time` come
// again.
void stz_tile_rewind(stz_tile *t, const stz_tile_window *w, stz_instant time) {
  const bool looked = t->looks > 0 && t->look[t->looks - 1].point.time > time;
  if (!looked && (t->foreign == 0 || w->events[w->count - 1]->time <= time)) return;
  return_points(t, time);
  open_earlier(t, time);
  t->x.at.now = time;
  int kept = 0;
  for (int k = w->count - 1, n = t->foreign; n > 0; k--) {
    if (w->tile[k] == t->number) continue;
    if (w->events[k]->time <= time) kept++;
    take_off(t, w->events[k], time);
    n--;
  }
  while (t->count > 0 && t->events[t->count - 1].time > time) take_off(t, &t->events[--t->count], time);
  t->foreign = kept;
  for (int k = 0; kept > 0; k++) {
    double strain[6];
    if (w->tile[k] == t->number) continue;
    stz_glass_shear(t->glass, &w->events[k]->event.shear, strain);
    kept--;
  }
}

bool stz_tile_commit(stz_tile *t, const stz_tile_window *w) {
  stz_points *x = t->engine;
  stz_kmc_stats *to = &x->kmc->stats, *own = &t->kmc.stats;
  const stz_instant last = w->count ? w->events[w->count - 1]->time : w->from;
  stz_glass_part_settle(t->glass, x->kmc->glass);
  to->candidates += own->candidates;
  to->squeezed += own->squeezed;
  to->bounds += own->bounds;
  for (int i = 0; i < t->looks && t->look[i].point.time <= w->until; i++) {
    x->at.below += t->look[i].point.ground;
    x->at.dry += t->look[i].point.ground && t->look[i].point.time > last;
  }
  x->short_of_memory |= t->x.short_of_memory;
  stz_points_set_levels(x, t->raises.row8, t->raises.high);
  return !t->raises.full;
}
