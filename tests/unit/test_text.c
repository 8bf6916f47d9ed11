// SPDX-License-Identifier: GPL-3.0-or-later
//
// Texts printed into a stream against the same in an array. Without memory: tests/cli/test_faults.py.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/text.h"

enum { WORDS = 20000, WORD = 16 };

static void whole(void **state) {
  (void)state;
  static char expected[WORDS * WORD];
  size_t length = 0;
  stz_text *text;
  FILE *out;
  char *printed;
  assert_int_equal(stz_text_begin(&text, &out), STZ_OK);
  for (int i = 0; i < WORDS; i++) {
    length += (size_t)sprintf(expected + length, "%d,", i * 7919);
    fprintf(out, "%d", i * 7919);
    fputc(',', out);
    if (i % 1000 == 0) assert_int_equal(fflush(out), 0);
  }
  assert_int_equal(stz_text_end(&text, STZ_OK, &printed), STZ_OK);
  assert_null(text);
  assert_string_equal(printed, expected);
  stz_free(printed);
  assert_int_equal(stz_alloc_live(), 0);
}

static void empty(void **state) {
  (void)state;
  stz_text *text;
  FILE *out;
  char *printed;
  assert_int_equal(stz_text_begin(&text, &out), STZ_OK);
  assert_int_equal(stz_text_end(&text, STZ_OK, &printed), STZ_OK);
  assert_string_equal(printed, "");
  stz_free(printed);
  assert_int_equal(stz_alloc_live(), 0);
}

// Whoever prints may fail; the failure and its message stay.
static void failure(void **state) {
  (void)state;
  stz_text *text;
  FILE *out;
  char *printed;
  assert_int_equal(stz_text_begin(&text, &out), STZ_OK);
  fputs("half", out);
  assert_int_equal(stz_text_end(&text, stz_fail(STZ_EIO, "the other half"), &printed), STZ_EIO);
  assert_null(printed);
  assert_string_equal(stz_error_message(), "the other half");
  text = NULL;
  assert_int_equal(stz_text_end(&text, STZ_EIO, &printed), STZ_EIO);
  assert_null(printed);
  assert_int_equal(stz_alloc_live(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(whole), cmocka_unit_test(empty), cmocka_unit_test(failure)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
