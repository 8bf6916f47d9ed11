// SPDX-License-Identifier: GPL-3.0-or-later
//
// The multilevel engine's sums over events commute: a thousand events leave the same bits in any order, in the near
// part, on the nodes of all levels, in the source of the coarse part and in the uniform part; taken off again, in yet
// another order, they leave zero. A stress beyond the range of the sums is refused.
#include "kmc/multilevel/multilevel.h"
#include "kmc_setup.h"
#include "rng/rng.h"

enum { EVENTS = 1000, ORDERS = 3 };

typedef struct event {
  int origin[3];
  float strain[5];
} event;

static void draw_events(const kmc_setup *s, event *events) {
  stz_rng rng = stz_rng_stream(11, STZ_RNG_EVENTS, 0);
  for (int i = 0; i < EVENTS; i++) {
    double d[5];
    const int mode = (int)stz_rng_below(&rng, STZ_MODES), rotation = (int)stz_rng_below(&rng, STZ_ROTATIONS);
    stz_modes_deviator(stz_glass_modes(s->glass), mode, rotation, d);
    for (int c = 0; c < 5; c++) events[i].strain[c] = (float)(d[c] * KMC_STZ.gamma0);
    // Most about one place, as in a band: sums are large, and taken of both signs.
    const bool anywhere = i % 4 == 0;
    for (int axis = 0; axis < 3; axis++) {
      const uint64_t cells = (uint64_t)stz_grid_cells(s->grid)[axis];
      events[i].origin[axis] = (int)stz_rng_below(&rng, anywhere ? cells : 12);
    }
  }
}

static void shuffle(int *order, uint64_t key) {
  stz_rng rng = stz_rng_stream(12, STZ_RNG_EVENTS, key);
  for (int i = 0; i < EVENTS; i++) {
    const int j = (int)stz_rng_below(&rng, (uint64_t)i + 1);
    order[i] = order[j];
    order[j] = i;
  }
}

// All events in an order of their own, `sign` times.
static void add_all(kmc_setup *s, const event *events, uint64_t key, float sign) {
  static int order[EVENTS];
  shuffle(order, key);
  for (int i = 0; i < EVENTS; i++) {
    const event *one = &events[order[i]];
    float strain[5];
    for (int c = 0; c < 5; c++) strain[c] = sign * one->strain[c];
    stz_ml_take_event(s->kmc, one->origin, strain);
  }
  stz_far_converge(((stz_multilevel *)s->kmc->state)->far);
}

// Everything that is a sum over events, byte by byte.
typedef struct sums {
  size_t near, far;
  unsigned char *bytes;
} sums;

static size_t bytes_of(const sums *all) { return all->near + all->far + 5 * sizeof(int64_t); }

static sums take_sums(const kmc_setup *s) {
  const stz_multilevel *e = s->kmc->state;
  const size_t rows8 = (size_t)e->blocks * STZ_BLOCK_PIECES, each = sizeof e->rows8->near;
  sums all = {.near = rows8 * each};
  const void *far = stz_far_state(e->far, &all.far);
  CHECK_OK(STZ_NEW(all.bytes, bytes_of(&all)));
  for (size_t i = 0; i < rows8; i++) memcpy(all.bytes + i * each, e->rows8[i].near, each);
  memcpy(all.bytes + all.near, far, all.far);
  memcpy(all.bytes + all.near + all.far, e->head->uniform, sizeof e->head->uniform);
  return all;
}

static const char *part_of(const sums *all, size_t byte) {
  return byte < all->near ? "near part" : byte < all->near + all->far ? "nodes or coarse source" : "uniform part";
}

// In how many bytes two sums differ; names the parts.
static size_t differing(const sums *a, const sums *b) {
  size_t count = 0;
  const char *last = NULL;
  for (size_t i = 0; i < bytes_of(a); i++) {
    if (a->bytes[i] == b->bytes[i]) continue;
    count++;
    if (part_of(a, i) != last) printf("differs: %s\n", last = part_of(a, i));
  }
  return count;
}

static void any_order(kmc_setup *s) {
  static event events[EVENTS];
  draw_events(s, events);
  const sums none = take_sums(s);
  sums first = {0};
  for (int k = 0; k < ORDERS; k++) {
    add_all(s, events, (uint64_t)(2 * k), 1.0f);
    sums all = take_sums(s);
    CHECK(differing(&none, &all) > all.near / 4, "nothing was added");
    if (k == 0) {
      first = all;
    } else {
      const size_t apart = differing(&first, &all);
      CHECK(apart == 0, "order %d: %zu bytes differ", k, apart);
      stz_free(all.bytes);
    }
    add_all(s, events, (uint64_t)(2 * k + 1), -1.0f);
    sums left = take_sums(s);
    size_t nonzero = 0;
    for (size_t i = 0; i < bytes_of(&left); i++) nonzero += left.bytes[i] != 0;
    CHECK(nonzero == 0, "%zu bytes are left when all events are taken off", nonzero);
    stz_free(left.bytes);
  }
  printf("%d events in %d orders: %zu bytes of sums\n", EVENTS, ORDERS, bytes_of(&first));
  stz_free(first.bytes);
  stz_free(none.bytes);
}

static void range_is_watched(kmc_setup *s) {
  stz_multilevel *e = s->kmc->state;
  size_t bytes;
  char *far = stz_far_state(e->far, &bytes);
  int32_t *numbers[] = {&e->rows8[77].near[3][5], (int32_t *)(void *)(far + bytes) - 1};
  for (int i = 0; i < 2; i++) {
    *numbers[i] = INT32_MIN / 2 - 1;
    CHECK(stz_ml_rebound_all(s->kmc, 0.0, 0.0) == STZ_ENUMERIC, "a stress beyond its range passes");
    CHECK(strstr(stz_error_message(), "GPa"), "the message says: %s", stz_error_message());
    *numbers[i] = INT32_MAX / 2;
    CHECK_OK(stz_ml_rebound_all(s->kmc, 0.0, 0.0));
  }
}

static void cases(MPI_Comm comm) {
  kmc_spec spec = MULTILEVEL_FILM;
  spec.cells[0] = 40; // both levels and the coarse part
  spec.cells[2] = 72;
  spec.micro = STZ_MICRO_UNIFORM;
  spec.seed = 3;
  spec.tolerance_MPa = 1.2;
  const stz_mean_stress mean = tension(0.0, 295.0, 3.0, 0.0);
  kmc_setup s;
  setup_kmc(&s, comm, &spec);
  stz_ml_refer(s.kmc, &mean, 0.0);
  CHECK_OK(stz_ml_rebound_all(s.kmc, 0.0, 0.0));
  any_order(&s);
  range_is_watched(&s);
  close_kmc(&s);
}

int main(int argc, char **argv) { return harness_main(argc, argv, "fixed point", cases); }
