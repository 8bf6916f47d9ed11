// SPDX-License-Identifier: GPL-3.0-or-later
//
// The clock and the choice of the next event: one small interface, with interchangeable engines behind it. The direct
// engine is the residence-time algorithm (BKL, n-fold way); the multilevel engine is rejection kinetic Monte Carlo with
// time-dependent bounds (thinning). Both draw waiting times exactly while load and temperature change.
//
//   stz_kmc_next   finds the next event before a time limit, given how the mean stress moves until then (nothing is
//                  changed but the clock and the random stream);
//   stz_kmc_fire   applies it to the glass and to the stress field.
// What the event does to the mean stress is the caller's business. Times are those of the caller's clock, which may
// begin anew between events (stz_kmc_new_clock).
#ifndef STZ_KMC_KMC_H
#define STZ_KMC_KMC_H

#include <stdbool.h>
#include <stdint.h>

#include "elastic/contrast.h"
#include "elastic/elastic.h"
#include "glass/glass.h"
#include "kmc/params.h"

typedef struct stz_kmc stz_kmc;

// The mean stress and the temperature from t0 on, linear in time.
typedef struct stz_mean_stress {
  double t0;                              // s
  double temperature_K, temperature_rate; // at t0; K/s
  double stress[6];                       // eV/nm^3 at t0
  double stress_rate[6];                  // eV/nm^3/s
} stz_mean_stress;

typedef struct stz_event {
  double time_s;
  stz_shear shear;
} stz_event;

// Counters of an engine, for reports and benches.
typedef struct stz_kmc_stats {
  uint64_t events, candidates, passes; // proposals made; evaluations of all sites
  // multilevel: full recomputes of the stress by Fourier transform, updates of block and of site bounds, proposals
  // rejected by the squeeze test, rates found above their bounds, and the events missed for them, by estimate
  uint64_t refreshes, folds, bounds, squeezed, violations;
  double missed;
} stz_kmc_stats;

// What a run costs, roughly, for `check` and for the order of a sweep. `sites`: of the box; `ranks`: of the run;
// `random`: whether grains have random orientations.
typedef struct stz_engine_cost {
  double event_s; // wall time per event
  double setup_s; // wall time of the set-up, per site, beside what all engines have
  double bytes;   // memory per rank beside what all engines have
} stz_engine_cost;
void stz_kmc_cost(stz_engine_kind engine, double sites, int ranks, bool random, stz_engine_cost *cost);

// Collective. Makes the engine params->engine for a sample. Only stz_kmc_fire and stz_kmc_advance modify the glass;
// other calls may update barriers for damage recovery. `elastic` (in and out) gets its table if the engine needs it.
// `glass` and `elastic` must outlive the engine; `seed` keys its stream of random numbers. Fails with STZ_EINPUT if the
// engine does not fit the box or the number of ranks.
stz_err stz_kmc_create(const stz_kmc_params *params, stz_glass *glass, stz_elastic *elastic, uint64_t seed,
                       stz_kmc **kmc) STZ_MUST_USE;
void stz_kmc_destroy(stz_kmc **kmc);

// A question that the engine asks during a long search, on all ranks together: true to interrupt the search.
// `interrupt` may be NULL; `context` is passed to it.
typedef bool stz_kmc_interrupt(void *context);
void stz_kmc_listen(stz_kmc *kmc, stz_kmc_interrupt *interrupt, void *context);

// How the load answers to events that an engine finds ahead of its caller, on copies of it that do not know of each
// other: calls for different copies come from several threads. Both give the mean stress, and until when it holds;
// false: the caller is to be asked first.
typedef struct stz_kmc_load {
  void *context;
  int copies;
  // Copy number `copy` is the load as it is now. In the last one *until is also before anything that the caller takes.
  bool (*begin)(void *context, int copy, stz_mean_stress *mean, double *until);
  // An event of that strain has happened.
  bool (*yield)(void *context, int copy, const stz_event *event, const double strain[6], stz_mean_stress *mean,
                double *until);
} stz_kmc_load;

// From here on stz_kmc_next may find several events at once, where the engine can and several cores share the work: the
// trajectory is the same. `load` is copied; its context must outlive the engine. Each event must be fired after it was
// found, at the mean stress that the load has told; as long as some are left, stz_kmc_is_ahead, nothing of the sample
// may be looked at but the stress at the site of the next event.
stz_err stz_kmc_go_ahead(stz_kmc *kmc, const stz_kmc_load *load) STZ_MUST_USE;
bool stz_kmc_is_ahead(const stz_kmc *kmc);

// Sets the clock of all times to 0 now, between two events.
void stz_kmc_new_clock(stz_kmc *kmc);

// Collective. Finds the next event at or before the time `limit` (s, INFINITY: none), while the load is `mean`; *found
// is false if there is none, or if the search was interrupted. An interrupted search continues at the next call, which
// must have the same `mean` and `limit`, also after saving and restoring. The event is the same on every rank. Fails
// with STZ_ENUMERIC if the bounds of the rates are violated too often.
stz_err stz_kmc_next(stz_kmc *kmc, const stz_mean_stress *mean, double limit, stz_event *event,
                     bool *found) STZ_MUST_USE;

