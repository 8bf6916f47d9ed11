// SPDX-License-Identifier: GPL-3.0-or-later
#include "io/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "io/disk.h"

// What waits to be written. Blocks do not overlap.
typedef struct block {
  haddr_t address;
  size_t size;
  char *data;
  struct block *next; // of a lower address
} block;

typedef struct sink {
  H5FD_t base; // first, for HDF5
  int fd;
  bool writes;            // else only read
  haddr_t allocated, end; // HDF5's end of the file, and the real one
  haddr_t described;      // HDF5's end as the superblock on the disk has it: nothing there points beyond
  block *waiting;
  int *failure;
  stz_team *team;
} sink;

typedef struct owner {
  int *failure;
  stz_team *team;
} owner;

static void note(const sink *s) {
  if (*s->failure == 0) *s->failure = errno;
}

static void write_out(sink *s, haddr_t address, size_t size, const char *from) {
  if (*s->failure != 0) return;
  errno = stz_disk_put_at(s->team, s->fd, (off_t)address, size, from);
  if (errno != 0) {
    note(s);
  } else if (address + size > s->end) {
    s->end = address + size;
  }
}

// Writes the blocks from `low` on and below `high`, from the end of the file to its start, and forgets them.
static void write_between(sink *s, haddr_t low, haddr_t high) {
  for (block **at = &s->waiting; *at;) {
    block *b = *at;
    if (b->address < low || b->address >= high) {
      at = &b->next;
      continue;
    }
    *at = b->next;
    write_out(s, b->address, b->size, b->data);
    stz_free(b->data);
    stz_free(b);
  }
}

// What is new in the file; then the superblock, which says how far the file goes; then what is changed, which may point
// to what is new.
static void write_waiting(sink *s) {
  write_between(s, s->described, HADDR_MAX);
  if (s->writes && *s->failure == 0 && s->end < s->allocated) {
    if (ftruncate(s->fd, (off_t)s->allocated) != 0)
      note(s);
    else
      s->end = s->allocated;
  }
  write_between(s, 0, 1);
  write_between(s, 0, HADDR_MAX);
  if (s->allocated > s->described) s->described = s->allocated;
}

static bool meets(const block *b, haddr_t address, size_t size) {
  return b->address < address + size && address < b->address + b->size;
}

static bool meets_any(const sink *s, haddr_t address, size_t size) {
  for (const block *b = s->waiting; b; b = b->next) {
    if (meets(b, address, size)) return true;
  }
  return false;
}

// Makes one block of this and of those that it overlaps. Without memory for it the file is given up.
static void wait_with(sink *s, haddr_t address, size_t size, const void *data) {
  haddr_t low = address, high = address + size;
  for (const block *b = s->waiting; b; b = b->next) {
    if (!meets(b, address, size)) continue;
    if (b->address < low) low = b->address;
    if (b->address + b->size > high) high = b->address + b->size;
  }
  block *made = NULL;
  char *bytes = NULL;
  if (STZ_NEW(made, 1) != STZ_OK || STZ_NEW(bytes, high - low) != STZ_OK) {
    stz_free(made);
    errno = ENOMEM;
    note(s);
    return;
  }
  block **at = &s->waiting;
  while (*at && (*at)->address + (*at)->size > low) {
    block *b = *at;
    if (meets(b, low, high - low)) {
      memcpy(bytes + (b->address - low), b->data, b->size);
      *at = b->next;
      stz_free(b->data);
      stz_free(b);
    } else {
      at = &b->next;
    }
  }
  memcpy(bytes + (address - low), data, size);
  *made = (block){.address = low, .size = high - low, .data = bytes, .next = *at};
  *at = made;
}

static H5FD_t *sink_open(const char *name, unsigned flags, hid_t properties, haddr_t most) {
  const owner *given = H5Pget_driver_info(properties);
  sink *s = NULL;
  struct stat status;
  (void)most;
  if (!given) return NULL; // HDF5 follows a link to another file, for which nobody has asked
  if (STZ_NEW(s, 1) != STZ_OK) return NULL;
  s->failure = given->failure;
  s->team = given->team;
  s->writes = flags & H5F_ACC_RDWR;
  s->fd =
      open(name, (s->writes ? O_RDWR : O_RDONLY) | O_CLOEXEC | (flags & H5F_ACC_CREAT ? O_CREAT | O_EXCL : 0), 0666);
  if (s->fd >= 0 && fstat(s->fd, &status) == 0) {
    s->end = s->described = (haddr_t)status.st_size;
    return &s->base;
  }
  note(s);
  if (s->fd >= 0) close(s->fd);
  stz_free(s);
  return NULL;
}

