// SPDX-License-Identifier: GPL-3.0-or-later
#include "glass/glass.h"

#include <math.h>

#include "base/comm.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "base/tensor.h"
#include "glass/barrier.h"

static stz_err add_fields(stz_glass *g) {
  // With damage the barriers follow its recovery when somebody looks; without, they follow the events alone.
  const bool soft = g->barriers.softening_eV > 0.0;
  const stz_field_role barrier = soft ? STZ_FIELD_DERIVED : STZ_FIELD_FIXED;
  const struct {
    stz_field_spec spec;
    void **data;
  } fields[] = {
      {{"structure", "1", "structure field g, positive in Ni-rich domains", STZ_F32, 1, STZ_FIELD_FIXED},
       (void **)&g->structure},
      {{"composition", "1", "Ni atomic fraction", STZ_F32, 1, STZ_FIELD_FIXED}, (void **)&g->composition},
      {{"barrier_base", "eV", "barrier without noise", STZ_F32, 1, STZ_FIELD_FIXED}, (void **)&g->base},
      {{"noise", "1", "Gaussian field under the barriers", STZ_F32, 1, STZ_FIELD_STATE}, (void **)&g->noise},
      {{"barrier", "eV", "activation barrier at zero stress", STZ_F32, 1, barrier}, (void **)&g->barrier},
      {{"plastic_strain", "1", "plastic strain, deviator components", STZ_F32, 5, STZ_FIELD_STATE},
       (void **)&g->plastic},
      {{"cell", "1", "grain of orientation", STZ_U32, 1, STZ_FIELD_FIXED}, (void **)&g->cell},
      {{"rotation", "1", "entry of the rotation table", STZ_U16, 1, STZ_FIELD_STATE}, (void **)&g->rotation},
      {{"event_count", "1", "events centred on the voxel", STZ_U32, 1, STZ_FIELD_STATE}, (void **)&g->event_count},
      {{"last_rotation", "1", "rotation at the last event", STZ_U16, 1, STZ_FIELD_STATE}, (void **)&g->last_rotation},
      {{"last_shear", "1", "mode and sign of the last event", STZ_U8, 1, STZ_FIELD_STATE}, (void **)&g->last_shear},
  };
  STZ_TRY(stz_fields_create(g->grid, &g->fields));
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    STZ_TRY(stz_fields_add(g->fields, &fields[i].spec, fields[i].data));
  }
  if (soft) {
    static const stz_field_spec damage = {"damage", "1", "damage at the reference of its recovery",
                                          STZ_F32,  1,   STZ_FIELD_STATE};
    static const stz_field_spec hard = {"barrier_undamaged", "eV", "barrier without damage", STZ_F32, 1,
                                        STZ_FIELD_FIXED};
    STZ_TRY(stz_fields_add(g->fields, &damage, (void **)&g->damage));
    STZ_TRY(stz_fields_add(g->fields, &hard, (void **)&g->hard));
  }
  return stz_quenched_init(g);
}

typedef struct giving {
  stz_glass *g;
  const stz_micro *micro;
} giving;

static void take_structure(void *context, int64_t first, int64_t end, int worker) {
  (void)worker;
  const giving *t = context;
  stz_glass *g = t->g;
  for (int64_t i = first; i < end; i++) {
    g->base[i] = (float)stz_barrier_base(&g->barriers, t->micro, i);
    g->structure[i] = (float)stz_micro_g(t->micro)[i];
    g->composition[i] = (float)stz_micro_composition(t->micro)[i];
  }
}

static void set_barriers(void *context, int64_t first, int64_t end, int worker) {
  (void)worker;
  for (int64_t i = first; i < end; i++) stz_barrier_update(context, i);
}

enum { SITES = 8192 }; // of a part of the team's work

