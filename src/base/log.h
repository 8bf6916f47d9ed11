// SPDX-License-Identifier: GPL-3.0-or-later
//
// Log lines. The library never prints: it hands each line to the sink that the program installed (none by default).
#ifndef STZ_BASE_LOG_H
#define STZ_BASE_LOG_H

typedef enum stz_log_level { STZ_LOG_WARNING = 0, STZ_LOG_INFO = 1, STZ_LOG_DETAIL = 2 } stz_log_level;

typedef void stz_log_sink(stz_log_level level, const char *line);

// Installs the sink that receives the lines (without newline) up to `most`; NULL turns logging off. Ranks that are not
// to log install none.
void stz_log_install(stz_log_sink *sink, stz_log_level most);

// Hands one line, printf-style and without a newline, to the sink if `level` is within its limit.
void stz_log(stz_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
