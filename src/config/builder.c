// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/builder.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "config/limits.h"
#include "config/setting.h"

enum { SEGMENTS_MAX = 1000 };

// What is being set: a setting of a tree and the path of its key.
typedef struct field {
  char path[STZ_TEXT_SIZE];
  const config_setting_t *setting;
  stz_origin origin;
} field;

void *stz_builder_value(const stz_config_builder *builder, const stz_key *key, int segment) {
  char *base = segment < 0 ? (char *)builder->config : (char *)&builder->config->protocol[segment];
  return base + key->offset;
}

stz_origin *stz_builder_origin(const stz_config_builder *builder, const stz_key *key, int segment) {
  return &builder->origins[(segment + 1) * stz_schema_count + (int)(key - stz_schema)];
}

bool stz_builder_is_set(const stz_config_builder *builder, const stz_key *key, int segment) {
  return stz_builder_origin(builder, key, segment)->layer != STZ_LAYER_NONE;
}

static stz_err refuse(const field *at, const char *got, const char *needs) {
  char line[16] = "", path[STZ_TEXT_SIZE];
  stz_one_line(at->path, path, sizeof path);
  if (at->origin.line > 0) snprintf(line, sizeof line, ":%d", at->origin.line);
  return stz_fail(STZ_EINPUT, "%s%s: %s: got %s, needs %s", at->origin.file, line, path, got, needs);
}

static stz_err refuse_setting(const field *at, const char *needs) {
  char got[80];
  stz_setting_show(at->setting, got);
  return refuse(at, got, needs);
}

static bool in_range(const stz_key *key, double value) {
  return (key->min_open ? value > key->min : value >= key->min) &&
         (key->max_open ? value < key->max : value <= key->max);
}

static stz_err set_number(const stz_key *key, const field *at, void *place) {
  double value = 0.0;
  long long integer = 0;
  char needs[STZ_TEXT_SIZE], got[32];
  if (key->type == STZ_KEY_FLOAT ? !stz_setting_number(at->setting, &value)
                                 : !stz_setting_integer(at->setting, &integer)) {
    stz_key_needs(key, needs, sizeof needs);
    return refuse_setting(at, needs);
  }
  if (key->type != STZ_KEY_FLOAT) value = (double)integer;
  if (!in_range(key, value)) {
    stz_key_range(key, needs, sizeof needs);
    stz_format_double(value, false, got);
    const size_t length = strlen(needs);
    stz_limits_hint(key, value, needs + length, sizeof needs - length);
    return refuse(at, got, needs);
  }
  if (key->type == STZ_KEY_FLOAT) *(double *)place = value;
  if (key->type == STZ_KEY_INT) *(int *)place = (int)integer;
  if (key->type == STZ_KEY_INT64) *(uint64_t *)place = (uint64_t)integer;
  return STZ_OK;
}

static stz_err set_word(const stz_key *key, const field *at, void *place) {
  char needs[STZ_TEXT_SIZE];
  stz_key_needs(key, needs, sizeof needs);
  const bool wants_bool = key->type == STZ_KEY_BOOL;
  if (config_setting_type(at->setting) != (wants_bool ? CONFIG_TYPE_BOOL : CONFIG_TYPE_STRING)) {
    return refuse_setting(at, needs);
  }
  if (wants_bool) {
    *(bool *)place = config_setting_get_bool(at->setting);
    return STZ_OK;
  }
  const char *text = config_setting_get_string(at->setting);
  if (key->type == STZ_KEY_TEXT) {
    if (strlen(text) >= STZ_TEXT_SIZE) return refuse_setting(at, needs);
    snprintf(place, STZ_TEXT_SIZE, "%s", text);
    return STZ_OK;
  }
  const int index = stz_key_name_index(key, text);
  if (index < 0) return refuse_setting(at, needs);
  *(int *)place = index;
  return STZ_OK;
}

