// SPDX-License-Identifier: GPL-3.0-or-later
#include "elastic/plate.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/units.h"
#include "elastic/wave_table.h"
#include "elastic/waves.h"

enum { NODES = 48 };                // of a quadrature over a shape
static const double REACH = 6.5;    // widths beyond which a shape is nothing
static const double NOTHING = 60.0; // exponents beyond which exp(-kz) is nothing
static const double R2 = 1.41421356237309504880;

struct stz_plate {
  stz_plate_params params;
  stz_waves_body body;
  stz_waves_layer *layers;
  double node[NODES], weight[NODES]; // Gauss-Legendre, on -1..1
};

static void find_nodes(stz_plate *p) {
  for (int i = 0; i < NODES; i++) {
    double x = cos(STZ_PI * (i + 0.75) / (NODES + 0.5)), slope = 1.0;
    for (int turn = 0; turn < 20; turn++) {
      double before = 1.0, now = x;
      for (int n = 2; n <= NODES; n++) {
        const double next = ((2 * n - 1) * x * now - (n - 1) * before) / n;
        before = now;
        now = next;
      }
      slope = NODES * (x * now - before) / (x * x - 1.0);
      x -= now / slope;
    }
    p->node[i] = x;
    p->weight[i] = 2.0 / ((1.0 - x * x) * slope * slope);
  }
}

static stz_waves_layer layer_at(const stz_plate *p, double z) {
  const double reach = REACH * p->body.width;
  stz_waves_layer l = {.centre = {z}, .images = 1};
  if (z < reach) l.centre[l.images++] = -z;
  if (p->body.height - z < reach) l.centre[l.images++] = 2.0 * p->body.height - z;
  l.near = l.images > 1;
  return l;
}

stz_err stz_plate_create(const stz_plate_params *params, stz_plate **plate) {
  stz_plate *p = NULL;
  *plate = NULL;
  STZ_TRY(STZ_NEW(p, 1));
  p->params = *params;
  p->body = (stz_waves_body){.height = params->cells[2] * params->spacing,
                             .width = cbrt(params->volume) / (2.0 * sqrt(STZ_PI)),
                             .shear = params->shear,
                             .poisson = params->poisson};
  find_nodes(p);
  const stz_err err = STZ_NEW(p->layers, params->cells[2]);
  if (err != STZ_OK) {
    stz_plate_destroy(&p);
    return err;
  }
  for (int j = 0; j < params->cells[2]; j++) p->layers[j] = layer_at(p, (j + 0.5) * params->spacing);
  *plate = p;
  return STZ_OK;
}

void stz_plate_destroy(stz_plate **plate) {
  if (!*plate) return;
  stz_free((*plate)->layers);
  stz_free(*plate);
  *plate = NULL;
}

double stz_plate_shape(const stz_plate *plate, int j, double z) {
  const stz_waves_layer *l = &plate->layers[j];
  double sum = 0.0;
  for (int i = 0; i < l->images; i++) sum += stz_waves_bell(plate->body.width, z - l->centre[i]);
  return sum;
}

// Averaged over the shape of a layer, in the infinite body: over the whole line if that is as good, else over the plate
// alone by quadrature.
static stz_waves averaged(const stz_plate *p, double k, const stz_waves_layer *to, const stz_waves_layer *from) {
  stz_waves w = {0};
  if (!to->near) {
    for (int i = 0; i < from->images; i++) {
      stz_waves_add(k, R2 * p->body.width, to->centre[0] - from->centre[i], 1.0, &w);
    }
    return w;
  }
  const double low = fmax(0.0, to->centre[0] - REACH * p->body.width);
  const double high = fmin(p->body.height, to->centre[0] + REACH * p->body.width), half = 0.5 * (high - low);
  for (int n = 0; n < NODES; n++) {
    const double z = low + half * (1.0 + p->node[n]);
    double weight = 0.0;
    for (int i = 0; i < to->images; i++) weight += stz_waves_bell(p->body.width, z - to->centre[i]);
    for (int i = 0; i < from->images; i++) {
      stz_waves_add(k, p->body.width, z - from->centre[i], half * p->weight[n] * weight, &w);
    }
  }
  return w;
}

