// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/config.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/comm.h"
#include "base/fnv.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/utf8.h"
#include "config/builder.h"
#include "config/find.h"
#include "config/limits.h"
#include "config/violation.h"

// A file that the input names by a key, as it was read.
typedef struct named {
  const char *key; // "model", "stz.modes"
  char name[STZ_TEXT_SIZE];
  stz_source source; // its text is NULL for a field, whose content is hashed alone
  uint64_t hash;
  struct named *next;
} named;

// What a model (NULL: none) and the input say, before the overrides and the checks between keys.
typedef struct base {
  const stz_source *model;
  stz_config_builder builder; // its config is NULL until it is made
} base;

struct stz_template {
  stz_source input;
  named *files;
  base plain, modelled; // without a model, and with the last one
};

static stz_err make_base(const stz_source *input, const stz_source *model, base *made) {
  if (made->builder.config && made->model == model) return STZ_OK;
  stz_builder_clear(&made->builder);
  made->model = model;
  stz_err err = stz_builder_create(input->name, &made->builder);
  if (err == STZ_OK && model) err = stz_builder_apply_file(&made->builder, model, STZ_LAYER_MODEL);
  if (err == STZ_OK) err = stz_builder_apply_file(&made->builder, input, STZ_LAYER_INPUT);
  if (err != STZ_OK) stz_builder_clear(&made->builder);
  return err;
}

// Builds a builder from all layers but the checks between keys.
static stz_err build(stz_template *t, const stz_source *model, const stz_override *overrides, int count,
                     stz_config_builder *builder) {
  base *made = model ? &t->modelled : &t->plain;
  STZ_TRY(make_base(&t->input, model, made));
  STZ_TRY(stz_builder_copy(&made->builder, builder));
  for (int i = 0; i < count; i++) STZ_TRY(stz_builder_apply_override(builder, &overrides[i]));
  return STZ_OK;
}

// Finds and reads the file that a key of the builder names: a path, or a name in the folder `folder` of models/ ("":
// that itself). Collective.
static stz_err read_named(MPI_Comm comm, const stz_config_builder *builder, const char *key_path, const char *folder,
                          stz_source *source) {
  const int rank = stz_comm_rank(comm);
  int index;
  char path[STZ_PATH_SIZE] = "", place[STZ_PLACE_SIZE];
  const stz_key *key = stz_schema_find(key_path, &index);
  const stz_wanted wanted = {builder->input_name, folder, stz_builder_value(builder, key, -1)};
  stz_err err = STZ_OK;
  stz_key_place(builder, key, -1, place);
  if (rank == 0 && !stz_find(&wanted, path)) {
    char shown[80], looked[900];
    stz_one_line(wanted.name, shown, sizeof shown);
    stz_find_failure(&wanted, looked, sizeof looked);
    err = stz_fail(STZ_EINPUT, "%s: got \"%s\", needs a file beside the input or a name in models/%s; %s", place, shown,
                   folder, looked);
  }
  STZ_TRY(stz_agree(comm, err));
  stz_broadcast(comm, path, sizeof path);
  return stz_blame(place, stz_source_read(comm, path, source));
}

// The same file, from those read before or from the disk. Collective.
static stz_err find_named(MPI_Comm comm, stz_template *t, const stz_config_builder *builder, const char *key_path,
                          const char *folder, const stz_source **source) {
  int index;
  const char *name = stz_builder_value(builder, stz_schema_find(key_path, &index), -1);
  for (const named *n = t->files; n; n = n->next) {
    if (strcmp(n->key, key_path) == 0 && strcmp(n->name, name) == 0) {
      *source = &n->source;
      return STZ_OK;
    }
  }
  named *n = NULL;
  STZ_TRY(stz_agree(comm, STZ_NEW(n, 1)));
  n->key = key_path;
  snprintf(n->name, sizeof n->name, "%s", name);
  const stz_err err = read_named(comm, builder, key_path, folder, &n->source);
  if (err != STZ_OK) {
    stz_source_clear(&n->source);
    stz_free(n);
    return err;
  }
  n->next = t->files;
  t->files = n;
  *source = &n->source;
  return STZ_OK;
}

