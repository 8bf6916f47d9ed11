// SPDX-License-Identifier: GPL-3.0-or-later
//
// Errors. An expected failure is a returned stz_err with a one-line message kept for the calling thread; a programmer's
// error is an assertion. The value of a stz_err is the exit code of the program.
#ifndef STZ_BASE_ERROR_H
#define STZ_BASE_ERROR_H

typedef enum stz_err {
  STZ_OK = 0,
  STZ_EINPUT = 2,    // usage or input
  STZ_EIO = 3,       // files
  STZ_ENUMERIC = 4,  // numerics or a violated bound
  STZ_EINTERNAL = 5, // memory, MPI, a broken invariant
  STZ_ESTOPPED = 75, // asked to stop before there was anything to save
} stz_err;

#define STZ_MUST_USE __attribute__((warn_unused_result))

// Records the message of a failure (printf-style, one line without the program's name) and returns `code`.
stz_err stz_fail(stz_err code, const char *format, ...) __attribute__((format(printf, 2, 3))) STZ_MUST_USE;

// The message of the last failure on this thread; "" if there was none. Valid until the next stz_fail.
const char *stz_error_message(void);

// The failure `err` of what reads or takes a file, with the place of the key that names the file before its message:
// "in.cfg:5: microstructure.file: none.h5: cannot open: ...". Failures that are no file's and no input's stay as they
// are.
stz_err stz_blame(const char *place, stz_err err) STZ_MUST_USE;

// Error flow: STZ_TRY leaves the function with the failure; STZ_TRY_TO stores it in `err` and jumps to the clean-up.
#define STZ_TRY(call)                                                                                                  \
  do {                                                                                                                 \
    stz_err stz_try_err = (call);                                                                                      \
    if (stz_try_err != STZ_OK) return stz_try_err;                                                                     \
  } while (0)
#define STZ_TRY_TO(label, err, call)                                                                                   \
  do {                                                                                                                 \
    (err) = (call);                                                                                                    \
    if ((err) != STZ_OK) goto label;                                                                                   \
  } while (0)

#endif
