// SPDX-License-Identifier: GPL-3.0-or-later
//
// A copy of this process that a launcher's kill does not meet.
#ifndef STZ_APP_COPY_H
#define STZ_APP_COPY_H

#include "base/outlive.h"

// For stz_outlive_install. The copy is a child in a session of its own, without the launcher's pipes and sockets; it
// shares the locks on files. If it cannot be made, or ends before the task does, the task is done here.
stz_err stz_copy_does(stz_outlive_task *task, void *context, const char *what);

#endif
