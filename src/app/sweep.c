// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/sweep.h"

#include <stdio.h>
#include <string.h>

#include "app/report.h"
#include "base/forecast.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "sweep/sweep.h"

// "2 running, for up to 40 s, 5 to 43 % done"
static void describe_running(const stz_sweep_news *news, char text[160]) {
  char least[16] = "";
  const int low = (int)(100.0 * news->least), high = (int)(100.0 * news->most);
  if (low < high) snprintf(least, sizeof least, "%d to ", low);
  snprintf(text, 160, "%d running, for%s %.0f s, %s%d %% done", news->running, news->running > 1 ? " up to" : "",
           news->wall_s, least, high);
}

// A line at the start, one for each run from the first rank of its group, and between them what goes on.
static void report_news(const stz_sweep_news *news) {
  static stz_forecast forecast;
  char line[1400], rest[1100] = "", left[STZ_FORECAST_TEXT];
  const double left_s = stz_forecast_left(&forecast, news->sweep_wall_s, news->share);
  stz_forecast_text(left_s, left);
  if (news->ended == news->runs) strcpy(left, "none left");
  if (news->summary) snprintf(rest, sizeof rest, ", state_hash %s", news->summary->state_hash);
  if (news->message[0]) snprintf(rest, sizeof rest, ": %s", news->message);
  if (news->run == STZ_SWEEP_GOES_ON) {
    describe_running(news, rest);
    snprintf(line, sizeof line, "%d/%d, %s; %s", news->ended, news->runs, left, rest);
    stz_report_passing(line);
    return;
  }
  if (news->run == STZ_SWEEP_BEGINS) {
    snprintf(line, sizeof line, "%d/%d runs done, %d at a time", news->ended, news->runs, news->groups);
  } else {
    snprintf(line, sizeof line, "%d/%d, %s; run %d %s after %.3g s%s", news->ended, news->runs, left, news->run,
             stz_run_state_name(news->state), news->wall_s, rest);
  }
  stz_report_line(line);
}

static void report_outcome(const stz_sweep_outcome *o, int ranks, const char *directory) {
  const int left = o->runs - o->done_before - o->done - o->failed - o->stopped - o->held;
  stz_log(STZ_LOG_INFO,
          "%d runs: %d done before, %d now, %d failed, %d stopped early, %d not begun, %d left to other jobs; in %s",
          o->runs, o->done_before, o->done, o->failed, o->stopped, left, o->held, directory);
  stz_log(STZ_LOG_INFO, "%.1f s on %d rank%s, %.0f %% of it in runs%s", o->wall_s, ranks, ranks == 1 ? "" : "s",
          100.0 * o->busy_s / (o->wall_s * ranks), o->stopped_early ? "; stopped early, go on with --resume" : "");
}

stz_err stz_app_sweep(MPI_Comm comm, const stz_cli *cli, const volatile int *stop, bool *stopped_early) {
  const stz_sweep_options options = {.directory = cli->output,
                                     .ranks_per_run = cli->ranks_per_run,
                                     .resume = cli->resume,
                                     .force = cli->force,
                                     .choice = {.only = cli->only, .shard = cli->shard, .shards = cli->shards},
                                     .max_walltime_s = cli->max_walltime_s,
                                     .stop = stop,
                                     .command_line = cli->text,
                                     .overrides = cli->overrides,
                                     .override_count = cli->override_count,
                                     .report = cli->verbosity < 0 ? NULL : report_news};
  if (cli->list) return stz_sweep_list(comm, cli->file, &options, stdout);
  if (cli->dry_run) return stz_sweep_estimate(comm, cli->file, &options, stdout);
  STZ_TRY(stz_stage(comm, "reading the sweep and the inputs of its runs"));
  // While runs go on, their own news would hide those of the sweep.
  if (stz_sweep_leads(comm, cli->ranks_per_run)) stz_report_begin(cli->verbosity > 0 ? 1 : -1);
  stz_sweep_outcome outcome;
  int rank, ranks;
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &ranks);
  const stz_err err = stz_sweep_run(comm, cli->file, &options, &outcome);
  *stopped_early = outcome.stopped_early;
  if (rank == 0) stz_report_begin(cli->verbosity);
  if (rank == 0 && outcome.runs > 0) report_outcome(&outcome, ranks, cli->output);
  return err;
}
