// SPDX-License-Identifier: GPL-3.0-or-later
//
// The Gaussian field under the barriers. With `redraw = "stz"` it is white noise filtered by exp(-k^2 s_q^2/2), of unit
// variance, s_q = sqrt2 s = Omega^(1/3)/sqrt(2 pi): correlated over an STZ, so that the density of soft spots does not
// depend on the lattice. An event mixes one fresh normal G into its footprint q(r) = exp(-r^2/2 s_q^2), q >= 0.01:
// new = sqrt(1 - q^2) old + q G, which keeps the variance. With `redraw = "centre"` the noise is white and the event's
// voxel alone is drawn again, as in older models.
#include <math.h>

#include "base/comm.h"
#include "base/mathfn.h"
#include "base/memory.h"
#include "base/target.h"
#include "base/units.h"
#include "glass/barrier.h"

double stz_footprint_width(const stz_glass *g) { return cbrt(g->stz.volume_nm3) / sqrt(2.0 * STZ_PI); }

static const double CUT = 0.01; // of the footprint q: beyond, an event redraws nothing

enum { SITES = 8192 }; // of a part of the team's work

typedef struct filtering {
  const stz_spectral *spectral;
  double complex *spectrum;
  double scale, width;
  int axes; // along which it filters
} filtering;

static void filter_modes(void *context, int64_t first, int64_t end, int worker) {
  (void)worker;
  const filtering *f = context;
  for (int64_t i = first; i < end; i++) {
    double k[3];
    stz_spectral_wave_vector(f->spectral, (size_t)i, k);
    const double k2 = k[0] * k[0] + k[1] * k[1] + (f->axes > 2 ? k[2] * k[2] : 0.0);
    f->spectrum[i] *= f->scale * stz_exp(-0.5 * f->width * f->width * k2);
  }
}

// Filters white noise; the factor of unit variance comes from the filter itself, summed in a fixed order.
static stz_err filter(const stz_glass *g, stz_spectral *spectral, double *white) {
  const size_t modes = stz_spectral_modes(spectral);
  const double a = stz_grid_spacing(g->grid), width = stz_footprint_width(g);
  const int *cells = stz_grid_cells(g->grid), axes = stz_grid_film(g->grid) ? 2 : 3;
  double complex *spectrum = NULL;
  STZ_TRY(stz_agree(stz_grid_comm(g->grid), STZ_NEW(spectrum, modes)));
  stz_spectral_forward(spectral, white, spectrum);
  // The filter is a product over the axes, and so is the mean of its square.
  double variance = 1.0;
  for (int axis = 0; axis < axes; axis++) {
    double sum = 0.0;
    for (int m = -cells[axis] / 2 + 1; m <= cells[axis] / 2; m++) {
      const double k = 2.0 * STZ_PI * m / (cells[axis] * a);
      sum += stz_exp(-k * k * width * width);
    }
    variance *= sum / cells[axis];
  }
  filtering f = {spectral, spectrum, 1.0 / sqrt(variance), width, axes};
  stz_team_run(stz_grid_team(g->grid), (int64_t)modes, SITES, filter_modes, &f);
  stz_spectral_inverse(spectral, spectrum, white);
  stz_free(spectrum);
  return axes == 3 ? STZ_OK : stz_agree(stz_grid_comm(g->grid), stz_fold_filter(g, white));
}

// Lists the voxels of the footprint; with `list` NULL it only counts them.
static int list_footprint(const stz_glass *g, stz_footprint_voxel *list) {
  const double a = stz_grid_spacing(g->grid), width = stz_footprint_width(g);
  const int reach = (int)(width * sqrt(-2.0 * stz_ln(CUT)) / a);
  int count = 0;
  for (int x = -reach; x <= reach; x++) {
    for (int y = -reach; y <= reach; y++) {
      for (int z = -reach; z <= reach; z++) {
        const double q = stz_exp(-0.5 * (x * x + y * y + z * z) * a * a / (width * width));
        if (q < CUT) continue;
        if (list) list[count] = (stz_footprint_voxel){{x, y, z}, sqrt(1.0 - q * q), q};
        count++;
      }
    }
  }
  return count;
}

static stz_err make_footprint(stz_glass *g) {
  if (g->barriers.redraw != STZ_REDRAW_STZ && !g->damage) {
    STZ_TRY(STZ_NEW(g->footprint, 1));
    g->footprint[0] = (stz_footprint_voxel){{0, 0, 0}, 0.0, 1.0};
    g->footprint_size = 1;
    return STZ_OK;
  }
  const int *cells = stz_grid_cells(g->grid);
  const double reach = stz_footprint_width(g) * sqrt(-2.0 * stz_ln(CUT)) / stz_grid_spacing(g->grid);
  for (int axis = 0; axis < 3; axis++) {
    if (2 * (int)reach + 1 > cells[axis]) {
      return stz_fail(STZ_EINPUT, "the box is too small: an STZ reaches over %.1f voxels, the box has %d along %c",
                      reach, cells[axis], "xyz"[axis]);
    }
  }
  STZ_TRY(STZ_NEW(g->footprint, list_footprint(g, NULL)));
  g->footprint_size = list_footprint(g, g->footprint);
  return stz_fold_footprint(g);
}

