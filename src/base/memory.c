// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static long live_blocks;

stz_err stz_alloc(size_t count, size_t size, void **block) {
  *block = NULL;
  if (size != 0 && count > (SIZE_MAX - STZ_ALIGNMENT) / size) {
    return stz_fail(STZ_EINTERNAL, "out of memory: %zu elements of %zu bytes", count, size);
  }
  size_t bytes = (count * size + STZ_ALIGNMENT) / STZ_ALIGNMENT * STZ_ALIGNMENT;
  void *memory = aligned_alloc(STZ_ALIGNMENT, bytes);
  if (!memory) return stz_fail(STZ_EINTERNAL, "out of memory: %zu bytes", bytes);
  memset(memory, 0, bytes);
  live_blocks++;
  *block = memory;
  return STZ_OK;
}

void stz_free(void *block) {
  if (!block) return;
  live_blocks--;
  free(block);
}

long stz_alloc_live(void) { return live_blocks; }
