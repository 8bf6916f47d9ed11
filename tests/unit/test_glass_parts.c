// SPDX-License-Identifier: GPL-3.0-or-later
//
// Parts of a glass: side by side they make of a list of events what the whole makes of it, bit for bit, and take events
// back as if they had never been.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "rng/rng.h"
#include "sample.h"

enum { NX = 24, NY = 14, NZ = 16, EVENTS = 160, PLACES = 48, MOST_PARTS = 4 };

typedef struct variant {
  const char *name;
  stz_orientation orientation;
  stz_redraw redraw;
  double softening_eV;
  double quenched_strain;
} variant;

static const variant VARIANTS[] = {
    {"aligned", STZ_ORIENTATION_ALIGNED, STZ_REDRAW_STZ, 0.0, 0.0},
    {"random", STZ_ORIENTATION_RANDOM, STZ_REDRAW_STZ, 0.0, 0.0},
    {"aligned, soft", STZ_ORIENTATION_ALIGNED, STZ_REDRAW_STZ, 0.3, 0.0},
    {"random, soft, quenched", STZ_ORIENTATION_RANDOM, STZ_REDRAW_STZ, 0.3, 0.01},
    {"random, centre", STZ_ORIENTATION_RANDOM, STZ_REDRAW_CENTRE, 0.0, 0.0},
    {"random, centre, soft", STZ_ORIENTATION_RANDOM, STZ_REDRAW_CENTRE, 0.3, 0.0},
    {"aligned, none", STZ_ORIENTATION_ALIGNED, STZ_REDRAW_NONE, 0.0, 0.0},
    {"random, none, soft", STZ_ORIENTATION_RANDOM, STZ_REDRAW_NONE, 0.3, 0.0},
};
enum { VARIANT_COUNT = sizeof VARIANTS / sizeof *VARIANTS };

static void make(const variant *v, sample_parts *s) {
  sample_params p = FILM;
  p.lattice.cells[0] = NX, p.lattice.cells[1] = NY, p.lattice.cells[2] = NZ;
  p.stz.orientation = v->orientation;
  p.stz.quenched_strain = v->quenched_strain;
  p.barriers.redraw = v->redraw;
  p.barriers.softening_eV = v->softening_eV;
  p.barriers.recovery_rate_per_s = v->softening_eV > 0.0 ? 1e10 : 0.0;
  p.barriers.recovery_eV = 1.0;
  p.seed = 77;
  make_sample(s, MPI_COMM_SELF, &p);
}

// All that a glass holds.
typedef struct state {
  uint64_t hash, reversals;
  int64_t ordered, clusters;
  size_t bytes;
  unsigned char *fields;
  uint8_t *order;
} state;

static void take_state(const stz_glass *glass, state *s) {
  const stz_fields *fields = stz_glass_fields(glass);
  const size_t stride = stz_field_stride(stz_glass_grid(glass));
  *s = (state){
      .hash = stz_glass_hash(glass), .reversals = stz_glass_reversals(glass), .ordered = stz_glass_ordered(glass)};
  (void)stz_glass_clusters(glass, &s->clusters);
  for (int pass = 0; pass < 2; pass++) {
    size_t at = 0;
    for (int i = 0; i < stz_fields_count(fields); i++) {
      const stz_field_spec *spec = stz_fields_spec(fields, i);
      const size_t size = stride * (size_t)spec->components * stz_field_size(spec->type);
      if (pass > 0) memcpy(s->fields + at, stz_fields_data(fields, i), size);
      at += size;
    }
    s->bytes = at;
    if (pass == 0) CHECK_OK(STZ_NEW(s->fields, at));
  }
  CHECK_OK(STZ_NEW(s->order, s->clusters));
  stz_glass_save_order(glass, s->order);
}

static void free_state(state *s) {
  stz_free(s->fields);
  stz_free(s->order);
}

static void same_state(const stz_glass *glass, const state *then, const char *when) {
  state now;
  take_state(glass, &now);
  CHECK(now.hash == then->hash, "%s: another hash", when);
  CHECK(now.reversals == then->reversals, "%s: %d reversals", when, (int)now.reversals);
  CHECK(now.ordered == then->ordered, "%s: %d ordered", when, (int)now.ordered);
  CHECK(memcmp(now.fields, then->fields, then->bytes) == 0, "%s: other fields", when);
  CHECK(memcmp(now.order, then->order, (size_t)then->clusters) == 0, "%s: other clusters have their order", when);
  free_state(&now);
}

// A glass that takes all events one after the other, and what it was before, half way, and after.
typedef struct history {
  stz_shear events[EVENTS];
  double strain[EVENTS][6];
  int64_t *touched[EVENTS]; // sorted
  int touched_count[EVENTS];
  state start, middle, end;
} history;

