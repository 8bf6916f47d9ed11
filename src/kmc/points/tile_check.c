// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a tile has found, against the other tiles' events: whether its decisions hold, and what becomes of its slab.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mathfn.h"
#include "base/tensor.h"
#include "kmc/points/tile_inside.h"

static int distance(int d, int n) { return d > n / 2 ? d - n : d < -(n / 2) ? d + n : d; }

// Square of the distance of an event and a site, and the largest of its components.
static int apart(const stz_multilevel *e, const int a[3], const int b[3], int *most) {
  int r2 = 0;
  *most = 0;
  for (int axis = 0; axis < 3; axis++) {
    const int d = distance(b[axis] - a[axis], e->cells[axis]);
    r2 += d * d;
    if (abs(d) > *most) *most = abs(d);
  }
  return r2;
}

// ln: how far the mean stress that the tile has reckoned with is from the true one at a time.
static double shift_at(const stz_tile *t, const stz_tile_window *w, const stz_tile_place *p, stz_instant time) {
  const stz_mean_stress *a = &t->mean[p->own], *b = &w->mean[p->all];
  double change[6], uniform[6], d[5], back[6];
  const double since_a = stz_points_since(&t->x, time, a->t0), since_b = stz_points_since(&t->x, time, b->t0);
  for (int c = 0; c < 5; c++) d[c] = stz_from_fine(w->uniform[p->all][c] - t->uniform[p->own][c]);
  stz_sym_from_dev(d, uniform);
  for (int v = 0; v < 6; v++) {
    change[v] = b->stress[v] + since_b * b->stress_rate[v] - a->stress[v] - since_a * a->stress_rate[v] + uniform[v];
    back[v] = -change[v];
  }
  const double kelvin = fmin(b->temperature_K, b->temperature_K + since_b * b->temperature_rate);
  return 1.01 * fmax(stz_kmc_growth(&t->kmc, kelvin, change), stz_kmc_growth(&t->kmc, kelvin, back));
}

// Goes on to a time: the events before it, and how far the mean may be off until the next one. It moves linearly.
static void go_to(const stz_tile *t, const stz_tile_window *w, stz_instant time, stz_tile_place *p) {
  bool moved = p->all < 0;
  if (moved) p->all = p->own = 0;
  while (p->all < w->count && w->events[p->all]->time < time) {
    p->own += w->tile[p->all++] == t->number;
    moved = true;
  }
  if (!moved || p->all == p->own) return;
  const stz_instant next = p->all < w->count ? w->events[p->all]->time : w->until;
  p->shift = fmax(shift_at(t, w, p, w->events[p->all - 1]->time), shift_at(t, w, p, next));
}

// The stress, without the mean, at a site just before a time, from what is there now: own events from then on come off,
// those of others before it come in. False if the barrier or rotation there are of another time.
static bool stress_at(stz_tile *t, const stz_tile_window *w, const int site[3], int32_t number, stz_instant time,
                      float stress[5]) {
  const stz_row8 *row8 = stz_ml_row8(&t->e, number);
  const float scale = stz_ml_slope(&t->e);
  const int64_t local = stz_ml_local(&t->e, number);
  stz_far_stencil nodes;
  int32_t near[5];
  for (int c = 0; c < 5; c++) near[c] = row8->near[c][number % 8];
  stz_far_read(t->e.far, site, &nodes);
  for (int i = t->count - 1; i >= 0 && t->events[i].time >= time; i--) {
    const stz_tile_event *e = &t->events[i];
    float off[5];
    stz_near_change change;
    int touched;
    for (int c = 0; c < 5; c++) off[c] = -e->d[c];
    stz_far_stencil_add(t->e.far, e->origin, off, &nodes);
    if (stz_near_at(t->e.near, e->origin, off, scale, site, &change)) {
      for (int c = 0; c < 5; c++) near[c] += change.near[c];
    }
    const int64_t *its = stz_glass_part_touched(t->glass, i, &touched);
    for (int k = 0; k < touched; k++) {
      if (its[k] == local) return false;
    }
  }
  for (int k = 0; k < w->count && w->events[k]->time < time; k++) {
    const stz_tile_event *e = w->events[k];
    stz_near_change change;
    if (w->tile[k] == t->number) continue;
    stz_far_stencil_add(t->e.far, e->origin, e->d, &nodes);
    if (stz_near_at(t->e.near, e->origin, e->d, scale, site, &change)) {
      for (int c = 0; c < 5; c++) near[c] += change.near[c];
    }
  }
  stz_far_stencil_stress(t->e.far, &nodes, stress);
  for (int c = 0; c < 5; c++) stress[c] += t->e.split->near_unit * (float)near[c];
  return true;
}

