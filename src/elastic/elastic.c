// SPDX-License-Identifier: GPL-3.0-or-later
#include "elastic/elastic.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/comm.h"
#include "base/interrupt.h"
#include "base/mathfn.h"
#include "base/memory.h"
#include "base/shared.h"
#include "base/tensor.h"
#include "base/units.h"
#include "elastic/film.h"
#include "elastic/row.h"

struct stz_elastic {
  const stz_grid *grid;
  double young, poisson, shear, volume;
  double stretch[3], edge[3]; // of the box: logarithmic strains, and edges over those of the lattice
  int half[3];                // points of the octant an axis: n/2 + 1
  int row_length;             // of the octant along z, padded to a multiple of 8
  float mirror[2][2][5];      // signs of the components under x -> -x (1) and none (0), and under y -> -y
  size_t table_bytes;
  stz_shared shared;
  const float *table; // [x][y][pair][row_length], or that of the film, shared
  stz_film *film;     // NULL: a periodic box
};

// Upper triangle of the 5 x 5 matrix, row by row.
int stz_elastic_pair(int c, int d) {
  static const int start[5] = {0, 5, 9, 12, 14};
  return c <= d ? start[c] + d - c : start[d] + c - d;
}

double stz_elastic_young(const stz_elastic *elastic) { return elastic->young; }
double stz_elastic_poisson(const stz_elastic *elastic) { return elastic->poisson; }
double stz_elastic_volume(const stz_elastic *elastic) { return elastic->volume; }
size_t stz_elastic_table_bytes(const stz_elastic *elastic) { return elastic->table_bytes; }
const double *stz_elastic_stretched(const stz_elastic *elastic) { return elastic->stretch; }

static void set_stretch(stz_elastic *e, const double stretch[3]) {
  for (int axis = 0; axis < 3; axis++) {
    e->stretch[axis] = stretch[axis];
    e->edge[axis] = stz_exp(stretch[axis]);
  }
}

stz_err stz_elastic_stretch(stz_elastic *elastic, const double stretch[3]) {
  assert(!elastic->film);
  const double *now = elastic->stretch;
  if (now[0] == stretch[0] && now[1] == stretch[1] && now[2] == stretch[2]) return STZ_OK;
  set_stretch(elastic, stretch);
  if (elastic->table_bytes > 0) stz_shared_destroy(&elastic->shared);
  elastic->table = NULL;
  elastic->table_bytes = 0;
  return STZ_OK;
}

// STZ volume in voxels, as they are in a stretched box.
static double density_of(const stz_elastic *e) {
  return stz_grid_voxels(e->grid, e->volume) / (e->edge[0] * e->edge[1] * e->edge[2]);
}

stz_err stz_elastic_box(const stz_elastic *elastic, int period, stz_grid **box, stz_elastic **op) {
  const int *cells = stz_grid_cells(elastic->grid);
  const stz_lattice_params lattice = {.cells = {cells[0], cells[1], period},
                                      .spacing_nm = stz_grid_spacing(elastic->grid)};
  const stz_elastic_params params = {.young_GPa = elastic->young / STZ_GPA, .poisson = elastic->poisson};
  *op = NULL;
  STZ_TRY(stz_grid_create(stz_grid_comm(elastic->grid), &lattice, box));
  stz_grid_employ(*box, stz_grid_team(elastic->grid));
  return stz_elastic_create(*box, &params, elastic->volume, op);
}

static stz_plate_params plate_of(const stz_elastic *e, int period) {
  stz_plate_params plate = {.spacing = stz_grid_spacing(e->grid),
                            .volume = e->volume,
                            .shear = e->shear,
                            .poisson = e->poisson,
                            .period = period};
  memcpy(plate.cells, stz_grid_cells(e->grid), sizeof plate.cells);
  return plate;
}

stz_err stz_elastic_plate(const stz_elastic *elastic, int period, bool smooth, stz_plate **plate) {
  stz_plate_params params = plate_of(elastic, period);
  params.smooth = smooth;
  return stz_plate_create(&params, plate);
}

