// SPDX-License-Identifier: GPL-3.0-or-later
#include "sweep/sweep.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/comm.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/memory.h"
#include "io/disk.h"
#include "sim/output.h"
#include "sim/sim.h"
#include "sim/state.h"
#include "sweep/select.h"

enum { PATH_SIZE = 4300, MESSAGE_SIZE = 1024 };
static const double LOOK_S = 1.0;

// Whole numbers in rank 0's memory: these, then for each group those of its run.
enum { TURN, ENDED, SIGNAL, BUSY, COUNTERS }; // BUSY: groups that have not come to their end
enum { NUMBER, SHARE, BEGUN, SLOTS };         // of the run, from 1, 0: none; done, millionths; s since the job's begin

// The failure of the lowest run.
typedef struct failure {
  int run; // INT_MAX: none
  int code;
  char message[MESSAGE_SIZE];
} failure;

typedef struct sweep {
  const stz_sweep_options *options;
  MPI_Comm comm, group;
  stz_plan *plan;
  stz_manifest *manifest; // of a group's first rank
  int *todo, todos;       // run numbers, in the order of their turns; -1 - number: done, but its result is gone
  int chosen, ended;      // runs, and those of them that were over before
  MPI_Win window;
  stz_cache *cache;
  bool leader;        // of its group
  int number, groups; // of its group; of all
  int *seen;          // of rank 0: a copy of its memory
  bool complained;
  double begin, looked;
  volatile int stop; // signal that reached any rank of any group
  failure first;
  stz_sweep_outcome mine; // of this group
} sweep;

static void keep_failure(sweep *s, int run, stz_err code, const char *message) {
  s->mine.failed++;
  if (run > s->first.run) return;
  s->first.run = run;
  s->first.code = (int)code;
  snprintf(s->first.message, sizeof s->first.message, "%s", message);
}

// A link is followed, as that of a single run's output: a result may lie on another disk. One that leads nowhere is
// told of where it is opened.
static void file_of(const sweep *s, int run, char path[PATH_SIZE]) {
  char name[32], file[PATH_SIZE];
  stz_run_file(run, name);
  snprintf(path, PATH_SIZE, "%s/%s", s->options->directory, name);
  if (stz_disk_follow(path, file, sizeof file) == STZ_OK) snprintf(path, PATH_SIZE, "%s", file);
}

// A manifest that cannot be written does not end the sweep: the results tell as much, when it goes on.
static void noted(sweep *s, stz_err err) {
  if (err != STZ_OK && !s->complained) stz_log(STZ_LOG_WARNING, "%s", stz_error_message());
  s->complained = s->complained || err != STZ_OK;
}

// Whether there is the complete result of this run, and of no other: files can be copied over each other.
static stz_err check_done(const sweep *s, int run, const char *path) {
  bool complete = false;
  char *resolved = NULL;
  STZ_TRY(stz_result_peek(path, &complete, &resolved));
  const bool its_own = stz_state_input_hash(resolved) == s->plan->runs[run].input_hash;
  stz_free(resolved);
  if (!complete) return stz_fail(STZ_EIO, "%s: not complete, though the run was done", path);
  return its_own ? STZ_OK : stz_fail(STZ_EIO, "%s: the result of another input than this run's", path);
}

// Whether a run that was done once is to be done again, which is so only if its result is gone. Of ten thousand results
// no more is read than has to be. For rank 0.
static bool is_lost(sweep *s, int run) {
  char path[PATH_SIZE], message[MESSAGE_SIZE];
  stz_summary summary;
  file_of(s, run, path);
  if (access(path, F_OK) != 0) return true;
  const bool known = stz_manifest_status(s->manifest, run)->state == STZ_RUN_DONE;
  stz_err err = check_done(s, run, path);
  if (err == STZ_OK && !known) err = stz_result_summary(path, &summary);
  if (err == STZ_OK) {
    if (!known) noted(s, stz_manifest_ends(s->manifest, run, STZ_RUN_DONE, 0.0, &summary, ""));
    s->mine.done_before++;
    return false;
  }
  snprintf(message, sizeof message, "%.900s; remove it to have run %d again", stz_error_message(), run);
  stz_log(STZ_LOG_WARNING, "%s", message);
  noted(s, stz_manifest_ends(s->manifest, run, STZ_RUN_FAILED, 0.0, NULL, message));
  keep_failure(s, run, err, message);
  return false;
}

