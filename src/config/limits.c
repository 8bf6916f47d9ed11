// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/limits.h"

#include <math.h>
#include <string.h>

#include "config/violation.h"

static const double COLD_K = 77.0;       // liquid nitrogen: colder tests are rare
static const double SMALL_STRAIN = 0.2;  // beyond, strains are not small
static const double ZERO_CELSIUS = 273.; // as a user rounds it

static double largest(const stz_list *list) {
  double most = 0.0;
  for (int i = 0; i < list->count; i++) most = fmax(most, fabs(list->value[i]));
  return most;
}

const char *stz_limits_stress(const stz_config *config, int segment, char *needs, size_t size) {
  const stz_segment *s = &config->protocol[segment];
  const double most = STZ_LIMITS_STRESS_SHARE * config->elastic.young_GPa;
  const double mixed = s->type == STZ_SEGMENT_MIXED ? largest(&s->stress_rates_GPa_per_s) * s->duration_s : NAN;
  const struct {
    const char *key;
    double stress_GPa; // NAN where the segment has none
  } stresses[] = {{"protocol[].stress_GPa", s->stress_GPa},
                  {"protocol[].until_stress_GPa", s->until_stress_GPa},
                  {"protocol[].turn_stresses_GPa", largest(&s->turn_stresses_GPa)},
                  {"protocol[].stress_rates_GPa_per_s", mixed}};
  for (size_t i = 0; i < sizeof stresses / sizeof *stresses; i++) {
    const double stress = fabs(stresses[i].stress_GPa);
    if (!(stress > most)) continue;
    snprintf(needs, size, "%sat most %.4g GPa in size, a fifth of young_GPa; %.4g MPa are %.4g GPa",
             i == 3 ? "a stress after duration_s of " : "", most, stress, stress * 1e-3);
    return stresses[i].key;
  }
  return NULL;
}

void stz_limits_hint(const stz_key *key, double value, char *hint, size_t size) {
  hint[0] = 0;
  if (strcmp(key->unit, "GPa") == 0 && key->used_by && fabs(value) > 100.0) {
    snprintf(hint, size, "; %.6g MPa are %.6g GPa", value, value * 1e-3);
  }
  if (!strstr(key->path, "strain") || strcmp(key->unit, "1") != 0 || !(fabs(value) > 1.0 && fabs(value) <= 100.0))
    return;
  snprintf(hint, size, "; %.4g %% is %.4g", value, value / 100.0);
}

// A line "file:line: path: VALUE", to be gone on with.
static void begin_note(const stz_config_builder *builder, int segment, const char *name, double value, FILE *out) {
  char path[STZ_TEXT_SIZE], place[STZ_PLACE_SIZE];
  int index;
  snprintf(path, sizeof path, "protocol[%d].%s", segment, name);
  stz_key_place(builder, stz_schema_find(path, &index), segment, place);
  fprintf(out, "%s: %.6g", place, value);
}

static void note_cold(const stz_config_builder *builder, int segment, const char *name, double temperature_K,
                      FILE *out) {
  if (!(temperature_K < COLD_K)) return;
  begin_note(builder, segment, name, temperature_K, out);
  fprintf(out, " K: in kelvin? %.6g C is %.6g K\n", temperature_K, temperature_K + ZERO_CELSIUS);
}

static void note_large(const stz_config_builder *builder, int segment, const char *name, double strain, FILE *out) {
  if (!(strain > SMALL_STRAIN * (1.0 + 1e-9))) return;
  begin_note(builder, segment, name, strain, out);
  fprintf(out, ": a strain of %.4g %%; strains are taken as small, beyond 20 %% results mean little\n", 100.0 * strain);
}

