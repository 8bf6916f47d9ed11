// SPDX-License-Identifier: GPL-3.0-or-later
//
// Parts of a glass, slabs of planes for threads of their own. A part is a shallow copy of the glass: its grid is a
// view, and its fields begin at its first plane. Its journal notes what each shear found, so that it can be taken back.
#include <assert.h>

#include "base/memory.h"
#include "base/units.h"
#include "glass/internal.h"

// The most voxels of one grain within the part.
static stz_err largest_grain(const stz_glass *part, int64_t *most) {
  const int *n = part->cells.count;
  int64_t *voxels = NULL;
  *most = 0;
  if (part->modes.rotations == 1) return STZ_OK;
  STZ_TRY(STZ_NEW(voxels, n[0] * n[1] * n[2]));
  for (int64_t i = 0; i < stz_grid_local_sites(part->grid); i++) {
    const int64_t count = ++voxels[part->cell[i]];
    if (count > *most) *most = count;
  }
  stz_free(voxels);
  return STZ_OK;
}

// Planes from an event to the last that its footprint or its sphere (stz_clusters_shear) may touch.
static int reach_of(const stz_glass *g) {
  const double radius = cbrt(3.0 * g->stz.volume_nm3 / (4.0 * STZ_PI));
  int reach = (int)floor(radius / stz_grid_spacing(g->grid) + 0.5);
  for (int i = 0; i < g->footprint_size; i++) {
    const int x = g->footprint[i].offset[0];
    if (x > reach) reach = x;
  }
  return reach;
}

// Two voxels of a grain are no more than twice as far from each other as one may be from its point.
double stz_glass_reach(const stz_glass *g) {
  double most = 0.0;
  for (int i = 0; i < g->footprint_size; i++) {
    const int *d = g->footprint[i].offset;
    most = fmax(most, sqrt((double)(d[0] * d[0] + d[1] * d[1] + d[2] * d[2])));
  }
  if (g->modes.rotations == 1) return most;
  const double *pitch = g->cells.pitch, widest = fmax(pitch[0], fmax(pitch[1], pitch[2]));
  return fmax(most, 2.0 * sqrt(3.0) * widest / stz_grid_spacing(g->grid));
}

static stz_err fill_journal(const stz_glass *part, int most) {
  int64_t grain;
  STZ_TRY(largest_grain(part, &grain));
  stz_journal *j = part->journal;
  const int64_t voxels = part->footprint_size * (part->damage ? 2 : 1); // damage and noise
  j->most = most;
  j->reach = reach_of(part);
  j->first = stz_grid_first_site(part->grid);
  STZ_TRY(STZ_NEW(j->before, most + 1));
  STZ_TRY(STZ_NEW(j->voxels, most * voxels));
  STZ_TRY(STZ_NEW(j->touched, most * (voxels + grain) + 1)); // one place beyond is written (touch_cell)
  return STZ_NEW(j->lost, part->cluster_count);
}

static void forget(stz_glass *part, const stz_glass *whole) {
  stz_journal *j = part->journal;
  j->shears = 0;
  j->before[0] = (stz_shear_before){0};
  j->settled_most = whole->recovery.most;
  part->recovery = whole->recovery;
  part->ordered_count = 0;
  part->touched = j->touched;
  part->touched_count = 0;
}

// Has the fields begin at the part's first plane.
static void shift_fields(stz_glass *g, int64_t first) {
  g->structure += first;
  g->composition += first;
  g->base += first;
  g->noise += first;
  g->barrier += first;
  g->plastic += first;
  g->cell += first;
  g->event_count += first;
  g->rotation += first;
  g->last_rotation += first;
  g->last_shear += first;
  if (g->quenched) g->quenched += first;
  if (g->damage) g->damage += first;
  if (g->hard) g->hard += first;
}

// Makes the part of the copy `g` of a glass.
static stz_err cut(stz_glass *g, int first, int planes, int most) {
  const stz_grid *whole = g->grid;
  const int64_t rows = stz_grid_cells(whole)[1];
  g->journal = NULL;
  STZ_TRY(STZ_NEW(g->journal, 1));
  STZ_TRY(stz_grid_slab(whole, first, planes, &g->journal->slab));
  g->grid = g->journal->slab;
  shift_fields(g, stz_grid_first_site(g->grid));
  g->row_clusters += first * rows;
  g->cluster_count = g->row_clusters[planes * rows] - g->row_clusters[0];
  return fill_journal(g, most);
}

