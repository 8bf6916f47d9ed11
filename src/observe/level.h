// SPDX-License-Identifier: GPL-3.0-or-later
//
// What is done at chosen axial strains, once each, when it is first reached; and one level of virtual NBED in a result.
#ifndef STZ_OBSERVE_LEVEL_H
#define STZ_OBSERVE_LEVEL_H

#include "observe/nbed.h"
#include "observe/observer.h"

// The strains and how many have been reached. An observer whose state begins with it has its due times and its
// checkpoint block by the functions below.
typedef struct stz_reached {
  const stz_view *view;
  const char *name;                // of the observer
  const stz_strain_levels *levels; // ascending
  int next;                        // the one that is reached next
} stz_reached;

// Makes the state of an observer that needs no more; `destroy` is stz_free. Collective.
stz_err stz_reached_create(const stz_view *view, const char *name, const stz_strain_levels *levels,
                           void **state) STZ_MUST_USE;

// next_due of an observer.
double stz_reached_due(const void *state, const stz_span *span);

// The macroscopic state at that time, whose axial strain is free of rounding. Local.
stz_macro stz_reached_state(const stz_reached *reached, const stz_span *span, double at_s);

// saved_bytes, save and restore of an observer.
size_t stz_reached_saved_bytes(const void *state);
void stz_reached_save(const void *state, void *saved);
stz_err stz_reached_restore(void *state, const void *saved, size_t bytes) STZ_MUST_USE;

// When something was taken.
typedef struct stz_moment {
  double strain, time_s; // axial strain; time since the start of the run
  double segment_time_s; // and of the segment; NaN: not known, nor is the segment
  int segment;
} stz_moment;
stz_moment stz_moment_of(const stz_macro *macro);

// Writes it as attributes of a group. Collective.
stz_err stz_moment_write(stz_result *result, const char *group, const stz_moment *moment) STZ_MUST_USE;

// The datasets of a level of NBED, and how they are written: /nbed/level_NN. Collective.
extern const stz_group stz_level_group;
stz_err stz_strain_level_write(stz_result *result, int level, const stz_nbed *nbed, const stz_nbed_params *params,
                               const stz_moment *moment) STZ_MUST_USE;

#endif