static herr_t sink_close(H5FD_t *file) {
  sink *s = (sink *)file;
  write_waiting(s);
  if (s->writes && *s->failure == 0 && fsync(s->fd) != 0 && errno != EINVAL) note(s); // EINVAL: nothing to sync there
  if (close(s->fd) != 0 && s->writes) note(s);                                        // what was read is had
  stz_free(s);
  return 0;
}

static herr_t sink_query(const H5FD_t *file, unsigned long *flags) {
  (void)file;
  *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_DATA_SIEVE | H5FD_FEAT_AGGREGATE_SMALLDATA |
           H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
  return 0;
}

static haddr_t sink_get_eoa(const H5FD_t *file, H5FD_mem_t type) {
  (void)type;
  return ((const sink *)file)->allocated;
}

static herr_t sink_set_eoa(H5FD_t *file, H5FD_mem_t type, haddr_t address) {
  (void)type;
  ((sink *)file)->allocated = address;
  return 0;
}

static haddr_t sink_get_eof(const H5FD_t *file, H5FD_mem_t type) {
  (void)type;
  const sink *s = (const sink *)file;
  const haddr_t waiting = s->waiting ? s->waiting->address + s->waiting->size : 0;
  return waiting > s->end ? waiting : s->end;
}

static herr_t sink_read(H5FD_t *file, H5FD_mem_t type, hid_t transfer, haddr_t address, size_t size, void *buffer) {
  sink *s = (sink *)file;
  (void)type;
  (void)transfer;
  errno = stz_disk_take_at(s->team, s->fd, (off_t)address, size, buffer, NULL);
  if (errno != 0) {
    if (s->writes) note(s); // else HDF5 tells it
    return -1;
  }
  for (const block *b = s->waiting; b; b = b->next) {
    if (!meets(b, address, size)) continue;
    const haddr_t from = b->address > address ? b->address : address;
    const haddr_t to = b->address + b->size < address + size ? b->address + b->size : address + size;
    memcpy((char *)buffer + (from - address), b->data + (from - b->address), to - from);
  }
  return 0;
}

static herr_t sink_write(H5FD_t *file, H5FD_mem_t type, hid_t transfer, haddr_t address, size_t size,
                         const void *buffer) {
  sink *s = (sink *)file;
  (void)transfer;
  if (*s->failure != 0) return 0;
  if (type != H5FD_MEM_DRAW) {
    wait_with(s, address, size, buffer);
  } else {
    if (meets_any(s, address, size)) write_waiting(s);
    write_out(s, address, size, buffer);
  }
  return 0;
}

static herr_t sink_flush(H5FD_t *file, hid_t transfer, hbool_t closing) {
  (void)transfer;
  (void)closing;
  write_waiting((sink *)file);
  return 0;
}

static herr_t sink_truncate(H5FD_t *file, hid_t transfer, hbool_t closing) {
  sink *s = (sink *)file;
  (void)transfer;
  (void)closing;
  if (*s->failure == 0 && s->end != s->allocated && ftruncate(s->fd, (off_t)s->allocated) != 0) note(s);
  s->end = s->allocated;
  return 0;
}

herr_t stz_sink_set(hid_t properties, int *failure, stz_team *team) {
  static const H5FD_class_t driver = {
      .name = "stz-sink",
      .maxaddr = INT64_MAX,
      .fc_degree = H5F_CLOSE_STRONG,
      .fapl_size = sizeof(owner),
      .open = sink_open,
      .close = sink_close,
      .query = sink_query,
      .get_eoa = sink_get_eoa,
      .set_eoa = sink_set_eoa,
      .get_eof = sink_get_eof,
      .read = sink_read,
      .write = sink_write,
      .flush = sink_flush,
      .truncate = sink_truncate,
      .fl_map = H5FD_FLMAP_DICHOTOMY,
  };
  const owner given = {failure, team};
  *failure = 0;
  // Kept for good: HDF5 1.10 reads a driver's class after it released the file's hold on it (H5FD_close), and had then
  // freed it if no other was left.
  static hid_t id = H5I_INVALID_HID;
  if (id < 0) id = H5FDregister(&driver);
  return H5Pset_driver(properties, id, &given);
}
