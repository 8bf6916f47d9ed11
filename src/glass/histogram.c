// SPDX-License-Identifier: GPL-3.0-or-later
//
// The control of equal histogram: a glass without structure whose barriers are distributed as those of a structured
// one. There the barrier is base(site) + width T(G), G a normal field; here it is one function Q of G, with
//   Phi(Q^-1(q)) = F(q) = share of all (site, G) with base + width T(G) <= q,
// so that it is as correlated in space as G, and a redraw draws from the whole distribution.
//
// The frozen control leaves the noise as it is and matches base(site) alone, by a second such field, which stays.
#include <math.h>

#include "base/comm.h"
#include "base/mathfn.h"
#include "base/memory.h"
#include "glass/barrier.h"

enum { BASES = 4096, CELLS = 8192 };
static const double RANGE = 8.0, STEP = 16.0 / (STZ_MARGINAL_POINTS - 1); // of the tables of stz/marginal.h

typedef struct mixture {
  double low, step; // barrier at the lower end, and from one cell to the next, eV
  double mean;      // eV
  double share[CELLS + 1];
} mixture;

// Counts the structured field's barriers without noise in BASES equal bins of [ends[0], ends[1]].
static stz_err count_bases(const stz_glass *g, const stz_micro *structured, double ends[2], long long *counts) {
  const int64_t sites = stz_grid_local_sites(g->grid);
  double *base = NULL, outer[2] = {-INFINITY, -INFINITY}; // minus the least, the largest
  STZ_TRY(stz_agree(stz_grid_comm(g->grid), STZ_NEW(base, sites)));
  for (int64_t i = 0; i < sites; i++) {
    base[i] = stz_barrier_base(&g->barriers, structured, i);
    outer[0] = fmax(outer[0], -base[i]);
    outer[1] = fmax(outer[1], base[i]);
  }
  MPI_Allreduce(MPI_IN_PLACE, outer, 2, MPI_DOUBLE, MPI_MAX, stz_grid_comm(g->grid));
  ends[0] = -outer[0];
  ends[1] = outer[1];
  const double width = ends[1] - ends[0];
  for (int64_t i = 0; i < sites; i++) {
    const int bin = width > 0.0 ? (int)((base[i] - ends[0]) / width * BASES) : 0;
    counts[bin < BASES ? bin : BASES - 1]++;
  }
  stz_free(base);
  MPI_Allreduce(MPI_IN_PLACE, counts, BASES, MPI_LONG_LONG, MPI_SUM, stz_grid_comm(g->grid));
  return STZ_OK;
}

// The distribution of base + width T(G) over cells, each contribution shared between the two nearest.
static void mix(const stz_glass *g, double width, const double ends[2], const long long *counts, mixture *m) {
  const double *noise = g->marginal.value;
  m->low = ends[0] + width * noise[0];
  m->step = (ends[1] + width * noise[STZ_MARGINAL_POINTS - 1] - m->low) / CELLS;
  for (int k = 0; k < STZ_MARGINAL_POINTS; k++) {
    const double x = fabs(k * STEP - RANGE); // by symmetry in the lower tail, where Phi keeps its relative precision
    const double weight = stz_normal_cdf(0.5 * STEP - x) - stz_normal_cdf(-0.5 * STEP - x);
    for (int b = 0; b < BASES; b++) {
      if (counts[b] == 0) continue;
      const double base = ends[0] + (b + 0.5) / BASES * (ends[1] - ends[0]), q = base + width * noise[k];
      const double part = weight * (double)counts[b] / (double)stz_grid_sites(g->grid);
      const double at = m->step > 0.0 ? fmin((q - m->low) / m->step, CELLS - 1e-9) : 0.0;
      m->share[(int)at] += part * (1.0 - (at - (int)at));
      m->share[(int)at + 1] += part * (at - (int)at);
      m->mean += part * q;
    }
  }
}

// Q(x) - mean for x = -8 ... 0 if `direction` is 1, for x = 8 ... 0 if it is -1: each half from its own tail.
static void invert(const mixture *m, int direction, double *value) {
  const int end = direction > 0 ? 0 : STZ_MARGINAL_POINTS - 1;
  int cell = direction > 0 ? 0 : CELLS;
  double below = 0.0; // share beyond `cell`, without its own
  for (int i = 0; i <= STZ_MARGINAL_POINTS / 2; i++) {
    const double p = stz_normal_cdf(i * STEP - RANGE);
    while (below + m->share[cell] < p && cell + direction >= 0 && cell + direction <= CELLS) {
      below += m->share[cell];
      cell += direction;
    }
    const double within = m->share[cell] > 0.0 ? fmin((p - below) / m->share[cell], 1.0) : 0.0;
    value[end + direction * i] = m->low + m->step * (cell + direction * (within - 0.5)) - m->mean;
  }
}

// Slopes of a monotone cubic through the values: the harmonic mean of the secants on either side (Fritsch & Butland,
// SIAM J. Sci. Stat. Comput. 5, 1984).
static void set_slopes(stz_marginal *t) {
  for (int i = 1; i < STZ_MARGINAL_POINTS - 1; i++) {
    const double left = (t->value[i] - t->value[i - 1]) / STEP, right = (t->value[i + 1] - t->value[i]) / STEP;
    t->slope[i] = left > 0.0 && right > 0.0 ? 2.0 * left * right / (left + right) : 0.0;
  }
  t->slope[0] = t->slope[STZ_MARGINAL_POINTS - 1] = 0.0;
}

// The map from a normal field to the structured glass's barriers with noise of `width`, less their mean, eV.
static stz_err match(const stz_glass *g, double width, const stz_micro *structured, stz_marginal *map, double *mean) {
  double ends[2];
  long long *counts = NULL;
  mixture *m = NULL;
  stz_err err = STZ_NEW(counts, BASES);
  if (err == STZ_OK) err = STZ_NEW(m, 1);
  STZ_TRY_TO(done, err, stz_agree(stz_grid_comm(g->grid), err));
  STZ_TRY_TO(done, err, count_bases(g, structured, ends, counts));
  mix(g, width, ends, counts, m);
  invert(m, 1, map->value);
  invert(m, -1, map->value);
  set_slopes(map);
  *mean = m->mean;
done:
  stz_free(counts);
  stz_free(m);
  return err;
}

stz_err stz_histogram_match(stz_glass *g, const stz_micro *structured) {
  double mean;
  STZ_TRY(match(g, g->barriers.width_eV, structured, &g->marginal, &mean));
  g->noise_eV = 1.0;
  for (int64_t i = 0; i < stz_grid_local_sites(g->grid); i++) g->base[i] = (float)mean;
  return STZ_OK;
}

stz_err stz_histogram_freeze(stz_glass *g, stz_spectral *spectral, const stz_micro *structured) {
  const int64_t sites = stz_grid_local_sites(g->grid);
  double mean = 0.0, *field = NULL;
  stz_marginal *map = NULL;
  stz_err err = STZ_NEW(field, sites);
  if (err == STZ_OK) err = STZ_NEW(map, 1);
  STZ_TRY_TO(done, err, stz_agree(stz_grid_comm(g->grid), err));
  STZ_TRY_TO(done, err, match(g, 0.0, structured, map, &mean));
  STZ_TRY_TO(done, err, stz_noise_draw(g, spectral, STZ_RNG_FROZEN, false, field));
  for (int64_t i = 0; i < sites; i++) g->base[i] = (float)(mean + stz_marginal_map(map, (float)field[i]));
done:
  stz_free(field);
  stz_free(map);
  return err;
}
