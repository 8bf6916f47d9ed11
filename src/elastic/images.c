// SPDX-License-Identifier: GPL-3.0-or-later
#include "elastic/images.h"

#include <math.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/memory.h"
#include "base/target.h"
#include "base/units.h"
#include "elastic/quadrant.h"
#include "elastic/split.h"

enum { ENTRIES = 25 };
static const double RIDGE = 1e-5; // of the fit along z: keeps nodes that hardly count small

// --- nodes along z ---

int stz_images_nodes(int count, int h) { return count / h + 3; }

// Solves the symmetric system a x = b of n unknowns for `columns` right sides in place of b (Cholesky).
static void solve_symmetric(int n, double *a, int columns, double *b) {
  for (int i = 0; i < n; i++) {
    for (int j = 0; j <= i; j++) {
      double sum = a[i * n + j];
      for (int k = 0; k < j; k++) sum -= a[i * n + k] * a[j * n + k];
      a[i * n + j] = i == j ? sqrt(sum) : sum / a[j * n + j];
    }
  }
  for (int c = 0; c < columns; c++) {
    for (int i = 0; i < n; i++) {
      for (int k = 0; k < i; k++) b[i * columns + c] -= a[i * n + k] * b[k * columns + c];
      b[i * columns + c] /= a[i * n + i];
    }
    for (int i = n - 1; i >= 0; i--) {
      for (int k = i + 1; k < n; k++) b[i * columns + c] -= a[k * n + i] * b[k * columns + c];
      b[i * columns + c] /= a[i * n + i];
    }
  }
}

stz_err stz_images_fit(int count, int h, double **fit) {
  const int nodes = stz_images_nodes(count, h);
  double *normal = NULL;
  stz_err err = STZ_NEW(*fit, nodes * count);
  if (err == STZ_OK) err = STZ_NEW(normal, nodes * nodes);
  for (int z = 0; z < count && err == STZ_OK; z++) {
    float weight[4];
    stz_split_spline(h, z % h, weight);
    for (int i = 0; i < 4; i++) {
      (*fit)[(z / h + i) * count + z] = (double)weight[i];
      for (int j = 0; j < 4; j++) normal[(z / h + i) * nodes + z / h + j] += (double)weight[i] * (double)weight[j];
    }
  }
  for (int i = 0; i < nodes && err == STZ_OK; i++) normal[i * nodes + i] += RIDGE;
  if (err == STZ_OK) solve_symmetric(nodes, normal, count, *fit);
  stz_free(normal);
  return err;
}

// --- the parts ---

// Waves of one axis, [odd][wave][offset], and a part's place in the sums.
typedef struct synthesis {
  int waves[2], offsets[2]; // numbers along x and y
  double *wave[2];
} synthesis;

typedef struct making {
  stz_images *i;
  const stz_plate *plate;
  stz_plate_pairs *pairs; // of the source
  const int *cells;
  int half[2], from, layer; // the source's number and its layer
  bool open_end, mirrored;
  double *spectrum;                    // [z][entry][kx][ky]
  double (*green)[6][5], *work, *room; // per worker
  size_t work_size, room_size;
  double *weight[4]; // of the parts (levels, near, whole), [kx][ky]
  double *fit[2];
  synthesis sum[4];
} making;

static stz_err make_synthesis(const making *m, const int reach[2], synthesis *s) {
  for (int axis = 0; axis < 2; axis++) {
    const int n = m->cells[axis], waves = m->half[axis], offsets = reach[axis] + 1;
    s->waves[axis] = waves;
    s->offsets[axis] = offsets;
    STZ_TRY(STZ_NEW(s->wave[axis], 2 * waves * offsets));
    for (int i = 0; i < waves * offsets; i++) {
      const double angle = 2.0 * STZ_PI * (i / offsets * (i % offsets) % n) / n;
      s->wave[axis][i] = cos(angle);
      s->wave[axis][waves * offsets + i] = sin(angle);
    }
  }
  return STZ_OK;
}

