// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/film.h"

#include <math.h>
#include <stdio.h>

static const char *const FILM = "with lattice.boundary = \"film\"";

// Stresses on the surfaces are zero: zz, yz and xz, the components 2 to 4.
static const char *check_segment(const stz_segment *s, char *needs, size_t size) {
  if (s->type != STZ_SEGMENT_MIXED) {
    if (s->type == STZ_SEGMENT_AGE || s->mode == STZ_MODE_UNIAXIAL) return NULL;
    snprintf(needs, size, "\"uniaxial\" %s: simple shear holds strains that free surfaces do not", FILM);
    return "protocol[].mode";
  }
  for (int v = 2; v < 5; v++) {
    if ((int)s->control.value[v] == STZ_CONTROL_STRESS && s->stress_rates_GPa_per_s.value[v] == 0.0) continue;
    snprintf(needs, size, "zz, yz and xz by stress, and their stress_rates_GPa_per_s 0, %s: surfaces are free", FILM);
    return "protocol[].control";
  }
  return NULL;
}

static const char *check_cells(const stz_config *config, char *needs, size_t size) {
  const int *n = config->lattice.cells;
  const bool direct = config->kmc.engine == STZ_ENGINE_AUTO ? stz_engine_for(n, true) == STZ_ENGINE_DIRECT
                                                            : config->kmc.engine == STZ_ENGINE_DIRECT;
  const double megabytes = direct ? stz_film_table_bytes(n) * 1e-6 : 0.0, a = config->lattice.spacing_nm;
  const double width = cbrt(config->stz.volume_nm3) / (2.0 * sqrt(acos(-1.0))), least = STZ_FILM_WIDTHS * width;
  if (n[0] < STZ_PERIODIC_LEAST || n[1] < STZ_PERIODIC_LEAST) {
    snprintf(needs, size, "at least %d along x and y %s", STZ_PERIODIC_LEAST, FILM);
  } else if (n[2] * a < least) {
    snprintf(needs, size, "a film of %.3g nm or more, in which the shape of an STZ does not reach over both surfaces",
             least);
  } else if (megabytes > STZ_FILM_MOST_MB) {
    snprintf(needs, size, "another kmc.engine or a smaller film: its kernel table has %.0f MB, at most %.0f are taken",
             megabytes, STZ_FILM_MOST_MB);
  } else {
    return NULL;
  }
  return "lattice.cells";
}

const char *stz_film_limits(const stz_config *config, int *segment, char *needs, size_t size) {
  const int *n = config->lattice.cells;
  *segment = -1;
  if (config->lattice.boundary == STZ_BOUNDARY_PERIODIC) {
    if (config->barriers.surface_eV != 0.0) {
      snprintf(needs, size, "lattice.boundary = \"film\", as a periodic box has no surface");
      return "barriers.surface_eV";
    }
    if (n[0] >= STZ_PERIODIC_LEAST && n[1] >= STZ_PERIODIC_LEAST && n[2] >= STZ_PERIODIC_LEAST) return NULL;
    snprintf(needs, size, "at least %d per axis, but for the thickness z of a film", STZ_PERIODIC_LEAST);
    return "lattice.cells";
  }
  const char *key = check_cells(config, needs, size);
  if (key) return key;
  if (config->elastic.contrast > 0.0 && config->elastic.contrast_model != STZ_CONTRAST_NONE) {
    snprintf(needs, size, "0, or contrast_model = \"none\", %s", FILM);
    return "elasticity.contrast";
  }
  if (config->elastic.finite_strain == STZ_FINITE_BOX) {
    snprintf(needs, size, "\"load\" %s", FILM);
    return "elasticity.finite_strain";
  }
  if (config->nbed.beam != 2) {
    snprintf(needs, size, "\"z\" %s: the beam goes through the film", FILM);
    return "nbed.beam";
  }
  for (int i = 0; i < config->segments; i++) {
    key = check_segment(&config->protocol[i], needs, size);
    *segment = i;
    if (key) return key;
  }
  return NULL;
}
