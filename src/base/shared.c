// SPDX-License-Identifier: GPL-3.0-or-later
#define _GNU_SOURCE // MAP_ANONYMOUS
#include "base/shared.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/comm.h"
#include "base/log.h"
#include "base/memory.h"

enum { BESIDES = 4 << 20, PIECE = 1 << 28 }; // bytes that MPI takes besides, at most; of a broadcast

// Where MPI libraries keep shared memory.
static const char *folder(void) {
  if (access("/dev/shm", W_OK) == 0) return "/dev/shm";
  const char *temporary = getenv("TMPDIR");
  return temporary ? temporary : "/tmp";
}

// Why a window of `bytes` cannot be had, in `reason`, "" if nothing is in the way: MPI would end the job, or the kernel
// the process where the folder is full later. Fails where the address space is used up.
static stz_err find_room(size_t bytes, char *reason, size_t size) {
  struct rlimit most;
  struct statvfs disk;
  const size_t needed = bytes + BESIDES;
  reason[0] = 0;
  void *trial = mmap(NULL, needed, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (trial == MAP_FAILED) return stz_fail(STZ_EINTERNAL, "out of memory: %zu bytes of shared memory", bytes);
  munmap(trial, needed);
  if (getrlimit(RLIMIT_FSIZE, &most) == 0 && most.rlim_cur != RLIM_INFINITY && most.rlim_cur < needed) {
    snprintf(reason, size, "`ulimit -f` allows files of %.4g MB", (double)most.rlim_cur * 1e-6);
  } else if (statvfs(folder(), &disk) == 0 && (double)disk.f_bavail * (double)disk.f_frsize < (double)needed) {
    snprintf(reason, size, "%s has %.4g MB left", folder(), (double)disk.f_bavail * (double)disk.f_frsize * 1e-6);
  }
  return STZ_OK;
}

static stz_err allocate_window(stz_shared *s) {
  MPI_Errhandler before;
  MPI_Aint size;
  int unit;
  MPI_Comm_get_errhandler(s->node, &before);
  MPI_Comm_set_errhandler(s->node, MPI_ERRORS_RETURN);
  const MPI_Aint share = s->fills ? (MPI_Aint)s->bytes : 0;
  const int done = MPI_Win_allocate_shared(share, 1, MPI_INFO_NULL, s->node, &s->data, &s->window);
  MPI_Comm_set_errhandler(s->node, before);
  MPI_Errhandler_free(&before);
  if (done != MPI_SUCCESS) {
    s->window = MPI_WIN_NULL;
    return stz_fail(STZ_EINTERNAL, "out of memory: %zu bytes of shared memory", s->bytes);
  }
  MPI_Win_shared_query(s->window, 0, &size, &unit, &s->data);
  MPI_Win_fence(0, s->window);
  return STZ_OK;
}

// One window, or a copy for each rank.
static stz_err allocate(MPI_Comm comm, stz_shared *s) {
  char reason[160] = "";
  const bool alone = stz_comm_size(s->node) == 1;
  STZ_TRY(stz_agree(comm, alone ? STZ_OK : find_room(s->bytes, reason, sizeof reason)));
  int copies = reason[0] != 0;
  if (copies) {
    stz_log(STZ_LOG_WARNING, "shared memory: needs %.4g MB and %s: each rank takes as much for itself",
            (double)s->bytes * 1e-6, reason);
  }
  MPI_Allreduce(MPI_IN_PLACE, &copies, 1, MPI_INT, MPI_MAX, s->node);
  if (alone || copies) return stz_agree(comm, stz_alloc(s->bytes, 1, &s->data));
  const stz_err err = stz_agree(comm, allocate_window(s));
  if (err == STZ_OK) return STZ_OK;
  s->window = MPI_WIN_NULL; // only all ranks together could free it
  s->data = NULL;
  return err;
}

stz_err stz_shared_create(MPI_Comm comm, size_t bytes, stz_shared *shared) {
  *shared = (stz_shared){.window = MPI_WIN_NULL, .bytes = bytes};
  MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &shared->node);
  shared->fills = stz_comm_rank(shared->node) == 0;
  const stz_err err = allocate(comm, shared);
  if (err != STZ_OK) stz_shared_destroy(shared);
  return err;
}

void stz_shared_spread(const stz_shared *s) {
  if (s->window != MPI_WIN_NULL) {
    MPI_Win_fence(0, s->window);
    return;
  }
  for (size_t at = 0; at < s->bytes && stz_comm_size(s->node) > 1; at += PIECE) {
    const size_t left = s->bytes - at;
    MPI_Bcast((char *)s->data + at, (int)(left < PIECE ? left : PIECE), MPI_BYTE, 0, s->node);
  }
}

void stz_shared_destroy(stz_shared *s) {
  if (s->bytes == 0) return;
  if (s->window != MPI_WIN_NULL) {
    MPI_Win_free(&s->window);
  } else {
    stz_free(s->data);
  }
  MPI_Comm_free(&s->node);
  *s = (stz_shared){0};
}
