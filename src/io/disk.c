// SPDX-License-Identifier: GPL-3.0-or-later
#include "io/disk.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
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
  const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); // not to wait for the writer of a pipe
  if (file < 0) return fail(path, "read");
  stz_err err = fstat(file, &status) == 0 ? STZ_OK : fail(path, "read");
  if (err == STZ_OK && !S_ISREG(status.st_mode)) err = stz_fail(STZ_EIO, "%s: cannot read: it is no file", path);
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

void stz_disk_make_way(const char *temporary) {
  struct stat status;
  if (lstat(temporary, &status) == 0) (void)unlink(temporary); // if it stays there, creating fails
}

stz_err stz_disk_replace(const char *path, const void *data, size_t bytes) {
  char *temporary;
  STZ_TRY(STZ_NEW(temporary, strlen(path) + 5));
  snprintf(temporary, strlen(path) + 5, "%s.new", path);
  stz_disk_make_way(temporary);
  const int file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  stz_err err = file < 0 ? fail(temporary, "create") : finish(file, data, bytes, temporary);
  if (err == STZ_OK) err = stz_disk_rename(temporary, path);
  if (err != STZ_OK && file >= 0) unlink(temporary);
  stz_free(temporary);
  return err;
}

// --- parts of a file, shared by a team ---

enum { PART = 1 << 20 }; // bytes

typedef struct extent {
  int file;
  off_t at;
  char *data;
  atomic_int failure; // errno of a failure, 0
  atomic_size_t missing;
} extent;

static void put_part(void *context, int64_t first, int64_t end, int worker) {
  extent *e = context;
  (void)worker;
  while (first < end && e->failure == 0) {
    const ssize_t put = pwrite(e->file, e->data + first, (size_t)(end - first), e->at + first);
    if (put >= 0) {
      first += put;
    } else if (errno != EINTR) {
      e->failure = errno;
    }
  }
}

static void take_part(void *context, int64_t first, int64_t end, int worker) {
  extent *e = context;
  (void)worker;
  while (first < end && e->failure == 0) {
    const ssize_t got = pread(e->file, e->data + first, (size_t)(end - first), e->at + first);
    if (got > 0) {
      first += got;
    } else if (got == 0) {
      memset(e->data + first, 0, (size_t)(end - first));
      e->missing += (size_t)(end - first);
      return;
    } else if (errno != EINTR) {
      e->failure = errno;
    }
  }
}

int stz_disk_put_at(stz_team *team, int file, off_t at, size_t bytes, const void *data) {
  extent e = {.file = file, .at = at, .data = (char *)(uintptr_t)data};
  stz_team_run(team, (int64_t)bytes, team ? PART : (int64_t)bytes, put_part, &e);
  return e.failure;
}

int stz_disk_take_at(stz_team *team, int file, off_t at, size_t bytes, void *data, size_t *missing) {
  extent e = {.file = file, .at = at, .data = data};
  stz_team_run(team, (int64_t)bytes, team ? PART : (int64_t)bytes, take_part, &e);
  if (missing) *missing = e.missing;
  return e.failure;
}

// --- seals ---

// The checksum of docs/output.md: 64-bit words in LANES lanes side by side, so that numpy computes it as fast as C
// does. The lanes do not meet before the end, so that a team shares them; ROUNDS words of each are read at a time, by
// one worker ALONE so few that they stay in its cache.
enum { LANES = 4096, LANES_PART = 512, ROUNDS = 256, ALONE = 4, ROUND_BYTES = LANES * sizeof(uint64_t) };
static const uint64_t OFFSET = 0xcbf29ce484222325u, FACTOR = 0x100000001b3u;

typedef struct sealing {
  uint64_t *words, *lanes;
  size_t most, rounds; // that there is room for, that are there
} sealing;

static uint64_t mix(uint64_t hash, uint64_t word) {
  hash = (hash ^ word) * FACTOR;
  return hash ^ hash >> 29;
}

static void mix_lanes(void *context, int64_t first, int64_t end, int worker) {
  const sealing *s = context;
  (void)worker;
  for (size_t round = 0; round < s->rounds; round++) {
    const uint64_t *words = s->words + round * LANES;
    for (int64_t i = first; i < end; i++) s->lanes[i] = mix(s->lanes[i], le64toh(words[i]));
  }
}

// Of the first `bytes` of an open file.
static stz_err checksum_of(stz_team *team, int file, size_t bytes, const char *path, sealing *s, uint64_t *sum) {
  for (uint64_t i = 0; i < LANES; i++) s->lanes[i] = OFFSET + i;
  for (size_t at = 0; at < bytes;) {
    const size_t most = s->most * ROUND_BYTES, part = bytes - at < most ? bytes - at : most;
    size_t missing = 0;
    errno = stz_disk_take_at(team, file, (off_t)at, part, s->words, &missing);
    if (errno != 0) return fail(path, "read");
    if (missing > 0) return stz_fail(STZ_EIO, "%s: became shorter while it was read", path);
    s->rounds = (part + ROUND_BYTES - 1) / ROUND_BYTES;
    memset((char *)s->words + part, 0, s->rounds * ROUND_BYTES - part);
    stz_team_run(team, LANES, LANES_PART, mix_lanes, s);
    at += part;
  }
  *sum = OFFSET ^ bytes;
  for (int i = 0; i < LANES; i++) *sum = mix(*sum, s->lanes[i]);
  return STZ_OK;
}

