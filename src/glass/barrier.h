// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/glass: not installed.
//
// The barrier of a site: max(floor, base + width T(noise) - softening D), eV, with base = mean + composition g
// - interface |grad g| lambda/(2 pi sharpness), + surface at the surfaces of a film, and the damage D.
#ifndef STZ_GLASS_BARRIER_H
#define STZ_GLASS_BARRIER_H

#include "glass/internal.h"

// Barrier of a local site without noise and damage, eV.
double stz_barrier_base(const stz_barrier_params *barriers, const stz_micro *micro, int64_t local);

// The highest barrier there can be: the largest noise on top of the highest base. Collective.
double stz_barrier_highest(const stz_glass *glass);

// Sets the barrier of a local site from its base, noise and damage. Inline, as it is in the hot loop of an event.
static inline __attribute__((always_inline)) void stz_barrier_update(stz_glass *g, int64_t local) {
  const double q = g->base[local] + g->noise_eV * stz_marginal_map(&g->marginal, g->noise[local]);
  g->barrier[local] = (float)(q > g->barriers.floor_eV ? q : g->barriers.floor_eV);
  if (!g->damage) return;
  g->hard[local] = (float)q;
  g->barrier[local] = (float)stz_glass_barrier_at(g, local, g->recovery.sum);
}

#endif
