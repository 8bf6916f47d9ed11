// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/memory.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

static atomic_long live_blocks;

// Large blocks lie on pages of 2 MB where the system has them: what is read here and there in a sample of any size
// costs several times as much on small ones.
enum { HUGE_PAGE = 2 << 20, LARGE = 1 << 20 };

static size_t unit_of(size_t bytes) { return bytes >= LARGE ? HUGE_PAGE : STZ_ALIGNMENT; }

size_t stz_alloc_bytes(size_t bytes) { return (bytes + unit_of(bytes)) / unit_of(bytes) * unit_of(bytes); }

// Large blocks that are freed go back to the system. glibc would keep those of up to 32 MB, and as they are aligned
// they would leave holes: memory would grow with each level of a run.
static void return_large(void) {
#ifdef __GLIBC__
  static atomic_bool done;
  if (atomic_load_explicit(&done, memory_order_relaxed)) return;
  (void)mallopt(M_MMAP_THRESHOLD, LARGE);
  atomic_store_explicit(&done, true, memory_order_relaxed);
#endif
}

stz_err stz_alloc(size_t count, size_t size, void **block) {
  *block = NULL;
  if (size != 0 && count > (SIZE_MAX - HUGE_PAGE) / size) {
    return stz_fail(STZ_EINTERNAL, "out of memory: %zu elements of %zu bytes", count, size);
  }
  const size_t unit = unit_of(count * size), bytes = stz_alloc_bytes(count * size);
  return_large();
  void *memory = aligned_alloc(unit, bytes);
  if (memory && unit == HUGE_PAGE) (void)madvise(memory, bytes, MADV_HUGEPAGE); // advice: it may be refused
  if (!memory) return stz_fail(STZ_EINTERNAL, "out of memory: %zu bytes", bytes);
  memset(memory, 0, bytes);
  atomic_fetch_add_explicit(&live_blocks, 1, memory_order_relaxed);
  *block = memory;
  return STZ_OK;
}

void stz_free(void *block) {
  if (!block) return;
  atomic_fetch_sub_explicit(&live_blocks, 1, memory_order_relaxed);
  free(block);
}

long stz_alloc_live(void) { return atomic_load_explicit(&live_blocks, memory_order_relaxed); }
