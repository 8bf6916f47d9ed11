// SPDX-License-Identifier: GPL-3.0-or-later
//
// Values, precedence and the resolved text; what is refused is in tests/cli/test_bad_input.py.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "config/config.h"

static const char minimal[] = "lattice: { cells = [32, 24, 16]; };\n"
                              "protocol = ( { type = \"relaxation\"; duration_s = 10; } );\n";

static char folder[] = "/tmp/stz_config_XXXXXX"; // holds runs/in.cfg and models/
static char input[64], model[64];

static void write_file(const char *path, const char *text, size_t length) {
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(text, 1, length, file), length);
  assert_int_equal(fclose(file), 0);
}

static stz_config *read_text(const char *text, const stz_override *overrides, int count) {
  stz_config *config = NULL;
  write_file(input, text, strlen(text));
  if (stz_config_read(MPI_COMM_WORLD, input, overrides, count, &config) != STZ_OK) fail_msg("%s", stz_error_message());
  return config;
}

static void same(double a, double b) { assert_true(a == b || (isnan(a) && isnan(b))); }

// The defaults, against the list in the specification.
static void test_defaults(void **state) {
  (void)state;
  stz_config *c = read_text(minimal, NULL, 0);
  const int cells[3] = {32, 24, 16};
  assert_memory_equal(c->lattice.cells, cells, sizeof cells);
  const double got[] = {c->lattice.spacing_nm,
                        c->elastic.young_GPa,
                        c->elastic.poisson,
                        c->stz.volume_nm3,
                        c->stz.gamma0,
                        c->stz.activation_fraction,
                        c->stz.attempt_frequency_per_s,
                        c->barriers.mean_eV,
                        c->barriers.width_eV,
                        c->barriers.cutoff_sigma,
                        c->barriers.composition_eV,
                        c->barriers.interface_eV,
                        c->barriers.floor_eV,
                        c->micro.wavelength_nm,
                        c->micro.bandwidth,
                        c->micro.nickel_fraction,
                        c->micro.nickel_amplitude,
                        c->micro.sharpness,
                        c->order.bragg_fraction,
                        c->order.acceptance,
                        c->order.cluster_radius_nm,
                        c->order.loss,
                        c->history.strain_step,
                        c->nbed.foil_nm,
                        c->nbed.probe_nm,
                        c->protocol[0].temperature_K,
                        c->protocol[0].duration_s};
  const double known[] = {0.58, 72,   0.40, 1.7, 0.115, 0.5, 1e13, 2.352, 0.10,   2.5, 0.25, 0.10, 0.2, 2.5,
                          0.12, 0.35, 0.15, 1.5, 0.6,   0.1, 0.5,  0.6,   0.0005, 15,  0.4,  295,  10};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) same(got[i], known[i]);
  assert_int_equal(c->stz.orientation, STZ_ORIENTATION_RANDOM);
  assert_int_equal(c->stz.attempt_density, STZ_ATTEMPT_VOLUME);
  assert_int_equal(c->barriers.redraw, STZ_REDRAW_STZ);
  assert_int_equal(c->micro.type, STZ_MICRO_RANDOM_WAVES);
  assert_int_equal(c->micro.profile, STZ_PROFILE_SMOOTH);
  assert_int_equal(c->micro.control, STZ_CONTROL_NONE);
  assert_int_equal(c->kmc.engine, STZ_ENGINE_DIRECT);
  assert_int_equal(c->history.points_per_decade, 20);
  assert_int_equal(c->nbed_strains.count, 0);
  assert_int_equal(c->nbed.scans, 8);
  assert_int_equal(c->nbed.beam, 2);
  assert_int_equal(c->seed, 1);
  assert_string_equal(c->model, "");
  assert_string_equal(c->input_text, minimal);
  stz_config_destroy(&c);
  assert_null(c);
}

