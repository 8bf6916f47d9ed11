// SPDX-License-Identifier: GPL-3.0-or-later
//
// Parts of the nodes for threads of their own, and stencils (far.h).
#include <assert.h>

#include "base/memory.h"
#include "base/target.h"
#include "elastic/far_deposit.h"

// --- parts ---

enum { COPIES = 3 }; // planes of a level that sites read beyond the slab: one before, two after

// Numbers of a copy: a plane and the zeros behind it.
static size_t copy_values(const nodes *n) { return plane_values(n) + 5 * (size_t)BEFORE; }

// A level's planes: the whole's within the slab, and copies about it; returns what follows the latter. In a small box a
// plane may be beyond both ends, or beyond one and within the other.
static int32_t *set_planes(const nodes *whole, int first, int planes, int32_t *copy, nodes *n) {
  const int begin = first / n->spacing, end = (first + planes) / n->spacing;
  const int beyond[COPIES] = {begin - 1, end, end + 1};
  for (int x = begin; x < end; x++) n->plane[x] = whole->plane[x];
  for (int i = 0; i < COPIES; i++) {
    int32_t **plane = &n->plane[stz_wrap_once(beyond[i], n->count[0])];
    if (!*plane) *plane = copy;
    copy += copy_values(n);
  }
  return copy;
}

static void set_part(stz_far *f, int first, int planes) {
  int32_t **table = f->planes, *sink = (int32_t *)(void *)f->state, *copy = sink + LINE;
  for (int l = 0; l < f->split->levels; l++) {
    nodes *n = &f->grid[l];
    n->plane = table;
    n->sink = sink;
    table += n->count[0];
    copy = set_planes(&f->whole->grid[l], first, planes, copy, n);
  }
}

stz_err stz_far_part_create(stz_far *whole, int first, int planes, stz_far **part) {
  stz_far *f = NULL;
  size_t tables = 0;
  *part = NULL;
  assert(!whole->split->film && !whole->whole);
  assert(first >= 0 && first % 8 == 0 && planes > 0 && planes % 8 == 0 && first + planes <= whole->split->cells[0]);
  STZ_TRY(STZ_NEW(f, 1));
  *f = *whole;
  f->whole = whole;
  f->planes = NULL;
  f->state = NULL;
  f->bytes = LINE * sizeof(int32_t);
  for (int l = 0; l < f->split->levels; l++) {
    f->bytes += COPIES * copy_values(&f->grid[l]) * sizeof(int32_t);
    tables += (size_t)f->grid[l].count[0];
  }
  stz_err err = STZ_NEW(f->planes, tables);
  if (err == STZ_OK) err = STZ_NEW(f->state, f->bytes);
  if (err != STZ_OK) {
    stz_far_part_destroy(&f);
    return err;
  }
  set_part(f, first, planes);
  stz_far_part_refill(f);
  *part = f;
  return STZ_OK;
}

void stz_far_part_destroy(stz_far **part) {
  stz_far *f = *part;
  if (!f) return;
  stz_free(f->planes);
  stz_free(f->state);
  stz_free(f);
  *part = NULL;
}

void stz_far_part_refill(stz_far *part) {
  for (int l = 0; l < part->split->levels; l++) {
    const nodes *n = &part->grid[l], *whole = &part->whole->grid[l];
    for (int x = 0; x < n->count[0]; x++) {
      const bool copied = n->plane[x] && n->plane[x] != whole->plane[x];
      if (copied) memcpy(n->plane[x], whole->plane[x], plane_values(n) * sizeof(int32_t));
    }
  }
}

// --- stencils ---

enum { SIDE = 4, FOUR = 5 * SIDE }; // nodes along an axis, numbers of a column

static images places_of(const nodes *n, const int site[3]) {
  return images_of(n, begin_at(n, site[2] / n->spacing - 1), SIDE);
}

static void read_grid(const nodes *n, const int site[3], int32_t value[16][3][24]) {
  const images part = places_of(n, site);
  for (int i = 0; i < 16; i++) {
    const int x = stz_wrap_once(site[0] / n->spacing - 1 + i / SIDE, n->count[0]),
              y = stz_wrap_once(site[1] / n->spacing - 1 + i % SIDE, n->count[1]);
    for (int image = 0; image < part.count; image++)
      memcpy(value[i][image], node_of(n, x, y, part.z[image]), sizeof value[i][image]);
  }
}

void stz_far_read(const stz_far *far, const int site[3], stz_far_stencil *s) {
  memcpy(s->site, site, sizeof s->site);
  for (int g = 0; g < far->grids; g++) read_grid(&far->grid[g], site, s->value[g]);
}

STZ_MULTIVERSION(static void add_stencil(const nodes *n, const int site[3], const int32_t value[16][3][24], float unit,
                                         float stress[5])) {
  const int h = n->spacing;
  const float *wx = n->spline[site[0] % h], *wy = n->spline[site[1] % h], *wz = n->spline[site[2] % h];
  const int places = places_of(n, site).count;
  lanes s0 = {0}, s1 = {0}, s2 = {0};
  for (int i = 0; i < 16; i++) {
    const float w = wx[i / SIDE] * wy[i % SIDE];
    for (int image = 0; image < places; image++) {
      s0 += w * at_nodes(value[i][image]);
      s1 += w * at_nodes(value[i][image] + 8);
      s2 += w * at_nodes(value[i][image] + 16);
    }
  }
  add_stress(s0, s1, s2, wz, unit, stress);
}

