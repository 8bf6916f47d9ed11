// SPDX-License-Identifier: GPL-3.0-or-later
//
// Aligned memory with a leak count.
#ifndef STZ_BASE_MEMORY_H
#define STZ_BASE_MEMORY_H

#include <stddef.h>

#include "base/error.h"

enum { STZ_ALIGNMENT = 64 }; // bytes; every block starts on a cache line

// Allocates `count` zeroed elements of `size` bytes, 64-byte aligned, and stores the block in *block (NULL on failure).
// A count of 0 gives a valid block. Fails with STZ_EINTERNAL when memory is out. Not collective.
stz_err stz_alloc(size_t count, size_t size, void **block) STZ_MUST_USE;

// What a block of `bytes` takes of the memory.
size_t stz_alloc_bytes(size_t bytes);

// Frees a block from stz_alloc; NULL is allowed.
void stz_free(void *block);

// Number of blocks that this process has allocated and not yet freed: 0 at the end of a clean run.
long stz_alloc_live(void);

// Allocates `count` elements into the pointer variable `pointer`; a stz_err, for STZ_TRY and STZ_TRY_TO.
#define STZ_NEW(pointer, count) stz_alloc((size_t)(count), sizeof *(pointer), (void **)&(pointer))

#endif
