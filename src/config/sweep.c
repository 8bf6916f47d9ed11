// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/sweep.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/comm.h"
#include "base/memory.h"
#include "base/text.h"
#include "config/schema.h"
#include "config/setting.h"
#include "config/source.h"

static const char *const FILE_KEYS[] = {"input", "set", "axes", "design", "points", "replicas", "seed", "seeds", NULL};
static const char *const AXIS_KEYS[] = {"key", "values", "from", "to", "count", "scale", "zip", "name", NULL};

// Names that the readers of a sweep need for themselves (stzpost/io/sweep.py, RESERVED: a test holds the two together):
// dimensions, fields of the manifest, numbers of each run, and the columns from which these are derived.
static const char *const RESERVED[] = {"run",
                                       "point",
                                       "replica",
                                       "row",
                                       "component",
                                       "seed",
                                       "state",
                                       "attempts",
                                       "wall_s",
                                       "rows",
                                       "state_hash",
                                       "peak_stress_GPa",
                                       "message",
                                       "file",
                                       "utc",
                                       "ranks",
                                       "host",
                                       "git",
                                       "input_hash",
                                       "estimate_s",
                                       "index",
                                       "parameters",
                                       "yield_stress_GPa",
                                       "yield_strain",
                                       "flow_stress_GPa",
                                       "overshoot",
                                       "localisation",
                                       "segment",
                                       "strain_axial",
                                       "stress_axial_GPa",
                                       NULL};

static bool is_reserved(const char *name) {
  const size_t length = strlen(name), suffix = strlen("_history");
  for (int i = 0; RESERVED[i]; i++) {
    if (strcmp(name, RESERVED[i]) == 0) return true;
  }
  // "final_" begins the last values of the histories, "_history" ends a column that is called like an axis
  return strncmp(name, "final_", strlen("final_")) == 0 ||
         (length >= suffix && strcmp(name + length - suffix, "_history") == 0);
}

// Where in the file a message points: a setting and what it is called.
typedef struct place {
  const stz_sweep_spec *spec;
  const config_setting_t *setting;
  char name[STZ_TEXT_SIZE];
} place;

static int line_of(const place *at) {
  const int line = (int)config_setting_source_line(at->setting);
  return line > 0 ? line : 1; // the file itself has none
}

static stz_err refuse(const place *at, const char *got, const char *needs) {
  return stz_fail(STZ_EINPUT, "%s:%d: %s: got %s, needs %s", at->spec->path, line_of(at), at->name, got, needs);
}

static stz_err refuse_setting(const place *at, const char *needs) {
  char got[80];
  stz_setting_show(at->setting, got);
  return refuse(at, got, needs);
}

// The member `key` of a group; its setting is NULL if there is none, for which `line` is then the group's.
static place member(const place *group, const char *key) {
  place at = {.spec = group->spec, .setting = config_setting_get_member(group->setting, key)};
  snprintf(at.name, sizeof at.name, "%.200s%s%.40s", group->name, group->name[0] ? "." : "", key);
  return at;
}

static stz_err refuse_missing(const place *group, const char *key, const char *needs) {
  place at = member(group, key);
  at.setting = group->setting;
  return refuse(&at, "nothing", needs);
}

static stz_err check_known(const place *group, const char *const *known) {
  const int length = config_setting_length(group->setting);
  for (int i = 0; i < length; i++) {
    const config_setting_t *setting = config_setting_get_elem(group->setting, (unsigned)i);
    const char *name = config_setting_name(setting);
    int k = 0;
    while (known[k] && strcmp(known[k], name) != 0) k++;
    if (known[k]) continue;
    char all[STZ_TEXT_SIZE] = "", shown[80];
    for (k = 0; known[k]; k++) {
      snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s",
               k == 0         ? ""
               : known[k + 1] ? ", "
                              : " or ",
               known[k]);
    }
    stz_one_line(name, shown, sizeof shown);
    place at = {.spec = group->spec, .setting = setting};
    snprintf(at.name, sizeof at.name, "%.150s%s%s", group->name, group->name[0] ? "." : "", shown);
    return stz_fail(STZ_EINPUT, "%s:%d: %s: unknown key, needs %s", at.spec->path, line_of(&at), at.name, all);
  }
  return STZ_OK;
}

// An integer from `least` to `most`; *value stays as it is where there is none.
static stz_err get_integer(const place *group, const char *key, long long least, long long most, long long *value) {
  const place at = member(group, key);
  char needs[80];
  if (!at.setting) return STZ_OK;
  if (most == LLONG_MAX) {
    snprintf(needs, sizeof needs, "an integer >= %lld", least);
  } else {
    snprintf(needs, sizeof needs, "an integer from %lld to %lld", least, most);
  }
  long long found;
  if (!stz_setting_integer(at.setting, &found) || found < least || found > most) return refuse_setting(&at, needs);
  *value = found;
  return STZ_OK;
}