// The box alone chooses the engine, and the resolved input, which restarts compare, names what runs.
static void test_engine(void **state) {
  (void)state;
  static const struct {
    const char *cells, *engine;
    stz_engine_kind kind;
    bool automatic;
  } cases[] = {
      {"[32,32,32]", NULL, STZ_ENGINE_MULTILEVEL, true},  {"[40,32,512]", "auto", STZ_ENGINE_MULTILEVEL, true},
      {"[24,32,32]", NULL, STZ_ENGINE_DIRECT, true},      {"[32,24,32]", "auto", STZ_ENGINE_DIRECT, true},
      {"[32,32,24]", NULL, STZ_ENGINE_DIRECT, true},      {"[64,64,64]", "direct", STZ_ENGINE_DIRECT, false},
      {"[16,16,16]", "direct", STZ_ENGINE_DIRECT, false}, {"[32,32,32]", "multilevel", STZ_ENGINE_MULTILEVEL, false}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char cells[64], engine[64], line[64];
    snprintf(cells, sizeof cells, "lattice.cells=%s", cases[i].cells);
    snprintf(engine, sizeof engine, "kmc.engine=%s", cases[i].engine ? cases[i].engine : "");
    const stz_override overrides[] = {{.text = cells}, {.text = engine}};
    stz_config *c = read_text(minimal, overrides, cases[i].engine ? 2 : 1);
    snprintf(line, sizeof line, "\n  engine = \"%s\"; #",
             cases[i].kind == STZ_ENGINE_MULTILEVEL ? "multilevel" : "direct");
    assert_int_equal(c->kmc.engine, cases[i].kind);
    assert_int_equal(c->engine_auto, cases[i].automatic);
    assert_non_null(strstr(c->resolved_text, line));
    stz_config_destroy(&c);
  }
}

static void same_list(const stz_list *a, const stz_list *b) {
  assert_int_equal(a->count, b->count);
  for (int i = 0; i < a->count; i++) same(a->value[i], b->value[i]);
}

// What a type of segment does not use is NAN, or an empty list; release_s has its default with an actuator alone.
static void test_protocol(void **state) {
  (void)state;
  stz_config *c = read_text(
      "lattice: { cells = [32, 32, 32]; };\n"
      "protocol = ( { type = \"strain-rate\"; rate_per_s = 1e-3; until_strain = 0.05; temperature_K = 300; },\n"
      " { type = \"creep\"; duration_s = 5; temperature_end_K = 400; },\n"
      " { type = \"actuator\"; stiffness_GPa = 36; mismatch_strain = 0.1; until_strain = 0.06; until_stress_GPa = 2; "
      "},\n"
      " { type = \"relaxation\"; until_stress_GPa = 1; mode = \"shear\"; }, { type = \"unload\"; rate_per_s = 1e-4; "
      "},\n"
      " { type = \"rate-jump\"; rates_per_s = [1, 2, 3]; strain_each = 0.01; until_strain = 0.1; },\n"
      " { type = \"cyclic\"; rate_per_s = 1e-4; cycles = 3; turn_strains = [0.02, -0.01]; },\n"
      " { type = \"cyclic\"; rate_per_s = 1e-4; cycles = 1; turn_stresses_GPa = [2, 1]; },\n"
      " { type = \"mixed\"; duration_s = 6.5; strain_rates_per_s = [0.0, 0.0, 0.0, 0.0, 0.0, 1e-5];\n"
      "   control = [\"stress\", \"stress\", \"stress\", \"stress\", \"stress\", \"strain\"]; },\n"
      " { type = \"age\"; duration_s = 6.5; } );\n",
      NULL, 0);
  stz_segment known[10];
  for (int i = 0; i < 10; i++) {
    known[i] = (stz_segment){.temperature_K = 295};
    double *const unused[] = {&known[i].temperature_end_K, &known[i].rate_per_s,    &known[i].strain_each,
                              &known[i].stress_GPa,        &known[i].stiffness_GPa, &known[i].mismatch_strain,
                              &known[i].release_s,         &known[i].duration_s,    &known[i].until_strain,
                              &known[i].until_stress_GPa};
    for (size_t j = 0; j < sizeof unused / sizeof *unused; j++) *unused[j] = NAN;
  }
  stz_segment *k = known;
  k->type = STZ_SEGMENT_STRAIN_RATE, k->temperature_K = 300, k->rate_per_s = 1e-3, k++->until_strain = 0.05;
  k->type = STZ_SEGMENT_CREEP, k->temperature_end_K = 400, k++->duration_s = 5;
  k->type = STZ_SEGMENT_ACTUATOR, k->stiffness_GPa = 36, k->mismatch_strain = 0.1, k->release_s = 60;
  k->until_strain = 0.06, k++->until_stress_GPa = 2;
  k->type = STZ_SEGMENT_RELAXATION, k->mode = STZ_MODE_SHEAR, k++->until_stress_GPa = 1;
  k->type = STZ_SEGMENT_UNLOAD, k++->rate_per_s = 1e-4;
  k->type = STZ_SEGMENT_RATE_JUMP, k->rates_per_s = (stz_list){3, {1, 2, 3}}, k->strain_each = 0.01;
  k++->until_strain = 0.1;
  k->type = STZ_SEGMENT_CYCLIC, k->rate_per_s = 1e-4, k->cycles = 3, k++->turn_strains = (stz_list){2, {0.02, -0.01}};
  k->type = STZ_SEGMENT_CYCLIC, k->rate_per_s = 1e-4, k->cycles = 1, k++->turn_stresses_GPa = (stz_list){2, {2, 1}};
  k->type = STZ_SEGMENT_MIXED, k->duration_s = 6.5, k->control = (stz_list){6, {1, 1, 1, 1, 1, 0}};
  k->strain_rates_per_s = (stz_list){6, {[5] = 1e-5}}, k++->stress_rates_GPa_per_s = (stz_list){6, {0}};
  k->type = STZ_SEGMENT_AGE, k->duration_s = 6.5;
  assert_int_equal(c->segments, 10);
  for (int i = 0; i < 10; i++) {
    const stz_segment *a = &c->protocol[i], *b = &known[i];
    assert_int_equal(a->type, b->type);
    assert_int_equal(a->mode, b->mode);
    assert_int_equal(a->cycles, b->cycles);
    same(a->temperature_K, b->temperature_K);
    same(a->temperature_end_K, b->temperature_end_K);
    same(a->rate_per_s, b->rate_per_s);
    same(a->strain_each, b->strain_each);
    same(a->stress_GPa, b->stress_GPa);
    same(a->stiffness_GPa, b->stiffness_GPa);
    same(a->mismatch_strain, b->mismatch_strain);
    same(a->release_s, b->release_s);
    same(a->duration_s, b->duration_s);
    same(a->until_strain, b->until_strain);
    same(a->until_stress_GPa, b->until_stress_GPa);
    same_list(&a->rates_per_s, &b->rates_per_s);
    same_list(&a->turn_strains, &b->turn_strains);
    same_list(&a->turn_stresses_GPa, &b->turn_stresses_GPa);
    same_list(&a->control, &b->control);
    same_list(&a->strain_rates_per_s, &b->strain_rates_per_s);
    same_list(&a->stress_rates_GPa_per_s, &b->stress_rates_GPa_per_s);
  }
  stz_config_destroy(&c);
}

