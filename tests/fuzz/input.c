// SPDX-License-Identifier: GPL-3.0-or-later
//
// The parser of inputs. A case: the input, what --set gives (a line each), a file "m" for `model`, a file "s" for
// `stz.modes`. What is read must be the same when its resolved text is read in its place.
#include <math.h>
#include <unistd.h>

#include "config/config.h"
#include "fuzz.h"
#include "sim/sim.h"
#include "sim/state.h"

enum { OVERRIDES = 16 };

static char folder[64];

static void leave(void) {
  unlink("m");
  unlink("s");
  if (chdir("/") == 0) rmdir(folder);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc, (void)argv;
  fuzz_enter(folder);
  return atexit(leave);
}

// The resolved text says which files it comes from; read by itself it comes from none.
static void leave_out_files(char *text) {
  for (char *at = text; (at = strstr(at, "# file: "));) *strchr(at, ':') = ';';
}

static void read_again(stz_config *config) {
  stz_config *again;
  demand(stz_config_parse(MPI_COMM_NULL, "resolved", config->resolved_text, NULL, 0, &again) == STZ_OK);
  leave_out_files(config->resolved_text);
  leave_out_files(again->resolved_text);
  demand(stz_state_same_input("resolved", again->resolved_text, config->resolved_text) == STZ_OK);
  demand(stz_state_input_hash(again->resolved_text) == stz_state_input_hash(config->resolved_text));
  stz_config_destroy(&again);
}

static void estimate(const stz_config *config) {
  char engine[STZ_ENGINE_TEXT];
  stz_estimate found;
  stz_sim_engine(config, engine);
  demand(stz_sim_estimate(config, 1, NULL, &found) == STZ_OK);
  demand(found.bytes_per_rank > 0.0 && found.seconds >= 0.0 && found.events >= 0.0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const long live = stz_alloc_live();
  fuzz_parts parts;
  stz_override overrides[OVERRIDES] = {{NULL, NULL}};
  stz_config *config;
  int count = 0;
  fuzz_split(data, size, &parts);
  for (char *line = strtok(parts.text[1], "\n"); line && count < OVERRIDES; line = strtok(NULL, "\n")) {
    overrides[count++].text = line;
  }
  fuzz_write("m", parts.text[2], strlen(parts.text[2]));
  fuzz_write("s", parts.text[3], strlen(parts.text[3]));
  const stz_err err = stz_config_parse(MPI_COMM_NULL, "in.cfg", parts.text[0], overrides, count, &config);
  if (err == STZ_OK) {
    read_again(config);
    estimate(config);
    stz_config_destroy(&config);
  } else {
    fuzz_expect_failure(err);
  }
  demand(!config && stz_alloc_live() == live);
  free(parts.held);
  return 0;
}
