// SPDX-License-Identifier: GPL-3.0-or-later
#include "elastic/plate.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "base/units.h"

enum {
  NODES = 48, // of a quadrature over a shape
  IMAGES = 3, // of a layer's centre: itself, and mirrored at either face
  SV = 4,     // components kk, tt, zz, sqrt2 kz/i of the frame along the wave vector
  SH = 2      // sqrt2 kt, sqrt2 tz/i
};
static const double REACH = 6.5; // widths beyond which a shape is nothing
static const double R2 = 1.41421356237309504880;

// Functions of z that the powers of the wave number q along z stand for, over K = k^2 + q^2; odd powers over i.
typedef struct waves {
  double q4, q3, q2, q1, q0; // q^n/K^2
  double p2, p1, p0;         // q^n/K
  double one;                // 1
} waves;

typedef struct layer {
  double centre[IMAGES];
  int images;
  bool near; // its shape reaches over a face
} layer;

struct stz_plate {
  stz_plate_params params;
  double width, height;
  layer *layers;
  double node[NODES], weight[NODES]; // Gauss-Legendre, on -1..1
};

// A source layer and a layer read, at one wave vector.
typedef struct source {
  double sv[4][SV], sh[2][SH]; // amplitudes of the solutions without sources per strain
} source;
typedef struct readout {
  double sv[SV][4], sh[SH][2]; // stress per amplitude
} readout;

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

static layer layer_at(const stz_plate *p, double z) {
  const double reach = REACH * p->width;
  layer l = {.centre = {z}, .images = 1};
  if (z < reach) l.centre[l.images++] = -z;
  if (p->height - z < reach) l.centre[l.images++] = 2.0 * p->height - z;
  l.near = l.images > 1;
  return l;
}

