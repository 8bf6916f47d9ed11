// SPDX-License-Identifier: GPL-3.0-or-later
#include "io/reader.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "io/apart.h"
#include "io/disk.h"
#include "io/question.h"

struct stz_reader {
  char *path;
  stz_hdf hdf;     // where the file is open here,
  stz_apart apart; // or there
  stz_err lost;    // why a question found no answer at all; STZ_OK: each has found one
  char message[512];
};

static const char *server;

void stz_reader_install(const char *program) { server = program; }

const char *stz_reader_path(const stz_reader *reader) { return reader->path; }

static stz_err passed_on(const stz_answer *answer) {
  return answer->err == STZ_OK ? STZ_OK : stz_fail(answer->err, "%s", answer->message);
}

static stz_err open_apart(stz_reader *r) {
  stz_answer answer;
  STZ_TRY(stz_apart_opened(&r->apart, r->path, &answer));
  return passed_on(&answer);
}

static stz_err open_file(stz_reader *r) {
  stz_seal seal;
  STZ_TRY(stz_disk_read_seal(r->path, NULL, &seal));
  if (seal == STZ_SEAL_BROKEN) return stz_fail(STZ_EIO, "%s: damaged: its content does not fit its checksum", r->path);
  if (seal == STZ_SEAL_NONE && server && stz_apart_start(server, r->path, &r->apart)) return open_apart(r);
  return stz_hdf_open(r->path, NULL, &r->hdf);
}

stz_err stz_reader_open(const char *path, stz_reader **reader) {
  stz_reader *r = NULL;
  *reader = NULL;
  STZ_TRY(STZ_NEW(r, 1));
  r->hdf.file = -1;
  r->apart = (stz_apart){-1, -1};
  stz_err err = STZ_NEW(r->path, strlen(path) + 1);
  if (err == STZ_OK) {
    memcpy(r->path, path, strlen(path) + 1);
    err = open_file(r);
  }
  *reader = r;
  if (err != STZ_OK) (void)!stz_reader_close(reader);
  return err;
}

stz_err stz_reader_close(stz_reader **reader) {
  stz_reader *r = *reader;
  if (!r) return STZ_OK;
  (void)!stz_hdf_close(&r->hdf); // nothing was written
  stz_apart_end(&r->apart);
  const stz_err err = r->lost != STZ_OK ? stz_fail(r->lost, "%s", r->message) : STZ_OK;
  stz_free(r->path);
  stz_free(r);
  *reader = NULL;
  return err;
}

static stz_err lose(stz_reader *r, stz_err err) {
  r->lost = err;
  snprintf(r->message, sizeof r->message, "%s", stz_error_message());
  return err;
}

static stz_err ask_apart(stz_reader *r, const stz_question *question, stz_answer *answer, void **data) {
  stz_err err = stz_apart_ask(&r->apart, r->path, question, answer, data);
  if (err == STZ_OK && answer->err == STZ_EINTERNAL) {
    err = stz_fail(STZ_EIO, "%s: damaged: %s claims to need more memory than there is", r->path, question->object);
  }
  return err == STZ_OK ? passed_on(answer) : lose(r, err);
}

static stz_err ask_here(stz_reader *r, const stz_question *question, stz_answer *answer, void **data) {
  stz_question_answer(&r->hdf, question, answer, data);
  const stz_err err = passed_on(answer);
  return err == STZ_EINTERNAL ? lose(r, err) : err; // no memory, which says nothing about the file
}

// Asks, here or there. Once a question was lost, all others are. Without success there are no data.
static stz_err ask(stz_reader *r, const stz_question *question, stz_answer *answer, void **data) {
  *data = NULL;
  if (r->lost != STZ_OK) return stz_fail(r->lost, "%s", r->message);
  const stz_err err = (r->apart.pid >= 0 ? ask_apart : ask_here)(r, question, answer, data);
  if (err == STZ_OK) return STZ_OK;
  stz_free(*data);
  *data = NULL;
  return err;
}

// A question about an object; names are our own or bounded by the input's keys.
static stz_question about(stz_ask what, const char *object) {
  stz_question question;
  assert(strlen(object) < sizeof question.object);
  memset(&question, 0, sizeof question);
  question.ask = what;
  snprintf(question.object, sizeof question.object, "%s", object);
  return question;
}

// Takes an answer of just so many bytes.
static stz_err take(stz_reader *r, const stz_question *question, void *values, size_t bytes) {
  stz_answer answer;
  void *data;
  STZ_TRY(ask(r, question, &answer, &data));
  const bool whole = answer.bytes == bytes;
  if (whole) memcpy(values, data, bytes);
  stz_free(data);
  return whole ? STZ_OK : stz_fail(STZ_EIO, "%s: %s: got none of it", r->path, question->object);
}

bool stz_reader_numbers(stz_reader *r, const char *object, const char *name, stz_number type, int count, void *values) {
  stz_question question = about(STZ_ASK_NUMBERS, object);
  assert(strlen(name) < sizeof question.name);
  snprintf(question.name, sizeof question.name, "%s", name);
  question.type = type;
  question.count = count;
  return take(r, &question, values, (size_t)count * stz_number_size(type)) == STZ_OK;
}

bool stz_reader_attribute(stz_reader *r, const char *object, const char *name, char *text, size_t size) {
  stz_question question = about(STZ_ASK_ATTRIBUTE, object);
  stz_answer answer;
  void *data;
  assert(strlen(name) < sizeof question.name);
  snprintf(question.name, sizeof question.name, "%s", name);
  if (ask(r, &question, &answer, &data) != STZ_OK) return false;
  const bool there = answer.bytes > 0;
  if (there) snprintf(text, size, "%.*s", (int)answer.bytes, (const char *)data);
  stz_free(data);
  return there;
}

stz_err stz_reader_text(stz_reader *r, const char *path, char **text) {
  const stz_question question = about(STZ_ASK_TEXT, path);
  stz_answer answer;
  void *data;
  *text = NULL;
  STZ_TRY(ask(r, &question, &answer, &data));
  *text = data;
  return STZ_OK;
}

stz_err stz_reader_shape(stz_reader *r, const char *path, stz_shape *shape) {
  const stz_question question = about(STZ_ASK_SHAPE, path);
  return take(r, &question, shape, sizeof *shape);
}

stz_err stz_reader_block(stz_reader *r, const char *path, stz_number type, int rank, const uint64_t *from,
                         const uint64_t *count, void *values) {
  stz_question question = about(STZ_ASK_BLOCK, path);
  size_t bytes = stz_number_size(type);
  assert(rank <= STZ_MOST_DIMENSIONS);
  question.type = type;
  question.count = rank;
  for (int d = 0; d < rank; d++) {
    question.from[d] = from[d];
    question.size[d] = count[d];
    bytes *= (size_t)count[d];
  }
  return take(r, &question, values, bytes);
}
