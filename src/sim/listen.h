// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/sim: not installed.
//
// When a run must save its state or stop: all ranks ask together, at places that all of them reach, so often that a
// request is heard within a second or two.
#ifndef STZ_SIM_LISTEN_H
#define STZ_SIM_LISTEN_H

#include "sim/sim.h"

typedef enum stz_wish { STZ_WISH_NONE, STZ_WISH_SAVE, STZ_WISH_STOP } stz_wish; // to stop is to save, too

typedef struct stz_listener {
  MPI_Comm comm;
  const stz_run_options *options;
  double save_every_s; // wall time; 0: not by time
  double begin, saved; // wall times
  double asked;        // wall time when the ranks last agreed on an event
  int every, events;   // they agree at each of so many events; events since
  int questions;       // so far
  double ready;        // wall time when it began to listen
  bool moved;          // this part of the run has come to a row, an event or further in time
  int warnings;        // of a kill, that the last save has met
  stz_wish wish;       // that was heard, until the caller has met it
} stz_listener;

// From now on. Until `moved` is set the wall time counts from now, not from the start, and the first question is never
// answered by it, so that each part of a run gets on. Local.
stz_listener stz_listen_begin(MPI_Comm comm, const stz_run_options *options, double save_every_s);

// Asks at an event: cheap, as the ranks agree only now and then. Collective.
stz_wish stz_listen_event(stz_listener *listener);

// Asks where a pass over all sites is about to be made. Collective.
stz_wish stz_listen(stz_listener *listener);

// The state is saved. Local.
void stz_listen_saved(stz_listener *listener);

#endif
