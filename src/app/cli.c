// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "app/options.h"
#include "app/take.h"
#include "base/memory.h"
#include "io/disk.h"

// Refuses an option that contradicts one before it; chosen[STZ_ONE_OF_KINDS]: those of each kind so far.
static stz_err check_choice(const stz_option *o, const stz_option *chosen[STZ_ONE_OF_KINDS]) {
  const stz_option *other = chosen[o->one_of];
  chosen[o->one_of] = o;
  if (o->one_of == STZ_ONE_OF_NONE || !other || other == o) return STZ_OK;
  return stz_fail(STZ_EINPUT, "%s: got it together with %s, needs one of the two alone", o->name, other->name);
}

// Takes the option argv[*at], and moves *at to its value where that is an argument of its own.
static stz_err parse_option(int argc, char **argv, const stz_command_entry *command, int *at,
                            const stz_option *chosen[STZ_ONE_OF_KINDS], stz_cli *cli) {
  const char *argument = argv[*at];
  const size_t length = argument[1] == '-' ? strcspn(argument, "=") : strlen(argument);
  const char *value = argument[length] == '=' ? argument + length + 1 : NULL;
  const stz_option *o = stz_option_find(argument, length, command->bit);
  if (!o) {
    char guess[80];
    stz_option_guess(argument, length, command->bit, guess, sizeof guess);
    return stz_fail(STZ_EINPUT, "%.*s: unknown option of `stzkmc %s`, see stzkmc %s --help%s", (int)length, argument,
                    command->name, command->name, guess);
  }
  if (value && !o->value) return stz_fail(STZ_EINPUT, "%s: got `%s`, needs no value", o->name, value);
  if (o->value && !value) {
    if (*at + 1 >= argc) return stz_fail(STZ_EINPUT, "%s: got nothing, needs a value", o->name);
    value = argv[++*at];
    const stz_option *next = stz_option_find(value, strcspn(value, "="), command->bit);
    if (next) return stz_fail(STZ_EINPUT, "%s: got the option %s, needs a value", o->name, next->name);
  }
  STZ_TRY(check_choice(o, chosen));
  return o->take(cli, o, value);
}

// FILE's name without folder and extension, with `suffix`.
static stz_err default_output(stz_cli *cli, const char *suffix) {
  const char *slash = strrchr(cli->file, '/');
  const char *name = slash ? slash + 1 : cli->file, *dot = strrchr(name, '.');
  return stz_take_text(name, dot && dot > name ? (size_t)(dot - name) : strlen(name), suffix, &cli->output);
}

// An output that is a link is written where it leads, with its checkpoints there.
static stz_err follow_output(stz_cli *cli) {
  char file[PATH_MAX];
  STZ_TRY(stz_disk_follow(cli->output, file, sizeof file));
  stz_free(cli->output);
  cli->output = NULL;
  return stz_take_text(file, strlen(file), "", &cli->output);
}

static stz_err parse_command(int argc, char **argv, stz_cli *cli) {
  const stz_command_entry *command = stz_command_find(argv[1]);
  const stz_option *chosen[STZ_ONE_OF_KINDS] = {NULL};
  if (!command) {
    char guess[80];
    stz_command_guess(argv[1], guess, sizeof guess);
    return stz_fail(STZ_EINPUT, "%s: unknown command%s", argv[1], guess);
  }
  cli->command = command->command;
  if (cli->command == STZ_COMMAND_KERNEL) cli->verbosity = -1; // numbers alone
  for (int at = 2; at < argc; at++) {
    if (argv[at][0] == '-' && argv[at][1]) {
      STZ_TRY(parse_option(argc, argv, command, &at, chosen, cli));
    } else if (cli->file && cli->command == STZ_COMMAND_INFO && !cli->second) {
      cli->second = argv[at];
    } else if (cli->file) {
      return stz_fail(STZ_EINPUT, "%s: got a %s file, needs %s", argv[at], cli->second ? "third" : "second",
                      cli->second ? "one or two" : "one");
    } else {
      cli->file = argv[at];
    }
  }
  if (cli->command == STZ_COMMAND_REFERENCE || cli->command == STZ_COMMAND_OUTPUT_REFERENCE) return STZ_OK;
  if (!cli->file) return stz_fail(STZ_EINPUT, "%s: got nothing, needs %s", command->name, command->operand);
  const bool sweeps = cli->command == STZ_COMMAND_SWEEP;
  if (!cli->output && (sweeps || cli->command == STZ_COMMAND_RUN)) STZ_TRY(default_output(cli, sweeps ? "" : ".h5"));
  return cli->output && !sweeps ? follow_output(cli) : STZ_OK;
}

static stz_err join(int argc, char **argv, char **text) {
  size_t size = 1, length = 0;
  for (int i = 0; i < argc; i++) size += strlen(argv[i]) + 1;
  STZ_TRY(STZ_NEW(*text, size));
  for (int i = 0; i < argc; i++) {
    length += (size_t)snprintf(*text + length, size - length, "%s%s", i > 0 ? " " : "", argv[i]);
  }
  return STZ_OK;
}

stz_err stz_cli_parse(int argc, char **argv, stz_cli *cli) {
  *cli = (stz_cli){.command = STZ_COMMAND_HELP, .ranks_per_run = 1, .shards = 1};
  if (argc < 2) {
    return stz_fail(STZ_EINPUT, "got no command, needs run, check, kernel, sweep, nbed or info; see stzkmc --help");
  }
  STZ_TRY(STZ_NEW(cli->overrides, argc));
  STZ_TRY(STZ_NEW(cli->at, argc));
  STZ_TRY(join(argc, argv, &cli->text));
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--help") != 0 && strcmp(argv[i], "-h") != 0) continue;
    cli->help_of = argv[1];
    return STZ_OK;
  }
  const bool version = strcmp(argv[1], "--version") == 0, build_info = strcmp(argv[1], "--build-info") == 0;
  if (!version && !build_info) return parse_command(argc, argv, cli);
  if (argc > 2) return stz_fail(STZ_EINPUT, "%s: got `%s`, needs to stand alone", argv[1], argv[2]);
  cli->command = version ? STZ_COMMAND_VERSION : STZ_COMMAND_BUILD_INFO;
  return STZ_OK;
}

void stz_cli_clear(stz_cli *cli) {
  for (int i = 0; i < cli->override_count; i++) stz_free((void *)(uintptr_t)cli->overrides[i].text);
  stz_free(cli->overrides);
  stz_free(cli->at);
  stz_free(cli->output);
  stz_free(cli->text);
  *cli = (stz_cli){0};
}

void stz_cli_help(const stz_cli *cli, FILE *out) {
  stz_help(cli->help_of ? stz_command_find(cli->help_of) : NULL, out);
}