// Whether a point that was none is none with the others' events either.
static bool stays_none(stz_tile *t, const stz_tile_window *w, int all, const stz_tile_look *look, const int site[3]) {
  const int32_t number = look->point.number;
  const int64_t at = stz_ml_local(&t->e, number);
  const stz_mean_stress *mean = &w->mean[all];
  float stress[5], rates[STZ_MODES][2];
  t->again++;
  if (!stress_at(t, w, site, number, look->point.time, stress)) return false;
  memcpy(t->head.uniform, w->uniform[all], sizeof t->head.uniform);
  const double sum = stz_ml_rates_of(&t->kmc, mean, stz_points_since(&t->x, look->point.time, mean->t0), number, stress,
                                     (float)stz_glass_barrier_at(t->kmc.glass, at, stz_glass_recovery(t->kmc.glass)),
                                     stz_glass_rotation(t->kmc.glass)[at], rates);
  return !(look->point.height < t->x.attempt * sum);
}

// What counts, at the least, of the rates of the site (attempt rates) when the event comes.
static double most_of(const stz_tile *t, const stz_mean_stress *mean, const stz_tile_event *e,
                      const int16_t cached[5]) {
  float stress[5], rates[STZ_MODES][2];
  for (int c = 0; c < 5; c++) stress[c] = STZ_CACHED * (float)cached[c];
  return stz_exp(e->margin) * stz_ml_rates_of(&t->kmc, mean, stz_points_since(&t->x, e->time, mean->t0), e->number,
                                              stress, e->barrier, e->rotation, rates);
}

// Whether an event is the same with the others' events, and its `internal` stress.
static bool stays_event(stz_tile *t, const stz_tile_window *w, int all, stz_tile_event *e) {
  const stz_mean_stress *mean = &w->mean[all];
  const float scale = stz_ml_slope(&t->e);
  float stress[5], driving[5], rates[STZ_MODES][2];
  int32_t near[5];
  int16_t cached[5];
  stz_far_stencil nodes = e->nodes;
  memcpy(near, e->near, sizeof near);
  memcpy(cached, e->cached, sizeof cached);
  for (int k = 0; k < all; k++) {
    const stz_tile_event *f = w->events[k];
    stz_near_change change;
    if (w->tile[k] == t->number) continue;
    stz_far_stencil_add(t->e.far, f->origin, f->d, &nodes);
    if (!stz_near_at(t->e.near, f->origin, f->d, scale, e->origin, &change)) continue;
    for (int c = 0; c < 5; c++) {
      near[c] += change.near[c];
      cached[c] = (int16_t)(cached[c] + change.cached[c]);
    }
  }
  stz_far_stencil_stress(t->e.far, &nodes, stress);
  for (int c = 0; c < 5; c++) stress[c] += t->e.split->near_unit * (float)near[c];
  memcpy(t->head.uniform, w->uniform[all], sizeof t->head.uniform);
  for (int c = 0; c < 5; c++) e->internal[c] = stress[c] + (float)stz_ml_uniform(&t->e, c);
  memcpy(driving, stress, sizeof driving);
  const double sum = stz_ml_rates_of(&t->kmc, mean, stz_points_since(&t->x, e->time, mean->t0), e->number, driving,
                                     e->barrier, e->rotation, rates);
  stz_shear shear;
  if (!(e->height < t->x.attempt * sum)) return false;
  if (!stz_points_near(&t->x, stress, cached, e->margin) && sum > most_of(t, mean, e, cached)) return false;
  stz_ml_choose(&t->kmc, e->number, (const float(*)[2])rates, e->mode * sum, &shear);
  return shear.mode == e->event.shear.mode && shear.sign == e->event.shear.sign;
}

// ln: how far the rate of a site may move by one event elsewhere; infinity: it is to be looked at.
static double influence(const stz_tile *t, const int from[3], const int site[3]) {
  int most;
  const int r2 = apart(&t->e, from, site, &most);
  if (most > t->reach) return 0.0;
  if (r2 < STZ_NEAR_SPAN * STZ_NEAR_SPAN) return INFINITY;
  const double r = sqrt((double)r2);
  return (double)stz_ml_slope(&t->e) * t->strength / (r * r * r);
}

// Whether the window's event k, of another tile, touches a site.
static bool touches(const stz_tile *t, int k, int64_t local) {
  for (int i = t->touches[k]; i < t->touches[k + 1]; i++) {
    if (t->touched[i] == local) return true;
  }
  return false;
}

