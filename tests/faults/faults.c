// SPDX-License-Identifier: GPL-3.0-or-later
//
// For LD_PRELOAD: makes one call on a file below the folder STZ_FAULT_FOLDER fail, the STZ_FAULT_N-th (from 1) of the
// kind STZ_FAULT_CALL (open, read, write, short, close, fsync, rename, unlink, ftruncate, close-read: of a file that
// was read; alloc: memory that the program itself asks for, for whatever; malloc: memory that libconfig, FFTW or HDF5
// asks for; line: getline's room for a line; stream: fopen's for a stream; block: fread) with the errno
// STZ_FAULT_ERRNO, on rank STZ_FAULT_RANK. `short` is a write that writes half. That it happened is told by a file,
// STZ_FAULT_MARK; a process that ends by itself writes to STZ_FAULT_COUNTED, where that is set, how many such calls it
// has made. Lock files, into which nothing is ever written, are left alone; the kind `lock` fails each time, and with
// the kind `slow` each sync of a checkpoint takes STZ_FAULT_N seconds.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool is_ours(const char *path) {
  const char *folder = getenv("STZ_FAULT_FOLDER");
  const size_t length = strlen(path);
  if (length > 5 && strcmp(path + length - 5, ".lock") == 0) return false;
  if (strstr(path, ".lock (deleted)")) return false;
  return folder && (path[0] != '/' || strncmp(path, folder, strlen(folder)) == 0);
}

static bool fd_is_ours(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return false;
  path[length] = 0;
  return path[0] == '/' && is_ours(path);
}

static int count; // calls of the kind

__attribute__((destructor)) static void tell_count(void) {
  const char *path = getenv("STZ_FAULT_COUNTED");
  FILE *out = path ? fopen(path, "w") : NULL;
  if (!out) return;
  fprintf(out, "%d\n", count);
  fclose(out);
}

// Whether this call of a kind is the one.
static bool strikes(const char *kind) {
  const char *wanted = getenv("STZ_FAULT_CALL"), *n = getenv("STZ_FAULT_N"), *rank = getenv("STZ_FAULT_RANK");
  const char *mine = getenv("OMPI_COMM_WORLD_RANK"), *number = getenv("STZ_FAULT_ERRNO"),
             *mark = getenv("STZ_FAULT_MARK");
  if (!wanted || !n || !number || !mark || strcmp(wanted, kind) != 0) return false;
  if (strcmp(mine ? mine : "0", rank ? rank : "0") != 0 || ++count != atoi(n)) return false;
  const long made = syscall(SYS_openat, AT_FDCWD, mark, O_WRONLY | O_CREAT, 0666);
  if (made >= 0) syscall(SYS_close, made);
  errno = atoi(number);
  return true;
}

#define REAL(type, name, ...)                                                                                          \
  static type (*real)(__VA_ARGS__);                                                                                    \
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, #name)

#define OPEN(name)                                                                                                     \
  int name(const char *path, int flags, ...) {                                                                         \
    REAL(int, name, const char *, int, ...);                                                                           \
    va_list list;                                                                                                      \
    va_start(list, flags);                                                                                             \
    const int mode = flags & O_CREAT ? va_arg(list, int) : 0;                                                          \
    va_end(list);                                                                                                      \
    if (is_ours(path) && strikes("open")) return -1;                                                                   \
    return real(path, flags, mode);                                                                                    \
  }
OPEN(open)
OPEN(open64)

ssize_t read(int fd, void *data, size_t size) {
  REAL(ssize_t, read, int, void *, size_t);
  return fd_is_ours(fd) && strikes("read") ? -1 : real(fd, data, size);
}

#define PREAD(name)                                                                                                    \
  ssize_t name(int fd, void *data, size_t size, off_t at) {                                                            \
    REAL(ssize_t, name, int, void *, size_t, off_t);                                                                   \
    return fd_is_ours(fd) && strikes("read") ? -1 : real(fd, data, size, at);                                          \
  }
PREAD(pread)
PREAD(pread64)

ssize_t write(int fd, const void *data, size_t size) {
  REAL(ssize_t, write, int, const void *, size_t);
  const bool ours = fd_is_ours(fd);
  if (ours && strikes("write")) return -1;
  return real(fd, data, ours && size > 1 && strikes("short") ? size / 2 : size);
}

#define PWRITE(name)                                                                                                   \
  ssize_t name(int fd, const void *data, size_t size, off_t at) {                                                      \
    REAL(ssize_t, name, int, const void *, size_t, off_t);                                                             \
    const bool ours = fd_is_ours(fd);                                                                                  \
    if (ours && strikes("write")) return -1;                                                                           \
    return real(fd, data, ours && size > 1 && strikes("short") ? size / 2 : size, at);                                 \
  }
PWRITE(pwrite)
PWRITE(pwrite64)

