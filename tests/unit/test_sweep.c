// SPDX-License-Identifier: GPL-3.0-or-later
//
// The points of a sweep: Sobol's against scipy's (tests/data/sobol_vectors.txt), the strata of a Latin hypercube, the
// order of a grid; the texts of the manifest, there and back; the costs of a plan's runs.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "sim/sim.h"
#include "sweep/design.h"
#include "sweep/json.h"
#include "sweep/plan.h"
#include "sweep/sobol.h"

static void sobol_vectors(void **state) {
  (void)state;
  FILE *file = fopen(STZ_TEST_DATA "/sobol_vectors.txt", "r");
  assert_non_null(file);
  char line[1024];
  uint32_t point = 0;
  while (fgets(line, sizeof line, file)) {
    if (line[0] == '#') continue;
    char *at = line;
    for (int k = 0; k < STZ_SOBOL_DIMENSIONS; k++) assert_int_equal(stz_sobol(k, point), strtoul(at, &at, 10));
    point++;
  }
  fclose(file);
  assert_int_equal(point, 40);
}

// Every one of the first 2^10 points lies in another 1024th of each axis, and every 32 x 32 square of two neighbouring
// axes among the first five has exactly one (a net of strength 0 in those pairs, as Joe and Kuo chose them).
static void sobol_strata(void **state) {
  (void)state;
  for (int k = 0; k < STZ_SOBOL_DIMENSIONS; k++) {
    bool seen[1024] = {false}, square[1024] = {false};
    for (uint32_t p = 0; p < 1024; p++) {
      const uint32_t x = stz_sobol(k, p), y = stz_sobol(k == 0 ? 1 : 0, p);
      assert_false(seen[x >> 22]);
      seen[x >> 22] = true;
      if (k < 2) {
        const uint32_t cell = (x >> 27) * 32 + (y >> 27);
        assert_false(square[cell]);
        square[cell] = true;
      }
    }
  }
}

static stz_sweep_spec some_spec(void) {
  static char *words[] = {"\"a\"", "\"b\"", "\"c\""};
  static char *numbers[] = {"1", "2", "3"};
  return (stz_sweep_spec){.path = "s.cfg",
                          .axes = {{.key = "x", .name = "x", .from = 0.1, .to = 0.3, .count = 3},
                                   {.key = "w", .name = "w", .zip = "pair", .values = words, .count = 3},
                                   {.key = "y", .name = "y", .from = 1e-7, .to = 1e-3, .count = 5, .logarithmic = true},
                                   {.key = "n", .name = "n", .zip = "pair", .values = numbers, .count = 3}},
                          .axis_count = 4,
                          .replicas = 1,
                          .seed = 5};
}

static void grid(void **state) {
  (void)state;
  const stz_sweep_spec spec = some_spec();
  stz_design *design;
  assert_int_equal(stz_design_create(&spec, &design), STZ_OK);
  assert_int_equal(stz_design_points(design), 45);
  assert_int_equal(stz_design_dimensions(design), 3);
  assert_string_equal(stz_design_dimension_name(design, 1), "pair");
  static const char *const x[] = {"0.1", "0.2", "0.3"}, *const w[] = {"\"a\"", "\"b\"", "\"c\""},
                           *const n[] = {"1", "2", "3"}, *const y[] = {"1e-07", "1e-06", "1e-05", "0.0001", "0.001"};
  char number[STZ_NUMBER_SIZE];
  for (int p = 0; p < 45; p++) {
    int index[STZ_SWEEP_AXES];
    stz_design_index(design, p, index);
    assert_int_equal(index[0], p / 15);
    assert_int_equal(index[2], p % 5);
    assert_string_equal(stz_design_value(design, p, 0, number), x[p / 15]);
    assert_string_equal(stz_design_value(design, p, 1, number), w[p / 5 % 3]);
    assert_string_equal(stz_design_value(design, p, 2, number), y[p % 5]);
    assert_string_equal(stz_design_value(design, p, 3, number), n[p / 5 % 3]);
  }
  stz_design_destroy(&design);
  assert_int_equal(stz_alloc_live(), 0);
}

static void latin_hypercube(void **state) {
  (void)state;
  enum { POINTS = 60 };
  stz_sweep_spec spec = some_spec();
  spec.design = STZ_DESIGN_LATIN_HYPERCUBE;
  spec.points = POINTS;
  stz_design *design;
  assert_int_equal(stz_design_create(&spec, &design), STZ_OK);
  assert_int_equal(stz_design_points(design), POINTS);
  bool x_seen[POINTS] = {false}, y_seen[POINTS] = {false};
  int word_count[3] = {0}, in_order = 0, last = -1;
  char number[STZ_NUMBER_SIZE];
  for (int p = 0; p < POINTS; p++) {
    const int x = (int)floor((atof(stz_design_value(design, p, 0, number)) - 0.1) / 0.2 * POINTS);
    const int y = (int)floor(log(atof(stz_design_value(design, p, 2, number)) / 1e-7) / log(1e4) * POINTS);
    assert_false(x_seen[x] || y_seen[y]);
    x_seen[x] = y_seen[y] = true;
    const char *word = stz_design_value(design, p, 1, number);
    word_count[word[1] - 'a']++;
    assert_int_equal(stz_design_value(design, p, 3, number)[0] - '1', word[1] - 'a'); // zipped
    in_order += x > last;
    last = x;
  }
  for (int i = 0; i < 3; i++) assert_int_equal(word_count[i], POINTS / 3);
  assert_in_range(in_order, 15, 45); // of 60 steps about half go up; binomial, 4 standard deviations
  stz_design_destroy(&design);
}