// Whether a look at a point has the same outcome with the others' events: those of the list `near` that may be within
// the near sphere or touch its site, those of `far` that may be felt.
static bool holds(stz_tile *t, const stz_tile_window *w, const stz_tile_place *p, const stz_tile_look *look) {
  double moved = p->all == p->own ? 0.0 : p->shift;
  int site[3];
  if (look->kind == STZ_POINT_HAPPENS) return true; // looked at with the event
  if (look->kind == STZ_POINT_SQUEEZED) moved += stz_points_margin(t->engine, look->point.number) - look->margin;
  if (p->all == p->own && moved < look->room) return true; // nobody else's events
  stz_ml_coordinates(&t->e, look->point.number, site);
  const stz_tile_others *others = look->kind == STZ_POINT_ABOVE ? &t->near : &t->far;
  for (int i = 0; i < others->count && others->event[i] < p->all; i++) {
    const int k = others->event[i];
    moved += influence(t, w->events[k]->origin, site);
    if (touches(t, k, stz_ml_local(&t->e, look->point.number))) return false;
  }
  return moved < look->room || stays_none(t, w, p->all, look, site);
}

// Whether the glass depends on the order of the window's event k, of another tile, and of an own one.
static bool overlap(const stz_tile *t, int k, int own) {
  int count;
  if (t->touches[k] == t->touches[k + 1]) return false;
  const int64_t *sites = stz_glass_part_touched(t->glass, own, &count);
  for (int i = 0; i < count; i++) {
    if (touches(t, k, sites[i])) return true;
  }
  return false;
}

// Planes from an event to the slab.
static int planes_to(const stz_tile *t, int x) {
  const int n = t->e.cells[0], after = stz_wrap_once(x - t->first, n); // x from the slab's first on
  const int beyond = after - (t->planes - 1), ahead = n - after;
  return beyond <= 0 ? 0 : beyond < ahead ? beyond : ahead;
}

static void list_others(stz_tile *t, const stz_tile_window *w) {
  t->near.count = t->far.count = 0;
  for (int k = 0; k < w->count; k++) {
    const int planes = planes_to(t, w->events[k]->origin[0]);
    if (w->tile[k] == t->number) continue;
    if (planes <= t->close) t->near.event[t->near.count++] = k;
    if (planes <= (int)t->reach) t->far.event[t->far.count++] = k;
  }
}

// Lists what the others' events touch here. False without room.
static bool list_touched(stz_tile *t, const stz_tile_window *w) {
  const int shears = stz_glass_part_shears(t->glass);
  t->touches[0] = 0;
  for (int k = 0; k < w->count; k++) {
    double strain[6];
    int count = 0;
    t->touches[k + 1] = t->touches[k];
    if (w->tile[k] == t->number) continue;
    stz_glass_shear(t->glass, &w->events[k]->event.shear, strain);
    const int64_t *sites = stz_glass_part_touched(t->glass, shears, &count);
    const bool fits = t->touches[k] + count <= STZ_TILE_TOUCHED;
    if (fits && count) memcpy(t->touched + t->touches[k], sites, (size_t)count * sizeof *sites);
    stz_glass_part_take_back(t->glass, 1);
    if (!fits) return false;
    t->touches[k + 1] += count;
  }
  return true;
}

stz_instant stz_tile_check(stz_tile *t, const stz_tile_window *w) {
  stz_instant time = w->until;
  stz_tile_place place = {.all = -1};
  if (!list_touched(t, w)) return w->from;
  list_others(t, w);
  for (int i = 0; i < t->looks && t->look[i].point.time <= time; i++) {
    go_to(t, w, t->look[i].point.time, &place);
    if (!holds(t, w, &place, &t->look[i])) time = t->look[i].point.time - 1;
  }
  for (int k = 0, i = 0; i < t->count && t->events[i].time <= time; i++) {
    stz_tile_event *e = &t->events[i];
    while (w->events[k] != e) k++;
    bool stays = stays_event(t, w, k, e);
    for (int f = 0; f < k; f++) stays &= w->tile[f] == t->number || !overlap(t, f, i);
    if (!stays) time = e->time - 1;
  }
  return time;
}

// --- taking in ---

// The level that a site had at a time of this window.
static int level_at(const stz_tile *t, int32_t number, stz_instant time, int now) {
  for (int i = 0; i < t->raises.count; i++) {
    const stz_tile_raised *r = &t->raises.all[i];
    if (r->number == number && r->time > time) return r->before;
  }
  return now;
}

