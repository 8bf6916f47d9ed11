// SPDX-License-Identifier: GPL-3.0-or-later
//
// The command line, taken apart.
#ifndef STZ_APP_CLI_H
#define STZ_APP_CLI_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"
#include "config/config.h"

typedef enum stz_command {
  STZ_COMMAND_RUN,
  STZ_COMMAND_CHECK,
  STZ_COMMAND_NBED,
  STZ_COMMAND_INFO,
  STZ_COMMAND_SWEEP,
  STZ_COMMAND_KERNEL,
  STZ_COMMAND_REFERENCE,        // check --reference
  STZ_COMMAND_OUTPUT_REFERENCE, // check --output-reference
  STZ_COMMAND_HELP,
  STZ_COMMAND_VERSION,
  STZ_COMMAND_BUILD_INFO,
} stz_command;

typedef struct stz_cli {
  stz_command command;
  const char *file;        // input of run and check, sweep file of sweep, result of nbed and info
  const char *help_of;     // the word whose help is asked for
  const char *second;      // result to compare with, or NULL
  char *output;            // of run and sweep, from -o, or FILE's stem (of run: with .h5) in the current directory; of
                           // nbed, or NULL
  stz_override *overrides; // --set, --seed and those of nbed, in their order
  int override_count;
  bool force, restart;
  const char *event, *strain, *stretch; // of kernel, as what follows; NULL if not given
  const char **at;                      // --at, in their order
  int at_count;
  bool json;
  int ranks_per_run;     // of sweep, as what follows
  bool resume;           // go on with the sweep in the directory
  bool list, dry_run;    // only show it
  const char *only;      // list of runs, or NULL
  int shard, shards;     // "--shard 0/1" by default: all
  double max_walltime_s; // 0: no limit
  int verbosity;         // -1 quiet, 0, 1 verbose
  char *text;            // the whole command line, for the record
} stz_cli;

// Takes the arguments apart. Local, the same on every rank. Fails with STZ_EINPUT.
stz_err stz_cli_parse(int argc, char **argv, stz_cli *cli) STZ_MUST_USE;
void stz_cli_clear(stz_cli *cli);

// Prints the page of the command that help is asked for, or that of the program.
void stz_cli_help(const stz_cli *cli, FILE *out);

#endif