// Takes the shear modes from their file if there is one. Collective.
static stz_err read_modes(MPI_Comm comm, stz_template *t, stz_config_builder *builder, const stz_source **modes) {
  char *name = builder->config->modes;
  int index;
  if (strcmp(name, "icosahedral") == 0 || strcmp(name, "axes") == 0 || builder->config->stz.catalogue.count > 0) {
    return STZ_OK; // what does not go together is found with the other checks
  }
  STZ_TRY(find_named(comm, t, builder, "stz.modes", "modes/", modes));
  STZ_TRY(stz_agree(comm, stz_builder_apply_file(builder, *modes, STZ_LAYER_MODES)));
  snprintf(name, sizeof builder->config->modes, "axes");
  stz_builder_origin(builder, stz_schema_find("stz.modes", &index), -1)->layer = STZ_LAYER_MODES;
  return STZ_OK;
}

const char *stz_config_file_key(stz_given_field field) {
  static const char *const keys[] = {"microstructure.file", "barriers.damage_file", "barriers.rise_file"};
  return keys[field];
}

stz_lattice_params stz_config_structure_box(const stz_config *config) {
  static const double MOST = 1e6; // eights of layers
  stz_lattice_params box = config->lattice;
  if (box.boundary != STZ_BOUNDARY_FILM) return box;
  box.boundary = STZ_BOUNDARY_PERIODIC;
  box.cells[2] += 8 * (int)fmin(MOST, ceil(2.0 * config->micro.wavelength_nm / (8.0 * box.spacing_nm)));
  return box;
}

bool stz_config_reads(const stz_config *config, stz_given_field field) {
  if (field == STZ_GIVEN_MICRO) return config->micro.type == STZ_MICRO_FILE;
  if (field == STZ_GIVEN_DAMAGE) return config->barriers.damage.shape == STZ_DAMAGE_FILE;
  return config->given[field].file[0] != 0;
}

// The checksum of a file's content. One that cannot be opened, or that is no file (a pipe or a device may never end),
// is complained about by whoever reads it; but not so where memory was out here alone, or the disk failed here alone.
static stz_err hash_file(const char *path, uint64_t *hash) {
  struct stat status;
  unsigned char block[8192];
  *hash = STZ_FNV_OF_NOTHING;
  if (stat(path, &status) != 0 || !S_ISREG(status.st_mode)) return STZ_OK;
  FILE *file = fopen(path, "rb");
  if (!file) return errno == ENOMEM ? stz_fail(STZ_EINTERNAL, "%s: out of memory to read it", path) : STZ_OK;
  for (size_t length; (length = fread(block, 1, sizeof block, file)) > 0;) *hash = stz_fnv(*hash, block, length);
  const stz_err err = ferror(file) ? stz_fail(STZ_EIO, "%s: cannot be read: %s", path, strerror(errno)) : STZ_OK;
  fclose(file);
  return err;
}

// A field is read later, by io; here its content is hashed, once for each name. Collective.
static stz_err hash_field(MPI_Comm comm, stz_template *t, const char *path, uint64_t *hash) {
  static const char key[] = "a field";
  const int rank = stz_comm_rank(comm);
  for (const named *n = t->files; n; n = n->next) {
    if (n->key == key && strcmp(n->source.name, path) == 0) {
      *hash = n->hash;
      return STZ_OK;
    }
  }
  named *n = NULL;
  STZ_TRY(stz_agree(comm, STZ_NEW(n, 1)));
  n->key = key;
  snprintf(n->source.name, sizeof n->source.name, "%s", path);
  const stz_err err = stz_agree(comm, rank == 0 ? hash_file(path, &n->hash) : STZ_OK);
  if (err != STZ_OK) {
    stz_free(n);
    return err;
  }
  stz_broadcast(comm, &n->hash, sizeof n->hash);
  n->next = t->files;
  t->files = n;
  *hash = n->hash;
  return STZ_OK;
}