static stz_err set_cells(const stz_key *key, const field *at, int cells[3]) {
  char needs[STZ_TEXT_SIZE], got[80];
  stz_key_needs(key, needs, sizeof needs);
  if (!config_setting_is_array(at->setting) || config_setting_length(at->setting) != 3)
    return refuse_setting(at, needs);
  for (int axis = 0; axis < 3; axis++) {
    const config_setting_t *element = config_setting_get_elem(at->setting, (unsigned)axis);
    long long value;
    stz_setting_show(element, got);
    if (!stz_setting_integer(element, &value) || !in_range(key, (double)value) || value % 8 != 0)
      return refuse(at, got, needs);
    cells[axis] = (int)value;
  }
  return STZ_OK;
}

static stz_err set_levels(const stz_key *key, const field *at, stz_strain_levels *place) {
  char needs[STZ_TEXT_SIZE], got[80];
  stz_key_needs(key, needs, sizeof needs);
  if (!config_setting_is_array(at->setting)) return refuse_setting(at, needs);
  const int count = config_setting_length(at->setting);
  double *levels = NULL;
  STZ_TRY(STZ_NEW(levels, count));
  stz_free(place->values);
  *place = (stz_strain_levels){.values = levels, .count = count};
  for (int i = 0; i < count; i++) {
    const config_setting_t *element = config_setting_get_elem(at->setting, (unsigned)i);
    const bool good = stz_setting_number(element, &levels[i]) && in_range(key, levels[i]);
    if (good && (i == 0 || levels[i] > levels[i - 1])) continue;
    const size_t length = strlen(needs);
    if (!good) stz_limits_hint(key, levels[i], needs + length, sizeof needs - length);
    stz_setting_show(element, got);
    return refuse(at, got, needs);
  }
  return STZ_OK;
}

static stz_err set_list(const stz_key *key, const field *at, stz_list *list) {
  char needs[STZ_TEXT_SIZE], got[80];
  stz_key_needs(key, needs, sizeof needs);
  const int count = config_setting_is_array(at->setting) ? config_setting_length(at->setting) : 0;
  if (count < (key->count ? key->count : 2) || count > (key->count ? key->count : STZ_LIST_SIZE)) {
    return refuse_setting(at, needs);
  }
  for (int i = 0; i < count; i++) {
    const config_setting_t *element = config_setting_get_elem(at->setting, (unsigned)i);
    const char *word = config_setting_get_string(element);
    const int index = key->names && word ? stz_key_name_index(key, word) : -1;
    stz_setting_show(element, got);
    if (key->names ? index < 0 : !stz_setting_number(element, &list->value[i])) return refuse(at, got, needs);
    if (!key->names && !in_range(key, list->value[i])) {
      const size_t length = strlen(needs);
      stz_limits_hint(key, list->value[i], needs + length, sizeof needs - length);
      return refuse(at, got, needs);
    }
    if (key->names) list->value[i] = index;
  }
  list->count = count;
  return STZ_OK;
}

static stz_err set_axes(const stz_key *key, const field *at, stz_catalogue *catalogue) {
  char needs[STZ_TEXT_SIZE], got[80];
  stz_key_needs(key, needs, sizeof needs);
  const int count = config_setting_is_array(at->setting) ? config_setting_length(at->setting) : -1;
  if (count < 0 || count % 6 != 0 || count > 6 * STZ_MODES) return refuse_setting(at, needs);
  for (int i = 0; i < count; i++) {
    const config_setting_t *element = config_setting_get_elem(at->setting, (unsigned)i);
    stz_setting_show(element, got);
    if (!stz_setting_number(element, &catalogue->axes[i / 6][i % 6])) return refuse(at, got, needs);
  }
  catalogue->count = count / 6;
  return STZ_OK;
}

static stz_err set_key(stz_config_builder *builder, const stz_key *key, int segment, const field *at) {
  void *place = stz_builder_value(builder, key, segment);
  switch (key->type) {
  case STZ_KEY_FLOAT:
  case STZ_KEY_INT:
  case STZ_KEY_INT64:
    STZ_TRY(set_number(key, at, place));
    break;
  case STZ_KEY_BOOL:
  case STZ_KEY_NAME:
  case STZ_KEY_TEXT:
    STZ_TRY(set_word(key, at, place));
    break;
  case STZ_KEY_CELLS:
    STZ_TRY(set_cells(key, at, place));
    break;
  case STZ_KEY_LEVELS:
    STZ_TRY(set_levels(key, at, place));
    break;
  case STZ_KEY_AXES:
    STZ_TRY(set_axes(key, at, place));
    break;
  case STZ_KEY_LIST:
    STZ_TRY(set_list(key, at, place));
    break;
  }
  *stz_builder_origin(builder, key, segment) = at->origin;
  return STZ_OK;
}

