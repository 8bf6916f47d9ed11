// SPDX-License-Identifier: GPL-3.0-or-later
//
// Reading HDF5 files that may be anybody's, or damaged. A single flipped bit can make libhdf5 1.10 write where it must
// not, or search for ever. So:
// - a file with a seal (io/disk.h) is checked against it before libhdf5 sees the file, and refused if it has changed;
// - a file without one (a run that goes on or was killed, an older or edited result, a field of another program) is
//   opened by a process of its own, with limits of processor time and memory, which answers questions about it. If that
//   process dies, the file is called damaged, and nothing has happened here.
//
// The second process is the program itself, started again by posix_spawn: a fork could harm memory that MPI has
// registered with a network. A program that uses the library without stz_reader_install reads in its own process.
//
// Local: one rank calls. Failures are STZ_EIO with a message "FILE: reason".
#ifndef STZ_IO_READER_H
#define STZ_IO_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

// `program`: path of the program's own file, whose main calls stz_reader_serve first. The text must outlive all
// reading.
void stz_reader_install(const char *program);

// True if this process was started to answer another one. It has then done so, and main must return.
bool stz_reader_serve(int argc, char **argv);

typedef struct stz_reader stz_reader;

// Opens the file `path` to read.
stz_err stz_reader_open(const char *path, stz_reader **reader) STZ_MUST_USE;

// Does nothing without a file. Fails if a question since the opening could not be answered at all: what the answers
// `false` said then means nothing.
stz_err stz_reader_close(stz_reader **reader) STZ_MUST_USE;

const char *stz_reader_path(const stz_reader *reader); // as it was opened

typedef enum stz_number { STZ_NUMBER_DOUBLE, STZ_NUMBER_FLOAT, STZ_NUMBER_INT, STZ_NUMBER_UINT64 } stz_number;

// Reads the attribute `name` of `object` (path of a group or dataset) into values[count] of `type`; false if there is
// no such attribute, or not of so many numbers.
bool stz_reader_numbers(stz_reader *reader, const char *object, const char *name, stz_number type, int count,
                        void *values);

// Reads a text attribute into `text`, cut to `size`; false if there is none.
bool stz_reader_attribute(stz_reader *reader, const char *object, const char *name, char *text, size_t size);

// Reads a text dataset as stz_hdf_text makes it; *text is to be freed by stz_free.
stz_err stz_reader_text(stz_reader *reader, const char *path, char **text) STZ_MUST_USE;

// Shape and nature of a dataset.
enum { STZ_MOST_DIMENSIONS = 8 };
typedef struct stz_shape {
  bool there;      // a dataset has this name
  bool numbers;    // integers, truth values or floating-point numbers, of at most so many dimensions
  bool partly;     // some of it, or all, was never written
  bool outside;    // its values lie in other files
  char filter[48]; // by which its values are packed and which HDF5 lacks; "" if none
  char axes[4];    // the order of its axes if it declares one, as VTK's images and those who name the axes do; else ""
  int rank;
  uint64_t extent[STZ_MOST_DIMENSIONS];
  double fill; // what stands where nothing was written
} stz_shape;
stz_err stz_reader_shape(stz_reader *reader, const char *path, stz_shape *shape) STZ_MUST_USE;

// Reads the block that begins at from[rank] and has count[rank] values of the dataset `path`, of `rank` dimensions,
// into `values` of `type`, the last index fastest.
stz_err stz_reader_block(stz_reader *reader, const char *path, stz_number type, int rank, const uint64_t *from,
                         const uint64_t *count, void *values) STZ_MUST_USE;

#endif