// The average of the solutions over a layer.
static stz_waves_readout read_layer(const stz_plate *p, double k, const stz_waves_layer *l) {
  stz_waves_readout r;
  for (int face = 0; face < 2; face++) {
    double e = 0.0, f = 0.0, sv[STZ_SV][2], sh[STZ_SH];
    for (int i = 0; i < l->images; i++) {
      const double zeta = face ? p->body.height - l->centre[i] : l->centre[i], beyond = exp(-k * p->body.height);
      double all, all1, over, over1; // from the face on, and what of it lies beyond the other face
      stz_waves_half_line(k, p->body.width, zeta, &all, &all1);
      stz_waves_half_line(k, p->body.width, zeta - p->body.height, &over, &over1);
      e += all - beyond * over;
      f += k * (all1 - beyond * (p->body.height * over + over1));
    }
    stz_waves_free(&p->body, e, f, face ? -1.0 : 1.0, sv, sh);
    stz_waves_put(&r, face, sv, sh);
  }
  return r;
}

// Takes off the infinite body's sources, repeated with the period; few of them matter.
static void take_repeated(const stz_plate *p, double k, double distance, stz_waves *w) {
  const double period = p->params.period * p->params.spacing;
  const int most = 2 + (int)(36.0 / (k * period));
  for (int n = -most; n <= most; n++) stz_waves_add(k, R2 * p->body.width, distance + n * period, -1.0, w);
}

// Overlap of a layer with the images of another.
static double images_overlap(const stz_plate *p, const stz_waves_layer *to, const stz_waves_layer *from) {
  double overlap = 0.0;
  for (int i = 1; i < from->images; i++) overlap += stz_waves_bell(R2 * p->body.width, to->centre[0] - from->centre[i]);
  return overlap;
}

// What the layer `from` makes in the layer `to`, in the frame of the wave vector.
static void pair_stress(const stz_plate *p, double k, const stz_waves_readout *r, const stz_waves_source *f, int to,
                        int from, double sv[STZ_SV][STZ_SV], double sh[STZ_SH][STZ_SH]) {
  stz_waves w = averaged(p, k, &p->layers[to], &p->layers[from]);
  if (p->params.period) take_repeated(p, k, p->layers[to].centre[0] - p->layers[from].centre[0], &w);
  if (p->params.smooth) {
    const double overlap = images_overlap(p, &p->layers[to], &p->layers[from]);
    w.one -= overlap;
    w.q4 -= overlap;
    w.p2 -= overlap;
  }
  stz_waves_stress(&p->body, k, &w, sv, sh);
  stz_waves_add_free(r, f, sv, sh);
}

// What one layer makes in another at one wave number, in the frame of the wave vector.
typedef struct block {
  double sv[STZ_SV][STZ_SV], sh[STZ_SH][STZ_SH];
} block;
enum { BLOCK = sizeof(block) / sizeof(double) };

static block transposed(const block *b) {
  block t;
  for (int i = 0; i < STZ_SV * STZ_SV; i++) t.sv[i % STZ_SV][i / STZ_SV] = b->sv[i / STZ_SV][i % STZ_SV];
  for (int i = 0; i < STZ_SH * STZ_SH; i++) t.sh[i % STZ_SH][i / STZ_SH] = b->sh[i / STZ_SH][i % STZ_SH];
  return t;
}

// Which pairs of layers are asked for: all pairs of a list, or one source and the layers of the list.
typedef struct asked {
  const int *layers; // NULL: 0, 1, ...
  int count, from;   // from: the source, -1: all
} asked;

static int layer_of(const asked *q, int place) {
  if (place == q->count) return q->from;
  return q->layers ? q->layers[place] : place;
}