// Gives a row of keys its defaults: those outside segments (-1), or one segment's, where a number without is NAN.
static stz_err set_defaults(stz_config_builder *builder, int segment) {
  for (const stz_key *key = stz_schema; key < stz_schema + stz_schema_count; key++) {
    if ((key->used_by != 0) != (segment >= 0)) continue;
    if (segment >= 0 && key->type == STZ_KEY_FLOAT) *(double *)stz_builder_value(builder, key, segment) = NAN;
    if (!key->fallback) continue;
    char text[STZ_TEXT_SIZE];
    snprintf(text, sizeof text, "value = %s;", key->fallback);
    config_t tree;
    stz_err err = stz_tree_parse(key->path, text, &tree);
    field at = {.setting = config_lookup(&tree, "value"), .origin = {STZ_LAYER_DEFAULT, "src/config/schema.c", 0}};
    snprintf(at.path, sizeof at.path, "the default of %s", key->path);
    if (err == STZ_OK) err = set_key(builder, key, segment, &at);
    stz_builder_origin(builder, key, segment)->file = builder->input_name;
    config_destroy(&tree);
    if (err == STZ_EINPUT) return STZ_EINTERNAL; // no input is at fault
    STZ_TRY(err);
  }
  return STZ_OK;
}

static stz_err apply(stz_config_builder *builder, const field *at);

static stz_err apply_children(stz_config_builder *builder, const field *at) {
  const int length = config_setting_length(at->setting);
  for (int i = 0; i < length; i++) {
    const config_setting_t *setting = config_setting_get_elem(at->setting, (unsigned)i);
    field child = {.setting = setting, .origin = at->origin};
    const char *name = config_setting_name(setting);
    const int written = name ? snprintf(child.path, sizeof child.path, "%s%s%s", at->path, at->path[0] ? "." : "", name)
                             : snprintf(child.path, sizeof child.path, "%s[%d]", at->path, i);
    if (child.origin.line > 0) child.origin.line = (int)config_setting_source_line(setting);
    if (written >= (int)sizeof child.path) return refuse(&child, "a name without end", "a key of the reference");
    STZ_TRY(apply(builder, &child));
  }
  return STZ_OK;
}

// Replaces the protocol by that of a list.
static stz_err apply_protocol(stz_config_builder *builder, const field *at) {
  static const char needs[] = "a list of 1 to 1000 segments ( { type = ...; }, ... )";
  const int count = config_setting_length(at->setting);
  if (config_setting_type(at->setting) != CONFIG_TYPE_LIST || count < 1 || count > SEGMENTS_MAX) {
    return refuse_setting(at, needs);
  }
  stz_segment *segments = NULL;
  stz_origin *origins = NULL;
  STZ_TRY(STZ_NEW(segments, count));
  stz_free(builder->config->protocol);
  builder->config->protocol = segments;
  builder->config->segments = count;
  STZ_TRY(STZ_NEW(origins, (count + 1) * stz_schema_count));
  memcpy(origins, builder->origins, (size_t)stz_schema_count * sizeof *origins);
  stz_free(builder->origins);
  builder->origins = origins;
  for (int i = 0; i < count; i++) STZ_TRY(set_defaults(builder, i));
  return apply_children(builder, at);
}

static stz_err refuse_unknown(const field *at) {
  char nearest[STZ_TEXT_SIZE], path[STZ_TEXT_SIZE], line[16] = "";
  stz_schema_nearest(at->path, nearest, sizeof nearest);
  stz_one_line(at->path, path, sizeof path);
  if (at->origin.line > 0) snprintf(line, sizeof line, ":%d", at->origin.line);
  return stz_fail(STZ_EINPUT, "%s%s: %s: unknown key, %s%s", at->origin.file, line, path,
                  nearest[0] ? "the nearest known one is " : "`stzkmc check --reference` lists all", nearest);
}