// Integers of any notation keep their value; libconfig alone would cut 5000000000 to 705032704.
static void test_integers(void **state) {
  (void)state;
  static const struct {
    const char *text;
    uint64_t value;
  } cases[] = {{"5000000000", 5000000000u},
               {"5000000000L", 5000000000u},
               {"2147483647", 2147483647u},
               {"2147483648", 2147483648u},
               {"9223372036854775807", INT64_MAX},
               {"0x1F", 31},
               {"0xFFFFFFFF", 4294967295u},
               {"0x1FFFFFFFFF", 0x1FFFFFFFFFu},
               {"010", 10},
               {"+7", 7}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char text[512];
    snprintf(text, sizeof text,
             "%s# seed = 6000000000 \" 1\n/* 7000000000 \" */ // \"\nrun: { seed =\n\t%s; }; # the end", minimal,
             cases[i].text);
    stz_config *c = read_text(text, NULL, 0);
    assert_int_equal(c->seed, cases[i].value);
    stz_config_destroy(&c);
    snprintf(text, sizeof text, "run.seed=%s", cases[i].text);
    c = read_text(minimal, &(stz_override){.text = text}, 1);
    assert_int_equal(c->seed, cases[i].value);
    stz_config_destroy(&c);
  }
}

// A number that only looks like one, within a name or a text, is left alone; a number key takes an integer of any size.
static void test_numbers(void **state) {
  (void)state;
  char text[512];
  snprintf(model, sizeof model, "%s/models/m5000000000.cfg", folder);
  write_file(model, "stz: { gamma0 = 1; };", 21);
  snprintf(text, sizeof text, "model = \"m5000000000\";\n%sstz: { attempt_frequency_per_s = 10000000000000; };",
           minimal);
  stz_config *c = read_text(text, NULL, 0);
  same(c->stz.gamma0, 1.0);
  same(c->stz.attempt_frequency_per_s, 1e13);
  stz_config_destroy(&c);
  c = read_text(minimal, &(stz_override){.text = "stz.attempt_frequency_per_s=1000000000000000000"}, 1);
  same(c->stz.attempt_frequency_per_s, 1e18);
  stz_config_destroy(&c);
  unlink(model);
}

