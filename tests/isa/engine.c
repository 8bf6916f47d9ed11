// SPDX-License-Identifier: GPL-3.0-or-later
//
// Prints a hash of the multilevel engine's whole state, its counters and the clock after some events in a sample of
// 32^3, through stresses computed afresh, folds, a growing load and softening. The same program is linked several
// times, each with the engine's hot files compiled for another instruction set (ISA); tests/isa/compare.py holds them
// together. Exit 77: this processor has not got the instruction set.
#include "kmc_setup.h"

enum { EVENTS = 200, base, v3, v4, library };

static bool has_isa(void) {
#ifdef __x86_64__
  if (ISA == v3)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
  if (ISA == v4) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
  }
#endif
  return true;
}

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t size) {
  for (const unsigned char *at = bytes; size > 0; at++, size--) hash = (hash ^ *at) * UINT64_C(0x100000001b3);
  return hash;
}

static void print_state(const kmc_setup *s, double time_s) {
  char saved[STZ_KMC_SAVED_BYTES];
  uint64_t hash = hash_bytes(UINT64_C(0xcbf29ce484222325), &time_s, sizeof time_s);
  size_t bytes = 0, all = 0;
  const void *block;
  stz_kmc_stats stats;
  for (int i = 0; (block = stz_kmc_block(s->kmc, i, &bytes)); i++, all += bytes) hash = hash_bytes(hash, block, bytes);
  stz_kmc_save(s->kmc, saved);
  hash = hash_bytes(hash, saved, sizeof saved);
  stz_kmc_stats_get(s->kmc, &stats);
  CHECK(all > 32 * 32 * 32 * 32, "%zu bytes of state", all);
  CHECK(stats.events == EVENTS && stats.refreshes > 1 && stats.folds > 0, "%llu events, %llu refreshes, %llu folds",
        (unsigned long long)stats.events, (unsigned long long)stats.refreshes, (unsigned long long)stats.folds);
  printf("%016llx\n", (unsigned long long)hash);
}

int main(void) {
  if (!has_isa()) return 77;
  MPI_Init(NULL, NULL);
  kmc_spec spec = MULTILEVEL_FILM;
  spec.softening_eV = 0.1;
  spec.seed = 43;
  spec.tolerance_MPa = 0.6; // afresh after some 80 events
  kmc_setup s;
  setup_kmc(&s, MPI_COMM_SELF, &spec);
  stz_mean_stress mean = tension(0.0, 295.0, 3.1, 1e-5);
  for (int i = 0; i < EVENTS; i++) {
    double strain[6];
    const stz_event event = next_event(&s, &mean);
    stz_kmc_fire(s.kmc, &event, strain);
    mean.stress[STZ_XX] += mean.stress_rate[STZ_XX] * (event.time_s - mean.t0);
    mean.t0 = event.time_s;
  }
  print_state(&s, mean.t0);
  close_kmc(&s);
  MPI_Finalize();
  return harness_failures ? 1 : 0;
}
