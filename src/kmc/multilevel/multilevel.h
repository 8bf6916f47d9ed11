// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/kmc: not installed.
//
// What the files of the multilevel engine share; engine.c explains the algorithm.
#ifndef STZ_KMC_MULTILEVEL_H
#define STZ_KMC_MULTILEVEL_H

#include "base/mathfn.h"
#include "elastic/far.h"
#include "elastic/film_total.h"
#include "elastic/fixed.h"
#include "elastic/mirror.h"
#include "elastic/near.h"
#include "elastic/total.h"
#include "kmc/engine.h"
#include "stz/rates.h"

enum {
  STZ_ML_SITES = 512,       // of a block
  STZ_ML_GROUP = 64,        // blocks of a group, the second step of the sum tree
  STZ_ML_SPREAD = 7,        // blocks per axis about an event whose drift is estimated one by one
  STZ_ML_EXHAUSTED = 16384, // single sites whose bounds are recomputed at once
  STZ_ML_TOUCHED = -7680    // slack of a site whose barrier or rotation has changed: -30, less than may be raised
};

// Scalars of the state.
typedef struct stz_ml_head {
  double mean[5], kelvin; // the reference: bounds hold at this mean stress (with the uniform part) and temperature
  double applied[6];      // the mean stress there
  int64_t uniform[5];     // removes the truncated kernels' net sum (zero-mean correction), eV/nm^3, STZ_FINE a unit
  double activity;        // sum of all rates when last summed, in attempt rates, at the reference
  double accepted;        // running mean of accepted over proposed
  double total;           // sum of all bounds
  double typical;         // limit of a block that was never updated
  double everywhere;      // drift common to all blocks, since all bounds were last set
  double ahead;           // ln of the factor by which `activity` may have risen since the last sweep; see put_off
  uint64_t recomputed, rebounded, converged, scanned; // events by then
  uint64_t tried;                                     // proposals since all bounds were last set
  int stale;                                          // a full recompute is due before the next event
  int put_off;                                        // the bounds at the reference are still to be set
} stz_ml_head;

// Scratch memory for the sites of one block.
typedef struct stz_ml_room {
  _Alignas(64) float far[5][STZ_ML_SITES]; // stress of the levels and the coarse part
  float s[5][STZ_ML_SITES], barrier[STZ_ML_SITES], rates[STZ_ML_SITES];
  uint16_t rotation[STZ_ML_SITES];
} stz_ml_room;

// Scratch memory for single sites whose bounds are recomputed together.
typedef struct stz_ml_list { // NOLINT(clang-analyzer-optin.performance.Padding): as stz_ml_room
  _Alignas(64) float s[5][STZ_ML_EXHAUSTED + 8], barrier[STZ_ML_EXHAUSTED + 8], rates[STZ_ML_EXHAUSTED + 8];
  int32_t sites[STZ_ML_EXHAUSTED + 8];  // number of a site: 512 block + site of the block
  int32_t places[STZ_ML_EXHAUSTED + 8]; // its local index
  uint16_t rotation[STZ_ML_EXHAUSTED + 8];
  int16_t slack[STZ_ML_EXHAUSTED + 8], units[5][STZ_ML_EXHAUSTED + 8]; // units: cached stresses
} stz_ml_list;

// What an update of a block's bounds finds. The last three not for a selection of its own.
typedef struct stz_ml_update {
  int block;
  float moved;   // the largest change of a site's cached stress, eV/nm^3
  float used;    // largest part of the margin that the drift has used, ln
  int above;     // sites above their bounds
  double excess; // sum of the excess of their rates, in attempt rates
} stz_ml_update;

// One event's work that the team shares: the glass, with a selection of its own, and the levels (elastic/far.h).
typedef struct stz_ml_shared {
  bool posted;  // and the event has not been taken yet: see stz_ml_begin
  bool pending; // the team may still be at the levels: see stz_ml_settle
  bool glass;   // is the team's
  stz_shear shear;
  int origin[3];
  float strain[5];
} stz_ml_shared;

// Who chooses the sites, if not the tree of sums, which then is up to date only after all bounds were set.
typedef struct stz_ml_selection {
  void (*bounded)(void *context, const int32_t *rows8, int count); // bounds of rows of 8 have changed; NULL: of all
  float (*plan)(void *context);                                    // all bounds are set, head->activity is new: the
                                                                   // least bound from here on; bounded follows
  // The same as `bounded` in two steps: of rows of 8, by a part of the team's work, and afterwards for all parts.
  void (*share)(void *context, int worker, const int32_t *rows8, int count);
  void (*gather)(void *context);
  void *context;
  float least;    // bound
  int32_t *rows8; // those that are to be told of
  int count;
} stz_ml_selection;

