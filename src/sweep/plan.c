// SPDX-License-Identifier: GPL-3.0-or-later
#include "sweep/plan.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/comm.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/utf8.h"
#include "rng/rng.h"
#include "sim/sim.h"
#include "sim/state.h"

static uint64_t seed_of(const stz_sweep_spec *spec, int point, int replica) {
  if (spec->seeds == STZ_SEEDS_LISTED) return spec->listed[replica];
  if (spec->seeds == STZ_SEEDS_CONSECUTIVE) return spec->seed + (uint64_t)(point * spec->replicas + replica);
  const uint64_t index = spec->seeds == STZ_SEEDS_COMMON ? 0 : (uint64_t)point;
  stz_rng rng = stz_rng_stream2(spec->seed, STZ_RNG_RUN, index, (uint64_t)replica);
  return stz_rng_next(&rng) >> 11;
}

// An override, and how messages call it: "SWEEP.cfg:12".
typedef struct setting {
  char *text, *option;
} setting;

// Of a line of the sweep file, or without a path of the command line.
static stz_err print_setting(setting *s, const char *path, int line, const char *key, const char *value) {
  const size_t size = strlen(key) + strlen(value) + 2, option_size = path ? strlen(path) + 16 : 16;
  STZ_TRY(STZ_NEW(s->text, size));
  STZ_TRY(STZ_NEW(s->option, option_size));
  snprintf(s->text, size, "%s%s%s", key, key[0] ? "=" : "", value);
  if (path) {
    snprintf(s->option, option_size, "%s:%d", path, line);
  } else {
    snprintf(s->option, option_size, "--set");
  }
  return STZ_OK;
}

// What sets the run apart from its input: the sweep's `set`, the axes, the seed.
static stz_err list_settings(const stz_plan *plan, int run, setting *settings) {
  const stz_sweep_spec *spec = plan->spec;
  char number[STZ_NUMBER_SIZE];
  for (int i = 0; i < spec->sets; i++) {
    STZ_TRY(print_setting(settings++, spec->path, spec->set[i].line, "", spec->set[i].text));
  }
  for (int i = 0; i < plan->override_count; i++) {
    STZ_TRY(print_setting(settings++, NULL, 0, "", plan->overrides[i].text));
  }
  for (int a = 0; a < spec->axis_count; a++) {
    const char *value = stz_design_value(plan->design, plan->runs[run].point, a, number);
    STZ_TRY(print_setting(settings++, spec->path, spec->axes[a].line, spec->axes[a].key, value));
  }
  snprintf(number, sizeof number, "%" PRIu64 "L", plan->runs[run].seed);
  return print_setting(settings, spec->path, 1, "run.seed", number);
}

stz_err stz_plan_config(MPI_Comm comm, const stz_plan *plan, int run, stz_config **config) {
  const int count = plan->spec->sets + plan->override_count + plan->spec->axis_count + 1;
  setting *settings = NULL;
  stz_override *overrides = NULL;
  *config = NULL;
  stz_err err = STZ_NEW(settings, count);
  if (err == STZ_OK) err = STZ_NEW(overrides, count);
  if (err == STZ_OK) err = list_settings(plan, run, settings);
  err = stz_agree(comm, err);
  if (err == STZ_OK) {
    for (int i = 0; i < count; i++) overrides[i] = (stz_override){settings[i].text, settings[i].option};
    err = stz_template_config(comm, plan->input, overrides, count, config);
  }
  for (int i = 0; settings && i < count; i++) {
    stz_free(settings[i].text);
    stz_free(settings[i].option);
  }
  stz_free(settings);
  stz_free(overrides);
  return err;
}

static void print_seeds(FILE *out, const stz_sweep_spec *spec) {
  static const char *const words[] = {"independent", "common", "consecutive"};
  if (spec->seeds != STZ_SEEDS_LISTED) {
    fprintf(out, "seeds = %s;\n", words[spec->seeds]);
    return;
  }
  for (int i = 0; i < spec->replicas; i++) fprintf(out, "%s%" PRIu64, i > 0 ? ", " : "seeds = ", spec->listed[i]);
  fputs(";\n", out);
}

