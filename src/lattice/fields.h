// SPDX-License-Identifier: GPL-3.0-or-later
//
// The registry of the sample's fields: every array over the lattice has a name, a unit and a description, so that
// results, checkpoints, snapshots and the state hash loop over all of them without knowing any.
// A field of C components is C arrays over the local sites, one after the other (SoA), each starting on a cache line.
#ifndef STZ_LATTICE_FIELDS_H
#define STZ_LATTICE_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

#include "lattice/grid.h"

typedef enum stz_field_type { STZ_U8, STZ_U16, STZ_U32, STZ_F32, STZ_F64 } stz_field_type;

// The role of a field in the trajectory. The state hash covers state and fixed fields. Checkpoints keep state fields
// only; a restart makes fixed fields again from the input, and derived ones from the state.
typedef enum stz_field_role { STZ_FIELD_DERIVED, STZ_FIELD_STATE, STZ_FIELD_FIXED } stz_field_role;

typedef struct stz_field_spec {
  const char *name, *unit, *description;
  stz_field_type type;
  int components;
  stz_field_role role;
} stz_field_spec;

typedef struct stz_fields stz_fields;

// An empty registry. `grid` must outlive it. STZ_EINTERNAL without memory.
stz_err stz_fields_create(const stz_grid *grid, stz_fields **fields) STZ_MUST_USE;
void stz_fields_destroy(stz_fields **fields); // frees the arrays too

// Adds a zeroed field; *data receives its first component. Component c starts at c * stz_field_stride elements.
// Names, units and descriptions must outlive the registry (string literals).
stz_err stz_fields_add(stz_fields *fields, const stz_field_spec *spec, void **data) STZ_MUST_USE;

size_t stz_field_stride(const stz_grid *grid); // elements between components: stored sites rounded up to 64
size_t stz_field_size(stz_field_type type);    // bytes an element

// The fields by `index`, 0 to count - 1, in the order in which they were added.
int stz_fields_count(const stz_fields *fields);
const stz_field_spec *stz_fields_spec(const stz_fields *fields, int index);
void *stz_fields_data(const stz_fields *fields, int index);
double stz_fields_bytes_per_site(const stz_fields *fields); // memory of all fields

// Hash of all fields but derived ones: a sum over sites of a mix of (field, component, global index, bits), hence
// independent of the decomposition (after p4est's partition-independent checksum). Collective.
uint64_t stz_fields_hash(const stz_fields *fields);

// The mix itself, for state that is not a field: the number `bits` (or `value`) of the thing `index` of the kind
// `kind`. Add the results.
uint64_t stz_hash_mix(uint64_t kind, uint64_t index, uint64_t bits);
uint64_t stz_hash_double(uint64_t kind, uint64_t index, double value);

#endif