// Adds weight * (-2 mu) [T B_d T + nu/(1-nu) tr(T B_d T) T] : B_c for the unit vector u and the orthonormal basis B of
// symmetric tensors. With v_c = B_c u, q_c = u.v_c and t_c = tr B_c this is
// delta_cd - 2 v_c.v_d + q_c q_d + nu/(1-nu) (t_c - q_c)(t_d - q_d).
static void add_alias(const double u[3], double weight, double two_mu, double lame, double green[6][6]) {
  static const double r2 = 0.70710678118654752440, r3 = 0.57735026918962576451, r6 = 0.40824829046386301637;
  const double v[6][3] = {
      {r2 * u[1], r2 * u[0], 0.0},
      {0.0, r2 * u[2], r2 * u[1]},
      {r2 * u[2], 0.0, r2 * u[0]},
      {r2 * u[0], -r2 * u[1], 0.0},
      {-r6 * u[0], -r6 * u[1], 2 * r6 * u[2]},
      {r3 * u[0], r3 * u[1], r3 * u[2]},
  };
  double q[6], s[6];
  for (int c = 0; c < 6; c++) {
    q[c] = u[0] * v[c][0] + u[1] * v[c][1] + u[2] * v[c][2];
    s[c] = (c == 5 ? 3.0 * r3 : 0.0) - q[c];
  }
  for (int c = 0; c < 6; c++) {
    for (int d = c; d < 6; d++) {
      const double vv = v[c][0] * v[d][0] + v[c][1] * v[d][1] + v[c][2] * v[d][2];
      green[c][d] -= weight * two_mu * ((c == d) - 2.0 * vv + q[c] * q[d] + lame * s[c] * s[d]);
    }
  }
}

// The average over the two signs of a Nyquist wave number leaves only what is even there (the trace is even); the
// lower triangle follows from the upper one.
static void symmetrise(const int cells[3], const int m[3], double green[6][6]) {
  for (int c = 0; c < 6; c++) {
    for (int d = c; d < 6; d++) {
      for (int axis = 0; axis < 3; axis++) {
        const int parity = (c < 5 ? stz_dev_parity(c, axis) : 1) * (d < 5 ? stz_dev_parity(d, axis) : 1);
        if (parity < 0 && 2 * abs(m[axis]) == cells[axis]) green[c][d] = 0.0;
      }
      green[d][c] = green[c][d];
    }
  }
}

void stz_elastic_green(const stz_elastic *elastic, const int m[3], double green[6][6]) {
  const int *cells = stz_grid_cells(elastic->grid);
  const double a = stz_grid_spacing(elastic->grid);
  const double s2 = cbrt(elastic->volume * elastic->volume) / (4.0 * STZ_PI);
  const double density = density_of(elastic);
  const double lame = elastic->poisson / (1.0 - elastic->poisson);
  memset(green, 0, 36 * sizeof(double));
  if (m[0] == 0 && m[1] == 0 && m[2] == 0) return;
  for (int alias = 0; alias < 27; alias++) {
    const int g[3] = {alias / 9 - 1, alias / 3 % 3 - 1, alias % 3 - 1};
    double kappa[3], k2 = 0.0;
    for (int i = 0; i < 3; i++) {
      kappa[i] = 2.0 * STZ_PI / a * ((double)m[i] / cells[i] + g[i]) / elastic->edge[i];
      k2 += kappa[i] * kappa[i];
    }
    if (k2 * s2 > 45.0) continue; // below the last digit
    const double length = sqrt(k2), u[3] = {kappa[0] / length, kappa[1] / length, kappa[2] / length};
    add_alias(u, density * exp(-k2 * s2), 2.0 * elastic->shear, lame, green);
  }
  symmetrise(cells, m, green);
}

void stz_elastic_along(const stz_elastic *elastic, const double k[3], double green[6][6]) {
  const double length = sqrt(k[0] * k[0] + k[1] * k[1] + k[2] * k[2]);
  const double u[3] = {k[0] / length, k[1] / length, k[2] / length};
  memset(green, 0, 36 * sizeof(double));
  add_alias(u, 1.0, 2.0 * elastic->shear, elastic->poisson / (1.0 - elastic->poisson), green);
  for (int c = 0; c < 6; c++) {
    for (int d = c; d < 6; d++) green[d][c] = green[c][d];
  }
}

