// SPDX-License-Identifier: GPL-3.0-or-later
#define _GNU_SOURCE
#include "base/team.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/comm.h"
#include "base/memory.h"

// The cores that a thread may use.
#ifdef __linux__
typedef cpu_set_t core_set;
#else
typedef char core_set; // other systems place threads by themselves
#endif

static const int64_t AWAKE_NS = 100000; // a worker waits so long for parts that are posted, before it sleeps
static const int64_t LATE_NS = 300000;  // who waits longer waits for a worker whose core another process has, unless
                                        // it was busy for as long itself
enum { REST = 4, MOST_REST = 65536 };   // posts that are left out after a late one, at least and at most

// Of the task that is put aside; only that which runs is above zero (wait_for).
enum { NO_ASIDE = 0, ASIDE_RUNS = 1, ASIDE_DONE = -1, ASIDE_OFFERED = -2 };

typedef struct worker {
  stz_team *team;
  int number;
  pthread_t thread;
} worker;

struct stz_team {  // NOLINT(clang-analyzer-optin.performance.Padding): what all workers change has a line for itself
  stz_team *older; // of the teams that there are
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

  // What is posted. `offered` has a bit for each part that nobody has taken, and above them the number of the post, so
  // that nobody takes a part of one post for that of another. The task stays until all that are `left` are done.
  stz_team_task *posted;
  void *posted_context;
  _Alignas(64) atomic_uint_least64_t offered;
  _Alignas(64) atomic_int left;
  atomic_int offers;             // parts of this post so far
  atomic_int urgent, urgent_end; // those of them that are, of which so many are left; both 0: none
  atomic_int left_urgent;
  stz_team_task *aside_task;
  void *aside_context;
  atomic_int aside;
  atomic_int asleep; // workers
  atomic_int calls;  // jobs and the end, which call workers to the lock
  bool spins;
  int forced, asked; // STZKMC_TEAM_BRISK, and the calls of stz_team_brisk under it
  int rest, length;  // posts to be left out, now and of them all after the last late one
  int64_t waited;    // ns: for the present post, and for what was aside before it; waits up to LATE_NS count as 0
  int64_t begun;     // ns: clock at its begin, less what was waited before
  int64_t gained;    // ns: by those in time since the last late one
};

// A copy of the process has none of the threads, so that it could not wait for what they are at.
static bool copied;
static stz_team *newest;

static void note_copy(void) { copied = true; }

static void before_copy(void) {
  for (stz_team *team = newest; team; team = team->older) {
    if (team->offers > 0) stz_team_join(team);
    stz_team_recall(team);
  }
}

// Once for all teams: what is to be called at a copy stays for good.
static stz_err watch_copies(void) {
  static bool watched;
  if (!watched && pthread_atfork(before_copy, NULL, note_copy) != 0) {
    return stz_fail(STZ_EINTERNAL, "out of memory for a team of threads");
  }
  watched = true;
  return STZ_OK;
}

static void take_parts(stz_team *team, int number) {
  for (;;) {
    const int64_t part = atomic_fetch_add_explicit(&team->next, 1, memory_order_relaxed);
    if (part >= team->parts) return;
    const int64_t first = part * team->piece, end = first + team->piece;
    team->task(team->context, first, end < team->items ? end : team->items, number);
  }
}

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void stz_team_pause(void) {
#if defined __x86_64__
  __builtin_ia32_pause();
#elif defined __aarch64__
  __asm__ volatile("yield");
#endif
}

static uint32_t urgent_of(const stz_team *team, uint64_t parts) {
  const int first = atomic_load_explicit(&team->urgent, memory_order_relaxed),
            end = atomic_load_explicit(&team->urgent_end, memory_order_relaxed);
  return (uint32_t)(parts & ((UINT64_C(1) << end) - (UINT64_C(1) << first)));
}

// The part that a worker takes first: the caller the last one, the others from places of their own on, so that each
// finds what it had last time in its cache.
static int choose(const stz_team *team, uint32_t offered, int number) {
  const uint32_t urgent = urgent_of(team, offered), parts = urgent ? urgent : offered;
  if (number == 0) return 31 - __builtin_clz(parts);
  const int offers = atomic_load_explicit(&team->offers, memory_order_relaxed);
  const uint32_t own = parts >> ((number - 1) * offers / team->count) << ((number - 1) * offers / team->count);
  return __builtin_ctz(own ? own : parts);
}

