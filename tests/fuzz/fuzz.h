// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the targets of this folder share. A target is a program that reads one case after the other; what it must hold
// is a `demand`, which ends the program where it does not. Linked with libFuzzer (tests/fuzz/run) it makes its own
// cases; linked with replay.c it reads those that are kept, and changes of them that are the same every time.
#ifndef STZ_TESTS_FUZZ_H
#define STZ_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"

int LLVMFuzzerInitialize(int *argc, char ***argv); // once, before the first case
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define demand(what)                                                                                                   \
  do {                                                                                                                 \
    if (!(what)) {                                                                                                     \
      fprintf(stderr, "%s:%d: does not hold: %s; last message: %s\n", __FILE__, __LINE__, #what, stz_error_message()); \
      abort();                                                                                                         \
    }                                                                                                                  \
  } while (0)

// A case of several texts: a line "%%" stands between two of them; one that is missing is "".
enum { FUZZ_PARTS = 4 };
typedef struct fuzz_parts {
  char *text[FUZZ_PARTS], *held;
} fuzz_parts;

static inline void fuzz_split(const uint8_t *data, size_t size, fuzz_parts *parts) {
  static char empty[] = "";
  parts->held = calloc(size + 1, 1);
  demand(parts->held);
  memcpy(parts->held, data, size);
  char *at = parts->held;
  for (int i = 0; i < FUZZ_PARTS; i++) {
    parts->text[i] = at ? at : empty;
    char *end = at && i + 1 < FUZZ_PARTS ? strstr(at, "%%\n") : NULL;
    if (end) *end = 0;
    at = end ? end + 3 : NULL;
  }
}

static inline void fuzz_write(const char *path, const void *data, size_t size) {
  FILE *file = fopen(path, "wb");
  demand(file && fwrite(data, 1, size, file) == size && fclose(file) == 0);
}

// Makes a folder of the process's own, in $TMPDIR if that is given, and goes there.
static inline void fuzz_enter(char folder[64]) {
  const char *given = getenv("TMPDIR"), *place = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
  if (given && strlen(given) < 40) place = given;
  snprintf(folder, 64, "%s/stzkmc-fuzz-XXXXXX", place);
  demand(mkdtemp(folder) && chdir(folder) == 0);
}

// A failure that a file may cause: of the input or of files, told in one line that a terminal shows as one.
static inline void fuzz_expect_failure(stz_err err) {
  const char *message = stz_error_message();
  demand(err == STZ_EINPUT || err == STZ_EIO);
  demand(message[0]);
  for (const char *c = message; *c; c++) demand((unsigned char)*c >= ' ' && *c != 0x7f);
}

#endif