// Defaults < model < input < --set, and the last --set wins; the resolved text tells which.
static void test_precedence(void **state) {
  (void)state;
  static const char glass[] = "barriers: { mean_eV = 2.0; width_eV = 0.2; floor_eV = 0.3; };\n";
  char text[512];
  snprintf(model, sizeof model, "%s/models/glass.cfg", folder);
  write_file(model, glass, strlen(glass));
  snprintf(text, sizeof text, "model = \"glass\";\n%sbarriers: { width_eV = 0.3; floor_eV = 0.4; };\n", minimal);
  const stz_override overrides[] = {{.text = "barriers.floor_eV=0.45"},        {.text = "barriers.floor_eV=0.5"},
                                    {.text = "protocol[0].duration_s=20"},     {.text = "barriers.redraw=centre"},
                                    {.text = "lattice.cells=[16,16,16]"},      {.text = "output.nbed_strains=[]"},
                                    {.text = "run.seed=9", .option = "--seed"}};
  stz_config *c = read_text(text, overrides, sizeof overrides / sizeof *overrides);
  same(c->barriers.mean_eV, 2.0);
  same(c->barriers.width_eV, 0.3);
  same(c->barriers.floor_eV, 0.5);
  same(c->barriers.cutoff_sigma, 2.5);
  same(c->protocol[0].duration_s, 20.0);
  assert_int_equal(c->barriers.redraw, STZ_REDRAW_CENTRE);
  assert_int_equal(c->lattice.cells[0], 16);
  assert_int_equal(c->seed, 9);
  assert_string_equal(c->model, "glass");
  static const char *const lines[] = {
      "  mean_eV = 2.0; # eV, model\n",     "  width_eV = 0.3; # eV, input\n", "  floor_eV = 0.5; # eV, --set\n",
      "  cutoff_sigma = 2.5; # default\n",  "  seed = 9L; # --seed\n",         "  cells = [16, 16, 16]; # --set\n",
      "    duration_s = 20.0; # s, --set\n"};
  for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) assert_non_null(strstr(c->resolved_text, lines[i]));
  stz_config_destroy(&c);
  unlink(model);
}

// A model is found by its path relative to the input, by its absolute path, and by its name; --set replaces it.
static void test_model_search(void **state) {
  (void)state;
  char text[512], absolute[80];
  snprintf(model, sizeof model, "%s/models/glass.cfg", folder);
  write_file(model, "stz: { gamma0 = 0.2; };", 23);
  snprintf(absolute, sizeof absolute, "%s", model);
  const char *names[] = {"glass", "../models/glass.cfg", absolute};
  for (int i = 0; i < 3; i++) {
    snprintf(text, sizeof text, "model = \"%s\";\n%s", names[i], minimal);
    stz_config *c = read_text(text, NULL, 0);
    same(c->stz.gamma0, 0.2);
    stz_config_destroy(&c);
  }
  stz_config *c = read_text(minimal, &(stz_override){.text = "model=glass"}, 1);
  same(c->stz.gamma0, 0.2);
  stz_config_destroy(&c);
  snprintf(text, sizeof text, "model = \"none\";\n%s", minimal);
  c = read_text(text, &(stz_override){.text = "model=\"\""}, 1);
  same(c->stz.gamma0, 0.115);
  stz_config_destroy(&c);
  unlink(model);
}

static char *read_file(const char *path, size_t *length) {
  FILE *file = fopen(path, "rb");
  assert_non_null(file);
  char *text = calloc(1, 1 << 16);
  *length = fread(text, 1, (1 << 16) - 1, file);
  fclose(file);
  return text;
}

// Removes the origins (the last word of each comment) from a resolved text.
static void strip_comments(char *text) {
  char *out = text;
  bool comment = false;
  for (; *text; text++) {
    if (*text == '#') comment = true;
    if (*text == '\n') comment = false;
    if (!comment) *out++ = *text;
  }
  *out = 0;
}