// Weight of the parts at the waves: of level l the window g_l - g_(l+1), with the splines' filters; of the near part
// 1 - g_1.
static void fill_weights(const making *m) {
  for (int k = 0; k < m->half[0] * m->half[1]; k++) {
    const int w[2] = {k / m->half[1], k % m->half[1]};
    const double kx = 2.0 * STZ_PI * w[0] / m->cells[0], ky = 2.0 * STZ_PI * w[1] / m->cells[1], length = hypot(kx, ky);
    const double share = stz_quadrant_weight(m->cells, w);
    for (int l = 1; l <= m->i->levels; l++) {
      const bool last = l == m->i->levels && m->open_end;
      const double window = stz_split_window(l, 0.0, length) - (last ? 0.0 : stz_split_window(l + 1, 0.0, length));
      m->weight[l - 1][k] = share * window * stz_split_prefilter(1 << l, kx) * stz_split_prefilter(1 << l, ky);
    }
    m->weight[2][k] = share * (1.0 - stz_split_window(1, 0.0, length));
    m->weight[3][k] = share;
  }
}

// The image in the layers of the window, at the waves; from the lower face always: the upper one is its mirror image.
static void fill_column(void *context, int64_t first, int64_t end, int worker) {
  const making *m = context;
  const int window = m->i->window, waves = m->half[0] * m->half[1];
  double(*green)[6][5] = m->green + (size_t)worker * (size_t)window;
  for (int k = (int)first; k < (int)end; k++) {
    stz_plate_pairs_green(m->pairs, k / m->half[1], k % m->half[1], m->work + (size_t)worker * m->work_size, green);
    for (int i = 0; i < window * ENTRIES; i++) {
      m->spectrum[(size_t)i * (size_t)waves + (size_t)k] = green[i / ENTRIES][i % ENTRIES / 5][i % 5];
    }
  }
}

// sums[j] += share * of[j]
STZ_MULTIVERSION(static void add_line(double share, const double *restrict of, int count, double *restrict sums)) {
#pragma omp simd
  for (int j = 0; j < count; j++) sums[j] += share * of[j];
}

// A plane of the sum over waves times the weights, [x][y] of the part `which`; `room`: for 2 fields of waves.
static void synthesise(const making *m, int which, int entry, const double *field, double *room, float *to) {
  const synthesis *s = &m->sum[which];
  const int c = entry / 5, d = entry % 5, kx = s->waves[0], ky = s->waves[1], nx = s->offsets[0], ny = s->offsets[1];
  const double *wx = s->wave[0] + (stz_odd_pair(c, d, 0) ? kx * nx : 0);
  const double *wy = s->wave[1] + (stz_odd_pair(c, d, 1) ? ky * ny : 0), sign = stz_quadrant_sign(c, d);
  double *weighed = room, *lines = room + kx * ky;
  for (int k = 0; k < kx * ky; k++) weighed[k] = sign * m->weight[which][k] * field[k];
  for (int x = 0; x < nx; x++) {
    double *line = lines + x * ky;
    memset(line, 0, (size_t)ky * sizeof *line);
    for (int k = 0; k < kx; k++) add_line(wx[k * nx + x], weighed + k * ky, ky, line);
    double *sums = lines + nx * ky;
    memset(sums, 0, (size_t)ny * sizeof *sums);
    for (int j = 0; j < ky; j++) add_line(line[j], wy + j * ny, ny, sums);
    for (int y = 0; y < ny; y++) to[x * ny + y] = (float)sums[y];
  }
}

// Of a mirrored source: the layer at the mirror image, and the sign of the components.
static int layer_of(const making *m, int z) { return m->mirrored ? m->i->window - 1 - z : z; }
static double mirror_sign(const making *m, int entry) {
  return m->mirrored && stz_odd_pair(entry / 5, entry % 5, 2) ? -1.0 : 1.0;
}

static const double *field_of(const making *m, int z, int entry) {
  return m->spectrum + ((size_t)layer_of(m, z) * ENTRIES + (size_t)entry) * (size_t)(m->half[0] * m->half[1]);
}

