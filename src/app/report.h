// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the user sees of a run while it runs: on a terminal one line that is rewritten, else a line now and then.
#ifndef STZ_APP_REPORT_H
#define STZ_APP_REPORT_H

#include "base/error.h"
#include "sim/sim.h"

// Installs the log sink and that of the steps of the set-up; verbosity -1 shows warnings alone, 1 details too. For rank
// 0.
void stz_report_begin(int verbosity);

// From here on each line of a log, which is no terminal, but for warnings, begins with the date.
void stz_report_stamp(void);

// A line by itself.
void stz_report_line(const char *line);

// A line of progress, if one is due.
void stz_report_passing(const char *line);

// The progress of a run, for stz_run_options.
void stz_report_progress(const stz_progress *now);

// Ends the line that is being rewritten.
void stz_report_end(void);

// Prints "stzkmc: message", the message of the last failure.
void stz_report_failure(void);

#endif