stz_err stz_glass_part_create(stz_glass *whole, int first, int planes, int most, stz_glass **part) {
  assert(!whole->journal && !stz_grid_film(whole->grid) && most > 0);
  stz_glass *g = NULL;
  *part = NULL;
  STZ_TRY(STZ_NEW(g, 1));
  *g = *whole;
  const stz_err err = cut(g, first, planes, most);
  if (err != STZ_OK) {
    stz_glass_part_destroy(&g);
    return err;
  }
  forget(g, whole);
  *part = g;
  return STZ_OK;
}

void stz_glass_part_destroy(stz_glass **part) {
  stz_glass *g = *part;
  if (!g) return;
  stz_journal *j = g->journal;
  if (j) {
    stz_grid_destroy(&j->slab);
    stz_free(j->before);
    stz_free(j->touched);
    stz_free(j->voxels);
    stz_free(j->lost);
  }
  stz_free(j);
  stz_free(g);
  *part = NULL;
}

void stz_journal_begin(stz_glass *part) {
  stz_journal *j = part->journal;
  assert(j->shears < j->most);
  stz_shear_before *now = &j->before[j->shears];
  now->most = part->recovery.most;
  now[1] = (stz_shear_before){.touched = now->touched, .voxels = now->voxels, .lost = now->lost};
  part->touched = j->touched + now->touched;
  part->touched_count = 0;
}

bool stz_journal_reached(const stz_glass *part, const stz_shear *shear) {
  const int reach = part->journal->reach;
  int xyz[3];
  stz_grid_coords(part->grid, shear->site, xyz);
  if (stz_grid_meets(part->grid, xyz[0] - reach, 2 * reach + 1)) return true;
  return part->barriers.redraw != STZ_REDRAW_NONE && stz_orientation_reaches(part, shear);
}

void stz_journal_end(stz_glass *part) {
  stz_journal *j = part->journal;
  for (int i = 0; i < part->touched_count; i++) part->touched[i] += j->first;
  j->before[++j->shears].touched += part->touched_count;
}

static void put_back_voxel(stz_glass *part, int64_t at, const stz_voxel_before *then) {
  part->noise[at] = then->noise;
  part->barrier[at] = then->barrier;
  if (!part->damage) return;
  part->damage[at] = then->damage;
  part->hard[at] = then->hard;
}

// Takes back a shear, the last change first: a voxel may have been damaged and then redrawn.
static void take_back(stz_glass *part, const stz_shear_before *then) {
  const stz_journal *j = part->journal;
  const stz_shear_before *next = then + 1;
  const int64_t voxels = next->voxels - then->voxels, *touched = j->touched + then->touched;
  for (int64_t i = voxels; i < next->touched - then->touched; i++) {
    part->rotation[touched[i] - j->first] = then->rotation;
  }
  for (int64_t i = voxels - 1; i >= 0; i--) {
    put_back_voxel(part, touched[i] - j->first, &j->voxels[then->voxels + i]);
  }
  for (int64_t i = then->lost; i < next->lost; i++) part->clusters[j->lost[i]].ordered = true;
  part->ordered_count += next->lost - then->lost;
  part->recovery.most = then->most;
}

void stz_glass_part_take_back(stz_glass *part, int count) {
  stz_journal *j = part->journal;
  assert(count >= 0 && count <= j->shears);
  for (int i = 0; i < count; i++) take_back(part, &j->before[--j->shears]);
  part->touched_count = 0;
}

void stz_glass_part_settle(stz_glass *part, stz_glass *whole) {
  whole->ordered_count += part->ordered_count;
  // What the part only took over may have recovered in the whole.
  if (part->recovery.most > part->journal->settled_most) {
    whole->recovery.most = fmax(whole->recovery.most, part->recovery.most);
  }
  forget(part, whole);
}

int stz_glass_part_shears(const stz_glass *part) { return part->journal->shears; }

const int64_t *stz_glass_part_touched(const stz_glass *part, int index, int *count) {
  const stz_journal *j = part->journal;
  assert(index >= 0 && index < j->shears);
  *count = (int)(j->before[index + 1].touched - j->before[index].touched);
  return j->touched + j->before[index].touched;
}
