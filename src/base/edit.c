// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/edit.h"

#include <assert.h>
#include <string.h>

enum { LONGEST = 256 };

static int min3(int a, int b, int c) { return a < b ? (a < c ? a : c) : (b < c ? b : c); }

int stz_edit_distance(const char *a, const char *b) {
  assert(strlen(b) < LONGEST);
  int row[LONGEST];
  const int columns = (int)strlen(b);
  for (int j = 0; j <= columns; j++) row[j] = j;
  for (int i = 1; a[i - 1]; i++) {
    int diagonal = row[0];
    row[0] = i;
    for (int j = 1; j <= columns; j++) {
      const int changed = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = min3(changed, row[j] + 1, row[j - 1] + 1);
    }
  }
  return row[columns];
}
