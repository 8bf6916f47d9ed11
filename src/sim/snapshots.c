// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/snapshots.h"

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

stz_err stz_snapshots_stem(const char *output, char **stem) {
  const size_t whole = strlen(output), length = whole > 3 && strcmp(output + whole - 3, ".h5") == 0 ? whole - 3 : whole;
  STZ_TRY(STZ_NEW(*stem, length + 1));
  memcpy(*stem, output, length);
  return STZ_OK;
}

stz_err stz_snapshots_begin(const stz_config *config, const char *output, stz_snapshots *snapshots) {
  *snapshots = (stz_snapshots){0};
  if (!config->snapshots) return STZ_OK;
  snapshots->resolved = config->resolved_text;
  snapshots->levels = config->snapshot_strains.count > 0 ? &config->snapshot_strains : &config->nbed_strains;
  STZ_TRY(STZ_NEW(snapshots->times_s, snapshots->levels->count));
  return stz_snapshots_stem(output, &snapshots->stem);
}

void stz_snapshots_clear(stz_snapshots *snapshots) {
  stz_free(snapshots->times_s);
  stz_free(snapshots->stem);
  *snapshots = (stz_snapshots){0};
}

stz_err stz_snapshots_vacant(const stz_snapshots *snapshots, const stz_grid *grid) {
  return snapshots->levels ? stz_snapshot_vacant(grid, snapshots->stem, snapshots->levels->count) : STZ_OK;
}

void stz_snapshots_miss(const stz_snapshots *snapshots) {
  for (int i = 0; i < snapshots->taken; i++) {
    char *path = NULL;
    if (stz_snapshot_path(snapshots->stem, i, "", &path) != STZ_OK) return; // there is no memory for a warning
    if (access(path, F_OK) != 0) {
      stz_log(STZ_LOG_WARNING, "%s: is gone, though the run wrote it; the run goes on without it", path);
    }
    stz_free(path);
  }
}

double stz_snapshots_next(const stz_snapshots *snapshots) {
  const bool some = snapshots->levels && snapshots->taken < snapshots->levels->count;
  return some ? snapshots->levels->values[snapshots->taken] : INFINITY;
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

static const struct {
  const char *name, *unit, *description;
  formula *value;
} derived[] = {
    {"plastic_strain_axial", "1", "sum of gamma0 P_xx Omega/a^3 over the events centred on the voxel", axial_strain},
    {"plastic_strain_equivalent", "1", "von Mises equivalent sqrt(2/3 e:e) of the voxel's plastic strain",
     equivalent_strain},
    {"stress_deviator_xx_GPa", "GPa", "driving stress, mean included, xx of its deviator", stress_xx},
    {"stress_yz_GPa", "GPa", "driving stress, mean included", stress_yz},
    {"stress_xz_GPa", "GPa", "driving stress, mean included", stress_xz},
    {"stress_xy_GPa", "GPa", "driving stress, mean included", stress_xy},
    {"stress_mises_GPa", "GPa", "von Mises equivalent sqrt(3/2 s:s) of the driving stress", mises_stress},
};

typedef struct evaluation {
  const stz_sample *s;
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

static stz_err write_fields(stz_snapshot *file, const stz_sample *s, const stz_macro *macro, float *field) {
  evaluation e = {.s = s, .field = field};
  stz_dev_from_sym(macro->stress, e.mean);
  for (int c = 0; c < 5; c++) e.stress[c] = stz_kmc_stress(s->kmc, c);
  STZ_TRY(stz_snapshot_field(file, "composition", "1", "Ni atomic fraction", stz_glass_composition(s->glass)));
  STZ_TRY(
      stz_snapshot_field(file, "barrier_eV", "eV", "activation barrier at zero stress", stz_glass_barrier(s->glass)));
  for (int64_t i = 0; i < stz_grid_local_sites(s->grid); i++) field[i] = (float)stz_glass_event_count(s->glass)[i];
  STZ_TRY(stz_snapshot_field(file, "event_count", "1", "events centred on the voxel", field));
  for (size_t i = 0; i < sizeof derived / sizeof *derived; i++) {
    e.value = derived[i].value;
    const stz_err err = stz_look_run(stz_grid_team(s->grid), stz_grid_local_sites(s->grid), 4096, evaluate, &e);
    STZ_TRY(stz_agree(stz_grid_comm(s->grid), err));
    STZ_TRY(stz_snapshot_field(file, derived[i].name, derived[i].unit, derived[i].description, field));
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
  static const stz_column position = {"position_nm", "nm", "centre in the box, x y z", 3, STZ_COLUMN_DOUBLE},
                          oriented = {"oriented", "1", "1: oriented for Bragg reflection", 1, STZ_COLUMN_INT8},
                          ordered = {"ordered", "1", "1: has its order", 1, STZ_COLUMN_INT8};
  int64_t count;
  const stz_cluster *clusters = stz_glass_clusters(glass, &count);
  STZ_TRY(stz_snapshot_number(file, STZ_CLUSTERS, "density_per_nm3", stz_glass_cluster_density(glass)));
  for (int64_t i = 0; i < 3 * count; i++) values[i] = clusters[i / 3].position_nm[i % 3];
  STZ_TRY(stz_snapshot_rows(file, STZ_CLUSTERS, &position, (int)count, values));
  for (int64_t i = 0; i < count; i++) values[i] = clusters[i].oriented;
  STZ_TRY(stz_snapshot_rows(file, STZ_CLUSTERS, &oriented, (int)count, values));
  for (int64_t i = 0; i < count; i++) values[i] = clusters[i].ordered;
  return stz_snapshot_rows(file, STZ_CLUSTERS, &ordered, (int)count, values);
}

stz_err stz_snapshots_take(stz_snapshots *snapshots, const stz_sample *sample, const stz_macro *macro) {
  stz_snapshot *file = NULL;
  float *field = NULL;
  double *values = NULL;
  int64_t clusters;
  STZ_TRY(stz_stage(stz_grid_comm(sample->grid), "writing a snapshot"));
  stz_sample_refresh(sample, macro);
  (void)stz_glass_clusters(sample->glass, &clusters);
  stz_err err = STZ_NEW(field, stz_grid_local_sites(sample->grid));
  if (err == STZ_OK) err = STZ_NEW(values, 3 * clusters);
  err = stz_agree(stz_grid_comm(sample->grid), err);
  if (err == STZ_OK) err = stz_snapshot_create(sample->grid, snapshots->stem, snapshots->taken, &file);
  if (err == STZ_OK) err = write_numbers(file, macro);
  if (err == STZ_OK) err = write_fields(file, sample, macro, field);
  if (err == STZ_OK) err = write_clusters(file, sample->glass, values);
  if (err == STZ_OK)
    err = stz_snapshot_text(file, STZ_INPUT, "every key of the input with its value", snapshots->resolved);
  if (err == STZ_OK) err = stz_snapshot_commit(&file);
  stz_free(values);
  stz_free(field);
  if (err != STZ_OK) {
    stz_snapshot_abandon(&file);
    return err;
  }
  stz_log(STZ_LOG_INFO, "snapshot %d at strain %.4g", snapshots->taken, macro->strain[STZ_XX]);
  snapshots->times_s[snapshots->taken++] = macro->run_time_s;
  return stz_snapshot_series(sample->grid, snapshots->stem, snapshots->taken, snapshots->times_s);
}