void stz_elastic_bare(const stz_elastic *elastic, const int m[3], double green[6][6]) {
  const int *cells = stz_grid_cells(elastic->grid);
  const double density = density_of(elastic);
  double u[3], length = 0.0;
  memset(green, 0, 36 * sizeof(double));
  if (m[0] == 0 && m[1] == 0 && m[2] == 0) return;
  for (int i = 0; i < 3; i++) {
    u[i] = (double)m[i] / cells[i] / elastic->edge[i];
    length += u[i] * u[i];
  }
  for (int i = 0; i < 3; i++) u[i] /= sqrt(length);
  add_alias(u, density, 2.0 * elastic->shear, elastic->poisson / (1.0 - elastic->poisson), green);
  symmetrise(cells, m, green);
}

stz_err stz_elastic_octant(stz_team *team, const int cells[3], int c, int d, double *data) {
  int parity[3];
  for (int axis = 0; axis < 3; axis++) parity[axis] = stz_dev_parity(c, axis) * stz_dev_parity(d, axis);
  STZ_TRY(stz_octant_inverse(team, cells, parity, data));
  // A pair of odd axes turns exp(i k r) into i sin times i sin.
  if (parity[0] + parity[1] + parity[2] == 3) return STZ_OK;
  const size_t octant = (size_t)(cells[0] / 2 + 1) * (size_t)(cells[1] / 2 + 1) * (size_t)(cells[2] / 2 + 1);
  for (size_t i = 0; i < octant; i++) data[i] = -data[i];
  return STZ_OK;
}

typedef struct filling {
  const stz_elastic *e;
  double *spectrum; // [pair][x][y][z] of the octant
  float *table;
  int c, d;
} filling;

// The operator at the wave numbers of rows (x, y) of the octant.
static void fill_operator(void *context, int64_t first, int64_t end, int worker) {
  (void)worker;
  const filling *f = context;
  const int *n = f->e->half;
  const size_t octant = (size_t)n[0] * (size_t)n[1] * (size_t)n[2];
  for (int64_t i = first * n[2]; i < end * n[2]; i++) {
    const int m[3] = {(int)(i / n[2] / n[1]), (int)(i / n[2] % n[1]), (int)(i % n[2])};
    double green[6][6];
    stz_elastic_green(f->e, m, green);
    for (int c = 0; c < 5; c++) {
      for (int d = c; d < 5; d++) f->spectrum[(size_t)stz_elastic_pair(c, d) * octant + (size_t)i] = green[c][d];
    }
  }
}

// Rows (x, y) of one pair of components into the table, and what pads them.
static void fill_rows(void *context, int64_t first, int64_t end, int worker) {
  (void)worker;
  const filling *f = context;
  const int *n = f->e->half, pair = stz_elastic_pair(f->c, f->d), length = f->e->row_length;
  const float parity = (float)(stz_dev_parity(f->c, 2) * stz_dev_parity(f->d, 2));
  const double *field = f->spectrum + (size_t)pair * (size_t)n[0] * (size_t)n[1] * (size_t)n[2];
  for (int64_t row = first; row < end; row++) {
    float *to = f->table + ((size_t)row * STZ_PAIRS + (size_t)pair) * (size_t)length;
    for (int z = 0; z < n[2]; z++) to[z] = (float)field[row * n[2] + z];
    for (int z = n[2]; z < length; z++) to[z] = parity * to[stz_grid_cells(f->e->grid)[2] - z];
  }
}

