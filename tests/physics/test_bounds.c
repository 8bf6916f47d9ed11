// SPDX-License-Identifier: GPL-3.0-or-later
//
// A short look at the multilevel engine, in seconds: field, bounds, slacks and their sums against the operator and
// naive twins in small boxes, what an event adds to the drift of the blocks, how much work there is per event, and a
// team of threads against none.
#include "before_recompute.h"
#include "worse.h"

// Blocks along an axis between two of n, the shorter way round; in a film there is one way along z.
static int apart(int a, int b, int n, bool open) {
  const int d = abs(a - b);
  return !open && 2 * d > n ? n - d : d;
}

// Drift of a block as the engine says it, without what is common to all.
static void block_drift(const kmc_setup *s, double *drift) {
  const stz_multilevel *e = s->kmc->state;
  for (int b = 0; b < e->blocks; b++) drift[b] = (double)e->drift[b] + e->head->everywhere;
}

// What a slack says of its site without a look at the stress: that its rate is not above the bound times exp(-slack),
// but for the drift that the estimate allows. Returns what rates are above that, over the sum of all rates.
static double above_slacks(const stz_kmc *kmc, const stz_mean_stress *mean) {
  const stz_multilevel *e = kmc->state;
  const double raised = exp(stz_ml_excess(kmc, mean, 0.0));
  double above = 0.0, all = 0.0;
  for (int32_t number = 0; number < e->blocks * STZ_ML_SITES; number++) {
    const stz_row8 *row8 = stz_ml_row8(e, number);
    const double bound = (double)row8->bound[number % 8], slack = (double)STZ_SLACK * row8->slack[number % 8];
    const double spare = slack + stz_ml_margin() - stz_ml_drift_estimate(e, number);
    float rates[STZ_MODES][2];
    const double rate = stz_ml_exact_rates(kmc, mean, 0.0, number, rates);
    all += rate;
    if (slack > 0.0 && bound < stz_ml_largest()) above += fmax(0.0, rate - bound * raised * exp(-spare));
  }
  return above / all;
}

// What an event adds to the drift of the many blocks beyond, from the stress in the next block, which falls with the
// cube of the distance: the mean square over that in its own.
static void check_beyond(const stz_multilevel *e) {
  const double amplitude = 512.0 * (double)e->spread[1][0][0];
  double sum = 0.0;
  int blocks = 0;
  for (int pair = 0; pair < e->blocks * e->blocks; pair++) {
    int at[3], from[3], farthest = 0, r2 = 0;
    stz_ml_block_origin(e, pair / e->blocks, from);
    stz_ml_block_origin(e, pair % e->blocks, at);
    for (int axis = 0; axis < 3; axis++) {
      const int d = apart(at[axis] / 8, from[axis] / 8, e->count[axis], axis == 2 && e->split->film);
      farthest = d > farthest ? d : farthest;
      r2 += 64 * d * d;
    }
    if (farthest <= STZ_ML_SPREAD / 2) continue;
    sum += amplitude * amplitude / pow(r2, 3.0);
    blocks++;
  }
  const double expected = blocks ? sum / blocks / (double)e->spread[0][0][0] : 0.0;
  CHECK_NEAR((double)e->beyond, expected, 1e-5 * expected);
}

// Each event adds to the drift of every block what its distance says, counted here block by block; a block that is
// updated begins at nothing.
static void check_drift(kmc_setup *s, stz_mean_stress *mean, int events) {
  enum { MOST = 9 * 4 * 4 };
  const stz_multilevel *e = s->kmc->state;
  double before[MOST], after[MOST], strain[6], worst = 0.0;
  int seen = 0;
  for (int i = 0; i < events; i++) {
    int at[3], from[3];
    const stz_event event = next_event(s, mean);
    block_drift(s, before);
    const double slope = (double)stz_ml_slope(e);
    stz_kmc_fire(s->kmc, &event, strain);
    block_drift(s, after);
    mean->t0 = event.time_s;
    stz_grid_coords(s->grid, event.shear.site, from);
    for (int b = 0; b < e->blocks; b++) {
      int d[3];
      bool near = true;
      stz_ml_block_origin(e, b, at);
      for (int axis = 0; axis < 3; axis++) {
        d[axis] = apart(at[axis] / 8, from[axis] / 8, e->count[axis], axis == 2 && e->split->film);
        near &= d[axis] <= STZ_ML_SPREAD / 2;
      }
      if (fabs(after[b]) < 1e-5) continue;
      const double added = slope * (double)(near ? e->spread[d[0]][d[1]][d[2]] : e->beyond);
      worst = worse(worst, fabs(after[b] - before[b] - added));
      seen++;
    }
  }
  CHECK(seen > events * e->blocks / 2 && worst < 1e-5, "what an event adds to the drift of %d blocks is off by %g",
        seen, worst);
}

