// SPDX-License-Identifier: GPL-3.0-or-later
//
// The recorder of a run: it calls the observers (observe/observer.h) through the run, and writes the protocol.
#ifndef STZ_SIM_RECORD_H
#define STZ_SIM_RECORD_H

#include "observe/observer.h"
#include "sim/pace.h"
#include "sim/sample.h"
#include "sim/sim.h"

// The next step of the run, found but not yet reached.
typedef struct stz_step {
  bool found;   // else it holds nothing
  bool happens; // `event`, at `until`
  bool ends;    // the segment, at `until`
  double until; // time in the segment
  stz_event event;
} stz_step;

typedef struct stz_recorder {
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
} stz_recorder;

// Sets up a record without its file. Collective.
stz_err stz_recorder_prepare(stz_recorder *record, const stz_config *config, const char *output,
                             stz_sample *sample) STZ_MUST_USE;

// Does the same, and creates the result file with everything that is known at the start. Collective.
stz_err stz_recorder_begin(stz_recorder *record, const stz_config *config, const stz_run_options *options,
                           stz_sample *sample) STZ_MUST_USE;

// Collective. Its state for checkpoints: plain bytes, the same on every rank. Restoring needs a record that was
// prepared for the same input, and fails with STZ_EIO if the bytes cannot be its own.
size_t stz_recorder_saved_bytes(const stz_recorder *record);
void stz_recorder_save(const stz_recorder *record, void *saved);
stz_err stz_recorder_restore(stz_recorder *record, const void *saved, size_t bytes) STZ_MUST_USE;

// Opens the result file again to go on, once the record is restored. Collective.
stz_err stz_recorder_reopen(stz_recorder *record, const char *output) STZ_MUST_USE;

// Notes the state just before an event, at its time but before it is fired.
void stz_recorder_before(stz_recorder *record, const stz_event *event);

// Collective. Notes an event that has just happened, after the load has yielded to it; `strain` is the event's,
// and what the mean plastic strain has grown by.
stz_err stz_recorder_event(stz_recorder *record, const stz_event *event, const double strain[6],
                           const double plastic[6]) STZ_MUST_USE;

// Collective. Notes, between two events, that sites begin to interact in another way: called before and, `done`, after.
stz_err stz_recorder_reshape(stz_recorder *record, bool done) STZ_MUST_USE;

// Collective. The observers take what is due from the present time up to `t`; no event may lie between. *left_off: some
// is still to be taken; the next call, with the same `t`, continues.
stz_err stz_recorder_until(stz_recorder *record, double t, bool *left_off) STZ_MUST_USE;

// The time, from a load's present one to `t`, at which an observer is due if no event happens; INFINITY if none is. For
// a copy of the run's load. Local.
double stz_recorder_due(const stz_recorder *record, const stz_load *load, double t);

// Collective. Notes that a segment begins or ends now. Rows due at time 0 are taken after its start.
stz_err stz_recorder_segment_begins(stz_recorder *record) STZ_MUST_USE;
stz_err stz_recorder_segment_ends(stz_recorder *record) STZ_MUST_USE;

// Writes the last fields, the hash and `complete`, and closes the file. Collective.
stz_err stz_recorder_finish(stz_recorder *record) STZ_MUST_USE;

// Closes the file as it is (complete = 0). Collective.
void stz_recorder_abandon(stz_recorder *record);

// Frees what the record holds once its file is closed. Local.
void stz_recorder_clear(stz_recorder *record);

#endif
