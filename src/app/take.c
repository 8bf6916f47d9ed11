// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/take.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

stz_err stz_take_text(const char *first, size_t first_length, const char *second, char **text) {
  const size_t size = first_length + strlen(second) + 1;
  STZ_TRY(STZ_NEW(*text, size));
  snprintf(*text, size, "%.*s%s", (int)first_length, first, second);
  return STZ_OK;
}

// An integer from `least` that ends at `stop`; false if there is none.
static bool read_integer(const char *text, int least, char stop, int *value) {
  char *end;
  errno = 0;
  const long found = strtol(text, &end, 10);
  *value = (int)found;
  return end != text && *end == stop && errno == 0 && found >= least && found <= INT_MAX;
}

stz_err stz_take_flag(stz_cli *cli, const stz_option *o, const char *value) {
  (void)value;
  *(bool *)((char *)cli + o->at) = true;
  return STZ_OK;
}

stz_err stz_take_choice(stz_cli *cli, const stz_option *o, const char *value) {
  (void)value;
  *(int *)((char *)cli + o->at) = o->as;
  return STZ_OK;
}

stz_err stz_take_word(stz_cli *cli, const stz_option *o, const char *value) {
  *(const char **)((char *)cli + o->at) = value;
  return STZ_OK;
}

stz_err stz_take_override(stz_cli *cli, const stz_option *o, const char *value) {
  const char *prefix = o->key ? o->key : "";
  char *text = NULL;
  STZ_TRY(stz_take_text(prefix, strlen(prefix), value, &text));
  cli->overrides[cli->override_count++] = (stz_override){.text = text, .option = o->name};
  return STZ_OK;
}

stz_err stz_take_output(stz_cli *cli, const stz_option *o, const char *value) {
  stz_free(cli->output);
  cli->output = NULL;
  if (!value[0]) return stz_fail(STZ_EINPUT, "%s: got an empty name, needs a file", o->name);
  return stz_take_text(value, strlen(value), "", &cli->output);
}

stz_err stz_take_at(stz_cli *cli, const stz_option *o, const char *value) {
  (void)o;
  cli->at[cli->at_count++] = value;
  return STZ_OK;
}

stz_err stz_take_ranks(stz_cli *cli, const stz_option *o, const char *value) {
  if (read_integer(value, 1, 0, &cli->ranks_per_run)) return STZ_OK;
  return stz_fail(STZ_EINPUT, "%s: got `%s`, needs an integer > 0", o->name, value);
}

stz_err stz_take_shard(stz_cli *cli, const stz_option *o, const char *value) {
  const char *slash = strchr(value, '/');
  if (slash && read_integer(value, 0, '/', &cli->shard) && read_integer(slash + 1, 1, 0, &cli->shards) &&
      cli->shard < cli->shards) {
    return STZ_OK;
  }
  return stz_fail(STZ_EINPUT, "%s: got `%s`, needs i/n with i from 0 to n-1", o->name, value);
}

stz_err stz_take_walltime(stz_cli *cli, const stz_option *o, const char *value) {
  char *end;
  cli->max_walltime_s = strtod(value, &end);
  if (end != value && *end == 0 && cli->max_walltime_s > 0.0 && isfinite(cli->max_walltime_s)) return STZ_OK;
  return stz_fail(STZ_EINPUT, "%s: got `%s`, needs seconds > 0", o->name, value);
}
