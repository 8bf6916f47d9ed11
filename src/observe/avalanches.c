// SPDX-License-Identifier: GPL-3.0-or-later
#include "observe/avalanches.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/comm.h"
#include "base/memory.h"

// An event whose window is open, or was when the last one came.
typedef struct member {
  double time_s, until_s;
  int64_t site, avalanche;
  double place_nm[3]; // from the first event of its avalanche, along the tree
} member;

// The counters of the state, saved as they are.
typedef struct counters {
  double last_s, mean_wait_s;
  int64_t waits; // that went into the mean
  int64_t begun; // avalanches
  int64_t members, open;
} counters;

struct stz_avalanches {
  const stz_grid *grid;
  stz_avalanche_params params;
  double share;
  counters now;
  member *members;     // by time
  stz_avalanche *open; // by id
  stz_avalanche *over; // the last that were taken out
  int64_t room;        // of each of the three arrays
};

// Offset from one site to another, the nearest image, in voxels.
static void offset(const stz_grid *grid, int64_t from, int64_t to, int d[3]) {
  const int *n = stz_grid_cells(grid);
  int a[3], b[3];
  stz_grid_coords(grid, from, a);
  stz_grid_coords(grid, to, b);
  for (int k = 0; k < 3; k++) {
    d[k] = b[k] - a[k];
    if (k == 2 && stz_grid_film(grid)) continue;
    if (2 * d[k] > n[k]) d[k] -= n[k];
    if (2 * d[k] < -n[k]) d[k] += n[k];
  }
}

static int within(const stz_avalanches *a, const int d[3]) {
  const double most = a->params.reach_nm / stz_grid_spacing(a->grid) * (1.0 + 1e-9); // voxels; on the edge is within
  return (double)d[0] * d[0] + (double)d[1] * d[1] + (double)d[2] * d[2] <= most * most;
}

static double fraction_within(const stz_avalanches *a) {
  const int *n = stz_grid_cells(a->grid), layers = stz_grid_film(a->grid) ? n[2] : 1; // that differ
  int64_t count = 0;
  for (int x = 0; x < n[0]; x++) {
    for (int y = 0; y < n[1]; y++) {
      for (int z = 0; z < n[2]; z++) {
        for (int layer = 0; layer < layers; layer++) {
          int d[3];
          offset(a->grid, layer, stz_grid_site(a->grid, x, y, z), d);
          count += within(a, d);
        }
      }
    }
  }
  return (double)count / ((double)stz_grid_sites(a->grid) * layers);
}

// Takes arrays that hold `room`, with what is in the old ones.
static stz_err make_room(stz_avalanches *a, int64_t room) {
  member *members = NULL;
  stz_avalanche *open = NULL, *over = NULL;
  stz_err err = STZ_NEW(members, room);
  if (err == STZ_OK) err = STZ_NEW(open, room);
  if (err == STZ_OK) err = STZ_NEW(over, room);
  err = stz_agree(stz_grid_comm(a->grid), err);
  if (err != STZ_OK) {
    stz_free(members);
    stz_free(open);
    stz_free(over);
    return err;
  }
  if (a->members) memcpy(members, a->members, (size_t)a->now.members * sizeof *members);
  if (a->open) memcpy(open, a->open, (size_t)a->now.open * sizeof *open);
  stz_free(a->members);
  stz_free(a->open);
  stz_free(a->over);
  a->members = members;
  a->open = open;
  a->over = over;
  a->room = room;
  return STZ_OK;
}

stz_err stz_avalanches_create(const stz_grid *grid, const stz_avalanche_params *params, stz_avalanches **avalanches) {
  stz_avalanches *a = NULL;
  *avalanches = NULL;
  STZ_TRY(stz_agree(stz_grid_comm(grid), STZ_NEW(a, 1)));
  *a = (stz_avalanches){.grid = grid, .params = *params};
  a->share = fraction_within(a);
  const stz_err err = make_room(a, 1024);
  if (err != STZ_OK) stz_avalanches_destroy(&a);
  *avalanches = a;
  return err;
}

void stz_avalanches_destroy(stz_avalanches **avalanches) {
  if (!*avalanches) return;
  stz_free((*avalanches)->members);
  stz_free((*avalanches)->open);
  stz_free((*avalanches)->over);
  stz_free(*avalanches);
  *avalanches = NULL;
}

double stz_avalanches_reach_fraction(const stz_avalanches *avalanches) { return avalanches->share; }

void stz_avalanches_new_clock(stz_avalanches *a, double time_s) {
  a->now.last_s -= time_s;
  for (int64_t i = 0; i < a->now.members; i++) {
    a->members[i].time_s -= time_s;
    a->members[i].until_s -= time_s;
  }
  for (int64_t i = 0; i < a->now.open; i++) {
    a->open[i].begin_s -= time_s;
    a->open[i].last_s -= time_s;
    a->open[i].open_until_s -= time_s;
  }
}

int stz_avalanches_over(stz_avalanches *a, double time_s, const stz_avalanche **list) {
  int64_t kept = 0, taken = 0;
  for (int64_t i = 0; i < a->now.open; i++) {
    if (a->open[i].open_until_s < time_s) {
      a->over[taken++] = a->open[i];
    } else {
      a->open[kept++] = a->open[i];
    }
  }
  a->now.open = kept;
  *list = a->over;
  return (int)taken;
}

