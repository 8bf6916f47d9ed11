// SPDX-License-Identifier: GPL-3.0-or-later
#include "io/dataset.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

// The next of the dimensions: its length in the text, and its size in *size, 0 if that is not fixed. 0 past the last.
static int next_dimension(const char **text, int *size) {
  *text += strspn(*text, " ");
  const int length = (int)strcspn(*text, " ");
  const char *open = memchr(*text, '[', (size_t)length);
  *size = open ? atoi(open + 1) : 0;
  return length;
}

int stz_dataset_rank(const stz_dataset *dataset) {
  const char *text = dataset->dimensions;
  int rank = 0, size;
  for (int length; (length = next_dimension(&text, &size)) > 0; text += length) rank++;
  return rank;
}

int stz_dataset_width(const stz_dataset *dataset) {
  const char *text = dataset->dimensions;
  int width = 1, size;
  text += next_dimension(&text, &size);
  for (int length; (length = next_dimension(&text, &size)) > 0; text += length) {
    assert(size > 0);
    width *= size;
  }
  return width;
}

int stz_group_width(const stz_group *group) {
  int width = 0;
  for (int i = 0; i < group->count; i++) width += stz_dataset_width(&group->datasets[i]);
  return width;
}

void stz_dataset_dimensions(const stz_dataset *dataset, char text[STZ_DIMENSIONS_SIZE]) {
  size_t at = 0;
  for (const char *from = dataset->dimensions; *from; from += *from == '[' ? strcspn(from, "]") + 1 : 1) {
    assert(at + 1 < STZ_DIMENSIONS_SIZE);
    if (*from != '[') text[at++] = *from;
  }
  text[at] = 0;
}

static void print_dimensions(const stz_dataset *dataset, FILE *out) {
  const char *text = dataset->dimensions;
  int size;
  if (!*text) fputs("one value", out);
  for (int length; (length = next_dimension(&text, &size)) > 0; text += length) {
    fprintf(out, "%s%.*s", text == dataset->dimensions ? "" : " × ", length, text);
  }
}

void stz_group_print(const stz_group *group, FILE *out) {
  static const char *const types[] = {
      [STZ_FLOAT64] = "float64", [STZ_FLOAT32] = "float32", [STZ_INT32] = "int32", [STZ_INT16] = "int16",
      [STZ_INT8] = "int8",       [STZ_UINT8] = "uint8",     [STZ_TEXT] = "text"};
  fprintf(out, "\n`%s`: %s.\n\n| dataset | dimensions | type | unit | what it is |\n|---|---|---|---|---|\n",
          group->path, group->when);
  for (const stz_dataset *d = group->datasets; d < group->datasets + group->count; d++) {
    fprintf(out, "| `%s` | ", d->name);
    print_dimensions(d, out);
    fprintf(out, " | %s | %s | %s |\n", types[d->type], d->unit, d->description);
  }
}
