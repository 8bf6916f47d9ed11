// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/config: not installed.
//
// A configuration in the making: values, and where each came from.
#ifndef STZ_CONFIG_BUILDER_H
#define STZ_CONFIG_BUILDER_H

#include <libconfig.h>

#include "config/config.h"
#include "config/schema.h"
#include "config/source.h"

typedef enum stz_layer {
  STZ_LAYER_NONE,
  STZ_LAYER_DEFAULT,
  STZ_LAYER_MODEL,
  STZ_LAYER_INPUT,
  STZ_LAYER_MODES, // the file of shear modes
  STZ_LAYER_OVERRIDE
} stz_layer;

typedef struct stz_origin {
  stz_layer layer;
  const char *file; // as messages call it; the option's name for an override
  int line;         // 0 where lines mean nothing; of a key that is not there (NONE, DEFAULT): its group's
} stz_origin;

typedef struct stz_config_builder {
  stz_config *config;
  const char *input_name;
  stz_origin *origins; // a row of stz_schema_count for the keys outside segments, then one for each segment
} stz_config_builder;

stz_err stz_builder_create(const char *input_name, stz_config_builder *builder) STZ_MUST_USE;    // with all defaults
stz_err stz_builder_copy(const stz_config_builder *from, stz_config_builder *copy) STZ_MUST_USE; // before any check
void stz_builder_clear(stz_config_builder *builder);

// Sets what the tree of a file sets.
stz_err stz_builder_apply_file(stz_config_builder *builder, const stz_source *source, stz_layer layer) STZ_MUST_USE;

// Sets what "path=value" says.
stz_err stz_builder_apply_override(stz_config_builder *builder, const stz_override *override) STZ_MUST_USE;

// A key's value (its type says what it points to) and origin; `segment` is -1 for keys outside segments.
void *stz_builder_value(const stz_config_builder *builder, const stz_key *key, int segment);
stz_origin *stz_builder_origin(const stz_config_builder *builder, const stz_key *key, int segment);

// Whether the key has a value: a segment's optional number may have none.
bool stz_builder_is_set(const stz_config_builder *builder, const stz_key *key, int segment);

// Writes a key's value as an input would have it.
void stz_builder_print_value(const stz_config_builder *builder, const stz_key *key, int segment, FILE *out);

// Every check that one value alone cannot answer. The message names the key at fault.
stz_err stz_builder_check(stz_config_builder *builder) STZ_MUST_USE;

// Writes the whole as a valid input, a comment with unit and origin on each line.
void stz_builder_print(const stz_config_builder *builder, FILE *out);

#endif
