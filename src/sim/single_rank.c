// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/single_rank.h"

#include <time.h>

#include "base/comm.h"
#include "base/interrupt.h"
#include "base/log.h"

// What the first rank knows of the others. Each sends it one message: the signal that told it to
// stop, else 0 at the end.
typedef struct watch {
  MPI_Comm comm;
  const stz_run_options *given;
  volatile int stop;
  int heard; // messages
} watch;

enum { TAG = 1 };

static void hear(watch *w) {
  int stop;
  MPI_Recv(&stop, 1, MPI_INT, MPI_ANY_SOURCE, TAG, w->comm, MPI_STATUS_IGNORE);
  w->heard++;
  if (!stop) return;
  w->stop = stop;
  stz_interrupt(stop);
}

// Called from the set-up and from the main loop of the run.
static void listen_to_others(void *context) {
  watch *w = context;
  if (w->given->poll) w->given->poll(w->given->context);
  if (w->given->stop && *w->given->stop) w->stop = *w->given->stop;
  for (int there = 1; there;) {
    MPI_Iprobe(MPI_ANY_SOURCE, TAG, w->comm, &there, MPI_STATUS_IGNORE);
    if (there) hear(w);
  }
}

static stz_err lead(MPI_Comm comm, stz_run_carrier *carry_out, const stz_config *config, const stz_run_options *given,
                    stz_team *team, bool *stopped_early) {
  watch w = {.comm = comm, .given = given};
  stz_run_options options = *given;
  options.cache = NULL;
  options.team = team;
  options.stop = &w.stop;
  options.poll = listen_to_others;
  options.context = &w;
  stz_interrupt_listen(listen_to_others, &w);
  const stz_err err = carry_out(MPI_COMM_SELF, config, &options, stopped_early);
  stz_interrupt_listen(NULL, NULL);
  int stopped = *stopped_early;
  MPI_Request sent;
  MPI_Ibcast(&stopped, 1, MPI_INT, 0, comm, &sent);
  MPI_Wait(&sent, MPI_STATUS_IGNORE);
  while (w.heard < stz_comm_size(comm) - 1) hear(&w);
  return err;
}

// A rank in a blocking call of MPI would keep its core busy.
static void wait_for_leader(MPI_Comm comm, const volatile int *stop, bool *stopped_early) {
  static const struct timespec nap = {.tv_nsec = 20000000};
  MPI_Request ends;
  int stopped, over = 0;
  bool told = false;
  MPI_Ibcast(&stopped, 1, MPI_INT, 0, comm, &ends);
  for (;;) {
    MPI_Test(&ends, &over, MPI_STATUS_IGNORE);
    if (!told && (over || (stop && *stop))) {
      const int wish = over ? 0 : *stop;
      MPI_Send(&wish, 1, MPI_INT, 0, TAG, comm);
      told = true;
    }
    if (over) break;
    nanosleep(&nap, NULL);
  }
  *stopped_early = stopped; // NOLINT(clang-analyzer-optin.mpi.MPI-Checker): MPI_Test has ended the request
}

static void tell(const char *engine, int workers, int ranks) {
  stz_log(STZ_LOG_INFO, "the %s engine: the first rank draws the events, %d threads share the work", engine, workers);
  if (workers < ranks) {
    stz_log(STZ_LOG_INFO,
            "%d of %d ranks stay idle: they are on other nodes than the first; kmc.engine = \"direct\" uses "
            "them all",
            ranks - workers, ranks);
  }
}

stz_err stz_single_rank_run(MPI_Comm comm, stz_run_carrier *carry_out, const stz_config *config,
                            const stz_run_options *options, bool *stopped_early) {
  MPI_Comm own;
  stz_team *team;
  int workers;
  *stopped_early = false;
  MPI_Comm_dup(comm, &own);
  stz_err err = stz_team_create(own, &team, &workers);
  if (err == STZ_OK) {
    tell(stz_engine_needs_of(config->kmc.engine).name, workers, stz_comm_size(own));
    if (stz_comm_rank(own) == 0) {
      err = lead(own, carry_out, config, options, team, stopped_early);
    } else {
      wait_for_leader(own, options->stop, stopped_early);
    }
    err = stz_agree(own, err);
    stz_team_destroy(&team);
  }
  MPI_Comm_free(&own);
  return err;
}
