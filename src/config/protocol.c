// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/protocol.h"

#include <math.h>
#include <string.h>

#include "config/limits.h"
#include "config/violation.h"

// Makes a segment's key as if it had no value.
static void forget(stz_config_builder *builder, const stz_key *key, int segment) {
  void *value = stz_builder_value(builder, key, segment);
  if (key->type == STZ_KEY_FLOAT) *(double *)value = NAN;
  if (key->type == STZ_KEY_NAME || key->type == STZ_KEY_INT) *(int *)value = 0;
  if (key->type == STZ_KEY_LIST) *(stz_list *)value = (stz_list){.count = 0};
}

// Every key that the segment's type needs is there, and none that it does not know.
static stz_err check_segment_keys(stz_config_builder *builder, int segment) {
  const stz_segment *s = &builder->config->protocol[segment];
  char needs[STZ_TEXT_SIZE], type[32];
  int index;
  const stz_key *type_key = stz_schema_find("protocol[0].type", &index);
  stz_key_name_at(type_key, (int)s->type, type, sizeof type);
  for (const stz_key *key = stz_schema; key < stz_schema + stz_schema_count; key++) {
    if (!key->used_by) continue;
    stz_origin *origin = stz_builder_origin(builder, key, segment);
    stz_key_needs(key, needs, sizeof needs);
    if ((key == type_key || (key->needed_by >> s->type & 1u)) && origin->layer == STZ_LAYER_NONE) {
      return stz_violated(builder, segment, key->path, "%s", needs);
    }
    if (key->used_by >> s->type & 1u) continue;
    if (origin->layer > STZ_LAYER_DEFAULT) {
      return stz_violated(builder, segment, key->path, "to be left out: a segment of type \"%s\" has no such key",
                          type);
    }
    forget(builder, key, segment); // a default of another type
    *origin = (stz_origin){0};
  }
  return STZ_OK;
}

static const char STRAIN[] = "protocol[].until_strain", STRESS[] = "protocol[].until_stress_GPa";

// The true stress of a specimen that an actuator pulls and that does not yield, finite geometry, by bisection; at most
// the largest stress that an input may name.
static double pulled_GPa(const stz_segment *s, const stz_elastic_params *elastic) {
  double low = 0.0, high = fmin(s->mismatch_strain, STZ_LIMITS_STRESS_SHARE); // elastic strain
  for (int i = 0; i < 60; i++) {
    const double strain = 0.5 * (low + high), area = exp(-2.0 * elastic->poisson * strain);
    const bool below = elastic->young_GPa * strain * area < s->stiffness_GPa * (s->mismatch_strain - expm1(strain));
    *(below ? &low : &high) = strain;
  }
  return elastic->young_GPa * low;
}

// A virgin specimen is never strained beyond the actuator's mismatch, nor stressed beyond the elastic answer to it; but
// under a spring softer than its stress, finite geometry, the true stress rises as it thins.
static stz_err check_virgin_actuator(const stz_config_builder *builder) {
  const stz_segment *s = &builder->config->protocol[0];
  const stz_elastic_params *elastic = &builder->config->elastic;
  const double shear = elastic->young_GPa / (1.0 + elastic->poisson); // of a tensor component, 2 mu
  const double softening = 1.0 + s->stiffness_GPa / (s->mode == STZ_MODE_SHEAR ? shear : elastic->young_GPa);
  const bool deforms = s->geometry == STZ_GEOMETRY_FINITE && s->mode == STZ_MODE_UNIAXIAL;
  const double elastic_GPa = deforms ? pulled_GPa(s, elastic) : s->stiffness_GPa * s->mismatch_strain / softening;
  const double longest = deforms ? log1p(s->mismatch_strain) : s->mismatch_strain;
  if (s->until_strain >= longest) {
    return stz_violated(builder, 0, STRAIN, "< %.4g, the %s, which is never passed", longest,
                        deforms ? "logarithmic strain of mismatch_strain" : "mismatch_strain");
  }
  if (s->until_stress_GPa > elastic_GPa && !(deforms && s->stiffness_GPa < elastic_GPa)) {
    return stz_violated(builder, 0, STRESS, "<= %.4g, the elastic stress of this actuator", elastic_GPa);
  }
  return STZ_OK;
}

