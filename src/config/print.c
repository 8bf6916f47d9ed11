// SPDX-License-Identifier: GPL-3.0-or-later
//
// The resolved input and the reference page.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/builder.h"

static void print_double(double value, FILE *out) {
  char number[32];
  stz_format_double(value, true, number);
  fputs(number, out);
}

static void print_quoted(const char *text, FILE *out) {
  fputc('"', out);
  for (; *text; text++) {
    if (*text == '"' || *text == '\\') fputc('\\', out);
    fputc(*text, out);
  }
  fputc('"', out);
}

static void print_list(const stz_key *key, const stz_list *list, FILE *out) {
  fputs("[", out);
  for (int i = 0; i < list->count; i++) {
    char name[STZ_TEXT_SIZE];
    if (i > 0) fputs(", ", out);
    if (key->names) {
      stz_key_name_at(key, (int)list->value[i], name, sizeof name);
      print_quoted(name, out);
    } else {
      print_double(list->value[i], out);
    }
  }
  fputs("]", out);
}

void stz_builder_print_value(const stz_config_builder *builder, const stz_key *key, int segment, FILE *out) {
  const void *value = stz_builder_value(builder, key, segment);
  const stz_strain_levels *levels = value;
  char name[STZ_TEXT_SIZE];
  switch (key->type) {
  case STZ_KEY_FLOAT:
    print_double(*(const double *)value, out);
    break;
  case STZ_KEY_INT:
    fprintf(out, "%d", *(const int *)value);
    break;
  case STZ_KEY_INT64:
    fprintf(out, "%" PRIu64 "L", *(const uint64_t *)value);
    break;
  case STZ_KEY_BOOL:
    fputs(*(const bool *)value ? "true" : "false", out);
    break;
  case STZ_KEY_NAME:
    stz_key_name_at(key, *(const int *)value, name, sizeof name);
    print_quoted(name, out);
    break;
  case STZ_KEY_TEXT:
    print_quoted(value, out);
    break;
  case STZ_KEY_CELLS:
    fprintf(out, "[%d, %d, %d]", ((const int *)value)[0], ((const int *)value)[1], ((const int *)value)[2]);
    break;
  case STZ_KEY_LEVELS:
    fputs("[", out);
    for (int i = 0; i < levels->count; i++) {
      if (i > 0) fputs(", ", out);
      print_double(levels->values[i], out);
    }
    fputs("]", out);
    break;
  case STZ_KEY_AXES:
    fputs("[", out);
    for (int i = 0; i < 6 * ((const stz_catalogue *)value)->count; i++) {
      if (i > 0) fputs(", ", out);
      print_double(((const stz_catalogue *)value)->axes[i / 6][i % 6], out);
    }
    fputs("]", out);
    break;
  case STZ_KEY_LIST:
    print_list(key, value, out);
    break;
  }
}

static void print_origin(const stz_origin *origin, FILE *out) {
  static const char *const layers[] = {"", "default", "model", "input", "modes", ""};
  fputs(origin->layer == STZ_LAYER_OVERRIDE ? origin->file : layers[origin->layer], out);
}

// "    key = value;   # unit, origin" for each key of the group that has a value.
static void print_keys(const stz_config_builder *builder, const stz_key_group *group, int segment, FILE *out) {
  for (const stz_key *key = stz_schema; key < stz_schema + stz_schema_count; key++) {
    if (!stz_key_in_group(key, group) || !stz_builder_is_set(builder, key, segment)) continue;
    fprintf(out, "%s%s = ", segment < 0 ? "  " : "    ", stz_key_name(key));
    stz_builder_print_value(builder, key, segment, out);
    fputs("; # ", out);
    if (key->unit[0] && strcmp(key->unit, "1") != 0) fprintf(out, "%s, ", key->unit);
    print_origin(stz_builder_origin(builder, key, segment), out);
    fputc('\n', out);
  }
}

#define SEGMENT "  { # segment "