// The resolved text is an input by itself, with the same meaning.
static void test_resolved_is_an_input(void **state) {
  (void)state;
  static const char *const names[] = {"smoke", "onchip", "tension",   "relaxation",
                                      "creep", "cyclic", "rate-jump", "aged"};
  for (int i = 0; i < 8; i++) {
    char path[512];
    snprintf(path, sizeof path, STZ_TEST_DATA "/../../inputs/%s.cfg", names[i]);
    stz_config *first = NULL;
    const stz_override awkward[] = {{.text = "barriers.width_eV=0.1234567890123456789"},
                                    {.text = "run.seed=9223372036854775807"}};
    assert_int_equal(stz_config_read(MPI_COMM_WORLD, path, awkward, 2, &first), STZ_OK);
    stz_config *second = read_text(first->resolved_text, NULL, 0);
    assert_memory_equal(&first->lattice, &second->lattice, sizeof first->lattice);
    same(first->barriers.width_eV, second->barriers.width_eV);
    assert_int_equal(first->seed, second->seed);
    assert_int_equal(first->segments, second->segments);
    assert_int_equal(first->nbed_strains.count, second->nbed_strains.count);
    strip_comments(first->resolved_text);
    strip_comments(second->resolved_text);
    const char *body = strchr(strchr(first->resolved_text, '\n') + 1, '\n') + 1; // two lines name the model
    assert_string_equal(body, second->resolved_text);
    stz_config_destroy(&first);
    stz_config_destroy(&second);
  }
}

// Deterministic bits for the mutations: a 64-bit linear congruential generator (Knuth's constants).
static unsigned bits(uint64_t *s, unsigned below) {
  *s = *s * 6364136223846793005u + 1442695040888963407u;
  return (unsigned)(*s >> 33) % below;
}

// One to four bytes of the text are changed, removed, doubled, or a stretch is repeated or cut off.
static size_t mutate(char *text, size_t length, uint64_t *s) {
  static const char spice[] = "{}()[]=:;,\"\\#/*@-+.eExL0123456789\n\t \x01\xff";
  for (unsigned n = 1 + bits(s, 4); n > 0 && length > 2; n--) {
    const size_t at = bits(s, (unsigned)length);
    switch (bits(s, 5)) {
    case 0:
      text[at] = spice[bits(s, sizeof spice - 1)];
      break;
    case 1:
      memmove(text + at, text + at + 1, --length - at);
      break;
    case 2:
      memmove(text + at + 1, text + at, length++ - at);
      text[at] = spice[bits(s, sizeof spice - 1)];
      break;
    case 3:
      text[at] = (char)(text[at] ^ (1 << bits(s, 8)));
      break;
    default:
      length = bits(s, 8) ? length : at;
    }
  }
  return length;
}

// Whatever an input holds, it is read or refused with one line, and nothing leaks. The sanitizers look on.
// A line of the resolved text that begins with a key is found in its group.
static void test_groups(void **state) {
  static const char three[] = "lattice: { cells = [32, 24, 16]; };\n"
                              "protocol = ( { type = \"age\"; duration_s = 1; }, { type = \"age\"; duration_s = 2; },\n"
                              "  { type = \"age\"; duration_s = 3; } );\n";
  static const struct {
    const char *key, *group;
  } cases[] = {{"cells = ", "lattice."},
               {"poisson = ", "elasticity."},
               {"duration_s = 1", "protocol[0]."},
               {"duration_s = 2", "protocol[1]."},
               {"duration_s = 3", "protocol[2]."},
               {"engine = ", "kmc."},
               {"seed = ", "run."},
               {"lattice: {", ""},
               {"kmc: {", ""}};
  (void)state;
  stz_config *c = read_text(three, NULL, 0);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char group[STZ_GROUP_SIZE];
    const char *at = strstr(c->resolved_text, cases[i].key);
    assert_non_null(at);
    stz_config_group_at(c->resolved_text, at, group);
    assert_string_equal(group, cases[i].group);
  }
  stz_config_destroy(&c);
}

