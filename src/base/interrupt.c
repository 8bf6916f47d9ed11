// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/interrupt.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/comm.h"

static volatile int asked, warnings;
static void (*listener)(void *context);
static void *listener_context;
static stz_stage_sink *stage_sink;
static const char *stage_name = "";

void stz_interrupt(int signal_number) {
  if (!asked) asked = signal_number;
}

const volatile int *stz_interrupt_flag(void) { return &asked; }

void stz_interrupt_warn(void) { warnings = warnings + 1; }

int stz_interrupt_warnings(void) { return warnings; }

void stz_interrupt_listen(void (*listen)(void *context), void *context) {
  listener = listen;
  listener_context = context;
}

void stz_stage_install(stz_stage_sink *sink) { stage_sink = sink; }

stz_err stz_stage_look(void) {
  if (listener) listener(listener_context);
  return asked ? stz_fail(STZ_ESTOPPED, "stopped while %s", stage_name) : STZ_OK;
}

stz_err stz_stage(MPI_Comm comm, const char *what) {
  stage_name = what;
  if (stage_sink) stage_sink(what, -1.0);
  return stz_agree(comm, stz_stage_look());
}

stz_err stz_stage_on(double share) {
  if (stage_sink) stage_sink(stage_name, share);
  return stz_stage_look();
}

typedef struct staged {
  stz_team_task *task;
  void *context;
  bool says;
  double from, to;
  int64_t items;
  atomic_bool ends;
  stz_err err;
} staged;

static void run_staged(void *context, int64_t first, int64_t end, int worker) {
  staged *s = context;
  if (atomic_load_explicit(&s->ends, memory_order_relaxed)) return;
  if (worker == 0) {
    const double share = s->from + (s->to - s->from) * (double)first / (double)s->items;
    s->err = s->says ? stz_stage_on(share) : stz_stage_look();
  }
  if (worker == 0 && s->err != STZ_OK) {
    atomic_store_explicit(&s->ends, true, memory_order_relaxed);
  } else {
    s->task(s->context, first, end, worker);
  }
}

stz_err stz_stage_run(stz_team *team, double from, double to, int64_t items, int64_t piece, stz_team_task *task,
                      void *context) {
  staged s = {.task = task, .context = context, .says = true, .from = from, .to = to, .items = items};
  stz_team_run(team, items, piece, run_staged, &s);
  return s.err;
}

stz_err stz_look_run(stz_team *team, int64_t items, int64_t piece, stz_team_task *task, void *context) {
  staged s = {.task = task, .context = context, .items = items};
  stz_team_run(team, items, piece, run_staged, &s);
  return s.err;
}
