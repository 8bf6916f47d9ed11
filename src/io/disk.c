// SPDX-License-Identifier: GPL-3.0-or-later
#include "io/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

static stz_err fail(const char *path, const char *what) {
  return stz_fail(STZ_EIO, "%s: cannot %s: %s", path, what, strerror(errno));
}

static stz_err read_all(int file, char *data, size_t bytes, const char *path) {
  for (size_t at = 0; at < bytes;) {
    const ssize_t got = read(file, data + at, bytes - at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(path, "read");
    if (got == 0) return stz_fail(STZ_EIO, "%s: became shorter while it was read", path);
    at += (size_t)got;
  }
  return STZ_OK;
}

static stz_err write_all(int file, const char *data, size_t bytes, const char *path) {
  for (size_t at = 0; at < bytes;) {
    const ssize_t put = write(file, data + at, bytes - at);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return fail(path, "write");
    at += (size_t)put;
  }
  return STZ_OK;
}

stz_err stz_disk_read(const char *path, void **data, size_t *bytes) {
  struct stat status;
  *data = NULL;
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return fail(path, "read");
  stz_err err = fstat(file, &status) == 0 ? STZ_OK : fail(path, "read");
  if (err == STZ_OK) {
    *bytes = (size_t)status.st_size;
    err = stz_alloc(*bytes, 1, data);
  }
  if (err == STZ_OK) err = read_all(file, *data, *bytes, path);
  if (err != STZ_OK) {
    stz_free(*data);
    *data = NULL;
  }
  (void)close(file); // nothing was written
  return err;
}

// Writes, syncs and closes `file`.
static stz_err finish(int file, const void *data, size_t bytes, const char *path) {
  stz_err err = write_all(file, data, bytes, path);
  if (err == STZ_OK && fsync(file) != 0) err = fail(path, "write");
  if (close(file) != 0 && err == STZ_OK) err = fail(path, "write");
  return err;
}

stz_err stz_disk_replace(const char *path, const void *data, size_t bytes) {
  char *temporary;
  STZ_TRY(STZ_NEW(temporary, strlen(path) + 5));
  snprintf(temporary, strlen(path) + 5, "%s.new", path);
  const int file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  stz_err err = file < 0 ? fail(temporary, "create") : finish(file, data, bytes, temporary);
  if (err == STZ_OK) err = stz_disk_rename(temporary, path);
  if (err != STZ_OK && file >= 0) unlink(temporary);
  stz_free(temporary);
  return err;
}

// FNV-1a over 64-bit words with a final avalanche; the last word is padded with zeros and the length is mixed in.
static uint64_t checksum(const char *data, size_t bytes) {
  uint64_t hash = 0xcbf29ce484222325u ^ bytes;
  for (size_t at = 0; at < bytes; at += 8) {
    uint64_t word = 0;
    memcpy(&word, data + at, bytes - at < 8 ? bytes - at : 8);
    hash = (hash ^ word) * 0x100000001b3u;
    hash ^= hash >> 29;
  }
  return hash;
}

#define SEAL "stzkmc-checksum %016llx\n"
enum { SEAL_BYTES = 33 };

stz_err stz_disk_seal(const char *path) {
  void *data;
  size_t bytes;
  char seal[SEAL_BYTES + 1];
  STZ_TRY(stz_disk_read(path, &data, &bytes));
  snprintf(seal, sizeof seal, SEAL, (unsigned long long)checksum(data, bytes));
  stz_free(data);
  const int file = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
  return file < 0 ? fail(path, "write") : finish(file, seal, SEAL_BYTES, path);
}

stz_err stz_disk_check_seal(const char *path) {
  void *data;
  size_t bytes;
  char seal[SEAL_BYTES + 1];
  STZ_TRY(stz_disk_read(path, &data, &bytes));
  bool whole = bytes > SEAL_BYTES;
  if (whole) {
    const size_t content = bytes - SEAL_BYTES;
    snprintf(seal, sizeof seal, SEAL, (unsigned long long)checksum(data, content));
    whole = memcmp((const char *)data + content, seal, SEAL_BYTES) == 0;
  }
  stz_free(data);
  return whole ? STZ_OK : stz_fail(STZ_EIO, "%s: cut short, damaged, or not a checkpoint", path);
}

stz_err stz_disk_rename(const char *from, const char *to) {
  if (rename(from, to) != 0) return fail(to, "rename to");
  const char *slash = strrchr(to, '/');
  char *folder;
  STZ_TRY(STZ_NEW(folder, strlen(to) + 2));
  snprintf(folder, strlen(to) + 2, "%.*s", slash ? (int)(slash - to) + 1 : 1, slash ? to : ".");
  const int directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  stz_err err = directory < 0 ? fail(folder, "open") : STZ_OK;
  if (directory >= 0) {
    // Some file systems cannot, and then need not.
    if (fsync(directory) != 0 && errno != EINVAL && errno != EBADF && errno != ENOTSUP) err = fail(folder, "sync");
    if (close(directory) != 0 && err == STZ_OK) err = fail(folder, "close");
  }
  stz_free(folder);
  return err;
}