stz_err stz_glass_create(const stz_grid *grid, stz_spectral *spectral, const stz_micro *micro,
                         const stz_stz_params *stz, const stz_barrier_params *barriers, const stz_order_params *order,
                         double foil_nm, double probe_nm, uint64_t seed, const stz_glass_given *given,
                         stz_glass **glass) {
  static const stz_glass_given nothing = {NULL, NULL};
  stz_glass *g = NULL;
  *glass = NULL;
  stz_err err = STZ_NEW(g, 1);
  if (err == STZ_OK) {
    g->grid = grid;
    g->stz = *stz;
    g->barriers = *barriers;
    g->noise_eV = barriers->width_eV;
    g->order = *order;
    g->seed = seed;
    stz_modes_init(&g->modes, stz->orientation, seed);
    if (stz->catalogue.count > 0) stz_modes_replace(&g->modes, &stz->catalogue);
    stz_marginal_set(&g->marginal, barriers->distribution, barriers->weibull_shape, barriers->cutoff_sigma);
    err = add_fields(g);
  }
  STZ_TRY_TO(fail, err, stz_agree(stz_grid_comm(grid), err));
  STZ_TRY_TO(fail, err, stz_stage(stz_grid_comm(grid), "drawing the barriers"));
  stz_team *team = stz_grid_team(grid);
  stz_team_run(team, stz_grid_local_sites(grid), SITES, take_structure, &(giving){g, micro});
  const stz_micro *structured = stz_micro_matched(micro);
  if (structured && stz_micro_frozen(micro)) {
    STZ_TRY_TO(fail, err, stz_histogram_freeze(g, spectral, structured));
  } else if (structured) {
    STZ_TRY_TO(fail, err, stz_histogram_match(g, structured));
  }
  if (!given) given = &nothing;
  stz_surface_barriers(g);
  for (int64_t i = 0; given->rise && i < stz_grid_local_sites(grid); i++) g->base[i] += (float)given->rise[i];
  STZ_TRY_TO(fail, err, stz_noise_init(g, spectral));
  stz_damage_init(g, given->damage);
  STZ_TRY_TO(fail, err, stz_stage(stz_grid_comm(grid), "drawing the orientations"));
  STZ_TRY_TO(fail, err, stz_orientation_init(g));
  STZ_TRY_TO(fail, err, stz_stage(stz_grid_comm(grid), "placing the clusters"));
  STZ_TRY_TO(fail, err, stz_clusters_init(g, foil_nm, probe_nm));
  STZ_TRY_TO(fail, err, stz_agree(stz_grid_comm(grid), STZ_NEW(g->touched, 2 * g->footprint_size + g->cells.most + 1)));
  stz_team_run(team, stz_grid_local_sites(grid), SITES, set_barriers, g);
  g->highest = stz_barrier_highest(g);
  *glass = g;
  return STZ_OK;
fail:
  stz_glass_destroy(&g);
  return err;
}

void stz_glass_destroy(stz_glass **glass) {
  stz_glass *g = *glass;
  if (!g) return;
  stz_fields_destroy(&g->fields);
  stz_free(g->footprint);
  stz_free(g->folded);
  stz_free(g->touched);
  stz_free(g->clusters);
  stz_free(g->row_clusters);
  stz_free(g);
  *glass = NULL;
}

void stz_glass_locate(const stz_glass *glass, stz_shear *shear) {
  const int64_t i = stz_grid_local(glass->grid, shear->site);
  shear->rotation = glass->rotation[i];
  shear->cell = glass->cell[i];
  shear->number = glass->event_count[i];
}

// Notes an event at one of this rank's sites: its plastic strain, its count, and whether it reversed the one before.
static void record_event(stz_glass *g, int64_t i, const stz_shear *shear, const double d[5]) {
  const size_t stride = stz_field_stride(g->grid);
  const double density = stz_grid_voxels(g->grid, g->stz.volume_nm3);
  if (g->last_shear[i] != 0) {
    const int mode = (g->last_shear[i] - 1) / 2, sign = (g->last_shear[i] - 1) % 2 ? -1 : 1;
    double last[5], product = 0.0;
    stz_modes_deviator(&g->modes, mode, g->last_rotation[i], last);
    for (int c = 0; c < 5; c++) product += sign * last[c] * d[c];
    if (product < -0.9 * 0.5 * g->stz.gamma0) g->reversals++;
  }
  for (int c = 0; c < 5; c++) g->plastic[(size_t)c * stride + (size_t)i] += (float)(density * d[c]);
  g->event_count[i]++;
  g->last_rotation[i] = (uint16_t)shear->rotation;
  g->last_shear[i] = (uint8_t)(1 + 2 * shear->mode + (shear->sign < 0));
}

static void deviator_of(const stz_glass *g, const stz_shear *shear, double d[5]) {
  stz_modes_deviator(&g->modes, shear->mode, shear->rotation, d);
  for (int c = 0; c < 5; c++) d[c] *= shear->sign * g->stz.gamma0;
}

void stz_glass_strain(const stz_glass *glass, const stz_shear *shear, double strain[6]) {
  double d[5];
  deviator_of(glass, shear, d);
  stz_sym_from_dev(d, strain);
}

void stz_glass_count(stz_glass *glass, const stz_shear *shear) {
  const int64_t local = stz_grid_local(glass->grid, shear->site);
  double d[5];
  deviator_of(glass, shear, d);
  if (local >= 0) record_event(glass, local, shear, d);
}

// What an event does to all but its own site's record.
static void change_fields(stz_glass *glass, const stz_shear *shear) {
  stz_clusters_shear(glass, shear);
  glass->touched_count = 0;
  if (glass->damage) stz_damage_add(glass, shear->site);
  if (glass->barriers.redraw == STZ_REDRAW_NONE) return;
  stz_rng rng = stz_rng_stream2(glass->seed, STZ_RNG_REDRAW, (uint64_t)shear->site, shear->number);
  stz_noise_redraw(glass, shear->site, stz_rng_normal(&rng));
  stz_orientation_turn(glass, shear, (int)stz_rng_below(&rng, (uint64_t)glass->modes.rotations));
}