void stz_far_stencil_stress(const stz_far *far, const stz_far_stencil *s, float stress[5]) {
  for (int c = 0; c < 5; c++) stress[c] = 0.0f;
  for (int g = 0; g < far->grids; g++) {
    add_stencil(&far->grid[g], s->site, (const int32_t(*)[3][24])s->value[g], far->split->level_unit, stress);
  }
}

// Whether an event's window may have one of the nodes about a site, along an axis.
static bool in_window(const nodes *n, int axis, int event, int site) {
  const int place = stz_wrap_once(site / n->spacing - 1 - (event / n->spacing - 7), n->count[axis]);
  return place < WINDOW || place + SIDE > n->count[axis];
}

// The pairs of an event's nodes of which one at least is about the site, their numbers counted from the stencil's first
// on, times `stride`; SIDE: those outside.
static int pairs_about(const stz_level *level, const nodes *n, int axis, int event, int site, int stride,
                       pair pairs[WINDOW]) {
  pair all[WINDOW];
  const int first = site / n->spacing - 1, found = pairs_of(level, n, axis, event, 1, all);
  int count = 0;
  for (int i = 0; i < found; i++) {
    int at[2] = {all[i].above, all[i].below};
    bool about = false;
    for (int k = 0; k < 2; k++) {
      if (at[k] < 0) continue;
      const int place = stz_wrap(at[k] - first, n->count[axis]);
      about |= place < SIDE;
      at[k] = stride * (place < SIDE ? place : SIDE);
    }
    if (about) pairs[count++] = (pair){all[i].distance, at[0], at[1]};
  }
  return count;
}

// Which sixteens of a line of numbers from node z on go to the places of a stencil.
static void sixteens_of(const images *part, int z, int *begin, int *end) {
  *begin = LINE / 16;
  *end = 0;
  for (int image = 0; image < part->count; image++) {
    const int first = 5 * (part->z[image] - z), last = first + FOUR - 1;
    if (last < 0 || first >= LINE) continue;
    const int low = first < 0 ? 0 : first / 16, high = last >= LINE ? LINE / 16 : last / 16 + 1;
    if (low < *begin) *begin = low;
    if (high > *end) *end = high;
  }
}

// Lines of an event's numbers, by column, and of those that a stencil has not.
typedef struct columns {
  int32_t line[SIDE][SIDE + 1][LINE], outside[LINE];
} columns;

// The numbers of a line from node z on to the places of a column.
static void add_line(const images *part, int z, const int32_t line[LINE], int32_t value[3][24]) {
  for (int image = 0; image < part->count; image++) {
    const int first = 5 * (part->z[image] - z);
    for (int i = first < 0 ? -first : 0; i < FOUR && first + i < LINE; i++) value[image][i] += line[first + i];
  }
}

STZ_MULTIVERSION(static void add_to_stencil(const stz_level *level, const nodes *n, const int origin[3],
                                            const float e[5], const int site[3], int32_t value[16][3][24])) {
  pair x[WINDOW], y[WINDOW];
  deposit deposits[WINDOW * WINDOW];
  columns to;
  float seen[4][5];
  // cppcheck-suppress uninitvar; addresses alone
  int32_t *plane[SIDE + 1] = {to.line[0][0], to.line[1][0], to.line[2][0], to.line[3][0], NULL};
  const nodes about = {.plane = plane, .sink = to.outside};
  const images part = places_of(n, site);
  const int z = begin_at(n, origin[2] / n->spacing - 7), class = stz_level_class(level, origin[2]);
  const int nx = pairs_about(level, n, 0, origin[0], site[0], 1, x),
            ny = pairs_about(level, n, 1, origin[1], site[1], LINE, y);
  const int count = list_deposits(level, class, &about, x, nx, y, ny, 0, 0, 1, deposits);
  int begin, end;
  sixteens_of(&part, z, &begin, &end);
  if (count == 0 || begin >= end) return;
  memset(&to, 0, sizeof to);
  see_strain(e, seen);
  for (int i = 0; i < count; i++) {
    deposit *d = &deposits[i];
    if (d->begin < begin) d->begin = begin;
    if (d->end > end) d->end = end;
    add_deposit(d, (const float(*)[5])seen);
  }
  for (int i = 0; i < 16; i++) add_line(&part, z, to.line[i / SIDE][i % SIDE], value[i]);
}

void stz_far_stencil_add(const stz_far *far, const int origin[3], const float e[5], stz_far_stencil *s) {
  float units[5];
  assert(!far->split->film && stz_split_takes(far->split, e));
  for (int c = 0; c < 5; c++) units[c] = e[c] * (1.0f / far->split->level_unit);
  for (int l = 0; l < far->split->levels; l++) {
    const nodes *n = &far->grid[l];
    bool reached = true;
    for (int axis = 0; axis < 3 && reached; axis++) reached = in_window(n, axis, origin[axis], s->site[axis]);
    if (reached) add_to_stencil(&far->split->level[l], n, origin, units, s->site, s->value[l]);
  }
}