// Fills the table: the operator on the octant of wave numbers, transformed by its mirror parity, component by
// component.
static stz_err fill_table(const stz_elastic *e, float *table) {
  const int *n = e->half;
  const size_t octant = (size_t)n[0] * (size_t)n[1] * (size_t)n[2];
  stz_team *team = stz_grid_team(e->grid);
  filling f = {.e = e, .table = table};
  STZ_TRY(STZ_NEW(f.spectrum, octant * STZ_PAIRS));
  stz_err err = stz_stage_run(team, 0.0, 0.5, n[0] * n[1], 16, fill_operator, &f);
  for (f.c = 0; f.c < 5 && err == STZ_OK; f.c++) {
    for (f.d = f.c; f.d < 5 && err == STZ_OK; f.d++) {
      const int pair = stz_elastic_pair(f.c, f.d);
      err = stz_stage_on(0.5 + 0.5 * pair / STZ_PAIRS);
      if (err == STZ_OK) {
        err = stz_elastic_octant(team, stz_grid_cells(e->grid), f.c, f.d, f.spectrum + (size_t)pair * octant);
      }
      if (err == STZ_OK) stz_team_run(team, n[0] * n[1], 64, fill_rows, &f);
    }
  }
  stz_free(f.spectrum);
  return err;
}

stz_err stz_elastic_create(const stz_grid *grid, const stz_elastic_params *params, double volume,
                           stz_elastic **elastic) {
  stz_elastic *e = NULL;
  *elastic = NULL;
  STZ_TRY(stz_agree(stz_grid_comm(grid), STZ_NEW(e, 1)));
  *e = (stz_elastic){.grid = grid, .young = params->young_GPa * STZ_GPA, .poisson = params->poisson, .volume = volume};
  e->shear = e->young / (2.0 * (1.0 + e->poisson));
  set_stretch(e, (const double[3]){0.0});
  for (int axis = 0; axis < 3; axis++) e->half[axis] = stz_grid_cells(grid)[axis] / 2 + 1;
  e->row_length = (e->half[2] + 7) / 8 * 8;
  for (int axis = 0; axis < 2; axis++) {
    for (int c = 0; c < 5; c++) {
      e->mirror[axis][0][c] = 1.0f;
      e->mirror[axis][1][c] = (float)stz_dev_parity(c, axis);
    }
  }
  stz_err err = STZ_OK;
  if (stz_grid_film(grid)) {
    const stz_plate_params plate = plate_of(e, 0);
    err = stz_film_create(grid, &plate, &e->film);
  }
  *elastic = e;
  err = stz_agree(stz_grid_comm(grid), err);
  if (err != STZ_OK) stz_elastic_destroy(elastic);
  return err;
}

static size_t table_size(const stz_elastic *e) {
  if (e->film) return (size_t)stz_film_table_bytes(stz_grid_cells(e->grid));
  return (size_t)e->half[0] * (size_t)e->half[1] * STZ_PAIRS * (size_t)e->row_length * sizeof(float);
}

stz_err stz_elastic_tabulate(stz_elastic *e) {
  const size_t bytes = table_size(e);
  if (e->table_bytes > 0) return STZ_OK;
  STZ_TRY(stz_stage(stz_grid_comm(e->grid), "making the kernel of one event"));
  STZ_TRY(stz_shared_create(stz_grid_comm(e->grid), bytes, &e->shared));
  e->table = e->shared.data;
  stz_err err = STZ_OK;
  if (e->shared.fills) err = e->film ? stz_film_fill(e->film, e->shared.data) : fill_table(e, e->shared.data);
  stz_shared_spread(&e->shared);
  err = stz_agree(stz_grid_comm(e->grid), err);
  if (err != STZ_OK) {
    stz_shared_destroy(&e->shared);
    return err;
  }
  e->table_bytes = bytes;
  return STZ_OK;
}

void stz_elastic_destroy(stz_elastic **elastic) {
  if (!*elastic) return;
  stz_shared_destroy(&(*elastic)->shared);
  stz_film_destroy(&(*elastic)->film);
  stz_free(*elastic);
  *elastic = NULL;
}

typedef struct product {
  const stz_elastic *elastic;
  const stz_spectral *spectral;
  double complex *spectrum;
  size_t modes;
} product;

