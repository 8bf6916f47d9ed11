// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/rescan.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/comm.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "io/snapshot.h"
#include "observe/level.h"
#include "observe/snapshots.h"
#include "sim/header.h"
#include "sim/output.h"
#include "sim/state.h"

typedef struct again {
  const stz_rescan_options *options;
  MPI_Comm comm;
  stz_config *config; // with the new optics; its input is the run's
  stz_grid *grid;
  stz_result *result; // or NULL
  char *stem;
  stz_output *held; // NULL without a result
} again;

// What a snapshot holds for NBED.
typedef struct contents {
  float *composition, *count_numbers;
  uint32_t *event_count;
  double *position, *oriented, *ordered;
  stz_cluster *clusters; // rank 0 has them all
  int cluster_count;
  double density;
  stz_moment moment;
} contents;

static void contents_clear(contents *c) {
  stz_free(c->composition);
  stz_free(c->count_numbers);
  stz_free(c->event_count);
  stz_free(c->position);
  stz_free(c->oriented);
  stz_free(c->ordered);
  stz_free(c->clusters);
}

// A value that no run writes, but a file may hold.
static stz_err refuse(const again *a, int index, const char *name, double got, const char *needs) {
  char *path = NULL;
  STZ_TRY(stz_snapshot_path(a->stem, index, "", &path));
  const stz_err err = stz_fail(STZ_EIO, "%s: %s: got %g, needs %s", path, name, got, needs);
  stz_free(path);
  return err;
}

static stz_err check_fields(const again *a, int index, const contents *c) {
  for (int64_t i = 0; i < stz_grid_local_sites(a->grid); i++) {
    const float x = c->composition[i], n = c->count_numbers[i];
    if (!(x >= 0.0F && x <= 1.0F)) return refuse(a, index, "composition", (double)x, "fractions from 0 to 1");
    if (!(n >= 0.0F && n < 0x1p32F)) return refuse(a, index, "event_count", (double)n, "counts");
  }
  return STZ_OK;
}

static stz_err read_fields(const again *a, int index, stz_snapshot_source *source, contents *c) {
  const stz_grid *grid = a->grid;
  const int64_t sites = stz_grid_local_sites(grid);
  stz_err err = STZ_NEW(c->composition, sites);
  if (err == STZ_OK) err = STZ_NEW(c->count_numbers, sites);
  if (err == STZ_OK) err = STZ_NEW(c->event_count, sites);
  STZ_TRY(stz_agree(stz_grid_comm(grid), err));
  STZ_TRY(stz_snapshot_read_field(source, "composition", c->composition));
  STZ_TRY(stz_snapshot_read_field(source, "event_count", c->count_numbers));
  STZ_TRY(stz_agree(stz_grid_comm(grid), check_fields(a, index, c)));
  for (int64_t i = 0; i < sites; i++) c->event_count[i] = (uint32_t)c->count_numbers[i];
  return STZ_OK;
}

static stz_err read_clusters(stz_snapshot_source *source, const stz_grid *grid, contents *c) {
  int oriented, ordered;
  STZ_TRY(stz_snapshot_read_number(source, STZ_CLUSTERS, "density_per_nm3", &c->density));
  STZ_TRY(stz_snapshot_read_rows(source, STZ_CLUSTERS "/position_nm", 3, &c->cluster_count, &c->position));
  STZ_TRY(stz_snapshot_read_rows(source, STZ_CLUSTERS "/oriented", 1, &oriented, &c->oriented));
  STZ_TRY(stz_snapshot_read_rows(source, STZ_CLUSTERS "/ordered", 1, &ordered, &c->ordered));
  stz_err err = STZ_NEW(c->clusters, c->cluster_count);
  if (err == STZ_OK && (oriented != c->cluster_count || ordered != c->cluster_count)) {
    err = stz_fail(STZ_EIO, "%s: columns of unequal length in a snapshot", STZ_CLUSTERS);
  }
  STZ_TRY(stz_agree(stz_grid_comm(grid), err));
  for (int i = 0; i < c->cluster_count; i++) {
    stz_cluster *cluster = &c->clusters[i];
    for (int axis = 0; axis < 3; axis++) cluster->position_nm[axis] = c->position[3 * i + axis];
    cluster->oriented = c->oriented[i] != 0.0;
    cluster->ordered = c->ordered[i] != 0.0;
  }
  return STZ_OK;
}