// A file that a configuration was made from.
typedef struct used {
  const char *key, *name, *path;
  uint64_t hash;
} used;
enum { NAMED = 2, MOST_USED = NAMED + STZ_GIVEN_FIELDS };

static void print_used(const used *files, FILE *out) {
  for (int i = 0; i < MOST_USED; i++) {
    char shown[STZ_TEXT_SIZE];
    if (!files[i].key) continue;
    snprintf(shown, sizeof shown, "%s", files[i].name);
    stz_make_line(shown);
    fprintf(out, "# file: %s \"%s\" %016" PRIx64 "\n", files[i].key, shown, files[i].hash);
  }
}

static stz_err keep_names(const stz_source *input, const used *files, stz_config *config) {
  size_t size = strlen(input->name) + 2;
  for (int i = 0; i < MOST_USED; i++) size += files[i].key ? strlen(files[i].path) + 1 : 0;
  STZ_TRY(STZ_NEW(config->files, size));
  char *at = config->files;
  at += sprintf(at, "%s", input->name) + 1;
  for (int i = 0; i < MOST_USED; i++) {
    if (files[i].key) at += sprintf(at, "%s", files[i].path) + 1;
  }
  return STZ_OK;
}

// The builder as a valid input, behind what says of its files which they are; without files the notes on it.
static stz_err print(const stz_config_builder *builder, const used *files, FILE *out) {
  if (!files) return stz_limits_notes(builder, out);
  print_used(files, out);
  stz_builder_print(builder, out);
  return STZ_OK;
}

// The same as a new text.
static stz_err print_to_text(const stz_config_builder *builder, const used *files, char **kept) {
  stz_text *text;
  FILE *out;
  STZ_TRY(stz_text_begin(&text, &out));
  return stz_text_end(&text, print(builder, files, out), kept);
}

static stz_err keep_texts(const stz_source *input, const used *files, stz_config_builder *builder) {
  stz_config *config = builder->config;
  const size_t length = strlen(input->text);
  STZ_TRY(STZ_NEW(config->input_text, length + 1));
  memcpy(config->input_text, input->text, length);
  STZ_TRY(print_to_text(builder, NULL, &config->notes));
  return print_to_text(builder, files, &config->resolved_text);
}

// Paths in an input are relative to its folder.
static stz_err keep_paths(const stz_source *input, const stz_config_builder *builder) {
  const char *slash = strrchr(input->name, '/');
  for (stz_given_field i = 0; i < STZ_GIVEN_FIELDS; i++) {
    stz_given *g = &builder->config->given[i];
    STZ_TRY(STZ_NEW(g->place, STZ_PLACE_SIZE));
    stz_key_place(builder, stz_schema_find(stz_config_file_key(i), &(int){0}), -1, g->place);
    const size_t folder = slash && g->file[0] != '/' ? (size_t)(slash - input->name) + 1 : 0;
    STZ_TRY(STZ_NEW(g->path, folder + sizeof g->file));
    memcpy(g->path, input->name, folder);
    memcpy(g->path + folder, g->file, sizeof g->file);
  }
  return STZ_OK;
}

static used used_source(const char *key, const char *name, const stz_source *source) {
  return (used){key, name, source->name, stz_fnv(STZ_FNV_OF_NOTHING, source->text, strlen(source->text))};
}

// Checks the builder, and keeps what was read. Collective.
static stz_err check_and_keep(MPI_Comm comm, stz_template *t, const stz_source *model, const stz_source *modes,
                              const char *modes_name, stz_config_builder *builder) {
  stz_config *config = builder->config;
  used files[MOST_USED] = {{.key = NULL}};
  stz_err err = stz_builder_check(builder);
  if (err == STZ_OK) err = keep_paths(&t->input, builder);
  STZ_TRY(stz_agree(comm, err));
  if (model) files[0] = used_source("model", config->model, model);
  if (modes) files[1] = used_source("stz.modes", modes_name, modes);
  for (stz_given_field i = 0; i < STZ_GIVEN_FIELDS; i++) {
    const stz_given *g = &config->given[i];
    if (!stz_config_reads(config, i)) continue;
    files[NAMED + i] = (used){.key = stz_config_file_key(i), .name = g->file, .path = g->path};
    STZ_TRY(stz_blame(g->place, hash_field(comm, t, g->path, &files[NAMED + i].hash)));
  }
  err = keep_names(&t->input, files, config);
  if (err == STZ_OK) err = keep_texts(&t->input, files, builder);
  return stz_agree(comm, err);
}