static int by_site(const void *a, const void *b) {
  const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

// Events at few places, in all planes and at the borders of all parts: they meet and reverse each other.
static void draw_events(stz_shear events[EVENTS]) {
  stz_rng rng = stz_rng_stream(5, STZ_RNG_REDRAW, 1);
  int64_t places[PLACES];
  for (int i = 0; i < PLACES; i++) {
    const int x = i < NX ? i : (i % 4) * NX / 4, sites = NY * NZ;
    places[i] = (int64_t)x * sites + (int64_t)stz_rng_below(&rng, (uint64_t)sites);
  }
  for (int i = 0; i < EVENTS; i++) {
    events[i] = (stz_shear){.site = places[stz_rng_below(&rng, PLACES)],
                            .mode = (int)stz_rng_below(&rng, 2),
                            .sign = stz_rng_below(&rng, 2) ? 1 : -1};
  }
}

static void recover(const variant *v, stz_glass *glass, double by) {
  if (v->softening_eV > 0.0) stz_glass_recover(glass, by);
}

static void take_history(const variant *v, history *h) {
  sample_parts s;
  make(v, &s);
  recover(v, s.glass, 0.2);
  take_state(s.glass, &h->start);
  draw_events(h->events);
  for (int i = 0; i < EVENTS; i++) {
    if (i == EVENTS / 2) {
      take_state(s.glass, &h->middle);
      recover(v, s.glass, 1.1); // R begins again, and the largest damage is less
    }
    stz_glass_locate(s.glass, &h->events[i]);
    stz_glass_shear(s.glass, &h->events[i], h->strain[i]);
    const int64_t *touched = stz_glass_touched(s.glass, &h->touched_count[i]);
    CHECK_OK(STZ_NEW(h->touched[i], h->touched_count[i]));
    memcpy(h->touched[i], touched, (size_t)h->touched_count[i] * sizeof *touched);
    qsort(h->touched[i], (size_t)h->touched_count[i], sizeof *touched, by_site);
  }
  take_state(s.glass, &h->end);
  CHECK(h->end.ordered < h->start.ordered, "no cluster lost its order");
  CHECK(v->orientation != STZ_ORIENTATION_ALIGNED || h->end.reversals > 0, "no event reversed another");
  free_sample(&s);
}

static void free_history(history *h) {
  for (int i = 0; i < EVENTS; i++) stz_free(h->touched[i]);
  free_state(&h->start);
  free_state(&h->middle);
  free_state(&h->end);
}

typedef struct tiles {
  const history *h;
  int count, first, end; // events
  bool located[MOST_PARTS], strained[MOST_PARTS];
  stz_glass *part[MOST_PARTS];
} tiles;

static void make_tiles(stz_glass *whole, const history *h, int count, tiles *t) {
  *t = (tiles){.h = h, .count = count};
  for (int i = 0; i < count; i++) {
    const int first = i * NX / count;
    CHECK_OK(stz_glass_part_create(whole, first, (i + 1) * NX / count - first, EVENTS / 2, &t->part[i]));
    t->located[i] = t->strained[i] = true;
  }
}

// A part takes the events first to end - 1. Before each that lies in it, it says what the whole said.
static void take_on(void *context, int64_t first, int64_t end, int worker) {
  (void)end;
  (void)worker;
  tiles *t = context;
  stz_glass *part = t->part[first];
  for (int i = t->first; i < t->end; i++) {
    const stz_shear *event = &t->h->events[i];
    stz_shear found = *event;
    double strain[6];
    if (stz_grid_local(stz_glass_grid(part), event->site) >= 0) stz_glass_locate(part, &found);
    found.number = event->number; // a part does not count its events
    t->located[first] &= memcmp(&found, event, sizeof found) == 0;
    stz_glass_shear(part, event, strain);
    t->strained[first] &= memcmp(strain, t->h->strain[i], sizeof strain) == 0;
  }
}

static void take(tiles *t, stz_team *team, int first, int end) {
  t->first = first;
  t->end = end;
  stz_team_run(team, t->count, 1, take_on, t);
  for (int i = 0; i < t->count; i++) {
    CHECK(t->located[i], "a part's event has another rotation or grain");
    CHECK(t->strained[i], "a part's event has another strain");
  }
}

// Parts take back different numbers of events, and take them again.
static void take_back_some(tiles *t, stz_team *team, int end) {
  for (int i = 0; i < t->count; i++) {
    const int shears = stz_glass_part_shears(t->part[i]), back = 1 + (17 * i + 22) % (shears - 1);
    stz_glass_part_take_back(t->part[i], back);
    CHECK(stz_glass_part_shears(t->part[i]) == shears - back, "%d shears left", stz_glass_part_shears(t->part[i]));
    tiles alone = {.h = t->h, .count = 1, .part = {t->part[i]}, .located = {true}, .strained = {true}};
    take(&alone, team, end - back, end);
  }
}

static void take_back_all(tiles *t) {
  for (int i = 0; i < t->count; i++) stz_glass_part_take_back(t->part[i], stz_glass_part_shears(t->part[i]));
}

static void settle(tiles *t, stz_glass *whole) {
  for (int i = 0; i < t->count; i++) {
    stz_glass_part_settle(t->part[i], whole);
    CHECK(stz_glass_part_shears(t->part[i]) == 0, "a settled part has shears");
  }
}

// The parts touch what the whole touched, as often; `first`: the event that their number 0 is.
static void same_touched(const tiles *t, int first, int end) {
  for (int i = first; i < end; i++) {
    int64_t *all;
    int count = 0;
    CHECK_OK(STZ_NEW(all, NX * NY * NZ * 3));
    for (int p = 0; p < t->count; p++) {
      int some;
      const int64_t *touched = stz_glass_part_touched(t->part[p], i - first, &some);
      memcpy(all + count, touched, (size_t)some * sizeof *all);
      count += some;
    }
    qsort(all, (size_t)count, sizeof *all, by_site);
    CHECK(count == t->h->touched_count[i], "event %d: %d touched, not %d", i, count, t->h->touched_count[i]);
    CHECK(count != t->h->touched_count[i] || memcmp(all, t->h->touched[i], (size_t)count * sizeof *all) == 0,
          "event %d: others touched", i);
    stz_free(all);
  }
}

// The clusters of the parts, one after the other, are those of the whole.
static void same_clusters(const stz_glass *whole, const tiles *t) {
  int64_t count, at = 0;
  const stz_cluster *all = stz_glass_clusters(whole, &count);
  for (int i = 0; i < t->count; i++) {
    int64_t some;
    CHECK(stz_glass_clusters(t->part[i], &some) == all + at, "part %d begins with another cluster", i);
    at += some;
  }
  CHECK(at == count, "%d clusters in the parts", (int)at);
}

// One half of the list after the other, with a settling between; each half is taken back in whole and in part.
static void replay(const variant *v, const history *h, int parts, stz_team *team) {
  sample_parts s;
  tiles t;
  make(v, &s);
  recover(v, s.glass, 0.2);
  make_tiles(s.glass, h, parts, &t);
  same_state(s.glass, &h->start, "parts are made");
  same_clusters(s.glass, &t);
  for (int half = 0; half < 2; half++) {
    const int first = half * (EVENTS / 2), end = first + EVENTS / 2;
    state before;
    if (half > 0) recover(v, s.glass, 1.1);
    settle(&t, s.glass); // also takes over the recovery
    take_state(s.glass, &before);
    take(&t, team, first, end);
    same_touched(&t, first, end);
    take_back_all(&t);
    settle(&t, s.glass);
    same_state(s.glass, &before, "all taken back");
    take(&t, team, first, end);
    take_back_some(&t, team, end);
    same_touched(&t, first, end);
    settle(&t, s.glass);
    for (int i = first; i < end; i++) stz_glass_count(s.glass, &h->events[i]);
    same_state(s.glass, half > 0 ? &h->end : &h->middle, "settled");
    free_state(&before);
  }
  for (int i = 0; i < parts; i++) stz_glass_part_destroy(&t.part[i]);
  free_sample(&s);
}

static void parts_make_the_whole(void **unused) {
  (void)unused;
  stz_team *team;
  CHECK_OK(stz_team_create_local(MOST_PARTS, &team));
  for (int i = 0; i < VARIANT_COUNT; i++) {
    static history h;
    const int before = harness_failures;
    take_history(&VARIANTS[i], &h);
    for (int parts = 1; parts <= MOST_PARTS; parts *= 2) {
      replay(&VARIANTS[i], &h, parts, NULL);
      replay(&VARIANTS[i], &h, parts, team);
    }
    free_history(&h);
    if (harness_failures > before) fprintf(stderr, "in the glass: %s\n", VARIANTS[i].name);
  }
  stz_team_destroy(&team);
  assert_int_equal(harness_failures, 0);
  assert_int_equal(stz_alloc_live(), 0);
}

// Planes are met across the box's faces.
static void slabs_are_met(void **unused) {
  (void)unused;
  const stz_lattice_params params = {.cells = {10, 2, 2}, .spacing_nm = 1.0};
  stz_grid *grid;
  CHECK_OK(stz_grid_create(MPI_COMM_SELF, &params, &grid));
  for (int first = 0; first < 10; first++) {
    for (int planes = 1; first + planes <= 10; planes++) {
      stz_grid *slab;
      CHECK_OK(stz_grid_slab(grid, first, planes, &slab));
      for (int low = -12; low < 22; low++) {
        bool met = false;
        for (int count = 1; count <= 11; count++) {
          const int plane = stz_wrap(low + count - 1, 10);
          met |= plane >= first && plane < first + planes;
          assert_int_equal(stz_grid_meets(slab, low, count), met);
        }
      }
      assert_int_equal(stz_field_stride(slab), stz_field_stride(grid));
      assert_int_equal(stz_grid_local(slab, first * 4), 0);
      stz_grid_destroy(&slab);
    }
  }
  stz_grid_destroy(&grid);
  assert_int_equal(stz_alloc_live(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(slabs_are_met), cmocka_unit_test(parts_make_the_whole)};
  MPI_Init(NULL, NULL);
  const int failed = cmocka_run_group_tests_name("glass_parts", tests, NULL, NULL);
  MPI_Finalize();
  return failed;
}