// Sets the load from mean->t0 on, as stz_kmc_next does: for an event that was found before the engine was saved and
// restored.
void stz_kmc_drive(stz_kmc *kmc, const stz_mean_stress *mean);

// Advances the clock to t (s) without an event, under the load that stz_kmc_next was given last: damage recovers.
void stz_kmc_advance(stz_kmc *kmc, double t);

// Collective. Applies the event, at its time, to the glass and to the stress field. `strain` receives its strain gamma0
// P (tensor components): the mean plastic strain grows by strain Omega/V.
void stz_kmc_fire(stz_kmc *kmc, const stz_event *event, double strain[6]);

// Collective. Between two events: from now on sites interact as in a box stretched so (stz_elastic_stretch), and the
// stress of all events so far is found anew. The clock and the random numbers stay. Not in a film or where moduli vary.
stz_err stz_kmc_stretch(stz_kmc *kmc, const double stretch[3]) STZ_MUST_USE;

// Collective. Adds the stress of a plastic strain at a site, of an event that the law did not draw: `strain` has no
// trace. The glass and the clock stay; the stress counts as that of an event. After stz_kmc_next.
void stz_kmc_strain(stz_kmc *kmc, int64_t site, const double strain[6]);

// *total (out): sum of all rates (1/s). *plastic_rate (out): the axial (xx) plastic strain rate that they give (1/s),
// at the mean stress `mean` (t0). Collective; evaluates all sites. Fails with STZ_ENUMERIC if the sum is above the
// bound by which the engine draws events: then it misses some.
stz_err stz_kmc_rates(stz_kmc *kmc, const stz_mean_stress *mean, double *total, double *plastic_rate);

// The moduli's variation that the engine was made with; NULL: none. Then the mean stress drives all sites alike.
const stz_contrast *stz_kmc_contrast(const stz_kmc *kmc);

// The driving stress (out, deviator) that the mean stress makes at a site (global index); and the strain (out) whose
// share Omega/V the mean plastic strain grows by when an event of strain `event` happens there. Local.
void stz_kmc_load_at(const stz_kmc *kmc, int64_t site, const double mean[6], double drive[5]);
void stz_kmc_mean_strain(const stz_kmc *kmc, int64_t site, const double event[6], double strain[6]);

// stz_rate_growth of the sample, where every site answers to the mean stress by its own tensor. Local.
double stz_kmc_growth(const stz_kmc *kmc, double temperature_K, const double stress_rate[6]);

// Driving stress without the mean's, deviator component c (0..4), eV/nm^3, one number per local site. Up to date after
// stz_kmc_next or stz_kmc_rates. With some engines the first call after an event evaluates all sites.
const float *stz_kmc_stress(const stz_kmc *kmc, int c);

// The same of one local site, all components (out, eV/nm^3): cheap with every engine. Local.
void stz_kmc_site_stress(const stz_kmc *kmc, int64_t local, float stress[5]);

// What an event of unit strain, deviator component d, makes of component c of the stress at its own site: self[c][d],
// eV/nm^3, in the layer z = `layer` of a film; in a periodic box all are alike. Where moduli vary, D^2 of the site
// comes on top (elastic/contrast.h). Local.
void stz_kmc_self_stress(const stz_kmc *kmc, int layer, double self[5][5]);

// Root mean square over all sites (*rms, out, the same on every rank) of that deviator's norm, eV/nm^3. Collective.
stz_err stz_kmc_stress_rms(const stz_kmc *kmc, double *rms) STZ_MUST_USE;

// The engine's own fields, for checkpoints and snapshots; NULL if it has none.
const stz_fields *stz_kmc_fields(const stz_kmc *kmc);

// Blocks of plain bytes that belong to the engine's state beside its fields, counted from 0, to be saved and filled
// again before stz_kmc_restore; NULL past the last. Engines that run on several ranks have none.
void *stz_kmc_block(const stz_kmc *kmc, int index, size_t *bytes);

// What else a restart needs, STZ_KMC_SAVED_BYTES bytes: the same on every rank. The fields are saved beside it. Before
// fields and blocks are filled again, stz_kmc_reshape makes the tables of the box as it was; collective.
enum { STZ_KMC_SAVED_BYTES = 256 };
void stz_kmc_save(const stz_kmc *kmc, void *saved);
stz_err stz_kmc_reshape(stz_kmc *kmc, const void *saved) STZ_MUST_USE;
void stz_kmc_restore(stz_kmc *kmc, const void *saved);

void stz_kmc_stats_get(const stz_kmc *kmc, stz_kmc_stats *stats); // counters so far; the same on every rank
// Whether proposals and updates of site bounds depend on how the work is divided, which the trajectory does not.
bool stz_kmc_divides_freely(const stz_kmc *kmc);
double stz_kmc_bytes_per_site(const stz_kmc *kmc); // engine state and tables, averaged over this rank's sites

// Hash over the clock, the random stream and the counters. Local: the same on every rank.
uint64_t stz_kmc_hash(const stz_kmc *kmc);

#endif
