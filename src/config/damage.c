// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/damage.h"

#include <math.h>
#include <stdio.h>

// A slab meets its images along its normal, a sphere along the axes.
static const char *check_room(const stz_config *config, char *needs, size_t size) {
  const stz_damage_params *d = &config->barriers.damage;
  const int *cells = config->lattice.cells, *axes = stz_damage_axes(d->normal);
  const bool slab = d->shape == STZ_DAMAGE_SLAB;
  int least = cells[axes[0]];
  for (int axis = 0; axis < 3 && !slab; axis++) least = cells[axis] < least ? cells[axis] : least;
  if (slab && cells[axes[0]] != cells[axes[1]]) {
    snprintf(needs, size, "an axis, or two along which the box is equally long: it has %d and %d cells", cells[axes[0]],
             cells[axes[1]]);
    return "barriers.damage_normal";
  }
  const double most = least * config->lattice.spacing_nm / (slab && axes[0] != axes[1] ? sqrt(2.0) : 1.0);
  if (d->width_nm <= most) return NULL;
  snprintf(needs, size, "<= %.4g, what the box has room for", most);
  return "barriers.damage_width_nm";
}

const char *stz_damage_limits(const stz_config *config, char *needs, size_t size) {
  const stz_barrier_params *b = &config->barriers;
  if (b->damage.shape == STZ_DAMAGE_NONE) return NULL;
  if (b->softening_eV <= 0.0) {
    snprintf(needs, size, "\"none\", or softening_eV > 0, without which damage does nothing");
    return "barriers.damage_shape";
  }
  if (b->damage.shape == STZ_DAMAGE_FILE) {
    snprintf(needs, size, "a file in HDF5 format with damage_shape = \"file\"");
    return config->given[STZ_GIVEN_DAMAGE].file[0] ? NULL : "barriers.damage_file";
  }
  if (b->damage.amount > b->saturation) {
    snprintf(needs, size, "<= %g, the saturation", b->saturation);
    return "barriers.damage_start";
  }
  return b->damage.shape == STZ_DAMAGE_RANDOM ? NULL : check_room(config, needs, size);
}
