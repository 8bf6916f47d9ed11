// SPDX-License-Identifier: GPL-3.0-or-later
//
// The points engine's trajectory is a function of the sample and of its points alone: the same events, bit for bit,
// whatever layers are open in advance, how wide the bounds are, whether points are rejected by their slack, and in what
// order blocks are updated, and where a team of threads shares the work of each event. So it is too with settings by
// which many events are missed, which then are the same ones.
#include "kmc/points/inside.h"
#include "kmc_setup.h"

typedef struct scenario {
  const char *name;
  double stress_GPa, kelvin, kelvin_per_s, stiffness, softening_eV, recovery_rate_per_s;
  int events;
  bool tall; // some sites have levels that need more than the bits of one word
} scenario;

static const scenario SCENARIOS[] = {
    {.name = "creep", .stress_GPa = 3.2, .kelvin = 295.0, .events = 2500},
    {.name = "relaxation", .stress_GPa = 3.0, .kelvin = 295.0, .stiffness = 72.0, .events = 1500},
    {.name = "heating", .stress_GPa = 1.5, .kelvin = 300.0, .kelvin_per_s = 2.0, .events = 1000},
    {.name = "avalanches", .stress_GPa = 2.2, .kelvin = 295.0, .softening_eV = 0.8, .events = 1500, .tall = true},
    {.name = "recovery",
     .stress_GPa = 2.2,
     .kelvin = 295.0,
     .softening_eV = 0.4,
     .recovery_rate_per_s = 1e9,
     .events = 1000},
};

// What a run comes to.
typedef struct outcome {
  uint64_t hash, violations;
  double missed;
} outcome;

static uint64_t mix(uint64_t hash, const stz_event *event) {
  uint64_t time;
  memcpy(&time, &event->time_s, sizeof time);
  return stz_hash_mix(hash, time,
                      (uint64_t)event->shear.site * 64 + 2 * (uint64_t)event->shear.mode + (event->shear.sign < 0));
}

// Number of sites whose slack is used up: after an event none, as they are bounded anew.
static int exhausted(const stz_kmc *kmc) {
  const stz_multilevel *e = stz_points_of(kmc)->e;
  int below = 0;
  for (int32_t number = 0; number < e->blocks * STZ_ML_SITES; number++) {
    below += stz_ml_row8(e, number)->slack[number % 8] < 0;
  }
  return below;
}

// Number of sites whose level is below what their bound asks for: none, whoever has set it.
static int low_levels(const stz_kmc *kmc) {
  enum { LEVEL = 31 }; // the low bits of `open`
  stz_points *x = stz_points_of(kmc);
  const size_t sites = (size_t)x->e->blocks * STZ_ML_SITES;
  uint32_t *before;
  int low = 0;
  if (x->at.bare || x->tall) return 0;
  CHECK_OK(STZ_NEW(before, sites));
  memcpy(before, x->open, sites * sizeof *before);
  stz_points_set_levels(x, NULL, 0);
  for (size_t i = 0; i < sites; i++) low += (x->open[i] & LEVEL) > (before[i] & LEVEL);
  memcpy(x->open, before, sites * sizeof *before);
  stz_free(before);
  return low;
}

static void run(const scenario *s, const stz_points_ways *ways, stz_team *team, outcome *o) {
  kmc_setup setup;
  kmc_spec spec = MULTILEVEL_FILM;
  spec.engine = STZ_ENGINE_POINTS;
  spec.softening_eV = s->softening_eV;
  spec.recovery_rate_per_s = s->recovery_rate_per_s;
  spec.recovery_eV = 0.6;
  spec.team = team;
  setup_kmc(&setup, MPI_COMM_SELF, &spec);
  stz_points_set_ways(setup.kmc, ways);
  stz_mean_stress mean = {
      .temperature_K = s->kelvin, .temperature_rate = s->kelvin_per_s, .stress = {s->stress_GPa * STZ_GPA}};
  *o = (outcome){0};
  for (int i = 0; i < s->events; i++) {
    stz_event event;
    bool found;
    double strain[6];
    CHECK_OK(stz_kmc_next(setup.kmc, &mean, INFINITY, &event, &found));
    CHECK(found, "no event");
    if (!found) break;
    o->hash = mix(o->hash, &event);
    stz_kmc_fire(setup.kmc, &event, strain);
    if (i % 100 == 0) CHECK(exhausted(setup.kmc) == 0, "%s: %d slacks used up", s->name, exhausted(setup.kmc));
    if (i % 100 == 0) CHECK(low_levels(setup.kmc) == 0, "%s: %d levels too low", s->name, low_levels(setup.kmc));
    mean.temperature_K += mean.temperature_rate * (event.time_s - mean.t0);
    mean.t0 = event.time_s;
    mean.stress[0] -= s->stiffness * STZ_GPA * strain[0] * KMC_STZ.volume_nm3 / stz_grid_volume(setup.grid);
  }
  stz_kmc_stats stats;
  stz_kmc_stats_get(setup.kmc, &stats);
  CHECK(!s->tall || stz_points_of(setup.kmc)->tall, "%s: no tall site", s->name);
  printf("%s: %.0f tested per event, %.3f squeezed, %.2f blocks updated, %g violations, %.3g missed\n", s->name,
         (double)stats.candidates / s->events, (double)stats.squeezed / s->events, (double)stats.folds / s->events,
         (double)stats.violations, stats.missed);
  o->hash += stz_glass_hash(setup.glass);
  o->violations = stats.violations;
  o->missed = stats.missed;
  close_kmc(&setup);
}

static void check_same(const scenario *s, const char *way, const outcome *first, const outcome *other) {
  CHECK(first->hash == other->hash, "%s, %s: other events", s->name, way);
  CHECK(first->missed == other->missed && first->violations == other->violations, "%s, %s: %g and %g events missed",
        s->name, way, first->missed, other->missed);
}

// `missed`: at least so many events, of which those of a team are the same.
static void same(const scenario *s, const stz_points_ways *ways, double missed) {
  outcome first, other;
  stz_points_ways free = *ways, tight = *ways;
  run(s, ways, NULL, &first);
  free.kept += 3;
  free.step = 0.6;
  free.spare = 0.3f;
  free.squeezed = false;
  free.backwards = true;
  run(s, &free, NULL, &other);
  check_same(s, "free", &first, &other);
  CHECK(first.missed >= missed, "%s: only %g events missed", s->name, first.missed);
  if (missed == 0.0) return;
  stz_team *team;
  CHECK_OK(stz_team_create_local(3, &team));
  tight.room = 3; // too little now and then
  run(s, &tight, team, &other);
  check_same(s, "shared", &first, &other);
  stz_team_destroy(&team);
}

int main(void) {
  MPI_Init(NULL, NULL);
  setenv("STZKMC_TEAM_BRISK", "1", 1); // whatever the number of cores
  for (size_t i = 0; i < sizeof SCENARIOS / sizeof *SCENARIOS; i++) {
    stz_points_ways ways = stz_points_usual_ways;
    same(&SCENARIOS[i], &ways, 0.0);
    ways.margin = 0.05;
    ways.target = 4.0;
    ways.missed = 10.0;
    same(&SCENARIOS[i], &ways, 1e-3 * SCENARIOS[i].events);
  }
  MPI_Finalize();
  return harness_failures ? 1 : 0;
}
