// SPDX-License-Identifier: GPL-3.0-or-later
#include "io/apart.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"

extern char **environ;

static const char ROLE[] = "--answer-questions-about";

// Limits of a process that answers: of memory beyond what it begins with; of processor time, to which each so many
// bytes of answers add a second, since a large field may well take longer; and how long to wait for an answer.
static const rlim_t MEMORY_BYTES = (rlim_t)768 << 20;
enum { PROCESSOR_SECONDS = 3, BYTES_A_SECOND = 4 << 20, WAIT_SECONDS = 120, MOST_BYTES = 1 << 30 };

static bool send_all(int socket, const void *data, size_t bytes) {
  for (const char *from = data; bytes > 0;) {
    const ssize_t sent = send(socket, from, bytes, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    from += sent;
    bytes -= (size_t)sent;
  }
  return true;
}

// `seconds` without a byte are a failure; -1: waits for ever.
static bool receive_all(int socket, void *data, size_t bytes, int seconds) {
  for (char *to = data; bytes > 0;) {
    struct pollfd waiting = {.fd = socket, .events = POLLIN};
    const int ready = poll(&waiting, 1, seconds < 0 ? -1 : 1000 * seconds);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return false;
    const ssize_t got = recv(socket, to, bytes, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    to += got;
    bytes -= (size_t)got;
  }
  return true;
}

// --- the process that answers ---

// Address space counts in pages of what is mapped: the first number of statm. Under a sanitizer it is some terabytes.
static void limit_memory(void) {
  unsigned long long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  const bool known = file && fscanf(file, "%llu", &pages) == 1;
  if (file) fclose(file);
  if (!known) return;
  const rlim_t most = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + MEMORY_BYTES;
  setrlimit(RLIMIT_AS, &(struct rlimit){most, most});
}

static void limit_time(size_t answered) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_CPU, &limit) != 0) return;
  limit.rlim_cur = PROCESSOR_SECONDS + answered / BYTES_A_SECOND;
  if (limit.rlim_max != RLIM_INFINITY && limit.rlim_cur > limit.rlim_max) limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_CPU, &limit);
}

static bool answer_opening(const char *path, stz_hdf *hdf) {
  stz_answer answer;
  memset(&answer, 0, sizeof answer);
  answer.err = stz_hdf_open(path, NULL, hdf);
  if (answer.err != STZ_OK) snprintf(answer.message, sizeof answer.message, "%s", stz_error_message());
  return send_all(STDIN_FILENO, &answer, sizeof answer) && answer.err == STZ_OK;
}

bool stz_reader_serve(int argc, char **argv) {
  stz_hdf hdf;
  stz_question question;
  stz_answer answer;
  void *data;
  if (argc != 3 || strcmp(argv[1], ROLE) != 0) return false;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  signal(SIGXCPU, SIG_DFL); // the program that this one is may catch it: the limit of time has to end it
  setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
  limit_memory();
  limit_time(0);
  size_t answered = 0;
  if (!answer_opening(argv[2], &hdf)) return true;
  while (receive_all(STDIN_FILENO, &question, sizeof question, -1)) {
    stz_question_answer(&hdf, &question, &answer, &data);
    const bool sent = send_all(STDIN_FILENO, &answer, sizeof answer) && send_all(STDIN_FILENO, data, answer.bytes);
    stz_free(data);
    if (!sent) break;
    limit_time(answered += answer.bytes);
  }
  (void)!stz_hdf_close(&hdf);
  return true;
}

// --- the process that asks ---

bool stz_apart_start(const char *program, const char *path, stz_apart *apart) {
  int ends[2];
  char name[] = "stzkmc", *const arguments[] = {name, (char *)(uintptr_t)ROLE, (char *)(uintptr_t)path, NULL};
  posix_spawn_file_actions_t actions;
  *apart = (stz_apart){-1, -1};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return false;
  bool good = posix_spawn_file_actions_init(&actions) == 0;
  if (good) {
    // What libc says of memory that libhdf5 has broken is not for the user.
    good = posix_spawn_file_actions_adddup2(&actions, ends[1], STDIN_FILENO) == 0 &&
           posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0) == 0 &&
           posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0) == 0 &&
           posix_spawn(&apart->pid, program, &actions, NULL, arguments, environ) == 0;
    posix_spawn_file_actions_destroy(&actions);
  }
  close(ends[1]);
  apart->socket = ends[0];
  if (good) return true;
  close(ends[0]);
  *apart = (stz_apart){-1, -1};
  return false;
}

// Why there is no answer: how the process ended, or that it has to be ended.
static stz_err no_answer(stz_apart *apart, const char *path) {
  int status = 0;
  struct timespec moment = {.tv_nsec = 1000000};
  pid_t ended = 0;
  for (int tries = 0; tries < 200 && (ended = waitpid(apart->pid, &status, WNOHANG)) == 0; tries++) {
    nanosleep(&moment, NULL); // its socket closes before it is gone
  }
  const char *why = "reading it takes too long";
  if (ended == apart->pid) {
    apart->pid = -1;
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGXCPU) why = "reading it crashes libhdf5";
  }
  stz_apart_end(apart);
  return stz_fail(STZ_EIO, "%s: damaged, or not made by HDF5: %s", path, why);
}

stz_err stz_apart_opened(stz_apart *apart, const char *path, stz_answer *answer) {
  return receive_all(apart->socket, answer, sizeof *answer, WAIT_SECONDS) ? STZ_OK : no_answer(apart, path);
}

stz_err stz_apart_ask(stz_apart *apart, const char *path, const stz_question *question, stz_answer *answer,
                      void **data) {
  *data = NULL;
  const bool asked = send_all(apart->socket, question, sizeof *question);
  if (!asked || !receive_all(apart->socket, answer, sizeof *answer, WAIT_SECONDS)) return no_answer(apart, path);
  if (answer->bytes > MOST_BYTES) return no_answer(apart, path); // it has lost its senses
  STZ_TRY(stz_alloc(answer->bytes + 1, 1, data));                // a text ends in any case
  if (receive_all(apart->socket, *data, answer->bytes, WAIT_SECONDS)) return STZ_OK;
  stz_free(*data);
  *data = NULL;
  return no_answer(apart, path);
}

void stz_apart_end(stz_apart *apart) {
  if (apart->socket >= 0) close(apart->socket);
  if (apart->pid > 0) {
    kill(apart->pid, SIGKILL);
    while (waitpid(apart->pid, NULL, 0) < 0 && errno == EINTR) continue;
  }
  *apart = (stz_apart){-1, -1};
}
