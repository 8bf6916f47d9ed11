// SPDX-License-Identifier: GPL-3.0-or-later
#include "lattice/spectral.h"

#include <fftw3.h>
#include <stdbool.h>
#include <string.h>

#include "base/comm.h"
#include "base/memory.h"
#include "base/units.h"

struct stz_spectral {
  const stz_grid *grid;
  int nx, ny, half;    // half = nz/2 + 1
  int first_row, rows; // this rank's ky
  fftw_plan plane_forward, plane_inverse, line_forward, line_inverse;
  size_t plane_size, modes_size, line_size;         // of the scratch of one worker, whole cache lines
  double *plane;                                    // ny x nz reals
  double complex *plane_modes;                      // ny x half
  double complex *line;                             // nx
  double complex *exchange;                         // the blocks of the transpose, ordered by the rank that owns ky
  int *slab_counts, *slab_at, *row_counts, *row_at; // doubles to and from each rank
};

static int first_row_of(const stz_spectral *s, int rank) {
  return (int)((int64_t)rank * s->ny / stz_grid_ranks(s->grid));
}

static int first_plane_of(const stz_spectral *s, int rank) {
  return (int)((int64_t)rank * s->nx / stz_grid_ranks(s->grid));
}

static stz_err allocate(stz_spectral *s) {
  const int nz = stz_grid_cells(s->grid)[2], ranks = stz_grid_ranks(s->grid);
  const size_t slab = (size_t)stz_grid_planes(s->grid) * (size_t)s->ny * (size_t)s->half;
  const size_t rows = (size_t)s->rows * (size_t)s->half * (size_t)s->nx;
  const size_t workers = (size_t)stz_team_workers(stz_grid_team(s->grid));
  s->plane_size = ((size_t)s->ny * (size_t)nz + 7) / 8 * 8;
  s->modes_size = ((size_t)s->ny * (size_t)s->half + 3) / 4 * 4;
  s->line_size = ((size_t)s->nx + 3) / 4 * 4;
  STZ_TRY(STZ_NEW(s->plane, workers * s->plane_size));
  STZ_TRY(STZ_NEW(s->plane_modes, workers * s->modes_size));
  STZ_TRY(STZ_NEW(s->line, workers * s->line_size));
  STZ_TRY(STZ_NEW(s->exchange, slab > rows ? slab : rows));
  STZ_TRY(STZ_NEW(s->slab_counts, ranks));
  STZ_TRY(STZ_NEW(s->slab_at, ranks));
  STZ_TRY(STZ_NEW(s->row_counts, ranks));
  STZ_TRY(STZ_NEW(s->row_at, ranks));
  // FFTW_ESTIMATE alone chooses the same algorithm in every run.
  s->plane_forward = fftw_plan_dft_r2c_2d(s->ny, nz, s->plane, s->plane_modes, FFTW_ESTIMATE);
  s->plane_inverse = fftw_plan_dft_c2r_2d(s->ny, nz, s->plane_modes, s->plane, FFTW_ESTIMATE);
  s->line_forward = fftw_plan_dft_1d(s->nx, s->line, s->line, FFTW_FORWARD, FFTW_ESTIMATE);
  s->line_inverse = fftw_plan_dft_1d(s->nx, s->line, s->line, FFTW_BACKWARD, FFTW_ESTIMATE);
  if (!s->plane_forward || !s->plane_inverse || !s->line_forward || !s->line_inverse) {
    return stz_fail(STZ_EINTERNAL, "FFTW could not plan a transform of %d x %d x %d", s->nx, s->ny, nz);
  }
  return STZ_OK;
}

