// SPDX-License-Identifier: GPL-3.0-or-later
//
// The schema against the structs that it fills: a field of the parameters without a row would keep its zero whatever
// the input says, and two rows of one field would overwrite each other.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/schema.h"

// Fields of stz_config that no key sets: what config finds or makes itself.
#define OWN(field)                                                                                                     \
  { #field, offsetof(stz_config, field), sizeof(((stz_config *)0)->field) }
static const struct own {
  const char *name;
  size_t offset, size;
} own[] = {OWN(given[STZ_GIVEN_MICRO].path),
           OWN(given[STZ_GIVEN_DAMAGE].path),
           OWN(given[STZ_GIVEN_RISE].path),
           OWN(given[STZ_GIVEN_MICRO].place),
           OWN(given[STZ_GIVEN_DAMAGE].place),
           OWN(given[STZ_GIVEN_RISE].place),
           OWN(protocol),
           OWN(segments),
           OWN(engine_auto),
           OWN(files),
           OWN(input_text),
           OWN(notes),
           OWN(resolved_text),
           OWN(barriers.modulus_eV),
           OWN(kmc.contrast)};

static size_t bytes_of(const stz_key *key) {
  static const size_t bytes[] = {
      [STZ_KEY_FLOAT] = sizeof(double),       [STZ_KEY_INT] = sizeof(int),
      [STZ_KEY_INT64] = sizeof(uint64_t),     [STZ_KEY_BOOL] = sizeof(bool),
      [STZ_KEY_NAME] = sizeof(int),           [STZ_KEY_TEXT] = STZ_TEXT_SIZE,
      [STZ_KEY_CELLS] = 3 * sizeof(int),      [STZ_KEY_LEVELS] = sizeof(stz_strain_levels),
      [STZ_KEY_AXES] = sizeof(stz_catalogue), [STZ_KEY_LIST] = sizeof(stz_list),
  };
  return bytes[key->type];
}

// Marks what the rows fill in `filled`; `segment`: those of a segment. No byte may be filled twice.
static void fill(bool segment, unsigned char *filled, size_t size) {
  for (const stz_key *key = stz_schema; key < stz_schema + stz_schema_count; key++) {
    if ((key->used_by != 0) != segment) continue;
    if (key->offset + bytes_of(key) > size) fail_msg("%s lies outside its struct", key->path);
    for (size_t i = 0; i < bytes_of(key); i++) {
      if (filled[key->offset + i]) fail_msg("%s fills a field that another row of schema.c fills as well", key->path);
      filled[key->offset + i] = 1;
    }
  }
}

// The row whose value ends last before a byte.
static const char *row_before(bool segment, size_t at) {
  const char *found = "the begin";
  size_t end = 0;
  for (const stz_key *key = stz_schema; key < stz_schema + stz_schema_count; key++) {
    const size_t its_end = key->offset + bytes_of(key);
    if ((key->used_by != 0) != segment || its_end > at || its_end < end) continue;
    found = key->path;
    end = its_end;
  }
  return found;
}

// `used`: bytes of the struct that belong to a field, not 0; the others are padding.
static void compare(const char *name, bool segment, const unsigned char *used, const unsigned char *filled,
                    size_t size) {
  for (size_t i = 0; i < size; i++) {
    if (used[i] && !filled[i]) {
      fail_msg("%s: no row of schema.c fills the field at byte %zu, behind that of %s", name, i,
               row_before(segment, i));
    }
  }
}

#if defined(__has_builtin)
#if __has_builtin(__builtin_clear_padding)
#define CLEAR_PADDING(struct_pointer) __builtin_clear_padding(struct_pointer)
#endif
#endif
#ifndef CLEAR_PADDING // clang 14: what is padding is not known, and a field in it would not be found
#define CLEAR_PADDING(struct_pointer) memset(struct_pointer, 0, sizeof *(struct_pointer))
#endif

static void test_config(void **state) {
  (void)state;
  static stz_config config;
  static unsigned char filled[sizeof config], used[sizeof config];
  memset(&config, 0xff, sizeof config);
  CLEAR_PADDING(&config);
  memcpy(used, &config, sizeof used);
  fill(false, filled, sizeof filled);
  for (size_t i = 0; i < sizeof own / sizeof *own; i++) memset(filled + own[i].offset, 1, own[i].size);
  compare("stz_config", false, used, filled, sizeof used);
}

static void test_segment(void **state) {
  (void)state;
  static stz_segment segment;
  static unsigned char filled[sizeof segment], used[sizeof segment];
  memset(&segment, 0xff, sizeof segment);
  CLEAR_PADDING(&segment);
  memcpy(used, &segment, sizeof used);
  fill(true, filled, sizeof filled);
  compare("stz_segment", true, used, filled, sizeof used);
}

// A description that explains one of the names a key allows explains all of them.
static void test_names(void **state) {
  (void)state;
  for (const stz_key *key = stz_schema; key < stz_schema + stz_schema_count; key++) {
    char name[STZ_TEXT_SIZE], quoted[STZ_TEXT_SIZE + 2], missing[STZ_TEXT_SIZE] = "";
    bool any = false;
    for (int i = 0; key->names && (stz_key_name_at(key, i, name, sizeof name), name[0]); i++) {
      if (!strcmp(name, "none")) continue;
      snprintf(quoted, sizeof quoted, "`%s`", name);
      if (strstr(key->description, quoted)) {
        any = true;
      } else {
        snprintf(missing, sizeof missing, "%s", name);
      }
    }
    if (any && missing[0]) fail_msg("%s: the description does not say what `%s` is", key->path, missing);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_config), cmocka_unit_test(test_segment),
                                     cmocka_unit_test(test_names)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
