// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/listen.h"

#include "base/interrupt.h"

enum { MOST_EVENTS = 16 };
static const double OFTEN_S = 0.25;

stz_listener stz_listen_begin(MPI_Comm comm, const stz_run_options *options, double save_every_s) {
  const double now = MPI_Wtime();
  return (stz_listener){.comm = comm,
                        .options = options,
                        .save_every_s = save_every_s,
                        .begin = now,
                        .ready = now,
                        .saved = now,
                        .asked = now,
                        .warnings = stz_interrupt_warnings(),
                        .every = 1};
}

// What this rank knows: each has its own signals, the first the wall time.
static stz_wish own_wish(const stz_listener *l, int rank, double now) {
  const stz_run_options *options = l->options;
  if (options->stop && *options->stop) return STZ_WISH_STOP;
  const stz_wish warned = stz_interrupt_warnings() != l->warnings ? STZ_WISH_SAVE : STZ_WISH_NONE;
  if (rank != 0 || l->questions == 1) return warned;
  const double since = l->moved ? l->begin : l->ready;
  if (options->max_walltime_s > 0.0 && now - since > options->max_walltime_s) return STZ_WISH_STOP;
  return l->save_every_s > 0.0 && now - l->saved > l->save_every_s ? STZ_WISH_SAVE : warned;
}

// How many events may pass until the next question, by what the last ones took.
static int events_between(const stz_listener *l, double now) {
  const double each = (now - l->asked) / l->every;
  return each * MOST_EVENTS < OFTEN_S ? MOST_EVENTS : each < OFTEN_S ? (int)(OFTEN_S / each) : 1;
}

static stz_wish ask(stz_listener *l, int every) {
  int rank, ranks;
  MPI_Comm_rank(l->comm, &rank);
  MPI_Comm_size(l->comm, &ranks);
  if (l->options->poll) l->options->poll(l->options->context);
  const double now = MPI_Wtime();
  l->questions += l->questions < 2;
  int agreed[2] = {(int)own_wish(l, rank, now), rank == 0 && every ? events_between(l, now) : every};
  if (ranks > 1) MPI_Allreduce(MPI_IN_PLACE, agreed, 2, MPI_INT, MPI_MAX, l->comm);
  if (agreed[0] > (int)l->wish) l->wish = (stz_wish)agreed[0];
  if (every) {
    l->every = agreed[1];
    l->asked = now;
  }
  return l->wish;
}

stz_wish stz_listen(stz_listener *listener) { return ask(listener, 0); }

stz_wish stz_listen_event(stz_listener *listener) {
  if (++listener->events < listener->every) return listener->wish;
  listener->events = 0;
  return ask(listener, 1);
}

void stz_listen_saved(stz_listener *listener) {
  listener->saved = MPI_Wtime();
  listener->warnings = stz_interrupt_warnings();
  listener->wish = STZ_WISH_NONE;
}