static void make_near(void *context, int64_t first, int64_t end, int worker) {
  const making *m = context;
  const stz_images *i = m->i;
  const size_t plane = (size_t)(i->near_reach + 1) * (size_t)(i->near_reach + 1);
  double *room = m->room + (size_t)worker * m->room_size;
  for (int at = (int)first; at < (int)end; at++) {
    const int entry = at / i->window, z = at % i->window;
    for (int whole = 0; whole < 2; whole++) {
      float *to = i->near[whole] + ((size_t)m->layer * ENTRIES * (size_t)i->window + (size_t)at) * plane;
      synthesise(m, 2 + whole, entry, field_of(m, z, entry), room, to);
      for (int p = 0; p < (int)plane; p++) {
        double local[6][5] = {{0}};
        stz_plate_local(m->plate, layer_of(m, z), m->from, p / (i->near_reach + 1), p % (i->near_reach + 1), local);
        to[p] = (float)mirror_sign(m, entry) * (to[p] + (float)local[entry / 5][entry % 5]);
      }
    }
  }
}

static void make_level(const making *m, int l, int at, double *room) {
  const stz_images *i = m->i;
  const int nodes = i->nodes[l], entry = at / nodes, node = at % nodes, waves = m->half[0] * m->half[1];
  double *sum = room + m->room_size - (size_t)waves;
  memset(sum, 0, (size_t)waves * sizeof *sum);
  for (int z = 0; z < i->window; z++) {
    const double share = mirror_sign(m, entry) * m->fit[l][node * i->window + z], *field = field_of(m, z, entry);
    if (fabs(share) < 1e-9) continue;
    add_line(share, field, waves, sum);
  }
  const size_t plane = (size_t)(i->reach[l][0] + 1) * (size_t)(i->reach[l][1] + 1);
  synthesise(m, l, entry, sum, room, i->level[l] + ((size_t)m->layer * ENTRIES * (size_t)nodes + (size_t)at) * plane);
}

static void make_levels(void *context, int64_t first, int64_t end, int worker) {
  const making *m = context;
  for (int at = (int)first; at < (int)end; at++) {
    const int split = ENTRIES * m->i->nodes[0];
    make_level(m, at >= split, at >= split ? at - split : at, m->room + (size_t)worker * m->room_size);
  }
}

// Of a layer's own site.
static void make_self(const making *m) {
  for (int entry = 0; entry < ENTRIES; entry++) {
    const int c = entry / 5, d = entry % 5, waves = m->half[0] * m->half[1];
    const int z = m->mirrored ? m->i->window - 1 - m->from : m->from;
    double sum = 0.0, local[6][5] = {{0}};
    stz_plate_local(m->plate, m->from, m->from, 0, 0, local);
    for (int k = 0; k < waves && !stz_odd_pair(c, d, 0) && !stz_odd_pair(c, d, 1); k++) {
      sum += stz_quadrant_weight(m->cells, (const int[2]){k / m->half[1], k % m->half[1]}) * field_of(m, z, entry)[k];
    }
    m->i->self[m->layer][c][d] = mirror_sign(m, entry) * (sum + local[c][d]);
  }
}

static stz_err make_parts(making *m, stz_team *team) {
  stz_images *i = m->i;
  const int half = i->special / 2, waves = m->half[0] * m->half[1];
  for (m->from = 0; m->from < half; m->from++) {
    const double share = (double)m->from / half;
    STZ_TRY(stz_plate_pairs_create(m->plate, team, NULL, i->window, m->from, &m->pairs));
    const stz_err err = stz_stage_run(team, share, share + 0.8 / half, waves, 1, fill_column, m);
    stz_plate_pairs_destroy(&m->pairs);
    STZ_TRY(err);
    for (int face = 0; face < 2; face++) {
      m->mirrored = face == 1;
      m->layer = face ? i->special - 1 - m->from : m->from;
      const int nodes = i->nodes[0] + (i->levels > 1 ? i->nodes[1] : 0);
      stz_team_run(team, ENTRIES * nodes, 8, make_levels, m);
      if (m->from < STZ_IMAGE_NEAR) stz_team_run(team, ENTRIES * i->window, 8, make_near, m);
      make_self(m);
    }
  }
  return STZ_OK;
}

