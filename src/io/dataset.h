// SPDX-License-Identifier: GPL-3.0-or-later
//
// Datasets of the output, each described once: the files are written by these descriptions, docs/output.md lists them,
// and every dataset carries its own as the attributes `units`, `dimensions` and `description`.
#ifndef STZ_IO_DATASET_H
#define STZ_IO_DATASET_H

#include <stddef.h>
#include <stdio.h>

// How it is stored. Rows of a table are handed over as doubles in any case, other values as they are stored.
typedef enum stz_stored { STZ_FLOAT64, STZ_FLOAT32, STZ_INT32, STZ_INT16, STZ_INT8, STZ_UINT8, STZ_TEXT } stz_stored;

typedef struct stz_dataset {
  const char *name, *unit, *description;
  const char *dimensions; // their names, the slowest first, as in "scan probe_u probe_v"; "axis[3]" has always 3; ""
                          // has a single value
  stz_stored type;
} stz_dataset;

// A group of datasets, or a table: then each dataset is a column, and all grow row by row.
typedef struct stz_group {
  const char *path; // NN in it stands for a number
  const char *when; // when a file has it, as docs/output.md says it
  const stz_dataset *datasets;
  int count;
  int block, chunk; // of a table: rows that are buffered, and rows of a chunk of a column; else 0
} stz_group;

// A group of the array `datasets`.
#define STZ_GROUP(where, condition, array)                                                                             \
  .path = (where), .when = (condition), .datasets = (array), .count = (int)(sizeof(array) / sizeof *(array))

// Number of dimensions: 0 for a single value.
int stz_dataset_rank(const stz_dataset *dataset);

// Numbers per row of a column: the product of the dimensions after the first.
int stz_dataset_width(const stz_dataset *dataset);
int stz_group_width(const stz_group *group); // of all columns of a table

// The names of the dimensions alone: "event axis[3]" gives "event axis".
enum { STZ_DIMENSIONS_SIZE = 64 };
void stz_dataset_dimensions(const stz_dataset *dataset, char text[STZ_DIMENSIONS_SIZE]);

// Prints a group's part of the reference, in Markdown.
void stz_group_print(const stz_group *group, FILE *out);

#endif
