// SPDX-License-Identifier: GPL-3.0-or-later
//
// Softening: an event damages the glass over its footprint, D <- D + (1 - D/D_s) q(r), up to the saturation D_s, and a
// barrier is lower by softening_eV D. With D_s = 1 the first event at a site does it all. Damage recovers by thermal
// activation, dD/dt = -D nu_r exp(-E_r/kT): the same factor exp(-R) at every site, with the recovery R growing by nu_r
// exp(-E_r/kT) dt. The field holds D exp(R), so that nothing is rounded as time passes in small steps; when R has
// passed 1, the factor goes into the field and R begins again at 0.
#include <math.h>
#include <stdbool.h>

#include "base/mathfn.h"
#include "base/units.h"
#include "glass/barrier.h"

static const double RISE_EV = 0.01; // a barrier may rise so far between evaluations

double stz_glass_recovery_rate(const stz_glass *glass, double temperature_K) {
  const stz_barrier_params *b = &glass->barriers;
  if (!glass->damage || b->recovery_rate_per_s <= 0.0) return 0.0;
  return b->recovery_rate_per_s * stz_exp(-b->recovery_eV / (STZ_BOLTZMANN * temperature_K));
}

double stz_glass_recovery_gain(const stz_glass *glass, double temperature_K, double rate, double duration) {
  static const double node[] = {0.1834346424956498, 0.5255324099163290, 0.7966664774136267, 0.9602898564975363};
  static const double weight[] = {0.3626837833783620, 0.3137066458778873, 0.2223810344533745, 0.1012285362903763};
  if (rate == 0.0 || !glass->damage) return stz_glass_recovery_rate(glass, temperature_K) * duration;
  // In each piece the exponent E_r/kT moves by no more than 1.
  const double end = temperature_K + rate * duration;
  const double move = glass->barriers.recovery_eV / STZ_BOLTZMANN * fabs(1.0 / temperature_K - 1.0 / end);
  const int pieces = 1 + (int)move;
  const double half = 0.5 * duration / pieces;
  double sum = 0.0;
  for (int piece = 0; piece < pieces; piece++) {
    const double middle = temperature_K + rate * half * (2 * piece + 1);
    for (int i = 0; i < 4; i++) {
      const double d = rate * half * node[i];
      sum += weight[i] * (stz_glass_recovery_rate(glass, middle - d) + stz_glass_recovery_rate(glass, middle + d));
    }
  }
  return half * sum;
}

double stz_glass_recovery(const stz_glass *glass) { return glass->recovery.sum; }
stz_recovery stz_glass_recovery_state(const stz_glass *glass) { return glass->recovery; }

double stz_glass_recovery_step(const stz_glass *glass, double recovery) {
  const double most = glass->barriers.softening_eV * glass->recovery.most * stz_exp(-recovery);
  return most > RISE_EV ? -stz_ln(1.0 - RISE_EV / most) : INFINITY;
}

void stz_glass_recover(stz_glass *glass, double by) {
  stz_recovery *r = &glass->recovery;
  r->sum += by;
  if (r->sum < 1.0) return;
  const double factor = stz_exp(-r->sum);
  for (int64_t i = 0; i < stz_grid_local_sites(glass->grid); i++) {
    const double left = glass->damage[i] * factor;
    glass->damage[i] = left > 1e-30 ? (float)left : 0.0f;
  }
  r->most *= factor;
  r->sum = 0.0;
}

void stz_damage_add(stz_glass *g, int64_t site) {
  const double left = stz_exp(-g->recovery.sum), whole = 1.0 / left;
  int xyz[3];
  stz_grid_coords(g->grid, site, xyz);
  for (int i = 0; i < g->footprint_size; i++) {
    const stz_footprint_voxel voxel = stz_footprint_at(g, xyz[2], i), *v = &voxel;
    if (stz_grid_outside(g->grid, xyz[2] + v->offset[2])) continue;
    const int64_t at = stz_grid_local(
        g->grid, stz_grid_site(g->grid, xyz[0] + v->offset[0], xyz[1] + v->offset[1], xyz[2] + v->offset[2]));
    if (at < 0) continue;
    if (g->journal) stz_journal_voxel(g, at);
    const double damage = g->damage[at] * left;
    g->damage[at] = (float)(whole * (damage + (1.0 - damage / g->barriers.saturation) * v->draw));
    stz_barrier_update(g, at);
    g->touched[g->touched_count++] = at;
  }
  g->recovery.most = fmax(g->recovery.most, whole * g->barriers.saturation);
}