// Rows of pairs: of all pairs row i has the source layers up to place i, the single source one row of all layers.
// Places in the list of the layer read and of the source, the single source's after the last; and pairs before row i.
static int rows_of(const asked *q) { return q->from >= 0 ? 1 : q->count; }
static int in_row(const asked *q, int i) { return q->from >= 0 ? q->count : i + 1; }
static int before_row(const asked *q, int i) { return q->from >= 0 ? i * q->count : i * (i + 1) / 2; }
static int place_to(const asked *q, int i, int j) { return q->from >= 0 ? j : i; }
static int place_from(const asked *q, int j) { return q->from >= 0 ? q->count : j; }

// Work space: solutions of one wave vector, by the place in the list, the single source's after the last; and a row.
typedef struct solved {
  stz_waves_source *sources;
  stz_waves_readout *readouts;
  block *row;
} solved;

size_t stz_plate_work(const stz_plate *plate) {
  const size_t each = sizeof(stz_waves_source) + sizeof(stz_waves_readout) + sizeof(block);
  return (size_t)(plate->params.cells[2] + 1) * each / sizeof(double);
}

static solved solved_in(const stz_plate *p, double *work) {
  const size_t room = (size_t)p->params.cells[2] + 1;
  double *readouts = work + room * sizeof(stz_waves_source) / sizeof(double);
  double *row = readouts + room * sizeof(stz_waves_readout) / sizeof(double);
  return (solved){(stz_waves_source *)work, (stz_waves_readout *)readouts, (block *)row};
}

static void solve_all(const stz_plate *p, double k, const asked *which, const solved *all) {
  for (int i = 0; i < which->count + (which->from >= 0); i++) {
    const stz_waves_layer *l = &p->layers[layer_of(which, i)];
    all->sources[i] = stz_waves_solve(&p->body, k, l);
    all->readouts[i] = read_layer(p, k, l);
  }
}

// Whether a pair has nothing at the wave number: what falls off along z as exp(-kz) is below the last digit by far. The
// infinite body's own stress, where it counts, goes straight, that of the images by way of a face or the gap.
static bool is_nothing(const stz_plate *p, double k, int to, int from) {
  const int straight = abs(to - from), above = 2 * p->params.cells[2] - 1 - to - from, below = to + from + 1;
  const int images = above < below ? above : below, gap = p->params.period - straight;
  const int path = p->params.period ? (gap < images ? gap : images) : straight;
  return k * p->params.spacing * path > NOTHING;
}

// A row of pairs. Of two layers that one is read which is far from the faces: the reverse is the transpose.
static void make_row(const stz_plate *p, double k, const asked *which, const solved *all, int i, block *row) {
  for (int j = 0; j < in_row(which, i); j++) {
    const int place[2] = {place_to(which, i, j), place_from(which, j)};
    const int layers[2] = {layer_of(which, place[0]), layer_of(which, place[1])};
    const bool exchanged = p->layers[layers[0]].near && !p->layers[layers[1]].near;
    const int to = exchanged, from = !exchanged;
    if (is_nothing(p, k, layers[0], layers[1])) continue;
    pair_stress(p, k, &all->readouts[place[to]], &all->sources[place[from]], layers[to], layers[from], row[j].sv,
                row[j].sh);
    if (exchanged) row[j] = transposed(&row[j]);
  }
}

// Adds a row of pairs, and of two layers of the list the reverse, its transpose.
static void add_row(const stz_plate *p, double k, double share, double q[6][6], const asked *which, int i, block *row,
                    double (*green)[6][5]) {
  const int n = which->count;
  for (int j = 0; j < in_row(which, i); j++) {
    const bool one = which->from >= 0;
    if (is_nothing(p, k, layer_of(which, place_to(which, i, j)), layer_of(which, place_from(which, j)))) continue;
    stz_waves_add_turned(share, q, row[j].sv, row[j].sh, green[one ? j : i * n + j]);
    if (one || i == j) continue;
    block back = transposed(&row[j]);
    stz_waves_add_turned(share, q, back.sv, back.sh, green[j * n + i]);
  }
}

