// SPDX-License-Identifier: GPL-3.0-or-later
#define _GNU_SOURCE // F_OFD_SETLK
#include "io/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

// Whether the file that is open is still the one at `path`: who held the lock before may have removed it.
static bool is_there(const char *path, const struct stat *opened) {
  struct stat now;
  return lstat(path, &now) == 0 && now.st_dev == opened->st_dev && now.st_ino == opened->st_ino;
}

static stz_err try_lock(int file, const char *path, const char *output, bool *works) {
  struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  int done;
  do {
    done = fcntl(file, F_OFD_SETLK, &whole);
  } while (done != 0 && errno == EINTR);
  *works = done == 0;
  if (done == 0) return STZ_OK;
  if (errno == EACCES || errno == EAGAIN) return stz_fail(STZ_EIO, "%s: in use by another run, which goes on", output);
  stz_log(STZ_LOG_WARNING, "%s: cannot be locked: %s; see to it that no other run writes there", path, strerror(errno));
  return STZ_OK;
}

stz_err stz_lock_take(const char *path, const char *output, int *lock) {
  *lock = -1;
  for (;;) {
    struct stat opened;
    bool works = false;
    const int file = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (file < 0) return stz_fail(STZ_EIO, "%s: cannot be made: %s", path, strerror(errno));
    stz_err err = STZ_OK;
    if (fstat(file, &opened) != 0) {
      err = stz_fail(STZ_EIO, "%s: cannot be read: %s", path, strerror(errno));
    } else if (!S_ISREG(opened.st_mode) || opened.st_size > 0) {
      err = stz_fail(STZ_EINPUT, "%s: is no lock of this program, needs another output than %s", path, output);
    }
    if (err == STZ_OK) err = try_lock(file, path, output, &works);
    if (err == STZ_OK && works && is_there(path, &opened)) {
      *lock = file;
      return STZ_OK;
    }
    (void)close(file); // nothing was written
    if (err != STZ_OK || !works) return err;
  }
}

void stz_lock_release(const char *path, int *lock) {
  if (*lock < 0) return;
  (void)unlink(path); // while it is held: who waits for it then makes another
  (void)close(*lock);
  *lock = -1;
}