// Takes parts that are posted, or urgent ones alone, until there are none; returns whether there was one.
static bool take_offered(stz_team *team, int number, bool urgent) {
  bool any = false;
  uint64_t word = atomic_load_explicit(&team->offered, memory_order_acquire);
  while ((urgent ? urgent_of(team, word) : (uint32_t)word) != 0) {
    const int part = choose(team, (uint32_t)word, number);
    if (!atomic_compare_exchange_weak_explicit(&team->offered, &word, word & ~(UINT64_C(1) << part),
                                               memory_order_acq_rel, memory_order_acquire))
      continue;
    const bool first = urgent_of(team, UINT64_C(1) << part) != 0;
    team->posted(team->posted_context, part, part + 1, number);
    if (first) atomic_fetch_sub_explicit(&team->left_urgent, 1, memory_order_release);
    atomic_fetch_sub_explicit(&team->left, 1, memory_order_release);
    any = true;
    word = atomic_load_explicit(&team->offered, memory_order_acquire);
  }
  return any;
}

// Takes what was put aside, if there is something; returns whether there was.
static bool take_aside(stz_team *team, int number) {
  int offered = ASIDE_OFFERED;
  if (atomic_load_explicit(&team->aside, memory_order_relaxed) != ASIDE_OFFERED ||
      !atomic_compare_exchange_strong(&team->aside, &offered, ASIDE_RUNS))
    return false;
  team->aside_task(team->aside_context, 0, 1, number);
  atomic_store_explicit(&team->aside, ASIDE_DONE, memory_order_release);
  return true;
}

// Takes what is posted, and waits for more for a while, or until it is called to the lock.
static void stay_awake(stz_team *team, int number, int answered) {
  int64_t until = now_ns() + AWAKE_NS;
  while (atomic_load_explicit(&team->calls, memory_order_relaxed) == answered) {
    if (take_offered(team, number, false) || take_aside(team, number)) until = now_ns() + AWAKE_NS;
    if (!team->spins || now_ns() > until) return;
    stz_team_pause();
  }
}

static bool is_called(stz_team *team, uint64_t done) {
  return team->ends || (team->open && team->job != done) || (uint32_t)atomic_load(&team->offered) != 0;
}

// With the lock.
static void sleep_until_called(stz_team *team, uint64_t done) {
  atomic_fetch_add(&team->asleep, 1); // before it looks at what is offered: see wake
  while (!is_called(team, done)) pthread_cond_wait(&team->begins, &team->lock);
  atomic_fetch_sub(&team->asleep, 1);
}

