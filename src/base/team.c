// SPDX-License-Identifier: GPL-3.0-or-later
#define _GNU_SOURCE
#include "base/team.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "base/comm.h"
#include "base/memory.h"

// The cores that a thread may use.
#ifdef __linux__
typedef cpu_set_t core_set;
#else
typedef char core_set; // other systems place threads by themselves
#endif

typedef struct worker {
  stz_team *team;
  int number;
  pthread_t thread;
} worker;

struct stz_team {
  pthread_mutex_t lock;
  pthread_cond_t begins, over;
  worker *workers; // number 0 is the caller, and has no thread
  int count, started;

  // The job, set under the lock before it is open.
  stz_team_task *task;
  void *context;
  int64_t items, piece, parts;
  uint64_t job;              // its number
  bool open, ends;           // a late sleeper finds it closed, and sleeps on
  int busy;                  // workers within it, but the caller
  atomic_int_least64_t next; // part that nobody has taken
};

// A copy of the process has none of the threads.
static bool copied;

static void note_copy(void) { copied = true; }

static void take_parts(stz_team *team, int number) {
  for (;;) {
    const int64_t part = atomic_fetch_add_explicit(&team->next, 1, memory_order_relaxed);
    if (part >= team->parts) return;
    const int64_t first = part * team->piece, end = first + team->piece;
    team->task(team->context, first, end < team->items ? end : team->items, number);
  }
}

static void *work(void *argument) {
  const worker *self = argument;
  stz_team *team = self->team;
  uint64_t done = 0;
  pthread_mutex_lock(&team->lock);
  for (;;) {
    while (!team->ends && (!team->open || team->job == done)) pthread_cond_wait(&team->begins, &team->lock);
    if (team->ends) break;
    done = team->job;
    team->busy++;
    pthread_mutex_unlock(&team->lock);
    take_parts(team, self->number);
    pthread_mutex_lock(&team->lock);
    if (--team->busy == 0) pthread_cond_signal(&team->over);
  }
  pthread_mutex_unlock(&team->lock);
  return NULL;
}

int stz_team_workers(const stz_team *team) { return team ? team->count : 1; }

int64_t stz_team_parts(int64_t items, int64_t piece) { return (items + piece - 1) / piece; }

static void run_alone(int64_t items, int64_t piece, stz_team_task *task, void *context) {
  for (int64_t first = 0; first < items; first += piece) {
    task(context, first, first + piece < items ? first + piece : items, 0);
  }
}

void stz_team_run(stz_team *team, int64_t items, int64_t piece, stz_team_task *task, void *context) {
  if (!team || items <= piece || copied) {
    run_alone(items, piece, task, context);
    return;
  }
  pthread_mutex_lock(&team->lock);
  team->task = task;
  team->context = context;
  team->items = items;
  team->piece = piece;
  team->parts = stz_team_parts(items, piece);
  atomic_store_explicit(&team->next, 0, memory_order_relaxed);
  team->job++;
  team->open = true;
  pthread_cond_broadcast(&team->begins);
  pthread_mutex_unlock(&team->lock);
  take_parts(team, 0);
  pthread_mutex_lock(&team->lock);
  team->open = false;
  while (team->busy > 0) pthread_cond_wait(&team->over, &team->lock);
  pthread_mutex_unlock(&team->lock);
}

// Signals are for the main thread, which knows what a wish to stop is.
static stz_err start(stz_team *team, const core_set *cores) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int failed = 0;
  for (team->started = 1; team->started < team->count && !failed; team->started += !failed) {
    worker *w = &team->workers[team->started];
    *w = (worker){.team = team, .number = team->started};
    failed = pthread_create(&w->thread, NULL, work, w);
#ifdef __linux__
    if (!failed && cores) pthread_setaffinity_np(w->thread, sizeof *cores, &cores[team->started]); // if it may
#endif
  }
  (void)cores;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return failed
             ? stz_fail(STZ_EINTERNAL, "cannot start thread %d of %d: %s", team->started, team->count, strerror(failed))
             : STZ_OK;
}

static stz_err create(int workers, const core_set *cores, stz_team **team) {
  stz_team *t = NULL;
  *team = NULL;
  if (workers < 2) return STZ_OK;
  STZ_TRY(STZ_NEW(t, 1));
  stz_err err = STZ_NEW(t->workers, workers);
  if (err != STZ_OK) {
    stz_free(t);
    return err;
  }
  t->count = workers;
  pthread_atfork(NULL, NULL, note_copy);
  pthread_mutex_init(&t->lock, NULL);
  pthread_cond_init(&t->begins, NULL);
  pthread_cond_init(&t->over, NULL);
  err = start(t, cores);
  if (err != STZ_OK) stz_team_destroy(&t);
  *team = t;
  return err;
}

stz_err stz_team_create_local(int workers, stz_team **team) { return create(workers, NULL, team); }

void stz_team_destroy(stz_team **team) {
  stz_team *t = *team;
  if (!t) return;
  pthread_mutex_lock(&t->lock);
  t->ends = true;
  pthread_cond_broadcast(&t->begins);
  pthread_mutex_unlock(&t->lock);
  for (int i = 1; i < t->started; i++) pthread_join(t->workers[i].thread, NULL);
  pthread_mutex_destroy(&t->lock);
  pthread_cond_destroy(&t->begins);
  pthread_cond_destroy(&t->over);
  stz_free(t->workers);
  stz_free(t);
  *team = NULL;
}

static void cores_of_this(core_set *cores) {
  memset(cores, 0, sizeof *cores);
#ifdef __linux__
  sched_getaffinity(0, sizeof *cores, cores);
#endif
}

// Gathers the cores of the ranks that share the node with the first rank of `comm`, for that rank.
static stz_err gather_cores(MPI_Comm comm, core_set **cores, int *workers) {
  MPI_Comm node;
  core_set own;
  int number = stz_comm_rank(comm), first, size;
  *cores = NULL;
  MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, number, MPI_INFO_NULL, &node);
  MPI_Comm_size(node, &size);
  MPI_Allreduce(&number, &first, 1, MPI_INT, MPI_MIN, node);
  cores_of_this(&own);
  const stz_err err = stz_agree(node, number == first ? STZ_NEW(*cores, size) : STZ_OK);
  if (err == STZ_OK) MPI_Gather(&own, sizeof own, MPI_BYTE, *cores, sizeof own, MPI_BYTE, 0, node);
  MPI_Comm_free(&node);
  *workers = size;
  MPI_Bcast(workers, 1, MPI_INT, 0, comm);
  return err;
}

stz_err stz_team_create(MPI_Comm comm, stz_team **team, int *workers) {
  core_set *cores = NULL;
  *team = NULL;
  stz_err err = stz_agree(comm, gather_cores(comm, &cores, workers));
  if (err == STZ_OK && stz_comm_rank(comm) == 0) err = create(*workers, cores, team);
  stz_free(cores);
  err = stz_agree(comm, err);
  if (err != STZ_OK) stz_team_destroy(team);
  return err;
}
