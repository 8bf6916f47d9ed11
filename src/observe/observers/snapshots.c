// SPDX-License-Identifier: GPL-3.0-or-later
//
// Fields at the strains of output.snapshot_strains, a file each: OUT.NNNN.hdf.
#include "observe/snapshots.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/comm.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/tensor.h"
#include "base/units.h"
#include "io/snapshot.h"
#include "observe/level.h"

typedef struct snapshots {
  stz_reached reached;
  double *times_s; // of each that was taken, room for all
} snapshots;

const stz_strain_levels *stz_snapshots_levels(const stz_config *config) {
  if (!config->snapshots) return NULL;
  return config->snapshot_strains.count > 0 ? &config->snapshot_strains : &config->nbed_strains;
}

// What a snapshot computes at a site from its deviators of plastic strain and of driving stress (GPa).
typedef double formula(const double plastic[6], const double stress[6]);

static double axial_strain(const double plastic[6], const double stress[6]) {
  (void)stress;
  return plastic[STZ_XX];
}

static double equivalent_strain(const double plastic[6], const double stress[6]) {
  (void)stress;
  return sqrt(2.0 / 3.0 * stz_sym_dot(plastic, plastic));
}

static double mises_stress(const double plastic[6], const double stress[6]) {
  (void)plastic;
  return sqrt(1.5 * stz_sym_dot(stress, stress));
}

#define STRESS_COMPONENT(name, component)                                                                              \
  static double name(const double plastic[6], const double stress[6]) {                                                \
    (void)plastic;                                                                                                     \
    return stress[component];                                                                                          \
  }
STRESS_COMPONENT(stress_xx, STZ_XX)
STRESS_COMPONENT(stress_yz, STZ_YZ)
STRESS_COMPONENT(stress_xz, STZ_XZ)
STRESS_COMPONENT(stress_xy, STZ_XY)

#define VOXELS "z y x", STZ_FLOAT32
enum { COMPOSITION, BARRIER, EVENT_COUNT, DERIVED };
static const stz_dataset fields[] = {
    [COMPOSITION] = {"composition", "1", "Ni atomic fraction", VOXELS},
    [BARRIER] = {"barrier_eV", "eV", "activation barrier at zero stress", VOXELS},
    [EVENT_COUNT] = {"event_count", "1", "events centred on the voxel", VOXELS},
    [DERIVED] = {"plastic_strain_axial", "1", "sum of gamma0 P_xx Omega/a^3 over the events centred on the voxel",
                 VOXELS},
    {"plastic_strain_equivalent", "1", "von Mises equivalent sqrt(2/3 e:e) of the voxel's plastic strain", VOXELS},
    {"stress_deviator_xx_GPa", "GPa", "driving stress, mean included, xx of its deviator", VOXELS},
    {"stress_yz_GPa", "GPa", "driving stress, mean included", VOXELS},
    {"stress_xz_GPa", "GPa", "driving stress, mean included", VOXELS},
    {"stress_xy_GPa", "GPa", "driving stress, mean included", VOXELS},
    {"stress_mises_GPa", "GPa", "von Mises equivalent sqrt(3/2 s:s) of the driving stress", VOXELS},
};
static formula *const derived[] = {axial_strain, equivalent_strain, stress_xx,   stress_yz,
                                   stress_xz,    stress_xy,         mises_stress};

enum { POSITION, ORIENTED, ORDERED };
static const stz_dataset clusters[] = {
    [POSITION] = {"position_nm", "nm", "centre in the box, x y z", "cluster axis[3]", STZ_FLOAT64},
    [ORIENTED] = {"oriented", "1", "1: oriented for Bragg reflection", "cluster", STZ_INT8},
    [ORDERED] = {"ordered", "1", "1: has its order", "cluster", STZ_INT8},
};
static const stz_dataset input[] = {{"resolved", "1", "every key with its value", "", STZ_TEXT}};

#define WHEN "in each snapshot `OUT.NNNN.hdf`, with `output.snapshots = true`"
static const stz_group groups[] = {{STZ_GROUP(STZ_POINTS, WHEN, fields)},
                                   {STZ_GROUP(STZ_CLUSTERS, WHEN, clusters)},
                                   {STZ_GROUP(STZ_INPUT, WHEN, input)}};