// With a selection of its own, drift is a sum of multiples of 2^-16, which no order changes: what is added to this
// number, and taken off again, is rounded to them.
#define STZ_ML_GRAIN 192.0f

enum { STZ_ML_TOLD = 4096 }; // rows that are told of at once, at most

typedef struct stz_multilevel { // NOLINT(clang-analyzer-optin.performance.Padding): in the order of use
  const stz_grid *grid;
  int cells[3], count[3]; // sites and blocks per axis
  int blocks, groups;
  uint64_t recompute_every, converge_every; // events
  stz_split *split;
  stz_near *near;
  stz_far *far;
  stz_total *total;     // of a periodic box, else NULL
  stz_film_total *film; // of a film, else NULL
  // The engine's own: what all least bounds together are at most, of the sum of rates; up to how many least bounds a
  // bound is loosened rather than recomputed; ln: slack that bounds have for events nearby, at least.
  double waste;
  float cheap, spare;
  double missed;                                             // share of the events that may be missed
  stz_ml_selection selection;                                // `bounded` NULL: the tree of sums selects
  float spread[STZ_ML_SPREAD][STZ_ML_SPREAD][STZ_ML_SPREAD]; // drift of a block per event, stress over the event's
  float beyond;                                              // and in all others

  // The state: one block of bytes.
  char *state;
  size_t state_bytes;
  stz_ml_head *head;
  double *block_sum, *group_sum; // of bounds
  uint64_t *cached;              // events when a block's bounds were last updated
  float *drift, *drift_limit;    // of a block, ln; `everywhere` is added; limit 0: the typical one
  float *row_sum;                // of bounds, of each row of 8 sites
  stz_row8 *rows8;               // the sites: stress, slack, bound (in attempt rates), barrier (eV)

  // Work space.
  stz_ml_shared shared;
  stz_ml_update updates[STZ_TEAM_POSTED];
  stz_law law;            // at the reference
  bool due;               // the drift of a block has passed its limit: for the selection
  double slope;           // largest change of ln(rate) per unit of deviator stress, at the reference
  double most_dress;      // of D; 1 where moduli do not vary
  float *stress;          // 5 components of all sites, made on demand; NULL before
  uint64_t stress_at;     // events when it was made
  uint64_t rated_at;      // events when the rates of all sites were last asked for
  unsigned char *changed; // groups whose sum must be recomputed
  int32_t *corner;        // local index of the first site of a block
  double *row_sums;       // of a row of the history, three per block
  stz_ml_room *rooms;     // one per worker of the team; the first serves single blocks
  stz_ml_list *list;
} stz_multilevel;

// setup.c: what the engines' tables take from it. `engine` of the parameters says which one is made.
stz_err stz_ml_create(stz_kmc *kmc) STZ_MUST_USE;
void stz_ml_destroy(stz_kmc *kmc);
bool stz_ml_begin(stz_kmc *kmc, const stz_event *event, double strain[6]);
stz_err stz_ml_remake(stz_kmc *kmc) STZ_MUST_USE;
void stz_ml_add_stress(stz_kmc *kmc, const stz_event *event, const double strain[6]);
double stz_ml_bytes(const stz_kmc *kmc);
const stz_fields *stz_ml_fields(const stz_kmc *kmc);
void *stz_ml_block(const stz_kmc *kmc, int index, size_t *bytes);
void stz_ml_restore(stz_kmc *kmc, const void *own);
void stz_ml_cost(double sites, int ranks, bool random, stz_engine_cost *cost);

// A stretch of a search, in which the bounds grow exponentially. It begins at `begin`, `start` after the mean stress's
// t0.
typedef struct stz_ml_stretch {
  double start, begin, length;
  double raised, growth; // of the bounds, at its start, and its rate
} stz_ml_stretch;

// The factor by which bounds have grown at the time `within` after its start.
static inline double stz_ml_raised(const stz_ml_stretch *s, double within) {
  return s->growth > 0.0 ? s->raised * stz_exp(s->growth * within) : s->raised;
}

// Has all bounds set anew at the next proposal that is rejected.
void stz_ml_tire(stz_multilevel *e);

// The stretch that begins `start` after the mean stress's t0. And whether all bounds must be recomputed there, since
// the load is `excess` (ln) away from the reference.
stz_ml_stretch stz_ml_stretch_from(const stz_kmc *kmc, const stz_mean_stress *mean, double start);
bool stz_ml_sweep_due(const stz_kmc *kmc, const stz_mean_stress *mean, double start, double excess);

