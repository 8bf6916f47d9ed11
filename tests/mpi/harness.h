// SPDX-License-Identifier: GPL-3.0-or-later
//
// A small collective test harness: every rank runs every case; one verdict for all. A check that fails on one rank is
// printed there and counted; the program's exit code is 0 only if no rank counted any.
#ifndef STZ_TESTS_MPI_HARNESS_H
#define STZ_TESTS_MPI_HARNESS_H

#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

static int harness_failures;

#define CHECK(condition, ...)                                                                                          \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      if (harness_failures++ < 20) {                                                                                   \
        fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #condition);                                                \
        fprintf(stderr, __VA_ARGS__);                                                                                  \
        fputc('\n', stderr);                                                                                           \
      }                                                                                                                \
    }                                                                                                                  \
  } while (0)

#define CHECK_OK(call) CHECK((call) == STZ_OK, "%s", stz_error_message())

// |value - expected| <= tolerance, with the three numbers in the message.
#define CHECK_NEAR(value, expected, tolerance)                                                                         \
  do {                                                                                                                 \
    const double check_value = (value), check_expected = (expected), check_tolerance = (tolerance);                    \
    CHECK(fabs(check_value - check_expected) <= check_tolerance, "%.17g, expected %.17g within %.3g", check_value,     \
          check_expected, check_tolerance);                                                                            \
  } while (0)

// Runs the cases of `name` between MPI_Init and MPI_Finalize and gives the program's exit code.
static inline int harness_main(int argc, char **argv, const char *name, void (*cases)(MPI_Comm)) {
  MPI_Init(&argc, &argv);
  cases(MPI_COMM_WORLD);
  CHECK(stz_alloc_live() == 0, "%ld blocks of memory left", stz_alloc_live());
  int rank, total = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Allreduce(&harness_failures, &total, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  if (rank == 0) printf("%s: %s\n", name, total ? "FAILED" : "ok");
  MPI_Finalize();
  return total ? 1 : 0;
}

#endif