// Distance of a voxel's centre from the middle of the shape, nm: from the middle plane of a slab, the centre of a
// sphere.
static double distance(const stz_glass *g, const int xyz[3]) {
  const int *cells = stz_grid_cells(g->grid), *of = stz_damage_axes(g->barriers.damage.normal);
  const double a = stz_grid_spacing(g->grid);
  double square = 0.0;
  for (int axis = 0; axis < 3; axis++) {
    const double d = a * (xyz[axis] + 0.5 - 0.5 * cells[axis]);
    square += d * d;
  }
  if (g->barriers.damage.shape == STZ_DAMAGE_SPHERE) return sqrt(square);
  if (of[0] == of[1]) return a * fabs(xyz[of[0]] + 0.5 - 0.5 * cells[of[0]]);
  // Planes x + y = constant meet themselves across the box's faces: one plane per edge, through the middle.
  const int edge = cells[of[0]], along = (xyz[of[0]] + xyz[of[1]] + 1) % edge;
  return a * fmin(along, edge - along) / sqrt(2.0);
}

static bool damaged(const stz_glass *g, int64_t local) {
  const stz_damage_params *d = &g->barriers.damage;
  const int64_t site = stz_grid_first_site(g->grid) + local;
  int xyz[3];
  if (d->shape == STZ_DAMAGE_RANDOM) {
    stz_rng rng = stz_rng_stream(g->seed, STZ_RNG_DAMAGE, (uint64_t)site);
    return stz_rng_uniform(&rng) < d->share;
  }
  stz_grid_coords(g->grid, site, xyz);
  return distance(g, xyz) < 0.5 * d->width_nm;
}

void stz_damage_init(stz_glass *g, const double *given) {
  if (!g->damage || g->barriers.damage.shape == STZ_DAMAGE_NONE) return;
  g->recovery.most = given ? 0.0 : g->barriers.damage.amount;
  for (int64_t i = 0; i < stz_grid_local_sites(g->grid); i++) {
    if (given || damaged(g, i)) g->damage[i] = (float)(given ? given[i] : g->barriers.damage.amount);
    g->recovery.most = fmax(g->recovery.most, g->damage[i]);
  }
  MPI_Allreduce(MPI_IN_PLACE, &g->recovery.most, 1, MPI_DOUBLE, MPI_MAX, stz_grid_comm(g->grid));
}

static stz_err check_given(const double range[2], const char *what, const int cells[3], int64_t first, int64_t count,
                           const double *values) {
  for (int64_t i = 0; i < count; i++) {
    if (values[i] >= range[0] && values[i] <= range[1]) continue;
    const int64_t site = first + i, row = site / cells[2];
    return stz_fail(STZ_EINPUT, "got %g at voxel [%d, %d, %d], needs %g to %g, %s", values[i], (int)(row / cells[1]),
                    (int)(row % cells[1]), (int)(site % cells[2]), range[0], range[1], what);
  }
  return STZ_OK;
}

stz_err stz_glass_check_damage(const stz_barrier_params *barriers, const int cells[3], int64_t first, int64_t count,
                               const double *values) {
  const double range[2] = {0.0, barriers->saturation};
  return check_given(range, "the saturation", cells, first, count, values);
}

stz_err stz_glass_check_rise(const int cells[3], int64_t first, int64_t count, const double *values) {
  static const double range[2] = {-5.0, 5.0};
  return check_given(range, "eV", cells, first, count, values);
}