// Adds the part of one wave vector, weighed by its shapes along x and y. `table`: of the blocks, if there is one.
static void add_wave(const stz_plate *p, double kx, double ky, double share, const asked *which,
                     const stz_wave_table *table, const solved *all, double (*green)[6][5]) {
  const double k = hypot(kx, ky);
  double q[6][6];
  stz_waves_turn(kx / k, ky / k, q);
  if (!table) solve_all(p, k, which, all);
  for (int i = 0; i < rows_of(which); i++) {
    if (table)
      stz_wave_table_read(table, k, BLOCK * before_row(which, i), BLOCK * in_row(which, i), &all->row->sv[0][0]);
    else
      make_row(p, k, which, all, i, all->row);
    add_row(p, k, share, q, which, i, all->row, green);
  }
}

// Of plane stress: the overlap of two layers, without its mean over the plate.
static double overlap_of(const stz_plate *p, const stz_waves_layer *to, const stz_waves_layer *from) {
  const double period = p->params.period * p->params.spacing, distance = to->centre[0] - from->centre[0];
  double overlap = stz_waves_bell(R2 * p->body.width, distance) - 1.0 / p->body.height;
  if (!p->params.smooth) overlap += images_overlap(p, to, from);
  if (!p->params.period) return overlap;
  for (int n = -1; n <= 1; n++) overlap -= stz_waves_bell(R2 * p->body.width, distance + n * period);
  return overlap + 1.0 / period;
}

// Adds the plane stress of a strain `share` times the unit.
static void add_plane(const stz_plate *p, double share, double green[6][5]) {
  const double two_mu = 2.0 * p->body.shear, lame = two_mu * p->body.poisson / (1.0 - p->body.poisson);
  double q[6][6], sv[STZ_SV][STZ_SV] = {{0}}, sh[STZ_SH][STZ_SH] = {{0}};
  stz_waves_turn(1.0, 0.0, q);
  sv[0][0] = sv[1][1] = -(two_mu + lame);
  sv[0][1] = sv[1][0] = -lame;
  sh[0][0] = -two_mu;
  stz_waves_add_turned(share, q, sv, sh, green);
}

void stz_plate_local(const stz_plate *plate, int to, int from, int x, int y, double green[6][5]) {
  const double a = plate->params.spacing, across = R2 * plate->body.width, r = a * hypot(x, y);
  const double overlap = images_overlap(plate, &plate->layers[to], &plate->layers[from]);
  add_plane(plate, plate->params.volume * overlap * stz_waves_bell(across, r) * stz_waves_bell(across, 0.0), green);
}

// Plane stress of the layers, without its mean over the plate.
static void add_mean(const stz_plate *p, double share, const asked *which, double (*green)[6][5]) {
  const int sources = which->from >= 0 ? 1 : which->count;
  for (int pair = 0; pair < which->count * sources; pair++) {
    const stz_waves_layer *to = &p->layers[layer_of(which, pair / sources)];
    const stz_waves_layer *from = &p->layers[which->from >= 0 ? which->from : layer_of(which, pair % sources)];
    add_plane(p, share * overlap_of(p, to, from), green[pair]);
  }
}

enum { ALIASES = 9 };
static const double LAST = 34.0; // of the exponents of shapes

// A Brillouin alias of a wave vector of the lattice, and the weight of the shapes along x and y: 0 below the last
// digit.
static double wave_of(const stz_plate *p, int mx, int my, int alias, double *kx, double *ky) {
  const double a = p->params.spacing;
  const int zone[2] = {alias / 3, alias % 3};
  *kx = 2.0 * STZ_PI / a * ((double)mx / p->params.cells[0] + zone[0] - 1);
  *ky = 2.0 * STZ_PI / a * ((double)my / p->params.cells[1] + zone[1] - 1);
  const double exponent = (*kx * *kx + *ky * *ky) * p->body.width * p->body.width;
  return exponent > LAST ? 0.0 : p->params.volume / (a * a) * exp(-exponent);
}

