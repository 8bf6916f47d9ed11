// SPDX-License-Identifier: GPL-3.0-or-later
//
// The points engine against its definition: the next event is at the first point below the rate of its site, found here
// by a look at the points of every site and every block one by one, whatever bounds, levels and queue say.
#include "kmc/points/inside.h"
#include "kmc_setup.h"

// The first point of a process after `from` and before `most` whose height is below the rate of its site.
static void look(const stz_points *x, stz_point point, const double *rate, stz_point *first) {
  for (; point.time < first->time; point = stz_points_next(x->seed, &point)) {
    if (point.height < rate[point.number]) *first = point;
  }
}

// The first event after the instant `from`, above and below the engine's ground.
static stz_point first_event(const kmc_setup *s, const stz_mean_stress *mean, stz_instant from, double *rate) {
  const stz_points *x = stz_points_of(s->kmc);
  const int32_t sites = x->e->blocks * STZ_ML_SITES;
  stz_point first = {.time = STZ_INSTANT_NEVER};
  for (int32_t number = 0; number < sites; number++) {
    float rates[STZ_MODES][2];
    rate[number] = x->attempt * stz_ml_exact_rates(s->kmc, mean, 0.0, number, rates);
  }
  for (int32_t block = 0; block < x->e->blocks; block++)
    look(x, stz_points_ground(x->seed, block, x->at.ground, from), rate, &first);
  for (int32_t number = 0; number < sites; number++) {
    for (int layer = x->at.ground + 1; stz_points_power(layer - 1) < rate[number]; layer++)
      look(x, stz_points_own(x->seed, number, layer, from), rate, &first);
  }
  return first;
}

// Creep; with much softening some sites have levels that need more than the bits of one word.
static void creep(const char *name, double GPa, double softening_eV, bool tall, int skipped, int events) {
  kmc_setup s;
  kmc_spec spec = MULTILEVEL_FILM;
  stz_mean_stress mean = tension(0.0, 295.0, GPa, 0.0);
  double *rate = NULL, strain[6];
  int grounds = 0, own = 0;
  spec.engine = STZ_ENGINE_POINTS;
  spec.softening_eV = softening_eV;
  setup_kmc(&s, MPI_COMM_SELF, &spec);
  const stz_points *x = stz_points_of(s.kmc);
  CHECK_OK(STZ_NEW(rate, stz_grid_sites(s.grid)));
  mean.t0 = age_kmc(&s, mean, skipped);
  for (int i = 0; i < events && !harness_failures; i++) {
    const stz_instant from = x->at.now; // to the bit the time of the event before
    CHECK_NEAR(stz_instant_seconds(from - x->at.origin), mean.t0, 1e-15 * mean.t0);
    const int ground = x->at.ground;
    const stz_event event = next_event(&s, &mean);
    const int after = x->at.ground;
    const stz_point first = first_event(&s, &mean, from, rate);
    const double time_s = stz_instant_seconds(first.time - x->at.origin);
    stz_kmc_fire(s.kmc, &event, strain);
    mean.t0 = event.time_s;
    if (ground != after) continue; // it has moved on the way
    CHECK(event.time_s == time_s && event.shear.site == stz_ml_local(x->e, first.number),
          "%s, event %d: site %d at %.17g s, by its points site %d at %.17g s", name, i, (int)event.shear.site,
          event.time_s, (int)stz_ml_local(x->e, first.number), time_s);
    grounds += first.ground;
    own += !first.ground;
  }
  printf("%s: %d events below the ground, %d above it\n", name, grounds, own);
  CHECK(own > events / 2, "%s: too few events above the ground", name);
  CHECK(!tall || x->tall, "%s: no tall site", name);
  stz_free(rate);
  close_kmc(&s);
}

int main(void) {
  MPI_Init(NULL, NULL);
  creep("creep", 3.2, 0.0, false, 0, 40);
  if (!harness_failures) creep("avalanches", 2.2, 0.8, true, 200, 30);
  CHECK(stz_alloc_live() == 0, "%ld blocks of memory left", stz_alloc_live());
  MPI_Finalize();
  return harness_failures ? 1 : 0;
}
