// SPDX-License-Identifier: GPL-3.0-or-later
//
// What every observer of the list must do, held to each: its checkpoint block comes back as it was saved, is the same
// on every rank, and is refused when it cannot be its own; what it takes at a strain is due at its time; its datasets
// are whole descriptions, and no two of them are written to one place.
#include <string.h>

#include "mpi/harness.h"
#include "observe/observer.h"
#include "sim/header.h"
#include "sim/sample.h"

static const char *const INPUT =
    "lattice: { cells = [16, 16, 16]; };\n"
    "protocol = ( { type = \"strain-rate\"; rate_per_s = 1.0e-3; until_strain = 0.04; } );\n"
    "nbed: { foil_nm = 9.0; scans = 1; };\n"
    "output: { nbed_strains = [0.0, 0.02]; snapshots = true; events = true; avalanches = true; };\n";

// Everything that an observer sees, no event having happened.
typedef struct setting {
  stz_config *config;
  stz_sample sample;
  stz_view view;
} setting;

static void set_up(MPI_Comm comm, setting *s) {
  CHECK_OK(stz_config_parse(comm, "observers.cfg", INPUT, NULL, 0, &s->config));
  CHECK_OK(stz_sample_create(comm, s->config, NULL, NULL, &s->sample));
  s->view = (stz_view){.config = s->config,
                       .grid = s->sample.grid,
                       .elastic = s->sample.elastic,
                       .glass = s->sample.glass,
                       .load = s->sample.load,
                       .kmc = s->sample.kmc,
                       .stem = "observers"};
}

static void clear(setting *s) {
  stz_sample_destroy(&s->sample);
  stz_config_destroy(&s->config);
}

static void *make(const stz_observer *observer, const setting *s) {
  void *state = NULL;
  CHECK_OK(observer->create(&s->view, &state));
  return state;
}

static void same_on_all_ranks(const setting *s, const char *bytes, size_t count, const char *name) {
  char *first;
  CHECK_OK(STZ_NEW(first, count + 1));
  memcpy(first, bytes, count);
  MPI_Bcast(first, (int)count, MPI_BYTE, 0, stz_grid_comm(s->view.grid));
  CHECK(memcmp(first, bytes, count) == 0, "%s: its block is another on this rank", name);
  stz_free(first);
}

// Saved, restored into another state and saved again.
static void keeps(const stz_observer *observer, const setting *s) {
  void *one = make(observer, s), *other = make(observer, s);
  const size_t bytes = observer->saved_bytes(one);
  char *saved, *again;
  CHECK_OK(STZ_NEW(saved, bytes + 8));
  CHECK_OK(STZ_NEW(again, bytes + 8));
  observer->save(one, saved);
  same_on_all_ranks(s, saved, bytes, observer->name);
  CHECK_OK(observer->restore(other, saved, bytes));
  CHECK(observer->saved_bytes(other) == bytes, "%s: %zu bytes, then %zu", observer->name, bytes,
        observer->saved_bytes(other));
  observer->save(other, again);
  CHECK(memcmp(saved, again, bytes) == 0, "%s: another block after it was restored", observer->name);
  const size_t wrong[] = {0, bytes - 1, bytes + 1, bytes + 8};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    CHECK(observer->restore(other, saved, wrong[i]) == STZ_EIO, "%s takes %zu bytes for its %zu", observer->name,
          wrong[i], bytes);
  }
  memset(saved, 0xff, bytes);
  CHECK(observer->strains == NULL || observer->restore(other, saved, bytes) == STZ_EIO, "%s takes any count",
        observer->name);
  stz_free(saved);
  stz_free(again);
  observer->destroy(one);
  observer->destroy(other);
}

// The axial strain grows from 0 to 0.04 in 40 s: 0 is due at once, and nothing before the strain is there.
static void due_at_strains(const stz_observer *observer, const setting *s) {
  stz_span span;
  void *state = make(observer, s);
  stz_load_state(s->view.load, &span.now);
  stz_load_state_at(s->view.load, 40.0, &span.then);
  CHECK(observer->next_due(state, &span) == 0.0, "%s: due at %g s", observer->name, observer->next_due(state, &span));
  stz_load_state_at(s->view.load, 10.0, &span.now);
  CHECK(observer->next_due(state, &span) == 10.0, "%s: what was passed is due at once, not at %g s", observer->name,
        observer->next_due(state, &span));
  observer->destroy(state);
}

static int places; // of all datasets
static char place[256][160];

static void check_group(const stz_group *group) {
  CHECK(group->path[0] == '/' && group->when[0] && group->count > 0, "%s", group->path);
  for (const stz_dataset *d = group->datasets; d < group->datasets + group->count; d++) {
    char full[160], names[STZ_DIMENSIONS_SIZE];
    snprintf(full, sizeof full, "%s/%s, %s", group->path, d->name, group->when);
    CHECK(d->name[0] && d->unit[0] && d->description[0], "%s", full);
    CHECK(!strchr(d->description, '|') && d->description[strlen(d->description) - 1] != '.', "%s", full);
    stz_dataset_dimensions(d, names);
    CHECK(!strpbrk(names, "[]"), "%s: %s", full, names);
    CHECK(group->block == 0 || (stz_dataset_rank(d) >= 1 && stz_dataset_width(d) >= 1), "%s: no column", full);
    for (int i = 0; i < places; i++) CHECK(strcmp(place[i], full) != 0, "%s twice", full);
    if (places < 256) strcpy(place[places++], full);
  }
}

static void cases(MPI_Comm comm) {
  setting s = {0};
  set_up(comm, &s);
  for (int o = 0; o < STZ_OBSERVER_COUNT; o++) {
    const stz_observer *observer = stz_observers[o];
    const bool applies = !observer->applies || observer->applies(s.config);
    CHECK(observer->name && observer->create && observer->destroy && observer->group_count > 0, "observer %d", o);
    CHECK(!observer->next_due == !observer->take, "%s: next_due and take go together", observer->name);
    CHECK(!observer->save == !observer->restore && !observer->save == !observer->saved_bytes,
          "%s: saved_bytes, save and restore go together", observer->name);
    if (observer->save) keeps(observer, &s); // one that this input does not have as well
    if (applies && observer->strains) due_at_strains(observer, &s);
    for (int g = 0; g < observer->group_count; g++) check_group(&observer->groups[g]);
  }
  for (int g = 0; g < STZ_HEADER_GROUPS; g++) check_group(&stz_header_groups[g]);
  clear(&s);
}

int main(int argc, char **argv) { return harness_main(argc, argv, "test_observers", cases); }