// Finds or begins the manifest, and what is to be done. For rank 0.
static stz_err prepare(sweep *s) {
  const stz_sweep_options *o = s->options;
  const bool exists = stz_manifest_exists(o->directory);
  if (exists && o->force) STZ_TRY(stz_manifest_remove(o->directory));
  if (exists && !o->force && !o->resume) {
    return stz_fail(STZ_EIO, "%s: holds a sweep already; --resume goes on with it, --force replaces it", o->directory);
  }
  if (!exists || o->force) STZ_TRY(stz_manifest_create(o->directory, s->plan, o->command_line));
  STZ_TRY(stz_manifest_open(o->directory, s->plan, false, &s->manifest));
  int chosen;
  STZ_TRY(stz_sweep_select(s->plan, &o->choice, s->todo, &chosen));
  s->mine.runs = chosen;
  for (int i = 0; i < chosen; i++) {
    const int run = s->todo[i];
    const bool finished = stz_manifest_status(s->manifest, run)->finished;
    if (!finished || is_lost(s, run)) s->todo[s->todos++] = finished ? -1 - run : run;
  }
  return STZ_OK;
}

// Changes a number in rank 0's memory; its value before.
static int change(const sweep *s, int which, MPI_Op how, int by) {
  int before;
  MPI_Win_lock(MPI_LOCK_SHARED, 0, 0, s->window);
  MPI_Fetch_and_op(&by, &before, MPI_INT, 0, which, how, s->window);
  MPI_Win_unlock(0, s->window);
  return before;
}

// Adds to `news` how far the sweep has come, `ended` runs being over of those that this job had to do, the longest, as
// those are the first in turn; `begun` of the expected time is done in others.
static void tell(const sweep *s, const stz_sweep_news *news, int ended, double begun) {
  double done = begun, all = 0.0;
  if (!s->options->report) return;
  for (int i = 0; i < s->todos; i++) {
    const double seconds = s->plan->runs[s->todo[i] < 0 ? -1 - s->todo[i] : s->todo[i]].seconds;
    all += seconds;
    if (i < ended) done += seconds;
  }
  stz_sweep_news full = *news;
  full.ended = s->ended + ended;
  full.runs = s->chosen;
  full.groups = s->groups;
  full.sweep_wall_s = MPI_Wtime() - s->begin;
  full.share = all > 0.0 ? fmin(1.0, done / all) : 1.0;
  s->options->report(&full);
}

// For rank 0: what goes on.
static void tell_running(const sweep *s) {
  const int numbers = COUNTERS + SLOTS * s->groups;
  stz_sweep_news news = {.run = STZ_SWEEP_GOES_ON, .message = "", .least = 1.0};
  double begun = 0.0;
  MPI_Win_lock(MPI_LOCK_SHARED, 0, 0, s->window);
  MPI_Get_accumulate(NULL, 0, MPI_INT, s->seen, numbers, MPI_INT, 0, 0, numbers, MPI_INT, MPI_NO_OP, s->window);
  MPI_Win_unlock(0, s->window);
  for (const int *slot = s->seen + COUNTERS; slot < s->seen + numbers; slot += SLOTS) {
    if (slot[NUMBER] == 0) continue;
    const double share = 1e-6 * slot[SHARE];
    news.running++;
    news.wall_s = fmax(news.wall_s, MPI_Wtime() - s->begin - slot[BEGUN]);
    news.least = fmin(news.least, share);
    news.most = fmax(news.most, share);
    begun += share * s->plan->runs[slot[NUMBER] - 1].seconds;
  }
  if (news.running > 0) tell(s, &news, s->seen[ENDED], begun);
}

// For a group's first rank: one of the numbers of its run.
static void note(const sweep *s, int slot, int value) {
  change(s, COUNTERS + SLOTS * s->number + slot, MPI_REPLACE, value);
}

static const sweep *noting; // progress has no context

static void note_progress(const stz_progress *now) { note(noting, SHARE, (int)(1e6 * now->fraction)); }