static void print_protocol(const stz_config_builder *builder, const stz_key_group *group, FILE *out) {
  fputs("protocol: (\n", out);
  for (int i = 0; i < builder->config->segments; i++) {
    fprintf(out, SEGMENT "%d\n", i);
    print_keys(builder, group, i, out);
    fprintf(out, "  }%s\n", i + 1 < builder->config->segments ? "," : "");
  }
  fputs(");\n", out);
}

void stz_builder_print(const stz_config_builder *builder, FILE *out) {
  char model[STZ_TEXT_SIZE];
  stz_one_line(builder->config->model, model, sizeof model);
  if (model[0]) fprintf(out, "# model: %s (its values are written out below)\n", model);
  for (const stz_key_group *group = stz_key_groups; group < stz_key_groups + stz_key_group_count; group++) {
    if (!group->name[0]) continue;
    if (strcmp(group->name, "protocol[]") == 0) {
      print_protocol(builder, group, out);
    } else {
      fprintf(out, "%s: {\n", group->name);
      print_keys(builder, group, -1, out);
      fputs("};\n", out);
    }
  }
}

void stz_config_group_at(const char *resolved, const char *at, char group[STZ_GROUP_SIZE]) {
  group[0] = 0;
  for (const char *line = resolved; *line && line < at; line += strcspn(line, "\n"), line += *line == '\n') {
    const int name = (int)strspn(line, "abcdefghijklmnopqrstuvwxyz_");
    const bool segment = strncmp(line, SEGMENT, sizeof SEGMENT - 1) == 0;
    if (name > 0 && line[name] == ':') snprintf(group, STZ_GROUP_SIZE, "%.*s.", name, line);
    if (segment) snprintf(group, STZ_GROUP_SIZE, "protocol[%d].", atoi(line + sizeof SEGMENT - 1));
    if (*line == '}' || *line == ')') group[0] = 0;
  }
}

static const char introduction[] =
    "# The input file\n\n"
    "This page is printed by `stzkmc check --reference` from the table that the parser itself uses.\n\n"
    "An input is a [libconfig](https://hyperrealm.github.io/libconfig/) file: groups of `key = value;`, comments "
    "behind "
    "`#`. Only `lattice.cells` and `protocol` must be given. Later sources win: defaults, model, input, `--set "
    "path=value`. Unknown keys are errors. An integer is taken where a number is asked for, not the other way round; "
    "one number with a point in `[...]` makes all of them such. A group has at most 1000 keys. `@include` is not "
    "supported.\n\n"
    "`stzkmc check INPUT.cfg` prints the input with every default filled in. Units are part of the keys' names. A "
    "stress that a load imposes is at most a fifth of `young_GPa`; temperatures below 77 K and strains beyond 20 % are "
    "taken, with a note.\n\n"
    "`model` and `stz.modes` name a file, whatever folder the input or the program lies in. The program looks for "
    "`NAME` "
    "in this order and takes the first file that exists:\n\n"
    "1. beside the input: as a path from the input's folder, then as `NAME.cfg`, unless that is an input itself;\n"
    "2. as `NAME.cfg` in `models/` (shear modes: `models/modes/`) in the input's folder, then in each folder above;\n"
    "3. the same in each folder of `$STZKMC_MODELS`, a list with colons of folders that stand for `models/`;\n"
    "4. in the models of the program itself: `models/` of its sources, as long as it lies in its build tree, then "
    "`share/stzkmc/models` where it is installed.\n\n"
    "`NAME` may end in `.cfg`. A sweep's `input` is a path from the sweep file.\n";

