// SPDX-License-Identifier: GPL-3.0-or-later
#include "lattice/fields.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "base/memory.h"

enum { MOST_FIELDS = 32, STRIDE = 64 };

struct stz_fields {
  const stz_grid *grid;
  int count;
  stz_field_spec specs[MOST_FIELDS];
  void *data[MOST_FIELDS];
};

stz_err stz_fields_create(const stz_grid *grid, stz_fields **fields) {
  STZ_TRY(STZ_NEW(*fields, 1));
  (*fields)->grid = grid;
  return STZ_OK;
}

void stz_fields_destroy(stz_fields **fields) {
  if (!*fields) return;
  for (int i = 0; i < (*fields)->count; i++) stz_free((*fields)->data[i]);
  stz_free(*fields);
  *fields = NULL;
}

size_t stz_field_stride(const stz_grid *grid) {
  return ((size_t)stz_grid_stored_sites(grid) + STRIDE - 1) / STRIDE * STRIDE;
}

size_t stz_field_size(stz_field_type type) {
  static const size_t sizes[] = {[STZ_U8] = 1, [STZ_U16] = 2, [STZ_U32] = 4, [STZ_F32] = 4, [STZ_F64] = 8};
  return sizes[type];
}

stz_err stz_fields_add(stz_fields *fields, const stz_field_spec *spec, void **data) {
  assert(fields->count < MOST_FIELDS);
  const size_t elements = stz_field_stride(fields->grid) * (size_t)spec->components;
  STZ_TRY(stz_alloc(elements, stz_field_size(spec->type), data));
  fields->specs[fields->count] = *spec;
  fields->data[fields->count++] = *data;
  return STZ_OK;
}

int stz_fields_count(const stz_fields *fields) { return fields->count; }
const stz_field_spec *stz_fields_spec(const stz_fields *fields, int index) { return &fields->specs[index]; }
void *stz_fields_data(const stz_fields *fields, int index) { return fields->data[index]; }

double stz_fields_bytes_per_site(const stz_fields *fields) {
  double bytes = 0.0;
  for (int i = 0; i < fields->count; i++) {
    bytes += (double)stz_field_size(fields->specs[i].type) * fields->specs[i].components;
  }
  return bytes;
}

uint64_t stz_hash_mix(uint64_t kind, uint64_t index, uint64_t bits) {
  // Three rounds of the finaliser of MurmurHash3 (Appleby), each taking in one word.
  uint64_t h = 0x9e3779b97f4a7c15u;
  const uint64_t words[3] = {kind, index, bits};
  for (int i = 0; i < 3; i++) {
    h ^= words[i];
    h ^= h >> 33;
    h *= 0xff51afd7ed558ccdu;
    h ^= h >> 33;
    h *= 0xc4ceb9fe1a85ec53u;
    h ^= h >> 33;
  }
  return h;
}

uint64_t stz_hash_double(uint64_t kind, uint64_t index, double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return stz_hash_mix(kind, index, bits);
}

typedef struct hashing {
  const unsigned char *data;
  size_t size;
  uint64_t kind;
  int64_t first;                // global index of the first local site
  atomic_uint_least64_t *total; // a sum of integers: the order does not matter
} hashing;

static void hash_sites(void *context, int64_t first, int64_t end, int worker) {
  (void)worker;
  const hashing *h = context;
  uint64_t sum = 0;
  for (int64_t site = first; site < end; site++) {
    uint64_t bits = 0;
    memcpy(&bits, h->data + h->size * (size_t)site, h->size);
    sum += stz_hash_mix(h->kind, (uint64_t)(h->first + site), bits);
  }
  atomic_fetch_add_explicit(h->total, sum, memory_order_relaxed);
}

uint64_t stz_fields_hash(const stz_fields *fields) {
  atomic_uint_least64_t own = 0;
  for (int i = 0; i < fields->count; i++) {
    const stz_field_spec *spec = &fields->specs[i];
    if (spec->role == STZ_FIELD_DERIVED) continue;
    hashing h = {.size = stz_field_size(spec->type), .first = stz_grid_first_site(fields->grid), .total = &own};
    for (int c = 0; c < spec->components; c++) {
      h.data = (const unsigned char *)fields->data[i] + h.size * stz_field_stride(fields->grid) * (size_t)c;
      h.kind = (uint64_t)(i * 64 + c);
      stz_team_run(stz_grid_team(fields->grid), stz_grid_local_sites(fields->grid), 16384, hash_sites, &h);
    }
  }
  uint64_t sum = own, total;
  MPI_Allreduce(&sum, &total, 1, MPI_UINT64_T, MPI_SUM, stz_grid_comm(fields->grid));
  return total;
}
