// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/io: not installed.
//
// A process that has a file open for this one and answers questions about it (io/reader.h says why).
#ifndef STZ_IO_APART_H
#define STZ_IO_APART_H

#include <stdbool.h>

#include "io/question.h"

typedef struct stz_apart {
  int socket, pid; // -1: none
} stz_apart;

// Starts `program` on a file. false if that cannot be done on this machine.
bool stz_apart_start(const char *program, const char *path, stz_apart *apart);

// Receives the answer to the opening, or asks and receives; *data is to be freed by stz_free. STZ_EIO if the process
// ends without an answer: `path` is for the message.
stz_err stz_apart_opened(stz_apart *apart, const char *path, stz_answer *answer) STZ_MUST_USE;
stz_err stz_apart_ask(stz_apart *apart, const char *path, const stz_question *question, stz_answer *answer,
                      void **data) STZ_MUST_USE;

// Ends it.
void stz_apart_end(stz_apart *apart);

#endif
