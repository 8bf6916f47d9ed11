// SPDX-License-Identifier: GPL-3.0-or-later
#include "elastic/split.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/mathfn.h"
#include "base/memory.h"
#include "base/tensor.h"
#include "base/units.h"
#include "elastic/film_total.h"
#include "elastic/images.h"
#include "elastic/mirror.h"
#include "elastic/split_film.h"

static const double CUT = 7.99; // nodes

// How many levels it takes for windows that reach so many voxels across.
static int levels_for(int most) { return most <= 2 * STZ_LEVEL_WINDOW ? 1 : STZ_LEVELS; }

// The error goes with the square of modulus and shear. The voxels v = Omega/a^3 of an STZ decide how much of the
// event's field, of amplitude v, lies where the levels interpolate: a power 1.81 of v that falls slowly. In a stretched
// box some windows are narrower than on a cubic lattice, and some beyond the near part's range; and where it has two
// levels, the second adds half as much.
double stz_split_error2(const stz_elastic *elastic, const stz_grid *grid) {
  static const double SQUARE_MPA2 = 140.0, YOUNG_GPA = 72.0, GAMMA = 0.115, VOLUME = 1.7, SPACING = 0.58, SECOND = 1.5;
  const double scale = SPACING / stz_grid_spacing(grid), young = stz_elastic_young(elastic) / (YOUNG_GPA * STZ_GPA);
  const double x = stz_ln(stz_elastic_volume(elastic) / VOLUME * (scale * scale * scale));
  const double unit = 1e-3 * STZ_GPA / GAMMA, *s = stz_elastic_stretched(elastic);
  const double uneven = fmax(s[0], fmax(s[1], s[2])) - fmin(s[0], fmin(s[1], s[2]));
  const int *n = stz_grid_cells(grid), xy = n[0] > n[1] ? n[0] : n[1], longest = xy > n[2] ? xy : n[2];
  const double levels = uneven > 0.0 && levels_for(longest) > 1 ? SECOND : 1.0;
  return SQUARE_MPA2 * stz_exp((1.81 - 0.105 * x) * x) * young * young * unit * unit * stz_exp(4.0 * uneven) * levels;
}

// --- spectra ---

// What the operator at a wave number is made of: the whole one, or the bare one with smooth windows.
typedef struct part {
  bool whole;      // the whole operator
  int add, remove; // windows that are added and taken off; 0: none
  int spacing;     // of the prefilter; 0: none
} part;

typedef struct octant {
  const int *cells;
  int n[3];
  size_t sites;
  double *data; // [pair][x][y][z]
} octant;

static stz_err octant_create(const int cells[3], octant *o) {
  *o = (octant){.cells = cells, .n = {cells[0] / 2 + 1, cells[1] / 2 + 1, cells[2] / 2 + 1}};
  o->sites = (size_t)o->n[0] * (size_t)o->n[1] * (size_t)o->n[2];
  return STZ_NEW(o->data, o->sites * STZ_PAIRS);
}

static void fill_filter(const int cells[3], int spacing, double *filter[3]) {
  for (int axis = 0; axis < 3; axis++) {
    for (int m = 0; m <= cells[axis] / 2; m++) {
      filter[axis][m] = spacing ? stz_split_prefilter(spacing, 2.0 * STZ_PI * m / cells[axis]) : 1.0;
    }
  }
}

typedef struct filling {
  const stz_split *split;
  const stz_elastic *elastic;
  part p;
  double *filter[3];
  octant *o;
} filling;

// A part's operator at the wave numbers of rows (x, y) of the octant.
static void fill_spectrum(void *context, int64_t first, int64_t end, int worker) {
  (void)worker;
  const filling *f = context;
  const octant *o = f->o;
  for (int64_t i = first * o->n[2]; i < end * o->n[2]; i++) {
    const int m[3] = {(int)(i / o->n[2] / o->n[1]), (int)(i / o->n[2] % o->n[1]), (int)(i % o->n[2])};
    double green[6][6], bare[6][6], k[3];
    for (int axis = 0; axis < 3; axis++) k[axis] = 2.0 * STZ_PI * m[axis] / o->cells[axis];
    double weight = f->p.add ? stz_split_window_along(f->split, f->p.add, k) : 0.0;
    if (f->p.remove) weight -= stz_split_window_along(f->split, f->p.remove, k);
    weight *= f->filter[0][m[0]] * f->filter[1][m[1]] * f->filter[2][m[2]];
    if (f->p.whole) stz_elastic_green(f->elastic, m, green);
    stz_elastic_bare(f->elastic, m, bare);
    for (int c = 0; c < 5; c++) {
      for (int d = c; d < 5; d++) {
        o->data[(size_t)stz_elastic_pair(c, d) * o->sites + (size_t)i] =
            (f->p.whole ? green[c][d] : 0.0) + weight * bare[c][d];
      }
    }
  }
}

