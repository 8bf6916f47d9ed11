// SPDX-License-Identifier: GPL-3.0-or-later
//
// The lists of engines and barrier laws: an entry has every function that its interface demands.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kmc/engine.h"
#include "stz/law.h"

#define DEMAND(entry, function)                                                                                        \
  if (!(entry)->function) fail_msg("%s has no function `%s`", name, #function)

static void has_all(const char *name, const stz_engine *e) {
  DEMAND(e, cost);
  DEMAND(e, create);
  DEMAND(e, destroy);
  DEMAND(e, next);
  DEMAND(e, add_stress);
  DEMAND(e, rates);
  DEMAND(e, stress);
  DEMAND(e, site_stress);
  DEMAND(e, self_stress);
  DEMAND(e, bytes_per_site);
  DEMAND(e, fields);
  DEMAND(e, save);
  DEMAND(e, restore);
}

#define ENGINE(ENGINE, name, least, multiple, ranks)                                                                   \
  extern const stz_engine stz_engine_##name;                                                                           \
  has_all("the engine " #name, &stz_engine_##name);

static void test_engines(void **state) {
  (void)state;
  STZ_ENGINES(ENGINE)
}

static void law_has_all(const char *name, const stz_law_kind *law) {
  DEMAND(law, set);
  DEMAND(law, growth);
  DEMAND(law, barrier_under);
  DEMAND(law, block);
  DEMAND(law, net);
  DEMAND(law, site);
}

#define LAW(LAW, name) law_has_all("the law " #name, stz_law_kind_of(STZ_LAW_##LAW));

static void test_laws(void **state) {
  (void)state;
  STZ_BARRIER_LAWS(LAW)
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_engines), cmocka_unit_test(test_laws)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
