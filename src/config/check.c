// SPDX-License-Identifier: GPL-3.0-or-later
//
// Checks that one value alone cannot answer.
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "config/damage.h"
#include "config/film.h"
#include "config/limits.h"
#include "config/moduli.h"

// Fails with "where: path: got VALUE, needs ..." for a key of `segment` (-1: none); the format says what is needed.
static stz_err violated(const stz_config_builder *builder, int segment, const char *pattern, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

// The path as the user writes it, from "protocol[].x" and the segment.
static void concrete_path(const char *pattern, int segment, char *path, size_t size) {
  const char *bracket = strchr(pattern, ']');
  if (!bracket) {
    snprintf(path, size, "%s", pattern);
  } else {
    snprintf(path, size, "%.*s%d%s", (int)(bracket - pattern), pattern, segment, bracket);
  }
}

static void print_got(const stz_config_builder *builder, const stz_key *key, int segment, FILE *out) {
  if (!stz_builder_is_set(builder, key, segment)) {
    fputs("nothing", out);
  } else if (key->type == STZ_KEY_FLOAT) {
    char number[32];
    stz_format_double(*(double *)stz_builder_value(builder, key, segment), false, number);
    fputs(number, out);
  } else {
    stz_builder_print_value(builder, key, segment, out);
  }
  if (stz_builder_origin(builder, key, segment)->layer == STZ_LAYER_DEFAULT) fputs(" (default)", out);
}

static stz_err violated(const stz_config_builder *builder, int segment, const char *pattern, const char *format, ...) {
  char path[STZ_TEXT_SIZE], line[16] = "", got[STZ_TEXT_SIZE] = "", needs[STZ_TEXT_SIZE];
  int index;
  concrete_path(pattern, segment, path, sizeof path);
  const stz_key *key = stz_schema_find(path, &index);
  const stz_origin *origin = stz_builder_origin(builder, key, index);
  FILE *out = fmemopen(got, sizeof got - 1, "w");
  if (!out) return stz_fail(STZ_EINTERNAL, "out of memory");
  print_got(builder, key, index, out);
  fclose(out);
  va_list args;
  va_start(args, format);
  vsnprintf(needs, sizeof needs, format, args);
  va_end(args);
  if (origin->line > 0) snprintf(line, sizeof line, ":%d", origin->line);
  return stz_fail(STZ_EINPUT, "%s%s: %s: got %s, needs %s", origin->file ? origin->file : builder->input_name, line,
                  path, got, needs);
}

static bool is_set(const stz_config_builder *builder, int segment, const char *pattern) {
  char path[STZ_TEXT_SIZE];
  int index;
  concrete_path(pattern, segment, path, sizeof path);
  return stz_builder_is_set(builder, stz_schema_find(path, &index), segment);
}

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
      return violated(builder, segment, key->path, "%s", needs);
    }
    if (key->used_by >> s->type & 1u) continue;
    if (origin->layer > STZ_LAYER_DEFAULT) {
      return violated(builder, segment, key->path, "to be left out: a segment of type \"%s\" has no such key", type);
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
    return violated(builder, 0, STRAIN, "< %.4g, the %s, which is never passed", longest,
                    deforms ? "logarithmic strain of mismatch_strain" : "mismatch_strain");
  }
  if (s->until_stress_GPa > elastic_GPa && !(deforms && s->stiffness_GPa < elastic_GPa)) {
    return violated(builder, 0, STRESS, "<= %.4g, the elastic stress of this actuator", elastic_GPa);
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
  const bool timed = is_set(builder, i, "protocol[].duration_s"), virgin = i == 0;
  const double shear = config->elastic.young_GPa / (1.0 + config->elastic.poisson);
  const double stress = isnan(s->stress_GPa) && virgin ? 0.0 : s->stress_GPa;
  const double at_once = stress / (s->mode == STZ_MODE_SHEAR ? shear : config->elastic.young_GPa);
  if (isnan(s->until_strain) || isnan(stress)) return STZ_OK;
  if (stress == 0.0) {
    if (timed && !virgin) return STZ_OK;
    return violated(builder, i, STRAIN, "a stress other than 0, as nothing drives this creep towards it");
  }
  const bool behind = (stress > 0.0 ? 1.0 : -1.0) * (s->until_strain - (virgin ? at_once : 0.0)) <= 0.0;
  if (!behind || !(virgin || (stress > 0.0 && only_pulled_before(config, i)))) return STZ_OK;
  if (!virgin) return violated(builder, i, STRAIN, "> 0, as creep goes the way of its stress");
  return violated(builder, i, STRAIN, "%s %.4g, the strain at once under %g GPa, from which creep goes on",
                  stress > 0.0 ? ">" : "<", at_once, stress);
}