bool stz_ml_is_over(const stz_ml_stretch *s, double limit, double within);

// A proposal: an event at a site if the site's rate is above `accept` times its bound.
typedef struct stz_ml_proposal {
  int32_t number; // of the site
  double accept;  // in [0, 1)
  double height;  // 1/s: the points engine's own
  double mode;    // in [0, 1): chooses the mode; of the points engine
  double within, elapsed,
      time_s; // time in the stretch (INFINITY: none is left), since the mean stress's t0, of an event
} stz_ml_proposal;

// Finds the first proposal of a stretch after the time p->within, where p (in and out) is the one before; p->within =
// INFINITY if the stretch or the time until `limit` has none.
typedef stz_err stz_ml_propose(stz_kmc *kmc, const stz_mean_stress *mean, const stz_ml_stretch *s, double limit,
                               stz_ml_proposal *p);

// Accepts or rejects a proposal; `raised`: the factor by which bounds have grown. True if it is an event, *shear.
typedef bool stz_ml_consider(stz_kmc *kmc, const stz_mean_stress *mean, double raised, const stz_ml_proposal *p,
                             stz_shear *shear);

// The search for the next event, as stz_kmc_next describes it.
stz_err stz_ml_search(stz_kmc *kmc, const stz_mean_stress *mean, double limit, stz_ml_propose *propose,
                      stz_ml_consider *consider, stz_event *event, bool *found) STZ_MUST_USE;

double stz_ml_recovery_at(const stz_kmc *kmc, const stz_mean_stress *mean, double elapsed);

// The exact rates of a site, in attempt rates; returns their sum.
double stz_ml_exact_rates(const stz_kmc *kmc, const stz_mean_stress *mean, double elapsed, int32_t number,
                          float rates[STZ_MODES][2]);

// The same of a site with this stress without the mean (in and out), barrier (eV) and rotation.
double stz_ml_rates_of(const stz_kmc *kmc, const stz_mean_stress *mean, double elapsed, int32_t number, float stress[5],
                       float barrier, uint16_t rotation, float rates[STZ_MODES][2]);

// The same as stz_ml_exact_rates from the site's cached stress: what it knows of distant events is of the last update
// of its block.
double stz_ml_cached_rates(const stz_kmc *kmc, const stz_mean_stress *mean, double elapsed, int32_t number);

// Chooses the mode of an event among the site's rates, of whose sum `left` is a part.
void stz_ml_choose(const stz_kmc *kmc, int32_t number, const float rates[STZ_MODES][2], double left, stz_shear *shear);

// Coordinates of the first site of a block.
void stz_ml_block_origin(const stz_multilevel *e, int block, int origin[3]);

// Number 512 block + site of the block of a site, and back.
int32_t stz_ml_number(const stz_multilevel *e, const int xyz[3]);
void stz_ml_coordinates(const stz_multilevel *e, int32_t number, int xyz[3]);

// Local index of a site by its number.
static inline int64_t stz_ml_local(const stz_multilevel *e, int32_t number) {
  const uint32_t within = (uint32_t)number % STZ_ML_SITES;
  return e->corner[(uint32_t)number / STZ_ML_SITES] +
         (int32_t)(within / 64 * (uint32_t)e->cells[1] + within / 8 % 8) * e->cells[2] + (int32_t)(within % 8);
}

// Stress of a site without the mean and the uniform part; where moduli vary, without D.
void stz_ml_site_stress(const stz_multilevel *e, int32_t number, float stress[5]);

// Uniform stress that removes the net sum of the truncated kernels (zero-mean correction), eV/nm^3.
static inline double stz_ml_uniform(const stz_multilevel *e, int c) { return stz_from_fine(e->head->uniform[c]); }

// Where moduli vary (load.c): the stresses of a block, which lack the uniform part and D, become driving stresses at
// the reference. In and out.
void stz_ml_load_block(const stz_kmc *kmc, const stz_multilevel *e, int block, float s[5][STZ_ML_SITES]);

// The same of the first n sites of a list, whose places are known.
void stz_ml_load_list(const stz_kmc *kmc, const stz_multilevel *e, stz_ml_list *list, int n);

// The same of one site under a mean stress and a uniform part.
void stz_ml_load_site(const stz_kmc *kmc, const stz_multilevel *e, const double mean[6], const double uniform[5],
                      int32_t number, float stress[5]);

// No site's driving stress is farther from that at the reference when the mean stress is `mean`, and the deviator of
// mean and uniform part `total`.
double stz_ml_furthest(const stz_kmc *kmc, const double mean[6], const double total[5]);

