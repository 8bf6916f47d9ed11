// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a sweep is and will cost, without running it.
#include <math.h>

#include "base/comm.h"
#include "base/memory.h"
#include "sweep/select.h"

// What both need: the plan, the chosen runs, and the manifest if there is one. The manifest is rank 0's.
typedef struct view {
  stz_plan *plan;
  stz_manifest *manifest;
  int *runs, count;
} view;

static stz_err open_view(MPI_Comm comm, const char *path, const stz_sweep_options *options, view *v) {
  const int rank = stz_comm_rank(comm);
  STZ_TRY(stz_plan_read(comm, path, options->overrides, options->override_count, options->ranks_per_run, &v->plan));
  stz_err err = STZ_NEW(v->runs, v->plan->count);
  if (err == STZ_OK) err = stz_sweep_select(v->plan, &options->choice, v->runs, &v->count);
  if (err == STZ_OK && rank == 0 && stz_manifest_exists(options->directory)) {
    err = stz_manifest_open(options->directory, v->plan, true, &v->manifest);
  }
  return stz_agree(comm, err);
}

static void close_view(view *v) {
  stz_manifest_close(&v->manifest);
  stz_plan_destroy(&v->plan);
  stz_free(v->runs);
}

static const stz_run_status *status_of(const view *v, int run) {
  static const stz_run_status waiting = {.state = STZ_RUN_WAITING};
  return v->manifest ? stz_manifest_status(v->manifest, run) : &waiting;
}

static void print_run(const view *v, int run, FILE *out) {
  const stz_run_status *status = status_of(v, run);
  const bool killed = status->state == STZ_RUN_RUNNING && !stz_manifest_held(v->manifest, run);
  char file[32], number[STZ_NUMBER_SIZE];
  stz_run_file(run, file);
  fprintf(out, "%d %s %d %.4g %s %d", run, killed ? "killed" : stz_run_state_name(status->state), status->attempts,
          status->wall_s, file, v->plan->runs[run].replica);
  for (int a = 0; a < v->plan->spec->axis_count; a++) {
    fprintf(out, " %s", stz_design_value(v->plan->design, v->plan->runs[run].point, a, number));
  }
  fputc('\n', out);
}

// By number, not by cost. For rank 0.
static stz_err print_runs(const view *v, FILE *out) {
  bool *chosen = NULL;
  STZ_TRY(STZ_NEW(chosen, v->plan->count)); // before anything is printed
  for (int i = 0; i < v->count; i++) chosen[v->runs[i]] = true;
  fputs("# run state attempts wall_s file replica", out);
  for (int a = 0; a < v->plan->spec->axis_count; a++) fprintf(out, " %s", v->plan->spec->axes[a].name);
  fputc('\n', out);
  for (int run = 0; run < v->plan->count; run++) {
    if (chosen[run]) print_run(v, run, out);
  }
  stz_free(chosen);
  return STZ_OK;
}

stz_err stz_sweep_list(MPI_Comm comm, const char *path, const stz_sweep_options *options, FILE *out) {
  view v = {.plan = NULL};
  stz_err err = open_view(comm, path, options, &v);
  if (err == STZ_OK) err = stz_agree(comm, stz_comm_rank(comm) == 0 ? print_runs(&v, out) : STZ_OK);
  close_view(&v);
  return err;
}

typedef struct total {
  int left, done;
  double events, seconds, longest, bytes, memory;
  double end; // when the last group would be through, if each takes the next run in turn
} total;

static void add_up(const view *v, total *t, double *busy, int groups) {
  for (int i = 0; i < v->count; i++) {
    const stz_plan_run *r = &v->plan->runs[v->runs[i]];
    t->bytes += r->bytes;
    if (status_of(v, v->runs[i])->state == STZ_RUN_DONE) {
      t->done++;
      continue;
    }
    t->left++;
    t->events += r->events;
    t->seconds += r->seconds;
    t->longest = fmax(t->longest, r->seconds);
    t->memory = fmax(t->memory, r->memory);
    int first = 0;
    for (int g = 1; g < groups; g++) first = busy[g] < busy[first] ? g : first;
    busy[first] += r->seconds;
    t->end = fmax(t->end, busy[first]);
  }
}

stz_err stz_sweep_estimate(MPI_Comm comm, const char *path, const stz_sweep_options *options, FILE *out) {
  view v = {.plan = NULL};
  total t = {0};
  double *busy = NULL;
  const int rank = stz_comm_rank(comm), ranks = stz_comm_size(comm);
  STZ_TRY(stz_sweep_check_ranks(ranks, options->ranks_per_run));
  const int groups = stz_sweep_groups(ranks, options->ranks_per_run);
  stz_err err = open_view(comm, path, options, &v);
  if (err == STZ_OK) err = stz_agree(comm, STZ_NEW(busy, groups));
  if (err == STZ_OK && rank == 0) {
    add_up(&v, &t, busy, groups);
    fprintf(out, "runs: %d\nruns_done: %d\nruns_left: %d\n", v.count, t.done, t.left);
    fprintf(out, "points: %d\nreplicas: %d\n", stz_design_points(v.plan->design), v.plan->spec->replicas);
    fprintf(out, "events: %.3g\nlongest_run_s: %.3g\n", t.events, t.longest);
    fprintf(out, "core_hours: %.3g\n", t.seconds * options->ranks_per_run / 3600.0);
    fprintf(out, "groups: %d\nwall_s: %.3g\n", groups, t.end);
    fprintf(out, "memory_per_rank_MB: %.3g\ndisk_MB: %.3g\n", t.memory * 1e-6, t.bytes * 1e-6);
  }
  stz_free(busy);
  close_view(&v);
  return err;
}