static stz_err checksum(stz_team *team, int file, size_t bytes, const char *path, uint64_t *sum) {
  sealing s = {0};
  const size_t needed = (bytes + ROUND_BYTES - 1) / ROUND_BYTES, most = team ? ROUNDS : ALONE;
  s.most = needed < most ? needed : most;
  STZ_TRY(STZ_NEW(s.words, (s.most + 1) * LANES));
  s.lanes = s.words + s.most * LANES;
  const stz_err err = checksum_of(team, file, bytes, path, &s, sum);
  stz_free(s.words);
  return err;
}

#define SEAL_BEGIN "stzkmc-checksum "
#define SEAL SEAL_BEGIN "%016llx\n"
enum { SEAL_BYTES = 33 };

stz_err stz_disk_seal(const char *path, stz_team *team) {
  struct stat status;
  uint64_t sum;
  char seal[SEAL_BYTES + 1];
  const int file = open(path, O_RDWR | O_CLOEXEC);
  if (file < 0) return fail(path, "write");
  stz_err err = fstat(file, &status) == 0 ? STZ_OK : fail(path, "read");
  if (err == STZ_OK) err = checksum(team, file, (size_t)status.st_size, path, &sum);
  if (err == STZ_OK && lseek(file, status.st_size, SEEK_SET) < 0) err = fail(path, "write");
  if (err != STZ_OK) {
    close(file);
    return err;
  }
  snprintf(seal, sizeof seal, SEAL, (unsigned long long)sum);
  return finish(file, seal, SEAL_BYTES, path);
}

static stz_err look_at_seal(stz_team *team, int file, const char *path, stz_seal *seal) {
  struct stat status;
  uint64_t sum;
  char there[SEAL_BYTES + 1], needed[SEAL_BYTES + 1];
  *seal = STZ_SEAL_NONE;
  if (fstat(file, &status) != 0) return fail(path, "read");
  if (!S_ISREG(status.st_mode)) return stz_fail(STZ_EIO, "%s: cannot open: it is no file", path);
  if (status.st_size <= SEAL_BYTES) return STZ_OK;
  const off_t content = status.st_size - SEAL_BYTES;
  if (lseek(file, content, SEEK_SET) < 0) return fail(path, "read");
  STZ_TRY(read_all(file, there, SEAL_BYTES, path));
  if (memcmp(there, SEAL_BEGIN, sizeof SEAL_BEGIN - 1) != 0) return STZ_OK;
  STZ_TRY(checksum(team, file, (size_t)content, path, &sum));
  snprintf(needed, sizeof needed, SEAL, (unsigned long long)sum);
  *seal = memcmp(there, needed, SEAL_BYTES) == 0 ? STZ_SEAL_FITS : STZ_SEAL_BROKEN;
  return STZ_OK;
}

stz_err stz_disk_read_seal(const char *path, stz_team *team, stz_seal *seal) {
  const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); // not to wait for the writer of a pipe
  if (file < 0) return fail(path, "open");
  const stz_err err = look_at_seal(team, file, path, seal);
  close(file);
  return err;
}

stz_err stz_disk_check_seal(const char *path, stz_team *team) {
  stz_seal seal;
  STZ_TRY(stz_disk_read_seal(path, team, &seal));
  return seal == STZ_SEAL_FITS ? STZ_OK : stz_fail(STZ_EIO, "%s: cut short, damaged, or not a checkpoint", path);
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

stz_err stz_disk_follow(const char *path, char *file, size_t size) {
  char target[PATH_MAX], joined[2 * PATH_MAX];
  if (strlen(path) >= size) return stz_fail(STZ_EIO, "%s: %s", path, strerror(ENAMETOOLONG));
  memcpy(file, path, strlen(path) + 1);
  for (int links = 0;; links++) {
    const ssize_t length = readlink(file, target, sizeof target - 1);
    if (length < 0) return STZ_OK;
    target[length] = 0;
    const char *slash = target[0] == '/' ? NULL : strrchr(file, '/');
    const int written = snprintf(joined, sizeof joined, "%.*s%s", slash ? (int)(slash - file) + 1 : 0, file, target);
    if (links == 40 || written >= (int)sizeof joined || (size_t)written >= size) {
      return stz_fail(STZ_EIO, "%s: a link that leads nowhere", path);
    }
    memcpy(file, joined, (size_t)written + 1);
  }
}
