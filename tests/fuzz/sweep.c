// SPDX-License-Identifier: GPL-3.0-or-later
//
// The parser of sweep files, and what is made of them: a plan, and a manifest that every reader of JSON takes. A case:
// the sweep file, its input "in.cfg", what --set gives (a line each), and the list of --only.
#include <unistd.h>

#include "fuzz.h"
#include "json.h"
#include "sweep/manifest.h"
#include "sweep/sweep.h"

enum { OVERRIDES = 4, MOST_RUNS = 24 };

static char folder[64];
static FILE *nowhere;

static void leave(void) {
  unlink("s.cfg");
  unlink("in.cfg");
  rmdir("sweep/runs");
  rmdir("sweep");
  if (chdir("/") == 0) rmdir(folder);
  fclose(nowhere);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc, (void)argv;
  fuzz_enter(folder);
  nowhere = fopen("/dev/null", "w");
  demand(nowhere);
  return atexit(leave);
}

static void check_lines(const char *path) {
  char *line = NULL;
  size_t size = 0;
  FILE *in = fopen(path, "r");
  demand(in);
  for (ssize_t length; (length = getline(&line, &size, in)) > 0;) {
    demand((size_t)length == strlen(line) && line[length - 1] == '\n');
    demand(json_is_whole(line));
  }
  free(line);
  fclose(in);
}

// The manifest of a plan, written and read.
static void write_manifest(const stz_plan *plan) {
  stz_manifest *manifest;
  demand(stz_manifest_create("sweep", plan, "stzkmc sweep \"s.cfg\"\n\x01\xff") == STZ_OK);
  check_lines("sweep/manifest.jsonl");
  demand(stz_manifest_open("sweep", plan, false, &manifest) == STZ_OK);
  demand(stz_manifest_begins(manifest, 0, 1) == STZ_OK);
  demand(stz_manifest_ends(manifest, 0, STZ_RUN_FAILED, 1.0, NULL, "a \"message\"\n\x01\xff</script>") == STZ_OK);
  demand(stz_manifest_status(manifest, 0)->state == STZ_RUN_FAILED);
  stz_manifest_close(&manifest);
  check_lines("sweep/manifest.jsonl");
}

static void make_plan(const stz_override *overrides, int count, const char *only) {
  stz_plan *plan;
  const stz_sweep_options options = {.directory = "sweep",
                                     .ranks_per_run = 1,
                                     .choice = {.only = only[0] ? only : NULL, .shards = 1},
                                     .overrides = overrides,
                                     .override_count = count};
  stz_err err = stz_plan_read(MPI_COMM_NULL, "s.cfg", overrides, count, 1, &plan);
  if (err != STZ_OK) {
    fuzz_expect_failure(err);
    return;
  }
  write_manifest(plan);
  err = stz_sweep_list(MPI_COMM_NULL, "s.cfg", &options, nowhere);
  if (err != STZ_OK) fuzz_expect_failure(err);
  err = stz_sweep_estimate(MPI_COMM_NULL, "s.cfg", &options, nowhere);
  if (err != STZ_OK) fuzz_expect_failure(err);
  demand(stz_manifest_remove("sweep") == STZ_OK);
  stz_plan_destroy(&plan);
}

// Whether there are so few runs that a case takes milliseconds.
static bool is_small(void) {
  stz_sweep_spec *spec;
  stz_design *design = NULL;
  stz_err err = stz_sweep_spec_read(MPI_COMM_NULL, "s.cfg", &spec);
  if (err == STZ_OK) err = stz_design_create(spec, &design);
  if (err != STZ_OK) fuzz_expect_failure(err);
  const bool small = err == STZ_OK && stz_design_points(design) * spec->replicas <= MOST_RUNS;
  stz_design_destroy(&design);
  stz_sweep_spec_destroy(&spec);
  return small;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const long live = stz_alloc_live();
  fuzz_parts parts;
  stz_override overrides[OVERRIDES] = {{NULL, NULL}};
  int count = 0;
  fuzz_split(data, size, &parts);
  fuzz_write("s.cfg", parts.text[0], strlen(parts.text[0]));
  fuzz_write("in.cfg", parts.text[1], strlen(parts.text[1]));
  for (char *line = strtok(parts.text[2], "\n"); line && count < OVERRIDES; line = strtok(NULL, "\n")) {
    overrides[count++].text = line;
  }
  parts.text[3][strcspn(parts.text[3], "\n")] = 0;
  if (is_small()) make_plan(overrides, count, parts.text[3]);
  demand(stz_alloc_live() == live);
  free(parts.held);
  return 0;
}