stz_err stz_spectral_create(const stz_grid *grid, stz_spectral **spectral) {
  stz_spectral *s = NULL;
  *spectral = NULL;
  stz_err err = STZ_NEW(s, 1);
  if (err == STZ_OK) {
    const int *cells = stz_grid_cells(grid);
    *s = (stz_spectral){.grid = grid, .nx = cells[0], .ny = cells[1], .half = cells[2] / 2 + 1};
    s->first_row = first_row_of(s, stz_grid_rank(grid));
    s->rows = first_row_of(s, stz_grid_rank(grid) + 1) - s->first_row;
    err = allocate(s);
  }
  err = stz_agree(stz_grid_comm(grid), err);
  if (err != STZ_OK) {
    stz_spectral_destroy(&s);
    return err;
  }
  int slab_at = 0, row_at = 0;
  for (int r = 0; r < stz_grid_ranks(grid); r++) {
    const int rows = first_row_of(s, r + 1) - first_row_of(s, r);
    const int planes = first_plane_of(s, r + 1) - first_plane_of(s, r);
    s->slab_counts[r] = 2 * stz_grid_planes(grid) * rows * s->half;
    s->row_counts[r] = 2 * planes * s->rows * s->half;
    s->slab_at[r] = slab_at;
    s->row_at[r] = row_at;
    slab_at += s->slab_counts[r];
    row_at += s->row_counts[r];
  }
  *spectral = s;
  return STZ_OK;
}

void stz_spectral_destroy(stz_spectral **spectral) {
  stz_spectral *s = *spectral;
  if (!s) return;
  fftw_destroy_plan(s->plane_forward);
  fftw_destroy_plan(s->plane_inverse);
  fftw_destroy_plan(s->line_forward);
  fftw_destroy_plan(s->line_inverse);
  stz_free(s->plane);
  stz_free(s->plane_modes);
  stz_free(s->line);
  stz_free(s->exchange);
  stz_free(s->slab_counts);
  stz_free(s->slab_at);
  stz_free(s->row_counts);
  stz_free(s->row_at);
  stz_free(s);
  *spectral = NULL;
}

size_t stz_spectral_modes(const stz_spectral *s) { return (size_t)s->rows * (size_t)s->half * (size_t)s->nx; }

void stz_spectral_wave(const stz_spectral *s, size_t index, int m[3]) {
  const int x = (int)(index % (size_t)s->nx);
  const int z = (int)(index / (size_t)s->nx % (size_t)s->half);
  const int y = s->first_row + (int)(index / (size_t)s->nx / (size_t)s->half);
  m[0] = x <= s->nx / 2 ? x : x - s->nx;
  m[1] = y <= s->ny / 2 ? y : y - s->ny;
  m[2] = z;
}

void stz_spectral_wave_vector(const stz_spectral *s, size_t index, double k[3]) {
  int m[3];
  stz_spectral_wave(s, index, m);
  for (int i = 0; i < 3; i++) k[i] = 2.0 * STZ_PI * m[i] / (stz_grid_cells(s->grid)[i] * stz_grid_spacing(s->grid));
}

// Copies the modes of the rank's plane x to their places in the exchange buffer, or from there.
static void order_by_owner(const stz_spectral *s, int64_t x, double complex *plane_modes, bool pack) {
  double complex *owned = s->exchange;
  for (int r = 0; r < stz_grid_ranks(s->grid); r++) {
    const int first = first_row_of(s, r);
    const size_t length = (size_t)(first_row_of(s, r + 1) - first) * (size_t)s->half;
    double complex *rows = plane_modes + (size_t)first * (size_t)s->half, *block = owned + (size_t)x * length;
    memcpy(pack ? block : rows, pack ? rows : block, length * sizeof *rows);
    owned += (size_t)stz_grid_planes(s->grid) * length;
  }
}

// A transform of all planes or lines of this rank, for a team.
typedef struct pass {
  stz_spectral *s;
  const double *from;
  double *to;
  double complex *spectrum;
} pass;

enum { LINES = 64 }; // at once: neighbours share cache lines of the exchange buffer

static void planes_forward(void *context, int64_t first, int64_t end, int worker) {
  const pass *p = context;
  const stz_spectral *s = p->s;
  const size_t sites = (size_t)s->ny * (size_t)stz_grid_cells(s->grid)[2];
  double *plane = s->plane + (size_t)worker * s->plane_size;
  double complex *plane_modes = s->plane_modes + (size_t)worker * s->modes_size;
  for (int64_t x = first; x < end; x++) {
    memcpy(plane, p->from + (size_t)x * sites, sites * sizeof *plane);
    fftw_execute_dft_r2c(s->plane_forward, plane, plane_modes);
    order_by_owner(s, x, plane_modes, true);
  }
}

