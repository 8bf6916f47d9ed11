// SPDX-License-Identifier: GPL-3.0-or-later
//
// The program: takes the command line apart and calls the library. All printing is here and in report.c.
#include <errno.h>
#include <fcntl.h>
#include <mpi.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/cli.h"
#include "app/copy.h"
#include "app/crash.h"
#include "app/kernel.h"
#include "app/launch.h"
#include "app/report.h"
#include "app/signals.h"
#include "app/sweep.h"
#include "base/build.h"
#include "base/comm.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "config/config.h"
#include "io/reader.h"
#include "io/result.h"
#include "sim/rescan.h"
#include "sim/sim.h"
#include "sim/state.h"

static int my_rank(void) { return stz_comm_rank(stz_launch_comm()); }

static void print_build_info(void) {
  char library[MPI_MAX_LIBRARY_VERSION_STRING];
  int length;
  MPI_Get_library_version(library, &length);
  library[strcspn(library, ",\n")] = 0;
  printf("version: %s\ngit: %s\ncompiler: %s\nbuild_type: %s\nmpi: %s\n", STZ_VERSION, stz_build_git, STZ_COMPILER,
         STZ_BUILD_TYPE, library);
}

// Whether there is a folder to write `path` into. For rank 0.
static stz_err check_folder(const char *path) {
  char folder[4096];
  struct stat status;
  const char *slash = strrchr(path, '/');
  if (!slash) {
    strcpy(folder, ".");
  } else {
    snprintf(folder, sizeof folder, "%.*s", (int)(slash == path ? 1 : slash - path), path);
  }
  const bool there = stat(folder, &status) == 0;
  if (!there && errno == ENOENT) {
    return stz_fail(STZ_EIO, "%s: cannot be written: the folder %s is not there; make it first", path, folder);
  }
  if (there && !S_ISDIR(status.st_mode))
    return stz_fail(STZ_EIO, "%s: cannot be written: %s is no folder", path, folder);
  if (there && access(folder, W_OK | X_OK) == 0) return STZ_OK;
  return stz_fail(STZ_EIO, "%s: cannot be written: the folder %s: %s", path, folder, strerror(errno));
}

// Whether the result can be written, found out before hours are spent. For rank 0.
static stz_err check_output(const stz_cli *cli) {
  struct stat status, input;
  const char *path = cli->output;
  if (stat(path, &status) == 0) {
    const bool same = stat(cli->file, &input) == 0 && input.st_dev == status.st_dev && input.st_ino == status.st_ino;
    if (same) return stz_fail(STZ_EINPUT, "%s: is the input itself, needs another output", path);
    if (!S_ISREG(status.st_mode)) return stz_fail(STZ_EIO, "%s: is no file, cannot be replaced", path);
    if (!cli->force && !cli->restart) return stz_fail(STZ_EIO, "%s: exists already; --force replaces it", path);
  }
  return check_folder(path);
}

// How a run that ended early can go on, for its last line.
static struct {
  bool early;
  bool nothing; // it was stopped before there was anything to save
} stopped;

static void say_stopped(const stz_cli *cli, int signal_number) {
  char by[64], rest[1200] = "";
  snprintf(by, sizeof by, "stopped by %s", signal_number ? stz_signal_name(signal_number) : "--max-walltime");
  stz_state_paths paths = {0};
  const bool saved = cli->command == STZ_COMMAND_RUN && (!stopped.nothing || cli->restart);
  if (saved && stz_state_paths_of(cli->output, &paths) == STZ_OK && access(paths.newest, F_OK) == 0) {
    snprintf(rest, sizeof rest, "%s holds the state; go on with --restart", paths.newest);
  } else if (cli->command == STZ_COMMAND_SWEEP && !stopped.nothing) {
    snprintf(rest, sizeof rest, "go on with --resume");
  } else {
    snprintf(rest, sizeof rest, "there was nothing to save yet; start it again");
  }
  stz_state_paths_clear(&paths);
  stz_log(STZ_LOG_INFO, "%s; %s", by, rest);
}

static stz_err run(const stz_cli *cli, const stz_config *config) {
  const MPI_Comm world = stz_launch_world();
  const stz_run_options options = {.output = cli->output,
                                   .force = cli->force,
                                   .command_line = cli->text,
                                   .restart = cli->restart,
                                   .max_walltime_s = cli->max_walltime_s,
                                   .stop = stz_interrupt_flag(),
                                   .progress = cli->verbosity < 0 ? NULL : stz_report_progress};
  const stz_err err = stz_sim_run(world, config, &options, &stopped.early);
  if (my_rank() == 0) stz_report_end();
  if (err == STZ_OK && !stopped.early) stz_log(STZ_LOG_INFO, "result in %s", cli->output);
  return err;
}

