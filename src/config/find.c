// SPDX-License-Identifier: GPL-3.0-or-later
#define _GNU_SOURCE // memrchr
#include "config/find.h"

#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/edit.h"
#include "config/schema.h"
#include "config/source.h"

enum { LEVELS = 64 }; // of folders above the input's: more than any path has

// A folder that stands for models/, called with a context; true ends the search.
typedef bool visitor(const char *folder, void *context);

static bool is_file(const char *path) {
  struct stat status;
  return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

static bool is_same(const char *a, const char *b) {
  struct stat one, other;
  return stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

// Length of the part of a path that is its folder, with the slash.
static int folder_of(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? (int)(slash - path) + 1 : 0;
}

static bool visit_above(const char *input, visitor *visit, void *context) {
  char here[STZ_PATH_SIZE], models[STZ_PATH_SIZE + 16], above[STZ_PATH_SIZE + 16];
  snprintf(here, sizeof here, "%.*s", folder_of(input), input);
  for (int level = 0; level < LEVELS; level++) {
    snprintf(models, sizeof models, "%smodels", here);
    if (visit(models, context)) return true;
    snprintf(above, sizeof above, "%s../", here);
    if (is_same(above, here[0] ? here : ".") || strlen(above) >= sizeof here) return false; // the top
    snprintf(here, sizeof here, "%.*s", (int)sizeof here - 1, above);
  }
  return false;
}

static bool visit_list(const char *list, visitor *visit, void *context) {
  for (const char *at = list; at && *at; at += strspn(at, ":")) {
    char folder[STZ_PATH_SIZE];
    const int length = (int)strcspn(at, ":");
    snprintf(folder, sizeof folder, "%.*s", length, at);
    if (visit(folder, context)) return true;
    at += length;
  }
  return false;
}

static bool visit_installed(visitor *visit, void *context) {
  char program[STZ_PATH_SIZE / 2], folder[STZ_PATH_SIZE];
  const ssize_t length = readlink("/proc/self/exe", program, sizeof program); // links to the program are followed
  if (length > 0 && (size_t)length < sizeof program) {
    const char *slash = memrchr(program, '/', (size_t)length);
    snprintf(folder, sizeof folder, "%.*s/models", (int)(slash - program), program);
    if (visit(folder, context)) return true;
    snprintf(folder, sizeof folder, "%.*s/%s/models", (int)(slash - program), program, STZ_DATA_FROM_PROGRAM);
    if (visit(folder, context)) return true;
  }
  return visit(STZ_DATA_DIR "/models", context);
}

// Every folder that stands for models/, in the order of precedence.
static bool visit_all(const char *input, visitor *visit, void *context) {
  return visit_above(input, visit, context) || visit_list(getenv("STZKMC_MODELS"), visit, context) ||
         visit_installed(visit, context);
}

typedef struct search {
  const stz_wanted *wanted;
  char *path;
} search;

static bool look_in(const char *folder, void *context) {
  const search *s = context;
  const size_t length = strlen(s->wanted->name);
  const char *ending = length > 4 && strcmp(s->wanted->name + length - 4, ".cfg") == 0 ? "" : ".cfg";
  const int written = snprintf(s->path, STZ_PATH_SIZE, "%s/%s%s%s", folder, s->wanted->inside, s->wanted->name, ending);
  return written < STZ_PATH_SIZE && is_file(s->path);
}

// Whether a file beside the input is an input as well, and so no model: it may only be named alike.
static bool is_input(const char *path) {
  stz_source source = {.text = NULL};
  config_t tree;
  if (stz_source_read(MPI_COMM_NULL, path, &source) != STZ_OK) return false;
  const bool parsed = stz_tree_parse(path, source.text, &tree) == STZ_OK;
  const bool found = parsed && config_lookup(&tree, "protocol");
  config_destroy(&tree);
  stz_source_clear(&source);
  return found;
}

bool stz_find(const stz_wanted *wanted, char *path) {
  const int folder = wanted->name[0] == '/' ? 0 : folder_of(wanted->input);
  if (snprintf(path, STZ_PATH_SIZE, "%.*s%s", folder, wanted->input, wanted->name) >= STZ_PATH_SIZE) return false;
  if (is_file(path)) return true;
  if (wanted->name[0] == '/') return false;
  if (snprintf(path, STZ_PATH_SIZE, "%.*s%s.cfg", folder, wanted->input, wanted->name) >= STZ_PATH_SIZE) return false;
  if (is_file(path) && !is_same(path, wanted->input) && !is_input(path)) return true;
  search s = {.wanted = wanted, .path = path};
  return visit_all(wanted->input, look_in, &s);
}

// What is told about the search.
typedef struct account {
  const stz_wanted *wanted;
  char nearest[STZ_TEXT_SIZE];
  int distance;
  char *text;
  size_t size;
} account;

static void add(account *a, const char *before, const char *text) {
  const size_t length = strlen(a->text);
  char shown[STZ_TEXT_SIZE];
  stz_one_line(text, shown, sizeof shown);
  snprintf(a->text + length, a->size - length, "%s%s", before, shown);
}

static void lower(const char *text, char *out, size_t length) {
  for (size_t i = 0; i < length; i++) out[i] = (char)tolower((unsigned char)text[i]);
  out[length] = 0;
}

static void compare_names(account *a, const char *path) {
  char wanted[STZ_TEXT_SIZE], name[STZ_TEXT_SIZE];
  DIR *folder = opendir(path);
  if (!folder) return;
  lower(a->wanted->name, wanted, strlen(a->wanted->name));
  for (const struct dirent *entry; (entry = readdir(folder));) {
    const size_t length = strlen(entry->d_name);
    if (length < 5 || length >= STZ_TEXT_SIZE || strcmp(entry->d_name + length - 4, ".cfg") != 0) continue;
    lower(entry->d_name, name, length - 4);
    const int distance = stz_edit_distance(wanted, name);
    if (distance > a->distance || (distance == a->distance && strcmp(entry->d_name, a->nearest) >= 0)) continue;
    a->distance = distance;
    snprintf(a->nearest, sizeof a->nearest, "%.*s", (int)length - 4, entry->d_name);
  }
  closedir(folder);
}

static bool tell(const char *folder, void *context) {
  account *a = context;
  char inside[STZ_PATH_SIZE + 16];
  snprintf(inside, sizeof inside, "%s/%s", folder, a->wanted->inside);
  compare_names(a, inside);
  add(a, ", ", inside);
  return false;
}

// Of the folders above, only those that are there: the rest is said in words.
static bool tell_found(const char *folder, void *context) { return access(folder, F_OK) == 0 && tell(folder, context); }

void stz_find_failure(const stz_wanted *wanted, char *text, size_t size) {
  char looked[700] = "", folder[STZ_PATH_SIZE];
  const int length = (int)strlen(wanted->name);
  account a = {.wanted = wanted, .distance = length / 3 > 2 ? length / 3 : 2, .text = looked, .size = sizeof looked};
  snprintf(folder, sizeof folder, "%.*s", folder_of(wanted->input), wanted->input);
  add(&a, "", folder[0] ? folder : "./");
  if (wanted->name[0] != '/') {
    const char *list = getenv("STZKMC_MODELS");
    add(&a, ", its models/", wanted->inside);
    add(&a, " and that of each folder above", "");
    visit_above(wanted->input, tell_found, &a);
    if (!list || !*list) add(&a, ", $STZKMC_MODELS (not set)", "");
    visit_list(list, tell, &a);
    visit_installed(tell, &a);
  }
  text[0] = 0;
  if (a.nearest[0]) snprintf(text, size, "did you mean \"%s\"? ", a.nearest);
  if (strpbrk(wanted->name, "\\\n\t\r\f")) snprintf(text, size, "folders are parted by /, not by \\; ");
  snprintf(text + strlen(text), size - strlen(text), "looked in %s", looked);
}