typedef struct evaluation {
  const stz_view *s;
  double mean[5];
  const float *stress[5];
  formula *value;
  float *field;
} evaluation;

static void evaluate(void *context, int64_t first, int64_t end, int worker) {
  (void)worker;
  const evaluation *e = context;
  for (int64_t i = first; i < end; i++) {
    double strain[5], stress[5], plastic[6], driving[6];
    for (int c = 0; c < 5; c++) {
      strain[c] = stz_glass_plastic(e->s->glass, c)[i];
      stress[c] = (e->mean[c] + e->stress[c][i]) / STZ_GPA;
    }
    stz_sym_from_dev(strain, plastic);
    stz_sym_from_dev(stress, driving);
    e->field[i] = (float)e->value(plastic, driving);
  }
}

static stz_err write_fields(stz_snapshot *file, const stz_view *s, const stz_macro *macro, float *field) {
  evaluation e = {.s = s, .field = field};
  stz_dev_from_sym(macro->stress, e.mean);
  for (int c = 0; c < 5; c++) e.stress[c] = stz_kmc_stress(s->kmc, c);
  STZ_TRY(stz_snapshot_field(file, &fields[COMPOSITION], stz_glass_composition(s->glass)));
  STZ_TRY(stz_snapshot_field(file, &fields[BARRIER], stz_glass_barrier(s->glass)));
  for (int64_t i = 0; i < stz_grid_local_sites(s->grid); i++) field[i] = (float)stz_glass_event_count(s->glass)[i];
  STZ_TRY(stz_snapshot_field(file, &fields[EVENT_COUNT], field));
  for (size_t i = 0; i < sizeof derived / sizeof *derived; i++) {
    e.value = derived[i];
    const stz_err err = stz_look_run(stz_grid_team(s->grid), stz_grid_local_sites(s->grid), 4096, evaluate, &e);
    STZ_TRY(stz_agree(stz_grid_comm(s->grid), err));
    STZ_TRY(stz_snapshot_field(file, &fields[DERIVED + i], field));
  }
  return STZ_OK;
}

static stz_err write_numbers(stz_snapshot *file, const stz_macro *macro) {
  STZ_TRY(stz_snapshot_number(file, "/", "time_s", macro->run_time_s));
  STZ_TRY(stz_snapshot_number(file, "/", "segment", macro->segment));
  STZ_TRY(stz_snapshot_number(file, "/", "segment_time_s", macro->time_s));
  STZ_TRY(stz_snapshot_number(file, "/", "strain_axial", macro->strain[STZ_XX]));
  STZ_TRY(stz_snapshot_number(file, "/", "stress_axial_GPa", macro->stress[STZ_XX] / STZ_GPA));
  return stz_snapshot_number(file, "/", "plastic_strain_axial", macro->plastic[STZ_XX]);
}

// The clusters, for which virtual NBED asks later: `values` has room for three numbers each.
static stz_err write_clusters(stz_snapshot *file, const stz_glass *glass, double *values) {
  int64_t count;
  const stz_cluster *list = stz_glass_clusters(glass, &count);
  STZ_TRY(stz_snapshot_number(file, STZ_CLUSTERS, "density_per_nm3", stz_glass_cluster_density(glass)));
  for (int64_t i = 0; i < 3 * count; i++) values[i] = list[i / 3].position_nm[i % 3];
  STZ_TRY(stz_snapshot_rows(file, STZ_CLUSTERS, &clusters[POSITION], (int)count, values));
  for (int64_t i = 0; i < count; i++) values[i] = list[i].oriented;
  STZ_TRY(stz_snapshot_rows(file, STZ_CLUSTERS, &clusters[ORIENTED], (int)count, values));
  for (int64_t i = 0; i < count; i++) values[i] = list[i].ordered;
  return stz_snapshot_rows(file, STZ_CLUSTERS, &clusters[ORDERED], (int)count, values);
}