// A text of at most `size` - 1 characters; *text stays as it is where there is none.
static stz_err get_text(const place *group, const char *key, char *text, size_t size) {
  const place at = member(group, key);
  if (!at.setting) return STZ_OK;
  const char *found = config_setting_get_string(at.setting);
  if (!found || !found[0] || strlen(found) >= size) {
    char needs[80];
    snprintf(needs, sizeof needs, "a text in quotes of less than %zu characters", size);
    return refuse_setting(&at, needs);
  }
  snprintf(text, size, "%s", found);
  return STZ_OK;
}

// One of two or three words, by its place among them.
static stz_err get_word(const place *group, const char *key, const char *const words[], const char *needs, int *word) {
  const place at = member(group, key);
  if (!at.setting) return STZ_OK;
  const char *found = config_setting_get_string(at.setting);
  for (int i = 0; found && words[i]; i++) {
    if (strcmp(found, words[i]) == 0) {
      *word = i;
      return STZ_OK;
    }
  }
  return refuse_setting(&at, needs);
}

static stz_err copy_text(const char *from, char **text) {
  STZ_TRY(STZ_NEW(*text, strlen(from) + 1));
  memcpy(*text, from, strlen(from));
  return STZ_OK;
}

// A setting as an input would have it: false for what is no value of a key.
static bool print_value(const config_setting_t *setting, FILE *out) {
  long long integer;
  char text[80];
  if (stz_setting_integer(setting, &integer)) {
    fprintf(out, "%lld%s", integer, integer < INT_MIN || integer > INT_MAX ? "L" : "");
    return true;
  }
  switch (config_setting_type(setting)) {
  case CONFIG_TYPE_FLOAT:
    stz_format_double(config_setting_get_float(setting), true, text);
    fputs(text, out);
    return true;
  case CONFIG_TYPE_BOOL:
    fputs(config_setting_get_bool(setting) ? "true" : "false", out);
    return true;
  case CONFIG_TYPE_STRING:
    fputc('"', out);
    for (const char *c = config_setting_get_string(setting); *c; c++) {
      if (*c == '"' || *c == '\\') fputc('\\', out);
      fputc(*c, out);
    }
    fputc('"', out);
    return true;
  case CONFIG_TYPE_ARRAY:
    fputc('[', out);
    for (int i = 0; i < config_setting_length(setting); i++) {
      if (i > 0) fputs(", ", out);
      if (!print_value(config_setting_get_elem(setting, (unsigned)i), out)) return false;
    }
    fputc(']', out);
    return true;
  default:
    return false;
  }
}

static stz_err get_value(const place *at, char **text) {
  stz_text *printed;
  FILE *out;
  STZ_TRY(stz_text_begin(&printed, &out));
  const bool good = print_value(at->setting, out);
  return stz_text_end(&printed, good ? STZ_OK : refuse_setting(at, "a number, a text, true, false or an array of them"),
                      text);
}

static stz_err get_values(const place *at, stz_axis *axis) {
  static const char needs[] = "an array [ ... ] or list ( ... ) of at least one value";
  const int length = config_setting_is_aggregate(at->setting) ? config_setting_length(at->setting) : 0;
  if (length < 1 || config_setting_is_group(at->setting)) return refuse_setting(at, needs);
  STZ_TRY(STZ_NEW(axis->values, length));
  for (int i = 0; i < length; i++) {
    place element = {.spec = at->spec, .setting = config_setting_get_elem(at->setting, (unsigned)i)};
    snprintf(element.name, sizeof element.name, "%.200s[%d]", at->name, i);
    axis->count = i + 1;
    STZ_TRY(get_value(&element, &axis->values[i]));
  }
  return STZ_OK;
}

static stz_err get_end(const place *group, const char *key, double *end) {
  const place at = member(group, key);
  if (!at.setting) return refuse_missing(group, key, "a number, or `values` instead of a range");
  return stz_setting_number(at.setting, end) ? STZ_OK : refuse_setting(&at, "a number");
}

