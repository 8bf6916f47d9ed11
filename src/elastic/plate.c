// SPDX-License-Identifier: GPL-3.0-or-later
#include "elastic/plate.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "base/units.h"
#include "elastic/waves.h"

enum { NODES = 48 };             // of a quadrature over a shape
static const double REACH = 6.5; // widths beyond which a shape is nothing
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

static void transpose(double sv[STZ_SV][STZ_SV], double sh[STZ_SH][STZ_SH], double back_sv[STZ_SV][STZ_SV],
                      double back_sh[STZ_SH][STZ_SH]) {
  for (int a = 0; a < STZ_SV; a++) {
    for (int b = 0; b < STZ_SV; b++) back_sv[b][a] = sv[a][b];
  }
  for (int a = 0; a < STZ_SH; a++) {
    for (int b = 0; b < STZ_SH; b++) back_sh[b][a] = sh[a][b];
  }
}

// Which pairs of layers are asked for: all pairs of a list, or one source and the layers of the list.
typedef struct asked {
  const int *layers; // NULL: 0, 1, ...
  int count, from;   // from: the source, -1: all
} asked;

static int layer_of(const asked *q, int i) { return q->layers ? q->layers[i] : i; }

// Solutions of one wave vector, by the place in the list; the single source's after the last.
typedef struct solved {
  stz_waves_source *sources;
  stz_waves_readout *readouts;
} solved;

// Adds the stress of the source layer `from` in the layer `to` (places i and j), and of the reverse, its transpose,
// unless `back` is NULL. Of two layers that one is read which is far from the faces.
static void add_pair(const stz_plate *p, double k, double share, double q[6][6], const solved *all, const int layers[2],
                     const int place[2], double (*there)[5], double (*back)[5]) {
  double sv[STZ_SV][STZ_SV], sh[STZ_SH][STZ_SH], other_sv[STZ_SV][STZ_SV], other_sh[STZ_SH][STZ_SH];
  const bool exchanged = p->layers[layers[0]].near && !p->layers[layers[1]].near;
  const int to = exchanged, from = !exchanged;
  pair_stress(p, k, &all->readouts[place[to]], &all->sources[place[from]], layers[to], layers[from], sv, sh);
  transpose(sv, sh, other_sv, other_sh);
  stz_waves_add_turned(share, q, exchanged ? other_sv : sv, exchanged ? other_sh : sh, there);
  if (back) stz_waves_add_turned(share, q, exchanged ? sv : other_sv, exchanged ? sh : other_sh, back);
}

static void solve_layer(const stz_plate *p, double k, int j, int place, const solved *all) {
  all->sources[place] = stz_waves_solve(&p->body, k, &p->layers[j]);
  all->readouts[place] = read_layer(p, k, &p->layers[j]);
}

// Adds the part of one wave vector, weighed by its shapes along x and y.
static void add_wave(const stz_plate *p, double kx, double ky, double share, const asked *which, const solved *all,
                     double (*green)[6][5]) {
  const double k = hypot(kx, ky);
  double q[6][6];
  stz_waves_turn(kx / k, ky / k, q);
  for (int i = 0; i < which->count; i++) solve_layer(p, k, layer_of(which, i), i, all);
  if (which->from >= 0) solve_layer(p, k, which->from, which->count, all);
  for (int i = 0; i < which->count; i++) {
    const int n = which->count, last = which->from >= 0 ? 0 : i;
    for (int j = 0; j <= last; j++) {
      const bool one = which->from >= 0;
      const int layers[2] = {layer_of(which, i), one ? which->from : layer_of(which, j)}, place[2] = {i, one ? n : j};
      add_pair(p, k, share, q, all, layers, place, green[one ? i : i * n + j], one || i == j ? NULL : green[j * n + i]);
    }
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

// A Brillouin alias of a wave vector of the lattice, and the weight of the shapes along x and y: 0 below the last
// digit.
static double wave_of(const stz_plate *p, int mx, int my, int alias, double *kx, double *ky) {
  const double a = p->params.spacing;
  const int zone[2] = {alias / 3, alias % 3};
  *kx = 2.0 * STZ_PI / a * ((double)mx / p->params.cells[0] + zone[0] - 1);
  *ky = 2.0 * STZ_PI / a * ((double)my / p->params.cells[1] + zone[1] - 1);
  const double exponent = (*kx * *kx + *ky * *ky) * p->body.width * p->body.width;
  return exponent > 34.0 ? 0.0 : p->params.volume / (a * a) * exp(-exponent);
}

size_t stz_plate_work(const stz_plate *plate) {
  return (size_t)(plate->params.cells[2] + 1) * (sizeof(stz_waves_source) + sizeof(stz_waves_readout)) / sizeof(double);
}

bool stz_plate_near(const stz_plate *plate, int j) { return plate->layers[j].near; }

static void add_aliases(const stz_plate *plate, int mx, int my, const asked *which, double *work,
                        double (*green)[6][5]) {
  const size_t room = (size_t)(plate->params.cells[2] + 1) * sizeof(stz_waves_source) / sizeof(double);
  const solved all = {(stz_waves_source *)work, (stz_waves_readout *)(work + room)};
  for (int alias = 0; alias < ALIASES; alias++) {
    double kx, ky;
    const double share = wave_of(plate, mx, my, alias, &kx, &ky);
    if (share == 0.0) continue;
    if (kx == 0.0 && ky == 0.0) {
      add_mean(plate, share, which, green);
    } else {
      add_wave(plate, kx, ky, share, which, &all, green);
    }
  }
}

void stz_plate_green(const stz_plate *plate, int mx, int my, const int *layers, int count, double *work,
                     double (*green)[6][5]) {
  memset(green, 0, (size_t)count * (size_t)count * sizeof *green);
  add_aliases(plate, mx, my, &(asked){layers, count, -1}, work, green);
}

void stz_plate_column(const stz_plate *plate, int mx, int my, int from, int count, double *work,
                      double (*green)[6][5]) {
  memset(green, 0, (size_t)count * sizeof *green);
  add_aliases(plate, mx, my, &(asked){NULL, count, from}, work, green);
}