// The operator times the strain, at each wave number, in place.
static void multiply(void *context, int64_t first, int64_t end, int worker) {
  (void)worker;
  const product *p = context;
  for (size_t i = (size_t)first; i < (size_t)end; i++) {
    int m[3];
    double green[6][6];
    double complex in[5];
    stz_spectral_wave(p->spectral, i, m);
    stz_elastic_green(p->elastic, m, green);
    for (int d = 0; d < 5; d++) in[d] = p->spectrum[(size_t)d * p->modes + i];
    for (int c = 0; c < 6; c++) {
      double complex sum = 0.0;
      for (int d = 0; d < 5; d++) sum += green[c][d] * in[d];
      p->spectrum[(size_t)c * p->modes + i] = sum;
    }
  }
}

stz_err stz_elastic_stress(const stz_elastic *elastic, stz_spectral *spectral, const double *const strain[5],
                           double *const stress[6]) {
  if (elastic->film) return stz_film_stress(elastic->film, strain, stress);
  product p = {.elastic = elastic, .spectral = spectral, .modes = stz_spectral_modes(spectral)};
  STZ_TRY(stz_agree(stz_grid_comm(elastic->grid), STZ_NEW(p.spectrum, 6 * p.modes)));
  for (int c = 0; c < 5; c++) stz_spectral_forward(spectral, strain[c], p.spectrum + (size_t)c * p.modes);
  stz_err err = stz_stage_run(stz_grid_team(elastic->grid), 0.0, 1.0, (int64_t)p.modes, 4096, multiply, &p);
  err = stz_agree(stz_grid_comm(elastic->grid), err);
  for (int c = 0; c < 6 && err == STZ_OK; c++) {
    stz_spectral_inverse(spectral, p.spectrum + (size_t)c * p.modes, stress[c]);
  }
  stz_free(p.spectrum);
  return err;
}

// Signed offset from `origin`, to the nearest periodic image.
static int nearest_image(int x, int origin, int n) {
  const int d = x - origin;
  return d > n / 2 ? d - n : d < -n / 2 ? d + n : d;
}

static void contract_row(const stz_elastic *elastic, int dx, int dy, const float e[5], float *row, size_t stride) {
  const float *x = elastic->mirror[0][dx < 0], *y = elastic->mirror[1][dy < 0];
  float mirrored[5], sign[5];
  for (int c = 0; c < 5; c++) {
    sign[c] = x[c] * y[c];
    mirrored[c] = sign[c] * e[c];
  }
  const size_t start = ((size_t)abs(dx) * (size_t)elastic->half[1] + (size_t)abs(dy)) * STZ_PAIRS;
  stz_elastic_contract(elastic->table + start * (size_t)elastic->row_length, elastic->row_length, mirrored, sign,
                       stz_grid_cells(elastic->grid)[2], row, stride);
}

// All rows are contracted before the first is added: what was just written in rows8 is slow to read whole.
void stz_elastic_add_strip(const stz_elastic *elastic, const int origin[3], const float e[5], int x, int y, int rows,
                           float *const stress[5]) {
  _Alignas(64) float strip[5 * (STZ_STRIP_SITES + STZ_STRIP_SITES / 16 * STZ_ROW_MARGIN)];
  const int *cells = stz_grid_cells(elastic->grid), nz = cells[2], length = nz + STZ_ROW_MARGIN;
  const size_t stride = (size_t)rows * (size_t)length;
  assert(rows * nz <= STZ_STRIP_SITES);
  const int dx = nearest_image(x, origin[0], cells[0]);
  for (int row = 0; row < rows && elastic->film; row++) {
    const int dy = nearest_image(y + row, origin[1], cells[1]);
    stz_film_add_row(elastic->film, elastic->table, dx, dy, origin[2], e, stress, row * nz);
  }
  if (elastic->film) return;
  for (int row = 0; row < rows; row++) {
    contract_row(elastic, dx, nearest_image(y + row, origin[1], cells[1]), e, strip + row * length, stride);
  }
  for (int c = 0; c < 5; c++) {
    for (int row = 0; row < rows; row++) {
      stz_elastic_add_turned(strip + (size_t)c * stride + row * length, nz, origin[2], stress[c] + row * nz);
    }
  }
}
