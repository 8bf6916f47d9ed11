// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { RUN = 1, CHECK = 2, INFO = 4, NBED = 8, SWEEP = 16 }; // commands as bits

typedef struct option {
  const char *name, *letter; // "--output", "-o"
  int commands;              // that take it
  bool has_value;
  const char *key; // "--seed N" is "--set run.seed=N" under its own name
} option;

static const option options[] = {
    {"--output", "-o", RUN | SWEEP | NBED, true, NULL},
    {"--set", NULL, RUN | CHECK, true, NULL},
    {"--seed", NULL, RUN | CHECK | NBED, true, "run.seed="},
    {"--force", NULL, RUN | SWEEP | NBED, false, NULL},
    {"--restart", NULL, RUN, false, NULL},
    {"--max-walltime", NULL, RUN | SWEEP, true, NULL},
    {"--quiet", "-q", RUN | SWEEP, false, NULL},
    {"--verbose", "-v", RUN | SWEEP, false, NULL},
    {"--reference", NULL, CHECK, false, NULL},
    {"--foil-nm", NULL, NBED, true, "nbed.foil_nm="},
    {"--probe-nm", NULL, NBED, true, "nbed.probe_nm="},
    {"--scans", NULL, NBED, true, "nbed.scans="},
    {"--beam", NULL, NBED, true, "nbed.beam="},
    {"--cluster-radius-nm", NULL, NBED, true, "order.cluster_radius_nm="},
    {"--ranks-per-run", NULL, SWEEP, true, NULL},
    {"--resume", NULL, SWEEP, false, NULL},
    {"--list", NULL, SWEEP, false, NULL},
    {"--dry-run", NULL, SWEEP, false, NULL},
    {"--only", NULL, SWEEP, true, NULL},
    {"--shard", NULL, SWEEP, true, NULL},
};

static const option *find_option(const char *argument, size_t length) {
  for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
    const option *o = &options[i];
    if (strlen(o->name) == length && strncmp(argument, o->name, length) == 0) return o;
    if (o->letter && strlen(o->letter) == length && strncmp(argument, o->letter, length) == 0) return o;
  }
  return NULL;
}

// A new text of two parts.
static stz_err new_text(const char *first, size_t first_length, const char *second, char **text) {
  const size_t size = first_length + strlen(second) + 1;
  STZ_TRY(STZ_NEW(*text, size));
  snprintf(*text, size, "%.*s%s", (int)first_length, first, second);
  return STZ_OK;
}

static stz_err add_override(stz_cli *cli, const option *o, const char *value) {
  const char *prefix = o->key ? o->key : "";
  char *text = NULL;
  STZ_TRY(new_text(prefix, strlen(prefix), value, &text));
  cli->overrides[cli->override_count++] = (stz_override){.text = text, .option = o->name};
  return STZ_OK;
}

// An integer from `least` that ends at `stop`; false if there is none.
static bool read_integer(const char *text, int least, char stop, int *value) {
  char *end;
  errno = 0;
  const long found = strtol(text, &end, 10);
  *value = (int)found;
  return end != text && *end == stop && errno == 0 && found >= least && found <= INT_MAX;
}

// Options of sweep alone; *taken tells whether it is one.
static stz_err take_sweep_option(stz_cli *cli, const option *o, const char *value, bool *taken) {
  *taken = true;
  if (strcmp(o->name, "--ranks-per-run") == 0) {
    if (read_integer(value, 1, 0, &cli->ranks_per_run)) return STZ_OK;
    return stz_fail(STZ_EINPUT, "--ranks-per-run: got `%s`, needs an integer > 0", value);
  }
  if (strcmp(o->name, "--shard") == 0) {
    const char *slash = strchr(value, '/');
    if (slash && read_integer(value, 0, '/', &cli->shard) && read_integer(slash + 1, 1, 0, &cli->shards) &&
        cli->shard < cli->shards) {
      return STZ_OK;
    }
    return stz_fail(STZ_EINPUT, "--shard: got `%s`, needs i/n with i from 0 to n-1", value);
  }
  *taken = false;
  if (strcmp(o->name, "--only") == 0) cli->only = value;
  if (strcmp(o->name, "--resume") == 0) cli->resume = true;
  if (strcmp(o->name, "--list") == 0) cli->list = true;
  if (strcmp(o->name, "--dry-run") == 0) cli->dry_run = true;
  *taken = o->commands == SWEEP;
  return STZ_OK;
}

