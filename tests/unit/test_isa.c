// SPDX-License-Identifier: GPL-3.0-or-later
//
// The hot loops give the same bits whatever they are compiled for: plain x86-64, without optimisation, AVX2, AVX-512,
// and as the library chooses when it is loaded.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"
#include "isa/isa.h"
#include "rng/rng.h"

static stz_modes modes[4]; // aligned, random, of the icosahedral catalogue and of another

static int set_up(void **state) {
  (void)state;
  stz_modes_init(&modes[0], STZ_ORIENTATION_ALIGNED, 1);
  stz_modes_init(&modes[1], STZ_ORIENTATION_RANDOM, 1);
  static const stz_catalogue other = {
      .count = 4, .axes = {{1, 0, 0, 0, 1, 0}, {1, 1, 0, 1, -1, 0}, {0, 1, 2, 3, 2, -1}, {1, 1, 1, 2, -1, -1}}};
  for (int i = 2; i < 4; i++) {
    modes[i] = modes[i - 2];
    stz_modes_replace(&modes[i], &other);
  }
  return 0;
}

// Stresses of a few GPa; barriers from ones that the stress takes away to ones whose rates are below single precision.
static void fill(uint64_t trial, isa_input *in) {
  stz_rng rng = stz_rng_stream(trial, STZ_RNG_EVENTS, 0);
  *in = (isa_input){.modes = &modes[trial % 2 + trial / 4 % 2 * 2],
                    .barrier_law = trial / 2 % 2 ? STZ_LAW_COOPERATIVE : STZ_LAW_LINEAR,
                    .temperature_K = 250.0 + 100.0 * stz_rng_uniform(&rng)};
  for (int v = 0; v < 6; v++) in->mean[v] = 2.0 * STZ_GPA * stz_rng_normal(&rng);
  for (int z = 0; z < ISA_SITES; z++) {
    for (int c = 0; c < 5; c++) in->stress[c][z] = (float)(STZ_GPA * stz_rng_normal(&rng));
    in->barrier[z] = (float)(3.2 * stz_rng_uniform(&rng));
    in->rotation[z] = (uint16_t)stz_rng_below(&rng, (uint64_t)in->modes->rotations);
  }
  for (int pair = 0; pair < STZ_PAIRS; pair++) {
    static const int odd[STZ_PAIRS] = {0, 1, 1, 0, 0, 0, 0, 1, 1, 0, 1, 1, 0, 0, 0}; // under z -> -z
    float *row = in->table + pair * ISA_LENGTH;
    for (int z = 0; z <= ISA_NZ / 2; z++)
      row[z] = odd[pair] && z % (ISA_NZ / 2) == 0 ? 0.0f : (float)stz_rng_normal(&rng);
    for (int z = ISA_NZ / 2 + 1; z < ISA_LENGTH; z++) row[z] = odd[pair] ? -row[ISA_NZ - z] : row[ISA_NZ - z];
  }
  for (int c = 0; c < 5; c++) {
    in->strain[c] = (float)stz_rng_normal(&rng);
    in->sign[c] = stz_rng_uniform(&rng) < 0.5 ? -1.0f : 1.0f;
  }
}

static void check_pass(void (*pass)(const isa_input *, isa_output *)) {
  static isa_input in;
  static isa_output expected, found;
  for (uint64_t trial = 0; trial < 8; trial++) {
    fill(trial, &in);
    memset(&expected, 0, sizeof expected);
    memset(&found, 0, sizeof found);
    isa_pass_base(&in, &expected);
    pass(&in, &found);
    assert_true(expected.sums[0] > 0.0);
    assert_memory_equal(&found, &expected, sizeof found);
  }
}

static void unoptimised(void **state) {
  (void)state;
  check_pass(isa_pass_unoptimised);
}

#ifdef __x86_64__
static void avx2(void **state) {
  (void)state;
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !__builtin_cpu_supports("bmi2")) skip();
  check_pass(isa_pass_v3);
}

static void avx512(void **state) {
  (void)state;
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
      !__builtin_cpu_supports("avx512cd") || !__builtin_cpu_supports("avx512dq") ||
      !__builtin_cpu_supports("avx512vl")) {
    skip();
  }
  check_pass(isa_pass_v4);
}
#endif

// What this processor gets when the library is loaded.
static void library(void **state) {
  (void)state;
  check_pass(isa_pass_library);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(unoptimised),
#ifdef __x86_64__
      cmocka_unit_test(avx2),
      cmocka_unit_test(avx512),
#endif
      cmocka_unit_test(library),
  };
  return cmocka_run_group_tests(tests, set_up, NULL);
}