typedef struct limits {
  double rate, slacks, blocks; // off of the sum of all rates; above slacks; least number of blocks per event
  int refreshes;
} limits;

// All of it in a box, with the work per event, which is the same on any machine.
static void look(const char *name, const kmc_spec *spec, limits most) {
  kmc_setup s;
  stz_mean_stress mean = tension(0.0, 295.0, 3.3, 0.0);
  stz_kmc_stats stats;
  setup_kmc(&s, MPI_COMM_SELF, spec);
  (void)creep_to_recompute(name, &s, &mean, most.rate, most.refreshes);
  const double above = above_slacks(s.kmc, &mean);
  stz_kmc_stats_get(s.kmc, &stats);
  const double events = (double)stats.events, tries = (double)stats.candidates / events,
               looks = (double)(stats.candidates - stats.squeezed) / events, bounds = (double)stats.bounds / events,
               blocks = (double)stats.folds / events;
  printf("  %.1e of the rates above what slacks say; per event %.2f proposals, %.2f looks at a site, %.1f bounds, %.3f "
         "blocks\n",
         above, tries, looks, bounds, blocks);
  CHECK(above < most.slacks, "%g of the rates are above what slacks say", above);
  CHECK(tries > 6.0 && tries < 15.0 && looks > 1.7 && looks < 4.5 && bounds > 100.0 && bounds < 170.0 &&
            blocks >= most.blocks && blocks < 1.0,
        "the work per event is another");
  check_drift(&s, &mean, 20);
  check_beyond(s.kmc->state);
  if (spec->boundary == STZ_BOUNDARY_PERIODIC) { // its parts made anew, as in a box that deforms
    CHECK_OK(stz_ml_remake(s.kmc));
    const laws remade = compare_laws(s.kmc, &mean);
    CHECK(remade.rms_MPa < 0.01, "the stress by parts made anew is off by %g MPa", remade.rms_MPa);
  }
  close_kmc(&s);
}

// Barriers that depend on the normal stress on their plane too: slacks hold under tension along any axis.
static void check_normal_stress(const kmc_spec *spec) {
  stz_stz_params stz = KMC_STZ;
  kmc_spec pressed = *spec;
  stz.normal_coefficient = 0.2;
  pressed.stz = &stz;
  for (int axis = 0; axis < 3; axis++) {
    kmc_setup s;
    stz_mean_stress mean = {.temperature_K = 295.0};
    mean.stress[axis] = 2.6 * STZ_GPA;
    setup_kmc(&s, MPI_COMM_SELF, &pressed);
    mean.t0 = age_kmc(&s, mean, 20);
    const double above = above_slacks(s.kmc, &mean);
    printf("tension along %c with normal stress: %.1e of the rates above what slacks say\n", "xyz"[axis], above);
    CHECK(above < 1e-4, "with normal stress %g of the rates are above what slacks say", above);
    close_kmc(&s);
  }
}

// A team of threads shares the work of each event: the same events and the same state.
static void check_team(const kmc_spec *spec) {
  enum { EVENTS = 40 };
  uint64_t hash[2][2];
  for (int i = 0; i < 2; i++) {
    kmc_setup s;
    kmc_spec shared = *spec;
    if (i) CHECK_OK(stz_team_create_local(2, &shared.team));
    setup_kmc(&s, MPI_COMM_SELF, &shared);
    (void)age_kmc(&s, tension(0.0, 295.0, 3.3, 0.0), EVENTS);
    hash[i][0] = stz_kmc_hash(s.kmc);
    hash[i][1] = stz_glass_hash(s.glass);
    close_kmc(&s);
    if (i) stz_team_destroy(&shared.team);
  }
  CHECK(!memcmp(hash[0], hash[1], sizeof hash[0]), "a team finds other events");
}

int main(void) {
  MPI_Init(NULL, NULL);
  setenv("STZKMC_TEAM_BRISK", "1", 1); // whatever the number of cores
  kmc_spec spec = MULTILEVEL_FILM;
  look("32", &spec, (limits){.rate = 2e-3, .slacks = 1e-4, .blocks = 0.4, .refreshes = 1});
  check_team(&spec);
  check_normal_stress(&spec);
  if (!harness_failures) {
    spec.boundary = STZ_BOUNDARY_FILM;
    spec.cells[0] = 72; // with a coarse part, and blocks that are beyond
    spec.cells[2] = 8;
    look("film 72 x 32 x 8", &spec, (limits){.rate = 1e-2, .slacks = 1e-3, .refreshes = 2});
    spec.cells[0] = 32;
    spec.cells[2] = 40; // blocks above and below each other, and beyond along z alone
    look("film 32 x 32 x 40", &spec, (limits){.rate = 4e-3, .slacks = 1e-4, .blocks = 0.3, .refreshes = 1});
  }
  CHECK(stz_alloc_live() == 0, "%ld blocks of memory left", stz_alloc_live());
  MPI_Finalize();
  return harness_failures ? 1 : 0;
}