// One of a file that was written, or of a folder: what was only read is had by then.
static bool matters(int fd) {
  struct stat status;
  return (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY || (fstat(fd, &status) == 0 && S_ISDIR(status.st_mode));
}

int close(int fd) {
  REAL(int, close, int);
  const bool fails = fd_is_ours(fd) && strikes(matters(fd) ? "close" : "close-read");
  const int reason = errno, done = real(fd);
  if (fails) errno = reason;
  return fails ? -1 : done;
}

static void be_slow(int fd) {
  const char *wanted = getenv("STZ_FAULT_CALL"), *seconds = getenv("STZ_FAULT_N");
  char link[64], path[4096] = "";
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  if (!wanted || !seconds || strcmp(wanted, "slow") != 0 || readlink(link, path, sizeof path - 1) <= 0) return;
  for (unsigned left = strstr(path, ".ckpt.") ? (unsigned)atoi(seconds) : 0; left > 0;) left = sleep(left);
}

#define ON_FD(name, kind)                                                                                              \
  int name(int fd) {                                                                                                   \
    REAL(int, name, int);                                                                                              \
    be_slow(fd);                                                                                                       \
    return fd_is_ours(fd) && strikes(kind) ? -1 : real(fd);                                                            \
  }
ON_FD(fsync, "fsync")
ON_FD(fdatasync, "fsync")

#define TRUNCATE(name)                                                                                                 \
  int name(int fd, off_t size) {                                                                                       \
    REAL(int, name, int, off_t);                                                                                       \
    return fd_is_ours(fd) && strikes("ftruncate") ? -1 : real(fd, size);                                               \
  }
TRUNCATE(ftruncate)
TRUNCATE(ftruncate64)

int rename(const char *from, const char *to) {
  REAL(int, rename, const char *, const char *);
  return is_ours(to) && strikes("rename") ? -1 : real(from, to);
}

int unlink(const char *path) {
  REAL(int, unlink, const char *);
  return is_ours(path) && strikes("unlink") ? -1 : real(path);
}

FILE *fopen(const char *path, const char *mode) {
  REAL(FILE *, fopen, const char *, const char *);
  return is_ours(path) && strikes("stream") ? NULL : real(path, mode);
}

// The stream's error is that of its file, which the caller cannot read from any more.
size_t fread(void *data, size_t size, size_t count_asked, FILE *in) {
  REAL(size_t, fread, void *, size_t, size_t, FILE *);
  if (!fd_is_ours(fileno(in)) || !strikes("block")) return real(data, size, count_asked, in);
  const int reason = errno;
  (void)fputc(0, in); // it is open for reading alone
  errno = reason;
  return 0;
}

ssize_t __getdelim(char **line, size_t *size, int end, FILE *in); // as getline is called where it is inlined

#define GET_LINE(name, parameters, ...)                                                                                \
  ssize_t name parameters {                                                                                            \
    static ssize_t(*real) parameters;                                                                                  \
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, #name);                                                              \
    return strikes("line") ? -1 : real(__VA_ARGS__);                                                                   \
  }
GET_LINE(__getdelim, (char **line, size_t *size, int end, FILE *in), line, size, end, in)
GET_LINE(getline, (char **line, size_t *size, FILE *in), line, size, in)

void *aligned_alloc(size_t alignment, size_t size) {
  REAL(void *, aligned_alloc, size_t, size_t);
  return strikes("alloc") ? NULL : real(alignment, size);
}

extern void *__libc_malloc(size_t size), *__libc_memalign(size_t alignment, size_t size);
void *memalign(size_t alignment, size_t size); // FFTW's

// Which library asks is seen by where the call returns to.
static bool starves(const void *caller) {
  static const char *const libraries[] = {"libconfig", "libfftw3", "libhdf5"};
  const char *wanted = getenv("STZ_FAULT_CALL");
  Dl_info found;
  if (!wanted || strcmp(wanted, "malloc") != 0 || !dladdr(caller, &found) || !found.dli_fname) return false;
  for (int i = 0; i < 3; i++) {
    if (strstr(found.dli_fname, libraries[i])) return strikes("malloc");
  }
  return false;
}

void *malloc(size_t size) { return starves(__builtin_return_address(0)) ? NULL : __libc_malloc(size); }

void *memalign(size_t alignment, size_t size) {
  return starves(__builtin_return_address(0)) ? NULL : __libc_memalign(alignment, size);
}

// Locks of a file system that has none, where STZ_FAULT_CALL is "lock".
#define FCNTL(name)                                                                                                    \
  int name(int fd, int command, ...) {                                                                                 \
    REAL(int, name, int, int, ...);                                                                                    \
    va_list list;                                                                                                      \
    va_start(list, command);                                                                                           \
    void *argument = va_arg(list, void *);                                                                             \
    va_end(list);                                                                                                      \
    const char *wanted = getenv("STZ_FAULT_CALL"), *number = getenv("STZ_FAULT_ERRNO");                                \
    const bool locks = command == F_OFD_SETLK || command == F_SETLK || command == F_SETLKW;                            \
    if (locks && wanted && number && strcmp(wanted, "lock") == 0) {                                                    \
      errno = atoi(number);                                                                                            \
      return -1;                                                                                                       \
    }                                                                                                                  \
    return real(fd, command, argument);                                                                                \
  }
FCNTL(fcntl)
FCNTL(fcntl64)