static void test_mutations(void **state) {
  (void)state;
  size_t length;
  char *smoke = read_file(STZ_TEST_DATA "/../../inputs/smoke.cfg", &length), *text = calloc(1, 2 * length + 64);
  const long live = stz_alloc_live();
  uint64_t s = 20240229;
  int read = 0, refused = 0;
  for (int i = 0; i < 300; i++) {
    memcpy(text, smoke, length);
    write_file(input, text, mutate(text, length, &s));
    stz_config *config = NULL;
    const stz_override no_model = {.text = "model=\"\""};
    const stz_err err = stz_config_read(MPI_COMM_WORLD, input, &no_model, 1, &config);
    if (err == STZ_OK) {
      read++;
    } else {
      refused++;
      assert_int_equal(err, STZ_EINPUT);
      assert_null(config);
      assert_null(strchr(stz_error_message(), '\n'));
      assert_ptr_equal(strstr(stz_error_message(), input), stz_error_message());
    }
    stz_config_destroy(&config);
    assert_int_equal(stz_alloc_live(), live);
  }
  assert_true(read >= 40 && refused >= 40); // both kinds were tried (most bytes of the file are comments)
  free(smoke);
  free(text);
}

// Whatever a template has made before, it makes what is read anew: of no model, of either of two, and of protocols and
// levels of other lengths.
static void test_template(void **state) {
  (void)state;
  static const char *const sets[][3] = {
      {"barriers.width_eV=0.11", NULL, NULL},
      {"model=" STZ_TEST_DATA "/../../models/zr65ni35.cfg", "output.nbed_strains=[0.0, 0.01, 0.02]", NULL},
      {"protocol=({type=\"age\";duration_s=1.0;},{type=\"age\";duration_s=2.0;})", "protocol[1].duration_s=3.0", NULL},
      {"model=" STZ_TEST_DATA "/../../models/vitreloy1.cfg", "output.nbed_strains=[]", "stz.orientation=aligned"},
      {"model=" STZ_TEST_DATA "/../../models/zr65ni35.cfg", "barriers.width_eV=0.12", NULL},
      {NULL, NULL, NULL}};
  write_file(input, minimal, sizeof minimal - 1);
  stz_template *template = NULL;
  assert_int_equal(stz_template_read(MPI_COMM_WORLD, input, &template), STZ_OK);
  for (size_t i = 0; i < 2 * sizeof sets / sizeof *sets; i++) {
    stz_override overrides[3] = {{.text = NULL}};
    int count = 0;
    const char *const *set = sets[i % (sizeof sets / sizeof *sets)];
    for (; count < 3 && set[count]; count++) overrides[count].text = set[count];
    stz_config *made = NULL;
    assert_int_equal(stz_template_config(MPI_COMM_WORLD, template, overrides, count, &made), STZ_OK);
    stz_config *anew = read_text(minimal, overrides, count);
    assert_string_equal(made->resolved_text, anew->resolved_text);
    assert_string_equal(made->notes, anew->notes);
    stz_config_destroy(&made);
    stz_config_destroy(&anew);
  }
  stz_template_destroy(&template);
}

static int make_folder(void **state) {
  (void)state;
  char path[64];
  if (!mkdtemp(folder)) return 1;
  snprintf(path, sizeof path, "%s/runs", folder);
  if (mkdir(path, 0700) != 0) return 1;
  snprintf(input, sizeof input, "%s/runs/in.cfg", folder);
  snprintf(path, sizeof path, "%s/models", folder);
  return mkdir(path, 0700);
}

static int remove_folder(void **state) {
  (void)state;
  char path[64];
  unlink(input);
  snprintf(path, sizeof path, "%s/runs", folder);
  rmdir(path);
  snprintf(path, sizeof path, "%s/models", folder);
  rmdir(path);
  return rmdir(folder) != 0 || stz_alloc_live() != 0;
}

int main(int argc, char **argv) {
  MPI_Init(&argc, &argv);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_defaults),     cmocka_unit_test(test_engine),
      cmocka_unit_test(test_protocol),     cmocka_unit_test(test_integers),
      cmocka_unit_test(test_numbers),      cmocka_unit_test(test_precedence),
      cmocka_unit_test(test_model_search), cmocka_unit_test(test_resolved_is_an_input),
      cmocka_unit_test(test_mutations),    cmocka_unit_test(test_template),
      cmocka_unit_test(test_groups),
  };
  const int failed = cmocka_run_group_tests(tests, make_folder, remove_folder);
  MPI_Finalize();
  return failed;
}
