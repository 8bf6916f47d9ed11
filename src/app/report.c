// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/report.h"

#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"

static struct {
  bool terminal;    // stderr is one
  bool open_line;   // a progress line stands there without its newline
  double last_wall; // at the last line into a file
  double last_fraction;
  int last_segment;
} report;

static void clear_line(void) {
  if (report.open_line) fputs("\r\033[K", stderr);
  report.open_line = false;
}

static void log_line(stz_log_level level, const char *line) {
  clear_line();
  fprintf(stderr, "%s%s\n", level == STZ_LOG_WARNING ? "stzkmc: warning: " : "", line);
}

void stz_report_begin(int verbosity) {
  report.terminal = isatty(STDERR_FILENO);
  report.last_segment = -1;
  const stz_log_level most = verbosity < 0 ? STZ_LOG_WARNING : verbosity > 0 ? STZ_LOG_DETAIL : STZ_LOG_INFO;
  stz_log_install(log_line, most);
}

// Into a file: at each new segment, at the end, and after a tenth of the run or half a minute.
static bool due(const stz_progress *now) {
  return now->segment != report.last_segment || now->fraction >= 1.0 || now->fraction >= report.last_fraction + 0.1 ||
         now->wall_s >= report.last_wall + 30.0;
}

void stz_report_progress(const stz_progress *now) {
  if (!report.terminal && !due(now)) return;
  report.last_wall = now->wall_s;
  report.last_fraction = now->fraction;
  report.last_segment = now->segment;
  char line[200];
  snprintf(line, sizeof line, "%3.0f %%  %d/%d %s  t %.4g s  strain %.3f %%  %.3f GPa  %llu events, %.0f/s",
           100.0 * now->fraction, now->segment + 1, now->segments, now->segment_type, now->time_s, 100.0 * now->strain,
           now->stress_GPa, now->events, now->events_per_s);
  clear_line();
  fprintf(stderr, "%.*s%s", report.terminal ? 79 : 199, line, report.terminal ? "" : "\n"); // a wrapped line would stay
  fflush(stderr);
  report.open_line = report.terminal;
}

void stz_report_end(void) {
  if (report.open_line) fputc('\n', stderr);
  report.open_line = false;
}

void stz_report_failure(void) {
  stz_report_end();
  fprintf(stderr, "stzkmc: %s\n", stz_error_message());
}
