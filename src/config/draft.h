// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/config: not installed.
//
// A configuration in the making: values, and where each came from.
#ifndef STZ_CONFIG_DRAFT_H
#define STZ_CONFIG_DRAFT_H

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
  int line;         // 0 where lines mean nothing
} stz_origin;

typedef struct stz_draft {
  stz_config *config;
  const char *input_name;
  stz_origin *origins; // a row of stz_schema_count for the keys outside segments, then one for each segment
} stz_draft;

stz_err stz_draft_create(const char *input_name, stz_draft *draft) STZ_MUST_USE; // with all defaults
void stz_draft_clear(stz_draft *draft);

// Sets what the tree of a file sets.
stz_err stz_draft_apply_file(stz_draft *draft, const stz_source *source, stz_layer layer) STZ_MUST_USE;

// Sets what "path=value" says.
stz_err stz_draft_apply_override(stz_draft *draft, const stz_override *override) STZ_MUST_USE;

// A key's value (its type says what it points to) and origin; `segment` is -1 for keys outside segments.
void *stz_draft_value(const stz_draft *draft, const stz_key *key, int segment);
stz_origin *stz_draft_origin(const stz_draft *draft, const stz_key *key, int segment);

// Whether the key has a value: a segment's optional number may have none.
bool stz_draft_is_set(const stz_draft *draft, const stz_key *key, int segment);

// Writes a key's value as an input would have it.
void stz_draft_print_value(const stz_draft *draft, const stz_key *key, int segment, FILE *out);

// Every check that one value alone cannot answer. The message names the key at fault.
stz_err stz_draft_check(stz_draft *draft) STZ_MUST_USE;

// Writes the whole as a valid input, a comment with unit and origin on each line.
void stz_draft_print(const stz_draft *draft, FILE *out);

#endif