// The kernel of a part on the octant of sites.
static stz_err make_part(const stz_split *s, const stz_elastic *elastic, part p, octant *o) {
  filling f = {.split = s, .elastic = elastic, .p = p, .o = o};
  stz_team *team = stz_grid_team(s->grid);
  stz_err err = STZ_OK;
  for (int axis = 0; axis < 3 && err == STZ_OK; axis++) err = STZ_NEW(f.filter[axis], o->n[axis]);
  if (err == STZ_OK) {
    fill_filter(o->cells, p.spacing, f.filter);
    err = stz_stage_run(team, 0.0, 1.0, o->n[0] * o->n[1], 16, fill_spectrum, &f);
  }
  for (int c = 0; c < 5 && err == STZ_OK; c++) {
    for (int d = c; d < 5 && err == STZ_OK; d++) {
      err = stz_stage_on(1.0);
      if (err != STZ_OK) break;
      err = stz_elastic_octant(team, o->cells, c, d, o->data + (size_t)stz_elastic_pair(c, d) * o->sites);
    }
  }
  for (int axis = 0; axis < 3; axis++) stz_free(f.filter[axis]);
  return err;
}

// Largest norm of a row of the kernel at a place.
static double largest_row(const double k[STZ_PAIRS]) {
  double largest = 0.0;
  for (int c = 0; c < 5; c++) {
    double square = 0.0;
    for (int d = 0; d < 5; d++) square += k[stz_elastic_pair(c, d)] * k[stz_elastic_pair(c, d)];
    largest = fmax(largest, sqrt(square));
  }
  return largest;
}

static double largest_of_octant(const octant *o) {
  double largest = 0.0, k[STZ_PAIRS];
  for (size_t i = 0; i < o->sites; i++) {
    for (size_t pair = 0; pair < STZ_PAIRS; pair++) k[pair] = o->data[pair * o->sites + i];
    largest = fmax(largest, largest_row(k));
  }
  return largest;
}

static double octant_at(const octant *o, int pair, const int at[3]) {
  return o->data[(size_t)pair * o->sites +
                 ((size_t)abs(at[0]) * (size_t)o->n[1] + (size_t)abs(at[1])) * (size_t)o->n[2] + (size_t)abs(at[2])];
}

// Sign of a pair's kernel at an offset, from its value on the octant.
static double sign_at(int c, int d, const int at[3]) {
  double sign = 1.0;
  for (int axis = 0; axis < 3; axis++) {
    if (at[axis] < 0) sign *= stz_dev_parity(c, axis) * stz_dev_parity(d, axis);
  }
  return sign;
}

// --- coarse part ---

// --- levels ---

static int window_of(const stz_level *level, int axis) {
  return level->nodes[axis] < STZ_LEVEL_WINDOW ? level->nodes[axis] : STZ_LEVEL_WINDOW;
}

bool stz_level_offset(const stz_level *level, int axis, int residue, int node, int *offset) {
  const int length = level->nodes[axis] * level->spacing;
  int d = level->spacing * (node - 7) - residue;
  *offset = d;
  if (axis == 2 && level->class_of) return true;
  if (node >= window_of(level, axis)) return false;
  // A short axis has its nodes in a window that begins 7 before the event all the same; the images are equal.
  if (d > length / 2) d -= length;
  if (d < -length / 2) d += length;
  *offset = d;
  return true;
}

size_t stz_level_row(const stz_level *level, int x, int y, int class) {
  return ((size_t)x * (size_t)(level->reach[1] + 1) + (size_t)y) * (size_t)level->classes + (size_t) class;
}