// Lets MPI see to what other ranks ask of this one, while it computes: where the network cannot do it alone, the
// counters wait for that. Now and then the first of a group looks whether a signal has reached another group, and the
// first of all tells what goes on.
static void serve(void *context) {
  sweep *s = context;
  const double now = MPI_Wtime();
  const int own = s->options->stop ? *s->options->stop : 0;
  int flag;
  MPI_Iprobe(MPI_ANY_SOURCE, 0, s->comm, &flag, MPI_STATUS_IGNORE);
  if (s->stop || (!own && (!s->leader || now < s->looked + LOOK_S))) return;
  s->looked = now;
  const int known = change(s, SIGNAL, own ? MPI_REPLACE : MPI_NO_OP, own);
  s->stop = own ? own : known;
  if (s->stop) stz_interrupt(s->stop);
  if (!s->stop && s->seen && s->options->report) tell_running(s);
}

static bool is_over(sweep *s) {
  const double most = s->options->max_walltime_s;
  s->looked = 0.0;
  serve(s);
  return s->stop || (most > 0.0 && MPI_Wtime() - s->begin >= most);
}

// The next run of this group, which is then this process's; -1: none. For a group's first rank.
static int next_run(sweep *s) {
  for (;;) {
    if (is_over(s)) {
      s->mine.stopped_early = true;
      return -1;
    }
    const int turn = change(s, TURN, MPI_SUM, 1);
    if (turn >= s->todos) return -1;
    const bool lost = s->todo[turn] < 0;
    const int run = lost ? -1 - s->todo[turn] : s->todo[turn];
    if (!stz_manifest_claim(s->manifest, run)) {
      s->mine.held++;
      continue;
    }
    noted(s, stz_manifest_reread(s->manifest)); // another job may have done it since
    if (lost || !stz_manifest_status(s->manifest, run)->finished) return run;
    stz_manifest_release(s->manifest, run);
    s->mine.done_before++;
  }
}

// What a kill in the wrong moment left unreadable, without a whole checkpoint to mend it, is kept aside and the run
// begun again.
static void clear_torn(const char *path) {
  stz_state_paths checkpoints;
  stz_summary summary;
  struct stat status;
  if (stat(path, &status) != 0 || !S_ISREG(status.st_mode)) return;
  const stz_err err = stz_result_summary(path, &summary);
  if (err == STZ_OK || err == STZ_EINTERNAL) return; // the latter, as memory is out, says nothing about the file
  if (stz_state_paths_of(path, &checkpoints) != STZ_OK) return;
  if (stz_disk_check_seal(checkpoints.newest, NULL) != STZ_OK &&
      stz_disk_check_seal(checkpoints.previous, NULL) != STZ_OK) {
    char reason[PATH_SIZE + 64];
    snprintf(reason, sizeof reason, "%s: left unreadable by a kill, the run begins again", path);
    (void)!stz_output_set_aside(path, reason);
  }
  stz_state_paths_clear(&checkpoints);
}

// Collective over the group.
static stz_err carry_out(sweep *s, int run, const char *path, bool *stopped) {
  stz_config *config = NULL;
  STZ_TRY(stz_plan_config(s->group, s->plan, run, &config));
  const double most = s->options->max_walltime_s, left = most - (MPI_Wtime() - s->begin);
  const stz_run_options options = {.output = path,
                                   .command_line = s->options->command_line,
                                   .restart = true,
                                   .max_walltime_s = most > 0.0 ? (left > 1e-3 ? left : 1e-3) : 0.0,
                                   .stop = &s->stop,
                                   .progress = s->options->report ? note_progress : NULL,
                                   .cache = s->cache,
                                   .poll = serve,
                                   .context = s};
  noting = s;
  stz_interrupt_listen(serve, s);
  const stz_err err = stz_sim_run(s->group, config, &options, stopped);
  stz_interrupt_listen(NULL, NULL);
  stz_config_destroy(&config);
  if (err != STZ_ESTOPPED) return err;
  serve(s);        // the signal may have come after the last look, and the other groups must know
  *stopped = true; // in its set-up
  return STZ_OK;
}

// Notes how a run ended. For a group's first rank.
static void conclude(sweep *s, int run, const char *path, stz_err err, bool stopped, double wall_s) {
  char message[MESSAGE_SIZE] = "";
  stz_summary summary = {0};
  stz_run_state state = stopped ? STZ_RUN_STOPPED : STZ_RUN_DONE;
  if (err == STZ_OK && !stopped) err = stz_result_summary(path, &summary);
  if (err != STZ_OK) {
    state = STZ_RUN_FAILED;
    snprintf(message, sizeof message, "%s", stz_error_message());
    keep_failure(s, run, err, message);
  }
  s->mine.done += state == STZ_RUN_DONE;
  s->mine.stopped += state == STZ_RUN_STOPPED;
  const stz_summary *found = state == STZ_RUN_DONE ? &summary : NULL;
  noted(s, stz_manifest_ends(s->manifest, run, state, wall_s, found, message));
  stz_manifest_release(s->manifest, run);
  const stz_sweep_news news = {.run = run, .state = state, .wall_s = wall_s, .summary = found, .message = message};
  const int over = state != STZ_RUN_STOPPED;
  note(s, NUMBER, 0);
  tell(s, &news, change(s, ENDED, MPI_SUM, over) + over, 0.0);
}

