// SPDX-License-Identifier: GPL-3.0-or-later
#define _GNU_SOURCE // pipe2
#include "app/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/interrupt.h"
#include "base/log.h"

enum { LOOK_MS = 100, MOST_FILES = 4096 };

// How the task ended; less than what a pipe takes at once.
typedef struct outcome {
  int code;
  char message[1024];
} outcome;

// The launcher waits for the end of its pipes, and MPI's sockets are the parent's. Files stay open: some are locked.
static void detach(int kept) {
  struct stat status;
  setsid(); // Open MPI kills the group of each rank
  signal(SIGPIPE, SIG_IGN);
  stz_interrupt_listen(NULL, NULL);
  const int nowhere = open("/dev/null", O_RDWR);
  for (int file = 0; file < MOST_FILES; file++) {
    if (file == kept || file == nowhere) continue;
    if (file <= STDERR_FILENO && nowhere >= 0) {
      (void)dup2(nowhere, file);
    } else if (fstat(file, &status) == 0 && !S_ISREG(status.st_mode)) {
      (void)close(file);
    }
  }
}

static void do_and_tell(stz_outlive_task *task, void *context, int pipe_end) {
  outcome done = {0};
  detach(pipe_end);
  done.code = (int)task(context);
  if (done.code != STZ_OK) snprintf(done.message, sizeof done.message, "%s", stz_error_message());
  (void)!write(pipe_end, &done, sizeof done);
}

// Waits for the copy's word; false if it ends without.
static bool hear(int pipe_end, outcome *done, pid_t copy, const char *what) {
  bool said = false;
  for (;;) {
    struct pollfd waiting = {.fd = pipe_end, .events = POLLIN};
    const int ready = poll(&waiting, 1, LOOK_MS);
    if (!said && *stz_interrupt_flag()) {
      stz_log(STZ_LOG_INFO, "process %ld writes %s, whatever becomes of this one; go on with --restart", (long)copy,
              what);
      said = true;
    }
    if (ready > 0) return read(pipe_end, done, sizeof *done) == (ssize_t)sizeof *done;
    if (ready < 0 && errno != EINTR) return false;
  }
}

stz_err stz_copy_does(stz_outlive_task *task, void *context, const char *what) {
  int ends[2];
  outcome done;
  if (pipe2(ends, O_CLOEXEC) != 0) return task(context);
  const pid_t copy = fork();
  if (copy == 0) {
    do_and_tell(task, context, ends[1]);
    _exit(0);
  }
  (void)close(ends[1]);
  const bool heard = copy > 0 && hear(ends[0], &done, copy, what);
  (void)close(ends[0]);
  while (copy > 0 && waitpid(copy, NULL, 0) < 0 && errno == EINTR) continue;
  if (!heard) return task(context);
  return done.code == STZ_OK ? STZ_OK : stz_fail((stz_err)done.code, "%s", done.message);
}