// A snapshot left by another run of the same name is none of this one's.
static stz_err check_input(const again *a, stz_snapshot_source *source, int index) {
  char *theirs = NULL, *path = NULL;
  STZ_TRY(stz_snapshot_read_text(source, STZ_INPUT "/resolved", &theirs));
  stz_err err = STZ_OK;
  if (stz_grid_rank(a->grid) == 0) {
    err = stz_snapshot_path(a->stem, index, "", &path);
    if (err == STZ_OK) err = stz_state_same_input(path, theirs, a->config->input_text);
  }
  stz_free(path);
  stz_free(theirs);
  return stz_agree(stz_grid_comm(a->grid), err);
}

static stz_err read_moment(const again *a, int index, stz_snapshot_source *source, stz_moment *moment) {
  double segment;
  STZ_TRY(stz_snapshot_read_number(source, "/", "strain_axial", &moment->strain));
  STZ_TRY(stz_snapshot_read_number(source, "/", "time_s", &moment->time_s));
  moment->segment_time_s = NAN; // of older snapshots, which have no time in the segment
  if (stz_snapshot_read_number(source, "/", "segment", &segment) != STZ_OK) return STZ_OK;
  if (!(segment >= 0.0 && segment < INT_MAX)) return refuse(a, index, "segment", segment, "the number of a segment");
  moment->segment = (int)segment;
  return stz_snapshot_read_number(source, "/", "segment_time_s", &moment->segment_time_s);
}

static stz_err read_contents(const again *a, int index, contents *c) {
  stz_snapshot_source *source = NULL;
  STZ_TRY(stz_snapshot_open(a->grid, a->stem, index, &source));
  stz_err err = check_input(a, source, index);
  if (err == STZ_OK) err = read_moment(a, index, source, &c->moment);
  if (err == STZ_OK) err = read_fields(a, index, source, c);
  if (err == STZ_OK) err = read_clusters(source, a->grid, c);
  stz_snapshot_close(&source);
  return err;
}

// The level of the run that a snapshot was taken with; one of its own if there is none.
static uint64_t stream_of(const stz_config *config, int index) {
  const stz_strain_levels *nbed = &config->nbed_strains;
  if (config->snapshot_strains.count == 0) return (uint64_t)index;
  for (int i = 0; i < nbed->count; i++) {
    if (nbed->values[i] == config->snapshot_strains.values[index]) return (uint64_t)i;
  }
  return (uint64_t)(nbed->count + index);
}

static stz_err show(const again *a, int index, const contents *c, const stz_nbed *nbed) {
  const stz_rescan_level level = {.snapshot = index,
                                  .scans = nbed->scans,
                                  .strain = c->moment.strain,
                                  .time_s = c->moment.time_s,
                                  .bragg_mean = nbed->bragg_mean,
                                  .bragg_scatter = nbed->bragg_scatter,
                                  .bragg_expected = nbed->bragg_expected};
  if (stz_grid_rank(a->grid) == 0) a->options->level(&level);
  if (!a->result) return STZ_OK;
  return stz_strain_level_write(a->result, index, nbed, &a->config->nbed, &c->moment);
}

static stz_err scan(const again *a, int index) {
  contents c = {0};
  stz_nbed *nbed = NULL;
  stz_err err = read_contents(a, index, &c);
  if (err == STZ_OK) {
    const stz_nbed_sample sample = {.grid = a->grid,
                                    .clusters = c.clusters,
                                    .cluster_count = c.cluster_count,
                                    .event_count = c.event_count,
                                    .composition = c.composition,
                                    .cluster_density = c.density,
                                    .stz_volume_nm3 = a->config->stz.volume_nm3,
                                    .order = a->config->order};
    err = stz_nbed_create(&sample, &a->config->nbed, a->config->seed, stream_of(a->config, index), &nbed);
  }
  if (err == STZ_OK) err = show(a, index, &c, nbed);
  stz_nbed_destroy(&nbed);
  contents_clear(&c);
  return err;
}