static void one_run(sweep *s, int run, int ranks) {
  char path[PATH_SIZE];
  bool stopped = false;
  const double begin = MPI_Wtime();
  file_of(s, run, path);
  if (s->leader) {
    if (!stz_manifest_status(s->manifest, run)->finished) clear_torn(path);
    noted(s, stz_manifest_begins(s->manifest, run, ranks));
    note(s, SHARE, 0);
    note(s, BEGUN, (int)(begin - s->begin));
    note(s, NUMBER, run + 1);
  }
  const stz_err err = carry_out(s, run, path, &stopped);
  const double wall_s = MPI_Wtime() - begin;
  s->mine.stopped_early = s->mine.stopped_early || stopped;
  if (!s->leader) return;
  s->mine.busy_s += wall_s * ranks;
  conclude(s, run, path, err, stopped, wall_s);
}

static void work(sweep *s) {
  int ranks, run;
  MPI_Comm_size(s->group, &ranks);
  do {
    run = s->leader && !s->mine.stopped_early ? next_run(s) : -1;
    MPI_Bcast(&run, 1, MPI_INT, 0, s->group);
    if (run >= 0) one_run(s, run, ranks);
  } while (run >= 0);
}

// Rank 0 has no more runs and tells of those of the other groups.
static void see_out(sweep *s) {
  static const struct timespec nap = {.tv_nsec = 20000000};
  while (change(s, BUSY, MPI_NO_OP, 0) > 0) {
    serve(s);
    nanosleep(&nap, NULL);
  }
}

static void make_window(sweep *s, int rank) {
  const int numbers = COUNTERS + SLOTS * s->groups;
  int *own;
  MPI_Win_allocate((MPI_Aint)numbers * (MPI_Aint)sizeof *own, sizeof *own, MPI_INFO_NULL, s->comm, &own, &s->window);
  MPI_Win_lock(MPI_LOCK_EXCLUSIVE, rank, 0, s->window);
  memset(own, 0, (size_t)numbers * sizeof *own);
  own[BUSY] = s->groups;
  MPI_Win_unlock(rank, s->window);
}

// The groups work side by side; each ends by itself.
static stz_err hand_out_runs(sweep *s) {
  int rank;
  MPI_Comm_rank(s->comm, &rank);
  STZ_TRY(stz_agree(s->comm, rank == 0 ? STZ_NEW(s->seen, COUNTERS + SLOTS * s->groups) : STZ_OK));
  make_window(s, rank);
  MPI_Barrier(s->comm);
  stz_err err = STZ_OK;
  if (s->leader && !s->manifest) err = stz_manifest_open(s->options->directory, s->plan, false, &s->manifest);
  err = stz_agree(s->comm, err);
  if (err == STZ_OK) err = stz_agree(s->comm, stz_cache_create(s->group, NULL, &s->cache));
  if (err == STZ_OK && rank == 0) tell(s, &(stz_sweep_news){.run = STZ_SWEEP_BEGINS, .message = ""}, 0, 0.0);
  if (err == STZ_OK) work(s);
  if (err == STZ_OK && s->leader) change(s, BUSY, MPI_SUM, -1);
  if (err == STZ_OK && rank == 0) see_out(s);
  stz_cache_destroy(&s->cache);
  MPI_Win_free(&s->window);
  return err;
}

