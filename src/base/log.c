// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/log.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include "base/utf8.h"

static stz_log_sink *log_sink;
static stz_log_level log_most;

void stz_log_install(stz_log_sink *sink, stz_log_level most) {
  log_sink = sink;
  log_most = most;
}

void stz_log(stz_log_level level, const char *format, ...) {
  if (!log_sink || level > log_most) return;
  char line[512];
  va_list args;
  va_start(args, format);
  vsnprintf(line, sizeof line, format, args);
  va_end(args);
  stz_make_line(line);
  log_sink(level, line);
}
