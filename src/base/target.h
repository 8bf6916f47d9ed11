// SPDX-License-Identifier: GPL-3.0-or-later
//
// Hot loops are compiled for several instruction sets and chosen when the program is loaded (function multiversioning).
// They are written so that each lane computes the same whatever the width: explicit fma, no reassociation, sums of a
// fixed shape; hence the same bits from every version. STZ_MULTIVERSION(head) { body } defines such a function.
#ifndef STZ_BASE_TARGET_H
#define STZ_BASE_TARGET_H

// The sanitizers start after the loader has chosen, so their builds define STZ_ONE_TARGET.
#if !defined(__x86_64__) || !defined(__GNUC__) || !defined(__ELF__) || defined(STZ_ONE_TARGET)
#define STZ_MULTIVERSION(...) __VA_ARGS__
#elif defined(__clang__)
// Its target_clones knows single features only; cpu_specific has sets: those of x86-64-v3 and -v4 by the names of the
// first processors that had them. What a processor can do decides, not its maker. The first body is never compiled.
#define STZ_TARGETS generic, core_4th_gen_avx, skylake_avx512
#define STZ_MULTIVERSION(...)                                                                                          \
  __attribute__((cpu_dispatch(STZ_TARGETS))) __VA_ARGS__ {}                                                            \
  __attribute__((cpu_specific(STZ_TARGETS))) __VA_ARGS__
#else
#define STZ_MULTIVERSION(...) __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) __VA_ARGS__
#endif

#endif
