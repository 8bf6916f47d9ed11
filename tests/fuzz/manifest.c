// SPDX-License-Identifier: GPL-3.0-or-later
//
// The reader of a sweep's manifest, and the little of JSON that it knows. A case: lines that stand in the manifest of a
// sweep of four runs behind what the program wrote; with "!" before them in its place.
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "json.h"
#include "sweep/json.h"
#include "sweep/manifest.h"

static const char SWEEP[] = "input = \"in.cfg\"; axes = ({ key = \"barriers.width_eV\"; values = [0.1, 0.2]; });\n"
                            "replicas = 2;\n";
static const char INPUT[] = "lattice: { cells = [16, 16, 16]; };\n"
                            "protocol = ({ type = \"relaxation\"; duration_s = 1.0; temperature_K = 295.0; });\n";
static const char PATH[] = "sweep/manifest.jsonl";

static char folder[64];
static stz_plan *plan;
static char *header; // what the program wrote
static size_t header_size;

static void leave(void) {
  stz_plan_destroy(&plan);
  free(header);
  unlink(PATH);
  unlink("s.cfg");
  unlink("in.cfg");
  rmdir("sweep/runs");
  rmdir("sweep");
  if (chdir("/") == 0) rmdir(folder);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc, (void)argv;
  fuzz_enter(folder);
  fuzz_write("s.cfg", SWEEP, strlen(SWEEP));
  fuzz_write("in.cfg", INPUT, strlen(INPUT));
  demand(stz_plan_read(MPI_COMM_NULL, "s.cfg", NULL, 0, 1, &plan) == STZ_OK);
  demand(stz_manifest_create("sweep", plan, "") == STZ_OK);
  struct stat status;
  FILE *in = fopen(PATH, "r");
  demand(in && fstat(fileno(in), &status) == 0);
  header_size = (size_t)status.st_size;
  header = malloc(header_size + 1);
  demand(header && fread(header, 1, header_size, in) == header_size);
  fclose(in);
  return atexit(leave);
}

static void check_status(const stz_manifest *m) {
  for (int run = 0; run < plan->count; run++) {
    const stz_run_status *status = stz_manifest_status(m, run);
    demand(status->state >= 0 && (int)status->state < STZ_RUN_STATES);
    demand(status->attempts >= 0 && status->wall_s >= 0.0);
  }
}

// The last line, which was written behind whatever stood there, is whole.
static void check_end(void) {
  char *line = NULL, *last = NULL;
  size_t size = 0;
  FILE *in = fopen(PATH, "r");
  demand(in);
  while (getline(&line, &size, in) > 0) {
    free(last);
    last = strdup(line);
  }
  demand(last && json_is_whole(last));
  free(last);
  free(line);
  fclose(in);
}

static void go_on(void) {
  stz_manifest *m;
  stz_err err = stz_manifest_open("sweep", plan, true, &m);
  if (err == STZ_OK) check_status(m);
  stz_manifest_close(&m);
  err = stz_manifest_open("sweep", plan, false, &m);
  if (err != STZ_OK) {
    fuzz_expect_failure(err);
    return;
  }
  demand(stz_manifest_claim(m, 3));
  demand(stz_manifest_begins(m, 3, 1) == STZ_OK);
  demand(stz_manifest_status(m, 3)->state == STZ_RUN_RUNNING);
  demand(stz_manifest_ends(m, 3, STZ_RUN_DONE, 1.0, NULL, "") == STZ_OK);
  demand(stz_manifest_status(m, 3)->state == STZ_RUN_DONE);
  demand(stz_manifest_reread(m) == STZ_OK);
  check_status(m);
  stz_manifest_close(&m);
  check_end();
}

// What begins behind a name of a member is taken for a text.
static void read_json(const char *line) {
  static const char *const names[] = {"run", "state", "identity", ""};
  for (int i = 0; i < 4; i++) {
    const char *at = stz_json_find(line, names[i]);
    char *text = NULL, *said = NULL;
    size_t size;
    if (!at || stz_json_copy(at, &text) != STZ_OK) continue;
    FILE *out = open_memstream(&said, &size);
    demand(out);
    stz_json_text(out, text);
    fclose(out);
    demand(json_is_whole(said));
    free(said);
    stz_free(text);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const long live = stz_alloc_live();
  const bool alone = size > 0 && data[0] == '!';
  char *whole = calloc(header_size + size + 1, 1);
  demand(whole);
  memcpy(whole, header, header_size);
  memcpy(whole + (alone ? 0 : header_size), data + alone, size - alone);
  fuzz_write(PATH, whole, (alone ? 0 : header_size) + size - alone);
  read_json(whole);
  go_on();
  const stz_err err = stz_manifest_remove("sweep");
  if (err != STZ_OK) fuzz_expect_failure(err);
  demand(stz_alloc_live() == live);
  free(whole);
  return 0;
}