static stz_err get_range(const place *group, stz_axis *axis) {
  static const char *const scales[] = {"linear", "log", NULL};
  long long count = 0;
  int scale = 0;
  STZ_TRY(get_end(group, "from", &axis->from));
  STZ_TRY(get_end(group, "to", &axis->to));
  STZ_TRY(get_word(group, "scale", scales, "\"linear\" or \"log\"", &scale));
  axis->logarithmic = scale == 1;
  const char *wrong = !(axis->from > 0.0) ? "from" : !(axis->to > 0.0) ? "to" : NULL;
  if (axis->logarithmic && wrong) {
    const place at = member(group, wrong);
    return refuse_setting(&at, "a number > 0, as the scale is \"log\"");
  }
  STZ_TRY(get_integer(group, "count", 2, STZ_SWEEP_RUNS, &count));
  const place at = member(group, "count");
  const bool grid = group->spec->design == STZ_DESIGN_GRID;
  if (grid && !at.setting) return refuse_missing(group, "count", "the number of values in the range");
  if (!grid && at.setting) return refuse_setting(&at, "none: `points` says how many a sampled design has");
  axis->count = (int)count;
  return STZ_OK;
}

// A name that all readers take: of a coordinate, or of a dimension.
static stz_err check_name(const place *at, const char *name) {
  char got[80];
  snprintf(got, sizeof got, "\"%s\"", name);
  bool good = isalpha((unsigned char)name[0]) != 0;
  for (const char *c = name; *c; c++) good = good && (isalnum((unsigned char)*c) || *c == '_');
  if (!good) return refuse_setting(at, "a name of letters, digits and _");
  if (is_reserved(name)) return refuse(at, got, "another name (`name` gives it): the sweep has one of its own");
  return STZ_OK;
}

// The name of the coordinate: given, or the last part of the key; and that of the group.
static stz_err get_names(const place *group, stz_axis *axis) {
  const char *last = strrchr(axis->key, '.');
  snprintf(axis->name, sizeof axis->name, "%.63s", last ? last + 1 : axis->key);
  STZ_TRY(get_text(group, "name", axis->name, sizeof axis->name));
  STZ_TRY(get_text(group, "zip", axis->zip, sizeof axis->zip));
  place at = member(group, "name");
  const place zip = member(group, "zip");
  if (!at.setting) at.setting = group->setting;
  STZ_TRY(check_name(&at, axis->name));
  return zip.setting ? check_name(&zip, axis->zip) : STZ_OK;
}

static stz_err get_key(const place *group, stz_axis *axis) {
  const place at = member(group, "key");
  if (!at.setting) return refuse_missing(group, "key", "a key of the input, as \"barriers.width_eV\"");
  STZ_TRY(get_text(group, "key", axis->key, sizeof axis->key));
  int segment;
  const stz_key *key = stz_schema_find(axis->key, &segment);
  char nearest[STZ_TEXT_SIZE], shown[100], needs[STZ_TEXT_SIZE + 80];
  if (!key) {
    stz_one_line(axis->key, shown, sizeof shown);
    stz_schema_nearest(axis->key, nearest, sizeof nearest);
    return stz_fail(STZ_EINPUT, "%s:%d: %s: got \"%s\", which is no key of the input%s%s", at.spec->path, line_of(&at),
                    at.name, shown, nearest[0] ? "; the nearest is " : "", nearest);
  }
  snprintf(needs, sizeof needs, "another key: `seed` and `replicas` of the sweep give each run its seed");
  if (strcmp(axis->key, "run.seed") == 0) return refuse_setting(&at, needs);
  axis->unit = key->unit;
  axis->description = key->description;
  return STZ_OK;
}

static stz_err get_axis(const place *group, stz_axis *axis) {
  if (!config_setting_is_group(group->setting)) return refuse_setting(group, "a group { key = ...; values = ...; }");
  STZ_TRY(check_known(group, AXIS_KEYS));
  axis->line = line_of(group);
  STZ_TRY(get_key(group, axis));
  STZ_TRY(get_names(group, axis));
  const place values = member(group, "values");
  if (!values.setting) return get_range(group, axis);
  for (int k = 2; k < 6; k++) { // from, to, count, scale
    const place range = member(group, AXIS_KEYS[k]);
    if (range.setting) return refuse_setting(&range, "none beside `values`");
  }
  return get_values(&values, axis);
}

