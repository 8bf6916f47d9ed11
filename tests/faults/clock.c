// SPDX-License-Identifier: GPL-3.0-or-later
//
// For LD_PRELOAD, in one library with faults.c: a run that no machine's speed changes.
//
// STZ_CLOCK_STEP: the clock of --max-walltime goes on by so many seconds per look and by nothing else, so that a run
// stops at the same step on any machine.
// STZ_CLOCK_NAP: each look, and each line of progress, takes so many seconds more, which a signal cuts short: no run is
// over before a signal of the test has come.
// STZ_CLOCK_PROBE: within its MPI_Iprobe of this number rank 1 gets USR1.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void nap(void) {
  const char *nap = getenv("STZ_CLOCK_NAP");
  if (!nap) return;
  const double seconds = atof(nap);
  const time_t whole = (time_t)seconds;
  const struct timespec most = {.tv_sec = whole, .tv_nsec = (long)(1e9 * (seconds - (double)whole))};
  nanosleep(&most, NULL);
}

double MPI_Wtime(void);
double MPI_Wtime(void) {
  static double (*real)(void);
  static atomic_int looks;
  const char *step = getenv("STZ_CLOCK_STEP");
  nap();
  if (step) return atof(step) * (double)++looks;
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, "MPI_Wtime");
  return real();
}

int fflush(FILE *stream) {
  static int (*real)(FILE *);
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, "fflush");
  const int done = real(stream);
  if (stream == stderr) nap();
  return done;
}

int MPI_Iprobe(int source, int tag, void *comm, int *flag, void *status);
int MPI_Iprobe(int source, int tag, void *comm, int *flag, void *status) {
  static int (*real)(int, int, void *, int *, void *);
  static int count;
  const char *number = getenv("STZ_CLOCK_PROBE"), *rank = getenv("OMPI_COMM_WORLD_RANK");
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, "MPI_Iprobe");
  if (number && rank && atoi(rank) == 1 && ++count == atoi(number)) raise(SIGUSR1);
  return real(source, tag, comm, flag, status);
}
