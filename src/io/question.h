// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/io: not installed.
//
// Questions about an HDF5 file and their answers, as plain bytes: the same whether they pass between functions or
// between processes (io/apart.h) of one program.
#ifndef STZ_IO_QUESTION_H
#define STZ_IO_QUESTION_H

#include <stddef.h>

#include "io/hdf.h"
#include "io/reader.h"

enum { STZ_OBJECT_LENGTH = 320, STZ_NAME_LENGTH = 64 };

typedef enum stz_ask { STZ_ASK_NUMBERS, STZ_ASK_ATTRIBUTE, STZ_ASK_TEXT, STZ_ASK_SHAPE, STZ_ASK_BLOCK } stz_ask;

typedef struct stz_question {
  stz_ask ask;
  stz_number type;
  int count; // numbers of an attribute, dimensions of a block
  uint64_t from[STZ_MOST_DIMENSIONS], size[STZ_MOST_DIMENSIONS];
  char object[STZ_OBJECT_LENGTH], name[STZ_NAME_LENGTH];
} stz_question;

// `bytes` of data follow, none for an attribute that is not there.
typedef struct stz_answer {
  stz_err err;
  size_t bytes;
  char message[512]; // of a failure
} stz_answer;

// Answers a question; *data is to be freed by stz_free.
void stz_question_answer(const stz_hdf *hdf, const stz_question *question, stz_answer *answer, void **data);

size_t stz_number_size(stz_number type);

#endif