// What no axis can tell alone: names and keys are distinct, axes of a zipped group equally long.
static stz_err check_axes(const place *list, const stz_sweep_spec *spec) {
  for (int i = 0; i < spec->axis_count; i++) {
    const stz_axis *a = &spec->axes[i];
    place at = {.spec = spec, .setting = config_setting_get_elem(list->setting, (unsigned)i)};
    for (int j = 0; j < i; j++) {
      const stz_axis *b = &spec->axes[j];
      char got[160];
      snprintf(at.name, sizeof at.name, "axes[%d].key", i);
      snprintf(got, sizeof got, "\"%.120s\" again", a->key);
      if (strcmp(a->key, b->key) == 0) return refuse(&at, got, "a key that no other axis has");
      snprintf(at.name, sizeof at.name, "axes[%d].name", i);
      snprintf(got, sizeof got, "\"%s\" again", a->name);
      if (strcmp(a->name, b->name) == 0 || strcmp(a->name, b->zip) == 0 || strcmp(a->zip, b->name) == 0) {
        return refuse(&at, got, "a name that no other axis or zipped group has");
      }
      if (!a->zip[0] || strcmp(a->zip, b->zip) != 0) continue;
      snprintf(at.name, sizeof at.name, "axes[%d].zip", i);
      snprintf(got, sizeof got, "%d values beside the %d of axes[%d]", a->count, b->count, j);
      if (a->count != b->count) return refuse(&at, got, "as many as all axes of \"zip\" have");
    }
  }
  return STZ_OK;
}

static stz_err get_axes(const place *root, stz_sweep_spec *spec) {
  place at = member(root, "axes");
  if (!at.setting) return STZ_OK; // replicas of one input
  const int length = config_setting_is_list(at.setting) ? config_setting_length(at.setting) : -1;
  if (length < 0 || length > STZ_SWEEP_AXES) return refuse_setting(&at, "a list of at most 16 axes ( { ... }, ... )");
  for (int i = 0; i < length; i++) {
    place group = {.spec = spec, .setting = config_setting_get_elem(at.setting, (unsigned)i)};
    snprintf(group.name, sizeof group.name, "axes[%d]", i);
    spec->axis_count = i + 1;
    STZ_TRY(get_axis(&group, &spec->axes[i]));
  }
  return check_axes(&at, spec);
}

static stz_err get_settings(const place *root, stz_sweep_spec *spec) {
  const place at = member(root, "set");
  if (!at.setting) return STZ_OK;
  const int length = config_setting_is_aggregate(at.setting) ? config_setting_length(at.setting) : -1;
  if (length < 0 || config_setting_is_group(at.setting)) return refuse_setting(&at, "an array [ \"path=value\", ... ]");
  STZ_TRY(STZ_NEW(spec->set, length));
  for (int i = 0; i < length; i++) {
    place element = {.spec = spec, .setting = config_setting_get_elem(at.setting, (unsigned)i)};
    snprintf(element.name, sizeof element.name, "set[%d]", i);
    const char *text = config_setting_get_string(element.setting);
    if (!text) return refuse_setting(&element, "a text \"path=value\"");
    spec->set[i].line = line_of(&element);
    spec->sets = i + 1;
    STZ_TRY(copy_text(text, &spec->set[i].text));
  }
  return STZ_OK;
}

// The base input, from the folder of the sweep file.
static stz_err get_input(const place *root, stz_sweep_spec *spec) {
  char input[STZ_TEXT_SIZE] = "";
  STZ_TRY(get_text(root, "input", input, sizeof input));
  if (!input[0]) return refuse_missing(root, "input", "the base input, a path from here");
  const char *slash = strrchr(spec->path, '/');
  const int folder = slash && input[0] != '/' ? (int)(slash - spec->path) + 1 : 0;
  const size_t size = (size_t)folder + strlen(input) + 1;
  const place at = member(root, "input");
  spec->input_line = line_of(&at);
  STZ_TRY(STZ_NEW(spec->input, size));
  snprintf(spec->input, size, "%.*s%s", folder, spec->path, input);
  return STZ_OK;
}

// Seeds of the replicas, all different: the same seed twice would be the same run twice.
static stz_err get_seed_list(const place *at, stz_sweep_spec *spec) {
  const int length = config_setting_length(at->setting);
  if (length < 1 || length > 10000) return refuse_setting(at, "an array of 1 to 10000 seeds");
  STZ_TRY(STZ_NEW(spec->listed, length));
  for (int i = 0; i < length; i++) {
    place element = {.spec = spec, .setting = config_setting_get_elem(at->setting, (unsigned)i)};
    snprintf(element.name, sizeof element.name, "%.40s[%d]", at->name, i);
    long long seed;
    if (!stz_setting_integer(element.setting, &seed) || seed < 0 || seed > STZ_SWEEP_SEED_MOST) {
      return refuse_setting(&element, "an integer >= 0 and below 2^53");
    }
    spec->listed[i] = (uint64_t)seed;
    for (int j = 0; j < i; j++) {
      if (spec->listed[j] == spec->listed[i]) return refuse_setting(&element, "a seed that is not listed before");
    }
  }
  spec->seeds = STZ_SEEDS_LISTED;
  spec->replicas = length;
  return STZ_OK;
}