static bool allowed_in_model(const char *path) {
  for (int i = 0; i < stz_key_group_count; i++) {
    const stz_key_group *group = &stz_key_groups[i];
    const size_t length = strlen(group->name);
    if (group->in_model && strncmp(path, group->name, length) == 0 && (path[length] == '.' || !path[length]))
      return true;
  }
  return false;
}

// Messages find the keys that a group may lack where the group begins.
static void place_missing(stz_config_builder *builder, int segment, const field *group) {
  const size_t length = strlen(group->path);
  for (const stz_key *key = stz_schema; key < stz_schema + stz_schema_count; key++) {
    const bool inside =
        segment >= 0 ? key->used_by != 0 : strncmp(key->path, group->path, length) == 0 && key->path[length] == '.';
    stz_origin *origin = inside ? stz_builder_origin(builder, key, segment) : NULL;
    if (origin && origin->layer <= STZ_LAYER_DEFAULT)
      *origin = (stz_origin){origin->layer, group->origin.file, group->origin.line};
  }
}

// Sets the key, or the keys of the group or list, at a path.
static stz_err apply(stz_config_builder *builder, const field *at) {
  int segment;
  const stz_key *key = stz_schema_find(at->path, &segment);
  const bool protocol = strcmp(at->path, "protocol") == 0, group = stz_schema_is_group(at->path);
  if (!key && !protocol && !group) return refuse_unknown(at);
  if (at->origin.layer == STZ_LAYER_MODEL && !allowed_in_model(at->path)) {
    return refuse(at, "a key that a model may not set", "elasticity, stz, barriers, microstructure or order");
  }
  if (at->origin.layer == STZ_LAYER_MODES &&
      !(key ? strcmp(at->path, "stz.mode_axes") == 0 : strcmp(at->path, "stz") == 0)) {
    return refuse(at, "a key that a file of modes may not set", "stz.mode_axes alone");
  }
  if (protocol) return apply_protocol(builder, at);
  if (segment >= builder->config->segments)
    return refuse(at, "an index beyond the last segment", "one of the protocol's");
  if (key) return set_key(builder, key, segment, at);
  if (!config_setting_is_group(at->setting)) return refuse_setting(at, "a group { ... }");
  place_missing(builder, segment, at);
  return apply_children(builder, at);
}

// A file for another command.
static stz_err refuse_sweep(const stz_source *source, config_t *tree) {
  if (!config_lookup(tree, "axes") && !config_lookup(tree, "input")) return STZ_OK;
  if (config_lookup(tree, "protocol") || config_lookup(tree, "lattice")) return STZ_OK;
  return stz_fail(STZ_EINPUT, "%s: got a sweep file, needs an input; sweeps are run by `stzkmc sweep`", source->name);
}

stz_err stz_builder_apply_file(stz_config_builder *builder, const stz_source *source, stz_layer layer) {
  config_t tree;
  stz_err err = stz_tree_parse(source->name, source->text, &tree);
  field root = {.setting = config_root_setting(&tree), .origin = {layer, source->name, 1}};
  if (err == STZ_OK && layer == STZ_LAYER_INPUT) err = refuse_sweep(source, &tree);
  if (err == STZ_OK) err = apply_children(builder, &root);
  config_destroy(&tree);
  return err;
}