static void planes_inverse(void *context, int64_t first, int64_t end, int worker) {
  const pass *p = context;
  const stz_spectral *s = p->s;
  const size_t sites = (size_t)s->ny * (size_t)stz_grid_cells(s->grid)[2];
  const double scale = 1.0 / (double)stz_grid_sites(s->grid);
  double *plane = s->plane + (size_t)worker * s->plane_size;
  double complex *plane_modes = s->plane_modes + (size_t)worker * s->modes_size;
  for (int64_t x = first; x < end; x++) {
    order_by_owner(s, x, plane_modes, false);
    fftw_execute_dft_c2r(s->plane_inverse, plane_modes, plane);
    for (size_t i = 0; i < sites; i++) p->to[(size_t)x * sites + i] = scale * plane[i];
  }
}

static size_t lines_of(const stz_spectral *s) { return (size_t)s->rows * (size_t)s->half; }

// From the exchange buffer, [x][line], to lines of the spectrum.
static void lines_forward(void *context, int64_t first, int64_t end, int worker) {
  const pass *p = context;
  const stz_spectral *s = p->s;
  const size_t nx = (size_t)s->nx, lines = lines_of(s);
  double complex *line = s->line + (size_t)worker * s->line_size;
  for (size_t l = (size_t)first; l < (size_t)end; l++) {
    for (size_t x = 0; x < nx; x++) line[x] = s->exchange[x * lines + l];
    fftw_execute_dft(s->line_forward, line, line);
    memcpy(p->spectrum + l * nx, line, nx * sizeof *line);
  }
}

static void lines_inverse(void *context, int64_t first, int64_t end, int worker) {
  const pass *p = context;
  const stz_spectral *s = p->s;
  const size_t nx = (size_t)s->nx, lines = lines_of(s);
  double complex *line = s->line + (size_t)worker * s->line_size;
  for (size_t l = (size_t)first; l < (size_t)end; l++) {
    memcpy(line, p->spectrum + l * nx, nx * sizeof *line);
    fftw_execute_dft(s->line_inverse, line, line);
    for (size_t x = 0; x < nx; x++) s->exchange[x * lines + l] = line[x];
  }
}

void stz_spectral_forward(stz_spectral *s, const double *real, double complex *spectrum) {
  stz_team *team = stz_grid_team(s->grid);
  pass p = {.s = s, .from = real, .spectrum = spectrum};
  stz_team_run(team, stz_grid_planes(s->grid), 1, planes_forward, &p);
  // After the exchange, plane x of the box is the block x of `spectrum`, one number per line; transpose it to lines.
  MPI_Alltoallv(s->exchange, s->slab_counts, s->slab_at, MPI_DOUBLE, spectrum, s->row_counts, s->row_at, MPI_DOUBLE,
                stz_grid_comm(s->grid));
  memcpy(s->exchange, spectrum, lines_of(s) * (size_t)s->nx * sizeof *spectrum);
  stz_team_run(team, (int64_t)lines_of(s), LINES, lines_forward, &p);
}

void stz_spectral_inverse(stz_spectral *s, double complex *spectrum, double *real) {
  stz_team *team = stz_grid_team(s->grid);
  pass p = {.s = s, .to = real, .spectrum = spectrum};
  stz_team_run(team, (int64_t)lines_of(s), LINES, lines_inverse, &p);
  memcpy(spectrum, s->exchange, lines_of(s) * (size_t)s->nx * sizeof *spectrum);
  MPI_Alltoallv(spectrum, s->row_counts, s->row_at, MPI_DOUBLE, s->exchange, s->slab_counts, s->slab_at, MPI_DOUBLE,
                stz_grid_comm(s->grid));
  stz_team_run(team, stz_grid_planes(s->grid), 1, planes_inverse, &p);
}

static int least(int a, int b) { return a < b ? a : b; }

// Row of ky among the rows of all ranks, and the place of a mode whose row this rank has.
static int row_of(const stz_spectral *s, int ky) { return ky < 0 ? ky + s->ny : ky; }

static size_t mode_of(const stz_spectral *s, int kx, int ky, int kz) {
  const size_t line = (size_t)(row_of(s, ky) - s->first_row) * (size_t)s->half + (size_t)kz;
  return line * (size_t)s->nx + (size_t)(kx < 0 ? kx + s->nx : kx);
}

static int owner_of(const stz_spectral *s, int ky) {
  int rank = 0;
  while (first_row_of(s, rank + 1) <= row_of(s, ky)) rank++;
  return rank;
}

