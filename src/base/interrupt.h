// SPDX-License-Identifier: GPL-3.0-or-later
//
// The wish to stop, of the whole process, and the steps of what takes long, which look at it. The program's signal
// handler notes the wish; what takes long looks whether there is one, says how far it has come, and ends with
// STZ_ESTOPPED.
#ifndef STZ_BASE_INTERRUPT_H
#define STZ_BASE_INTERRUPT_H

#include <mpi.h>

#include "base/error.h"
#include "base/team.h"

// Notes the signal that asks to stop; the first one counts. Safe in a signal handler.
void stz_interrupt(int signal_number);

// The signal noted; 0: none. The pointer is good for stz_run_options.stop.
const volatile int *stz_interrupt_flag(void);

// Notes that the process may be killed soon, so that its state should be saved. Safe in a signal handler.
void stz_interrupt_warn(void);

// How often that was noted.
int stz_interrupt_warnings(void);

// Has every look call `listen` first, for what other processes may have to say; NULL: no longer.
void stz_interrupt_listen(void (*listen)(void *context), void *context);

// Receives the name of a step and the share of it that is done; -1: it begins.
typedef void stz_stage_sink(const char *what, double share);
void stz_stage_install(stz_stage_sink *sink);

// Begins a step. Collective; STZ_ESTOPPED on all ranks if any has been asked to stop.
stz_err stz_stage(MPI_Comm comm, const char *what) STZ_MUST_USE;

// The step goes on, `share` of it being done. Local: it may fail on some ranks alone, as STZ_ESTOPPED.
stz_err stz_stage_on(double share) STZ_MUST_USE;

// Looks, and says nothing. Local, as stz_stage_on: the ranks must agree before their next collective.
stz_err stz_stage_look(void) STZ_MUST_USE;

// As stz_team_run, as a part of a step that begins when `from` of it is done and ends at `to`; stz_look_run says
// nothing. Local: asked to stop, they leave out the parts that are left, and return STZ_ESTOPPED.
stz_err stz_look_run(stz_team *team, int64_t items, int64_t piece, stz_team_task *task, void *context) STZ_MUST_USE;
stz_err stz_stage_run(stz_team *team, double from, double to, int64_t items, int64_t piece, stz_team_task *task,
                      void *context) STZ_MUST_USE;

#endif