// Whether a value is a bare word or path, as in stz.orientation=aligned: it is then taken for a text, to spare quoting
// quotes.
static bool is_bare_word(const char *value) {
  static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  if (strcmp(value, "true") == 0 || strcmp(value, "false") == 0) return false;
  const bool path = value[0] == '/' || strncmp(value, "./", 2) == 0 || strncmp(value, "../", 3) == 0;
  if (!path && (!*value || !strchr(letters, *value))) return false;
  return value[strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./")] == 0;
}

stz_err stz_builder_apply_override(stz_config_builder *builder, const stz_override *override) {
  const char *option = override->option ? override->option : "--set";
  const char *equals = strchr(override->text, '=');
  field at = {.origin = {STZ_LAYER_OVERRIDE, option, 0}};
  stz_one_line(override->text, at.path, sizeof at.path);
  if (!equals || equals == override->text || equals - override->text >= (long)sizeof at.path) {
    return stz_fail(STZ_EINPUT, "%s: got `%s`, needs path=value", option, at.path);
  }
  snprintf(at.path, sizeof at.path, "%.*s", (int)(equals - override->text), override->text);
  const char *quote = is_bare_word(equals + 1) ? "\"" : "";
  char *text = NULL, name[STZ_TEXT_SIZE + 32];
  const size_t size = strlen(equals) + 16;
  STZ_TRY(STZ_NEW(text, size));
  snprintf(text, size, "value = %s%s%s\n;", quote, equals + 1, quote);
  snprintf(name, sizeof name, "%s: %s", option, at.path);
  config_t tree;
  stz_err err = stz_tree_parse(name, text, &tree);
  if (err == STZ_OK && config_setting_length(config_root_setting(&tree)) != 1) err = STZ_EINPUT;
  if (err == STZ_EINPUT) {
    char got[80];
    stz_one_line(equals + 1, got, sizeof got);
    err = stz_fail(err, "%s: %s: got `%s`, needs a value as in an input file", option, at.path, got);
  }
  at.setting = config_lookup(&tree, "value");
  if (err == STZ_OK) err = apply(builder, &at);
  config_destroy(&tree);
  stz_free(text);
  return err;
}

stz_err stz_builder_create(const char *input_name, stz_config_builder *builder) {
  *builder = (stz_config_builder){.input_name = input_name};
  stz_err err;
  STZ_TRY_TO(failed, err, STZ_NEW(builder->config, 1));
  STZ_TRY_TO(failed, err, STZ_NEW(builder->origins, stz_schema_count));
  STZ_TRY_TO(failed, err, set_defaults(builder, -1));
  return STZ_OK;
failed:
  stz_builder_clear(builder);
  return err;
}

static stz_err copy_levels(const stz_strain_levels *from, stz_strain_levels *copy) {
  if (from->count == 0) return STZ_OK;
  STZ_TRY(STZ_NEW(copy->values, from->count));
  memcpy(copy->values, from->values, (size_t)from->count * sizeof *from->values);
  copy->count = from->count;
  return STZ_OK;
}

static stz_err copy_all(const stz_config_builder *from, stz_config_builder *copy) {
  const stz_config *config = from->config;
  const size_t segments = (size_t)config->segments, origins = (segments + 1) * (size_t)stz_schema_count;
  STZ_TRY(STZ_NEW(copy->config, 1));
  stz_config *c = copy->config;
  *c = *config;
  c->protocol = NULL;
  c->nbed_strains = c->snapshot_strains = c->statistics_strains = (stz_strain_levels){.values = NULL};
  STZ_TRY(copy_levels(&config->nbed_strains, &c->nbed_strains));
  STZ_TRY(copy_levels(&config->snapshot_strains, &c->snapshot_strains));
  STZ_TRY(copy_levels(&config->statistics_strains, &c->statistics_strains));
  if (segments > 0) {
    STZ_TRY(STZ_NEW(c->protocol, segments));
    memcpy(c->protocol, config->protocol, segments * sizeof *c->protocol);
  }
  STZ_TRY(STZ_NEW(copy->origins, origins));
  memcpy(copy->origins, from->origins, origins * sizeof *copy->origins);
  return STZ_OK;
}

stz_err stz_builder_copy(const stz_config_builder *from, stz_config_builder *copy) {
  *copy = (stz_config_builder){.input_name = from->input_name};
  const stz_err err = copy_all(from, copy);
  if (err != STZ_OK) stz_builder_clear(copy);
  return err;
}

void stz_builder_clear(stz_config_builder *builder) {
  stz_config_destroy(&builder->config);
  stz_free(builder->origins);
  builder->origins = NULL;
}