// The time before the first point of a site in layers above `low` up to `high`, after `from` and until `until`; else
// `until`.
static stz_instant left_out(const stz_tile *t, int32_t number, int low, int high, stz_instant from, stz_instant until) {
  for (int k = low + 1; k <= high; k++) {
    const stz_point point = stz_points_own(t->x.seed, number, t->x.at.ground + k, from);
    if (point.time <= until) until = point.time - 1;
  }
  return until;
}

// How many layers above its level the points of a site may be events for an event near it, which its slack tells.
static int layers_for(const stz_near_change *change) {
  return 1 + (int)(-STZ_LOG2_E * (double)STZ_SLACK * change->slack);
}

// Whether an own event after f, until a time, has changed the stress near it at a site.
static bool is_changed(const stz_tile *t, const stz_tile_event *f, const int site[3], stz_instant until) {
  stz_near_change change;
  for (int i = t->count - 1; i >= 0 && t->events[i].time > f->time; i--) {
    const stz_tile_event *e = &t->events[i];
    if (e->time > until) continue;
    if (stz_near_at(t->e.near, e->origin, e->d, stz_ml_slope(&t->e), site, &change)) return true;
  }
  return false;
}

// After the window's event k, of another tile, was taken in, whose exhausted sites are in the list. Their bounds were
// set with the own events after it: before these, the rate may have been higher. If it touches the site, nothing says
// by how much.
static stz_instant check_raised(stz_tile *t, const stz_tile_window *w, int k, int bounded, int raised,
                                stz_instant until) {
  const stz_tile_event *f = w->events[k];
  for (int i = 0; i < bounded; i++) {
    const int32_t number = t->list.sites[i];
    int now = stz_points_level(&t->x, number), before_it = now, site[3];
    for (int r = raised; r < t->raises.count; r++) {
      if (t->raises.all[r].number == number) before_it = t->raises.all[r].before;
    }
    int low = level_at(t, number, f->time, before_it);
    if (low > before_it) low = before_it;
    stz_ml_coordinates(&t->e, number, site);
    if (is_changed(t, f, site, until)) {
      stz_near_change change;
      if (touches(t, k, stz_ml_local(&t->e, number))) return f->time < until ? f->time : until;
      (void)stz_near_at(t->e.near, f->origin, f->d, stz_ml_slope(&t->e), site, &change);
      if (low + layers_for(&change) > now) now = low + layers_for(&change);
    }
    if (now > low) until = left_out(t, number, low, now, f->time, until);
  }
  return until;
}

// Sites whose bounds own events after it have set anew: before these, the bounds may not have held with it.
static stz_instant check_bounded(stz_tile *t, const stz_tile_event *f, stz_instant until) {
  for (int i = 0; i < t->count; i++) {
    const stz_tile_event *e = &t->events[i];
    int most;
    if (e->time <= f->time || e->time > until) continue;
    (void)apart(&t->e, e->origin, f->origin, &most);
    if (most > t->close + STZ_NEAR_SPAN) continue;
    for (int s = 0; s < e->bounded; s++) {
      int site[3];
      stz_near_change change;
      stz_ml_coordinates(&t->e, e->sites[s], site);
      if (apart(&t->e, f->origin, site, &most) >= STZ_NEAR_SPAN * STZ_NEAR_SPAN) continue;
      if (!stz_near_at(t->e.near, f->origin, f->d, stz_ml_slope(&t->e), site, &change)) continue;
      const int low = level_at(t, e->sites[s], f->time, stz_points_level(&t->x, e->sites[s]));
      until = left_out(t, e->sites[s], low, low + layers_for(&change), f->time, until);
    }
  }
  return until;
}

stz_instant stz_tile_take(stz_tile *t, const stz_tile_window *w) {
  stz_instant until = w->until;
  t->x.at.now = w->until;
  for (int k = 0; k < w->count; k++) {
    const stz_tile_event *f = w->events[k];
    double strain[6];
    int touched;
    if (w->tile[k] == t->number) continue;
    const int raised = t->raises.count;
    const int shears = stz_glass_part_shears(t->glass);
    stz_glass_shear(t->glass, &f->event.shear, strain);
    const int64_t *sites = stz_glass_part_touched(t->glass, shears, &touched);
    const int bounded = stz_ml_put_part(&t->kmc, f->origin, f->d, sites, touched);
    t->foreign++;
    until = check_raised(t, w, k, bounded, raised, until);
    until = check_bounded(t, f, until);
  }
  return t->raises.full ? w->from : until;
}