static stz_err write_file(const stz_view *view, int index, const stz_macro *macro) {
  stz_snapshot *file = NULL;
  float *field = NULL;
  double *values = NULL;
  int64_t count;
  (void)stz_glass_clusters(view->glass, &count);
  stz_err err = STZ_NEW(field, stz_grid_local_sites(view->grid));
  if (err == STZ_OK) err = STZ_NEW(values, 3 * count);
  err = stz_agree(stz_grid_comm(view->grid), err);
  if (err == STZ_OK) err = stz_snapshot_create(view->grid, view->stem, index, &file);
  if (err == STZ_OK) err = write_numbers(file, macro);
  if (err == STZ_OK) err = write_fields(file, view, macro, field);
  if (err == STZ_OK) err = write_clusters(file, view->glass, values);
  if (err == STZ_OK) err = stz_snapshot_text(file, STZ_INPUT, &input[0], view->config->resolved_text);
  if (err == STZ_OK) err = stz_snapshot_commit(&file);
  stz_free(values);
  stz_free(field);
  if (err != STZ_OK) stz_snapshot_abandon(&file);
  return err;
}

static bool applies(const stz_config *config) { return stz_snapshots_levels(config) != NULL; }

static const stz_strain_levels *strains(const stz_config *config) { return &config->snapshot_strains; }

static stz_err create(const stz_view *view, void **state) {
  snapshots *s = NULL;
  STZ_TRY(stz_agree(stz_grid_comm(view->grid), STZ_NEW(s, 1)));
  s->reached = (stz_reached){.view = view, .name = "snapshots", .levels = stz_snapshots_levels(view->config)};
  *state = s;
  return stz_agree(stz_grid_comm(view->grid), STZ_NEW(s->times_s, s->reached.levels->count));
}

static void destroy(void *state) {
  snapshots *s = state;
  stz_free(s->times_s);
  stz_free(s);
}

static stz_err take(void *state, const stz_span *span, double at_s) {
  snapshots *s = state;
  const stz_view *view = s->reached.view;
  const stz_macro macro = stz_reached_state(&s->reached, span, at_s);
  STZ_TRY(stz_stage(stz_grid_comm(view->grid), "writing a snapshot"));
  STZ_TRY(stz_view_update(view, &macro));
  STZ_TRY(write_file(view, s->reached.next, &macro));
  stz_log(STZ_LOG_INFO, "snapshot %d at strain %.4g", s->reached.next, macro.strain[STZ_XX]);
  s->times_s[s->reached.next++] = macro.run_time_s;
  return stz_snapshot_series(view->grid, view->stem, s->reached.next, s->times_s);
}

// The count, then the times so far.
static size_t saved_bytes(const void *state) {
  const snapshots *s = state;
  return stz_reached_saved_bytes(state) + (size_t)s->reached.next * sizeof *s->times_s;
}

static void save(const void *state, void *saved) {
  const snapshots *s = state;
  stz_reached_save(state, saved);
  memcpy((char *)saved + stz_reached_saved_bytes(state), s->times_s, (size_t)s->reached.next * sizeof *s->times_s);
}

// Warns of each snapshot that was taken and is gone.
static void miss(const snapshots *s) {
  for (int i = 0; i < s->reached.next; i++) {
    char *path = NULL;
    if (stz_snapshot_path(s->reached.view->stem, i, "", &path) != STZ_OK) return; // there is no memory for a warning
    if (access(path, F_OK) != 0) {
      stz_log(STZ_LOG_WARNING, "%s: is gone, though the run wrote it; the run goes on without it", path);
    }
    stz_free(path);
  }
}

static stz_err restore(void *state, const void *saved, size_t bytes) {
  snapshots *s = state;
  const size_t head = stz_reached_saved_bytes(state);
  STZ_TRY(stz_reached_restore(state, saved, bytes < head ? bytes : head));
  if (bytes != saved_bytes(state)) return stz_observer_foreign("snapshots", bytes);
  memcpy(s->times_s, (const char *)saved + head, bytes - head);
  if (stz_grid_rank(s->reached.view->grid) == 0) miss(s);
  return STZ_OK;
}

const stz_observer stz_observer_snapshots = {.name = "snapshots",
                                             .groups = groups,
                                             .group_count = 3,
                                             .applies = applies,
                                             .strains = strains,
                                             .strains_name = "snapshots",
                                             .create = create,
                                             .destroy = destroy,
                                             .next_due = stz_reached_due,
                                             .take = take,
                                             .saved_bytes = saved_bytes,
                                             .save = save,
                                             .restore = restore};