// The largest strain that a segment drives to, by the key that says so.
static void note_strain(const stz_config_builder *builder, int segment, FILE *out) {
  const stz_segment *s = &builder->config->protocol[segment];
  note_large(builder, segment, "until_strain", fabs(s->until_strain), out);
  note_large(builder, segment, "turn_strains", largest(&s->turn_strains), out);
  if (s->type == STZ_SEGMENT_MIXED) {
    note_large(builder, segment, "strain_rates_per_s", largest(&s->strain_rates_per_s) * s->duration_s, out);
  }
  const bool timed = s->type == STZ_SEGMENT_STRAIN_RATE || s->type == STZ_SEGMENT_RATE_JUMP;
  if (!timed || isfinite(s->until_strain) || isfinite(s->until_stress_GPa)) return;
  const double rate = s->type == STZ_SEGMENT_STRAIN_RATE ? fabs(s->rate_per_s) : largest(&s->rates_per_s);
  note_large(builder, segment, "duration_s", rate * s->duration_s, out);
}

// Whether the value of a key is what `condition` (used_with of the schema) asks for; `needs` (out): that, for a reader.
static bool counts(const stz_config_builder *builder, const char *condition, char *needs, size_t size) {
  const char *equals = strchr(condition, '=');
  char path[64], names[STZ_TEXT_SIZE], chosen[64];
  snprintf(path, sizeof path, "%.*s", (int)(equals ? equals - condition : (long)strlen(condition)), condition);
  const stz_key *choice = stz_schema_find(path, &(int){0});
  const void *value = stz_builder_value(builder, choice, -1);
  if (!equals) {
    snprintf(needs, size, "there is %s", path);
    if (choice->type == STZ_KEY_TEXT) return *(const char *)value != 0;
    return choice->type == STZ_KEY_BOOL ? *(const bool *)value : *(const double *)value != 0.0;
  }
  const stz_key allowed = {.type = STZ_KEY_NAME, .names = equals + 1};
  stz_key_needs(&allowed, names, sizeof names);
  snprintf(needs, size, "%s is %s", path, names);
  stz_key_name_at(choice, *(const int *)value, chosen, sizeof chosen);
  return stz_key_name_index(&allowed, chosen) >= 0;
}

// A key's value as an input would have it; "" if it is longer than any that used_with is about.
static stz_err value_text(const stz_config_builder *builder, const stz_key *key, char text[2 * STZ_TEXT_SIZE]) {
  memset(text, 0, 2 * STZ_TEXT_SIZE);
  FILE *out = fmemopen(text, 2 * STZ_TEXT_SIZE - 1, "w");
  if (!out) return stz_fail(STZ_EINTERNAL, "out of memory");
  stz_builder_print_value(builder, key, -1, out);
  fclose(out);
  return STZ_OK;
}

// Keys that the input or an option sets, and that do nothing beside the others. One that has its default is none: an
// input that sets all keys, as the resolved one does, would have many.
static stz_err note_unused(const stz_config_builder *builder, FILE *out) {
  stz_config_builder plain = {.config = NULL};
  char value[2 * STZ_TEXT_SIZE], fallback[2 * STZ_TEXT_SIZE];
  stz_err err = stz_builder_create("", &plain);
  for (const stz_key *key = stz_schema; err == STZ_OK && key < stz_schema + stz_schema_count; key++) {
    char needs[2 * STZ_TEXT_SIZE], place[STZ_PLACE_SIZE];
    if (!key->used_with || counts(builder, key->used_with, needs, sizeof needs)) continue;
    const stz_origin *origin = stz_builder_origin(builder, key, -1);
    if (origin->layer != STZ_LAYER_INPUT && origin->layer != STZ_LAYER_OVERRIDE) continue;
    err = value_text(builder, key, value);
    if (err == STZ_OK) err = value_text(&plain, key, fallback);
    if (err != STZ_OK || strcmp(value, fallback) == 0) continue;
    stz_key_place(builder, key, -1, place);
    fprintf(out, "%s: does nothing; it counts where %s\n", place, needs);
  }
  stz_builder_clear(&plain);
  return err;
}

stz_err stz_limits_notes(const stz_config_builder *builder, FILE *out) {
  STZ_TRY(note_unused(builder, out));
  for (int i = 0; i < builder->config->segments; i++) {
    const stz_segment *s = &builder->config->protocol[i];
    note_cold(builder, i, "temperature_K", s->temperature_K, out);
    note_cold(builder, i, "temperature_end_K", s->temperature_end_K, out);
    note_strain(builder, i, out);
  }
  return STZ_OK;
}
