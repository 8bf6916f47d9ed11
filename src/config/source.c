// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/source.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/comm.h"
#include "base/memory.h"
#include "config/schema.h"
#include "config/syntax.h"

enum { LARGEST_FILE = 1 << 20, MOST_KEYS = 1000, NESTED = 64 };

// Reads the file into `text` (LARGEST_FILE + 2 bytes), closed by a newline: libconfig 1.5 takes a comment at the very
// end of a text for a syntax error. The byte-order mark that editors on Windows set is no part of the text.
static stz_err read_text(const char *path, char *text) {
  FILE *file = fopen(path, "rb");
  if (!file) return stz_fail(STZ_EIO, "%s: cannot be opened: %s", path, strerror(errno));
  errno = 0;
  size_t count = fread(text, 1, LARGEST_FILE + 1, file);
  const bool failed = ferror(file);
  const int reason = errno;
  fclose(file);
  if (failed) return stz_fail(STZ_EIO, "%s: cannot be read: %s", path, strerror(reason));
  if (count > LARGEST_FILE) return stz_fail(STZ_EINPUT, "%s: got more than 1 MiB, needs an input file", path);
  if (memchr(text, 0, count)) return stz_fail(STZ_EINPUT, "%s: got binary data, needs a text file", path);
  if (count >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) memset(text, ' ', 3);
  if (count > 0 && text[count - 1] != '\n') text[count++] = '\n';
  text[count] = 0;
  return STZ_OK;
}

stz_err stz_source_broadcast(MPI_Comm comm, const char *name, const char *text, stz_source *source) {
  const int rank = stz_comm_rank(comm);
  snprintf(source->name, sizeof source->name, "%s", name);
  size_t length = rank == 0 ? strlen(text) : 0;
  stz_broadcast(comm, &length, sizeof length);
  STZ_TRY(stz_agree(comm, STZ_NEW(source->text, length + 1)));
  if (rank == 0) memcpy(source->text, text, length);
  stz_broadcast(comm, source->text, length);
  return STZ_OK;
}

stz_err stz_source_read(MPI_Comm comm, const char *path, stz_source *source) {
  const int rank = stz_comm_rank(comm);
  char *text = NULL;
  stz_err err = STZ_OK;
  if (rank == 0) {
    err = STZ_NEW(text, LARGEST_FILE + 2);
    if (err == STZ_OK) err = read_text(path, text);
  }
  err = stz_agree(comm, err);
  if (err == STZ_OK) err = stz_source_broadcast(comm, path, text, source);
  stz_free(text);
  return err;
}

void stz_source_clear(stz_source *source) {
  stz_free(source->text);
  source->text = NULL;
}

// Whether an array that begins at `at` holds a number with a point: libconfig wants all of one kind.
static bool has_floats(const char *at) {
  bool integer = true;
  for (at++; *at && *at != '[' && *at != ']' && integer;) {
    const char *end = stz_skip_opaque(at);
    if (end == at) end = stz_skip_name(at);
    if (end == at) end = stz_skip_number(at, &integer);
    at = end > at ? end : at + 1;
  }
  return !integer;
}

// Writes the integer [at, end) so that libconfig reads its true value, or, among others that have one, with a point;
// returns the number of characters.
static size_t write_integer(const char *at, const char *end, bool point, char *out) {
  errno = 0;
  char *stop;
  const char *digits = at + (*at == '+' || *at == '-');
  const bool hex = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X'); // strtoll's base 0: 010 is octal
  const long long value = strtoll(at, &stop, hex ? 16 : 10);
  if (errno == ERANGE) return (size_t)sprintf(out, "%.17e", strtod(at, NULL));
  size_t count = (size_t)(end - at);
  memcpy(out, at, count);
  if (point && !hex && end == stop) return count + (size_t)sprintf(out + count, ".0");
  if (end == stop && (value < INT32_MIN || value > INT32_MAX)) out[count++] = 'L';
  return count;
}

// Why a text is not given to libconfig, and where.
typedef struct objection {
  const char *place; // NULL: none
  const char *reason;
} objection;

