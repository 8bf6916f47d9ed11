// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/kmc: not installed.
//
// What the files of the points engine share; engine.c explains the algorithm.
#ifndef STZ_KMC_INSIDE_H
#define STZ_KMC_INSIDE_H

#include "kmc/multilevel/multilevel.h"
#include "kmc/points/points.h"
#include "kmc/points/queue.h"

enum { STZ_POINTS_ROOM = 256, STZ_POINTS_TILES = 16 };

// Points below the ground without an event: after so many all bounds are set anew; from so many on the engine does not
// go ahead.
enum { STZ_POINTS_DRY = 2048, STZ_AHEAD_DRIEST = 64 };

// How the work is done. The first part changes no trajectory, which tests show; the rest says what is an event.
typedef struct stz_points_ways {
  int kept;         // layers that stay open above those that a bound needs
  double step;      // ln: the load may add so much to the bounds before levels are raised, at least
  float spare;      // ln: slack of new bounds
  bool squeezed;    // points are rejected by the slack alone where that can be
  bool backwards;   // blocks are updated from the last to the first
  int room;         // points that a worker of the team keeps until the end of its parts, at most STZ_POINTS_ROOM
  double margin;    // ln: a rate counts up to so far above that of the cached stress
  double target;    // ln: how far rates may move by distant events between updates of a block, about
  double missed;    // share of the events that may be missed
  uint64_t moments; // events from one moment to the next, at most; in large boxes as many as the coarse part lags by
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

// Notes of a tile (tile.h): a site has gone from the level `before` to `after` at `time`.
typedef struct stz_tile_raises stz_tile_raises;
void stz_tile_note_high(stz_tile_raises *raises, int32_t row8); // a level there is far above its bound
void stz_tile_note(stz_tile_raises *raises, stz_instant time, int32_t number, int before, int after);

typedef struct stz_points {
  stz_points_standing at;
  stz_points_ways ways;
  uint64_t seed;
  double attempt;
  stz_kmc *kmc;
  stz_multilevel *e;
  double stride;             // ln: the same, as it is now
  uint64_t set_at;           // events when all levels were set
  float scale;               // of bounds, 1/s: up to where points are looked at
  int32_t told[STZ_ML_TOLD]; // rows whose bounds have changed
  uint32_t *open;            // of a site: its level above the ground (low bits), and which layers have a point in the
                             // queue
  stz_uint128 *tall;         // the same of layers that `open` has no bits for; NULL before there are any
  bool short_of_memory;
  bool lent;                          // some queues are
  int tiles, tile;                    // slabs of the box that have queues of their own; the one that this is of, or -1
  stz_queue *queue[STZ_POINTS_TILES]; // one per tile
  int32_t tile_blocks[STZ_POINTS_TILES + 1]; // first block of each, and the end
  stz_points_found *found;                   // one per worker
  stz_tile_raises *raises;                   // of a tile: notes of the levels that it raises; else NULL
  struct stz_ahead *ahead;                   // NULL: every event is found by itself
} stz_points;

// The queue of a site's points.
static inline stz_queue *stz_points_queue(const stz_points *x, int32_t number) {
  int tile = 0;
  while (number / STZ_ML_SITES >= x->tile_blocks[tile + 1]) tile++;
  return x->queue[tile];
}

static inline stz_points *stz_points_of(const stz_kmc *kmc) {
  return ((const stz_multilevel *)kmc->state)->selection.context;
}

// engine.c: those of a run; others, for tests, before its first event.
extern const stz_points_ways stz_points_usual_ways;
void stz_points_set_ways(stz_kmc *kmc, const stz_points_ways *ways);

// supply.c: takes out the first point until `end` in a layer that is open; the one that follows it in its process takes
// its place. Of a tile: among its own points.
bool stz_points_take(stz_points *x, stz_instant end, stz_point *point);

// Has another worker put points of some time ahead in order, when it has nothing else to do; and the end of that,
// before the queues are used in another way than by stz_points_take.
void stz_points_lend(stz_points *x);
void stz_points_take_back(stz_points *x);

// Seconds from t0 of the caller's clock to an instant, 0 if it is before; and the instant of a time of that clock.
double stz_points_since(const stz_points *x, stz_instant time, double t0);
stz_instant stz_points_instant(const stz_points *x, double t);

// ln of what the load adds to the bounds until the end of a stretch.
double stz_points_most_ahead(const stz_ml_stretch *s);

// The proposal that a point is in a stretch; its `accept` may be 1 and more.
stz_ml_proposal stz_points_proposal(const stz_points *x, const stz_mean_stress *mean, const stz_ml_stretch *s,
                                    const stz_point *point);

// What a point is. STZ_POINT_UNSURE: below the rate of its site, of which not all counts.
typedef enum stz_point_kind {
  STZ_POINT_ABOVE,
  STZ_POINT_SQUEEZED,
  STZ_POINT_REJECTED,
  STZ_POINT_HAPPENS,
  STZ_POINT_UNSURE
} stz_point_kind;
typedef struct stz_points_verdict {
  stz_point_kind kind;
  double margin, room; // ln: up to where the rate counts; how far it may rise until the point may be an event
  double sum;          // of the rates, in attempt rates, unless the point is above or squeezed
  float rates[STZ_MODES][2];
} stz_points_verdict;
void stz_points_judge(stz_kmc *kmc, const stz_mean_stress *mean, double raised, const stz_ml_proposal *p,
                      stz_points_verdict *verdict);

// ln: a rate counts up to so far above that of the cached stress.
double stz_points_margin(const stz_points *x, int32_t number);

// Whether no stress so near to the cached one (units of STZ_CACHED) can bring a rate above the margin.
bool stz_points_near(const stz_points *x, const float stress[5], const int16_t cached[5], double margin);

// levels.c: which layers are open, and the ground below them.

// Whether a point's layer is still open; if not, it has left the queue.
bool stz_points_is_open(stz_points *x, const stz_point *point);

// Sets the levels of rows of 8 sites by their bounds; and of all sites, by the team.
void stz_points_set_levels(stz_points *x, const int32_t *rows8, int count);
void stz_points_set_all_levels(stz_points *x);

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

// The level of a site, in layers above the ground.
int stz_points_level(const stz_points *x, int32_t number);

// Has memory for levels of any height; false without.
bool stz_points_has_tall(stz_points *x);

// moments.c: what happens after an event. After how many events there is a moment, or a full recompute, at the latest;
// and the moment itself.
uint64_t stz_points_next_moment(const stz_points *x);
void stz_points_moment(stz_points *x, uint64_t events);
void stz_points_finish(stz_points *x, uint64_t events); // after events whose stress is there
void stz_points_add_stress(stz_kmc *kmc, const stz_event *event, const double strain[6]);

#endif
