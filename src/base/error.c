// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

static _Thread_local char message[1024];

stz_err stz_fail(stz_err code, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(message, sizeof message, format, args);
  va_end(args);
  stz_make_line(message);
  return code;
}

stz_err stz_blame(const char *place, stz_err err) {
  char reason[sizeof message];
  if (err != STZ_EINPUT && err != STZ_EIO) return err;
  memcpy(reason, message, sizeof reason);
  return stz_fail(err, "%s: %s", place, reason);
}

const char *stz_error_message(void) { return message; }
