// SPDX-License-Identifier: GPL-3.0-or-later
#define _GNU_SOURCE // on_exit
#include "app/crash.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"

static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
enum { CRASHES = sizeof crashes / sizeof *crashes };

static volatile sig_atomic_t concluded = -1;

// In a handler: write and _exit alone are safe there.
static void leave(void) {
  static const char line[] =
      "stzkmc: crashed, or ended by a library, as happens where memory is out (if it is not: please report this); the "
      "last checkpoint counts\n";
  if (concluded < 0) (void)!write(STDERR_FILENO, line, sizeof line - 1);
  _exit(concluded < 0 ? STZ_EINTERNAL : concluded);
}

static void handle(int signal_number) {
  (void)signal_number;
  leave();
}

#ifdef __GLIBC__
// Our own code 5 comes with a line of its own.
static void at_exit(int code, void *context) {
  (void)context;
  if (concluded < 0 && code != STZ_EINTERNAL) leave();
}
#endif

// A sanitizer that has taken a signal before keeps it.
void stz_crash_catch(void) {
  struct sigaction action = {.sa_handler = handle}, before;
  sigemptyset(&action.sa_mask);
  for (int i = 0; i < CRASHES; i++) {
    if (sigaction(crashes[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL) sigaction(crashes[i], &action, NULL);
  }
#ifdef __GLIBC__
  (void)on_exit(at_exit, NULL);
#endif
}

void stz_crash_concluded(int code) { concluded = code; }
