// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/moduli.h"

#include <stdio.h>

static const char *check_contrast(const stz_config *config, char *needs, size_t size) {
  const double contrast = config->elastic.contrast;
  if (config->barriers.modulus_scaling > 0.0 && contrast == 0.0) {
    snprintf(needs, size, "> 0 with barriers.modulus_scaling > 0");
    return "elasticity.contrast";
  }
  if (config->micro.profile == STZ_PROFILE_CUT && config->micro.type == STZ_MICRO_RANDOM_WAVES &&
      config->elastic.contrast_model != STZ_CONTRAST_NONE && contrast > STZ_CONTRAST_SHARP) {
    snprintf(needs, size, "<= %g with microstructure.profile = \"cut\"", STZ_CONTRAST_SHARP);
    return "elasticity.contrast";
  }
  return NULL;
}

// A box that follows the strain has uniform moduli and axes at right angles.
static const char *check_finite_strain(const stz_config *config, int *segment, char *needs, size_t size) {
  if (config->elastic.finite_strain == STZ_FINITE_LOAD) return NULL;
  if (config->elastic.contrast > 0.0 && config->elastic.contrast_model != STZ_CONTRAST_NONE) {
    snprintf(needs, size, "\"load\" with elasticity.contrast > 0, or contrast_model = \"none\"");
    return "elasticity.finite_strain";
  }
  for (int i = 0; i < config->segments; i++) {
    const stz_segment *s = &config->protocol[i];
    if (s->mode != STZ_MODE_SHEAR || s->type == STZ_SEGMENT_AGE || s->type == STZ_SEGMENT_MIXED) continue;
    *segment = i;
    snprintf(needs, size, "\"uniaxial\" with elasticity.finite_strain = \"box\", which keeps right angles");
    return "protocol[].mode";
  }
  return NULL;
}

const char *stz_moduli_limits(const stz_config *config, int *segment, char *needs, size_t size) {
  *segment = -1;
  const char *key = check_contrast(config, needs, size);
  return key ? key : check_finite_strain(config, segment, needs, size);
}
