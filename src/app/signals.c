// SPDX-License-Identifier: GPL-3.0-or-later
#define _GNU_SOURCE
#include "app/signals.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "app/launch.h"
#include "base/interrupt.h"

static const struct {
  int number;
  const char *name;
} signals[] = {{SIGTERM, "SIGTERM"}, {SIGINT, "SIGINT"},   {SIGHUP, "SIGHUP"},
               {SIGUSR1, "SIGUSR1"}, {SIGUSR2, "SIGUSR2"}, {SIGXCPU, "SIGXCPU"}};
enum { SIGNALS = sizeof signals / sizeof *signals };

static const double AGAIN_S = 0.5; // launchers may deliver one Ctrl-C twice

static volatile sig_atomic_t silent, said;
static struct timespec first_interrupt;

const char *stz_signal_name(int signal_number) {
  for (int i = 0; i < SIGNALS; i++) {
    if (signals[i].number == signal_number) return signals[i].name;
  }
  return "a signal";
}

void stz_signals_announce(bool wanted) { silent = !wanted; }

// In a handler: write alone is safe there.
static void say(int signal_number) {
  static const char rest[] = ": stopping\n";
  const char *name = stz_signal_name(signal_number);
  char line[64];
  size_t length = 0;
  if (isatty(STDERR_FILENO)) line[length++] = '\n'; // below the line of progress
  while (*name) line[length++] = *name++;
  memcpy(line + length, rest, sizeof rest - 1);
  length += sizeof rest - 1;
  (void)!write(STDERR_FILENO, line, length);
}

static bool is_second(int signal_number) {
  struct timespec now;
  if (signal_number != SIGINT) return false;
  clock_gettime(CLOCK_MONOTONIC, &now);
  if (first_interrupt.tv_sec == 0) {
    first_interrupt = now;
    return false;
  }
  const double passed =
      (double)(now.tv_sec - first_interrupt.tv_sec) + 1e-9 * (double)(now.tv_nsec - first_interrupt.tv_nsec);
  return passed > AGAIN_S;
}

// The launcher hands a signal on to every rank: the first alone acknowledges it, but the one that a user sends a signal
// of its own does too.
static void handle(int signal_number, siginfo_t *info, void *context) {
  (void)context;
  stz_interrupt(signal_number);
  const bool own = info->si_code == SI_USER && info->si_pid != getppid();
  if (!said && !silent && (stz_launched_rank() == 0 || own)) {
    say(signal_number);
    said = 1;
  }
  if (!is_second(signal_number)) return;
  signal(SIGINT, SIG_DFL); // it takes effect when this handler returns
  raise(SIGINT);
}

// Before it kills its ranks, as it does when it gets TERM, INT or HUP, Open MPI's launcher sends them CONT, a second
// later TERM, and KILL a second after that: time for a checkpoint, if it begins at once. CONT comes after a rest, too,
// and then the run goes on.
static void be_warned(int signal_number, siginfo_t *info, void *context) {
  (void)signal_number;
  (void)context;
  if (info->si_code == SI_USER && info->si_pid == getppid() && stz_launched()) stz_interrupt_warn();
}

void stz_signals_catch(void) {
  struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_RESTART | SA_SIGINFO}, before;
  sigemptyset(&action.sa_mask);
  for (int i = 0; i < SIGNALS; i++) sigaddset(&action.sa_mask, signals[i].number);
  for (int i = 0; i < SIGNALS; i++) {
    sigaction(signals[i].number, NULL, &before);
    if (signals[i].number == SIGHUP && before.sa_handler == SIG_IGN) continue;
    sigaction(signals[i].number, &action, NULL);
  }
  action.sa_sigaction = be_warned;
  sigaction(SIGCONT, &action, NULL);
}

void stz_signals_release(void) {
  for (int i = 0; i < SIGNALS; i++) {
    struct sigaction before;
    sigaction(signals[i].number, NULL, &before);
    if (before.sa_handler != SIG_IGN) signal(signals[i].number, SIG_DFL);
  }
  if (*stz_interrupt_flag()) raise(*stz_interrupt_flag());
}

#ifdef __ELF__
// Before any constructor of a library runs, which takes a while: MPI and HDF5 bring some forty.
__attribute__((section(".preinit_array"), used)) static void (*const catch_early)(void) = stz_signals_catch;
#endif