// The sweep in settings, a line each, closed by the input of its first run.
static stz_err make_identity(stz_plan *plan, const stz_config *first) {
  static const char *const designs[] = {"grid", "latin-hypercube", "sobol"};
  const stz_sweep_spec *spec = plan->spec;
  stz_text *text;
  FILE *out;
  STZ_TRY(stz_text_begin(&text, &out));
  fprintf(out, "design = %s;\npoints = %d;\nreplicas = %d;\n", designs[spec->design], stz_design_points(plan->design),
          spec->replicas);
  print_seeds(out, spec);
  fprintf(out, "seed = %" PRIu64 ";\n", spec->seed);
  for (int a = 0; a < spec->axis_count; a++) {
    const stz_axis *axis = &spec->axes[a];
    fprintf(out, "%s = ", axis->key);
    for (int v = 0; axis->values && v < axis->count; v++) fprintf(out, "%s%s", v > 0 ? ", " : "", axis->values[v]);
    if (!axis->values) fprintf(out, "%.17g to %.17g, %s", axis->from, axis->to, axis->logarithmic ? "log" : "linear");
    fprintf(out, " along %s;\n", stz_design_dimension_name(plan->design, stz_design_dimension_of(plan->design, a)));
  }
  fputs(first->resolved_text, out);
  STZ_TRY(stz_text_end(&text, STZ_OK, &plan->identity));
  for (char *c = plan->identity; *c;) { // as it is read back from JSON, which holds UTF-8 alone
    const int length = stz_utf8_length((const unsigned char *)c);
    if (length == 0) *c = '?';
    c += length > 0 ? length : 1;
  }
  return STZ_OK;
}

// Logs what is to be noted about a run's input, unless another run's said the same.
static void note(MPI_Comm comm, stz_plan *plan, const char *notes) {
  const int rank = stz_comm_rank(comm);
  for (int length; rank == 0 && *notes; notes += length + 1) {
    char line[STZ_PLAN_NOTE];
    length = (int)strcspn(notes, "\n");
    snprintf(line, sizeof line, "%.*s", length, notes);
    int told = 0;
    while (told < plan->noted && strcmp(plan->notes[told], line) != 0) told++;
    if (told < plan->noted || plan->noted == STZ_PLAN_NOTES) continue;
    memcpy(plan->notes[plan->noted++], line, sizeof line);
    stz_log(STZ_LOG_WARNING, "%s", line);
  }
}

// Looks at a run's fields, but not again at those of the run before.
static stz_err check_fields(MPI_Comm comm, stz_plan *plan, const stz_config *config) {
  char fields[sizeof plan->fields];
  const int *cells = config->lattice.cells;
  int at = snprintf(fields, sizeof fields, "%d %d %d %d %d %.17g", cells[0], cells[1], cells[2], config->micro.values,
                    config->micro.axes, config->barriers.saturation);
  const int begin = at;
  for (stz_given_field i = 0; i < STZ_GIVEN_FIELDS && at < (int)sizeof fields; i++) {
    const stz_given *g = &config->given[i];
    if (!stz_config_reads(config, i)) continue;
    at += snprintf(fields + at, sizeof fields - (size_t)at, " %d %s %s", i, g->dataset, g->path);
  }
  if (at == begin || strcmp(fields, plan->fields) == 0) return STZ_OK;
  memcpy(plan->fields, fields, sizeof fields);
  stz_field_found found;
  return stz_sim_check_files(comm, config, &found);
}

// Cost of a run; that of the replica before, but for the seed the same run, holds for it too.
static stz_err plan_cost(stz_plan *plan, int run, const stz_config *config, int ranks) {
  stz_plan_run *r = &plan->runs[run];
  stz_estimate estimate;
  if (r->replica > 0) {
    const stz_plan_run *before = r - 1;
    r->seconds = before->seconds;
    r->ranks = before->ranks;
    r->events = before->events;
    r->bytes = before->bytes;
    r->memory = before->memory;
    return STZ_OK;
  }
  STZ_TRY(stz_sim_estimate(config, ranks, NULL, &estimate));
  r->seconds = estimate.seconds;
  r->ranks = estimate.ranks;
  r->events = estimate.events;
  r->bytes = estimate.file_bytes;
  r->memory = estimate.bytes_per_rank;
  return STZ_OK;
}

static stz_err plan_run(MPI_Comm comm, stz_plan *plan, int run, int ranks) {
  stz_plan_run *r = &plan->runs[run];
  stz_config *config = NULL;
  *r = (stz_plan_run){.point = run / plan->spec->replicas, .replica = run % plan->spec->replicas};
  r->seed = seed_of(plan->spec, r->point, r->replica);
  STZ_TRY(stz_plan_config(comm, plan, run, &config));
  note(comm, plan, config->notes);
  r->input_hash = stz_state_input_hash(config->resolved_text);
  stz_err err = stz_agree(comm, plan_cost(plan, run, config, ranks)); // the order of the runs is by it
  if (err == STZ_OK) err = check_fields(comm, plan, config);
  if (err == STZ_OK && run == 0) err = stz_agree(comm, make_identity(plan, config));
  stz_config_destroy(&config);
  return err;
}

