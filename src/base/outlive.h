// SPDX-License-Identifier: GPL-3.0-or-later
//
// A task that is to come to its end though this process may be killed meanwhile. The program installs the way to do so;
// without one the task is done here.
#ifndef STZ_BASE_OUTLIVE_H
#define STZ_BASE_OUTLIVE_H

#include "base/error.h"

typedef stz_err stz_outlive_task(void *context);
typedef stz_err stz_outlive_way(stz_outlive_task *task, void *context, const char *what);

// Sets the way for all tasks to come; NULL: each is done here.
void stz_outlive_install(stz_outlive_way *way);

// Does the task, which `what` names (a file), in a copy of this process, and waits for its end. The task must not need
// other ranks, and what it changes in memory is lost. Local.
stz_err stz_outlive(stz_outlive_task *task, void *context, const char *what) STZ_MUST_USE;

#endif
