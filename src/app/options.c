// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/options.h"

#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "app/take.h"
#include "base/edit.h"

static const stz_command_entry commands[] = {
    {"run", "an input file", STZ_COMMAND_RUN, STZ_RUN, "INPUT.cfg [OPTION]...",
     "deforms the sample as the input's protocol says and writes a result file\n",
     "stzkmc run inputs/smoke.cfg -o smoke.h5\n"
     "stzkmc run inputs/tension.cfg --set protocol[0].until_strain=0.05 --seed 2\n"
     "mpirun -n 4 stzkmc run inputs/onchip.cfg --set lattice.cells=[64,64,64]\n"
     "stzkmc run inputs/tension.cfg --restart\n"},
    {"check", "an input file", STZ_COMMAND_CHECK, STZ_CHECK, "INPUT.cfg [OPTION]...",
     "finds errors without running; prints the resolved input with units and defaults, and the cost\n",
     "stzkmc check inputs/smoke.cfg\n"
     "stzkmc check inputs/tension.cfg --set barriers.width_eV=0.1\n"
     "stzkmc check --reference\n"},
    {"kernel", "an input file", STZ_COMMAND_KERNEL, STZ_KERNEL, "INPUT.cfg --event X,Y,Z --strain LIST --at X,Y,Z...",
     "prints the driving stress that one event leaves at sites, without the mean, as the input's engine finds\n"
     "it: six components, GPa\n",
     "stzkmc kernel inputs/smoke.cfg --event 0,0,0 --strain 0,0,0,0,0,0.0575 --at 1,0,0 --at 4,4,0\n"},
    {"nbed", "the result file of a run with snapshots", STZ_COMMAND_NBED, STZ_NBED, "RESULT.h5 [OPTION]...",
     "scans the snapshots of a finished or running run again (output.snapshots = true) and prints a line\n"
     "for each: its number, strain, time, and the share of patterns with Bragg reflections: mean and standard\n"
     "deviation of the scans, and the expectation without sampling noise\n",
     "stzkmc run inputs/tension.cfg --set output.snapshots=true && stzkmc nbed tension.h5 --probe-nm 0.8\n"},
    {"sweep", "a sweep file", STZ_COMMAND_SWEEP, STZ_SWEEP, "SWEEP.cfg [OPTION]...",
     "runs an input with many sets of parameters: results DIR/runs/*.h5, state in DIR/manifest.jsonl\n",
     "stzkmc sweep inputs/sweeps/rates.cfg --dry-run\n"
     "mpirun --bind-to none -n 8 stzkmc sweep inputs/sweeps/rates.cfg -o rates --resume\n"
     "stzkmc sweep inputs/sweeps/rates.cfg -o small --set lattice.cells=[16,16,16] --set nbed.foil_nm=9.0\n"},
    {"info", "a result file", STZ_COMMAND_INFO, STZ_INFO, "FILE.h5 [OTHER.h5]",
     "prints what made a result file, and its last values; of two files what differs, `key: FILE | OTHER`\n",
     "stzkmc info smoke.h5\n"
     "stzkmc info one.h5 other.h5\n"},
};
enum { COMMANDS = sizeof commands / sizeof *commands };

_Static_assert(sizeof(stz_command) == sizeof(int), "an option sets the command as an int");

// What an option does that sets one member of stz_cli: to true, to its value, to a number.
#define FLAG(member) .take = stz_take_flag, .at = offsetof(stz_cli, member)
#define WORD(member) .take = stz_take_word, .at = offsetof(stz_cli, member)
#define CHOICE(member, number) .take = stz_take_choice, .at = offsetof(stz_cli, member), .as = (number)

