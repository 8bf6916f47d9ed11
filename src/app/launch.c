// SPDX-License-Identifier: GPL-3.0-or-later
#define _GNU_SOURCE // MAP_ANONYMOUS
#include "app/launch.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "app/signals.h"
#include "base/error.h"

// Open MPI, PMIx, MPICH and Intel MPI (PMI). Only the first two are set by Open MPI's mpirun, PMI's also by srun.
static const char *const ranks[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"};

static bool started;

// What MPI_Init takes, at most: bytes of address space and open files, by itself and under a launcher.
enum { ALONE_BYTES = 64 << 20, LAUNCHED_BYTES = 256 << 20, ALONE_FILES = 16, LAUNCHED_FILES = 32 };

static const char *rank_text(void) {
  const char *found = NULL;
  for (size_t i = 0; i < sizeof ranks / sizeof *ranks && !found; i++) found = getenv(ranks[i]);
  return found;
}

bool stz_launched(void) { return rank_text() != NULL; }

int stz_launched_rank(void) {
  const char *text = rank_text();
  int rank = 0;
  for (; text && *text >= '0' && *text <= '9'; text++) rank = 10 * rank + (*text - '0');
  return rank;
}

// MPI's own failures, of which few but the lack of memory can occur here: one line instead of MPI's, and our exit code.
static void fail_in_mpi(MPI_Comm *comm, int *code, ...) {
  char text[MPI_MAX_ERROR_STRING] = "";
  int length;
  MPI_Error_string(*code, text, &length);
  fprintf(stderr, "stzkmc: MPI failed, as where memory or /dev/shm is full: %s\n", text);
  MPI_Abort(*comm, STZ_EINTERNAL);
}

// Where MPI_Init finds no memory or may open no more files it crashes, hangs, or ends the program in many lines.
static void look_for_memory(size_t bytes) {
  void *trial = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (trial == MAP_FAILED) {
    fprintf(stderr, "stzkmc: out of memory: MPI needs about %zu MB, see `ulimit -v`\n", bytes >> 20);
    exit(STZ_EINTERNAL);
  }
  munmap(trial, bytes);
}

static void look_for_files(int count) {
  int copies[LAUNCHED_FILES], had = 0;
  while (had < count && (copies[had] = dup(STDERR_FILENO)) >= 0) had++;
  for (int i = 0; i < had; i++) (void)close(copies[i]);
  if (had < count) {
    fprintf(stderr, "stzkmc: too many open files: MPI needs about %d more, see `ulimit -n`\n", count);
    exit(STZ_EINTERNAL);
  }
}

static void start(int *argc, char ***argv) {
  if (!stz_launched()) { // no daemon, which only spawning needs and a Ctrl-C would kill, and no search for networks
    setenv("OMPI_MCA_ess_singleton_isolated", "1", 0);
    setenv("OMPI_MCA_pml", "ob1", 0);
    setenv("OMPI_MCA_btl", "self", 0);
    setenv("OMPI_MCA_orte_create_session_dirs", "0", 0); // all singletons would share one, and remove it
  }
  look_for_memory(stz_launched() ? LAUNCHED_BYTES : ALONE_BYTES);
  look_for_files(stz_launched() ? LAUNCHED_FILES : ALONE_FILES);
  if (MPI_Init(argc, argv) != MPI_SUCCESS) exit(STZ_EINTERNAL);
  MPI_Errhandler handler;
  MPI_Comm_create_errhandler(fail_in_mpi, &handler);
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, handler); // other communicators inherit it
  MPI_Errhandler_free(&handler);
  started = true;
  stz_signals_catch();
}

void stz_launch_begin(int *argc, char ***argv) {
  if (stz_launched()) start(argc, argv);
}

MPI_Comm stz_launch_world(void) {
  if (!started) start(NULL, NULL);
  return MPI_COMM_WORLD;
}

MPI_Comm stz_launch_comm(void) { return started ? MPI_COMM_WORLD : MPI_COMM_NULL; }

void stz_launch_end(void) {
  if (started) MPI_Finalize();
}
