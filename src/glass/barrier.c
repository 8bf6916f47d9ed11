// SPDX-License-Identifier: GPL-3.0-or-later
#include "glass/barrier.h"

#include <math.h>

#include "base/mathfn.h"

double stz_barrier_base(const stz_barrier_params *barriers, const stz_micro *micro, int64_t local) {
  const double *interface = stz_micro_interface(micro);
  const double slope = barriers->composition_eV + barriers->modulus_eV;
  double base = barriers->mean_eV + slope * stz_micro_g(micro)[local];
  if (interface) base -= barriers->interface_eV * interface[local];
  return base;
}

double stz_barrier_highest(const stz_glass *g) {
  double base = 0.0;
  for (int64_t i = 0; i < stz_grid_local_sites(g->grid); i++) base = fmax(base, g->base[i]);
  MPI_Allreduce(MPI_IN_PLACE, &base, 1, MPI_DOUBLE, MPI_MAX, stz_grid_comm(g->grid));
  const double barrier = base + g->noise_eV * g->marginal.value[STZ_MARGINAL_POINTS - 1];
  return fmax(g->barriers.floor_eV, barrier) * (1.0 + 1e-6); // barriers are rounded to single precision
}

static float softening(const stz_glass *g, double recovery) {
  return (float)(g->barriers.softening_eV * stz_exp(-recovery));
}

static float softened(const stz_glass *g, int64_t local, float scale) {
  const float least = (float)g->barriers.floor_eV, barrier = g->hard[local] - scale * g->damage[local];
  return barrier < least ? least : barrier;
}

double stz_glass_barrier_at(const stz_glass *glass, int64_t local, double recovery) {
  return (double)(glass->damage ? softened(glass, local, softening(glass, recovery)) : glass->barrier[local]);
}

void stz_glass_soften(stz_glass *glass, double recovery) {
  if (!glass->damage || glass->barriers.recovery_rate_per_s <= 0.0) return;
  const float scale = softening(glass, recovery);
  for (int64_t i = 0; i < stz_grid_local_sites(glass->grid); i++) glass->barrier[i] = softened(glass, i, scale);
}