static stz_err list_files(const again *a, char **files) {
  const int count = a->config->snapshot_strains.count + a->config->nbed_strains.count;
  const size_t size = (size_t)(count + 3) * (strlen(a->options->result) + 48);
  STZ_TRY(STZ_NEW(*files, size));
  char *at = *files;
  at += sprintf(at, "%s", a->options->result) + 1;
  for (int i = -1; i < count; i++) {
    char *path;
    STZ_TRY(stz_snapshot_path(a->stem, i, "", &path));
    at += sprintf(at, "%s", path) + 1;
    stz_free(path);
  }
  return STZ_OK;
}

static stz_err hold_output(again *a) {
  char *files = NULL;
  stz_err err = stz_agree(a->comm, list_files(a, &files));
  const stz_output_claim claim = {.output = a->options->output, .files = files};
  if (err == STZ_OK) err = stz_output_hold(a->comm, &claim, &a->held);
  stz_free(files);
  return err;
}

static stz_err begin_file(again *a) {
  static const stz_dataset input = {"input", "1", "the resolved input of the run", "", STZ_TEXT},
                           resolved = {"resolved", "1", "the same with the optics of these scans", "", STZ_TEXT};
  const stz_rescan_options *o = a->options;
  if (!o->output) return STZ_OK;
  STZ_TRY(hold_output(a));
  STZ_TRY(stz_result_create(a->grid, o->output, o->force, &a->result));
  STZ_TRY(stz_header_provenance(a->result, a->config, o->command_line, stz_grid_ranks(a->grid)));
  STZ_TRY(stz_result_text(a->result, "/", "scanned", o->result));
  STZ_TRY(stz_result_text_dataset(a->result, "/config", &input, a->config->input_text));
  return stz_result_text_dataset(a->result, "/config", &resolved, a->config->resolved_text);
}

static stz_err scan_all(again *a) {
  int count = 0;
  if (!a->config->snapshots) {
    return stz_fail(STZ_EINPUT, "%s: has no snapshots: its run had output.snapshots = false", a->options->result);
  }
  STZ_TRY(stz_grid_create(a->comm, &a->config->lattice, &a->grid));
  STZ_TRY(stz_agree(a->comm, stz_output_path(a->options->result, "", &a->stem)));
  STZ_TRY(stz_snapshot_count(a->grid, a->stem, &count));
  STZ_TRY(begin_file(a));
  for (int i = 0; i < count; i++) {
    STZ_TRY(stz_stage(a->comm, "scanning the snapshots"));
    STZ_TRY(scan(a, i));
  }
  return a->result ? stz_result_int(a->result, "/", "complete", 1) : STZ_OK;
}

static stz_err read_config(again *a) {
  const stz_rescan_options *o = a->options;
  char *resolved = NULL;
  bool complete;
  int rank;
  MPI_Comm_rank(a->comm, &rank);
  stz_err err = stz_agree(a->comm, rank == 0 ? stz_result_peek(o->result, &complete, &resolved) : STZ_OK);
  if (err == STZ_OK) {
    err = stz_config_parse(a->comm, o->result, resolved, o->overrides, o->override_count, &a->config);
  }
  stz_free(resolved);
  return err;
}

stz_err stz_rescan_run(MPI_Comm comm, const stz_rescan_options *options) {
  again a = {.options = options, .comm = comm};
  stz_err err = read_config(&a);
  if (err == STZ_OK) err = scan_all(&a);
  const stz_err closing = err == STZ_OK ? stz_result_close(&a.result) : STZ_OK;
  const bool begun = a.result != NULL;
  if (err != STZ_OK) stz_result_abandon(&a.result);
  if (err == STZ_ESTOPPED && begun && stz_grid_rank(a.grid) == 0) remove(options->output); // it is short: begun again
  stz_output_release(&a.held);
  stz_free(a.stem);
  stz_grid_destroy(&a.grid);
  stz_config_destroy(&a.config);
  return err == STZ_OK ? closing : err;
}