static uint32_t *level_row(const stz_level *level, int x, int y, int class) {
  return level->rows + stz_level_row(level, x, y, class) * STZ_LEVEL_ROW;
}

// The word and the shift of a number of a line, and the number.
static int word_of(int number) { return number / 16 * 8 + number % 8; }
static int shift_of(int number) { return number / 8 % 2 * 16; }

double stz_level_number(const uint32_t *row, int c, int d, int node) {
  const uint32_t word = row[d * STZ_LEVEL_LINE / 2 + word_of(5 * node + c)];
  return (double)stz_float_of_half((uint16_t)(word >> shift_of(5 * node + c)));
}

typedef struct level_task {
  const octant *o;
  stz_level *level;
  const stz_images *images; // NULL: a periodic box
  int number;               // of the level, from 0
} level_task;

// The layer of a special class.
static int layer_of_class(const level_task *t, int class) {
  const int number = class - t->level->spacing, half = t->images->special / 2;
  return number < half ? number : t->images->layers - 2 * half + number;
}

// Nearest periodic image.
static int nearest(int z, int n) { return z > n / 2 ? z - n : z < -n / 2 ? z + n : z; }

// What the surfaces of a film add at a node of a special class, which the splines of its layers must need.
static bool at_surface(const level_task *t, int class, int node, int *number, int *of_images) {
  const stz_level *level = t->level;
  if (class < level->spacing) return true;
  const int h = level->spacing, layers = t->images->layers, at = layer_of_class(t, class) / h + node - 7;
  *number = class - h;
  *of_images = at + 1 - stz_images_first(t->images, *number) / h;
  return at >= -1 && at <= layers / h + 1;
}

static void fill_row(const level_task *t, int x, int y, int class) {
  const stz_level *level = t->level;
  uint32_t *row = level_row(level, x, y, class);
  uint8_t *span = level->span[stz_level_row(level, x, y, class)];
  const int h = level->spacing, residue = class < h ? class : layer_of_class(t, class) % h;
  span[0] = STZ_LEVEL_WINDOW - 1;
  for (int node = 0; node < STZ_LEVEL_WINDOW; node++) {
    int z, number = -1, image = -1;
    if (!stz_level_offset(level, 2, residue, node, &z) || !at_surface(t, class, node, &number, &image)) continue;
    if (x * x + y * y + z * z > level->range2) continue;
    const int at[3] = {x, y, nearest(z, t->o->cells[2])};
    const bool none = number < 0 || image < 0 || image >= t->images->nodes[t->number];
    if (node < span[0]) span[0] = (uint8_t)node;
    span[1] = (uint8_t)node;
    for (int c = 0; c < 5; c++) {
      for (int d = 0; d < 5; d++) {
        double value = sign_at(c, d, at) * octant_at(t->o, stz_elastic_pair(c, d), at);
        if (!none) value += (double)stz_images_level(t->images, t->number, number, 5 * c + d, image, x, y);
        const uint32_t half = stz_half_of((float)value);
        row[d * STZ_LEVEL_LINE / 2 + word_of(5 * node + c)] |= half << shift_of(5 * node + c);
      }
    }
  }
}

// The value that an event gives the node at an offset that fits its residue.
static double level_at(const stz_level *level, int c, int d, const int at[3]) {
  const int h = level->spacing, residue = ((-at[2]) % h + h) % h, node = (at[2] + residue) / h + 7;
  if (abs(at[0]) > level->reach[0] || abs(at[1]) > level->reach[1] || node < 0 || node >= STZ_LEVEL_WINDOW) return 0.0;
  const int flat[3] = {at[0], at[1], 0}; // the row has its own signs along z
  return sign_at(c, d, flat) * stz_level_number(level_row(level, abs(at[0]), abs(at[1]), residue), c, d, node);
}