static void print_field(const stz_config *config, const stz_field_found *found) {
  const stz_micro_params *micro = &config->micro;
  if (!found->read) return;
  printf("# microstructure.file: axes %c %c %c, values from %.4g to %.4g, mean %.4g: ", found->axes[0], found->axes[1],
         found->axes[2], found->least, found->most, found->mean);
  if (found->phases) {
    puts("a map of two phases, g = -1 and 1");
  } else {
    printf("atomic fractions of Ni, g from %.3g to %.3g\n",
           (found->least - micro->nickel_fraction) / micro->nickel_amplitude,
           (found->most - micro->nickel_fraction) / micro->nickel_amplitude);
  }
}

static stz_err print_check(const stz_config *config, const stz_field_found *found) {
  const int ranks = stz_comm_size(stz_launch_comm());
  stz_estimate estimate;
  char engine[STZ_ENGINE_TEXT];
  stz_sim_engine(config, engine);
  STZ_TRY(stz_sim_estimate(config, ranks, found, &estimate));
  fputs(config->resolved_text, stdout);
  printf("# box: %.4g x %.4g x %.4g nm\n", config->lattice.cells[0] * config->lattice.spacing_nm,
         config->lattice.cells[1] * config->lattice.spacing_nm, config->lattice.cells[2] * config->lattice.spacing_nm);
  print_field(config, found);
  printf("# shear modes: %d, each with two signs; sum of P x P between %.4g and %.4g (isotropic: equal)\n",
         estimate.modes, estimate.modes_least, estimate.modes_most);
  printf("# engine: %s\n", engine);
  printf("# memory: about %.3g MB per rank; result file: about %.3g MB\n", estimate.bytes_per_rank * 1e-6,
         estimate.file_bytes * 1e-6);
  printf("# cost: about %.2g events, %.2g s on %d rank%s\n", estimate.events, estimate.seconds, estimate.ranks,
         estimate.ranks == 1 ? "" : "s");
  if (estimate.kernels > 0.0) {
    printf("# the kernel is made again about %.2g times, %.2g s each, which the cost has in it\n", estimate.kernels,
           estimate.kernel_s);
  }
  if (stz_sim_varies(config)) {
    puts("# moduli: whether they will do between the sites, and the field under load converges, is seen when a run "
         "begins");
  }
  if (estimate.floor_fraction >= 0.01) {
    printf("# barriers at their floor of %g eV: %.2g of all sites, far faster than the others\n",
           config->barriers.floor_eV, estimate.floor_fraction);
  }
  if (estimate.slow >= 0) {
    printf("# time does not advance: about %.2g events in protocol[%d] by its barriers, stress and temperature alone\n",
           estimate.slow_events, estimate.slow);
  }
  stz_sim_print_unreachable(config, stdout);
  return STZ_OK;
}

static void print_level(const stz_rescan_level *l) {
  if (l->snapshot == 0) puts("# snapshot  strain  time_s  scans  bragg_mean  bragg_scatter  bragg_expected");
  printf("%d %.6g %.6g %d %.6g %.6g %.6g\n", l->snapshot, l->strain, l->time_s, l->scans, l->bragg_mean,
         l->bragg_scatter, l->bragg_expected);
}

static stz_err scan_again(const stz_cli *cli) {
  if (cli->output) STZ_TRY(stz_agree(stz_launch_comm(), my_rank() == 0 ? check_output(cli) : STZ_OK));
  const stz_rescan_options options = {.result = cli->file,
                                      .overrides = cli->overrides,
                                      .override_count = cli->override_count,
                                      .output = cli->output,
                                      .force = cli->force,
                                      .command_line = cli->text,
                                      .level = print_level};
  return stz_rescan_run(stz_launch_world(), &options);
}

static stz_err sweep(const stz_cli *cli) {
  const bool shown = cli->list || cli->dry_run;
  return stz_app_sweep(shown ? stz_launch_comm() : stz_launch_world(), cli, stz_interrupt_flag(), &stopped.early);
}

static void print_notes(const char *notes) {
  for (int length; *notes; notes += length + 1) {
    length = (int)strcspn(notes, "\n");
    stz_log(STZ_LOG_INFO, "note: %.*s", length, notes);
  }
}

static stz_err run_or_check(const stz_cli *cli) {
  stz_config *config = NULL;
  const MPI_Comm comm = stz_launch_comm();
  STZ_TRY(stz_config_read(comm, cli->file, cli->overrides, cli->override_count, &config));
  if (my_rank() == 0) print_notes(config->notes);
  stz_err err = STZ_OK;
  if (cli->command == STZ_COMMAND_RUN) {
    err = stz_agree(comm, my_rank() == 0 ? check_output(cli) : STZ_OK);
    if (err == STZ_OK) err = run(cli, config);
  } else {
    stz_field_found found;
    err = stz_sim_check_ranks(config, stz_comm_size(stz_launch_comm()));
    if (err == STZ_OK) err = stz_sim_check_files(comm, config, &found);
    if (err == STZ_OK && my_rank() == 0) err = print_check(config, &found);
  }
  stz_config_destroy(&config);
  return err;
}