// Whether nothing before a segment can have left compression, negative shear or strain below zero.
static bool only_pulled_before(const stz_config *config, int segment) {
  for (int i = 0; i < segment; i++) {
    const stz_segment *s = &config->protocol[i];
    const bool backward = s->stress_GPa < 0.0 || s->until_stress_GPa < 0.0;
    if (backward || s->type == STZ_SEGMENT_CYCLIC || s->type == STZ_SEGMENT_MIXED) return false;
  }
  return true;
}

// A virgin specimen strains at once by stress over stiffness, and creeps on from there in the way of its stress.
static stz_err check_creep(const stz_config_builder *builder, int i) {
  const stz_config *config = builder->config;
  const stz_segment *s = &config->protocol[i];
  const bool timed = stz_is_given(builder, i, "protocol[].duration_s"), virgin = i == 0;
  const double shear = config->elastic.young_GPa / (1.0 + config->elastic.poisson);
  const double stress = isnan(s->stress_GPa) && virgin ? 0.0 : s->stress_GPa;
  const double at_once = stress / (s->mode == STZ_MODE_SHEAR ? shear : config->elastic.young_GPa);
  if (isnan(s->until_strain) || isnan(stress)) return STZ_OK;
  if (stress == 0.0) {
    if (timed && !virgin) return STZ_OK;
    return stz_violated(builder, i, STRAIN, "a stress other than 0, as nothing drives this creep towards it");
  }
  const bool behind = (stress > 0.0 ? 1.0 : -1.0) * (s->until_strain - (virgin ? at_once : 0.0)) <= 0.0;
  if (!behind || !(virgin || (stress > 0.0 && only_pulled_before(config, i)))) return STZ_OK;
  if (!virgin) return stz_violated(builder, i, STRAIN, "> 0, as creep goes the way of its stress");
  return stz_violated(builder, i, STRAIN, "%s %.4g, the strain at once under %g GPa, from which creep goes on",
                      stress > 0.0 ? ">" : "<", at_once, stress);
}

// Stresses that a protocol which has only pulled cannot come to, or has passed before it begins.
static stz_err check_stress_end(const stz_config_builder *builder, int i) {
  const stz_segment *s = &builder->config->protocol[i];
  const bool pulls =
      s->type == STZ_SEGMENT_STRAIN_RATE || s->type == STZ_SEGMENT_RATE_JUMP || s->type == STZ_SEGMENT_ACTUATOR;
  if (isnan(s->until_stress_GPa)) return STZ_OK;
  if (pulls && i == 0 && s->until_stress_GPa <= 0.0)
    return stz_violated(builder, i, STRESS, "> 0, the stress at the start");
  if (s->type != STZ_SEGMENT_RELAXATION) return STZ_OK;
  if (i == 0) return stz_violated(builder, i, STRESS, "a segment before it: there is no stress to relax");
  if (s->until_stress_GPa < 0.0 && only_pulled_before(builder->config, i)) {
    return stz_violated(builder, i, STRESS, ">= 0, towards which the stress relaxes");
  }
  return STZ_OK;
}

static stz_err check_cyclic(const stz_config_builder *builder, int i) {
  const stz_segment *s = &builder->config->protocol[i];
  const char *strains = "protocol[].turn_strains", *stresses = "protocol[].turn_stresses_GPa";
  const stz_list *turns = s->turn_strains.count ? &s->turn_strains : &s->turn_stresses_GPa;
  if (turns->count == 0) return stz_violated(builder, i, strains, "two turns, here or in turn_stresses_GPa");
  if (s->turn_strains.count && s->turn_stresses_GPa.count) {
    return stz_violated(builder, i, stresses, "to be left out: the segment has turn_strains");
  }
  if (turns->value[0] == turns->value[1]) {
    return stz_violated(builder, i, s->turn_strains.count ? strains : stresses, "two turns that differ");
  }
  return STZ_OK;
}