// What all nodes about an event at the residues r come to, each standing for h^3 sites.
static void sum_level(const stz_level *level, const int r[3], double sums[STZ_PAIRS]) {
  const double sites = pow(level->spacing, 3);
  for (int i = 0; i < STZ_LEVEL_WINDOW * STZ_LEVEL_WINDOW; i++) {
    int x, y;
    if (!stz_level_offset(level, 0, r[0], i / STZ_LEVEL_WINDOW, &x)) continue;
    if (!stz_level_offset(level, 1, r[1], i % STZ_LEVEL_WINDOW, &y)) continue;
    if (abs(x) > level->reach[0] || abs(y) > level->reach[1]) continue;
    const uint32_t *row = level_row(level, abs(x), abs(y), r[2]);
    const int flat[3] = {x, y, 0};
    for (int c = 0; c < 5; c++) {
      for (int d = c; d < 5; d++) {
        const int pair = stz_elastic_pair(c, d);
        double sum = 0.0;
        for (int node = 0; node < STZ_LEVEL_WINDOW; node++) sum += stz_level_number(row, c, d, node);
        sums[pair] += sites * sign_at(c, d, flat) * sum;
      }
    }
  }
}

static void fill_level(void *context, int64_t first, int64_t end, int worker) {
  (void)worker;
  const level_task *t = context;
  const int classes = t->level->classes, across = t->level->reach[1] + 1;
  for (int64_t row = first; row < end; row++) {
    fill_row(t, (int)(row / classes / across), (int)(row / classes % across), (int)(row % classes));
  }
}

static void sum_levels(void *context, int64_t first, int64_t end, int worker) {
  (void)worker;
  const level_task *t = context;
  const int h = t->level->spacing;
  for (int i = (int)first; i < (int)end; i++) {
    sum_level(t->level, (const int[3]){i / (h * h), i / h % h, i % h}, t->level->sums[i]);
  }
}

// The classes of a film: the layers next to a face follow those of z mod h.
static stz_err make_classes(const stz_images *images, stz_level *level) {
  level->classes = level->spacing + (images ? images->special : 0);
  if (!images) return STZ_OK;
  STZ_TRY(STZ_NEW(level->class_of, images->layers));
  for (int z = 0; z < images->layers; z++) {
    const int number = stz_images_number(images->layers, z);
    level->class_of[z] = number < 0 ? z % level->spacing : level->spacing + number;
  }
  return STZ_OK;
}

static stz_err make_level(stz_split *s, const stz_elastic *elastic, const stz_images *images, int l, octant *o) {
  stz_level *level = &s->level[l - 1];
  const int h = 1 << l;
  const bool last = l == s->levels && !s->coarse;
  level->spacing = h;
  level->range2 = last ? INFINITY : CUT * CUT * h * h;
  for (int axis = 0; axis < 3; axis++) level->nodes[axis] = s->cells[axis] / h;
  for (int axis = 0; axis < 2; axis++) {
    const int far = (STZ_LEVEL_WINDOW / 2) * h;
    level->reach[axis] = far < s->cells[axis] / 2 ? far : s->cells[axis] / 2;
  }
  STZ_TRY(make_classes(images, level));
  const size_t rows = (size_t)(level->reach[0] + 1) * (size_t)(level->reach[1] + 1) * (size_t)level->classes;
  STZ_TRY(STZ_NEW(level->rows, rows * STZ_LEVEL_ROW));
  STZ_TRY(STZ_NEW(level->span, rows));
  STZ_TRY(STZ_NEW(level->sums, h * h * h));
  s->bytes += rows * (STZ_LEVEL_ROW * sizeof *level->rows + sizeof *level->span);
  STZ_TRY(make_part(s, elastic, (part){.add = l, .remove = last ? 0 : l + 1, .spacing = h}, o));
  if (l == 1) s->level_unit = stz_fixed_unit(largest_of_octant(o), (images ? 2.0 : 1.0) * s->strain); // the strongest
  level_task t = {.o = o, .level = level, .images = images, .number = l - 1};
  STZ_TRY(stz_stage_run(stz_grid_team(s->grid), 0.0, 1.0, (int64_t)rows, 64, fill_level, &t));
  if (!images) stz_team_run(stz_grid_team(s->grid), h * h * h, 1, sum_levels, &t);
  for (int r = 0; r < h; r++) stz_split_spline(h, r, level->spline[r]);
  return STZ_OK;
}

// --- near ---

