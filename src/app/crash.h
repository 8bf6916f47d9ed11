// SPDX-License-Identifier: GPL-3.0-or-later
//
// A library that crashes or calls exit, as several do where memory is out: libconfig 1.5 does not look at what it gets,
// flex and HDF5 1.10 end the program, FFTW aborts it, and HDF5 may crash when MPI_Finalize closes it after a failure.
// The exit code is ours all the same, and one line says so.
#ifndef STZ_APP_CRASH_H
#define STZ_APP_CRASH_H

void stz_crash_catch(void);

// From here on the exit code is this one.
void stz_crash_concluded(int code);

#endif
