// SPDX-License-Identifier: GPL-3.0-or-later
//
// Reads files as the program does, many in one process: `reader PROGRAM` takes lines "WHAT PATH" and answers each with
// "CODE MESSAGE". WHAT is info, restart (the look at a result that is there), nbed (PATH: a result whose snapshots are
// damaged), field, or checkpoint.
#include <mpi.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "io/checkpoint.h"
#include "io/field.h"
#include "io/reader.h"
#include "io/result.h"
#include "sim/rescan.h"

static void ignore(const stz_rescan_level *level) { (void)level; }

static stz_err look(const char *path) {
  char *resolved;
  bool complete;
  const stz_err err = stz_result_peek(path, &complete, &resolved);
  stz_free(resolved);
  return err;
}

static stz_err scan(const char *path) {
  const stz_rescan_options options = {.result = path, .command_line = "", .level = ignore};
  return stz_rescan_run(MPI_COMM_WORLD, &options);
}

static stz_err read_field(const stz_grid *grid, const char *path) {
  double *local;
  STZ_TRY(STZ_NEW(local, stz_grid_local_sites(grid)));
  const stz_field field = {path, "c", ""};
  const stz_err err = stz_field_read(grid, &field, local);
  stz_free(local);
  return err;
}

static stz_err read_checkpoint(const stz_grid *grid, const char *path) {
  stz_checkpoint *checkpoint;
  char *text = NULL;
  STZ_TRY(stz_checkpoint_open(grid, path, &checkpoint));
  stz_err err = stz_checkpoint_get_text(checkpoint, "format", &text);
  stz_free(text);
  if (err == STZ_OK) err = stz_checkpoint_get_text(checkpoint, "resolved", &text);
  if (err == STZ_OK) stz_free(text);
  stz_checkpoint_close(&checkpoint);
  return err;
}

int main(int argc, char **argv) {
  char line[4096];
  MPI_Init(&argc, &argv);
  const stz_lattice_params box = {.cells = {16, 16, 16}, .spacing_nm = 0.58};
  stz_grid *grid;
  FILE *nowhere = fopen("/dev/null", "w");
  stz_reader_install(argv[1]);
  if (stz_grid_create(MPI_COMM_WORLD, &box, &grid) != STZ_OK) return 1;
  while (fgets(line, sizeof line, stdin)) {
    line[strcspn(line, "\n")] = 0;
    char *path = strchr(line, ' ');
    *path++ = 0;
    stz_err err = STZ_OK;
    if (strcmp(line, "info") == 0) err = stz_result_info(path, nowhere);
    if (strcmp(line, "restart") == 0) err = look(path);
    if (strcmp(line, "nbed") == 0) err = scan(path);
    if (strcmp(line, "field") == 0) err = read_field(grid, path);
    if (strcmp(line, "checkpoint") == 0) err = read_checkpoint(grid, path);
    printf("%d %s\n", (int)err, err == STZ_OK ? "" : stz_error_message());
    fflush(stdout);
  }
  fclose(nowhere);
  stz_grid_destroy(&grid);
  MPI_Finalize();
  return stz_alloc_live() != 0;
}
