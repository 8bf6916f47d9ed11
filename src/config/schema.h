// SPDX-License-Identifier: GPL-3.0-or-later
// Internal to src/config: not installed.
//
// The schema: one row per key. Everything that knows a key's name, type, unit, default or range reads it from here: the
// parser, the checks, the resolved input and the reference page.
#ifndef STZ_CONFIG_SCHEMA_H
#define STZ_CONFIG_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

typedef enum stz_key_type {
  STZ_KEY_FLOAT,  // double; an integer is taken too
  STZ_KEY_INT,    // int
  STZ_KEY_INT64,  // uint64_t from a 64-bit signed integer
  STZ_KEY_BOOL,   // bool
  STZ_KEY_NAME,   // an enum (or int) by name
  STZ_KEY_TEXT,   // char[256]
  STZ_KEY_CELLS,  // int[3], each within the range
  STZ_KEY_LEVELS, // stz_strain_levels: ascending doubles, each within the range
  STZ_KEY_AXES,   // stz_catalogue: six numbers per mode
  STZ_KEY_LIST,   // stz_list: numbers, each within the range, or names, each as its index
} stz_key_type;

enum { STZ_TEXT_SIZE = 256 };

typedef struct stz_key { // NOLINT(clang-analyzer-optin.performance.Padding): in the order of the table's columns
  const char *path;      // "barriers.width_eV"; "protocol[].rate_per_s" for a key of a segment
  stz_key_type type;
  const char *unit;     // "1" for numbers without one; "" for what is no number
  const char *fallback; // the default, as one would write it; NULL without one
  double min, max;      // range of numbers, with +-INFINITY for none
  bool min_open, max_open;
  const char *names;     // NAME, LIST of names: the allowed ones, "a|b|c" in the order of the enum's values from 0
  int count;             // LIST: how many; 0: 2 to STZ_LIST_SIZE
  size_t offset;         // of the value in stz_config, for a segment's key in stz_segment
  unsigned used_by;      // segment's key: the types that have it, a bit each (1u << type)
  unsigned needed_by;    // segment's key: the types that cannot do without
  const char *only_with; // number > 0 that only some values of a NAME key have, and need: "stz.barrier_law=a|b"
  const char *used_with; // "path=a|b", a NAME key's values with which alone the key counts; "path": its number is not
                         // 0, its text not empty
  const char *description;
} stz_key;

typedef struct stz_key_group {
  const char *name; // "" for keys outside groups; "protocol[]" for a segment's
  bool in_model;    // a model file may set it
  const char *title;
} stz_key_group;

extern const stz_key stz_schema[];
extern const int stz_schema_count;
extern const stz_key_group stz_key_groups[];
extern const int stz_key_group_count;

// The row of a path as the user writes it ("protocol[2].duration_s"), and the index of the segment (-1: none); NULL if
// there is no such key.
const stz_key *stz_schema_find(const char *path, int *segment);

// Whether `path` names a group ("barriers", "protocol[0]").
bool stz_schema_is_group(const char *path);

// Whether `key` belongs to `group`, and its name within.
bool stz_key_in_group(const stz_key *key, const stz_key_group *group);
const char *stz_key_name(const stz_key *key);

// The known key or group nearest to an unknown one by edit distance; a segment's key gets the index that `path` has; ""
// where none is near.
void stz_schema_nearest(const char *path, char *nearest, size_t size);

// What a value must be: "a number > 0", "\"stz\", \"centre\" or \"none\"".
void stz_key_needs(const stz_key *key, char *text, size_t size);

// The range of a key alone: "> 0 and <= 1"; "" without one.
void stz_key_range(const stz_key *key, char *text, size_t size);

// The enum value that `name` stands for, or -1; and the name of a value, "" beyond the last.
int stz_key_name_index(const stz_key *key, const char *name);
void stz_key_name_at(const stz_key *key, int index, char *name, size_t size);

// Copies `text` for a message: control characters become "?", and "..." ends what is too long.
void stz_one_line(const char *text, char *line, size_t size);

// The shortest decimal form that reads back as the same double; with `point`, in a form that libconfig takes for a
// floating-point number.
void stz_format_double(double value, bool point, char text[32]);

#endif