static const stz_option options[] = {
    {"--output", "-o", "OUT.h5", STZ_RUN, NULL,
     "result file (default: the input's name with .h5, in the current directory)\n", .take = stz_take_output},
    {"--output", "-o", "OUT.h5", STZ_NBED, NULL, "also writes all patterns, as /nbed/level_NN of a result file\n",
     .take = stz_take_output},
    {"--output", "-o", "DIR", STZ_SWEEP, NULL, "directory (default: the sweep file's name without .cfg)\n",
     .take = stz_take_output},
    {"--set", NULL, "path=value", STZ_RUN | STZ_CHECK | STZ_KERNEL, NULL,
     "sets a key over the input, e.g. --set barriers.width_eV=0.1 or\n"
     "--set protocol[0].until_strain=0.05; may be repeated, the last wins\n",
     .take = stz_take_override},
    {"--set", NULL, "path=value", STZ_SWEEP, NULL,
     "sets a key in every run, over the sweep file's `set`, under its axes; may be\n"
     "repeated; to go on with the sweep, give the same\n",
     .take = stz_take_override},
    {"--seed", NULL, "N", STZ_RUN | STZ_CHECK, "run.seed=", "short for --set run.seed=N\n", .take = stz_take_override},
    {"--event", NULL, "X,Y,Z", STZ_KERNEL, NULL, "site of the event, in voxels from 0\n", WORD(event)},
    {"--strain", NULL, "LIST", STZ_KERNEL, NULL,
     "its strain XX,YY,ZZ,YZ,XZ,XY: tensor components, without a change of volume\n", WORD(strain)},
    {"--stretch", NULL, "X,Y,Z", STZ_KERNEL, NULL,
     "logarithmic strains of the box, with which the sites have moved (default: 0,0,0)\n", WORD(stretch)},
    {"--at", NULL, "X,Y,Z", STZ_KERNEL, NULL, "site where the stress is wanted; may be repeated\n",
     .take = stz_take_at},
    {"--json", NULL, NULL, STZ_KERNEL, NULL, "prints an object of JSON with `sites` and `stress_GPa`\n", FLAG(json)},
    {"--foil-nm", NULL, "T", STZ_NBED,
     "nbed.foil_nm=", "thickness of the foil (default here and below: the run's own)\n", .take = stz_take_override},
    {"--probe-nm", NULL, "D", STZ_NBED, "nbed.probe_nm=", "diameter of the probe and step of its grid\n",
     .take = stz_take_override},
    {"--scans", NULL, "N", STZ_NBED, "nbed.scans=", "scans of 10 x 10 patterns\n", .take = stz_take_override},
    {"--beam", NULL, "x|y|z", STZ_NBED, "nbed.beam=", "axis of the beam\n", .take = stz_take_override},
    {"--cluster-radius-nm", NULL, "R", STZ_NBED, "order.cluster_radius_nm=",
     "radius of a cluster; their places and order are the run's\n", .take = stz_take_override},
    {"--seed", NULL, "N", STZ_NBED, "run.seed=",
     "places of the scans: with the run's seed and optics, its own patterns again\n", .take = stz_take_override},
    {"--ranks-per-run", NULL, "K", STZ_SWEEP, NULL,
     "ranks of each run (default 1); the groups of ranks take run after run\n", .take = stz_take_ranks},
    {"--resume", NULL, NULL, STZ_SWEEP, NULL,
     "goes on with the sweep in DIR, or begins it; what is done is not done again\n", FLAG(resume),
     .one_of = STZ_ONE_OF_BEGIN},
    {"--force", NULL, NULL, STZ_RUN | STZ_NBED, NULL, "replaces an existing result file\n", FLAG(force),
     .one_of = STZ_ONE_OF_BEGIN},
    {"--force", NULL, NULL, STZ_SWEEP, NULL, "replaces the sweep in DIR\n", FLAG(force), .one_of = STZ_ONE_OF_BEGIN},
    {"--restart", NULL, NULL, STZ_RUN, NULL,
     "goes on from the newest checkpoint OUT.ckpt.h5, on any number of ranks; starts\n"
     "from the beginning if there is none, does nothing if OUT.h5 is finished\n",
     FLAG(restart), .one_of = STZ_ONE_OF_BEGIN},
    {"--only", NULL, "LIST", STZ_SWEEP, NULL, "these runs alone, as 0,3,10-19\n", WORD(only)},
    {"--shard", NULL, "i/n", STZ_SWEEP, NULL, "part i of n, from 0, as for the task of a job array\n",
     .take = stz_take_shard},
    {"--list", NULL, NULL, STZ_SWEEP, NULL, "prints each run and its state, without running\n", FLAG(list),
     .one_of = STZ_ONE_OF_SHOW},
    {"--dry-run", NULL, NULL, STZ_SWEEP, NULL, "prints what is left, its cost and the disk it needs\n", FLAG(dry_run),
     .one_of = STZ_ONE_OF_SHOW},
    {"--max-walltime", NULL, "S", STZ_RUN, NULL,
     "stops after S seconds with a checkpoint, exit 75; so do the signals TERM, INT,\n"
     "HUP, USR1, USR2 and XCPU; mpirun hands on USR1, USR2 and XCPU\n",
     .take = stz_take_walltime},
    {"--max-walltime", NULL, "S", STZ_SWEEP, NULL,
     "stops after S seconds, as do the signals of run; exit 75, go on with --resume\n", .take = stz_take_walltime},
    {"--quiet", "-q", NULL, STZ_RUN | STZ_SWEEP, NULL, "fewer messages (on stderr)\n", CHOICE(verbosity, -1),
     .one_of = STZ_ONE_OF_TALK},
    {"--verbose", "-v", NULL, STZ_RUN | STZ_SWEEP, NULL, "more messages\n", CHOICE(verbosity, 1),
     .one_of = STZ_ONE_OF_TALK},
    {"--reference", NULL, NULL, STZ_CHECK, NULL,
     "prints the reference of all input keys, in Markdown (docs/input.md)\n", CHOICE(command, STZ_COMMAND_REFERENCE),
     .one_of = STZ_ONE_OF_SHOW},
    {"--output-reference", NULL, NULL, STZ_CHECK, NULL,
     "prints the reference of all datasets that a run writes, in Markdown (docs/output.md)\n",
     CHOICE(command, STZ_COMMAND_OUTPUT_REFERENCE), .one_of = STZ_ONE_OF_SHOW},
};
enum { OPTIONS = sizeof options / sizeof *options };

