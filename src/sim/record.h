// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a run writes down: rows of the history, NBED levels, the protocol, the fields. It looks at the sample between
// events and never touches it.
#ifndef STZ_SIM_RECORD_H
#define STZ_SIM_RECORD_H

#include "io/result.h"
#include "observe/avalanches.h"
#include "observe/energy.h"
#include "observe/history.h"
#include "sim/pace.h"
#include "sim/sample.h"
#include "sim/sim.h"
#include "sim/snapshots.h"

// What the run comes to next, found but not yet reached.
typedef struct stz_step {
  bool found;   // else it holds nothing
  bool happens; // `event`, at `until`
  bool ends;    // the segment, at `until`
  double until; // time in the segment
  stz_event event;
} stz_step;

typedef struct stz_record {
  const stz_config *config;
  stz_sample *sample;
  stz_result *result;
  stz_history_schedule schedule;
  stz_history_sample look; // what the last look at the glass saw, after `looked` events
  uint64_t looked;
  stz_energy *energy;
  stz_tally *tally;
  stz_avalanches *avalanches; // NULL: none are looked for
  stz_macro before;           // just before the event that happens
  float internal[5];          // driving stress at its site then, its mean left out, on the rank that has the site
  bool begun;                 // a first row is taken
  int level;                  // next NBED level
  int statistics;             // next of the statistics
  stz_snapshots snapshots;
  int segment;             // that is running
  uint64_t segment_events; // events before the segment
  stz_step step;
  stz_pace pace;
  bool (*leaves_off)(void *context); // whether to leave off between rows and levels, on all ranks together; may be NULL
  void *context;                     // for it
} stz_record;

// Writes the root's attributes: which program made the file, when and how, and that it is not complete. Collective.
stz_err stz_record_provenance(stz_result *result, const stz_config *config, const char *command_line,
                              int ranks) STZ_MUST_USE;

// Creates the result file with everything that is known at the start. Collective.
// Sets up a record without its file. Collective.
stz_err stz_record_prepare(stz_record *record, const stz_config *config, const char *output,
                           stz_sample *sample) STZ_MUST_USE;

// Does the same, and creates the result file with everything that is known at the start. Collective.
stz_err stz_record_begin(stz_record *record, const stz_config *config, const stz_run_options *options,
                         stz_sample *sample) STZ_MUST_USE;

// Opens the result file again to go on; the rest of the record is restored by the caller. Collective.
stz_err stz_record_reopen(stz_record *record, const char *output) STZ_MUST_USE;

// Looks at what an event finds, at its time but before it is fired. Local.
void stz_record_before(stz_record *record, const stz_event *event);

// Notes an event that has just happened and to which the load has yielded; `strain` is its own. Collective.
stz_err stz_record_event(stz_record *record, const stz_event *event, const double strain[6]) STZ_MUST_USE;

// Takes the rows and levels due from the present time up to `t`, no event lying between. If *left_off, some are still
// to be taken: the next call, with the same `t`, goes on. Collective.
stz_err stz_record_until(stz_record *record, double t, bool *left_off) STZ_MUST_USE;

// Notes that a segment begins or ends now: its attributes, and a row. At a begin the rows and levels up to time 0 are
// still due. Collective.
stz_err stz_record_segment_begins(stz_record *record) STZ_MUST_USE;
stz_err stz_record_segment_ends(stz_record *record) STZ_MUST_USE;

// Writes the last fields, the hash and `complete`, and closes the file. Collective.
stz_err stz_record_finish(stz_record *record) STZ_MUST_USE;

// Closes the file as it is (complete = 0). Collective.
void stz_record_abandon(stz_record *record);

// Frees what the record holds once its file is closed. Local.
void stz_record_clear(stz_record *record);

#endif