// The running mean of waiting times, that of the event at `time_s` included; 0 at the first.
static double mean_wait(counters *now, double time_s) {
  if (now->begun > 0) {
    now->waits += now->waits < STZ_AVALANCHE_MEMORY;
    now->mean_wait_s += (time_s - now->last_s - now->mean_wait_s) / (double)now->waits;
  }
  now->last_s = time_s;
  return now->mean_wait_s;
}

// Lets go of the events whose windows are over, and finds the latest of the others within reach; NULL if there is none.
static const member *find_parent(stz_avalanches *a, const stz_avalanche_event *event, int from_parent[3]) {
  int64_t kept = 0, parent = -1;
  for (int64_t i = 0; i < a->now.members; i++) {
    int d[3];
    if (a->members[i].until_s < event->time_s) continue;
    a->members[kept] = a->members[i];
    offset(a->grid, a->members[kept].site, event->site, d);
    if (within(a, d)) {
      parent = kept;
      memcpy(from_parent, d, sizeof d);
    }
    kept++;
  }
  a->now.members = kept;
  return parent < 0 ? NULL : &a->members[parent];
}

static stz_avalanche *open_by_id(const stz_avalanches *a, int64_t id) {
  int64_t low = 0, high = a->now.open - 1;
  while (low < high) {
    const int64_t middle = (low + high) / 2;
    if (a->open[middle].id < id) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return &a->open[low];
}

static stz_avalanche *begin_avalanche(stz_avalanches *a, const stz_avalanche_event *event) {
  stz_avalanche *made = &a->open[a->now.open++];
  *made = (stz_avalanche){.id = a->now.begun++,
                          .run_begin_s = event->run_time_s,
                          .segment_begin_s = event->time_s,
                          .begin_s = event->time_s,
                          .open_until_s = event->time_s,
                          .segment = event->segment,
                          .strain = event->strain,
                          .first_site = event->site};
  return made;
}

stz_err stz_avalanches_add(stz_avalanches *a, const stz_avalanche_event *event) {
  int step[3];
  if (a->now.members == a->room) STZ_TRY(make_room(a, 2 * a->room));
  const double window = a->params.window * mean_wait(&a->now, event->time_s) / a->share;
  const member *parent = find_parent(a, event, step);
  member added = {.time_s = event->time_s, .until_s = event->time_s + window, .site = event->site};
  stz_avalanche *joined = parent ? open_by_id(a, parent->avalanche) : begin_avalanche(a, event);
  for (int k = 0; k < 3 && parent; k++) added.place_nm[k] = parent->place_nm[k] + step[k] * stz_grid_spacing(a->grid);
  added.avalanche = joined->id;
  joined->last_s = event->time_s;
  joined->open_until_s = fmax(joined->open_until_s, added.until_s);
  joined->events++;
  joined->plastic_strain += event->plastic_strain;
  joined->stress_drop += event->stress_drop;
  for (int k = 0; k < 3; k++) {
    joined->sum_nm[k] += added.place_nm[k];
    joined->square_nm2 += added.place_nm[k] * added.place_nm[k];
  }
  a->members[a->now.members++] = added;
  return STZ_OK;
}

double stz_avalanche_radius(const stz_avalanche *avalanche) {
  const double n = (double)avalanche->events;
  double square = avalanche->square_nm2 / n;
  for (int k = 0; k < 3; k++) square -= avalanche->sum_nm[k] / n * (avalanche->sum_nm[k] / n);
  return sqrt(fmax(0.0, square));
}

void stz_avalanche_centre(const stz_grid *grid, const stz_avalanche *avalanche, double centre_nm[3]) {
  const double a = stz_grid_spacing(grid);
  int xyz[3];
  stz_grid_coords(grid, avalanche->first_site, xyz);
  for (int k = 0; k < 3; k++) {
    const double box = stz_grid_cells(grid)[k] * a;
    const double x = (xyz[k] + 0.5) * a + avalanche->sum_nm[k] / (double)avalanche->events;
    centre_nm[k] = x - box * floor(x / box);
  }
}

size_t stz_avalanches_saved_bytes(const stz_avalanches *a) {
  return sizeof a->now + (size_t)a->now.members * sizeof *a->members + (size_t)a->now.open * sizeof *a->open;
}

void stz_avalanches_save(const stz_avalanches *a, void *saved) {
  char *to = saved;
  const size_t members = (size_t)a->now.members * sizeof *a->members;
  memcpy(to, &a->now, sizeof a->now);
  memcpy(to + sizeof a->now, a->members, members);
  memcpy(to + sizeof a->now + members, a->open, (size_t)a->now.open * sizeof *a->open);
}

stz_err stz_avalanches_restore(stz_avalanches *a, const void *saved, size_t bytes) {
  const char *from = saved;
  counters now = {0};
  if (bytes >= sizeof now) memcpy(&now, from, sizeof now);
  const bool counted = bytes >= sizeof now && now.members >= 0 && now.open >= 0 && now.open <= now.members;
  if (!counted || bytes != sizeof now + (size_t)now.members * sizeof *a->members + (size_t)now.open * sizeof *a->open) {
    return stz_fail(STZ_EIO, "checkpoint: damaged: avalanches that do not fill their %zu bytes", bytes);
  }
  while (a->room < now.members) STZ_TRY(make_room(a, 2 * a->room));
  a->now = now;
  const size_t members = (size_t)now.members * sizeof *a->members;
  memcpy(a->members, from + sizeof now, members);
  memcpy(a->open, from + sizeof now + members, (size_t)now.open * sizeof *a->open);
  return STZ_OK;
}
