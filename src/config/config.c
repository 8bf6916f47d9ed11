// SPDX-License-Identifier: GPL-3.0-or-later
#include "config/config.h"

#include <stdlib.h>
#include <string.h>

#include "base/comm.h"
#include "base/memory.h"
#include "config/draft.h"

// Builds a draft from all layers but the checks between keys; model->text is NULL without a model.
static stz_err build(const stz_source *input, const stz_source *model, const stz_override *overrides, int count,
                     stz_draft *draft) {
  STZ_TRY(stz_draft_create(input->name, draft));
  if (model->text) STZ_TRY(stz_draft_apply_file(draft, model, STZ_LAYER_MODEL));
  STZ_TRY(stz_draft_apply_file(draft, input, STZ_LAYER_INPUT));
  for (int i = 0; i < count; i++) STZ_TRY(stz_draft_apply_override(draft, &overrides[i]));
  return STZ_OK;
}

// A model that an input names, as it was read.
typedef struct model {
  char name[STZ_TEXT_SIZE];
  stz_source source;
  struct model *next;
} model;

struct stz_template {
  stz_source input;
  model *models;
};

// Finds and reads the model that the draft names. Collective.
static stz_err read_model(MPI_Comm comm, const stz_draft *draft, stz_source *source) {
  int rank, index;
  char path[STZ_PATH_SIZE] = "";
  MPI_Comm_rank(comm, &rank);
  const stz_key *key = stz_schema_find("model", &index);
  const stz_origin *origin = stz_draft_origin(draft, key, -1);
  stz_err err = STZ_OK;
  if (rank == 0 && !stz_model_find(draft->input_name, draft->config->model, path)) {
    char line[16] = "", name[80];
    stz_one_line(draft->config->model, name, sizeof name);
    if (origin->line > 0) snprintf(line, sizeof line, ":%d", origin->line);
    err = stz_fail(STZ_EINPUT, "%s%s: model: got \"%s\", needs a file beside the input or a name in models/",
                   origin->file, line, name);
  }
  STZ_TRY(stz_agree(comm, err));
  MPI_Bcast(path, (int)sizeof path, MPI_CHAR, 0, comm);
  return stz_source_read(comm, path, source);
}

// The model that the draft names, from those read before or from its file. Collective.
static stz_err find_model(MPI_Comm comm, stz_template *t, const stz_draft *draft, const stz_source **source) {
  for (const model *m = t->models; m; m = m->next) {
    if (strcmp(m->name, draft->config->model) == 0) {
      *source = &m->source;
      return STZ_OK;
    }
  }
  model *m = NULL;
  STZ_TRY(stz_agree(comm, STZ_NEW(m, 1)));
  m->next = t->models;
  snprintf(m->name, sizeof m->name, "%s", draft->config->model);
  const stz_err err = read_model(comm, draft, &m->source);
  if (err != STZ_OK) {
    stz_source_clear(&m->source);
    stz_free(m);
    return err;
  }
  t->models = m;
  *source = &m->source;
  return STZ_OK;
}

static stz_err keep_texts(const stz_source *input, stz_draft *draft) {
  stz_config *config = draft->config;
  const size_t length = strlen(input->text);
  STZ_TRY(STZ_NEW(config->input_text, length + 1));
  memcpy(config->input_text, input->text, length);
  char *text = NULL;
  size_t size;
  FILE *out = open_memstream(&text, &size);
  if (!out) return stz_fail(STZ_EINTERNAL, "out of memory");
  stz_draft_print(draft, out);
  stz_err err = fclose(out) == 0 ? STZ_NEW(config->resolved_text, size + 1) : stz_fail(STZ_EINTERNAL, "out of memory");
  if (err == STZ_OK) memcpy(config->resolved_text, text, size + 1);
  free(text);
  return err;
}

// Paths in an input are relative to its folder.
static stz_err keep_path(const stz_source *input, stz_config *config) {
  const char *slash = strrchr(input->name, '/');
  const int folder = slash && config->field_file[0] != '/' ? (int)(slash - input->name) + 1 : 0;
  const size_t size = (size_t)folder + sizeof config->field_file;
  STZ_TRY(STZ_NEW(config->field_path, size));
  snprintf(config->field_path, size, "%.*s%s", folder, input->name, config->field_file);
  return STZ_OK;
}

static stz_err check_and_keep(const stz_source *input, stz_draft *draft) {
  STZ_TRY(stz_draft_check(draft));
  STZ_TRY(keep_path(input, draft->config));
  return keep_texts(input, draft);
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

void stz_template_destroy(stz_template **made) {
  stz_template *t = *made;
  if (!t) return;
  for (model *m = t->models, *next; m; m = next) {
    next = m->next;
    stz_source_clear(&m->source);
    stz_free(m);
  }
  stz_source_clear(&t->input);
  stz_free(t);
  *made = NULL;
}

stz_err stz_template_config(MPI_Comm comm, stz_template *made, const stz_override *overrides, int count,
                            stz_config **config) {
  const stz_source none = {.text = NULL}, *source = &none;
  stz_draft draft = {.config = NULL};
  *config = NULL;
  stz_err err;
  STZ_TRY_TO(done, err, stz_agree(comm, build(&made->input, source, overrides, count, &draft)));
  if (draft.config->model[0]) { // known only now: build again with the model beneath
    STZ_TRY_TO(done, err, find_model(comm, made, &draft, &source));
    stz_draft_clear(&draft);
    STZ_TRY_TO(done, err, stz_agree(comm, build(&made->input, source, overrides, count, &draft)));
  }
  STZ_TRY_TO(done, err, stz_agree(comm, check_and_keep(&made->input, &draft)));
  *config = draft.config;
  draft.config = NULL;
done:
  stz_draft_clear(&draft);
  return err;
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

void stz_config_destroy(stz_config **config) {
  if (!*config) return;
  stz_free((*config)->protocol);
  stz_free((*config)->nbed_strains.values);
  stz_free((*config)->snapshot_strains.values);
  stz_free((*config)->field_path);
  stz_free((*config)->input_text);
  stz_free((*config)->resolved_text);
  stz_free(*config);
  *config = NULL;
}