// Looks at the name, brace or directive at `at`; counts[depth] is the number of keys of each open group. libconfig
// compares each new key with all others of its group, so that many of them would take for ever.
static objection examine(const char *at, const char *end, int counts[NESTED], int *depth) {
  if (strncmp(at, "@include", 8) == 0) {
    return (objection){at, "@include: got an include directive, needs the keys themselves, or `model`"};
  }
  if (*at == '{' && *depth == NESTED - 1) return (objection){at, "got groups more than 63 deep, needs fewer"};
  if (*at == '{') counts[++*depth] = 0;
  if (*at == '}' && *depth > 0) --*depth;
  const bool name = end > at && (isalpha((unsigned char)*at) || *at == '*');
  if (name && ++counts[*depth] > MOST_KEYS) return (objection){at, "got more than 1000 keys in one group, needs fewer"};
  return (objection){NULL, NULL};
}

// Copies `text` to `out` with its integers made safe, unless there is an objection.
static objection rewrite(const char *text, char *out) {
  int counts[NESTED] = {0}, depth = 0;
  bool point = false;
  while (*text) {
    bool integer = false;
    if (*text == '[') point = has_floats(text);
    if (*text == ']') point = false;
    const char *end = stz_skip_opaque(text);
    if (end == text) {
      end = stz_skip_name(text);
      const objection found = examine(text, end, counts, &depth);
      if (found.place) return found;
    }
    if (end == text) end = stz_skip_number(text, &integer);
    if (end == text) { // nothing that has a name, as a space, which strtoll would pass over
      integer = false;
      end++;
    }
    if (integer && (point || end > text + 1)) {
      out += write_integer(text, end, point, out);
    } else {
      memcpy(out, text, (size_t)(end - text));
      out += end - text;
    }
    text = end;
  }
  *out = 0;
  return (objection){NULL, NULL};
}

static int line_of(const char *text, const char *place) {
  int line = 1;
  for (; text < place; text++) line += *text == '\n';
  return line;
}

// libconfig ends the program when memory runs out. Its tree takes up to 64 bytes for each of a text ("a=1;" is a
// setting of 80 bytes with its place in a list); there must be that much before it begins.
static stz_err ask_for_memory(const char *name, size_t length) {
  const size_t bytes = 64 * length + (1 << 16);
  void *volatile room = malloc(bytes);
  const bool there = room != NULL;
  free(room);
  return there ? STZ_OK : stz_fail(STZ_EINTERNAL, "%s: out of memory: %zu bytes to read it", name, bytes);
}

stz_err stz_tree_parse(const char *name, const char *text, config_t *tree) {
  config_init(tree);
  char *safe = NULL;
  STZ_TRY(ask_for_memory(name, strlen(text)));
  STZ_TRY(STZ_NEW(safe, 4 * strlen(text) + 64));
  const objection found = rewrite(text, safe);
  const bool parsed = !found.place && config_read_string(tree, safe);
  stz_free(safe);
  if (found.place) return stz_fail(STZ_EINPUT, "%s:%d: %s", name, line_of(text, found.place), found.reason);
  if (parsed) return STZ_OK;
  const char *reason = config_error_text(tree) ? config_error_text(tree) : "syntax error";
  const char *hint = "";
  char told[STZ_TEXT_SIZE];
  int line;
  if (strcmp(reason, "syntax error") == 0 && stz_syntax_explain(text, &line, told, sizeof told)) {
    return stz_fail(STZ_EINPUT, "%s:%d: syntax error: %s", name, line, told);
  }
  if (strstr(reason, "duplicate") && stz_syntax_duplicate(text, config_error_line(tree), told, sizeof told)) {
    return stz_fail(STZ_EINPUT, "%s:%d: %s", name, config_error_line(tree), told);
  }
  if (strstr(reason, "mismatched")) hint = ": write all numbers of a list with a point, or none";
  return stz_fail(STZ_EINPUT, "%s:%d: %s%s", name, config_error_line(tree), reason, hint);
}
