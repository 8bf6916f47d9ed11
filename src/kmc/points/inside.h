// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/kmc: not installed.
//
// What the files of the points engine share; engine.c explains the algorithm.
#ifndef STZ_KMC_INSIDE_H
#define STZ_KMC_INSIDE_H

#include "kmc/multilevel/multilevel.h"
#include "kmc/points/points.h"
#include "kmc/points/queue.h"

enum { STZ_POINTS_ROOM = 256 };

// How the work is done. The first part changes no trajectory, which tests show; the rest says what is an event.
typedef struct stz_points_ways {
  int kept;         // layers that stay open above those that a bound needs
  double step;      // ln: the load may add so much to the bounds before levels are raised
  float spare;      // ln: slack of new bounds
  bool squeezed;    // points are rejected by the slack alone where that can be
  bool backwards;   // blocks are updated from the last to the first
  int room;         // points that a worker of the team keeps until the end of its parts, at most STZ_POINTS_ROOM
  double margin;    // ln: a rate counts up to so far above that of the cached stress
  double target;    // ln: how far rates may move by distant events between updates of a block, about
  double missed;    // share of the events that may be missed
  uint64_t moments; // events from one moment to the next, at most
} stz_points_ways;

// What a restart needs. The rest follows from it and from the bounds.
typedef struct stz_points_standing {
  stz_instant origin, now; // of the time 0 of the caller's clock; up to when points have been looked at
  double ahead;            // ln: levels hold until bounds have grown by this
  uint64_t laid, below;    // events when the activity was last looked at; points below the ground since
  uint64_t dry;            // points below the ground since the last event
  int ground, bare;
} stz_points_standing;
_Static_assert(sizeof(stz_points_standing) <= STZ_ENGINE_SAVED_BYTES, "the engine's saved state does not fit");

// What a worker of the team has found in its parts: first points of layers that it has opened, and rows that it leaves,
// for want of room or of memory, as a part allocates none.
typedef struct stz_points_found {
  _Alignas(64) int points, rows;
  stz_point point[STZ_POINTS_ROOM];
  int32_t row8[STZ_TEAM_POSTED * STZ_BLOCK_PIECES];
} stz_points_found;

typedef struct stz_points {
  stz_points_standing at;
  stz_points_ways ways;
  uint64_t seed;
  double attempt;
  stz_kmc *kmc;
  stz_multilevel *e;
  float scale;               // of bounds, 1/s: up to where points are looked at
  int32_t told[STZ_ML_TOLD]; // rows whose bounds have changed
  uint32_t *open;            // of a site: its level above the ground (low bits), and which layers have a point in the
                             // queue
  stz_uint128 *tall;         // the same of layers that `open` has no bits for; NULL before there are any
  bool short_of_memory;
  stz_queue *queue;
  stz_points_found *found; // one per worker
} stz_points;

static inline stz_points *stz_points_of(const stz_kmc *kmc) {
  return ((const stz_multilevel *)kmc->state)->selection.context;
}

// engine.c: those of a run; others, for tests, before its first event.
extern const stz_points_ways stz_points_usual_ways;
void stz_points_set_ways(stz_kmc *kmc, const stz_points_ways *ways);

// levels.c: which layers are open, and the ground below them.

// Whether a point's layer is still open; if not, it has left the queue.
bool stz_points_is_open(stz_points *x, const stz_point *point);

// Sets the levels of rows of 8 sites by their bounds; NULL: of all.
void stz_points_set_levels(stz_points *x, const int32_t *rows8, int count);

// The same as a part of the team's work, of rows of its own, but that the points come into the queue with
// stz_points_gather, after all parts.
void stz_points_share_levels(stz_points *x, int worker, const int32_t *rows8, int count);
void stz_points_gather(stz_points *x);

// Fills the queue with the points below the ground, and with no others.
void stz_points_lay_ground(stz_points *x);

// Moves the ground, as near to `ground` as may be; the levels are to be set.
void stz_points_set_ground(stz_points *x, int ground);

// The ground that fits a mean rate per site (1/s).
int stz_points_ground_for(double rate);

// The load may raise bounds by `ahead` (ln) from here on; the levels are to be set.
void stz_points_set_ahead(stz_points *x, double ahead);

// The least bound (attempt rates): its points lie below the ground, where they are looked at in any case.
float stz_points_least(const stz_points *x);

// moments.c: what happens after an event.
void stz_points_add_stress(stz_kmc *kmc, const stz_event *event, const double strain[6]);

#endif