static void too_many(void **state) {
  (void)state;
  stz_sweep_spec spec = some_spec();
  spec.replicas = 30000;
  stz_design *design;
  assert_int_equal(stz_design_create(&spec, &design), STZ_EINPUT);
  assert_null(design);
  assert_int_equal(stz_alloc_live(), 0);
}

static void json(void **state) {
  (void)state;
  static const char text[] = "a \"quoted\" \\ line\nand \t another \x01, \"state\":\"done\" \xc3\xa9";
  char *line = NULL, *copy = NULL;
  size_t size;
  FILE *out = open_memstream(&line, &size);
  fputs("{\"message\":", out);
  stz_json_text(out, text);
  fputs(",\"state\":\"failed\",\"x\":", out);
  stz_json_number(out, NAN);
  fputs("}", out);
  fclose(out);
  assert_null(strchr(line, '\n'));
  assert_true(stz_json_is(stz_json_find(line, "state"), "failed")); // not the one within the text
  assert_false(stz_json_is(stz_json_find(line, "state"), "fail"));
  assert_int_equal(strncmp(stz_json_find(line, "x"), "null", 4), 0);
  assert_null(stz_json_find(line, "y"));
  assert_int_equal(stz_json_copy(stz_json_find(line, "message"), &copy), STZ_OK);
  assert_string_equal(copy, text);
  stz_free(copy);
  assert_int_equal(stz_json_copy(stz_json_find(line, "x"), &copy), STZ_EIO);
  free(line);

  out = open_memstream(&line, &size);
  stz_json_text(out, "bad \xff\xc3; \xe2\x82 \xed\xa0\x80 \xf0\x9f\x98\x80");
  fclose(out);
  assert_string_equal(line, "\"bad ??; ?? ??? \xf0\x9f\x98\x80\"");
  free(line);
  assert_int_equal(stz_alloc_live(), 0);
}

// The plan's numbers of each run, against those of its input when that is read by itself.
static void plan(void **state) {
  (void)state;
  char path[] = "/tmp/stz_plan_XXXXXX";
  const int file = mkstemp(path);
  assert_true(file >= 0);
  FILE *out = fdopen(file, "w");
  fputs("input = \"" STZ_TEST_DATA
        "/../../inputs/tension.cfg\";\nset = [ \"lattice.cells=[16,16,16]\", \"nbed.foil_nm=9.0\" ];\n"
        "axes = ( { key = \"protocol[0].until_strain\"; values = [0.03, 0.06]; } );\nreplicas = 3;\n",
        out);
  assert_int_equal(fclose(out), 0);
  stz_plan *made = NULL;
  assert_int_equal(stz_plan_read(MPI_COMM_NULL, path, NULL, 0, 1, &made), STZ_OK);
  assert_int_equal(made->count, 6);
  for (int run = 0; run < made->count; run++) {
    const stz_plan_run *r = &made->runs[run];
    char strain[64], seed[64];
    snprintf(strain, sizeof strain, "protocol[0].until_strain=%s", run < 3 ? "0.03" : "0.06");
    snprintf(seed, sizeof seed, "run.seed=%lluL", (unsigned long long)r->seed);
    const stz_override overrides[] = {
        {.text = "lattice.cells=[16,16,16]"}, {.text = "nbed.foil_nm=9.0"}, {.text = strain}, {.text = seed}};
    stz_config *config = NULL;
    stz_estimate alone;
    const char *input = STZ_TEST_DATA "/../../inputs/tension.cfg";
    assert_int_equal(stz_config_read(MPI_COMM_NULL, input, overrides, 4, &config), STZ_OK);
    assert_int_equal(stz_sim_estimate(config, 1, NULL, &alone), STZ_OK);
    assert_true(r->seconds == alone.seconds && r->events == alone.events && r->bytes == alone.file_bytes);
    assert_true(r->memory == alone.bytes_per_rank && r->ranks == alone.ranks);
    assert_true(run == 0 || r->seed != r[-1].seed);
    stz_config_destroy(&config);
  }
  assert_true(made->runs[3].events > 1.5 * made->runs[2].events);
  stz_plan_destroy(&made);
  unlink(path);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sobol_vectors), cmocka_unit_test(sobol_strata),
      cmocka_unit_test(grid),          cmocka_unit_test(latin_hypercube),
      cmocka_unit_test(too_many),      cmocka_unit_test(json),
      cmocka_unit_test(plan),
  };
  return cmocka_run_group_tests_name("sweep", tests, NULL, NULL);
}