// What level 1 makes, by its splines, at the offset `at` of an event of the parities p.
static double interpolated(const stz_level *level, int c, int d, const int p[3], const int at[3]) {
  double sum = 0.0;
  int base[3], site[3];
  for (int axis = 0; axis < 3; axis++) {
    site[axis] = (p[axis] + at[axis]) & 1;
    base[axis] = at[axis] - site[axis] - 2; // offset of the first of the four nodes
  }
  for (int i = 0; i < 64; i++) {
    const int n[3] = {i / 16, i / 4 % 4, i % 4}, node[3] = {base[0] + 2 * n[0], base[1] + 2 * n[1], base[2] + 2 * n[2]};
    const double weight = (double)level->spline[site[0]][n[0]] * (double)level->spline[site[1]][n[1]] *
                          (double)level->spline[site[2]][n[2]];
    if (weight > 0.0) sum += weight * level_at(level, c, d, node);
  }
  return sum;
}

static void fill_near(const octant *o, const stz_level *level, const int *parity, float *table, double *sums) {
  for (int x = 0; x < STZ_NEAR_SPAN; x++) {
    for (int y = 0; y < STZ_NEAR_SPAN; y++) {
      for (int z = 0; z < STZ_NEAR_SPAN; z++) {
        const int at[3] = {x, y, z};
        if (x * x + y * y + z * z >= STZ_NEAR_SPAN * STZ_NEAR_SPAN) continue;
        const double images = (x ? 2.0 : 1.0) * (y ? 2.0 : 1.0) * (z ? 2.0 : 1.0);
        for (int c = 0; c < 5; c++) {
          for (int d = c; d < 5; d++) {
            const int pair = stz_elastic_pair(c, d);
            double value = octant_at(o, pair, at);
            if (parity) value -= interpolated(level, c, d, parity, at);
            table[((x * STZ_NEAR_SPAN + y) * STZ_PAIRS + pair) * 8 + z] = (float)value;
            bool even = true; // under every reflection: else the images cancel
            for (int axis = 0; axis < 3; axis++) even &= stz_dev_parity(c, axis) * stz_dev_parity(d, axis) > 0;
            if (sums && even) sums[pair] += images * value;
          }
        }
      }
    }
  }
}

typedef struct near_task {
  stz_split *s;
  const octant *o;
} near_task;

static void fill_parities(void *context, int64_t first, int64_t end, int worker) {
  (void)worker;
  const near_task *t = context;
  for (int p = (int)first; p < (int)end; p++) {
    fill_near(t->o, &t->s->level[0], (const int[3]){p >> 2 & 1, p >> 1 & 1, p & 1}, t->s->near[p], t->s->near_sums[p]);
  }
}

static double largest_of_near(const float *table) {
  double largest = 0.0, k[STZ_PAIRS];
  for (int i = 0; i < STZ_NEAR_ROWS * 8; i++) {
    for (int pair = 0; pair < STZ_PAIRS; pair++) k[pair] = (double)table[(i / 8 * STZ_PAIRS + pair) * 8 + i % 8];
    largest = fmax(largest, largest_row(k));
  }
  return largest;
}

static stz_err make_near(stz_split *s, const stz_elastic *elastic, octant *o) {
  const size_t size = (size_t)STZ_NEAR_ROWS * STZ_PAIRS * 8;
  const bool last = s->levels == 1 && !s->coarse;
  double largest = 0.0;
  STZ_TRY(make_part(s, elastic, (part){.whole = true, .remove = last ? 0 : 2}, o));
  for (int p = 0; p < 8; p++) STZ_TRY(STZ_NEW(s->near[p], size));
  STZ_TRY(stz_stage_run(stz_grid_team(s->grid), 0.0, 1.0, 8, 1, fill_parities, &(near_task){s, o}));
  for (int p = 0; p < 8; p++) largest = fmax(largest, largest_of_near(s->near[p]));
  s->near_unit = stz_fixed_unit(largest, (s->film ? 2.0 : 1.0) * s->strain);
  if (!last) STZ_TRY(make_part(s, elastic, (part){.whole = true}, o));
  STZ_TRY(STZ_NEW(s->whole, size));
  fill_near(o, &s->level[0], NULL, s->whole, NULL);
  s->bytes += 9 * size * sizeof(float);
  return STZ_OK;
}

