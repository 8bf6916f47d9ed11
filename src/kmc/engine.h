// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/kmc: not installed.
//
// The interface that every engine implements; see kmc.h for what the calls mean.
#ifndef STZ_KMC_ENGINE_H
#define STZ_KMC_ENGINE_H

#include "kmc/kmc.h"
#include "rng/rng.h"
#include "stz/law.h"

// What all engines share: the sample, the operator and the stream of random numbers of the events.
struct stz_kmc {
  const struct stz_engine *engine;
  stz_kmc_params params;
  stz_glass *glass;
  stz_elastic *elastic;
  uint64_t seed;
  stz_rng rng;
  stz_kmc_stats stats;
  stz_mean_stress drive;        // what holds since its t0, up to which time has passed for the glass
  double attempt;               // attempt rate of one mode of one voxel, 1/s
  double searched;              // where an interrupted search continues, s after drive.t0; 0: none was interrupted
  stz_kmc_interrupt *interrupt; // may be NULL
  void *listener;               // for it
  void *state;                  // the engine's own
};

enum { STZ_ENGINE_SAVED_BYTES = STZ_KMC_SAVED_BYTES - sizeof(stz_rng) - sizeof(stz_kmc_stats) - 4 * sizeof(double) };

typedef struct stz_engine {
  void (*cost)(double sites, int ranks, bool random, stz_engine_cost *cost); // random: orientations; before a run
  stz_err (*create)(stz_kmc *kmc);
  void (*destroy)(stz_kmc *kmc);
  stz_err (*remake)(stz_kmc *kmc); // tables by the operator as it is now, and the stress of all strain so far by them
  stz_err (*next)(stz_kmc *kmc, const stz_mean_stress *mean, double limit, stz_event *event, bool *found);
  // Before the glass takes an event, unless the engine has the team do that, and says so: then add_stress waits for it,
  // and strain (out) is the event's. May be NULL.
  bool (*begin)(stz_kmc *kmc, const stz_event *event, double strain[6]);
  void (*add_stress)(stz_kmc *kmc, const stz_event *event, const double strain[6]); // of an event that happened
  stz_err (*rates)(stz_kmc *kmc, const stz_mean_stress *mean, double *total, double *plastic_rate);
  const float *(*stress)(const stz_kmc *kmc, int c);
  void (*site_stress)(const stz_kmc *kmc, int64_t local, float stress[5]);
  void (*self_stress)(const stz_kmc *kmc, int layer, double self[5][5]);
  double (*bytes_per_site)(const stz_kmc *kmc);
  const stz_fields *(*fields)(const stz_kmc *kmc);
  void (*save)(const stz_kmc *kmc, void *own); // at most STZ_ENGINE_SAVED_BYTES
  void (*restore)(stz_kmc *kmc, const void *own);
  void *(*block)(const stz_kmc *kmc, int index, size_t *bytes); // of its state; NULL past the last; may be NULL
  void (*new_clock)(stz_kmc *kmc);                              // the drive's t0 becomes the time 0; may be NULL
  stz_err (*go_ahead)(stz_kmc *kmc, const stz_kmc_load *load);  // may be NULL, as is_ahead
  bool (*is_ahead)(const stz_kmc *kmc);
} stz_engine;

// Collective. Call it between two windows of a search, `start` seconds after the drive's t0: true if the search must be
// interrupted here.
bool stz_kmc_leaves_off(stz_kmc *kmc, double start);

// Where moduli vary: D of a site (global index), else 1; the law without its mean stress, which the sites' stress then
// holds, else as it is.
float stz_kmc_dress(const stz_kmc *kmc, int64_t site);
stz_law stz_kmc_local_law(const stz_kmc *kmc, const stz_law *law);
// Of n sites from `first` on (multiples of 8): the tensor whose product with an event is what it adds to the mean axial
// strain, deviator components (out).
void stz_kmc_axis_rows(const stz_kmc *kmc, int64_t first, int n, float *const axis[5]);

// initial.c: the stress of the quenched-in strain, 5 components stz_field_stride apart; untouched if there is none.
// Where moduli vary, without D of the sites where it is felt. Collective.
stz_err stz_kmc_initial_stress(const stz_kmc *kmc, float *stress) STZ_MUST_USE;

// The same of that strain and of all events. Not where moduli vary.
stz_err stz_kmc_present_stress(const stz_kmc *kmc, float *stress) STZ_MUST_USE;

// What stz_contrast_correct works on: the quenched-in strain and, if `events`, that of all events. One rank.
void stz_kmc_give_exact(const stz_kmc *kmc, bool events);

// thinning.c: the waiting time to the next proposal when a hazard R exp(g t) bounds the true one. Starting `elapsed` s
// after the hazard was R = `rate` (1/s), with g = `growth` (1/s), returns the time, since it was R, at which its
// integral has grown by `exponential` (a number of mean 1).
double stz_thinning_wait(double rate, double growth, double elapsed, double exponential);

#endif
