// SPDX-License-Identifier: GPL-3.0-or-later
#define _GNU_SOURCE // memrchr
#include "config/source.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/comm.h"
#include "base/memory.h"

enum { LARGEST_FILE = 1 << 20 };

// Reads the file into `text` (LARGEST_FILE + 2 bytes), closed by a newline: libconfig 1.5 takes a comment at the very
// end of a text for a syntax error.
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
  if (count > 0 && text[count - 1] != '\n') text[count++] = '\n';
  text[count] = 0;
  return STZ_OK;
}

stz_err stz_source_share(MPI_Comm comm, const char *name, const char *text, stz_source *source) {
  int rank, length;
  MPI_Comm_rank(comm, &rank);
  snprintf(source->name, sizeof source->name, "%s", name);
  length = rank == 0 ? (int)strlen(text) : 0;
  MPI_Bcast(&length, 1, MPI_INT, 0, comm);
  STZ_TRY(stz_agree(comm, STZ_NEW(source->text, length + 1)));
  if (rank == 0) memcpy(source->text, text, (size_t)length);
  MPI_Bcast(source->text, length, MPI_CHAR, 0, comm);
  return STZ_OK;
}

stz_err stz_source_read(MPI_Comm comm, const char *path, stz_source *source) {
  int rank;
  char *text = NULL;
  MPI_Comm_rank(comm, &rank);
  stz_err err = STZ_OK;
  if (rank == 0) {
    err = STZ_NEW(text, LARGEST_FILE + 2);
    if (err == STZ_OK) err = read_text(path, text);
  }
  err = stz_agree(comm, err);
  if (err == STZ_OK) err = stz_source_share(comm, path, text, source);
  stz_free(text);
  return err;
}

void stz_source_clear(stz_source *source) {
  stz_free(source->text);
  source->text = NULL;
}

static bool is_file(const char *path) {
  struct stat status;
  return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

// In the data folder of the installed program: first where it lies beside the program, wherever that was moved to, then
// where it was meant to be.
static bool find_installed(const char *model, char *path) {
  char program[STZ_PATH_SIZE / 2];
  const ssize_t length = readlink("/proc/self/exe", program, sizeof program);
  if (length > 0 && (size_t)length < sizeof program) {
    const char *slash = memrchr(program, '/', (size_t)length);
    snprintf(path, STZ_PATH_SIZE, "%.*s/%s/models/%s.cfg", (int)(slash - program), program, STZ_DATA_FROM_PROGRAM,
             model);
    if (is_file(path)) return true;
  }
  snprintf(path, STZ_PATH_SIZE, "%s/models/%s.cfg", STZ_DATA_DIR, model);
  return is_file(path);
}

bool stz_model_find(const char *input, const char *model, char *path) {
  const char *slash = strrchr(input, '/');
  const int folder = slash ? (int)(slash - input) + 1 : 0; // length of the input's folder with its slash
  if (model[0] == '/') {
    snprintf(path, STZ_PATH_SIZE, "%s", model);
    return is_file(path);
  }
  snprintf(path, STZ_PATH_SIZE, "%.*s%s", folder, input, model);
  if (is_file(path)) return true;
  snprintf(path, STZ_PATH_SIZE, "%.*s../models/%s.cfg", folder, input, model);
  if (is_file(path)) return true;
  return find_installed(model, path);
}

// Where the comment or string that begins at `at` ends (behind its last character); `at` itself if none begins there.
static const char *skip_opaque(const char *at) {
  if (*at == '#' || (at[0] == '/' && at[1] == '/')) return at + strcspn(at, "\n");
  if (at[0] == '/' && at[1] == '*') {
    const char *end = strstr(at + 2, "*/");
    return end ? end + 2 : at + strlen(at);
  }
  if (*at != '"') return at;
  for (at++; *at && *at != '"'; at++) {
    if (*at == '\\' && at[1]) at++;
  }
  return *at ? at + 1 : at;
}

static const char *skip_name(const char *at) {
  if (!isalpha((unsigned char)*at) && *at != '*') return at;
  while (isalnum((unsigned char)*at) || *at == '-' || *at == '_' || *at == '*') at++;
  return at;
}

// Where the number that begins at `at` ends; *integer tells which kind it is.
static const char *skip_number(const char *at, bool *integer) {
  const char *digits = at + (*at == '+' || *at == '-');
  *integer = true;
  if (digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X')) {
    digits += 2;
    digits += strspn(digits, "0123456789abcdefABCDEF");
  } else {
    const char *end = digits + strspn(digits, "0123456789");
    if (end == digits && *end != '.') return at;
    if (*end == '.' || *end == 'e' || *end == 'E') {
      *integer = false;
      end += strspn(end, ".0123456789");
      if (*end == 'e' || *end == 'E') end += 1 + (end[1] == '+' || end[1] == '-');
      return end + strspn(end, "0123456789");
    }
    digits = end;
  }
  return digits + strspn(digits, "L");
}

// Writes the integer [at, end) so that libconfig reads its true value; returns the number of characters.
static size_t write_integer(const char *at, const char *end, char *out) {
  errno = 0;
  char *stop;
  const bool hex = strcspn(at, "xX") < (size_t)(end - at); // strtoll's base 0 would take 010 for octal
  const long long value = strtoll(at, &stop, hex ? 16 : 10);
  if (errno == ERANGE) return (size_t)sprintf(out, "%.17e", strtod(at, NULL));
  size_t count = (size_t)(end - at);
  memcpy(out, at, count);
  if (end == stop && (value < INT32_MIN || value > INT32_MAX)) out[count++] = 'L';
  return count;
}

// Copies `text` to `out` with its integers made safe; NULL, or the place of an include directive.
static const char *rewrite(const char *text, char *out) {
  while (*text) {
    bool integer = false;
    const char *end = skip_opaque(text);
    if (end == text) end = skip_name(text);
    if (end == text) end = skip_number(text, &integer);
    if (end == text) end++;
    if (strncmp(text, "@include", 8) == 0) return text;
    if (integer && end > text + 1) {
      out += write_integer(text, end, out);
    } else {
      memcpy(out, text, (size_t)(end - text));
      out += end - text;
    }
    text = end;
  }
  *out = 0;
  return NULL;
}

static int line_of(const char *text, const char *place) {
  int line = 1;
  for (; text < place; text++) line += *text == '\n';
  return line;
}

stz_err stz_tree_parse(const char *name, const char *text, config_t *tree) {
  config_init(tree);
  char *safe = NULL;
  STZ_TRY(STZ_NEW(safe, 4 * strlen(text) + 64));
  const char *include = rewrite(text, safe);
  const bool parsed = !include && config_read_string(tree, safe);
  stz_free(safe);
  if (include) {
    return stz_fail(STZ_EINPUT, "%s:%d: @include: got an include directive, needs the keys themselves, or `model`",
                    name, line_of(text, include));
  }
  if (parsed) return STZ_OK;
  const char *reason = config_error_text(tree) ? config_error_text(tree) : "syntax error";
  const char *hint = "";
  if (strstr(reason, "duplicate")) hint = ": a key may stand once in its group";
  if (strstr(reason, "mismatched")) hint = ": write all numbers of a list with a point, or none";
  return stz_fail(STZ_EINPUT, "%s:%d: %s%s", name, config_error_line(tree), reason, hint);
}
