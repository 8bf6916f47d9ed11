// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/output.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/comm.h"
#include "base/log.h"
#include "base/memory.h"
#include "io/disk.h"
#include "io/lock.h"
#include "io/snapshot.h"

struct stz_output {
  char *path; // of the lock
  int lock;
};

stz_err stz_output_path(const char *output, const char *suffix, char **path) {
  const size_t length = strlen(output),
               stem = length > 3 && strcmp(output + length - 3, ".h5") == 0 ? length - 3 : length;
  const size_t size = stem + strlen(suffix) + 1;
  STZ_TRY(STZ_NEW(*path, size));
  snprintf(*path, size, "%.*s%s", (int)stem, output, suffix);
  return STZ_OK;
}

static stz_err check_name(const stz_output_claim *claim, const char *path, bool vacant) {
  const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
  struct stat there, read;
  if (strlen(name) > NAME_MAX || strlen(path) >= PATH_MAX) {
    return stz_fail(STZ_EINPUT, "%.60s...: too long a name, as the run also writes ...%s", claim->output,
                    path + strlen(path) - 24);
  }
  const bool exists = stat(path, &there) == 0;
  for (const char *file = claim->files; exists && *file; file += strlen(file) + 1) {
    if (stat(file, &read) == 0 && read.st_dev == there.st_dev && read.st_ino == there.st_ino) {
      return stz_fail(STZ_EINPUT, "%s: is read by this run, and is %s that %s would replace: needs another output",
                      file, path, claim->output);
    }
  }
  if (exists && !S_ISREG(there.st_mode)) return stz_fail(STZ_EIO, "%s: is no file, cannot be replaced", path);
  if (vacant && lstat(path, &there) == 0) {
    return stz_fail(STZ_EIO, "%s: exists already; --force replaces it", path);
  }
  return STZ_OK;
}

static stz_err check_snapshots(const stz_output_claim *claim, const char *stem) {
  static const char *const suffixes[] = {"", ".writing", ".writing.new"};
  stz_err err = STZ_OK;
  for (int i = -1; i < claim->snapshots && err == STZ_OK; i++) {
    for (int s = 0; s < (i < 0 ? 2 : 3) && err == STZ_OK; s++) {
      char *path;
      STZ_TRY(stz_snapshot_path(stem, i, i < 0 && s == 1 ? ".new" : suffixes[s], &path));
      err = check_name(claim, path, claim->vacant);
      stz_free(path);
    }
  }
  return err;
}

static stz_err check_names(const stz_output_claim *claim) {
  static const char *const suffixes[] = {".lock", ".ckpt.prev.h5", ".ckpt.h5", ".ckpt.h5.writing",
                                         ".ckpt.h5.writing.new"};
  const size_t size = strlen(claim->output) + 5;
  char *path;
  STZ_TRY(STZ_NEW(path, size));
  snprintf(path, size, "%s.new", claim->output);
  stz_err err = check_name(claim, claim->output, false); // whoever creates it looks whether it may
  if (err == STZ_OK) err = check_name(claim, path, claim->vacant);
  stz_free(path);
  for (int i = 0; i < (claim->checkpoints ? 5 : 1) && err == STZ_OK; i++) {
    STZ_TRY(stz_output_path(claim->output, suffixes[i], &path));
    err = check_name(claim, path, claim->vacant && i > 0);
    stz_free(path);
  }
  if (err != STZ_OK || claim->snapshots == 0) return err;
  STZ_TRY(stz_output_path(claim->output, "", &path));
  err = check_snapshots(claim, path);
  stz_free(path);
  return err;
}

static stz_err hold(const stz_output_claim *claim, stz_output *o) {
  STZ_TRY(check_names(claim));
  STZ_TRY(stz_output_path(claim->output, ".lock", &o->path));
  return stz_lock_take(o->path, claim->output, &o->lock);
}

stz_err stz_output_hold(MPI_Comm comm, const stz_output_claim *claim, stz_output **held) {
  stz_output *o = NULL;
  int rank;
  MPI_Comm_rank(comm, &rank);
  stz_err err = STZ_NEW(o, 1);
  if (err == STZ_OK) {
    o->lock = -1;
    if (rank == 0) err = hold(claim, o);
  }
  *held = o;
  err = stz_agree(comm, err);
  if (err != STZ_OK) stz_output_release(held);
  return err;
}

void stz_output_release(stz_output **held) {
  if (!*held) return;
  stz_lock_release((*held)->path, &(*held)->lock);
  stz_free((*held)->path);
  stz_free(*held);
  *held = NULL;
}

void stz_output_saves(const stz_output *held, bool saves) { stz_lock_saves(held->lock, saves); }

stz_err stz_output_set_aside(const char *path, const char *reason) {
  for (int i = 1; i < 1000; i++) {
    char suffix[24], *kept;
    struct stat there;
    snprintf(suffix, sizeof suffix, i > 1 ? ".torn%d.h5" : ".torn.h5", i);
    STZ_TRY(stz_output_path(path, suffix, &kept));
    const bool taken = lstat(kept, &there) == 0;
    const stz_err err = taken ? STZ_OK : stz_disk_rename(path, kept);
    if (!taken && err == STZ_OK) stz_log(STZ_LOG_WARNING, "%s; kept as %s", reason, kept);
    stz_free(kept);
    if (!taken) return err;
  }
  return stz_fail(STZ_EIO, "%s: cannot be read, and there is no free name to keep it under", path);
}
