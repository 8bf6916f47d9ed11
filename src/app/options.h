// SPDX-License-Identifier: GPL-3.0-or-later
//
// The commands and their options: the one table from which the command line is taken apart and its help printed.
#ifndef STZ_APP_OPTIONS_H
#define STZ_APP_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

#include "app/cli.h"

enum { STZ_RUN = 1, STZ_CHECK = 2, STZ_INFO = 4, STZ_NBED = 8, STZ_SWEEP = 16, STZ_KERNEL = 32 }; // commands as bits

typedef struct stz_command_entry {
  const char *name, *operand; // "run", "an input file"
  stz_command command;
  int bit;
  const char *usage, *text; // what stands behind the name; what the command does
  const char *examples;     // a line each
} stz_command_entry;

// Takes an option of the command line with its value, NULL if it has none (app/take.h).
typedef struct stz_option stz_option;
typedef stz_err (*stz_take)(stz_cli *cli, const stz_option *o, const char *value);

// Options that contradict each other, of which one alone may be given.
typedef enum stz_one_of {
  STZ_ONE_OF_NONE,
  STZ_ONE_OF_BEGIN, // anew, or where it was left
  STZ_ONE_OF_SHOW,  // which list
  STZ_ONE_OF_TALK,  // more or less
  STZ_ONE_OF_KINDS  // how many kinds
} stz_one_of;

struct stz_option {          // NOLINT(clang-analyzer-optin.performance.Padding): in the order of the table
  const char *name, *letter; // "--output", "-o"
  const char *value;         // what its value is called; NULL for an option without one
  int commands;              // that take it
  const char *key;           // "--seed N" is "--set run.seed=N" under its own name
  const char *help;          // lines
  stz_take take;             // what it does
  int at;                    // offset of the member of stz_cli that it sets, where it sets one
  int as;                    // what a choice sets it to
  stz_one_of one_of;         // excludes the others of this kind
};

// The command `name`, or NULL.
const stz_command_entry *stz_command_find(const char *name);

// The option of a command that `argument` begins with, by its name or letter of that length; NULL if there is none.
const stz_option *stz_option_find(const char *argument, size_t length, int command);

// For messages about what is unknown: what may be meant instead, "; did you mean ...?", or "".
void stz_command_guess(const char *name, char *guess, size_t size);
void stz_option_guess(const char *argument, size_t length, int command, char *guess, size_t size);

// Prints the page of one command, or with NULL that of the program.
void stz_help(const stz_command_entry *command, FILE *out);

#endif