static const stz_plan_run *compared; // by qsort's callback, which gets no context

static int longer_first(const void *a, const void *b) {
  const int i = *(const int *)a, j = *(const int *)b;
  if (compared[i].seconds != compared[j].seconds) return compared[i].seconds > compared[j].seconds ? -1 : 1;
  return i < j ? -1 : 1;
}

// A key that an axis varies, or the seeds, would be set in vain.
static stz_err check_overrides(const stz_plan *plan) {
  for (int i = 0; i < plan->override_count; i++) {
    const char *text = plan->overrides[i].text;
    const size_t length = strcspn(text, "=");
    if (length == strlen("run.seed") && strncmp(text, "run.seed", length) == 0) {
      return stz_fail(STZ_EINPUT, "--set: run.seed: the sweep file's `seed` gives each run its own");
    }
    for (int a = 0; a < plan->spec->axis_count; a++) {
      const char *key = plan->spec->axes[a].key;
      if (strlen(key) != length || strncmp(key, text, length) != 0) continue;
      return stz_fail(STZ_EINPUT, "--set: %s: is an axis of the sweep, needs another key", key);
    }
  }
  return STZ_OK;
}

static stz_err prepare(MPI_Comm comm, const char *path, int ranks, stz_plan *plan) {
  char place[1024]; // in the sweep file
  STZ_TRY(stz_sweep_spec_read(comm, path, &plan->spec));
  STZ_TRY(check_overrides(plan));
  STZ_TRY(stz_agree(comm, stz_design_create(plan->spec, &plan->design)));
  snprintf(place, sizeof place, "%s:%d: input", plan->spec->path, plan->spec->input_line);
  STZ_TRY(stz_blame(place, stz_template_read(comm, plan->spec->input, &plan->input)));
  plan->count = stz_design_points(plan->design) * plan->spec->replicas;
  stz_err err = STZ_NEW(plan->runs, plan->count);
  if (err == STZ_OK) err = STZ_NEW(plan->order, plan->count);
  STZ_TRY(stz_agree(comm, err));
  for (int run = 0; run < plan->count; run++) {
    STZ_TRY(plan_run(comm, plan, run, ranks));
    plan->order[run] = run;
  }
  compared = plan->runs;
  qsort(plan->order, (size_t)plan->count, sizeof *plan->order, longer_first);
  return STZ_OK;
}

stz_err stz_plan_read(MPI_Comm comm, const char *path, const stz_override *overrides, int count, int ranks,
                      stz_plan **plan) {
  stz_plan *p = NULL;
  *plan = NULL;
  STZ_TRY(stz_agree(comm, STZ_NEW(p, 1)));
  p->overrides = overrides;
  p->override_count = count;
  const stz_err err = prepare(comm, path, ranks, p);
  if (err != STZ_OK) {
    stz_plan_destroy(&p);
    return err;
  }
  *plan = p;
  return STZ_OK;
}

void stz_plan_destroy(stz_plan **plan) {
  stz_plan *p = *plan;
  if (!p) return;
  stz_template_destroy(&p->input);
  stz_design_destroy(&p->design);
  stz_sweep_spec_destroy(&p->spec);
  stz_free(p->runs);
  stz_free(p->order);
  stz_free(p->identity);
  stz_free(p);
  *plan = NULL;
}

stz_err stz_plan_choose(const stz_plan *plan, const char *list, bool *chosen) {
  for (const char *at = list;;) {
    char *end;
    bool good = isdigit((unsigned char)*at) != 0;
    const long first = strtol(at, &end, 10);
    long last = first;
    if (good && *end == '-') {
      at = end + 1;
      good = isdigit((unsigned char)*at) != 0;
      last = strtol(at, &end, 10);
    }
    if (!good || last < first || last >= plan->count || (*end && *end != ',')) {
      return stz_fail(STZ_EINPUT, "--only: got `%s`, needs runs from 0 to %d, as 0,3,10-19", list, plan->count - 1);
    }
    for (long run = first; run <= last; run++) chosen[run] = true;
    if (!*end) return STZ_OK;
    at = end + 1;
  }
}