bool stz_plate_near(const stz_plate *plate, int j) { return plate->layers[j].near; }

static void add_aliases(const stz_plate *plate, int mx, int my, const asked *which, const stz_wave_table *table,
                        double *work, double (*green)[6][5]) {
  const solved all = solved_in(plate, work);
  for (int alias = 0; alias < ALIASES; alias++) {
    double kx, ky;
    const double share = wave_of(plate, mx, my, alias, &kx, &ky);
    if (share == 0.0) continue;
    if (kx == 0.0 && ky == 0.0) {
      add_mean(plate, share, which, green);
    } else {
      add_wave(plate, kx, ky, share, which, table, &all, green);
    }
  }
}

void stz_plate_green(const stz_plate *plate, int mx, int my, const int *layers, int count, double *work,
                     double (*green)[6][5]) {
  memset(green, 0, (size_t)count * (size_t)count * sizeof *green);
  add_aliases(plate, mx, my, &(asked){layers, count, -1}, NULL, work, green);
}

void stz_plate_column(const stz_plate *plate, int mx, int my, int from, int count, double *work,
                      double (*green)[6][5]) {
  memset(green, 0, (size_t)count * sizeof *green);
  add_aliases(plate, mx, my, &(asked){NULL, count, from}, NULL, work, green);
}

// --- many wave vectors ---

struct stz_plate_pairs {
  const stz_plate *plate;
  asked which;
  double *work; // per worker, while the table is made
  stz_wave_table *table;
};

static void give_blocks(void *context, double k, int worker, double *numbers) {
  const stz_plate_pairs *pairs = context;
  const solved all = solved_in(pairs->plate, pairs->work + (size_t)worker * stz_plate_work(pairs->plate));
  block *blocks = (block *)numbers;
  solve_all(pairs->plate, k, &pairs->which, &all);
  for (int i = 0; i < rows_of(&pairs->which); i++) {
    make_row(pairs->plate, k, &pairs->which, &all, i, blocks + before_row(&pairs->which, i));
  }
}

stz_err stz_plate_pairs_create(const stz_plate *plate, stz_team *team, const int *layers, int count, int from,
                               stz_plate_pairs **pairs) {
  const int *n = plate->params.cells, workers = stz_team_workers(team);
  const double least = 2.0 * STZ_PI / (plate->params.spacing * (n[0] > n[1] ? n[0] : n[1]));
  const double most = sqrt(LAST) / plate->body.width;
  stz_plate_pairs *p = NULL;
  *pairs = NULL;
  STZ_TRY(STZ_NEW(p, 1));
  p->plate = plate;
  p->which = (asked){layers, count, from};
  stz_err err = STZ_NEW(p->work, (size_t)workers * stz_plate_work(plate));
  if (err == STZ_OK) {
    err = stz_wave_table_create(team, least, most, BLOCK * before_row(&p->which, rows_of(&p->which)), give_blocks, p,
                                &p->table);
  }
  stz_free(p->work);
  p->work = NULL;
  if (err != STZ_OK) stz_plate_pairs_destroy(&p);
  *pairs = p;
  return err;
}

void stz_plate_pairs_destroy(stz_plate_pairs **pairs) {
  if (!*pairs) return;
  stz_wave_table_destroy(&(*pairs)->table);
  stz_free(*pairs);
  *pairs = NULL;
}

void stz_plate_pairs_green(const stz_plate_pairs *pairs, int mx, int my, double *work, double (*green)[6][5]) {
  const int count = pairs->which.count;
  memset(green, 0, (size_t)count * (pairs->which.from >= 0 ? 1 : (size_t)count) * sizeof *green);
  add_aliases(pairs->plate, mx, my, &pairs->which, pairs->table, work, green);
}
