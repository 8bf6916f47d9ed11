// SPDX-License-Identifier: GPL-3.0-or-later
//
// The signals that ask to stop: TERM, INT, HUP, USR1, USR2, XCPU. Each is noted (base/interrupt.h) and acknowledged at
// once by a line on stderr. A second INT, some time after the first, ends the program at once.
#ifndef STZ_APP_SIGNALS_H
#define STZ_APP_SIGNALS_H

#include <stdbool.h>

// Catches them; again after anything that may have put handlers of its own. HUP stays ignored where it was (nohup).
void stz_signals_catch(void);

// Leaves them to the system again, for what is short; one that has come already counts as well.
void stz_signals_release(void);

// Whether they are acknowledged; they are, unless told otherwise.
void stz_signals_announce(bool wanted);

// "SIGTERM"; "a signal" for an unknown one.
const char *stz_signal_name(int signal_number);

#endif
