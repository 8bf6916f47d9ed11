// SPDX-License-Identifier: GPL-3.0-or-later
//
// The request to stop the process, and the steps of long tasks, which check for it. The program's signal handler
// records the request. A long step reports its progress, checks for a request, and ends with STZ_ESTOPPED if there is
// one.
#ifndef STZ_BASE_INTERRUPT_H
#define STZ_BASE_INTERRUPT_H

#include <mpi.h>

#include "base/error.h"
#include "base/team.h"

// Records the signal that requests to stop; the first one counts. Safe in a signal handler.
void stz_interrupt(int signal_number);

// The recorded signal, 0 if there is none. The pointer is valid for ever and meant for stz_run_options.stop.
const volatile int *stz_interrupt_flag(void);

// Records that the process may be killed soon, so that its state should be saved. Safe in a signal handler.
void stz_interrupt_warn(void);

// How many such warnings were recorded.
int stz_interrupt_warnings(void);

// Has every check call `listen(context)` first, which receives requests of other processes; NULL: no longer.
void stz_interrupt_listen(void (*listen)(void *context), void *context);

// Receives the name of a step and the fraction of it that is done, 0 to 1; -1 when the step begins.
typedef void stz_stage_sink(const char *what, double share);
void stz_stage_install(stz_stage_sink *sink);

// Collective. Begins the step `what`, a text that outlives it. STZ_ESTOPPED on all ranks if any rank has a request to
// stop.
stz_err stz_stage(MPI_Comm comm, const char *what) STZ_MUST_USE;

// Reports that the fraction `share` of the step is done. May fail with STZ_ESTOPPED on some ranks only.
stz_err stz_stage_on(double share) STZ_MUST_USE;

// Checks for a request without a report. As stz_stage_on, it may fail on some ranks only: the ranks must agree before
// their next collective call.
stz_err stz_stage_look(void) STZ_MUST_USE;

// As stz_team_run, as a part of a step that begins when `from` of it is done and ends at `to`; stz_look_run says
// nothing. Local: asked to stop, they leave out the parts that are left, and return STZ_ESTOPPED.
stz_err stz_look_run(stz_team *team, int64_t items, int64_t piece, stz_team_task *task, void *context) STZ_MUST_USE;
stz_err stz_stage_run(stz_team *team, double from, double to, int64_t items, int64_t piece, stz_team_task *task,
                      void *context) STZ_MUST_USE;

#endif