static void *work(void *argument) {
  const worker *self = argument;
  stz_team *team = self->team;
  uint64_t done = 0;
  for (int answered = 0;;) {
    stay_awake(team, self->number, answered);
    pthread_mutex_lock(&team->lock);
    sleep_until_called(team, done);
    answered = atomic_load(&team->calls);
    if (team->ends) break;
    const bool joins = team->open && team->job != done;
    done = team->job;
    team->busy += joins;
    pthread_mutex_unlock(&team->lock);
    if (!joins) continue;
    take_parts(team, self->number);
    pthread_mutex_lock(&team->lock);
    if (--team->busy == 0) pthread_cond_signal(&team->over);
    pthread_mutex_unlock(&team->lock);
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
  if (team && !copied && team->offers > 0) stz_team_join(team);
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
  atomic_fetch_add(&team->calls, 1);
  team->open = true;
  pthread_cond_broadcast(&team->begins);
  pthread_mutex_unlock(&team->lock);
  take_parts(team, 0);
  pthread_mutex_lock(&team->lock);
  team->open = false;
  while (team->busy > 0) pthread_cond_wait(&team->over, &team->lock);
  pthread_mutex_unlock(&team->lock);
}

bool stz_team_brisk(stz_team *team) {
  if (!team || copied) return false;
  if (team->forced) return team->forced == 1 || ++team->asked % team->forced;
  if (team->rest > 0) team->rest--;
  return team->rest == 0 && team->spins;
}

// Those that sleep. Either a worker that goes to sleep finds what was offered before, or it is counted here.
static void wake(stz_team *team) {
  if (atomic_load(&team->asleep) == 0) return;
  pthread_mutex_lock(&team->lock);
  pthread_cond_broadcast(&team->begins);
  pthread_mutex_unlock(&team->lock);
}

static void post(stz_team *team, int parts, bool urgent, stz_team_task *task, void *context) {
  const int before = atomic_load_explicit(&team->offers, memory_order_relaxed);
  const uint64_t word = atomic_load_explicit(&team->offered, memory_order_relaxed), bits = ((UINT64_C(1) << parts) - 1)
                                                                                           << before;
  assert(parts > 0 && before + parts <= STZ_TEAM_POSTED);
  atomic_fetch_add_explicit(&team->left, parts, memory_order_relaxed);
  atomic_store_explicit(&team->offers, before + parts, memory_order_relaxed);
  if (urgent) {
    atomic_fetch_add_explicit(&team->left_urgent, parts, memory_order_relaxed);
    atomic_store_explicit(&team->urgent, before, memory_order_relaxed);
    atomic_store_explicit(&team->urgent_end, before + parts, memory_order_relaxed);
  }
  if (before == 0) {
    team->begun = now_ns() - team->waited;
    team->posted = task;
    team->posted_context = context;
    atomic_store(&team->offered, ((word >> 32) + 1) << 32 | bits);
  } else {
    assert(task == team->posted && context == team->posted_context);
    atomic_fetch_or(&team->offered, bits);
  }
  wake(team);
}

void stz_team_post(stz_team *team, int parts, stz_team_task *task, void *context) {
  post(team, parts, false, task, context);
}

void stz_team_post_urgent(stz_team *team, int parts, stz_team_task *task, void *context) {
  assert(team->urgent_end == 0);
  post(team, parts, true, task, context);
}

// After a late post some are left out: the more, the more the wait for it exceeds what those in time have gained, which
// is about half of what the caller had to do beside them.
static void judge(stz_team *team, int64_t busy) {
  const int64_t waited = team->waited;
  team->waited = 0;
  if (waited == 0 || waited < busy) {
    team->gained += busy / 2;
    return;
  }
  const double cost = (double)waited / (double)(team->gained + 1), length = team->length * (cost < 2.0 ? cost : 2.0);
  team->length = length < REST ? REST : length < MOST_REST ? (int)length : MOST_REST;
  team->rest = team->length;
  team->gained = 0;
}

// Waits until none are left.
static void wait_for(stz_team *team, atomic_int *left) {
  int64_t begin = 0, waited = 0;
  while (atomic_load_explicit(left, memory_order_acquire) > 0) {
    const int64_t now = now_ns();
    if (begin == 0) begin = now;
    waited = now - begin;
    if (waited > LATE_NS || !team->spins)
      sched_yield();
    else
      stz_team_pause();
  }
  if (waited > LATE_NS) team->waited += waited;
}

void stz_team_join_urgent(stz_team *team) {
  (void)take_offered(team, 0, true);
  wait_for(team, &team->left_urgent);
}

void stz_team_join(stz_team *team) {
  (void)take_offered(team, 0, false);
  const int64_t busy = now_ns() - team->begun - team->waited;
  wait_for(team, &team->left);
  atomic_store_explicit(&team->offers, 0, memory_order_relaxed);
  atomic_store_explicit(&team->urgent, 0, memory_order_relaxed);
  atomic_store_explicit(&team->urgent_end, 0, memory_order_relaxed);
  if (!team->forced) judge(team, busy);
}

void stz_team_aside(stz_team *team, stz_team_task *task, void *context) {
  assert(team->aside == NO_ASIDE);
  team->aside_task = task;
  team->aside_context = context;
  atomic_store_explicit(&team->aside, ASIDE_OFFERED, memory_order_release);
}

void stz_team_recall(stz_team *team) {
  int offered = ASIDE_OFFERED;
  if (!atomic_compare_exchange_strong(&team->aside, &offered, NO_ASIDE)) wait_for(team, &team->aside);
  atomic_store_explicit(&team->aside, NO_ASIDE, memory_order_relaxed);
}

void stz_team_share(stz_team *team, int parts, stz_team_task *task, void *context) {
  if (!stz_team_brisk(team)) {
    task(context, 0, parts, 0);
    return;
  }
  stz_team_post(team, parts, task, context);
  stz_team_join(team);
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

static void cores_of_this(core_set *cores) {
  memset(cores, 0, sizeof *cores);
#ifdef __linux__
  sched_getaffinity(0, sizeof *cores, cores);
#endif
}

// Whether there are as many cores as workers; `cores`: of each worker, NULL: those of this process for all.
static bool have_cores(int workers, const core_set *cores) {
#ifdef __linux__
  core_set all;
  cores_of_this(&all);
  for (int i = 0; cores && i < workers; i++) CPU_OR(&all, &all, &cores[i]);
  return CPU_COUNT(&all) >= workers;
#else
  (void)cores;
  return workers <= (int)sysconf(_SC_NPROCESSORS_ONLN);
#endif
}

static stz_err create(int workers, const core_set *cores, stz_team **team) {
  stz_team *t = NULL;
  *team = NULL;
  if (workers < 2) return STZ_OK;
  STZ_TRY(STZ_NEW(t, 1));
  stz_err err = STZ_NEW(t->workers, workers);
  if (err == STZ_OK) err = watch_copies();
  if (err != STZ_OK) {
    stz_free(t->workers);
    stz_free(t);
    return err;
  }
  t->count = workers;
  const char *forced = getenv("STZKMC_TEAM_BRISK");
  t->forced = forced ? (int)strtol(forced, NULL, 10) : 0;
  t->spins = have_cores(workers, cores);
  t->older = newest;
  newest = t;
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
  stz_team *t = *team, **link = &newest;
  if (!t) return;
  while (*link != t) link = &(*link)->older;
  *link = t->older;
  pthread_mutex_lock(&t->lock);
  t->ends = true;
  atomic_fetch_add(&t->calls, 1);
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
