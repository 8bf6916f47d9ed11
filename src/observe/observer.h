// SPDX-License-Identifier: GPL-3.0-or-later
//
// Observers: what a run measures and writes down. An observer looks at the sample between events and never touches it,
// so that looking changes nothing of what follows; it may draw random numbers only from a stream of its own purpose.
//
// Each observer is a file src/observe/observers/NAME.c and an entry of STZ_OBSERVERS (observe/params.h). Everything
// else (the main loop's record, checkpoints, the reference of the output) goes over that list.
#ifndef STZ_OBSERVE_OBSERVER_H
#define STZ_OBSERVE_OBSERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "elastic/elastic.h"
#include "glass/glass.h"
#include "io/result.h"
#include "kmc/kmc.h"
#include "load/load.h"

// What an observer looks at, and where it writes.
typedef struct stz_view {
  const stz_config *config;
  const stz_grid *grid;
  const stz_elastic *elastic;
  const stz_glass *glass;
  const stz_load *load;
  stz_kmc *kmc;       // asked for rates and stresses only
  const char *stem;   // OUT of the result OUT.h5
  stz_result *result; // from `open` on
} stz_view;

// A stretch of time without an event: the macroscopic state at its start and at its end.
typedef struct stz_span {
  stz_macro now, then;
} stz_span;

// An event that happens.
typedef struct stz_happening {
  const stz_event *event;
  stz_macro before;  // just before it
  float internal[5]; // driving stress at its site then, without the mean; on the rank that has the site
  // Once it has happened:
  double strain[6];  // its strain gamma0 P, tensor components
  stz_macro after;   // with the load's answer
  double plastic[6]; // what the mean plastic strain has grown by
} stz_happening;

// What is NULL an observer does not have. All functions are collective unless they say otherwise, and do the same on
// every rank; `state` is the observer's own, made by `create`.
typedef struct stz_observer {
  const char *name;        // of the file; in messages
  const stz_group *groups; // the datasets that it writes
  int group_count;
  bool (*applies)(const stz_config *config); // whether this run has it; NULL: every run. Local
  const stz_strain_levels *(*strains)(
      const stz_config *config); // of an input of its own, at which it is due; for `check`
  const char *strains_name;      // what `check` calls them

  stz_err (*create)(const stz_view *view, void **state); // on failure `destroy` gets what there is of *state
  void (*destroy)(void *state);                          // local
  stz_err (*open)(void *state); // the file is there, new or opened again after a restart: declares tables, attributes

  stz_err (*segment_begins)(void *state, const stz_macro *now);
  // The time in the segment, now or later in the span, at which the observer is due next; INFINITY if it is not. Local.
  double (*next_due)(const void *state, const stz_span *span);
  // Takes what is due at that time. On STZ_ESTOPPED it is thrown away, and due as before.
  stz_err (*take)(void *state, const stz_span *span, double at_s);
  void (*before_event)(void *state, const stz_happening *happening); // the fields are as the event finds them. Local
  stz_err (*event)(void *state, const stz_happening *happening);     // and as it leaves them
  stz_err (*reshape)(void *state, bool done); // sites begin to interact in another way, between two events: called
                                              // before and, `done`, after it
  stz_err (*segment_ends)(void *state, const stz_macro *now);
  stz_err (*finish)(void *state); // the protocol is over

  // What a checkpoint keeps of the state, plain bytes that are the same on every rank. Restoring comes after `create`
  // and before `open`; it fails with STZ_EIO if the bytes cannot be its own.
  size_t (*saved_bytes)(const void *state); // local
  void (*save)(const void *state, void *saved);
  stz_err (*restore)(void *state, const void *saved, size_t bytes);
} stz_observer;

// All observers, in the order in which they take what is due at the same time.
extern const stz_observer *const stz_observers[STZ_OBSERVER_COUNT];

// --- helpers for observers ---

// Events of the run so far. Local.
uint64_t stz_view_events(const stz_view *view);

// Brings the engine's stress up to date and the barriers to the moment of `macro`, no event lying between. Collective.
// Fails as stz_kmc_rates.
stz_err stz_view_update(const stz_view *view, const stz_macro *macro) STZ_MUST_USE;

// Axial plastic strain of the events centred on a local voxel: the sum of their gamma0 P_xx Omega/a^3. Local.
double stz_observe_axial(const stz_glass *glass, int64_t local);

// STZ_EIO: the bytes of a checkpoint are not those of the observer `name`.
stz_err stz_observer_foreign(const char *name, size_t bytes) STZ_MUST_USE;

#endif