typedef struct drawing {
  stz_glass *g;
  stz_purpose purpose;
  double *white;
} drawing;

static void draw_white(void *context, int64_t first, int64_t end, int worker) {
  (void)worker;
  const drawing *d = context;
  for (int64_t i = first; i < end; i++) {
    stz_rng rng = stz_rng_stream(d->g->seed, d->purpose, (uint64_t)(stz_grid_first_site(d->g->grid) + i));
    d->white[i] = stz_rng_normal(&rng);
  }
}

static void take_noise(void *context, int64_t first, int64_t end, int worker) {
  (void)worker;
  const drawing *d = context;
  for (int64_t i = first; i < end; i++) d->g->noise[i] = (float)d->white[i];
}

stz_err stz_noise_draw(stz_glass *g, stz_spectral *spectral, stz_purpose purpose, bool white, double *field) {
  drawing d = {g, purpose, field};
  stz_team_run(stz_grid_team(g->grid), stz_grid_local_sites(g->grid), SITES, draw_white, &d);
  return white ? STZ_OK : filter(g, spectral, field);
}

stz_err stz_noise_init(stz_glass *g, stz_spectral *spectral) {
  double *white = NULL;
  const int64_t sites = stz_grid_local_sites(g->grid);
  stz_err err = make_footprint(g);
  if (err == STZ_OK) err = STZ_NEW(white, sites);
  err = stz_agree(stz_grid_comm(g->grid), err);
  if (err == STZ_OK) {
    err = stz_noise_draw(g, spectral, STZ_RNG_NOISE, g->barriers.redraw == STZ_REDRAW_CENTRE, white);
    stz_team_run(stz_grid_team(g->grid), sites, SITES, take_noise, &(drawing){g, STZ_RNG_NOISE, white});
  }
  stz_free(white);
  return err;
}

// A rank's part of the box.
typedef struct slab {
  const int *cells;
  int first, planes;
  bool film;
} slab;

// Local index of a voxel of the footprint about a site; -1: another rank's, or not drawn again.
static inline __attribute__((always_inline)) int64_t voxel_at(const stz_glass *g, const slab *s, const int xyz[3],
                                                              const stz_footprint_voxel *v) {
  if (g->barriers.redraw == STZ_REDRAW_CENTRE && v->draw < 1.0) return -1;
  const int *n = s->cells, plane = stz_wrap_once(xyz[0] + v->offset[0], n[0]) - s->first;
  if (plane < 0 || plane >= s->planes) return -1;
  const int z = xyz[2] + v->offset[2];
  if (s->film && (z < 0 || z >= n[2])) return -1;
  return ((int64_t)plane * n[1] + stz_wrap_once(xyz[1] + v->offset[1], n[1])) * n[2] + stz_wrap_once(z, n[2]);
}

// Prefetches all fields of a voxel that an event reads and writes, so that the cache misses overlap.
static inline __attribute__((always_inline)) void prefetch_voxel(const stz_glass *g, int64_t at) {
  __builtin_prefetch(&g->noise[at], 1);
  __builtin_prefetch(&g->base[at]);
  __builtin_prefetch(&g->barrier[at], 1);
  __builtin_prefetch(&g->rotation[at], 1);
  __builtin_prefetch(&g->cell[at]);
}

STZ_MULTIVERSION(void stz_noise_redraw(stz_glass *g, int64_t site, double normal)) {
  const slab mine = {stz_grid_cells(g->grid), stz_grid_first_plane(g->grid), stz_grid_planes(g->grid),
                     stz_grid_film(g->grid)};
  int xyz[3];
  stz_grid_coords(g->grid, site, xyz);
  for (int i = 0; i < g->footprint_size; i++) {
    const int64_t at = voxel_at(g, &mine, xyz, &g->footprint[i]);
    if (at >= 0) prefetch_voxel(g, at);
  }
  for (int i = 0; i < g->footprint_size; i++) {
    const stz_footprint_voxel voxel = stz_footprint_at(g, xyz[2], i), *v = &voxel;
    const int64_t at = voxel_at(g, &mine, xyz, &g->footprint[i]);
    if (at < 0) continue;
    if (g->journal) stz_journal_voxel(g, at);
    g->noise[at] = (float)fma(v->keep, g->noise[at], v->draw * normal);
    stz_barrier_update(g, at);
    g->touched[g->touched_count++] = at;
  }
}