// A rate of what is not imposed would be ignored.
static stz_err check_mixed(const stz_config_builder *builder, int i) {
  static const char *const names[6] = {"xx", "yy", "zz", "yz", "xz", "xy"};
  const stz_segment *s = &builder->config->protocol[i];
  for (int v = 0; v < 6; v++) {
    if ((int)s->control.value[v] != STZ_CONTROL_STRAIN && s->strain_rates_per_s.value[v] != 0.0) {
      return stz_violated(builder, i, "protocol[].strain_rates_per_s", "0 for %s, whose stress is imposed", names[v]);
    }
    if ((int)s->control.value[v] != STZ_CONTROL_STRESS && s->stress_rates_GPa_per_s.value[v] != 0.0) {
      return stz_violated(builder, i, "protocol[].stress_rates_GPa_per_s", "0 for %s, whose strain is imposed",
                          names[v]);
    }
  }
  return STZ_OK;
}

static stz_err check_end(const stz_config_builder *builder, int i) {
  const stz_segment *s = &builder->config->protocol[i];
  const bool timed = stz_is_given(builder, i, "protocol[].duration_s");
  if (!timed && stz_is_given(builder, i, "protocol[].temperature_end_K")) {
    return stz_violated(builder, i, "protocol[].duration_s", "a duration, as there is a temperature_end_K");
  }
  if (timed || stz_is_given(builder, i, STRAIN) || stz_is_given(builder, i, STRESS)) return STZ_OK;
  if (s->type == STZ_SEGMENT_UNLOAD || s->type == STZ_SEGMENT_CYCLIC) return STZ_OK;
  return stz_violated(builder, i, "protocol[].duration_s", "an end of the segment: duration_s%s%s",
                      s->type == STZ_SEGMENT_AGE || s->type == STZ_SEGMENT_RELAXATION ? "" : ", until_strain",
                      s->type == STZ_SEGMENT_AGE || s->type == STZ_SEGMENT_CREEP ? "" : ", until_stress_GPa");
}

// The axial strain at which a segment ends as far as the input tells, else NAN.
static double end_strain(const stz_segment *s, double begin) {
  if (s->mode == STZ_MODE_SHEAR || s->type == STZ_SEGMENT_MIXED) return NAN;
  if (s->type == STZ_SEGMENT_RELAXATION) return begin;
  if (isfinite(s->duration_s) || isfinite(s->until_stress_GPa)) return NAN;
  return s->type == STZ_SEGMENT_CYCLIC && s->turn_strains.count ? s->turn_strains.value[1] : s->until_strain;
}

// `begin` is the strain at which a segment begins as far as the protocol tells, or NAN.
stz_err stz_protocol_check(stz_config_builder *builder) {
  const stz_config *config = builder->config;
  double begin = 0.0;
  for (int i = 0; i < config->segments; i++) {
    STZ_TRY(check_segment_keys(builder, i));
    const stz_segment *s = &config->protocol[i];
    STZ_TRY(check_end(builder, i));
    if (s->type == STZ_SEGMENT_CYCLIC) STZ_TRY(check_cyclic(builder, i));
    if (s->type == STZ_SEGMENT_MIXED) STZ_TRY(check_mixed(builder, i));
    char needs[STZ_TEXT_SIZE];
    const char *unbearable = stz_limits_stress(config, i, needs, sizeof needs);
    if (unbearable) return stz_violated(builder, i, unbearable, "%s", needs);
    if (s->type == STZ_SEGMENT_CREEP) STZ_TRY(check_creep(builder, i));
    STZ_TRY(check_stress_end(builder, i));
    const bool grows = s->type == STZ_SEGMENT_STRAIN_RATE || s->type == STZ_SEGMENT_RATE_JUMP;
    if (s->mode == STZ_MODE_SHEAR && i > 0) begin = NAN; // of another component
    if ((grows || (s->type == STZ_SEGMENT_ACTUATOR && i > 0)) && s->until_strain <= begin) {
      return stz_violated(builder, i, STRAIN, "> %g, the strain at which the segment begins", begin);
    }
    if (s->type == STZ_SEGMENT_ACTUATOR && i == 0) STZ_TRY(check_virgin_actuator(builder));
    begin = end_strain(s, begin);
  }
  return STZ_OK;
}
