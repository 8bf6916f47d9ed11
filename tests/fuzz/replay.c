// SPDX-License-Identifier: GPL-3.0-or-later
//
// `replay CHANGES FOLDER` reads the cases of a folder, and CHANGES changes of each: bytes replaced, pieces cut, doubled
// or taken from another case. They depend on the case's place in the folder alone. A case that does not hold is kept as
// fuzz-case in the folder where the program was called.
#include <dirent.h>
#include <limits.h>
#include <signal.h>
#include <unistd.h>

#include "fuzz.h"
#include "rng/rng.h"

enum { MOST_CASES = 1000 };

typedef struct sample {
  uint8_t *data;
  size_t size;
} sample;

static sample now; // for the handler
static char kept[PATH_MAX];

static void keep(int signal_number) {
  FILE *file = fopen(kept, "wb");
  if (file) {
    (void)!fwrite(now.data, 1, now.size, file);
    fclose(file);
  }
  signal(signal_number, SIG_DFL);
  raise(signal_number);
}

static sample read_case(const char *path) {
  sample s = {NULL, 0};
  FILE *file = fopen(path, "rb");
  demand(file && fseek(file, 0, SEEK_END) == 0);
  s.size = (size_t)ftell(file);
  rewind(file);
  s.data = malloc(s.size + 1);
  demand(s.data && fread(s.data, 1, s.size, file) == s.size);
  fclose(file);
  return s;
}

static size_t below(stz_rng *rng, size_t count) { return (size_t)stz_rng_below(rng, (uint64_t)count); }

// One change of `from` into `to`, which has room for both and 64 bytes.
static size_t change(stz_rng *rng, const sample *from, const sample *other, uint8_t *to) {
  static const char *const texts[] = {"-1", "0",  "1e400", "nan",  "2147483648", "[]",
                                      "{}", "\"", ";",     "%%\n", "\xff",       "\\"};
  const size_t at = below(rng, from->size + 1), length = below(rng, from->size - at + 1) % 32;
  const char *text = texts[below(rng, sizeof texts / sizeof *texts)];
  const size_t part = below(rng, other->size + 1), most = other->size - part, size = most < 64 ? most : 64;
  memcpy(to, from->data, at);
  size_t end = at, skip = length;
  switch (below(rng, 5)) {
  case 0: // cut
    break;
  case 1: // doubled
    memcpy(to + end, from->data + at, length);
    end += length;
    skip = 0;
    break;
  case 2: // a text that numbers and lists may not be
    memcpy(to + end, text, strlen(text));
    end += strlen(text);
    break;
  case 3: // another case's
    memcpy(to + end, other->data + part, size);
    end += size;
    break;
  default: // one byte
    if (at < from->size) to[end++] = (uint8_t)below(rng, 256);
    skip = at < from->size;
  }
  memcpy(to + end, from->data + at + skip, from->size - at - skip);
  return end + from->size - at - skip;
}

static void take(const sample *s) {
  now = *s;
  LLVMFuzzerTestOneInput(s->data, s->size);
}

static void take_changed(const sample *cases, int count, int which, int changes) {
  stz_rng rng = stz_rng_stream(25, STZ_RNG_NOISE, (uint64_t)which);
  for (int i = 0; i < changes; i++) {
    sample from = cases[which];
    uint8_t *held = NULL;
    for (size_t steps = 1 + below(&rng, 3); steps > 0; steps--) {
      const sample *other = &cases[below(&rng, (size_t)count)];
      uint8_t *to = malloc(from.size + other->size + 64);
      demand(to);
      from.size = change(&rng, &from, other, to);
      free(held);
      from.data = held = to;
    }
    take(&from);
    free(held);
  }
}

int main(int argc, char **argv) {
  static sample cases[MOST_CASES];
  struct dirent **entries;
  int count = 0;
  demand(argc == 3 && getcwd(kept, sizeof kept - 16));
  strcat(kept, "/fuzz-case");
  const int found = scandir(argv[2], &entries, NULL, alphasort);
  for (int i = 0; i < found; i++) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", argv[2], entries[i]->d_name);
    if (entries[i]->d_name[0] != '.' && count < MOST_CASES) cases[count++] = read_case(path);
    free(entries[i]);
  }
  free(entries);
  demand(count > 0);
  signal(SIGABRT, keep);
  signal(SIGSEGV, keep);
  signal(SIGALRM, keep);
  LLVMFuzzerInitialize(&argc, &argv);
  for (int i = 0; i < count; i++) {
    take(&cases[i]);
    take_changed(cases, count, i, atoi(argv[1]));
  }
  printf("%d cases, %d changes of each\n", count, atoi(argv[1]));
  for (int i = 0; i < count; i++) free(cases[i].data);
  return 0;
}