// The row of 8 that holds a site, by the site's number; its place there is number % 8.
static inline stz_row8 *stz_ml_row8(const stz_multilevel *e, int32_t number) { return e->rows8 + number / 8; }

// Stress of all sites of a block into `room` and their cached stress, and their rates under `law` into room->rates;
// returns the sum of rates. Barriers are those of the rows8: damage that recovers may have raised the glass's own
// since. *moved (out, may be NULL): the largest change of a site's cached stress, eV/nm^3.
double stz_ml_block_rates(const stz_kmc *kmc, const stz_multilevel *e, const stz_law *law, int block, stz_ml_room *room,
                          float *moved);

enum { STZ_ML_PART = 4 }; // blocks of a part of the team's work

// Copies the barriers of a block from the glass to its rows of 8.
void stz_ml_copy_glass(const stz_kmc *kmc, stz_multilevel *e, int block);

// ln of the factor by which the rate of a site may exceed its bound times exp(-slack): the drift estimate so far, at
// most the margin.
double stz_ml_drift_estimate(const stz_multilevel *e, int32_t number);
double stz_ml_margin(void);  // ln: margin of the bounds for drift
double stz_ml_largest(void); // largest bound and largest rate, in attempt rates

// The reference moves to the mean stress and temperature given, without a look at the sites.
void stz_ml_refer(stz_kmc *kmc, const stz_mean_stress *mean, double elapsed);

// Sets all bounds at the reference. `t` (s) is for messages.
stz_err stz_ml_rebound_all(stz_kmc *kmc, double recovery, double t);

// What the sum of all bounds is at most after the sweep that is put off.
double stz_ml_most(const stz_multilevel *e);

// Fails with STZ_ENUMERIC if a sum of rates, or of bounds, is above the bound `bound` of the same unit, at time t (s):
// the barrier law then grows faster than it says (stz_rate_growth).
stz_err stz_ml_check_sum(double sum, double bound, double t) STZ_MUST_USE;

// Whether the near part of an event comes before the glass is asked for what the event has changed there; else after.
// Not where the order of the bounds matters: for the tree of sums, and beside the images of a film.
static inline bool stz_ml_is_early(const stz_multilevel *e) { return e->selection.bounded && !e->film; }

// Has the team, which is brisk, begin with what an event of strain deviator `d` at `origin` adds to the levels, and, if
// stz_ml_is_early, with what it does to the glass, which stz_ml_await_glass waits for; returns that. The team may go on
// with the levels after stz_ml_take_event. Before they are read, stz_ml_settle must be called, which waits for them.
bool stz_ml_post_event(stz_kmc *kmc, const stz_shear *shear, const int origin[3], const float d[5]);
void stz_ml_await_glass(const stz_kmc *kmc);
void stz_ml_settle(const stz_kmc *kmc);

// For stz_ml_take_event: the event's part in the rows of 8 about it, and in the levels unless the team is at it;
// returns the number of rows whose exhausted bounds are not negligible and are still to be recomputed, and lists them.
int stz_ml_add_event(stz_kmc *kmc, const int origin[3], const float strain[5], stz_exhausted **exhausted);

// Appends the exhausted sites to the `listed` sites of a list; returns its length.
int stz_ml_list_exhausted(stz_ml_list *list, const stz_exhausted *exhausted, int rows8, int listed);

// The largest change of ln(rate) per unit of an event's stress.
static inline float stz_ml_slope(const stz_multilevel *e) { return (float)(e->slope * e->most_dress); }

// After an event of strain deviator `e` at `origin`: updates drift and slack, and recomputes exhausted bounds.
void stz_ml_take_event(stz_kmc *kmc, const int origin[3], const float e[5]);

// What stz_ml_take_event consists of. The drift per event that is common to all blocks, and the uniform stress.
static inline double stz_ml_drift_beyond(const stz_multilevel *e) { return (double)(stz_ml_slope(e) * e->beyond); }
void stz_ml_add_uniform(stz_multilevel *e, const int origin[3], const float strain[5]);
// Adds to the drift estimates of the blocks about an event, in the planes first <= x < end of blocks (sign -1: takes it
// off again, but for what is common to all), and lists these in near[STZ_ML_SPREAD^3]; returns their number. With a
// selection of its own, which updates them, sets e->due if one has passed its limit.
int stz_ml_add_drift(stz_multilevel *e, const int origin[3], int sign, int first, int end, int32_t *near);