static void print_type(const stz_key *key, FILE *out) {
  char range[64] = "", name[STZ_TEXT_SIZE];
  static const char *const types[] = {
      [STZ_KEY_FLOAT] = "number",
      [STZ_KEY_INT] = "integer",
      [STZ_KEY_INT64] = "integer",
      [STZ_KEY_BOOL] = "`true` or `false`",
      [STZ_KEY_NAME] = "",
      [STZ_KEY_TEXT] = "text",
      [STZ_KEY_CELLS] = "three integers, each",
      [STZ_KEY_LEVELS] = "list of numbers, each",
      [STZ_KEY_AXES] = "six numbers per mode, at most 15 modes",
      [STZ_KEY_LIST] = "",
  };
  fputs(types[key->type], out);
  if (key->type == STZ_KEY_LIST) {
    char needs[STZ_TEXT_SIZE];
    stz_key_needs(key, needs, sizeof needs);
    fputs(needs, out);
  } else if (key->type == STZ_KEY_NAME) {
    for (int i = 0; stz_key_name_at(key, i, name, sizeof name), name[0]; i++) {
      fprintf(out, "%s`\"%s\"`", i > 0 ? ", " : "", name);
    }
  } else if (key->type != STZ_KEY_BOOL && key->type != STZ_KEY_TEXT && key->type != STZ_KEY_AXES) {
    stz_key_range(key, range, sizeof range);
    fprintf(out, "%s%s", range[0] ? " " : "", range);
  }
}

// The types of segment that have a key, those that need it in bold.
static void print_users(const stz_key *key, FILE *out) {
  int index;
  char name[STZ_TEXT_SIZE];
  const stz_key *type_key = stz_schema_find("protocol[0].type", &index);
  const char *joint = "";
  for (int i = 0; stz_key_name_at(type_key, i, name, sizeof name), name[0]; i++) {
    if (!(key->used_by >> i & 1u)) continue;
    const char *mark = key->needed_by >> i & 1u ? "**" : "";
    fprintf(out, "%s%s%s%s", joint, mark, name, mark);
    joint = ", ";
  }
}

// The values of another key with which alone a key may be given, and must be.
static void print_only_with(const stz_key *key, FILE *out) {
  if (!key->only_with) return;
  const char *equals = strchr(key->only_with, '=');
  const stz_key allowed = {.type = STZ_KEY_NAME, .names = equals + 1};
  char names[STZ_TEXT_SIZE];
  stz_key_needs(&allowed, names, sizeof names);
  fprintf(out, ". Only with `%.*s` = %s, and then > 0", (int)(equals - key->only_with), key->only_with, names);
}

void stz_config_reference(FILE *out) {
  fputs(introduction, out);
  for (const stz_key_group *group = stz_key_groups; group < stz_key_groups + stz_key_group_count; group++) {
    const bool segment = strcmp(group->name, "protocol[]") == 0;
    if (group->name[0]) {
      fprintf(out, "\n## `%s`\n\n%s.%s\n", segment ? "protocol" : group->name, group->title,
              group->in_model ? " A model may set it." : "");
    } else {
      fputs("\n## Outside groups\n", out);
    }
    if (segment) {
      fputs("\nEach segment but `unload` and `cyclic`, which end by themselves, needs at least one end (`duration_s`, "
            "`until_strain`, `until_stress_GPa`) and ends at the first that is met. A type in bold must "
            "have the key, another that is listed may have it, and one that is not must leave it out.\n",
            out);
    }
    fprintf(out, "\n| key | value | unit | default | %smeaning |\n|---|---|---|---|%s---|\n", segment ? "types | " : "",
            segment ? "---|" : "");
    for (const stz_key *key = stz_schema; key < stz_schema + stz_schema_count; key++) {
      if (!stz_key_in_group(key, group)) continue;
      fprintf(out, "| `%s` | ", stz_key_name(key));
      print_type(key, out);
      fprintf(out, " | %s | %s%s%s | ", key->unit, key->fallback ? "`" : "", key->fallback ? key->fallback : "none",
              key->fallback ? "`" : "");
      if (segment) print_users(key, out);
      fprintf(out, "%s%s", segment ? " | " : "", key->description);
      print_only_with(key, out);
      fputs(" |\n", out);
    }
  }
}
