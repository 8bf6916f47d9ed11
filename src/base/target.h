// SPDX-License-Identifier: GPL-3.0-or-later
//
// Hot loops are compiled for several instruction sets and chosen when the program is loaded (GCC function
// multiversioning). They are written so that each lane computes the same whatever the width: explicit fma, no
// reassociation, sums of a fixed shape; hence the same bits from every version.
#ifndef STZ_BASE_TARGET_H
#define STZ_BASE_TARGET_H

// The sanitizers start after the loader has chosen, so their builds define STZ_ONE_TARGET.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(STZ_ONE_TARGET)
#define STZ_MULTIVERSION __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define STZ_MULTIVERSION
#endif

#endif
