// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/violation.h"

#include <stdarg.h>
#include <string.h>

// The path as the user writes it, from "protocol[].x" and the segment.
static void concrete_path(const char *pattern, int segment, char *path, size_t size) {
  const char *bracket = strchr(pattern, ']');
  if (!bracket) {
    snprintf(path, size, "%s", pattern);
  } else {
    snprintf(path, size, "%.*s%d%s", (int)(bracket - pattern), pattern, segment, bracket);
  }
}

void stz_key_place(const stz_config_builder *builder, const stz_key *key, int segment, char place[STZ_PLACE_SIZE]) {
  const stz_origin *origin = stz_builder_origin(builder, key, segment);
  char path[STZ_TEXT_SIZE], line[16] = "";
  concrete_path(key->path, segment, path, sizeof path);
  if (origin->line > 0) snprintf(line, sizeof line, ":%d", origin->line);
  snprintf(place, STZ_PLACE_SIZE, "%s%s: %s", origin->file ? origin->file : builder->input_name, line, path);
}

static void print_got(const stz_config_builder *builder, const stz_key *key, int segment, FILE *out) {
  if (!stz_builder_is_set(builder, key, segment)) {
    fputs("nothing", out);
  } else if (key->type == STZ_KEY_FLOAT) {
    char number[32];
    stz_format_double(*(double *)stz_builder_value(builder, key, segment), false, number);
    fputs(number, out);
  } else {
    stz_builder_print_value(builder, key, segment, out);
  }
  if (stz_builder_origin(builder, key, segment)->layer == STZ_LAYER_DEFAULT) fputs(" (default)", out);
}

stz_err stz_violated(const stz_config_builder *builder, int segment, const char *pattern, const char *format, ...) {
  char path[STZ_TEXT_SIZE], place[STZ_PLACE_SIZE], got[STZ_TEXT_SIZE] = "", needs[STZ_TEXT_SIZE];
  int index;
  concrete_path(pattern, segment, path, sizeof path);
  const stz_key *key = stz_schema_find(path, &index);
  stz_key_place(builder, key, index, place);
  FILE *out = fmemopen(got, sizeof got - 1, "w");
  if (!out) return stz_fail(STZ_EINTERNAL, "out of memory");
  print_got(builder, key, index, out);
  fclose(out);
  va_list args;
  va_start(args, format);
  vsnprintf(needs, sizeof needs, format, args);
  va_end(args);
  return stz_fail(STZ_EINPUT, "%s: got %s, needs %s", place, got, needs);
}

bool stz_is_given(const stz_config_builder *builder, int segment, const char *pattern) {
  char path[STZ_TEXT_SIZE];
  int index;
  concrete_path(pattern, segment, path, sizeof path);
  return stz_builder_is_set(builder, stz_schema_find(path, &index), segment);
}