static stz_err take_memory(making *m, int workers) {
  stz_images *i = m->i;
  const int waves = m->half[0] * m->half[1], near[2] = {i->near_reach, i->near_reach};
  m->work_size = stz_plate_work(m->plate);
  m->room_size = (size_t)(3 * waves + (m->cells[0] + 2) * m->half[1] + m->cells[1]);
  STZ_TRY(STZ_NEW(m->spectrum, (size_t)i->window * ENTRIES * (size_t)waves));
  STZ_TRY(STZ_NEW(m->green, workers * i->window));
  STZ_TRY(STZ_NEW(m->work, (size_t)workers * m->work_size));
  STZ_TRY(STZ_NEW(m->room, (size_t)workers * m->room_size));
  for (int part = 0; part < 4; part++) STZ_TRY(STZ_NEW(m->weight[part], waves));
  for (int l = 0; l < i->levels; l++) {
    const size_t plane = (size_t)(i->reach[l][0] + 1) * (size_t)(i->reach[l][1] + 1);
    STZ_TRY(STZ_NEW(i->level[l], (size_t)i->special * ENTRIES * (size_t)i->nodes[l] * plane));
    STZ_TRY(stz_images_fit(i->window, 2 << l, &m->fit[l]));
    STZ_TRY(make_synthesis(m, i->reach[l], &m->sum[l]));
  }
  const size_t plane = (size_t)(i->near_reach + 1) * (size_t)(i->near_reach + 1);
  for (int whole = 0; whole < 2; whole++) {
    STZ_TRY(make_synthesis(m, near, &m->sum[2 + whole]));
    STZ_TRY(STZ_NEW(i->near[whole], (size_t)i->special * ENTRIES * (size_t)i->window * plane));
  }
  return STZ_NEW(i->self, i->special);
}

static void give_memory_back(making *m) {
  stz_free(m->spectrum);
  stz_free(m->green);
  stz_free(m->work);
  stz_free(m->room);
  for (int part = 0; part < 4; part++) {
    stz_free(m->weight[part]);
    for (int axis = 0; axis < 2; axis++) stz_free(m->sum[part].wave[axis]);
  }
  for (int l = 0; l < 2; l++) stz_free(m->fit[l]);
}

stz_err stz_images_create(const stz_grid *grid, const stz_elastic *elastic, const int cells[3], int levels,
                          bool open_end, stz_images **images) {
  stz_images *i = NULL;
  stz_plate *plate = NULL;
  *images = NULL;
  STZ_TRY(STZ_NEW(i, 1));
  making m = {.i = i, .cells = cells, .open_end = open_end, .half = {cells[0] / 2 + 1, cells[1] / 2 + 1}};
  i->layers = stz_grid_cells(grid)[2];
  i->special = 2 * (i->layers / 2 < STZ_IMAGE_LAYERS ? i->layers / 2 : STZ_IMAGE_LAYERS);
  i->window = i->layers < STZ_IMAGE_WINDOW ? i->layers : STZ_IMAGE_WINDOW;
  i->levels = levels;
  i->near_reach = STZ_IMAGE_NEAR - 1;
  for (int axis = 0; axis < 2; axis++) {
    if (i->near_reach > cells[axis] / 2) i->near_reach = cells[axis] / 2;
  }
  for (int l = 0; l < levels; l++) {
    i->nodes[l] = stz_images_nodes(i->window, 2 << l);
    for (int axis = 0; axis < 2; axis++) {
      const int far = STZ_LEVEL_WINDOW / 2 * (2 << l), half = cells[axis] / 2;
      i->reach[l][axis] = far < half ? far : half;
    }
  }
  stz_err err = stz_elastic_plate(elastic, cells[2], true, &plate);
  m.plate = plate;
  if (err == STZ_OK) err = take_memory(&m, stz_team_workers(stz_grid_team(grid)));
  if (err == STZ_OK) {
    fill_weights(&m);
    err = make_parts(&m, stz_grid_team(grid));
  }
  give_memory_back(&m);
  stz_plate_destroy(&plate);
  if (err != STZ_OK) stz_images_destroy(&i);
  *images = i;
  return err;
}

void stz_images_destroy(stz_images **images) {
  stz_images *i = *images;
  if (!i) return;
  for (int l = 0; l < 2; l++) stz_free(i->level[l]);
  for (int whole = 0; whole < 2; whole++) stz_free(i->near[whole]);
  stz_free(i->self);
  stz_free(i);
  *images = NULL;
}