// `value` is NULL for an option without one.
static stz_err take_option(stz_cli *cli, const option *o, const char *value) {
  bool taken;
  const stz_err err = take_sweep_option(cli, o, value, &taken);
  if (taken) return err;
  if (strcmp(o->name, "--output") == 0) {
    stz_free(cli->output);
    cli->output = NULL;
    if (!value || !value[0]) return stz_fail(STZ_EINPUT, "--output: got an empty name, needs a file");
    return new_text(value, strlen(value), "", &cli->output);
  }
  if (strcmp(o->name, "--max-walltime") == 0) {
    char *end;
    cli->max_walltime_s = strtod(value, &end);
    if (end != value && *end == 0 && cli->max_walltime_s > 0.0 && isfinite(cli->max_walltime_s)) return STZ_OK;
    return stz_fail(STZ_EINPUT, "--max-walltime: got `%s`, needs seconds > 0", value);
  }
  if (strcmp(o->name, "--force") == 0) cli->force = true;
  if (strcmp(o->name, "--restart") == 0) cli->restart = true;
  if (strcmp(o->name, "--quiet") == 0) cli->verbosity = -1;
  if (strcmp(o->name, "--verbose") == 0) cli->verbosity = 1;
  if (strcmp(o->name, "--reference") == 0) cli->command = STZ_COMMAND_REFERENCE;
  return value ? add_override(cli, o, value) : STZ_OK;
}

// Takes the option argv[*at], and moves *at to its value where that is an argument of its own.
static stz_err parse_option(int argc, char **argv, const char *command, int command_bit, int *at, stz_cli *cli) {
  const char *argument = argv[*at];
  const size_t length = argument[1] == '-' ? strcspn(argument, "=") : strlen(argument);
  const char *value = argument[length] == '=' ? argument + length + 1 : NULL;
  const option *o = find_option(argument, length);
  if (!o || !(o->commands & command_bit)) {
    return stz_fail(STZ_EINPUT, "%.*s: unknown option of `stzkmc %s`, see stzkmc --help", (int)length, argument,
                    command);
  }
  if (value && !o->has_value) return stz_fail(STZ_EINPUT, "%s: got `%s`, needs no value", o->name, value);
  if (o->has_value && !value) {
    if (*at + 1 >= argc) return stz_fail(STZ_EINPUT, "%s: got nothing, needs a value", o->name);
    value = argv[++*at];
  }
  return take_option(cli, o, value);
}

// FILE's name without folder and extension, with `suffix`.
static stz_err default_output(stz_cli *cli, const char *suffix) {
  const char *slash = strrchr(cli->file, '/');
  const char *name = slash ? slash + 1 : cli->file, *dot = strrchr(name, '.');
  return new_text(name, dot && dot > name ? (size_t)(dot - name) : strlen(name), suffix, &cli->output);
}

static stz_err parse_command(int argc, char **argv, stz_cli *cli) {
  static const struct {
    const char *name, *operand;
    stz_command command;
    int bit;
  } commands[] = {{"run", "an input file", STZ_COMMAND_RUN, RUN},
                  {"check", "an input file", STZ_COMMAND_CHECK, CHECK},
                  {"nbed", "the result file of a run with snapshots", STZ_COMMAND_NBED, NBED},
                  {"sweep", "a sweep file", STZ_COMMAND_SWEEP, SWEEP},
                  {"info", "a result file", STZ_COMMAND_INFO, INFO}};
  const int count = sizeof commands / sizeof *commands;
  const char *name = argv[1];
  int c = 0;
  while (c < count && strcmp(name, commands[c].name) != 0) c++;
  if (c == count) return stz_fail(STZ_EINPUT, "%s: unknown command, see stzkmc --help", name);
  cli->command = commands[c].command;
  for (int at = 2; at < argc; at++) {
    if (argv[at][0] == '-' && argv[at][1]) {
      STZ_TRY(parse_option(argc, argv, name, commands[c].bit, &at, cli));
    } else if (cli->file && cli->command == STZ_COMMAND_INFO && !cli->second) {
      cli->second = argv[at];
    } else if (cli->file) {
      return stz_fail(STZ_EINPUT, "%s: got a %s file, needs %s", argv[at], cli->second ? "third" : "second",
                      cli->second ? "one or two" : "one");
    } else {
      cli->file = argv[at];
    }
  }
  if (cli->command == STZ_COMMAND_REFERENCE) return STZ_OK;
  if (!cli->file) return stz_fail(STZ_EINPUT, "%s: got nothing, needs %s", name, commands[c].operand);
  if (cli->output || (cli->command != STZ_COMMAND_RUN && cli->command != STZ_COMMAND_SWEEP)) return STZ_OK;
  return default_output(cli, cli->command == STZ_COMMAND_RUN ? ".h5" : "");
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
  if (argc < 2) return stz_fail(STZ_EINPUT, "got no command, needs run, check, sweep, nbed or info; see stzkmc --help");
  STZ_TRY(STZ_NEW(cli->overrides, argc));
  STZ_TRY(join(argc, argv, &cli->text));
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) return STZ_OK;
  }
  const bool version = strcmp(argv[1], "--version") == 0, build_info = strcmp(argv[1], "--build-info") == 0;
  if (!version && !build_info) return parse_command(argc, argv, cli);
  if (argc > 2) return stz_fail(STZ_EINPUT, "%s: got `%s`, needs to stand alone", argv[1], argv[2]);
  cli->command = version ? STZ_COMMAND_VERSION : STZ_COMMAND_BUILD_INFO;
  return STZ_OK;
}

