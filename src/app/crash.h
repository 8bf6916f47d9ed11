// SPDX-License-Identifier: GPL-3.0-or-later
//
// Where memory is out several libraries crash or call exit: libconfig 1.5 does not look at what it gets, flex and HDF5
// 1.10 end the program, FFTW aborts it, and HDF5 may crash when MPI_Finalize closes it after a failure. The exit code
// is ours all the same (5), and one line says so; so it is for a crash of our own.
#ifndef STZ_APP_CRASH_H
#define STZ_APP_CRASH_H

// From here on crashes and calls of exit end the process with code 5. Local; before MPI is started.
void stz_crash_catch(void);

// From here on the exit code is this one: what is left to do is to close the libraries. Local.
void stz_crash_concluded(int code);

#endif
