// SPDX-License-Identifier: GPL-3.0-or-later
//
// What two results differ in: both are turned into `key: value` lines, which are compared key by key.
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/utf8.h"
#include "io/result.h"

// A setting's value: up to the semicolon that ends it, which is not one within quotes.
static size_t value_length(const char *value) {
  size_t length = 0;
  for (bool quoted = false; value[length] && value[length] != '\n' && (quoted || value[length] != ';'); length++) {
    if (quoted && value[length] == '\\' && value[length + 1]) {
      length++;
    } else if (value[length] == '"') {
      quoted = !quoted;
    }
  }
  return length;
}

// Prints the settings of a resolved input as `group.key: value`, `protocol[2].key: value`. It is our own print, with a
// key, or the start or end of a group, per line.
static void flatten(const char *resolved, FILE *out) {
  char group[64] = "", name[64] = "";
  int segment = -1; // of the protocol, the only list
  while (*resolved) {
    const char *line = resolved + strspn(resolved, " \t");
    const size_t word = strspn(line, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    resolved = line + strcspn(line, "\n");
    if (*resolved) resolved++;
    if (word > 0 && strncmp(line + word, " = ", 3) == 0) {
      const char *value = line + word + 3;
      fprintf(out, "%s%s%.*s: %.*s\n", group, group[0] ? "." : "", (int)word, line, (int)value_length(value), value);
    } else if (word > 0 && word < sizeof name &&
               (strncmp(line + word, ": {", 3) == 0 || strncmp(line + word, ": (", 3) == 0)) {
      snprintf(name, sizeof name, "%.*s", (int)word, line);
      snprintf(group, sizeof group, "%.*s", (int)word, line);
    } else if (line[0] == '{') {
      snprintf(group, sizeof group, "%.40s[%d]", name, ++segment);
    } else if (line[0] == '}') {
      group[0] = 0;
    }
  }
}

// Everything that is compared of a result, as one text.
static stz_err describe(const char *path, char **text) {
  char *resolved = NULL;
  stz_text *printed;
  FILE *out;
  bool complete;
  *text = NULL;
  STZ_TRY(stz_result_peek(path, &complete, &resolved));
  stz_err err = stz_text_begin(&printed, &out);
  if (err == STZ_OK) err = stz_result_info(path, out);
  if (err == STZ_OK) {
    stz_make_lines(resolved);
    flatten(resolved, out);
  }
  stz_free(resolved);
  return stz_text_end(&printed, err, text);
}

// The value of a line's key, from its colon on, and its length without blanks at the ends.
static const char *value_of(const char *line, size_t *key, size_t *length) {
  const size_t whole = strcspn(line, "\n");
  *key = strcspn(line, ":\n");
  const char *value = line + *key + (line[*key] == ':');
  *length = whole - (size_t)(value - line);
  while (*length > 0 && *value == ' ') value++, --*length;
  return value;
}

// The line of `text` with the key of `line`; NULL if there is none.
static const char *find_line(const char *text, const char *line) {
  const size_t length = strcspn(line, ":\n") + 1;
  while (*text) {
    if (strncmp(text, line, length) == 0) return text;
    text += strcspn(text, "\n");
    text += *text == '\n';
  }
  return NULL;
}

static const char *next_line(const char *line) {
  line += strcspn(line, "\n");
  return line + (*line == '\n');
}

static void print_differences(const char *a, const char *b, FILE *out) {
  size_t key, ours, theirs;
  for (const char *line = a; *line; line = next_line(line)) {
    const char *other = find_line(b, line), *value = value_of(line, &key, &ours), *second = "-";
    theirs = 1;
    if (other) second = value_of(other, &key, &theirs);
    if (other && ours == theirs && memcmp(value, second, ours) == 0) continue;
    fprintf(out, "%.*s: %.*s | %.*s\n", (int)key, line, (int)ours, value, (int)theirs, second);
  }
  for (const char *line = b; *line; line = next_line(line)) {
    const char *value = value_of(line, &key, &theirs);
    if (!find_line(a, line)) fprintf(out, "%.*s: - | %.*s\n", (int)key, line, (int)theirs, value);
  }
}

stz_err stz_result_differences(const char *first, const char *second, FILE *out) {
  char *a = NULL, *b = NULL;
  stz_err err = describe(first, &a);
  if (err == STZ_OK) err = describe(second, &b);
  if (err == STZ_OK) print_differences(a, b, out);
  if (err == STZ_OK && (fflush(out) != 0 || ferror(out))) err = stz_fail(STZ_EIO, "%s: cannot print", first);
  stz_free(a);
  stz_free(b);
  return err;
}
