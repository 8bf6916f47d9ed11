// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a run writes down: it leads the observers (observe/observer.h) through the run, and writes the protocol.
#ifndef STZ_SIM_RECORD_H
#define STZ_SIM_RECORD_H

#include "observe/observer.h"
#include "sim/pace.h"
#include "sim/sample.h"
#include "sim/sim.h"

// What the run comes to next, found but not yet reached.
typedef struct stz_step {
  bool found;   // else it holds nothing
  bool happens; // `event`, at `until`
  bool ends;    // the segment, at `until`
  double until; // time in the segment
  stz_event event;
} stz_step;

typedef struct stz_record {
  stz_view view; // what the observers see
  stz_sample *sample;
  char *stem;
  void *observers[STZ_OBSERVER_COUNT]; // state of each; NULL: the run does not have it
  stz_happening happening;             // the event that happens
  int segment;                         // that is running
  uint64_t segment_events;             // events before the segment
  stz_step step;
  stz_pace pace;
  bool (*leaves_off)(void *context); // whether to leave off between what is due, on all ranks together; may be NULL
  void *context;                     // for it
} stz_record;

// Sets up a record without its file. Collective.
stz_err stz_record_prepare(stz_record *record, const stz_config *config, const char *output,
                           stz_sample *sample) STZ_MUST_USE;

// Does the same, and creates the result file with everything that is known at the start. Collective.
stz_err stz_record_begin(stz_record *record, const stz_config *config, const stz_run_options *options,
                         stz_sample *sample) STZ_MUST_USE;

// For checkpoints, all that it keeps: plain bytes, the same on every rank. Restoring needs a record that is prepared
// for the same input, and fails with STZ_EIO if the bytes cannot be its own. Collective.
size_t stz_record_saved_bytes(const stz_record *record);
void stz_record_save(const stz_record *record, void *saved);
stz_err stz_record_restore(stz_record *record, const void *saved, size_t bytes) STZ_MUST_USE;

// Opens the result file again to go on, once the record is restored. Collective.
stz_err stz_record_reopen(stz_record *record, const char *output) STZ_MUST_USE;

// Looks at what an event finds, at its time but before it is fired. Local.
void stz_record_before(stz_record *record, const stz_event *event);

// Notes an event that has just happened and to which the load has yielded; `strain` is its own. Collective.
stz_err stz_record_event(stz_record *record, const stz_event *event, const double strain[6]) STZ_MUST_USE;

// Has the observers take what is due from the present time up to `t`, no event lying between. If *left_off, some is
// still to be taken: the next call, with the same `t`, goes on. Collective.
stz_err stz_record_until(stz_record *record, double t, bool *left_off) STZ_MUST_USE;

// Notes that a segment begins or ends now. What is due at time 0 is still to be taken after its begin. Collective.
stz_err stz_record_segment_begins(stz_record *record) STZ_MUST_USE;
stz_err stz_record_segment_ends(stz_record *record) STZ_MUST_USE;

// Writes the last fields, the hash and `complete`, and closes the file. Collective.
stz_err stz_record_finish(stz_record *record) STZ_MUST_USE;

// Closes the file as it is (complete = 0). Collective.
void stz_record_abandon(stz_record *record);

// Frees what the record holds once its file is closed. Local.
void stz_record_clear(stz_record *record);

#endif