// Stresses that a protocol which has only pulled cannot come to, or has passed before it begins.
static stz_err check_stress_end(const stz_config_builder *builder, int i) {
  const stz_segment *s = &builder->config->protocol[i];
  const bool pulls =
      s->type == STZ_SEGMENT_STRAIN_RATE || s->type == STZ_SEGMENT_RATE_JUMP || s->type == STZ_SEGMENT_ACTUATOR;
  if (isnan(s->until_stress_GPa)) return STZ_OK;
  if (pulls && i == 0 && s->until_stress_GPa <= 0.0)
    return violated(builder, i, STRESS, "> 0, the stress at the start");
  if (s->type != STZ_SEGMENT_RELAXATION) return STZ_OK;
  if (i == 0) return violated(builder, i, STRESS, "a segment before it: there is no stress to relax");
  if (s->until_stress_GPa < 0.0 && only_pulled_before(builder->config, i)) {
    return violated(builder, i, STRESS, ">= 0, towards which the stress relaxes");
  }
  return STZ_OK;
}

static stz_err check_cyclic(const stz_config_builder *builder, int i) {
  const stz_segment *s = &builder->config->protocol[i];
  const char *strains = "protocol[].turn_strains", *stresses = "protocol[].turn_stresses_GPa";
  const stz_list *turns = s->turn_strains.count ? &s->turn_strains : &s->turn_stresses_GPa;
  if (turns->count == 0) return violated(builder, i, strains, "two turns, here or in turn_stresses_GPa");
  if (s->turn_strains.count && s->turn_stresses_GPa.count) {
    return violated(builder, i, stresses, "to be left out: the segment has turn_strains");
  }
  if (turns->value[0] == turns->value[1]) {
    return violated(builder, i, s->turn_strains.count ? strains : stresses, "two turns that differ");
  }
  return STZ_OK;
}

// A rate of what is not imposed would be ignored.
static stz_err check_mixed(const stz_config_builder *builder, int i) {
  static const char *const names[6] = {"xx", "yy", "zz", "yz", "xz", "xy"};
  const stz_segment *s = &builder->config->protocol[i];
  for (int v = 0; v < 6; v++) {
    if ((int)s->control.value[v] != STZ_CONTROL_STRAIN && s->strain_rates_per_s.value[v] != 0.0) {
      return violated(builder, i, "protocol[].strain_rates_per_s", "0 for %s, whose stress is imposed", names[v]);
    }
    if ((int)s->control.value[v] != STZ_CONTROL_STRESS && s->stress_rates_GPa_per_s.value[v] != 0.0) {
      return violated(builder, i, "protocol[].stress_rates_GPa_per_s", "0 for %s, whose strain is imposed", names[v]);
    }
  }
  return STZ_OK;
}