stz_err stz_spectral_resample(const stz_spectral *from, const double complex *spectrum, const stz_spectral *to,
                              double complex *out) {
  const double scale = (double)stz_grid_sites(to->grid) / (double)stz_grid_sites(from->grid);
  const MPI_Comm comm = stz_grid_comm(from->grid);
  const int rank = stz_grid_rank(from->grid), x = (least(from->nx, to->nx) - 1) / 2;
  const int y = (least(from->ny, to->ny) - 1) / 2, z = least(from->half, to->half) - 2;
  double complex *row = NULL; // the waves -x ... x by 0 ... z of one ky
  const int count = (2 * x + 1) * (z + 1);
  STZ_TRY(stz_agree(comm, STZ_NEW(row, count)));
  memset(out, 0, stz_spectral_modes(to) * sizeof *out);
  for (int ky = -y; ky <= y; ky++) {
    const int owner = owner_of(from, ky);
    for (int i = 0; i < count && rank == owner; i++) {
      row[i] = scale * spectrum[mode_of(from, i % (2 * x + 1) - x, ky, i / (2 * x + 1))];
    }
    MPI_Bcast(row, 2 * count, MPI_DOUBLE, owner, comm);
    for (int i = 0; i < count && rank == owner_of(to, ky); i++) {
      out[mode_of(to, i % (2 * x + 1) - x, ky, i / (2 * x + 1))] = row[i];
    }
  }
  stz_free(row);
  return STZ_OK;
}

// The transforms of an octant along one axis.
typedef struct axis_pass {
  fftw_plan plan;
  double *data, *lines; // lines: one per worker, `size` long
  size_t size, stride, row, plane;
  int first, length, last; // of a line: what is transformed, and its end
  int across;              // lines per item
  bool odd;
  double scale;
} axis_pass;

static void transform_lines(void *context, int64_t first, int64_t end, int worker) {
  const axis_pass *p = context;
  double *line = p->lines + (size_t)worker * p->size;
  for (int64_t i = first; i < end; i++) {
    for (int j = 0; j < p->across; j++) {
      double *start = p->data + (size_t)i * p->plane + (size_t)j * p->row;
      for (int k = 0; k < p->length; k++) line[k] = start[(size_t)(p->first + k) * p->stride];
      fftw_execute_r2r(p->plan, line, line);
      for (int k = 0; k < p->length; k++) start[(size_t)(p->first + k) * p->stride] = line[k] / p->scale;
      if (p->odd) start[0] = start[(size_t)p->last * p->stride] = 0.0;
    }
  }
}

stz_err stz_octant_inverse(stz_team *team, const int cells[3], const int parity[3], double *data) {
  const int n[3] = {cells[0] / 2 + 1, cells[1] / 2 + 1, cells[2] / 2 + 1};
  const size_t stride[3] = {(size_t)n[1] * (size_t)n[2], (size_t)n[2], 1};
  for (int axis = 0; axis < 3; axis++) {
    // A sine transform leaves out the two ends, where a field of odd parity is zero.
    const bool odd = parity[axis] < 0;
    const int other[2] = {axis == 0 ? 1 : 0, axis == 2 ? 1 : 2};
    axis_pass p = {.data = data,
                   .size = ((size_t)n[axis] + 7) / 8 * 8,
                   .stride = stride[axis],
                   .plane = stride[other[0]],
                   .row = stride[other[1]],
                   .first = odd ? 1 : 0,
                   .length = odd ? n[axis] - 2 : n[axis],
                   .last = n[axis] - 1,
                   .across = n[other[1]],
                   .odd = odd,
                   .scale = cells[axis]};
    STZ_TRY(STZ_NEW(p.lines, (size_t)stz_team_workers(team) * p.size));
    p.plan = fftw_plan_r2r_1d(p.length, p.lines, p.lines, odd ? FFTW_RODFT00 : FFTW_REDFT00, FFTW_ESTIMATE);
    if (p.plan) stz_team_run(team, n[other[0]], 1, transform_lines, &p);
    stz_free(p.lines);
    if (!p.plan) return stz_fail(STZ_EINTERNAL, "FFTW could not plan a real transform of length %d", p.length);
    fftw_destroy_plan(p.plan);
  }
  return STZ_OK;
}