void stz_cli_clear(stz_cli *cli) {
  for (int i = 0; i < cli->override_count; i++) stz_free((void *)cli->overrides[i].text);
  stz_free(cli->overrides);
  stz_free(cli->output);
  stz_free(cli->text);
  *cli = (stz_cli){0};
}

void stz_cli_help(FILE *out) {
  fputs(
      "stzkmc - kinetic Monte Carlo of shear transformation zones in metallic glasses\n"
      "\n"
      "  stzkmc run INPUT.cfg [-o OUT.h5] [--set path=value]... [--seed N] [--restart] [--force]\n"
      "             [--max-walltime S] [-q|-v]\n"
      "  stzkmc check INPUT.cfg [--set path=value]... [--seed N]\n"
      "  stzkmc check --reference\n"
      "  stzkmc nbed RESULT.h5 [--foil-nm T] [--probe-nm D] [--scans N] [--beam x|y|z] [--cluster-radius-nm R]\n"
      "             [--seed N] [-o OUT.h5] [--force]\n"
      "  stzkmc sweep SWEEP.cfg [-o DIR] [--ranks-per-run K] [--resume] [--force] [--only LIST] [--shard i/n]\n"
      "             [--list | --dry-run] [--max-walltime S] [-q|-v]\n"
      "  stzkmc info FILE.h5 [OTHER.h5]\n"
      "  stzkmc --help | --version | --build-info\n"
      "\n"
      "run    deforms the sample as the input's protocol says and writes a result file\n"
      "       -o, --output OUT.h5  result file (default: the input's name with .h5, in the current directory)\n"
      "       --set path=value     sets a key over the input, e.g. --set barriers.width_eV=0.1 or\n"
      "                            --set protocol[0].until_strain=0.05; may be repeated, the last wins\n"
      "       --seed N             short for --set run.seed=N\n"
      "       --force              replaces an existing result file\n"
      "       --restart            goes on from the newest checkpoint OUT.ckpt.h5, on any number of ranks; starts\n"
      "                            from the beginning if there is none, does nothing if OUT.h5 is finished\n"
      "       --max-walltime S     stops after S seconds with a checkpoint, exit 75; so do SIGTERM, SIGINT, SIGUSR1\n"
      "       -q, -v               fewer, more messages (on stderr)\n"
      "check  finds errors without running; prints the resolved input with units and defaults, and the cost\n"
      "       --reference          prints the reference of all input keys, in Markdown (docs/input.md)\n"
      "nbed   scans the snapshots of a finished or running run again (output.snapshots = true) and prints a line\n"
      "       for each: its number, strain, time, and the share of patterns with Bragg reflections: mean and standard\n"
      "       deviation of the scans, and the expectation without sampling noise\n"
      "       --foil-nm T          thickness of the foil (default here and below: the run's own)\n"
      "       --probe-nm D         diameter of the probe and step of its grid\n"
      "       --scans N            scans of 10 x 10 patterns\n"
      "       --beam x|y|z         axis of the beam\n"
      "       --cluster-radius-nm R  radius of a cluster; their places and order are the run's\n"
      "       --seed N             places of the scans: with the run's seed and optics, its own patterns again\n"
      "       -o, --output OUT.h5  also writes all patterns, as /nbed/level_NN of a result file\n"
      "sweep  runs an input with many sets of parameters: results DIR/runs/*.h5, state in DIR/manifest.jsonl\n"
      "       -o, --output DIR     directory (default: the sweep file's name without .cfg)\n"
      "       --ranks-per-run K    ranks of each run (default 1); the groups of ranks take run after run\n"
      "       --resume             goes on with the sweep in DIR, or begins it; what is done is not done again\n"
      "       --force              replaces the sweep in DIR\n"
      "       --only LIST          these runs alone, as 0,3,10-19\n"
      "       --shard i/n          part i of n, from 0, as for the task of a job array\n"
      "       --list, --dry-run    prints each run and its state; what is left, its cost and the disk it needs\n"
      "       --max-walltime S, signals: as for run, for the whole sweep; exit 75, go on with --resume\n"
      "info   prints what made a result file, and its last values; of two files what differs, `key: FILE | OTHER`\n"
      "\n"
      "Try\n"
      "  stzkmc check inputs/smoke.cfg\n"
      "  stzkmc run inputs/smoke.cfg -o smoke.h5\n"
      "  stzkmc info smoke.h5\n"
      "  stzkmc run inputs/tension.cfg --set output.snapshots=true && stzkmc nbed tension.h5 --probe-nm 0.8\n"
      "  mpirun -n 4 stzkmc run inputs/onchip.cfg --set lattice.cells=[64,64,64]\n"
      "\n"
      "The same input and seed give the same result, bit for bit, on any number of ranks.\n"
      "Exit: 0 done, 2 usage or input, 3 files, 4 numerics or a violated bound, 5 internal, 75 stopped early.\n",
      out);
}