// What rank 0 prints without the others.
static stz_err print_alone(const stz_cli *cli) {
  switch (cli->command) {
  case STZ_COMMAND_HELP:
    stz_cli_help(cli, stdout);
    return STZ_OK;
  case STZ_COMMAND_VERSION:
    printf("stzkmc %s (%s)\n", STZ_VERSION, stz_build_git);
    return STZ_OK;
  case STZ_COMMAND_BUILD_INFO:
    print_build_info();
    return STZ_OK;
  case STZ_COMMAND_REFERENCE:
    stz_config_reference(stdout);
    return STZ_OK;
  case STZ_COMMAND_OUTPUT_REFERENCE:
    stz_sim_output_reference(stdout);
    return STZ_OK;
  default:
    return cli->second ? stz_result_differences(cli->file, cli->second, stdout) : stz_result_info(cli->file, stdout);
  }
}

static stz_err carry_out(const stz_cli *cli) {
  const bool leader = my_rank() == 0;
  const bool works =
      cli->command == STZ_COMMAND_RUN || cli->command == STZ_COMMAND_SWEEP || cli->command == STZ_COMMAND_NBED;
  if (!works || cli->list || cli->dry_run) stz_signals_release(); // nothing to save
  stz_signals_announce(cli->verbosity >= 0);
  if (leader) stz_report_begin(cli->verbosity);
  if (works) stz_report_stamp();
  switch (cli->command) {
  case STZ_COMMAND_RUN:
  case STZ_COMMAND_CHECK:
    return run_or_check(cli);
  case STZ_COMMAND_KERNEL:
    return stz_app_kernel(stz_launch_world(), cli);
  case STZ_COMMAND_SWEEP:
    return sweep(cli);
  case STZ_COMMAND_NBED:
    return scan_again(cli);
  default:
    return leader ? print_alone(cli) : STZ_OK;
  }
}

// The signal that stopped any rank, on all of them.
static int common_signal(void) {
  int signal_number = *stz_interrupt_flag();
  if (stz_launch_comm() != MPI_COMM_NULL) {
    MPI_Allreduce(MPI_IN_PLACE, &signal_number, 1, MPI_INT, MPI_MAX, stz_launch_comm());
  }
  return signal_number;
}

// Tells how it ended; the exit code, the same on every rank.
static int conclude(const stz_cli *cli, stz_err err) {
  const MPI_Comm comm = stz_launch_comm();
  const int signal_number = common_signal();
  err = stz_agree(comm, err);
  stopped.nothing = err == STZ_ESTOPPED;
  const bool early = stopped.nothing || (err == STZ_OK && stopped.early);
  if (my_rank() == 0) {
    stz_report_end();
    if (early) say_stopped(cli, signal_number);
    if (err == STZ_OK && (fflush(stdout) != 0 || ferror(stdout))) err = stz_fail(STZ_EIO, "stdout: cannot be written");
    if (err != STZ_OK && !early) stz_report_failure();
  }
  stz_broadcast(comm, &err, sizeof err);
  return err == STZ_OK && early ? STZ_ESTOPPED : (int)err;
}

// A stream that the caller has closed (`>&-`) becomes one that fails when it is used. Else the next file or socket to
// be opened would get its number, and what is printed would go there.
static void fill_streams(void) {
  for (int file = STDIN_FILENO; file <= STDERR_FILENO; file++) {
    if (fcntl(file, F_GETFD) < 0) (void)!open("/dev/null", file == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

int main(int argc, char **argv) {
  if (stz_reader_serve(argc, argv)) return 0;
  fill_streams();
  stz_crash_catch();
  stz_reader_install("/proc/self/exe");
  signal(SIGXFSZ, SIG_IGN); // beyond `ulimit -f` a write then fails, and is told
  stz_signals_catch();
  stz_outlive_install(stz_copy_does);
  stz_launch_begin(&argc, &argv);
  stz_cli cli;
  stz_err err = stz_cli_parse(argc, argv, &cli);
  if (err == STZ_OK) err = carry_out(&cli);
  if (err == STZ_EINTERNAL && stz_comm_size(stz_launch_comm()) > 1) { // the others may wait in a collective for ever
    stz_report_failure();
    MPI_Abort(MPI_COMM_WORLD, STZ_EINTERNAL);
  }
  const int code = conclude(&cli, err);
  stz_crash_concluded(code);
  stz_cli_clear(&cli);
  stz_launch_end();
  return code;
}