static stz_err check_end(const stz_config_builder *builder, int i) {
  const stz_segment *s = &builder->config->protocol[i];
  const bool timed = is_set(builder, i, "protocol[].duration_s");
  if (!timed && is_set(builder, i, "protocol[].temperature_end_K")) {
    return violated(builder, i, "protocol[].duration_s", "a duration, as there is a temperature_end_K");
  }
  if (timed || is_set(builder, i, STRAIN) || is_set(builder, i, STRESS)) return STZ_OK;
  if (s->type == STZ_SEGMENT_UNLOAD || s->type == STZ_SEGMENT_CYCLIC) return STZ_OK;
  return violated(builder, i, "protocol[].duration_s", "an end of the segment: duration_s%s%s",
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
static stz_err check_protocol(stz_config_builder *builder) {
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
    if (unbearable) return violated(builder, i, unbearable, "%s", needs);
    if (s->type == STZ_SEGMENT_CREEP) STZ_TRY(check_creep(builder, i));
    STZ_TRY(check_stress_end(builder, i));
    const bool grows = s->type == STZ_SEGMENT_STRAIN_RATE || s->type == STZ_SEGMENT_RATE_JUMP;
    if (s->mode == STZ_MODE_SHEAR && i > 0) begin = NAN; // of another component
    if ((grows || (s->type == STZ_SEGMENT_ACTUATOR && i > 0)) && s->until_strain <= begin) {
      return violated(builder, i, STRAIN, "> %g, the strain at which the segment begins", begin);
    }
    if (s->type == STZ_SEGMENT_ACTUATOR && i == 0) STZ_TRY(check_virgin_actuator(builder));
    begin = end_strain(s, begin);
  }
  return STZ_OK;
}

static double shortest_edge(const stz_lattice_params *lattice) {
  int cells = lattice->cells[0];
  for (int axis = 1; axis < 3; axis++) cells = lattice->cells[axis] < cells ? lattice->cells[axis] : cells;
  return cells * lattice->spacing_nm;
}

// The wavelength next to `wavelength` among the waves of the periodic box.
static double nearest_wavelength(const stz_lattice_params *lattice, double wavelength) {
  double nearest = INFINITY;
  int most[3];
  for (int axis = 0; axis < 3; axis++) most[axis] = (int)(lattice->cells[axis] * lattice->spacing_nm / wavelength) + 1;
  for (int x = 0; x <= most[0]; x++) {
    for (int y = 0; y <= most[1]; y++) {
      for (int z = x + y == 0; z <= most[2]; z++) {
        const double w[3] = {(double)x / lattice->cells[0], (double)y / lattice->cells[1],
                             (double)z / lattice->cells[2]};
        const double k = sqrt(w[0] * w[0] + w[1] * w[1] + w[2] * w[2]) / lattice->spacing_nm;
        if (fabs(k - 1.0 / wavelength) < fabs(1.0 / nearest - 1.0 / wavelength)) nearest = 1.0 / k;
      }
    }
  }
  return nearest;
}

// The lattice must resolve the waves, and the box hold some of them.
static stz_err check_waves(const stz_config_builder *builder) {
  const stz_micro_params *micro = &builder->config->micro;
  const stz_lattice_params *lattice = &builder->config->lattice;
  const double wavelength = micro->wavelength_nm;
  const double shortest = 2.0 * lattice->spacing_nm * (1.0 + micro->bandwidth);
  if (wavelength <= shortest) {
    return violated(builder, -1, "microstructure.wavelength_nm", "> %.4g, 2 spacing_nm (1 + bandwidth)", shortest);
  }
  const double nearest = nearest_wavelength(lattice, wavelength);
  if (fabs(wavelength / nearest - 1.0) > micro->bandwidth) {
    return violated(builder, -1, "microstructure.wavelength_nm",
                    "a wave of the periodic box within bandwidth = %g of it; the nearest is %.4g", micro->bandwidth,
                    nearest);
  }
  return STZ_OK;
}

// The quench needs room for several of its lengths, and a composition that demixes by itself.
static stz_err check_quench(const stz_config_builder *builder) {
  const stz_config *config = builder->config;
  const double wavelength = config->micro.wavelength_nm, nickel = config->micro.nickel_fraction;
  const stz_lattice_params box = stz_config_structure_box(config);
  const double shortest = 3.0 * box.spacing_nm, longest = shortest_edge(&box) / 3.0;
  if (wavelength <= shortest || wavelength > longest) {
    return violated(builder, -1, "microstructure.wavelength_nm",
                    "> %.4g, 3 spacing_nm, and <= %.4g, a third of the box, with type = \"cahn-hilliard\"", shortest,
                    longest);
  }
  if (nickel < 0.3 || nickel > 0.7) {
    return violated(builder, -1, "microstructure.nickel_fraction",
                    "0.3 to 0.7 with type = \"cahn-hilliard\": beyond, a quench gives droplets");
  }
  return STZ_OK;
}

// A whole number of periods fits the box, but for the thickness of a film, and each layer is a voxel thick.
static stz_err check_layers(const stz_config_builder *builder) {
  const stz_config *config = builder->config;
  const stz_micro_params *micro = &config->micro;
  const double a = config->lattice.spacing_nm, edge = config->lattice.cells[micro->layer_axis] * a;
  const double period = micro->layer_period_nm, periods = fmax(1.0, floor(edge / period + 0.5));
  const double thinner = fmin(micro->layer_rich_share, 1.0 - micro->layer_rich_share);
  const bool open = config->lattice.boundary == STZ_BOUNDARY_FILM && micro->layer_axis == 2;
  if (!open && fabs(period * periods / edge - 1.0) > 1e-3) {
    const double fewer = fmax(1.0, floor(edge / period));
    return violated(builder, -1, "microstructure.layer_period_nm",
                    "a whole number of periods in the box's %.6g nm, e.g. %.4g", edge, edge / fewer);
  }
  if (thinner * (open ? period : edge / periods) < a * (1.0 - 1e-3)) {
    return violated(builder, -1, "microstructure.layer_period_nm", ">= %.4g, for each layer to be a voxel thick",
                    a / thinner);
  }
  return STZ_OK;
}

static stz_err check_file(const stz_config_builder *builder) {
  const stz_config *config = builder->config;
  if (!config->given[STZ_GIVEN_MICRO].file[0]) {
    return violated(builder, -1, "microstructure.file", "a file in HDF5 format with type = \"file\"");
  }
  if (config->micro.profile != STZ_PROFILE_SMOOTH) {
    return violated(builder, -1, "microstructure.profile",
                    "\"smooth\" with type = \"file\", whose values are taken as "
                    "they are");
  }
  if (config->micro.nickel_amplitude == 0.0) {
    return violated(builder, -1, "microstructure.nickel_amplitude", "> 0 with type = \"file\"");
  }
  return STZ_OK;
}

static stz_err check_microstructure(const stz_config_builder *builder) {
  switch (builder->config->micro.type) {
  case STZ_MICRO_RANDOM_WAVES:
    return check_waves(builder);
  case STZ_MICRO_CAHN_HILLIARD:
    return check_quench(builder);
  case STZ_MICRO_LAYERS:
    return check_layers(builder);
  case STZ_MICRO_FILE:
    return check_file(builder);
  case STZ_MICRO_UNIFORM:
    break;
  }
  return STZ_OK;
}

// An STZ is larger than a voxel, and fits into the box.
static stz_err check_volume(const stz_config_builder *builder) {
  const stz_config *config = builder->config;
  const double a = config->lattice.spacing_nm, edge = shortest_edge(&config->lattice);
  const double voxel = a * a * a, largest = pow(0.4 * edge, 3.0); // the redraw's footprint has radius 1.21 Omega^(1/3)
  if (config->stz.volume_nm3 <= voxel) {
    return violated(builder, -1, "stz.volume_nm3", "> %.4g, the volume of a voxel", voxel);
  }
  if (config->stz.volume_nm3 > largest) {
    return violated(builder, -1, "stz.volume_nm3", "<= %.4g, for its footprint to fit into the box", largest);
  }
  return STZ_OK;
}

// Keys that belong to one choice of another key, as tau_c to the cooperative law.
static stz_err check_only_with(const stz_config_builder *builder) {
  for (int i = 0; i < stz_schema_count; i++) {
    const stz_key *key = &stz_schema[i];
    const char *equals = key->only_with ? strchr(key->only_with, '=') : NULL;
    if (!equals) continue;
    char path[64], names[64], chosen[64];
    snprintf(path, sizeof path, "%.*s", (int)(equals - key->only_with), key->only_with);
    const stz_key *choice = stz_schema_find(path, &(int){0});
    const stz_key allowed = {.type = STZ_KEY_NAME, .names = equals + 1};
    stz_key_name_at(choice, *(const int *)((const char *)builder->config + choice->offset), chosen, sizeof chosen);
    const bool has = stz_key_name_index(&allowed, chosen) >= 0;
    const double value = *(const double *)((const char *)builder->config + key->offset);
    stz_key_needs(&allowed, names, sizeof names);
    if (has && value <= 0.0) return violated(builder, -1, key->path, "> 0 with %s = %s", stz_key_name(choice), names);
    if (!has && value > 0.0) {
      return violated(builder, -1, key->path, "to be left out, or 0: only %s = %s has it", stz_key_name(choice), names);
    }
  }
  return STZ_OK;
}

// Directions and planes of shear modes that were given.
static stz_err check_modes(const stz_config_builder *builder) {
  static const char axes_key[] = "stz.mode_axes";
  const stz_catalogue *catalogue = &builder->config->stz.catalogue;
  const char *modes = builder->config->modes;
  if (strcmp(modes, "axes") != 0) {
    if (catalogue->count == 0) return STZ_OK;
    return violated(builder, -1, "stz.modes", "\"axes\", as there are mode_axes");
  }
  if (catalogue->count == 0) return violated(builder, -1, axes_key, "at least one mode with modes = \"axes\"");
  for (int m = 0; m < catalogue->count; m++) {
    const double *s = catalogue->axes[m], *n = s + 3;
    const double ss = s[0] * s[0] + s[1] * s[1] + s[2] * s[2], nn = n[0] * n[0] + n[1] * n[1] + n[2] * n[2];
    const double sn = s[0] * n[0] + s[1] * n[1] + s[2] * n[2];
    if (!(ss > 0.0 && nn > 0.0 && isfinite(ss * nn))) {
      return violated(builder, -1, axes_key, "directions; mode %d, counted from 0, has none", m);
    }
    if (fabs(sn) > 1e-6 * sqrt(ss * nn)) {
      return violated(builder, -1, axes_key,
                      "planes that hold their direction; that of mode %d, counted from 0, is %.3g "
                      "degrees off",
                      m, fabs(asin(fmin(1.0, fabs(sn) / sqrt(ss * nn)))) * 180.0 / acos(-1.0));
    }
  }
  return STZ_OK;
}

static stz_err check_damage(const stz_config_builder *builder) {
  char needs[STZ_TEXT_SIZE];
  const char *key = stz_damage_limits(builder->config, needs, sizeof needs);
  return key ? violated(builder, -1, key, "%s", needs) : STZ_OK;
}

static stz_err check_moduli(const stz_config_builder *builder) {
  stz_config *config = builder->config;
  char needs[STZ_TEXT_SIZE];
  int segment;
  const char *key = stz_moduli_limits(config, &segment, needs, sizeof needs);
  if (key) return violated(builder, segment, key, "%s", needs);
  config->barriers.modulus_eV =
      config->barriers.modulus_scaling * config->barriers.mean_eV * 0.5 * config->elastic.contrast;
  return STZ_OK;
}

static stz_err check_material(const stz_config_builder *builder) {
  const stz_config *config = builder->config;
  STZ_TRY(check_only_with(builder));
  STZ_TRY(check_modes(builder));
  if (config->barriers.recovery_rate_per_s > 0.0 && config->barriers.softening_eV <= 0.0) {
    return violated(builder, -1, "barriers.recovery_rate_per_s", "softening_eV > 0, or there is no damage to recover");
  }
  STZ_TRY(check_damage(builder));
  STZ_TRY(check_moduli(builder));
  if (config->barriers.floor_eV > config->barriers.mean_eV) {
    return violated(builder, -1, "barriers.floor_eV", "<= %g, the mean_eV", config->barriers.mean_eV);
  }
  const double nickel = config->micro.nickel_fraction;
  if (config->micro.type == STZ_MICRO_RANDOM_WAVES && config->micro.profile == STZ_PROFILE_CUT &&
      !(nickel > 0.0 && nickel < 1.0)) {
    return violated(builder, -1, "microstructure.nickel_fraction", "> 0 and < 1 with profile = \"cut\"");
  }
  return STZ_OK;
}

// The foil, a scan and what a probe sees must fit into the box, if there are scans at all.
static stz_err check_nbed(const stz_config_builder *builder) {
  stz_config *config = builder->config;
  stz_nbed_params *nbed = &config->nbed;
  if (config->nbed_strains.count == 0) return STZ_OK;
  double box[3];
  for (int axis = 0; axis < 3; axis++) box[axis] = config->lattice.cells[axis] * config->lattice.spacing_nm;
  const double thickness = box[nbed->beam], width = fmin(box[(nbed->beam + 1) % 3], box[(nbed->beam + 2) % 3]);
  const double rounding = 1.0 + 1e-9; // so that a foil of 9.28 nm fits 16 voxels of 0.58 nm
  int none;
  const stz_origin *foil = stz_builder_origin(builder, stz_schema_find("nbed.foil_nm", &none), -1);
  if (foil->layer == STZ_LAYER_DEFAULT) nbed->foil_nm = fmin(nbed->foil_nm, thickness);
  if (nbed->foil_nm > thickness * rounding) {
    return violated(builder, -1, "nbed.foil_nm", "<= %.10g, the box along the beam", thickness);
  }
  if (10.0 * nbed->probe_nm > width * rounding) {
    return violated(builder, -1, "nbed.probe_nm", "<= %.4g, for a scan of 10 x 10 probes to fit into the box",
                    width / 10.0);
  }
  const double largest = 0.5 * (width - nbed->probe_nm);
  if (config->order.cluster_radius_nm > largest) {
    return violated(builder, -1, "order.cluster_radius_nm", "<= %.4g, half the box less the probe's", largest);
  }
  return STZ_OK;
}

static stz_err check_clusters(const stz_config_builder *builder) {
  const stz_config *config = builder->config;
  const double a = config->lattice.spacing_nm;
  const double clusters = stz_order_density(&config->order, config->nbed.foil_nm, config->nbed.probe_nm) * a * a * a;
  if (clusters <= STZ_MOST_CLUSTERS) return STZ_OK;
  return violated(builder, -1, "order.acceptance", ">= %.3g, for at most %g clusters per voxel",
                  1.01 * config->order.acceptance * clusters / STZ_MOST_CLUSTERS, STZ_MOST_CLUSTERS);
}

// "auto" is replaced by what the box allows, by nothing else, so that the same input has the same trajectory on any
// number of ranks.
static stz_err check_engine(const stz_config_builder *builder) {
  stz_config *config = builder->config;
  config->engine_auto = config->kmc.engine == STZ_ENGINE_AUTO;
  const bool film = config->lattice.boundary == STZ_BOUNDARY_FILM;
  if (config->engine_auto) config->kmc.engine = stz_engine_for(config->lattice.cells, film);
  if (stz_engine_fits(config->kmc.engine, config->lattice.cells, film)) return STZ_OK;
  const stz_engine_needs needs = stz_engine_needs_of(config->kmc.engine);
  return violated(builder, -1, "lattice.cells", "at least %d %s with kmc.engine = \"%s\"", needs.least,
                  film ? "along x and y" : "per axis", needs.name);
}

// Snapshots need strains at which to take them.
static stz_err check_snapshots(const stz_config_builder *builder) {
  const stz_config *config = builder->config;
  if (!config->snapshots || config->snapshot_strains.count > 0 || config->nbed_strains.count > 0) return STZ_OK;
  return violated(builder, -1, "output.snapshot_strains", "strains with snapshots = true, here or in nbed_strains");
}

static stz_err check_boundary(const stz_config_builder *builder) {
  char needs[STZ_TEXT_SIZE];
  int segment;
  const char *key = stz_film_limits(builder->config, &segment, needs, sizeof needs);
  return key ? violated(builder, segment, key, "%s", needs) : STZ_OK;
}

stz_err stz_builder_check(stz_config_builder *builder) {
  if (!is_set(builder, -1, "lattice.cells")) {
    char needs[STZ_TEXT_SIZE];
    int none;
    stz_key_needs(stz_schema_find("lattice.cells", &none), needs, sizeof needs);
    return violated(builder, -1, "lattice.cells", "%s", needs);
  }
  if (builder->config->segments == 0) {
    return stz_fail(STZ_EINPUT, "%s: protocol: got nothing, needs a list of segments ( { type = ...; }, ... )",
                    builder->input_name);
  }
  STZ_TRY(check_boundary(builder));
  STZ_TRY(check_protocol(builder));
  STZ_TRY(check_volume(builder));
  STZ_TRY(check_microstructure(builder));
  STZ_TRY(check_material(builder));
  STZ_TRY(check_snapshots(builder));
  STZ_TRY(check_engine(builder));
  STZ_TRY(check_nbed(builder));
  return check_clusters(builder);
}