stz_err stz_template_config(MPI_Comm comm, stz_template *made, const stz_override *overrides, int count,
                            stz_config **config) {
  const stz_source *model = NULL, *modes = NULL;
  stz_config_builder builder = {.config = NULL};
  char modes_name[sizeof builder.config->modes];
  *config = NULL;
  stz_err err;
  STZ_TRY_TO(done, err, stz_agree(comm, build(made, model, overrides, count, &builder)));
  if (builder.config->model[0]) { // known only now: build again with the model beneath
    STZ_TRY_TO(done, err, find_named(comm, made, &builder, "model", "", &model));
    stz_builder_clear(&builder);
    STZ_TRY_TO(done, err, stz_agree(comm, build(made, model, overrides, count, &builder)));
  }
  memcpy(modes_name, builder.config->modes, sizeof modes_name);
  STZ_TRY_TO(done, err, read_modes(comm, made, &builder, &modes));
  STZ_TRY_TO(done, err, check_and_keep(comm, made, model, modes, modes_name, &builder));
  *config = builder.config;
  builder.config = NULL;
done:
  stz_builder_clear(&builder);
  return err;
}

stz_err stz_template_read(MPI_Comm comm, const char *path, stz_template **made) {
  stz_template *t = NULL;
  *made = NULL;
  STZ_TRY(stz_agree(comm, STZ_NEW(t, 1)));
  const stz_err err = stz_source_read(comm, path, &t->input);
  if (err != STZ_OK) {
    stz_template_destroy(&t);
    return err;
  }
  *made = t;
  return STZ_OK;
}

// All that was read or made of it, but for the template itself.
static void clear(stz_template *t) {
  stz_builder_clear(&t->plain.builder);
  stz_builder_clear(&t->modelled.builder);
  for (named *n = t->files, *next; n; n = next) {
    next = n->next;
    stz_source_clear(&n->source);
    stz_free(n);
  }
  t->files = NULL;
  stz_source_clear(&t->input);
}

void stz_template_destroy(stz_template **made) {
  if (!*made) return;
  clear(*made);
  stz_free(*made);
  *made = NULL;
}

stz_err stz_config_read(MPI_Comm comm, const char *path, const stz_override *overrides, int count,
                        stz_config **config) {
  stz_template *made = NULL;
  *config = NULL;
  STZ_TRY(stz_template_read(comm, path, &made));
  const stz_err err = stz_template_config(comm, made, overrides, count, config);
  stz_template_destroy(&made);
  return err;
}

stz_err stz_config_parse(MPI_Comm comm, const char *name, const char *text, const stz_override *overrides, int count,
                         stz_config **config) {
  stz_template made = {.files = NULL};
  *config = NULL;
  stz_err err = stz_source_broadcast(comm, name, text, &made.input);
  if (err == STZ_OK) err = stz_template_config(comm, &made, overrides, count, config);
  clear(&made);
  return err;
}

void stz_config_destroy(stz_config **config) {
  if (!*config) return;
  stz_free((*config)->protocol);
  stz_free((*config)->nbed_strains.values);
  stz_free((*config)->snapshot_strains.values);
  stz_free((*config)->statistics_strains.values);
  for (stz_given_field i = 0; i < STZ_GIVEN_FIELDS; i++) {
    stz_free((*config)->given[i].path);
    stz_free((*config)->given[i].place);
  }
  stz_free((*config)->files);
  stz_free((*config)->input_text);
  stz_free((*config)->notes);
  stz_free((*config)->resolved_text);
  stz_free(*config);
  *config = NULL;
}