stz_err stz_plate_create(const stz_plate_params *params, stz_plate **plate) {
  stz_plate *p = NULL;
  *plate = NULL;
  STZ_TRY(STZ_NEW(p, 1));
  p->params = *params;
  p->width = cbrt(params->volume) / (2.0 * sqrt(STZ_PI));
  p->height = params->cells[2] * params->spacing;
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

static double bell(double width, double z) {
  return exp(-0.5 * z * z / (width * width)) / (width * sqrt(2.0 * STZ_PI));
}

double stz_plate_shape(const stz_plate *plate, int j, double z) {
  const layer *l = &plate->layers[j];
  double sum = 0.0;
  for (int i = 0; i < l->images; i++) sum += bell(plate->width, z - l->centre[i]);
  return sum;
}

// Integrals over z' > 0 of a bell about z with exp(-k z') and z' exp(-k z').
static void half_line(double k, double width, double z, double *e, double *f) {
  const double scale = R2 * width, x = (k * width * width - z) / scale, y = z / scale;
  if (x <= 0.0) {
    *e = 0.5 * exp(0.5 * k * k * width * width - k * z) * erfc(x);
  } else {
    *e = y < -17.0 || x > 25.0 ? 0.0 : 0.5 * exp(x * x - y * y) * erfc(x);
  }
  *f = (z - k * width * width) * *e + width * width * bell(width, z);
}

// Adds `share` times the functions of a source of that width at the distance z.
static void add_waves(double k, double width, double z, double share, waves *w) {
  double above, below, above1, below1;
  half_line(k, width, z, &above, &above1);
  half_line(k, width, -z, &below, &below1);
  const double even = share * (above + below), odd = share * (above - below);
  const double even1 = share * k * (above1 + below1), odd1 = share * k * (above1 - below1);
  const double one = share * bell(width, z);
  w->one += one;
  w->q4 += one + 0.25 * k * (even1 - 3.0 * even);
  w->q3 += 0.25 * (2.0 * odd - odd1);
  w->q2 += (even - even1) / (4.0 * k);
  w->q1 += odd1 / (4.0 * k * k);
  w->q0 += (even + even1) / (4.0 * k * k * k);
  w->p2 += one - 0.5 * k * even;
  w->p1 += 0.5 * odd;
  w->p0 += even / (2.0 * k);
}

// The functions of a source layer at a depth.
static waves waves_at(const stz_plate *p, double k, const layer *from, double z) {
  waves w = {0};
  for (int i = 0; i < from->images; i++) add_waves(k, p->width, z - from->centre[i], 1.0, &w);
  return w;
}

// Averaged over the shape of a layer, in the infinite body: over the whole line if that is as good, else over the plate
// alone by quadrature.
static waves averaged(const stz_plate *p, double k, const layer *to, const layer *from) {
  waves w = {0};
  if (!to->near) {
    for (int i = 0; i < from->images; i++) add_waves(k, R2 * p->width, to->centre[0] - from->centre[i], 1.0, &w);
    return w;
  }
  const double low = fmax(0.0, to->centre[0] - REACH * p->width);
  const double high = fmin(p->height, to->centre[0] + REACH * p->width), half = 0.5 * (high - low);
  for (int n = 0; n < NODES; n++) {
    const double z = low + half * (1.0 + p->node[n]);
    double weight = 0.0;
    for (int i = 0; i < to->images; i++) weight += bell(p->width, z - to->centre[i]);
    for (int i = 0; i < from->images; i++) {
      add_waves(k, p->width, z - from->centre[i], half * p->weight[n] * weight, &w);
    }
  }
  return w;
}

// The stress of the infinite body in the frame of the wave vector.
static void frame_stress(const stz_plate *p, double k, const waves *w, double sv[SV][SV], double sh[SH][SH]) {
  const double l = p->params.poisson / (1.0 - p->params.poisson), m = 1.0 + l, s = -2.0 * p->params.shear, k2 = k * k;
  const double rows[SV][SV] = {
      {m * w->q4, l * w->p2, m * k2 * w->q2, R2 * m * k * w->q3},
      {l * w->p2, m * w->one, l * k2 * w->p0, R2 * l * k * w->p1},
      {m * k2 * w->q2, l * k2 * w->p0, m * k2 * k2 * w->q0, R2 * m * k2 * k * w->q1},
      {-R2 * m * k * w->q3, -R2 * l * k * w->p1, -R2 * m * k2 * k * w->q1, 2.0 * m * k2 * w->q2},
  };
  for (int a = 0; a < SV; a++) {
    for (int b = 0; b < SV; b++) sv[a][b] = s * rows[a][b];
  }
  sh[0][0] = s * w->p2;
  sh[0][1] = s * k * w->p1;
  sh[1][0] = -s * k * w->p1;
  sh[1][1] = s * k2 * w->p0;
}

// Stress of the solutions without sources from one face; e, f: exp(-k zeta) and k zeta exp(-k zeta) at the distance
// zeta from it, or their averages; side: 1 at z = 0, -1 at z = h.
static void solution_stress(const stz_plate *p, double e, double f, double side, double sv[SV][2], double sh[SH]) {
  const double two_mu = 2.0 * p->params.shear, nu = p->params.poisson;
  const double rows[SV][2] = {{-e, f - 2.0 * nu * e},
                              {0.0, -2.0 * nu * e},
                              {e, -(2.0 - 2.0 * nu) * e - f},
                              {-R2 * side * e, R2 * side * ((1.0 - 2.0 * nu) * e + f)}};
  for (int a = 0; a < SV; a++) {
    for (int b = 0; b < 2; b++) sv[a][b] = two_mu * rows[a][b];
  }
  sh[0] = two_mu * e / R2;
  sh[1] = two_mu * side * e / R2;
}

static void put_solutions(readout *r, int face, double sv[SV][2], const double sh[SH]) {
  for (int a = 0; a < SV; a++) {
    for (int b = 0; b < 2; b++) r->sv[a][2 * face + b] = sv[a][b];
  }
  for (int a = 0; a < SH; a++) r->sh[a][face] = sh[a];
}

// The average of the solutions over a layer.
static readout read_layer(const stz_plate *p, double k, const layer *l) {
  readout r;
  for (int face = 0; face < 2; face++) {
    double e = 0.0, f = 0.0, sv[SV][2], sh[SH];
    for (int i = 0; i < l->images; i++) {
      const double zeta = face ? p->height - l->centre[i] : l->centre[i], beyond = exp(-k * p->height);
      double all, all1, over, over1; // from the face on, and what of it lies beyond the other face
      half_line(k, p->width, zeta, &all, &all1);
      half_line(k, p->width, zeta - p->height, &over, &over1);
      e += all - beyond * over;
      f += k * (all1 - beyond * (p->height * over + over1));
    }
    solution_stress(p, e, f, face ? -1.0 : 1.0, sv, sh);
    put_solutions(&r, face, sv, sh);
  }
  return r;
}

// Solves a x = b for `columns` right-hand sides, in place of b: Gauss with pivots.
static void solve(int n, double a[4][4], int columns, double b[4][SV]) {
  for (int i = 0; i < n; i++) {
    int pivot = i;
    for (int j = i + 1; j < n; j++) pivot = fabs(a[j][i]) > fabs(a[pivot][i]) ? j : pivot;
    for (int c = 0; c < 4; c++) {
      const double va = a[i][c], vb = b[i][c];
      a[i][c] = a[pivot][c];
      a[pivot][c] = va;
      b[i][c] = b[pivot][c];
      b[pivot][c] = vb;
    }
    for (int j = 0; j < n; j++) {
      const double factor = j == i ? 0.0 : a[j][i] / a[i][i];
      for (int c = i; c < n && j != i; c++) a[j][c] -= factor * a[i][c];
      for (int c = 0; c < columns; c++) b[j][c] -= factor * b[i][c];
    }
  }
  for (int i = 0; i < n; i++) {
    for (int c = 0; c < columns; c++) b[i][c] /= a[i][i];
  }
}

// The amplitudes that take a source's tractions zz, kz and tz away from both faces.
static source solve_source(const stz_plate *p, double k, const layer *from) {
  static const int traction[2] = {2, 3};
  double m[4][4] = {{0}}, t[4][SV] = {{0}}, m2[4][4] = {{0}}, t2[4][SV] = {{0}};
  source s;
  for (int face = 0; face < 2; face++) {
    double sv[SV][SV], sh[SH][SH];
    const waves w = waves_at(p, k, from, face ? p->height : 0.0);
    frame_stress(p, k, &w, sv, sh);
    for (int a = 0; a < 2; a++) {
      for (int b = 0; b < SV; b++) t[2 * face + a][b] = -sv[traction[a]][b];
    }
    for (int b = 0; b < SH; b++) t2[face][b] = -sh[1][b];
    for (int other = 0; other < 2; other++) {
      const double zeta = other == face ? 0.0 : p->height, e = exp(-k * zeta);
      double from_face[SV][2], antiplane[SH];
      solution_stress(p, e, k * zeta * e, other ? -1.0 : 1.0, from_face, antiplane);
      for (int a = 0; a < 2; a++) {
        for (int b = 0; b < 2; b++) m[2 * face + a][2 * other + b] = from_face[traction[a]][b];
      }
      m2[face][other] = antiplane[1];
    }
  }
  solve(4, m, SV, t);
  solve(2, m2, SH, t2);
  memcpy(s.sv, t, sizeof s.sv);
  for (int a = 0; a < 2; a++) {
    for (int b = 0; b < SH; b++) s.sh[a][b] = t2[a][b];
  }
  return s;
}

// Rows: the components of the frame, kk tt zz kz kt tz; columns: the orthonormal basis. Orthogonal.
static void turn(double c, double s, double q[6][6]) {
  static const double r2 = 0.70710678118654752440, r3 = 0.57735026918962576451, r6 = 0.40824829046386301637;
  const double rows[6][6] = {
      {R2 * c * s, 0, 0, r2 * (c * c - s * s), -r6, r3},
      {-R2 * c * s, 0, 0, r2 * (s * s - c * c), -r6, r3},
      {0, 0, 0, 0, 2.0 * r6, r3},
      {0, s, c, 0, 0, 0},
      {c * c - s * s, 0, 0, -2.0 * c * s, 0, 0},
      {0, c, -s, 0, 0, 0},
  };
  memcpy(q, rows, sizeof rows);
}

// green += share q^T b q, b made of both blocks.
static void add_turned(double share, double q[6][6], double sv[SV][SV], double sh[SH][SH], double green[6][5]) {
  double half[6][5];
  for (int d = 0; d < 5; d++) {
    for (int a = 0; a < SV; a++) {
      half[a][d] = 0.0;
      for (int b = 0; b < SV; b++) half[a][d] += share * sv[a][b] * q[b][d];
    }
    for (int a = 0; a < SH; a++) half[SV + a][d] = share * (sh[a][0] * q[SV][d] + sh[a][1] * q[SV + 1][d]);
  }
  for (int c = 0; c < 6; c++) {
    for (int d = 0; d < 5; d++) {
      for (int a = 0; a < 6; a++) green[c][d] += q[a][c] * half[a][d];
    }
  }
}

// Adds the part of the solutions without sources.
static void add_solutions(const readout *r, const source *s, double sv[SV][SV], double sh[SH][SH]) {
  for (int a = 0; a < SV; a++) {
    for (int b = 0; b < SV; b++) {
      for (int i = 0; i < 4; i++) sv[a][b] += r->sv[a][i] * s->sv[i][b];
    }
  }
  for (int a = 0; a < SH; a++) {
    for (int b = 0; b < SH; b++) sh[a][b] += r->sh[a][0] * s->sh[0][b] + r->sh[a][1] * s->sh[1][b];
  }
}

// Takes off the infinite body's sources, repeated with the period; few of them matter.
static void take_repeated(const stz_plate *p, double k, double distance, waves *w) {
  const double period = p->params.period * p->params.spacing;
  const int most = 2 + (int)(36.0 / (k * period));
  for (int n = -most; n <= most; n++) add_waves(k, R2 * p->width, distance + n * period, -1.0, w);
}

// Overlap of a layer with the images of another.
static double images_overlap(const stz_plate *p, const layer *to, const layer *from) {
  double overlap = 0.0;
  for (int i = 1; i < from->images; i++) overlap += bell(R2 * p->width, to->centre[0] - from->centre[i]);
  return overlap;
}

// What the layer `from` makes in the layer `to`, in the frame of the wave vector.
static void pair_stress(const stz_plate *p, double k, const readout *r, const source *f, int to, int from,
                        double sv[SV][SV], double sh[SH][SH]) {
  waves w = averaged(p, k, &p->layers[to], &p->layers[from]);
  if (p->params.period) take_repeated(p, k, p->layers[to].centre[0] - p->layers[from].centre[0], &w);
  if (p->params.smooth) {
    const double overlap = images_overlap(p, &p->layers[to], &p->layers[from]);
    w.one -= overlap;
    w.q4 -= overlap;
    w.p2 -= overlap;
  }
  frame_stress(p, k, &w, sv, sh);
  add_solutions(r, f, sv, sh);
}

static void transpose(double sv[SV][SV], double sh[SH][SH], double back_sv[SV][SV], double back_sh[SH][SH]) {
  for (int a = 0; a < SV; a++) {
    for (int b = 0; b < SV; b++) back_sv[b][a] = sv[a][b];
  }
  for (int a = 0; a < SH; a++) {
    for (int b = 0; b < SH; b++) back_sh[b][a] = sh[a][b];
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
  source *sources;
  readout *readouts;
} solved;

// Adds the stress of the source layer `from` in the layer `to` (places i and j), and of the reverse, its transpose,
// unless `back` is NULL. Of two layers that one is read which is far from the faces.
static void add_pair(const stz_plate *p, double k, double share, double q[6][6], const solved *all, const int layers[2],
                     const int place[2], double (*there)[5], double (*back)[5]) {
  double sv[SV][SV], sh[SH][SH], other_sv[SV][SV], other_sh[SH][SH];
  const bool exchanged = p->layers[layers[0]].near && !p->layers[layers[1]].near;
  const int to = exchanged, from = !exchanged;
  pair_stress(p, k, &all->readouts[place[to]], &all->sources[place[from]], layers[to], layers[from], sv, sh);
  transpose(sv, sh, other_sv, other_sh);
  add_turned(share, q, exchanged ? other_sv : sv, exchanged ? other_sh : sh, there);
  if (back) add_turned(share, q, exchanged ? sv : other_sv, exchanged ? sh : other_sh, back);
}

static void solve_layer(const stz_plate *p, double k, int j, int place, const solved *all) {
  all->sources[place] = solve_source(p, k, &p->layers[j]);
  all->readouts[place] = read_layer(p, k, &p->layers[j]);
}

// Adds the part of one wave vector, weighed by its shapes along x and y.
static void add_wave(const stz_plate *p, double kx, double ky, double share, const asked *which, const solved *all,
                     double (*green)[6][5]) {
  const double k = hypot(kx, ky);
  double q[6][6];
  turn(kx / k, ky / k, q);
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
static double overlap_of(const stz_plate *p, const layer *to, const layer *from) {
  const double period = p->params.period * p->params.spacing, distance = to->centre[0] - from->centre[0];
  double overlap = bell(R2 * p->width, distance) - 1.0 / p->height;
  if (!p->params.smooth) overlap += images_overlap(p, to, from);
  if (!p->params.period) return overlap;
  for (int n = -1; n <= 1; n++) overlap -= bell(R2 * p->width, distance + n * period);
  return overlap + 1.0 / period;
}

// Adds the plane stress of a strain `share` times the unit.
static void add_plane(const stz_plate *p, double share, double green[6][5]) {
  const double two_mu = 2.0 * p->params.shear, lame = two_mu * p->params.poisson / (1.0 - p->params.poisson);
  double q[6][6], sv[SV][SV] = {{0}}, sh[SH][SH] = {{0}};
  turn(1.0, 0.0, q);
  sv[0][0] = sv[1][1] = -(two_mu + lame);
  sv[0][1] = sv[1][0] = -lame;
  sh[0][0] = -two_mu;
  add_turned(share, q, sv, sh, green);
}

void stz_plate_local(const stz_plate *plate, int to, int from, int x, int y, double green[6][5]) {
  const double a = plate->params.spacing, across = R2 * plate->width, r = a * hypot(x, y);
  const double overlap = images_overlap(plate, &plate->layers[to], &plate->layers[from]);
  add_plane(plate, plate->params.volume * overlap * bell(across, r) * bell(across, 0.0), green);
}

// Plane stress of the layers, without its mean over the plate.
static void add_mean(const stz_plate *p, double share, const asked *which, double (*green)[6][5]) {
  const int sources = which->from >= 0 ? 1 : which->count;
  for (int pair = 0; pair < which->count * sources; pair++) {
    const layer *to = &p->layers[layer_of(which, pair / sources)];
    const layer *from = &p->layers[which->from >= 0 ? which->from : layer_of(which, pair % sources)];
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
  const double exponent = (*kx * *kx + *ky * *ky) * p->width * p->width;
  return exponent > 34.0 ? 0.0 : p->params.volume / (a * a) * exp(-exponent);
}

size_t stz_plate_work(const stz_plate *plate) {
  return (size_t)(plate->params.cells[2] + 1) * (sizeof(source) + sizeof(readout)) / sizeof(double);
}

bool stz_plate_near(const stz_plate *plate, int j) { return plate->layers[j].near; }

static void add_aliases(const stz_plate *plate, int mx, int my, const asked *which, double *work,
                        double (*green)[6][5]) {
  const size_t room = (size_t)(plate->params.cells[2] + 1) * sizeof(source) / sizeof(double);
  const solved all = {(source *)work, (readout *)(work + room)};
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

void stz_plate_field(const stz_plate *plate, int mx, int my, int from, double z, double green[6][5]) {
  memset(green, 0, 30 * sizeof(double));
  for (int alias = 0; alias < ALIASES; alias++) {
    double kx, ky, sv[SV][SV], sh[SH][SH], q[6][6], one[SV][2], antiplane[SH];
    const double share = wave_of(plate, mx, my, alias, &kx, &ky), k = hypot(kx, ky);
    if (share == 0.0 || k == 0.0) continue;
    const source s = solve_source(plate, k, &plate->layers[from]);
    const waves w = waves_at(plate, k, &plate->layers[from], z);
    readout r;
    for (int face = 0; face < 2; face++) {
      const double zeta = face ? plate->height - z : z, e = exp(-k * zeta);
      solution_stress(plate, e, k * zeta * e, face ? -1.0 : 1.0, one, antiplane);
      put_solutions(&r, face, one, antiplane);
    }
    frame_stress(plate, k, &w, sv, sh);
    add_solutions(&r, &s, sv, sh);
    turn(kx / k, ky / k, q);
    add_turned(share, q, sv, sh, green);
  }
}