// For a tile (kmc/points/tile.h), whose `near` and `far` are parts: adds an event's stress there, and bounds anew what
// it has exhausted and the `count` local sites whose barrier or rotation have changed; returns the number of sites
// bounded, which e->list has.
int stz_ml_put_part(stz_kmc *kmc, const int origin[3], const float strain[5], const int64_t *touched, int count);

// The limit of the drift estimate at which a block's bounds are updated, and whether the block has reached it.
static inline float stz_ml_drift_limit(const stz_multilevel *e, int block) {
  return e->drift_limit[block] > 0.0f ? e->drift_limit[block] : (float)e->head->typical;
}
static inline bool stz_ml_used(const stz_multilevel *e, int block) {
  return e->drift[block] + (float)e->head->everywhere > stz_ml_drift_limit(e, block);
}

// Updates the bounds of those of `count` blocks (NULL: the first ones) that have reached their limit, one after the
// other, from their exact rates; the team shares the work. Call stz_ml_sum_changed afterwards, as after the next two.
void stz_ml_rebound_due(stz_kmc *kmc, const int32_t *blocks, int count);

// The limit of a block changes by the factor `share`, or by as much of it as is safe, to `loosest` at most, and to less
// where events soften their surroundings.
void stz_ml_adapt_limit(const stz_kmc *kmc, int block, float share, float loosest);

// The limit of blocks without one of their own learns from that of a block.
void stz_ml_learn_typical(stz_multilevel *e, int block);

// Updates the bounds of a block from its exact rates, and says what they show. It touches nothing but the block.
stz_ml_update stz_ml_update_block(const stz_kmc *kmc, int block, stz_ml_room *room);

// share.c: the same of the blocks that the first `count` of e->updates name, by the team where that is brisk. A
// selection of its own is told.
void stz_ml_update_blocks(stz_kmc *kmc, int count);

// Updates the bounds of blocks, at most STZ_TEAM_POSTED, for a selection of its own, which is told, without what the
// multilevel engine learns from it; returns for each what was found, until the next call.
const stz_ml_update *stz_ml_fold(stz_kmc *kmc, const int32_t *blocks, int count);

// The sum of a block's bounds.
double stz_ml_bound_of_block(const stz_multilevel *e, int block);

// Recomputes the bounds of the first n sites of the list, whose stress is there, and all sums but those above the
// blocks.
void stz_ml_bound_list(stz_kmc *kmc, int n);

// The cached stress of the first n sites of a list.
void stz_ml_cached_of_list(const stz_multilevel *e, stz_ml_list *list, int n);

// Loosens exhausted bounds that remain negligible in the 8-site rows near an event; leaves in `exhausted` (in and out)
// the sites whose rates must be evaluated. Different rows may be loosened at the same time. The sums follow after; a
// selection of its own is not told, for its points below negligible bounds come in any case.
void stz_ml_loosen_rows(const stz_multilevel *e, int rows8, stz_exhausted *exhausted);
void stz_ml_sum_loosened(stz_multilevel *e, int rows8, const stz_exhausted *exhausted);

// Recomputes the sums of the groups whose blocks have changed, and tells the selection.
void stz_ml_sum_changed(stz_multilevel *e);

// Recomputes the bound of one site from its cached stress, when damage has recovered so far.
void stz_ml_bound_cached(stz_kmc *kmc, int32_t number, double recovery);

// Recomputes the bound of one site after its cached stress was brought up to date, and all sums above it.
void stz_ml_bound_site(stz_kmc *kmc, int32_t number);

// ln of the factor by which bounds grow at the mean stress and temperature `elapsed` (s) after mean->t0.
double stz_ml_excess(const stz_kmc *kmc, const stz_mean_stress *mean, double elapsed);

// Fails with STZ_ENUMERIC if a sum of the nodes is beyond half of its range, at time t.
stz_err stz_ml_check_nodes(const stz_multilevel *e, double t) STZ_MUST_USE;

// Full recompute: the stress of all sites, without the mean, from the sample's strain by Fourier transform.
void stz_ml_recompute(stz_kmc *kmc);

// Sets the law and the slope that follow from the reference in the head.
void stz_ml_set_law(const stz_kmc *kmc, stz_multilevel *e);

// The engine's answers to stz_kmc_stress, stz_kmc_rates, stz_kmc_self_stress and stz_kmc_site_stress.
const float *stz_ml_stress(const stz_kmc *kmc, int c);
stz_err stz_ml_rates(stz_kmc *kmc, const stz_mean_stress *mean, double *total, double *plastic_rate) STZ_MUST_USE;
void stz_ml_self_stress(const stz_kmc *kmc, int layer, double self[5][5]);
void stz_ml_stress_of(const stz_kmc *kmc, int64_t local, float stress[5]);

#endif
