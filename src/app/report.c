// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/report.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/forecast.h"
#include "base/interrupt.h"
#include "base/log.h"

// Between lines of a file, s: after the first some soon, then one each minute.
static const double SOON_S[] = {2.0, 5.0, 10.0, 20.0, 30.0}, LATER_S = 60.0;
enum { SOON = sizeof SOON_S / sizeof *SOON_S };
static const double REDRAW_S = 0.1;

static struct {
  bool terminal;  // stderr is one
  bool open_line; // a progress line stands there without its newline
  bool stamped;   // lines begin with the date
  bool detailed;
  double told; // clock at the last line of progress; 0: none
  int lines;   // of progress in a file
  stz_forecast forecast;
} report;

static double clock_s(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void clear_line(void) {
  if (report.open_line) fputs("\r\033[K", stderr);
  report.open_line = false;
}

// "2026-01-31 23:59:59  " in a log; nothing on a terminal.
static void stamp(char text[32]) {
  const time_t now = time(NULL);
  struct tm parts;
  text[0] = 0;
  if (!report.terminal && report.stamped) strftime(text, 32, "%Y-%m-%d %H:%M:%S  ", localtime_r(&now, &parts));
}

static void log_line(stz_log_level level, const char *line) {
  char date[32];
  clear_line();
  stamp(date);
  fprintf(stderr, "%s%s\n", level == STZ_LOG_WARNING ? "stzkmc: warning: " : date, line);
}

// A line of progress: on a terminal in the place of the last one.
static void show(const char *line) {
  char date[32];
  clear_line();
  stamp(date);
  fprintf(stderr, "%s%.*s%s", date, report.terminal ? 79 : 250, line, report.terminal ? "" : "\n"); // none wraps
  fflush(stderr);
  report.open_line = report.terminal;
  report.told = clock_s();
  report.lines++;
}

static bool due(void) {
  const double wait = report.terminal ? REDRAW_S : report.lines <= SOON ? SOON_S[report.lines - 1] : LATER_S;
  return clock_s() >= report.told + wait;
}

// A step of the set-up. Short ones are passed over, but not the first.
static void show_stage(const char *what, double share) {
  char line[200], done[16] = "";
  if (report.lines > 0 && !(report.detailed && share < 0.0) && !due()) return;
  if (share > 0.0) snprintf(done, sizeof done, " %.0f %%", 100.0 * share);
  snprintf(line, sizeof line, "%s%s", what, done);
  show(line);
}

void stz_report_begin(int verbosity) {
  report.terminal = isatty(STDERR_FILENO);
  report.detailed = verbosity > 0;
  const stz_log_level most = verbosity < 0 ? STZ_LOG_WARNING : verbosity > 0 ? STZ_LOG_DETAIL : STZ_LOG_INFO;
  stz_log_install(log_line, most);
  stz_stage_install(verbosity < 0 ? NULL : show_stage);
}

void stz_report_stamp(void) { report.stamped = true; }

void stz_report_progress(const stz_progress *now) {
  char line[300], left[STZ_FORECAST_TEXT];
  const double left_s = stz_forecast_left(&report.forecast, now->wall_s, now->fraction);
  if (report.lines > 0 && now->fraction < 1.0 && !due()) return;
  stz_forecast_text(left_s, left);
  if (now->fraction >= 1.0) strcpy(left, "done");
  snprintf(line, sizeof line, "%3.0f %%, %s  %d/%d %s  strain %.3f %%  %.3f GPa  t %.3g s  %llu events, %.0f/s",
           100.0 * now->fraction, left, now->segment + 1, now->segments, now->segment_type, 100.0 * now->strain,
           now->stress_GPa, now->time_s, now->events, now->events_per_s);
  show(line);
}

void stz_report_line(const char *line) { log_line(STZ_LOG_INFO, line); }

void stz_report_passing(const char *line) {
  if (report.lines == 0 || due()) show(line);
}

void stz_report_end(void) {
  if (report.open_line) fputc('\n', stderr);
  report.open_line = false;
}

void stz_report_failure(void) {
  stz_report_end();
  fprintf(stderr, "stzkmc: %s\n", stz_error_message());
}