const stz_command_entry *stz_command_find(const char *name) {
  for (int c = 0; c < COMMANDS; c++) {
    if (strcmp(name, commands[c].name) == 0) return &commands[c];
  }
  return NULL;
}

static bool is_named(const char *argument, size_t length, const char *name) {
  return name && strlen(name) == length && strncmp(argument, name, length) == 0;
}

const stz_option *stz_option_find(const char *argument, size_t length, int command) {
  for (int o = 0; o < OPTIONS; o++) {
    const bool named = is_named(argument, length, options[o].name) || is_named(argument, length, options[o].letter);
    if (named && (options[o].commands & command)) return &options[o];
  }
  return NULL;
}

void stz_command_guess(const char *name, char *guess, size_t size) {
  int best = 3;
  snprintf(guess, size, ", see stzkmc --help");
  if (access(name, R_OK) == 0) {
    snprintf(guess, size, "; it is a file: did you mean `stzkmc run` or `stzkmc info`?");
    return;
  }
  for (int c = 0; c < COMMANDS; c++) {
    const int distance = stz_edit_distance(name, commands[c].name);
    if (distance >= best) continue;
    best = distance;
    snprintf(guess, size, "; did you mean %s?", commands[c].name);
  }
}

void stz_option_guess(const char *argument, size_t length, int command, char *guess, size_t size) {
  char word[64];
  int best = 3;
  snprintf(word, sizeof word, "%.*s", (int)(length < 63 ? length : 63), argument);
  guess[0] = 0;
  for (int c = 0; c < COMMANDS; c++) {
    if (!stz_option_find(argument, length, commands[c].bit)) continue;
    snprintf(guess, size, "; `stzkmc %s` has it", commands[c].name);
    return;
  }
  for (int o = 0; o < OPTIONS; o++) {
    const int distance = options[o].commands & command ? stz_edit_distance(word, options[o].name) : best;
    if (distance >= best) continue;
    best = distance;
    snprintf(guess, size, "; did you mean %s?", options[o].name);
  }
}

// Lines with an indent; the first one begins behind what is printed already.
static void print_lines(const char *lines, int indent, FILE *out) {
  for (const char *line = lines; *line;) {
    const int length = (int)strcspn(line, "\n");
    fprintf(out, "%*s%.*s\n", line == lines ? 0 : indent, "", length, line);
    line += length + (line[length] == '\n');
  }
}

static void print_command(const stz_command_entry *command, FILE *out) {
  fprintf(out, "%-7s", command->name);
  print_lines(command->text, 7, out);
  for (int o = 0; o < OPTIONS; o++) {
    const stz_option *option = &options[o];
    char words[64];
    if (!(option->commands & command->bit)) continue;
    snprintf(words, sizeof words, "%s%s%s%s%s", option->letter ? option->letter : "", option->letter ? ", " : "",
             option->name, option->value ? " " : "", option->value ? option->value : "");
    fprintf(out, "       %-21s", words);
    if (strlen(words) >= 21) fputs("  ", out);
    print_lines(option->help, 28, out);
  }
}

static void print_examples(const char *examples, FILE *out) {
  fputs("  ", out);
  print_lines(examples, 2, out);
}

void stz_help(const stz_command_entry *command, FILE *out) {
  if (command) {
    fprintf(out, "stzkmc %s %s\n\n", command->name, command->usage);
    print_command(command, out);
    fputs("\nExamples\n", out);
    print_examples(command->examples, out);
  } else {
    fputs("stzkmc - kinetic Monte Carlo of shear transformation zones in metallic glasses\n\n", out);
    for (int c = 0; c < COMMANDS; c++) fprintf(out, "  stzkmc %s %s\n", commands[c].name, commands[c].usage);
    fputs("  stzkmc COMMAND --help\n  stzkmc --help | --version | --build-info\n\n", out);
    for (int c = 0; c < COMMANDS; c++) print_command(&commands[c], out);
    fputs("\nTry\n", out);
    for (int c = 0; c < COMMANDS; c++) print_examples(commands[c].examples, out);
    fputs("\nModels are found beside the input, in models/ there and in each folder above, in the folders of\n"
          "$STZKMC_MODELS, and with the program. The same input and seed give the same result, bit for bit, on any\n"
          "number of ranks.\n",
          out);
  }
  fputs("\nExit: 0 done, 2 usage or input, 3 files, 4 numerics or a violated bound, 5 internal, 75 stopped early.\n",
        out);
}