// Which seeds the runs have, and how many runs a point has.
static stz_err get_seeds(const place *root, stz_sweep_spec *spec) {
  static const char *const words[] = {"independent", "common", "consecutive", NULL};
  const place at = member(root, "seeds"), count = member(root, "replicas");
  const bool listed = at.setting && (config_setting_is_array(at.setting) || config_setting_is_list(at.setting));
  long long replicas = 1, seed = 1;
  int word = STZ_SEEDS_INDEPENDENT;
  if (listed && count.setting) return refuse_setting(&count, "none beside a list of seeds, which has one for each");
  if (!listed)
    STZ_TRY(get_word(root, "seeds", words, "\"independent\", \"common\", \"consecutive\" or an array of seeds", &word));
  STZ_TRY(get_integer(root, "replicas", 1, STZ_SWEEP_RUNS, &replicas));
  const long long most = word == STZ_SEEDS_CONSECUTIVE ? STZ_SWEEP_SEED_MOST - STZ_SWEEP_RUNS : LLONG_MAX;
  STZ_TRY(get_integer(root, "seed", 0, most, &seed));
  spec->seeds = (stz_sweep_seeds)word;
  spec->replicas = (int)replicas;
  spec->seed = (uint64_t)seed;
  return listed ? get_seed_list(&at, spec) : STZ_OK;
}

static stz_err get_design(const place *root, stz_sweep_spec *spec) {
  static const char *const designs[] = {"grid", "latin-hypercube", "sobol", NULL};
  int design = 0;
  long long points = 0;
  STZ_TRY(get_word(root, "design", designs, "\"grid\", \"latin-hypercube\" or \"sobol\"", &design));
  STZ_TRY(get_integer(root, "points", 1, STZ_SWEEP_RUNS, &points));
  const place at = member(root, "points");
  if (design == STZ_DESIGN_GRID && at.setting) return refuse_setting(&at, "none in a grid");
  if (design != STZ_DESIGN_GRID && !at.setting) return refuse_missing(root, "points", "the number of points");
  spec->design = (stz_sweep_design)design;
  spec->points = (int)points;
  return STZ_OK;
}

// A file for other commands.
static stz_err refuse_input(const stz_source *source, config_t *tree) {
  if (!config_lookup(tree, "protocol") && !config_lookup(tree, "lattice")) return STZ_OK;
  return stz_fail(STZ_EINPUT, "%s: got an input, needs a sweep file; inputs are run by `stzkmc run`", source->name);
}

static stz_err parse(const stz_source *source, stz_sweep_spec *spec) {
  config_t tree;
  stz_err err = stz_tree_parse(source->name, source->text, &tree);
  const place root = {.spec = spec, .setting = config_root_setting(&tree)};
  if (err == STZ_OK) err = copy_text(source->name, &spec->path);
  if (err == STZ_OK) err = refuse_input(source, &tree);
  if (err == STZ_OK) err = check_known(&root, FILE_KEYS);
  if (err == STZ_OK) err = get_input(&root, spec);
  if (err == STZ_OK) err = get_design(&root, spec);
  if (err == STZ_OK) err = get_seeds(&root, spec);
  if (err == STZ_OK) err = get_settings(&root, spec);
  if (err == STZ_OK) err = get_axes(&root, spec);
  config_destroy(&tree);
  return err;
}

stz_err stz_sweep_spec_read(MPI_Comm comm, const char *path, stz_sweep_spec **spec) {
  stz_source source = {.text = NULL};
  stz_sweep_spec *s = NULL;
  *spec = NULL;
  stz_err err;
  STZ_TRY_TO(done, err, stz_source_read(comm, path, &source));
  STZ_TRY_TO(done, err, stz_agree(comm, STZ_NEW(s, 1)));
  STZ_TRY_TO(done, err, stz_agree(comm, parse(&source, s)));
  *spec = s;
  s = NULL;
done:
  stz_sweep_spec_destroy(&s);
  stz_source_clear(&source);
  return err;
}

void stz_sweep_spec_destroy(stz_sweep_spec **spec) {
  stz_sweep_spec *s = *spec;
  if (!s) return;
  for (int i = 0; i < s->axis_count; i++) {
    for (int v = 0; s->axes[i].values && v < s->axes[i].count; v++) stz_free(s->axes[i].values[v]);
    stz_free(s->axes[i].values);
  }
  for (int i = 0; i < s->sets; i++) stz_free(s->set[i].text);
  stz_free(s->set);
  stz_free(s->listed);
  stz_free(s->path);
  stz_free(s->input);
  stz_free(s);
  *spec = NULL;
}
