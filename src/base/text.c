// SPDX-License-Identifier: GPL-3.0-or-later
#define _GNU_SOURCE // fopencookie
#include "base/text.h"

#include <stdbool.h>
#include <string.h>

#include "base/memory.h"

struct stz_text {
  FILE *out;
  char *printed;
  size_t length, room; // without the 0 that closes it
  bool cut;            // memory was out
};

static bool grow(stz_text *t, size_t more) {
  char *larger = NULL;
  const size_t room = 2 * t->room + more + 256;
  if (STZ_NEW(larger, room + 1) != STZ_OK) return false;
  if (t->printed) memcpy(larger, t->printed, t->length);
  stz_free(t->printed);
  t->printed = larger;
  t->room = room;
  return true;
}

// Once something was left out, nothing follows it.
static bool add(stz_text *t, const char *data, size_t size) {
  t->cut = t->cut || (t->room - t->length < size && !grow(t, size));
  if (t->cut) return false;
  memcpy(t->printed + t->length, data, size);
  t->length += size;
  return true;
}

#ifdef __linux__
static ssize_t take(void *text, const char *data, size_t size) { return add(text, data, size) ? (ssize_t)size : 0; }

static FILE *open_stream(stz_text *t) { return fopencookie(t, "w", (cookie_io_functions_t){.write = take}); }
#else
static int take(void *text, const char *data, int size) { return add(text, data, (size_t)size) ? size : -1; }

static FILE *open_stream(stz_text *t) { return funopen(t, NULL, take, NULL, NULL); }
#endif

stz_err stz_text_begin(stz_text **text, FILE **out) {
  stz_text *t = NULL;
  *text = NULL;
  *out = NULL;
  STZ_TRY(STZ_NEW(t, 1));
  t->out = grow(t, 0) ? open_stream(t) : NULL;
  if (!t->out) {
    stz_free(t->printed);
    stz_free(t);
    return stz_fail(STZ_EINTERNAL, "out of memory for a text");
  }
  *text = t;
  *out = t->out;
  return STZ_OK;
}

stz_err stz_text_end(stz_text **text, stz_err err, char **printed) {
  stz_text *t = *text;
  *text = NULL;
  *printed = NULL;
  if (!t) return err;
  if (err != STZ_OK) t->cut = true; // nothing more is taken, so that no other message takes that of `err`'s place
  const bool whole = fclose(t->out) == 0 && !t->cut;
  if (err == STZ_OK && !whole) err = stz_fail(STZ_EINTERNAL, "out of memory for a text of over %zu bytes", t->length);
  if (err == STZ_OK) {
    *printed = t->printed;
  } else {
    stz_free(t->printed);
  }
  stz_free(t);
  return err;
}