// How many levels an axis needs: their windows reach over half of a periodic box, but over the whole of a film.
static void choose_levels(stz_split *s) {
  const int *n = s->cells, longest = n[0] > n[1] ? n[0] : n[1];
  const int thick = !s->film          ? n[2]
                    : s->layers <= 8  ? 8
                    : s->layers <= 24 ? 4 * STZ_LEVEL_WINDOW
                                      : 8 * STZ_LEVEL_WINDOW;
  const int most = longest > thick ? longest : thick;
  s->levels = levels_for(most);
  s->coarse = most > 4 * STZ_LEVEL_WINDOW;
}

static stz_err make_parts(stz_split *s, const stz_elastic *elastic, const stz_images *images, octant *o) {
  static const char *const names[] = {"making the tables of the far stress, part 1",
                                      "making the tables of the far stress, part 2"};
  STZ_TRY(octant_create(s->cells, o));
  for (int l = 1; l <= s->levels; l++) {
    STZ_TRY(stz_stage(stz_grid_comm(s->grid), names[l > 1]));
    STZ_TRY(make_level(s, elastic, images, l, o));
  }
  STZ_TRY(stz_stage(stz_grid_comm(s->grid), "making the tables of the near stress"));
  return make_near(s, elastic, o);
}

// Of a film: with the operator of the periodic box.
static stz_err make_film(stz_split *s, const stz_elastic *film, octant *o) {
  stz_grid *box = NULL;
  stz_elastic *op = NULL;
  stz_images *images = NULL;
  stz_err err = stz_elastic_box(film, s->cells[2], &box, &op);
  if (err == STZ_OK) err = stz_stage(stz_grid_comm(s->grid), "making the images in the surfaces");
  if (err == STZ_OK) err = stz_images_create(s->grid, film, s->cells, s->levels, !s->coarse, &images);
  if (err == STZ_OK) err = make_parts(s, op, images, o);
  if (err == STZ_OK) err = stz_split_film(s, film, op, images);
  stz_images_destroy(&images);
  stz_elastic_destroy(&op);
  stz_grid_destroy(&box);
  return err;
}

// In a stretched box the radii of the windows are midway between those of a box that is not and what fits the tables
// along the shortest edge: that makes the least errors.
static void set_unit(stz_split *s, const stz_elastic *elastic) {
  const double a = stz_grid_spacing(s->grid), volume = stz_elastic_volume(elastic),
               *stretch = stz_elastic_stretched(elastic);
  const double shortest = fmin(stretch[0], fmin(stretch[1], stretch[2]));
  s->variance = cbrt(volume * volume) / (2.0 * STZ_PI * a * a) * stz_exp(-shortest);
  for (int axis = 0; axis < 3; axis++) s->edge[axis] = stz_exp(stretch[axis] - 0.5 * shortest);
}

stz_err stz_split_create(const stz_grid *grid, const stz_elastic *elastic, double strain, stz_split **split) {
  stz_split *s = NULL;
  octant o = {0};
  *split = NULL;
  stz_err err = STZ_NEW(s, 1);
  if (err == STZ_OK) {
    s->grid = grid;
    s->film = stz_grid_film(grid);
    s->layers = stz_grid_cells(grid)[2];
    s->strain = strain;
    set_unit(s, elastic);
    memcpy(s->cells, stz_grid_cells(grid), sizeof s->cells);
    if (s->film) s->cells[2] += STZ_FILM_GAP;
    choose_levels(s);
    err = s->film ? make_film(s, elastic, &o) : make_parts(s, elastic, NULL, &o);
  }
  stz_free(o.data);
  if (err != STZ_OK) {
    stz_split_destroy(&s);
    return err;
  }
  *split = s;
  return STZ_OK;
}

void stz_split_destroy(stz_split **split) {
  stz_split *s = *split;
  if (!s) return;
  for (int p = 0; p < 8; p++) stz_free(s->near[p]);
  stz_free(s->whole);
  for (int l = 0; l < STZ_LEVELS; l++) {
    stz_free(s->level[l].rows);
    stz_free(s->level[l].span);
    stz_free(s->level[l].sums);
    stz_free(s->level[l].class_of);
  }
  stz_mirror_destroy(&s->mirror);
  stz_film_total_destroy(&s->images);
  stz_free(s->sums);
  stz_free(s->self);
  stz_free(s);
  *split = NULL;
}
