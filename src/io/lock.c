// SPDX-License-Identifier: GPL-3.0-or-later
#define _GNU_SOURCE // F_OFD_SETLK
#include "io/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/interrupt.h"
#include "base/log.h"

enum { MOST_WAITS = 3000 }; // of a tenth of a second, for another run's checkpoint

// Whether the file that is open is still the one at `path`: who held the lock before may have removed it.
static bool is_there(const char *path, const struct stat *opened) {
  struct stat now;
  return lstat(path, &now) == 0 && now.st_dev == opened->st_dev && now.st_ino == opened->st_ino;
}

// The first byte is free while the holder only saves.
static bool only_saves(int file) {
  struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  return fcntl(file, F_OFD_GETLK, &whole) == 0 && whole.l_type == F_WRLCK && whole.l_start > 0;
}

typedef enum attempt { LOCKED, IN_USE, SAVING, NO_LOCKS } attempt;

static attempt try_lock(int file) {
  struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  int done;
  do {
    done = fcntl(file, F_OFD_SETLK, &whole);
  } while (done != 0 && errno == EINTR);
  if (done == 0) return LOCKED;
  if (errno != EACCES && errno != EAGAIN) return NO_LOCKS;
  return only_saves(file) ? SAVING : IN_USE;
}

static stz_err open_lock(const char *path, const char *output, int *file, struct stat *opened) {
  *file = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (*file < 0) return stz_fail(STZ_EIO, "%s: cannot be made: %s", path, strerror(errno));
  if (fstat(*file, opened) != 0) return stz_fail(STZ_EIO, "%s: cannot be read: %s", path, strerror(errno));
  if (S_ISREG(opened->st_mode) && opened->st_size == 0) return STZ_OK;
  return stz_fail(STZ_EINPUT, "%s: is no lock of this program, needs another output than %s", path, output);
}

// What follows from an attempt; STZ_OK: another one is due, after a while.
static stz_err judge(attempt how, const char *path, const char *output, int waited) {
  if (how == NO_LOCKS) {
    stz_log(STZ_LOG_WARNING, "%s: cannot be locked: %s; see to it that no other run writes there", path,
            strerror(errno));
  }
  if (how == IN_USE) return stz_fail(STZ_EIO, "%s: in use by another run, which goes on", output);
  if (how != SAVING) return STZ_OK;
  if (waited == 0) stz_log(STZ_LOG_INFO, "%s: the run before still writes its checkpoint; waiting for it", output);
  if (waited < MOST_WAITS) return stz_stage_look();
  return stz_fail(STZ_EIO, "%s: the run before has not written its checkpoint within %d s; it may hang", output,
                  MOST_WAITS / 10);
}

stz_err stz_lock_take(const char *path, const char *output, int *lock) {
  static const struct timespec nap = {.tv_nsec = 100000000};
  *lock = -1;
  for (int waited = 0;;) {
    struct stat opened;
    attempt how = NO_LOCKS;
    int file;
    stz_err err = open_lock(path, output, &file, &opened);
    if (err == STZ_OK) {
      how = try_lock(file);
      err = judge(how, path, output, waited);
    }
    if (err == STZ_OK && how == LOCKED && is_there(path, &opened)) {
      *lock = file;
      return STZ_OK;
    }
    if (file >= 0) (void)close(file); // nothing was written
    if (err != STZ_OK || how == NO_LOCKS) return err;
    if (how == SAVING) nanosleep(&nap, NULL);
    waited += how == SAVING;
  }
}

void stz_lock_saves(int lock, bool saves) {
  struct flock first = {.l_type = saves ? F_UNLCK : F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
  if (lock >= 0) (void)fcntl(lock, F_OFD_SETLK, &first);
}

void stz_lock_release(const char *path, int *lock) {
  if (*lock < 0) return;
  (void)unlink(path); // while it is held: who waits for it then makes another
  (void)close(*lock);
  *lock = -1;
}