// What all groups did, and the failure of the lowest run.
static void gather(sweep *s, stz_sweep_outcome *outcome) {
  int counts[6] = {s->mine.runs, s->mine.done_before, s->mine.done, s->mine.failed, s->mine.stopped, s->mine.held};
  int stopped = s->mine.stopped_early, rank;
  double busy_s = s->mine.busy_s;
  MPI_Comm_rank(s->comm, &rank);
  MPI_Allreduce(MPI_IN_PLACE, counts, 6, MPI_INT, MPI_SUM, s->comm);
  MPI_Allreduce(MPI_IN_PLACE, &stopped, 1, MPI_INT, MPI_MAX, s->comm);
  MPI_Allreduce(MPI_IN_PLACE, &busy_s, 1, MPI_DOUBLE, MPI_SUM, s->comm);
  *outcome = (stz_sweep_outcome){.runs = counts[0],
                                 .done_before = counts[1],
                                 .done = counts[2],
                                 .failed = counts[3],
                                 .stopped = counts[4],
                                 .held = counts[5],
                                 .busy_s = busy_s,
                                 .wall_s = MPI_Wtime() - s->begin,
                                 .stopped_early = stopped != 0};
  struct {
    int run, rank;
  } lowest = {s->first.run, rank};
  MPI_Allreduce(MPI_IN_PLACE, &lowest, 1, MPI_2INT, MPI_MINLOC, s->comm);
  MPI_Bcast(&s->first, (int)sizeof s->first, MPI_BYTE, lowest.rank, s->comm);
}

// Says it once, not for each run.
static void warn_of_idle(const sweep *s) {
  int count = 0;
  for (int i = 0; i < s->plan->count; i++) count += s->plan->runs[i].ranks < s->options->ranks_per_run;
  if (count == 0) return;
  stz_log(STZ_LOG_WARNING,
          "%d of %d runs take the multilevel engine, whose events one rank of the %d computes: --ranks-per-run 1 is "
          "the quickest",
          count, s->plan->count, s->options->ranks_per_run);
}

static stz_err run_all(sweep *s, const char *path, stz_sweep_outcome *outcome) {
  int rank;
  MPI_Comm_rank(s->comm, &rank);
  STZ_TRY(stz_plan_read(s->comm, path, s->options->overrides, s->options->override_count, s->options->ranks_per_run,
                        &s->plan));
  if (rank == 0) warn_of_idle(s);
  STZ_TRY(stz_agree(s->comm, STZ_NEW(s->todo, s->plan->count)));
  STZ_TRY(stz_agree(s->comm, rank == 0 ? prepare(s) : STZ_OK));
  int counts[3] = {s->todos, s->mine.runs, s->mine.runs - s->todos};
  MPI_Bcast(counts, 3, MPI_INT, 0, s->comm);
  s->todos = counts[0];
  s->chosen = counts[1];
  s->ended = counts[2];
  MPI_Bcast(s->todo, s->todos, MPI_INT, 0, s->comm);
  STZ_TRY(hand_out_runs(s));
  gather(s, outcome);
  const stz_err late = stz_agree(s->comm, s->manifest ? stz_manifest_flush(s->manifest) : STZ_OK);
  if (outcome->failed == 0 || outcome->stopped_early) return late;
  return stz_fail((stz_err)s->first.code, "%s: %d of %d runs failed, the first is run %d: %s", s->options->directory,
                  outcome->failed, outcome->runs, s->first.run, s->first.message);
}

stz_err stz_sweep_run(MPI_Comm comm, const char *path, const stz_sweep_options *options, stz_sweep_outcome *outcome) {
  sweep s = {.options = options, .comm = comm, .begin = MPI_Wtime(), .first = {.run = INT_MAX}};
  int rank, ranks, group_rank;
  *outcome = (stz_sweep_outcome){0};
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &ranks);
  STZ_TRY(stz_sweep_check_ranks(ranks, options->ranks_per_run));
  s.number = stz_sweep_group(rank, ranks, options->ranks_per_run);
  s.groups = stz_sweep_groups(ranks, options->ranks_per_run);
  MPI_Comm_split(comm, s.number, rank, &s.group);
  MPI_Comm_rank(s.group, &group_rank);
  s.leader = group_rank == 0;
  const stz_err err = run_all(&s, path, outcome);
  stz_manifest_close(&s.manifest);
  stz_plan_destroy(&s.plan);
  stz_free(s.todo);
  stz_free(s.seen);
  MPI_Comm_free(&s.group);
  return err;
}

bool stz_sweep_leads(MPI_Comm comm, int ranks_per_run) {
  int rank, ranks;
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &ranks);
  if (rank == 0 || ranks_per_run > ranks) return rank == 0;
  return stz_sweep_group(rank, ranks, ranks_per_run) != stz_sweep_group(rank - 1, ranks, ranks_per_run);
}