void stz_glass_shear(stz_glass *glass, const stz_shear *shear, double strain[6]) {
  stz_glass_strain(glass, shear, strain);
  if (!glass->journal) {
    stz_glass_count(glass, shear);
    change_fields(glass, shear);
    return;
  }
  stz_journal_begin(glass);
  if (stz_journal_reached(glass, shear)) change_fields(glass, shear);
  stz_journal_end(glass);
}

const int64_t *stz_glass_touched(const stz_glass *glass, int *count) {
  *count = glass->touched_count;
  return glass->touched;
}

const stz_grid *stz_glass_grid(const stz_glass *glass) { return glass->grid; }
const stz_fields *stz_glass_fields(const stz_glass *glass) { return glass->fields; }
const stz_modes *stz_glass_modes(const stz_glass *glass) { return &glass->modes; }
const stz_stz_params *stz_glass_stz(const stz_glass *glass) { return &glass->stz; }
const float *stz_glass_barrier(const stz_glass *glass) { return glass->barrier; }
double stz_glass_highest_barrier(const stz_glass *glass) { return glass->highest; }
const uint16_t *stz_glass_rotation(const stz_glass *glass) { return glass->rotation; }
const float *stz_glass_structure(const stz_glass *glass) { return glass->structure; }
const float *stz_glass_composition(const stz_glass *glass) { return glass->composition; }
const uint32_t *stz_glass_event_count(const stz_glass *glass) { return glass->event_count; }
double stz_glass_cluster_density(const stz_glass *glass) { return glass->cluster_density; }
const stz_order_params *stz_glass_order(const stz_glass *glass) { return &glass->order; }

const float *stz_glass_plastic(const stz_glass *glass, int component) {
  return glass->plastic + (size_t)component * stz_field_stride(glass->grid);
}

const float *stz_glass_quenched(const stz_glass *glass, int component) {
  return glass->quenched ? glass->quenched + (size_t)component * stz_field_stride(glass->grid) : NULL;
}

const stz_cluster *stz_glass_clusters(const stz_glass *glass, int64_t *count) {
  *count = glass->cluster_count;
  return glass->clusters + glass->row_clusters[0];
}

int64_t stz_glass_ordered(const stz_glass *glass) { return glass->ordered_count; }

void stz_glass_save_order(const stz_glass *glass, uint8_t *ordered) {
  for (int64_t i = 0; i < glass->cluster_count; i++) ordered[i] = glass->clusters[i].ordered;
}

void stz_glass_restore(stz_glass *glass, const uint8_t *ordered, uint64_t reversals, stz_recovery recovery) {
  glass->recovery = recovery;
  glass->ordered_count = 0;
  for (int64_t i = 0; i < glass->cluster_count; i++) {
    glass->clusters[i].ordered = ordered[i] != 0;
    glass->ordered_count += glass->clusters[i].ordered;
  }
  for (int64_t i = 0; i < stz_grid_local_sites(glass->grid); i++) stz_barrier_update(glass, i);
  glass->reversals = stz_grid_rank(glass->grid) == 0 ? reversals : 0;
}

uint64_t stz_glass_reversals(const stz_glass *glass) {
  uint64_t total;
  MPI_Allreduce(&glass->reversals, &total, 1, MPI_UINT64_T, MPI_SUM, stz_grid_comm(glass->grid));
  return total;
}

// Of the catalogue and the table of rotations: which shears a mode's number and a rotation's stand for.
static uint64_t modes_hash(const stz_modes *modes) {
  uint64_t sum = stz_hash_mix(1002, 0, (uint64_t)modes->count);
  for (int i = 0; i < modes->count * 5; i++) sum += stz_hash_double(1003, (uint64_t)i, modes->p[i / 5][i % 5]);
  for (int i = 0; i < modes->rotations * 25; i++) {
    sum += stz_hash_double(1004, (uint64_t)i, modes->turn[i / 25][i % 25]);
  }
  return sum;
}

uint64_t stz_glass_hash(const stz_glass *glass) {
  const uint64_t local = stz_clusters_hash(glass);
  uint64_t clusters;
  MPI_Allreduce(&local, &clusters, 1, MPI_UINT64_T, MPI_SUM, stz_grid_comm(glass->grid));
  const uint64_t fields = stz_fields_hash(glass->fields) + clusters + modes_hash(&glass->modes);
  if (!glass->damage) return fields;
  return fields + stz_hash_double(1001, 0, glass->recovery.sum) + stz_hash_double(1001, 1, glass->recovery.most);
}
